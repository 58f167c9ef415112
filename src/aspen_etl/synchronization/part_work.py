"""What a worker does with one part: it normalizes it, and leaves what comes of it.

What it tells is small: what it needs numbers for, lookup tables, figures, and where the rest lies.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import pandas as pd

from aspen_etl.changes import ChangeCounts, Changes, TableChanges
from aspen_etl.columns.frames import equal_frames, make_frame
from aspen_etl.columns.handing import handed, held
from aspen_etl.io.exchange import Piece
from aspen_etl.normalization import NormalizeResult, Summary, conclude
from aspen_etl.schema import Held, Previous, Run, Snapshot
from aspen_etl.schema.snapshot import KeyState, Tables
from aspen_etl.store.parted import MadePart
from aspen_etl.store.partly import StoredTables
from aspen_etl.store.place import Place
from aspen_etl.synchronization.dividing import State
from aspen_etl.synchronization.report import PartReport
from aspen_etl.synchronization.scattering import gather
from aspen_etl.synchronization.units import Reader
from aspen_etl.transform import settle
from aspen_etl.transform.claiming import Claim, NewRows, claim
from aspen_etl.transform.keeping import Missing
from aspen_etl.transform.keys import PartedKeys, Retired, TableKeys, key_columns
from aspen_etl.transform.parting import Partitioning, check_range
from aspen_etl.transform.suppressing import Suppression, leave_out

__all__ = ["Done", "Job", "Work", "normalize_part"]


@dataclass(frozen=True, eq=False)
class Work:
    """What every worker knows that normalizes."""

    place: Place
    reader: Reader
    bounds: pd.Series = field(repr=False)
    following: Mapping[str, int]
    run: Run
    missing: Missing
    suppression: Optional[Suppression] = None

    @property
    def how(self) -> Partitioning:
        """How the model is partitioned."""
        return self.reader.how


@dataclass(frozen=True, eq=False)
class Job:
    """One part: its rows, and what was there before."""

    number: int
    pieces: tuple[tuple[str, Piece], ...] = field(repr=False)
    state: Optional[State]


@dataclass(frozen=True, eq=False)
class Done:
    """What a worker tells of a part: where it left what it made, and what is of all parts.

    Attributes:
        lookups: What it made of lookup tables, under its own numbers.
        rejects: Where its rejects are, if it has any.
        no_rejects: A frame of none.
        suppressed: How many rows of each sheet were left out.
    """

    claim: Claim
    made: MadePart
    lookups: NormalizeResult
    changes: Mapping[str, ChangeCounts]
    figures: Summary
    rejects: Optional[Piece]
    no_rejects: pd.DataFrame = field(repr=False)
    seconds: float
    suppressed: Mapping[str, int]

    def report(self, subjects: int) -> PartReport:
        """Tell what became of the part, of which there are so many subjects."""
        sources = self.figures.sources.values()
        return PartReport(
            subjects=subjects,
            rows=sum(source.rows for source in sources),
            rejected=sum(source.rejected for source in sources),
            changed=sum(sum(found.counts.values()) for found in self.changes.values()),
            seconds=round(self.seconds, 3),
        )


def normalize_part(work: Work, job: Job) -> Done:
    """Normalize a part, and leave what comes of it.

    Raises:
        ProofError: What was made of it is not of its range.
        AspenETLError: What ``normalize`` raises.
    """
    begun = time.monotonic()
    how, reader, exchange = work.how, work.reader, work.reader.exchange
    state = job.state
    before = Held() if state is None else state.load(work.place, how, exchange)
    extracts = [gather(job.pieces, reader)]
    extract, suppressed = leave_out(extracts.pop(), how.model, work.suppression)
    extracts.append(extract)
    del extract
    settled = settle(extracts.pop(), how.model, before, work.missing)
    result = conclude(settled, how.model, before, work.run)
    check_range(result.tables, job.number, work.bounds, how)
    rejects = result.rejects
    retired = _retired(result, how)
    # NOTE: a table is one piece, so that who writes it need not hold the others.
    pieces = exchange.put([result.tables[name] for name in how.owners])
    others = exchange.put([*retired.values(), *([rejects] if len(rejects) else [])])
    made = MadePart(
        dict(zip(how.owners, pieces)),
        dict(zip(retired, others)),
        _changed(retired, before, work, job),
    )
    return Done(
        _claim(result, work),
        made,
        _only_lookups(result, how),
        {name: ChangeCounts(**found.counts) for name, found in result.changes.items()},
        result.summary,
        others[-1] if len(rejects) else None,
        _alone(rejects.iloc[:0]),
        time.monotonic() - begun,
        suppressed,
    )


def _retired(result: NormalizeResult, how: Partitioning) -> dict[str, pd.DataFrame]:
    out = {}
    for name in how.numbered:
        table, state = how.model.tables[name], result.snapshot.keys[name]
        out[name] = Retired.of(state, result.tables[name], table).keys
    return out


def _changed(
    retired: Mapping[str, pd.DataFrame], before: Previous, work: Work, job: Job
) -> frozenset[str]:
    """Name the tables of which other keys are retired than were before."""
    stored = None
    if job.state is not None and job.state.is_stored:  # its keys lie apart from its tables
        part = job.state.commit.of_part(job.state.number, work.how.lookups)
        stored = StoredTables(work.place, part)
    out = []
    for name, keys in retired.items():
        then = _retired_before(name, before, work.how) if stored is None else stored.retired(name)
        if then is None or not equal_frames(then.keys, keys):
            out.append(name)
    return frozenset(out)


def _retired_before(name: str, before: Previous, how: Partitioning) -> Optional[Retired]:
    state = before.keys(name)
    frame = before.table(name) if name in before.names else None
    return None if state is None else Retired.of(state, frame, how.model.tables[name])


def _only_lookups(result: NormalizeResult, how: Partitioning) -> NormalizeResult:
    """Give what was made of lookup tables alone, without the memory that they share with others."""
    tables = {name: _alone(result.tables[name]) for name in how.lookups}
    keys, changes = dict[str, KeyState](), {}
    for name in how.lookups:
        table, state = how.model.tables[name], result.snapshot.keys[name]
        in_use = make_frame({column: tables[name][column] for column in key_columns(table)})
        retired = _alone(Retired.of(state, result.tables[name], table).keys)
        keys[name] = TableKeys(table, state.next, PartedKeys(in_use, retired))
        found = result.changes[name]
        inserted, updated, deleted = (_alone(held(found, kind)) for kind in found.counts)
        changes[name] = TableChanges(inserted, updated, deleted, table)
    snapshot = Snapshot(Tables(tables), keys, result.snapshot.time)
    nothing = handed(_alone(result.rejects.iloc[:0]))
    return NormalizeResult(snapshot, nothing, Changes(changes), Summary({}, (), {}))


def _claim(result: NormalizeResult, work: Work) -> Claim:
    """Say for what the part needs numbers, without the memory of its tables."""
    found = claim(result.snapshot, work.following, work.how)
    rows = {n: NewRows(r.count, r.mixed, _alone(r.keys)) for n, r in found.rows.items()}
    return Claim(found.texts, rows)


def _alone(frame: pd.DataFrame) -> pd.DataFrame:
    """Copy rows whose columns may be views of larger ones, which they would keep in memory."""
    # NOTE: to take rows in their order is a view again, and to copy what Arrow holds is none.
    return make_frame({c: pd.Series(frame[c].tolist(), dtype=frame[c].dtype) for c in frame})
