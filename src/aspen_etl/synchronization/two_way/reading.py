"""Read a side: its rows as sheets, what is not known of them, and what it says of itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional, cast

import pandas as pd

from aspen_etl.columns.frames import held_frames
from aspen_etl.errors import AspenETLError, SideStateError, StaleReadingError
from aspen_etl.errors.base import instead
from aspen_etl.io.reading import Reading
from aspen_etl.normalization import RejectCount, SourceSummary
from aspen_etl.schema.landing import Landing, OnGap
from aspen_etl.schema.previous import Held
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.values import Extract, Run
from aspen_etl.store.commit import Commit, SourceRecord
from aspen_etl.store.contents import Landed
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.suppressing import suppression_of
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.sides import AnySide
from aspen_etl.synchronization.source import Given, RunSource
from aspen_etl.synchronization.two_way.landed_word import read_word
from aspen_etl.synchronization.two_way.standing import SideName, Standing, Word, stand
from aspen_etl.transform.accepting import settle
from aspen_etl.transform.expressing import express
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.side_rows import SideRows, read_side, read_tables_side
from aspen_etl.transform.suppressing import leave_out

__all__ = ["SideRead", "SideReader", "whole_conflicts"]

#: What a landing that lags behind a push looks like.
_LATE = ("behind", "lost")


@dataclass(frozen=True, eq=False)
class SideRead:
    """Hold what was read of a side.

    Attributes:
        rows: Its rows as sheets, and what of them is not known.
        also: Of whom its tables hold what no sheet can.
        tables: Its tables, where it is the new one.
        rejects: What of it stays out; none where it is the new one, which has none of its own.
        sources: What became of each sheet, where it is the old one.
        counts: The rejects by rule.
        source: What it was read of.
        landing: What is known of the landing folder, where it was read of one.
    """

    rows: SideRows
    also: pd.DataFrame = field(repr=False)
    tables: Optional[Tables] = field(default=None, repr=False)
    rejects: Optional[pd.DataFrame] = field(default=None, repr=False)
    sources: Optional[Mapping[str, SourceSummary]] = None
    counts: tuple[RejectCount, ...] = ()
    source: Optional[SourceRecord] = None
    landing: Optional[Landed] = field(default=None, repr=False)


@dataclass(frozen=True)
class SideReader:
    """Know a side, and read it.

    Attributes:
        given: The side, as a caller gives it.
        how: Whose the rows are.
        run: When this is.
        reading: How files are read.
        on_gap: What a change of a landing folder does that does not follow from the one before.
        secret: Under what the subjects are known that are left out.
    """

    given: AnySide
    how: Partitioning
    run: Run
    reading: Reading = field(repr=False)
    on_gap: OnGap = "refuse"
    secret: Optional[bytes] = field(default=None, repr=False)

    @property
    def name(self) -> SideName:
        """Which side it is: that with the tables of the model is the new one."""
        return "new" if hasattr(self.given, "write") and not hasattr(self.given, "names") else "old"

    @property
    def has_word(self) -> bool:
        """Whether it can say what was written to it: a database can, and a landing of its row."""
        if isinstance(self.given, Landing):
            return self.given.side is not None
        return callable(getattr(self.given, "state", None))

    def word(self) -> Optional[Word]:
        """Ask a side what was written to it last; nothing of what has no say."""
        given: Any = self.given
        if isinstance(given, Landing):
            options = self.reading.storage_options
            return read_word(given, self.run.time, self.reading.limits, options)
        return cast("Optional[Word]", given.state()) if self.has_word else None

    def stand(self, store: SnapshotStore, /) -> Standing:
        """Find where it stands, by its own word.

        Raises:
            StaleReadingError: What landed is older than what was pushed.
            AspenETLError: What ``stand`` raises.
        """

        def stale(error: SideStateError) -> AspenETLError:
            if not isinstance(self.given, Landing) or error.details["problem"] not in _LATE:
                return error
            version, known = error.details["version"], error.details["known"]
            why = f"version {known} was pushed, and {version or 'none'} has landed"
            return StaleReadingError.of(self.name, why, version=known)

        return instead(
            lambda: stand(store, self.name, self.how, self.word(), has_word=self.has_word),
            SideStateError,
            stale,
        )

    def sheets_of(self, tables: Mapping[str, pd.DataFrame], /) -> Mapping[str, pd.DataFrame]:
        """Give tables as sheets."""
        return express(tables, self.how)[0]

    def read(self, at: Standing, store: SnapshotStore, /) -> SideRead:
        """Read it.

        Raises:
            SideStateError: It is the new side, and holds no version of the store.
            StaleReadingError: It is older than what was pushed.
            AspenETLError: What reading raises.
        """
        return self._read_new(at, store) if self.name == "new" else self._read_old(at, store)

    def _read_new(self, at: Standing, store: SnapshotStore) -> SideRead:
        if not at.version:
            raise SideStateError.of("unloaded", store.url, "new", 0, 0)
        given: Any = self.given
        tables: Tables = given.read()
        rows = read_tables_side(tables, self.how)
        suppression = suppression_of(store.place, at.newest, self.secret)
        if suppression is not None:
            left, _ = leave_out(Extract.from_frames(rows.rows), self.how.model, suppression)
            rows = replace(rows, rows=dict(held_frames(left)))
        also = rows.broken
        return SideRead(rows, also, tables, source=at.newest.source)

    def _read_old(self, at: Standing, store: SnapshotStore) -> SideRead:
        settings = Settings(reading=self.reading, on_gap=self.on_gap, secret=self.secret)
        source: Any = self.given
        if self.has_word and not isinstance(source, Landing):
            source = source.read
        given = Given.of(cast("RunSource", source), settings, store, at.newest, self.run)
        files = given.look(self.how.model)
        if at.token is not None and not self.has_word:
            _refuse_stale(files, _pushed(store, at))
        extract, files = given.steady(lambda: given.read(self.how.model), self.how.model, files)
        extract, _ = given.leave_out(extract, self.how.model)
        settled = settle(extract, self.how.model, Held(), "delete")
        counted = settled.counts
        rows = {name: sheet.rows for name, sheet in counted.sources.items()}
        rows_found = read_side(extract, self.how)
        return SideRead(
            rows_found,
            rows_found.broken,
            rejects=settled.rejects,
            sources=counted.sources,
            counts=counted.rejects,
            source=SourceRecord(files, rows, None),
            landing=None if given.intake is None else given.intake.landed(self.run),
        )


def _pushed(store: SnapshotStore, at: Standing) -> Commit:
    return store.place.log.read(at.version)


def _refuse_stale(files: Any, pushed: Commit) -> None:
    """Refuse files that may be older than what was pushed."""
    if not files:
        why = "nothing tells when it was read"
        raise StaleReadingError.of("old", why, version=pushed.version)
    for file in files:
        when = None if file.modified is None else dt.datetime.fromisoformat(file.modified)
        if when is None or when < pushed.time:
            why = f"{file.url} is of before version {pushed.version} was pushed"
            raise StaleReadingError.of("old", why, version=pushed.version)


def whole_conflicts(subjects: pd.Series, kind: str, how: Partitioning) -> pd.DataFrame:
    """Give conflicts of whole subjects, each once."""
    ids = subjects.astype(object).dropna().drop_duplicates().reset_index(drop=True)
    return pd.DataFrame({"kind": kind, "sheet": how.root, "subject": ids}, dtype=object)
