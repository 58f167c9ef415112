"""A run in parts: each is normalized by itself, and all are one commit.

The driver holds what is of all parts: numbers of what is new, lookup tables, figures. What a part
is made of and what comes of it, workers leave for each other in an exchange beside the tables.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Optional

import pandas as pd
from fsspec.implementations.memory import MemoryFileSystem

from aspen_etl.changes import ChangeCounts, Changes
from aspen_etl.columns.frames import equal_frames
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.exchange import Exchange, Piece
from aspen_etl.normalization import NormalizeResult, Summary, conclude
from aspen_etl.normalization.parted import check_functions, join_changes, settle_part
from aspen_etl.schema import Extract, Held, Previous, Run, Snapshot
from aspen_etl.schema.rejects import hand_out, take_in
from aspen_etl.schema.snapshot import Tables
from aspen_etl.store.commit import Commit
from aspen_etl.store.parted import MadePart, PartedTables
from aspen_etl.store.partly import StoredTables
from aspen_etl.store.place import Place
from aspen_etl.synchronization.dividing import Dividing, Division, State, divide
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.report import PartedResult, PartReport
from aspen_etl.synchronization.scattering import Scattered, gather, sample_subjects, scatter
from aspen_etl.synchronization.source import Given
from aspen_etl.synchronization.units import Reader, open_source
from aspen_etl.transform import settle
from aspen_etl.transform.claiming import Claim, claim
from aspen_etl.transform.joining import join_rejects, join_snapshots, join_summaries
from aspen_etl.transform.keeping import Missing
from aspen_etl.transform.keys import Retired
from aspen_etl.transform.merging import settle as settle_numbers
from aspen_etl.transform.parting import Partitioning, can_part, check_range
from aspen_etl.workers import InTurn, Processes, Spark, Workers, kept_open

__all__ = ["PartedRun", "Ready"]


class Ready(NamedTuple):
    """Say into what a source was cut.

    Attributes:
        division: The parts, and what was there before of each.
        scattered: Where the rows of each are.
    """

    division: Division
    scattered: Scattered


class PartedRun:
    """Make what a run commits, part by part.

    It is closed when what it made is committed, or is not: its processes end, and what workers
    left for each other goes.

    Args:
        place: The store.
        given: The source, and what the run is told.
        run: When it is, and who does it.
        newest: The newest commit, if there is one.

    Raises:
        NotSupportedError: The model cannot be parted, or not be sent to workers; or these do not
            see what is in the memory of this process.
    """

    def __init__(self, place: Place, given: Given, run: Run, newest: Optional[Commit]) -> None:
        self.how = can_part(place.model)
        self.place, self.given, self.run, self.newest = place, given, run, newest
        told: Workers = given.settings.crew
        if not isinstance(told, InTurn):
            check_functions(place.model)
        if isinstance(told, (Processes, Spark)):
            _check_shared(place)
        version = 1 if newest is None else newest.version + 1
        folder = f"_aspen/exchange/{version:020d}-{secrets.token_hex(8)}"
        self.exchange = Exchange(place.root.child(folder))
        self._opened = contextlib.ExitStack()
        self._opened.callback(self.exchange.remove)
        self.workers = self._opened.enter_context(kept_open(told))

    def close(self) -> None:
        """Let go of processes, and of what workers left for each other."""
        self._opened.close()

    # ------------------------------------------------------------------------- the source

    def read(self, parts: Parts) -> Ready:
        """Read the source, and cut it and what was before.

        Raises:
            AspenETLError: What reading raises.
        """
        self.exchange.open()
        reader = self._reader
        units = open_source(self.given.source, reader, self.workers)
        sampled = sample_subjects(units, reader, self.workers)
        size = sum(unit.bytes for unit in units)
        subjects = parts.subjects_of(rows=sampled.rows, size=size)
        work = Dividing(self.place, self.how, self.exchange, self.workers)
        division = divide(self.newest, sampled, subjects, work)
        return Ready(division, scatter(units, division.bounds, reader, self.workers))

    @property
    def _reader(self) -> Reader:
        return Reader(self.exchange, self.how, self.given.settings.reading)

    # ------------------------------------------------------------------------- the parts

    def make(self, ready: Ready) -> tuple[PartedResult, PartedTables]:
        """Normalize each part, settle what is of all, and give what is committed.

        Raises:
            ProofError: What was made of the parts does not fit together.
            AspenETLError: What ``normalize`` raises.
        """
        division, scattered = ready
        work = _Work(
            self.place,
            self._reader,
            division.bounds,
            self._following(),
            self.run,
            self.given.settings.missing,
        )
        jobs = [
            _Job(number, pieces, state)
            for number, (pieces, state) in enumerate(zip(scattered.pieces, division.states))
        ]
        done = self.workers.map(partial(_normalize_part, work), jobs)
        maps = settle_numbers([each.claim for each in done], work.following, self.how)
        lookups = [settle_part(each.lookups, keys, self.how) for each, keys in zip(done, maps)]
        shared = join_snapshots(
            [each.snapshot for each in lookups], self.how, names=self.how.lookups
        )
        made = [each.made for each in done]
        anew = not division.is_of(self.newest)
        tables = PartedTables(self.how, made, maps, shared, anew, self.exchange, self.workers)
        return self._join(done, lookups, shared, scattered), tables

    def _following(self) -> dict[str, int]:
        held = {} if self.newest is None else self.newest.keys
        tables = self.how.model.tables.items()
        return {
            name: held[name].next if name in held else 1
            for name, table in tables
            if table.has_surrogate_key
        }

    def _join(
        self,
        done: Sequence[_Done],
        lookups: Sequence[NormalizeResult],
        shared: Snapshot,
        scattered: Scattered,
    ) -> PartedResult:
        """Add up the figures, and join the rejects."""
        model = self.how.model
        rows = {name: sum(each.figures.tables[name] for each in done) for name in model.tables}
        rows.update({name: len(frame) for name, frame in shared.tables.items()})
        changes = {
            name: sum((each.changes[name] for each in done), ChangeCounts()) for name in rows
        }
        for name in self.how.lookups:
            joined = join_changes([each.changes[name] for each in lookups], self.how)
            changes[name] = ChangeCounts(**joined.counts)
        parts = [self.exchange.get(each.rejects) for each in done if each.rejects is not None]
        source = self.given.source
        order = {n: source[n].index for n in source} if isinstance(source, Extract) else {}
        rejects = join_rejects(parts or [done[0].no_rejects], order, model)
        summary = join_summaries([each.figures for each in done], rows, model)
        reports = [each.report(count) for each, count in zip(done, scattered.rows)]
        return PartedResult(changes, hand_out(rejects), summary, tuple(reports))


def _check_shared(place: Place) -> None:
    if isinstance(place.root.filesystem, MemoryFileSystem):
        msg = f"{place.url} is in the memory of this process, where no worker sees it; work in turn"
        raise NotSupportedError(msg, url=place.url)


# ----------------------------------------------------------------------------- one part


@dataclass(frozen=True, eq=False)
class _Work:
    """What every worker knows that normalizes."""

    place: Place
    reader: Reader
    bounds: pd.Series = field(repr=False)
    following: Mapping[str, int]
    run: Run
    missing: Missing

    @property
    def how(self) -> Partitioning:
        return self.reader.how


@dataclass(frozen=True, eq=False)
class _Job:
    """One part: its rows, and what was there before."""

    number: int
    pieces: tuple[tuple[str, Piece], ...] = field(repr=False)
    state: Optional[State]


@dataclass(frozen=True, eq=False)
class _Done:
    """What a worker tells of a part: where it left what it made, and what is of all parts.

    Attributes:
        lookups: What it made of lookup tables, under its own numbers.
        rejects: Where its rejects are, if it has any.
        no_rejects: A frame of none.
    """

    claim: Claim
    made: MadePart
    lookups: NormalizeResult
    changes: Mapping[str, ChangeCounts]
    figures: Summary
    rejects: Optional[Piece]
    no_rejects: pd.DataFrame = field(repr=False)
    seconds: float

    def report(self, subjects: int) -> PartReport:
        sources = self.figures.sources.values()
        return PartReport(
            subjects=subjects,
            rows=sum(source.rows for source in sources),
            rejected=sum(source.rejected for source in sources),
            changed=sum(sum(found.counts.values()) for found in self.changes.values()),
            seconds=round(self.seconds, 3),
        )


def _normalize_part(work: _Work, job: _Job) -> _Done:
    begun = time.monotonic()
    how, reader, exchange = work.how, work.reader, work.reader.exchange
    state = job.state
    before = Held() if state is None else state.load(work.place, how, exchange)
    settled = settle(gather(job.pieces, reader), how.model, before, work.missing)
    result = conclude(settled, how.model, before, work.run)
    check_range(result.tables, job.number, work.bounds, how)
    rejects = take_in(result.rejects)
    retired = _retired(result, how)
    names = [name for name in how.owners if name in how.model.tables]
    # NOTE: a table is one piece, so that who writes it need not hold the others.
    pieces = exchange.put([result.tables[name] for name in names])
    others = exchange.put([*retired.values(), *([rejects] if len(rejects) else [])])
    made = MadePart(
        dict(zip(names, pieces)), dict(zip(retired, others)), _changed(retired, before, work, job)
    )
    return _Done(
        claim(result.snapshot, work.following, how),
        made,
        _only_lookups(result, how),
        {name: ChangeCounts(**found.counts) for name, found in result.changes.items()},
        result.summary,
        others[-1] if len(rejects) else None,
        rejects.iloc[:0],
        time.monotonic() - begun,
    )


def _retired(result: NormalizeResult, how: Partitioning) -> dict[str, pd.DataFrame]:
    out = {}
    for name in how.numbered:
        table, state = how.model.tables[name], result.snapshot.keys[name]
        out[name] = Retired.of(state, result.tables[name], table).keys
    return out


def _changed(
    retired: Mapping[str, pd.DataFrame], before: Previous, work: _Work, job: _Job
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
    """Give what was made of lookup tables alone."""
    snapshot = Snapshot(
        Tables({name: result.tables[name] for name in how.lookups}),
        {name: result.snapshot.keys[name] for name in how.lookups},
        result.snapshot.time,
    )
    changes = Changes({name: result.changes[name] for name in how.lookups})
    nothing = result.rejects.iloc[:0]
    return NormalizeResult(snapshot, nothing, changes, Summary({}, (), {}))
