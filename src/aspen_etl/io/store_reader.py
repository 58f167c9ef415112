"""Reading a store: the newest commit or an older one, whole and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional, TypeVar

import numpy as np
import pandas as pd

from aspen_etl.changes import Changes, diff
from aspen_etl.errors import (
    CommitConflictError,
    CorruptStoreError,
    ModelMismatchError,
    NotSupportedError,
    SourceNotFoundError,
    VersionNotFoundError,
)
from aspen_etl.io.commit import Commit, Stored
from aspen_etl.io.commit_log import CommitLog
from aspen_etl.io.filesystem import Location
from aspen_etl.io.stored_frames import empty, read_frame
from aspen_etl.schema.evolution import complete, find_conflicts
from aspen_etl.schema.frames import KeyState, Snapshot, Tables, make_frame
from aspen_etl.schema.model import Model
from aspen_etl.schema.rejects import REJECTS
from aspen_etl.schema.spec import TIMESTAMP, ColumnSpec, TableSpec
from aspen_etl.schema.text import TEXT
from aspen_etl.threads import map_threads
from aspen_etl.transform.kernels import concat, is_constant
from aspen_etl.transform.numbering import conform_keys
from aspen_etl.transform.ordering import argsort_numbers
from aspen_etl.transform.positions import select

__all__ = ["StoreReader", "key_columns"]

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
        if not newest.oldest_readable <= version <= newest.version:
            raise VersionNotFoundError.of(self.url, version, newest.oldest_readable, newest.version)
        return self.log.read(version), newest

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
        raise CommitConflictError.at(self.url, newest.version + 1)

    def load(self, commit: Commit) -> Snapshot:
        """Read the snapshot of the newest commit as it was stored, for the run that follows it.

        Raises:
            CommitConflictError: Another commit let its files go.
            ModelMismatchError: It holds tables of another model.
            CorruptStoreError: A file is missing or damaged.
        """
        try:
            return self.load_old(commit, commit)
        except SourceNotFoundError as error:
            lost = str(error.details.get("url", ""))
        if self.log.newest_version() != commit.version:
            raise CommitConflictError.at(self.url, commit.version + 1)
        raise CorruptStoreError.at(lost, "the file is gone")

    def load_old(self, commit: Commit, newest: Commit) -> Snapshot:
        """Read the snapshot of any commit as it was stored, given the newest commit.

        Raises:
            SourceNotFoundError: A file is not there.
            ModelMismatchError: It holds tables of another model.
            CorruptStoreError: A file is damaged.
        """
        self.check_model(commit)
        held = {name: commit.tables[name] for name in self.model.tables if name in commit.tables}
        frames = map_threads(
            lambda name: self.frame(
                held[name].moved(newest.rewrites), self.model.tables[name].columns
            ),
            held,
            rows=max((stored.rows for stored in held.values()), default=0),
        )
        tables, keys = _share_constants(dict(zip(held, frames))), {}
        for name, entry in commit.keys.items():
            table = self.model.tables[name]
            retired = self.frame(entry.retired.moved(newest.rewrites), key_columns(table))
            keys[name] = KeyState(entry.next, given_keys(table, tables.get(name), retired))
        return Snapshot(Tables(tables), keys, commit.time)

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
            raise ModelMismatchError.of(self.url, differences)


def _share_constants(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Let columns that hold one value throughout share its memory, as who made a row does."""
    shared: dict[tuple[str, Any], pd.Series] = {}
    out = {}
    for name in sorted(frames, key=lambda name: -len(frames[name])):
        columns = {str(column): values for column, values in frames[name].items()}
        for column, values in columns.items():
            if len(values) and values.dtype in {TEXT, TIMESTAMP} and is_constant(values):
                value = None if pd.isna(values.iloc[0]) else values.iloc[0]
                longest = shared.setdefault((str(values.dtype), value), values)
                columns[column] = longest.iloc[: len(values)]
        out[name] = make_frame(columns)
    return {name: out[name] for name in frames}


def key_columns(table: TableSpec) -> dict[str, ColumnSpec]:
    """Give the columns of a table's key state."""
    return {name: table.columns[name] for name in (table.primary_key, *table.natural_key)}


def given_keys(
    table: TableSpec, frame: Optional[pd.DataFrame], retired: pd.DataFrame
) -> pd.DataFrame:
    """Join the keys in use and the retired ones to all keys given, in their order."""
    names = list(key_columns(table))
    if frame is None or not len(frame):
        return conform_keys(retired, table)
    if not len(retired):
        return frame[names]
    both = conform_keys(frame, table), conform_keys(retired, table)
    joined = {name: concat([part[name] for part in both]) for name in names}
    order = argsort_numbers(joined[table.primary_key].to_numpy(dtype=np.int64))
    return make_frame({name: select(column, order) for name, column in joined.items()})
