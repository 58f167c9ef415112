"""Replay a landing folder from its start, and hold what comes of it against what a store has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Optional

import numpy as np

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import are_present, find_rows
from aspen_etl.errors import ConflictError, VersionNotFoundError
from aspen_etl.io.landed_rows import read_changes
from aspen_etl.io.landing import LandedFolder, list_landing
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.values import Extract, Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.landed import load_ledger, load_sources
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.suppressing import suppression_of
from aspen_etl.synchronization.landed_batch import BatchReader
from aspen_etl.synchronization.landing import begin, check_declared, read_listed
from aspen_etl.synchronization.report import TableReport
from aspen_etl.synchronization.syncing import plan
from aspen_etl.synchronization.thresholds import Thresholds
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.ledger import Ledger
from aspen_etl.transform.replay import fold
from aspen_etl.transform.source_state import SourceState

__all__ = ["LandingReplay", "StateDifference", "replay_landing"]

#: After any file was written.
_ALWAYS = dt.datetime(9999, 1, 1, tzinfo=dt.timezone.utc)

#: How many names of files are told.
_NAMED = 10

#: A replay refuses nothing: it tells.
_LENIENT = Thresholds(
    max_rejected_rows=1.0, max_rejected_cells=1.0, max_deleted_rows=1.0, allow_empty=True
)


@dataclass(frozen=True)
class StateDifference:
    """Count the keys of a source of which state and replay say different things.

    Attributes:
        stored: Keys that the store alone has, tombstones too.
        replayed: Keys that the replay alone has.
        other: Keys that have another row, stamp, or life.
    """

    stored: int = 0
    replayed: int = 0
    other: int = 0


@dataclass(frozen=True)
class LandingReplay:
    """Tell what a replay came to; it holds no cell value and no id.

    Attributes:
        version: The version that it was held against.
        files: How many files that version took.
        missing: Files that it took and that are not there any more, at most ten of them by name:
            without them no state can be rebuilt.
        missing_count: How many there are.
        changed: Files that have another content than the one that was taken, by name as well.
        keys: How many keys each source has in the store.
        sources: Where the states differ, by source; empty where they are equal.
        tables: Which rows of the store's tables would be others, by table; empty where none.
    """

    version: int
    files: int
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    changed: tuple[str, ...] = ()
    keys: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, StateDifference] = field(default_factory=dict)
    tables: Mapping[str, TableReport] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether all could be rebuilt, and is as the store has it."""
        return not (self.missing or self.changed or self.sources or self.tables)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return {**asdict(self), "equal": self.is_equal}


def replay_landing(
    landing: Landing,
    store: SnapshotStore,
    /,
    *,
    run: Run,
    missing: Literal["delete", "keep"] = "delete",
    suppress_secret: Optional[bytes] = None,
    storage_options: Optional[Mapping[str, Any]] = None,
) -> LandingReplay:
    """Rebuild from all files what a store knows of a landing folder, and compare.

    The files are those that the newest version took, so that both are of one moment. Of files that
    it took in part, rows up to its watermark count where the store has them. Nothing is written.

    Args:
        landing: The folder and its tables.
        store: The store.
        run: When this is and who does it; nothing is stamped with it.
        missing: As the runs of the store had it.
        suppress_secret: The secret under which ``purge`` suppressed subjects: whoever was
            purged and not suppressed comes back by a replay, and is told as a difference.
        storage_options: What the filesystem takes: credentials, endpoint.

    Raises:
        ArgumentError: Subjects are suppressed, and the secret is missing or another one.
        VersionNotFoundError: The store took nothing of a landing of this epoch.
        ConflictError: The store went on meanwhile.
        LandedFileError: A file holds what is no change.
        LandingOrderError: Changes have no sure order.
        SourceNotFoundError: There is no such folder.
    """
    whole = BatchReader(replace(landing, loaded="declared"), store.model, ReadLimits(), _ALWAYS)
    newest = _newest(whole, store)
    reader = replace(whole, suppression=suppression_of(store.place, newest, suppress_secret))
    ledger = load_ledger(store.place, newest)
    folder = list_landing(landing, storage_options)
    gone = sorted(ledger.entries.keys() - {file.name.path for file in folder.files})
    if gone:
        return LandingReplay(newest.version, len(ledger), tuple(gone[:_NAMED]), len(gone))
    rebuilt = _rebuild(reader, folder, ledger)
    changed = _changed(rebuilt.ledger, ledger)
    if changed:
        return LandingReplay(newest.version, len(ledger), changed=changed)
    stored = _stored(reader, store, newest)
    later = _with_pending(reader, folder, rebuilt, stored.watermark)
    sources = _compare_all(stored, rebuilt, later)
    # What was taken of a pending file is in the tables: where the states agree, theirs are held.
    extract = (rebuilt if sources else stored).to_extract(store.model)
    told = {"run": run, "missing": missing, "suppress_secret": suppress_secret}
    keys = {name: len(state) for name, state in stored.sources.items()}
    tables = _compare_tables(extract, store, newest, told)
    return LandingReplay(newest.version, len(ledger), keys=keys, sources=sources, tables=tables)


