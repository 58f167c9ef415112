"""Reading a store: the newest commit or an older one, whole and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Optional, TypeVar

import pandas as pd

from aspen_etl.changes import Changes, diff
from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import TEXT
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import (
    AspenETLError,
    ConflictError,
    CorruptStoreError,
    ModelMismatchError,
    NotSupportedError,
    SourceNotFoundError,
    VersionNotFoundError,
)
from aspen_etl.io.deferred import Deferred
from aspen_etl.io.filesystem import Location
from aspen_etl.schema.evolution import complete, find_conflicts
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import REJECTS, KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TIMESTAMP, ColumnSpec
from aspen_etl.store.commit import Commit, Stored
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.frames import empty, read_frame
from aspen_etl.transform.keys import PartedKeys, TableKeys, key_columns

__all__ = ["StoreReader"]

T = TypeVar("T")

#: How often reading begins anew when files go in the meantime.
_TRIES = 20


class StoreReader:
    """Read the commits of a store.

    Args:
        log: The commits.
        rejects_root: The place of the rejects, if it is another one.
        model: The model of the tables.
    """

    def __init__(self, log: CommitLog, rejects_root: Optional[Location], model: Model) -> None:
        self.log, self.root = log, log.root
        self.rejects_root, self.model = rejects_root, model

    @property
    def url(self) -> str:
        """The store's url, without anything secret."""
        return self.root.url

    def newest(self) -> Optional[Commit]:
        """Read the newest commit, or none where nothing was committed yet."""
        return self.log.newest()

    def find(self, version: Optional[int] = None) -> Commit:
        """Read a commit that can be read: the newest, or a version.

        Raises:
            VersionNotFoundError: There is none, or its files are no longer kept.
        """
        return self._find(version)[0]

    def _find(self, version: Optional[int]) -> tuple[Commit, Commit]:
        newest = self.newest()
        if newest is None:
            raise VersionNotFoundError.empty(self.url)
        if version in (None, newest.version):
            return newest, newest
        assert version is not None  # noqa: S101 - for mypy
        return self.find_older(version, newest), newest

    def find_older(self, version: int, newest: Commit) -> Commit:
        """Read an older commit, given the newest.

        Raises:
            VersionNotFoundError: There is none, or its files are no longer kept.
            CorruptStoreError: It is damaged, or missing.
        """
        if not newest.oldest_readable <= version <= newest.version:
            raise VersionNotFoundError.of(self.url, version, newest.oldest_readable, newest.version)
        return self.log.read(version)

    def history(self, limit: Optional[int] = None) -> tuple[Commit, ...]:
        """Read the commits that can be read, the newest first, at most ``limit`` of them."""
        newest = self.newest()
        if newest is None or limit == 0:
            return ()
        last = newest.oldest_readable
        if limit is not None:
            last = max(last, newest.version - limit + 1)
        return (newest, *(self.log.read(v) for v in range(newest.version - 1, last - 1, -1)))

    def read(self, version: Optional[int] = None) -> Snapshot:
        """Read the snapshot of one commit, whole, every checksum verified.

        Args:
            version: Which one; by default the newest.

        Returns:
            The tables of the store's model; a column or table that the commit does not have yet
            is null or empty.

        Raises:
            VersionNotFoundError: There is no such version, or it is no longer kept.
            ModelMismatchError: It holds tables of another model.
            CorruptStoreError: A file is missing or damaged.
        """
        snapshot = self._reading(version, self.load_old)
        tables, _ = complete(snapshot.tables, self.model)
        keys = {
            table.name: snapshot.keys.get(table.name) or KeyState(1, empty(key_columns(table)))
            for table in self.model.tables.values()
            if table.has_surrogate_key
        }
        return Snapshot(Tables(tables), keys, snapshot.time)

    def diff(self, before: int, after: int, /) -> Changes:
        """Tell what changed between two versions; only tables whose files differ are read.

        Args:
            before: One version.
            after: The other one, which may be older.

        Raises:
            VersionNotFoundError: One of them is not there or no longer kept, or a borrower was
                erased from one, so that its files no longer tell what it was.
            ModelMismatchError: One holds tables of another model.
            CorruptStoreError: A file is missing or damaged.
        """
        return self._reading(
            max(before, after), lambda _, newest: self._diff(before, after, newest)
        )

    def _diff(self, before: int, after: int, newest: Commit) -> Changes:
        old, new = (self._find(version)[0] for version in (before, after))
        sides: tuple[dict[str, pd.DataFrame], ...] = ({}, {})
        for name, table in self.model.tables.items():
            held = [commit.tables.get(name) for commit in (old, new)]
            if held[0] == held[1]:
                continue
            for commit, stored, side in zip((old, new), held, sides):
                self.check_model(commit)
                if stored is None:
                    continue
                if stored.moved(newest.rewrites) != stored:
                    oldest = newest.oldest_readable
                    raise VersionNotFoundError.of(self.url, commit.version, oldest, newest.version)
                side[name] = self.frame(stored, table.columns)
        return diff(*(complete(side, self.model)[0] for side in sides), model=self.model)

    def read_rejects(self, version: Optional[int] = None) -> pd.DataFrame:
        """Read the rejects of one commit, by default the newest.

        Raises:
            VersionNotFoundError: There is no such version, or it is no longer kept.
            NotSupportedError: They are elsewhere, and no ``rejects_url`` was given.
            CorruptStoreError: A file is missing or damaged.
        """
        return self._reading(version, self._load_rejects)

    def _load_rejects(self, commit: Commit, newest: Commit) -> pd.DataFrame:
        if commit.rejects is None:
            return empty(REJECTS)
        return self.frame(commit.rejects.moved(newest.rewrites), REJECTS)

    def _reading(self, version: Optional[int], read: Callable[[Commit, Commit], T]) -> T:
        """Read, and begin anew where a newer commit let files go in the meantime."""
        for _ in range(_TRIES):
            commit, newest = self._find(version)
            try:
                return read(commit, newest)
            except SourceNotFoundError as error:
                lost = str(error.details.get("url", ""))
            if self.log.newest_version() == newest.version:
                raise CorruptStoreError.at(lost, "the file is gone")
        raise ConflictError.commit(self.url, newest.version + 1)

    def load(self, commit: Commit) -> Snapshot:
        """Give the snapshot of the newest commit as it was stored, for the run that follows it.

        A table is read when it is asked for, and again if nobody held it since; so are its keys.

        Raises:
            ModelMismatchError: It holds tables of another model.
            ConflictError: When a table is read: another commit let its files go.
            CorruptStoreError: When a table is read: a file is missing or damaged.
        """
        return self._deferred(commit, commit, partial(self._frame_of_newest, commit))

    def load_old(self, commit: Commit, newest: Commit) -> Snapshot:
        """Read the snapshot of any commit as it was stored, given the newest commit.

        Raises:
            SourceNotFoundError: A file is not there.
            ModelMismatchError: It holds tables of another model.
            CorruptStoreError: A file is damaged.
        """
        found = self._deferred(commit, newest, self.frame)
        most = max((stored.rows for stored in commit.tables.values()), default=0)
        frames = dict(
            zip(found.tables, map_threads(found.tables.__getitem__, found.tables, rows=most))
        )
        tables = _share_constants(frames)
        return Snapshot(Tables(tables), dict(found.keys), commit.time)

    def _deferred(
        self,
        commit: Commit,
        newest: Commit,
        read: Callable[[Stored, Mapping[str, ColumnSpec]], pd.DataFrame],
    ) -> Snapshot:
        self.check_model(commit)
        model = self.model

        def table(name: str) -> pd.DataFrame:
            return read(commit.tables[name].moved(newest.rewrites), model.tables[name].columns)

        def keys(name: str) -> KeyState:
            columns, entry = key_columns(model.tables[name]), commit.keys[name]
            retired = read(entry.retired.moved(newest.rewrites), columns)
            in_use = tables[name][list(columns)] if name in tables else retired.iloc[:0]
            return TableKeys(model.tables[name], entry.next, PartedKeys(in_use, retired))

        tables = Deferred(tuple(name for name in model.tables if name in commit.tables), table)
        states = Deferred(tuple(commit.keys), keys)
        return Snapshot(Tables.deferred(tables), states, commit.time)

    def _frame_of_newest(
        self, commit: Commit, stored: Stored, columns: Mapping[str, ColumnSpec]
    ) -> pd.DataFrame:
        try:
            return self.frame(stored, columns)
        except SourceNotFoundError as error:
            lost = str(error.details.get("url", ""))
        raise self.lost(lost, commit)

    def lost(self, url: str, newest: Commit) -> AspenETLError:
        """Give the error of a file that is gone: another commit let it go, or it is damage."""
        if self.log.newest_version() != newest.version:
            return ConflictError.commit(self.url, newest.version + 1)
        return CorruptStoreError.at(url, "the file is gone")

    def frame(self, stored: Stored, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
        """Read one frame of a commit."""
        return read_frame(self.root_of(stored), stored, columns)

    def root_of(self, stored: Stored) -> Location:
        """Give the place below which files are.

        Raises:
            NotSupportedError: They are rejects elsewhere, and no ``rejects_url`` was given.
        """
        if not stored.elsewhere:
            return self.root
        if self.rejects_root is None:
            msg = f"the rejects of {self.url} are elsewhere; give rejects_url= (--rejects-url)"
            raise NotSupportedError(msg, url=self.url)
        return self.rejects_root

    def check_model(self, commit: Commit) -> None:
        """Make sure that the store's model can read and continue what a commit holds.

        Raises:
            ModelMismatchError: It cannot; the text names every difference.
        """
        differences = find_conflicts(commit.model, self.model)
        if differences:
            raise ModelMismatchError.of_store(self.url, differences)


def _share_constants(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Let columns that hold one value throughout share its memory, as who made a row does."""
    shared: dict[tuple[str, Any], pd.Series] = {}
    out = {}
    for name in sorted(frames, key=lambda name: -len(frames[name])):
        columns = {str(column): values for column, values in frames[name].items()}
        for column, values in columns.items():
            if len(values) and values.dtype in {TEXT, TIMESTAMP} and COLUMNS.is_constant(values):
                value = None if pd.isna(values.iloc[0]) else values.iloc[0]
                longest = shared.setdefault((str(values.dtype), value), values)
                columns[column] = longest.iloc[: len(values)]
        out[name] = make_frame(columns)
    return {name: out[name] for name in frames}
