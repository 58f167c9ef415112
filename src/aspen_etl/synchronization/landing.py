"""Read a landing folder on from what was read before: files, changes, a state, an extract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from aspen_etl.columns import Positions
from aspen_etl.columns.rows import are_present, find_rows
from aspen_etl.errors import ArgumentError, LandingChangedError
from aspen_etl.io.landed_rows import state_columns
from aspen_etl.io.landing import LandedFolder, list_landing
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import LandedTable, Landing, OnGap
from aspen_etl.schema.values import Extract
from aspen_etl.store.stored import LandingRecord
from aspen_etl.synchronization.landed_batch import BatchReader
from aspen_etl.synchronization.landed_cut import Batch
from aspen_etl.transform.alike import fold_keys
from aspen_etl.transform.changing import SourceChanges
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.ledger import Entry, Ledger
from aspen_etl.transform.losses import Finding, raise_findings
from aspen_etl.transform.replay import fold
from aspen_etl.transform.source_state import SourceState
from aspen_etl.transform.suppressing import Suppression

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = [
    "LandingRead",
    "LandingState",
    "begin",
    "check_declared",
    "read_landing",
    "read_listed",
]

#: What may be counted alone, where a caller says so: a change that is missing.
_GAPS = ("gap",)


@dataclass(frozen=True)
class LandingRead:
    """What reading a landing folder gives.

    Attributes:
        state: What is known afterwards: whoever commits the tables commits it with them.
        model: What the sources become.
        before: What was known before, as it is declared now.
        taken: The files of which each row was taken.
        pending: The files that wait, in whole or in part.
        findings: What was counted by source, and is no error: see ``Finding``.
        changed: How many keys of each source have another row, came or went.
        unknown: How many files have a name that says nothing.
        others: How many rows of transaction files are of other tables.
        heard: When the newest file of the landing's heartbeat was written, if there is one.
        at: By source, the places in its state of those keys.
        suppressed: How many changes of each source were left out, of subjects that are suppressed.
    """

    state: LandingState
    model: Model = field(repr=False)
    before: LandingState = field(repr=False)
    taken: tuple[Entry, ...] = field(default=(), repr=False)
    pending: tuple[str, ...] = ()
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    others: int = 0
    heard: Optional[dt.datetime] = None
    at: Mapping[str, Positions] = field(default_factory=dict, repr=False)
    suppressed: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def extract(self) -> Extract:
        """The living rows of each source, in the order of their keys."""
        return self.state.to_extract(self.model)

    @property
    def ledger(self) -> Ledger:
        """Which files were taken."""
        return self.state.ledger

    @property
    def watermark(self) -> Optional[str]:
        """The time of the youngest commit that was taken."""
        return self.state.watermark


def read_landing(
    landing: Landing,
    /,
    *,
    model: Model,
    until: dt.datetime,
    state: Optional[LandingState] = None,
    limits: ReadLimits = ReadLimits(),  # noqa: B008 - a frozen value
    on_gap: OnGap = "refuse",
    storage_options: Optional[Mapping[str, Any]] = None,
    suppression: Optional[Suppression] = None,
) -> LandingRead:
    """Read what is new in a landing folder, and fold it into what is known.

    Nothing is written: the state that it gives goes into the commit of the tables that are made
    of the extract. Until then the same files are read again, which changes nothing.

    Args:
        landing: The folder and its tables.
        model: What the sources become.
        until: The time of the run, with a zone: files that are younger than the lag wait.
        state: What was known before; none, or one of an earlier epoch, begins anew.
        limits: How much to take in: of a file, and how many rows at once.
        on_gap: What a change does that does not follow from the one before: it refuses the run,
            or it is counted.
        storage_options: What the filesystem takes: credentials, endpoint.
        suppression: Who is left out, as ``suppression_of`` gives it of a store.

    Raises:
        ArgumentError: The landing does not feed the model, or ``until`` has no zone.
        LandedFileError: A file holds what is no change, or not a whole one.
        LandingOrderError: SourceChanges do not follow from each other, or their order is not sure.
        LandingChangedError: The folder is not what it was.
        ExtractError: A file is not what it should be.
        SourceNotFoundError: There is no such folder.
    """
    reader = BatchReader(landing, model, limits, until, suppression)
    check_declared(reader, state)
    folder = list_landing(landing, storage_options)
    return read_listed(reader, folder, state, on_gap=on_gap)


def check_declared(
    reader: BatchReader, state: Optional[Union[LandingState, LandingRecord]], /
) -> None:
    """Check that a landing can be read, and goes on from what is known.

    Raises:
        ArgumentError: It does not feed the model, or the time has no zone.
        LandingChangedError: It is of an older epoch.
    """
    reader.landing.check(reader.model)
    if reader.until.tzinfo is None:
        raise ArgumentError(
            "until= has no zone; give a time with one, as that of a run", problem="landing"
        )
    if state is not None and reader.landing.epoch < state.epoch:
        told = (
            "the landing declares an older epoch than the state has",
            "give the landing of the newest folder",
        )
        found = [f"epoch {reader.landing.epoch}"]
        raise LandingChangedError.of("declared", "the landing", found, told)


def read_listed(
    reader: BatchReader,
    folder: LandedFolder,
    state: Optional[LandingState],
    /,
    *,
    on_gap: OnGap = "refuse",
) -> LandingRead:
    """Read what is new of a folder that was listed, as ``read_landing`` does."""
    before = begin(reader.landing, reader.model, state)
    batch = reader.read(folder, before.ledger)
    _check_loaded(reader.landing, batch, before)
    _refuse_late(reader.landing, batch, before)
    return _fold(reader, (folder, batch, before), _GAPS if on_gap == "report" else ())


def begin(landing: Landing, model: Model, state: Optional[LandingState]) -> LandingState:
    """Give what is known before, under the names that are declared now."""
    known = {} if state is None or state.epoch < landing.epoch else state.sources
    sources = {}
    for name, table in landing.tables.items():
        columns = state_columns(table, name, model)
        held = known.get(name, SourceState.empty(columns, _key(table), table.fold))
        sources[name] = held.as_declared(columns, _key(table), table.fold)
    if state is None or state.epoch < landing.epoch:
        return LandingState(landing.epoch, sources)
    return replace(state, sources=sources)


def _key(table: LandedTable) -> tuple[str, ...]:
    return tuple(map(table.column_of, table.key))


def _check_loaded(landing: Landing, batch: Batch, before: LandingState) -> None:
    """Hold the rows of a full load against those that DMS tells: no file says that it is over."""
    loaded = landing.loaded
    for source in landing.tables:
        found = batch.loads.get(source, 0)
        known = sum(1 for _ in before.ledger.of(source, "load"))
        if known or (not found and not isinstance(loaded, Mapping)):
            continue
        if loaded == "declared" or (isinstance(loaded, Mapping) and loaded[source] == found):
            continue
        wanted = "nobody says how many" if loaded is None else f"{loaded[source]:,} were loaded"
        told = (
            f"files of a full load that may not be whole ({found:,} rows, and {wanted})",
            "wait for its end, then give loaded= the rows that DMS reports (FullLoadRows)",
        )
        files = [each.path for each in batch.taken if (each.source, each.kind) == (source, "load")]
        raise LandingChangedError.of("unfinished", source, files, told)


def _refuse_late(landing: Landing, batch: Batch, before: LandingState) -> None:
    """Refuse a file that is late beyond the window, if it has keys that nobody knows."""
    floors = before.ledger.floors()
    for entry in batch.taken:
        floor = floors.get((entry.source, entry.kind), "")
        if entry.kind == "load" or entry.order >= floor or before.watermark is None:
            continue
        late = []
        for source, changes in batch.changes.items():
            if entry.path in changes.names and _is_old(changes, entry.path, landing, before):
                late += [source] if _has_unknown_keys(changes, entry.path, before, source) else []
        if late:
            told = (
                "files came later than the landing's late_window, with keys that are not known",
                "load the table anew into the next epoch; or give a longer window, if all is there",
            )
            raise LandingChangedError.of("late", late[0], [entry.path], told)


def _rows_of(changes: SourceChanges, path: str) -> Any:
    held = [place for place, name in enumerate(changes.names) if name == path]
    return np.flatnonzero(np.isin(changes.files, held))


def _is_old(changes: SourceChanges, path: str, landing: Landing, before: LandingState) -> bool:
    if changes.moments is None or before.watermark is None:
        return False
    moments = changes.moments.iloc[_rows_of(changes, path)]
    held = moments[are_present(moments)]
    if not len(held):
        return False
    oldest = dt.datetime.fromisoformat(held.min())
    return dt.datetime.fromisoformat(before.watermark) - oldest > landing.late_window


def _has_unknown_keys(changes: SourceChanges, path: str, before: LandingState, source: str) -> bool:
    state = before.sources[source]
    part = changes.take(_rows_of(changes, path))
    keys = fold_keys([part.cells[name] for name in state.key], state.fold)
    return bool((find_rows(keys, state.key_columns()) < 0).any())


def _fold(
    reader: BatchReader,
    told: tuple[LandedFolder, Batch, LandingState],
    pass_over: tuple[str, ...],
) -> LandingRead:
    folder, batch, before = told
    sources, findings, at = dict(before.sources), {}, {}
    moments = [before.watermark] if before.watermark else []
    for source, changes in batch.changes.items():
        folded = fold(sources[source], changes, by_time=reader.landing.order == "time")
        raise_findings(source, folded.findings, pass_over=pass_over)
        sources[source] = folded.state
        findings[source] = folded.findings
        at[source] = folded.at
        if changes.moments is not None:
            held = changes.moments[are_present(changes.moments)]
            moments += [held.max()] if len(held) else []
    ledger = before.ledger.with_entries(batch.taken)
    after = LandingState(before.epoch, sources, ledger, max(moments, default=None))
    return LandingRead(
        after,
        reader.model,
        before,
        batch.taken,
        batch.pending,
        {source: found for source, found in findings.items() if found},
        {source: len(places) for source, places in at.items()},
        folder.unknown,
        batch.others,
        folder.heard,
        at,
        batch.suppressed,
    )