def _newest(reader: BatchReader, store: SnapshotStore) -> Commit:
    """Give the newest commit, which must know of this epoch."""
    newest = store.find()
    check_declared(reader, newest.landing)
    if newest.landing is None or newest.landing.epoch != reader.landing.epoch:
        msg = (
            f"the store {store.url} took nothing of epoch {reader.landing.epoch} of a landing; run "
            "sync first, or name the landing that it is synced with"
        )
        raise VersionNotFoundError(msg, url=store.url, version=newest.version)
    return newest


def _rebuild(reader: BatchReader, folder: LandedFolder, ledger: Ledger) -> LandingState:
    """Replay the files of a ledger and no others, in as many batches as it takes."""
    files = tuple(file for file in folder.files if file.name.path in ledger)
    part, state = replace(folder, files=files), None
    while True:
        found = read_listed(reader, part, state, on_gap="report")
        state = found.state
        if not found.taken or len(state.ledger) == len(files):
            return state


def _changed(now: Ledger, then: Ledger) -> tuple[str, ...]:
    held = then.entries
    other = [path for path, entry in now.entries.items() if entry.content != held[path].content]
    return tuple(sorted(other)[:_NAMED])


def _stored(reader: BatchReader, store: SnapshotStore, newest: Commit) -> LandingState:
    """Give what the store knows, under the names that are declared now."""
    record = newest.landing
    known = load_sources(store.place, newest)
    watermark = None if record is None else record.watermark
    state = LandingState(reader.landing.epoch, known, watermark=watermark)
    return begin(reader.landing, store.model, state)


def _with_pending(
    reader: BatchReader, folder: LandedFolder, state: LandingState, watermark: Optional[str]
) -> LandingState:
    """Fold what may have been taken of files that are not in the ledger: rows to the watermark."""
    sources = dict(state.sources)
    files = [file for file in folder.files if file.name.path not in state.ledger]
    if watermark is None or not files:
        return state
    for file, (data, _) in zip(files, reader.load(files)):
        told = (reader.landing, reader.model)
        for name, changes in read_changes(data, file.name, told, reader.limits).changes.items():
            if changes.moments is not None:
                held = np.flatnonzero(are_present(changes.moments))
                early = (changes.moments.iloc[held] <= watermark).to_numpy(dtype=bool)
                taken = reader.visible(name, changes.take(held[early]))
                sources[name] = fold(sources[name], taken).state
    return replace(state, sources=sources)


def _compare_tables(
    extract: Extract, store: SnapshotStore, newest: Commit, told: Mapping[str, Any]
) -> dict[str, TableReport]:
    """Tell which rows of the newest version's tables would be others.

    Raises:
        ConflictError: The store went on meanwhile.
    """
    report = plan(extract, store, thresholds=_LENIENT, **told)
    if report.version != newest.version:
        raise ConflictError.commit(store.url, report.version)
    return {
        name: table
        for name, table in report.tables.items()
        if table.inserted or table.updated or table.deleted
    }


def _compare_all(
    stored: LandingState, rebuilt: LandingState, later: LandingState
) -> dict[str, StateDifference]:
    """Tell where a state is as neither of two others, by source."""
    return {
        name: found
        for name, state in stored.sources.items()
        if (found := _compare(state, rebuilt.sources[name], later.sources[name]))
    }


def _compare(
    stored: SourceState, rebuilt: SourceState, later: SourceState
) -> Optional[StateDifference]:
    """Count the keys that are as neither of two states has them."""
    places = [_places(stored, other) for other in (rebuilt, later)]
    agree = _agree(stored, rebuilt, places[0]) | _agree(stored, later, places[1])
    known = (places[0] >= 0) | (places[1] >= 0)
    found = StateDifference(
        stored=int((~known).sum()),
        replayed=int((_places(rebuilt, stored) < 0).sum()),
        other=int((known & ~agree).sum()),
    )
    return None if found == StateDifference() else found


def _places(keys: SourceState, state: SourceState) -> Positions:
    """Give the place in a state of each key of another one; -1 where it is not there."""
    if not len(state) or not len(keys):
        return np.full(len(keys), -1, dtype=np.int64)
    return find_rows(keys.key_columns(), state.key_columns())


def _agree(one: SourceState, other: SourceState, places: Positions) -> Mask:
    """Tell which keys have the same register in another state."""
    out = np.zeros(len(one), dtype=bool)
    at = np.flatnonzero(places >= 0)
    here, there = one.take(at), other.take(places[at])
    same = ~COLUMNS.differ(here.stamps, there.stamps) & (here.alive == there.alive)
    for name in map(str, one.cells):
        same &= ~COLUMNS.differ(here.cells[name], there.cells[name])
    out[at] = same
    return out
