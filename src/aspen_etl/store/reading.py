"""Reading a store: the newest commit or an older one, whole and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Optional, TypeVar

import pandas as pd

from aspen_etl.changes import Changes, diff
from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.handing import handed
from aspen_etl.columns.text import TEXT
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import (
    AspenETLError,
    ConflictError,
    CorruptStoreError,
    SourceNotFoundError,
    VersionNotFoundError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.calling import retry
from aspen_etl.schema.column_spec import TIMESTAMP, ColumnSpec
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.rejects import columns_as_named, rename
from aspen_etl.schema.snapshot import REJECTS, KeyState, Snapshot, Tables
from aspen_etl.store.commit import Commit
from aspen_etl.store.frames import empty, read_frame
from aspen_etl.store.place import Place
from aspen_etl.store.stored import Stored
from aspen_etl.transform.keys import PartedKeys, TableKeys, key_columns

__all__ = [
    "find",
    "find_older",
    "history",
    "load_old",
    "read",
    "read_changes",
    "read_keys",
    "read_rejects",
    "read_retired",
    "read_stored",
    "read_table",
    "table_names",
    "whole",
    "with_commit",
]

T = TypeVar("T")

#: How often reading begins anew when files go in the meantime.
_TRIES = 20


def find(place: Place, version: Optional[int] = None, /) -> Commit:
    """Read a commit that can be read: the newest, or a version.

    Raises:
        VersionNotFoundError: There is none, or its files are no longer kept.
    """
    return _find(place, version)[0]


def _find(place: Place, version: Optional[int]) -> tuple[Commit, Commit]:
    newest = place.log.newest()
    if newest is None:
        raise VersionNotFoundError.empty(place.url)
    if version is None or version == newest.version:
        return newest, newest
    return find_older(place, version, newest), newest


def find_older(place: Place, version: int, newest: Commit, /) -> Commit:
    """Read an older commit, given the newest.

    Raises:
        VersionNotFoundError: There is none, or its files are no longer kept.
        CorruptStoreError: It is damaged, or missing.
    """
    if not newest.oldest_readable <= version <= newest.version:
        raise VersionNotFoundError.of(place.url, version, newest.oldest_readable, newest.version)
    return place.log.read(version)


def history(place: Place, limit: Optional[int] = None, /) -> tuple[Commit, ...]:
    """Read the commits that can be read, the newest first, at most ``limit`` of them."""
    newest = place.log.newest()
    if newest is None or limit == 0:
        return ()
    last = newest.oldest_readable
    if limit is not None:
        last = max(last, newest.version - limit + 1)
    return (newest, *(place.log.read(v) for v in range(newest.version - 1, last - 1, -1)))


# ----------------------------------------------------------------------------- whole versions


def read(place: Place, version: Optional[int] = None, /) -> Snapshot:
    """Read the snapshot of one commit, whole, every checksum verified.

    Args:
        place: The store.
        version: Which one; by default the newest.

    Returns:
        The tables of the store's model; a column or table that the commit does not have yet is
        null or empty.

    Raises:
        VersionNotFoundError: There is no such version, or it is no longer kept.
        ModelMismatchError: It holds tables of another model.
        CorruptStoreError: A file is missing or damaged.
    """
    snapshot = with_commit(place, version, partial(load_old, place))
    tables, _ = complete(snapshot.tables, place.model)
    keys = {
        table.name: snapshot.keys.get(table.name) or KeyState(1, empty(key_columns(table)))
        for table in place.model.tables.values()
        if table.has_surrogate_key
    }
    return Snapshot(Tables(tables), keys, snapshot.time)


def read_changes(place: Place, before: int, after: int, /) -> Changes:
    """Tell what changed between two versions; only tables whose files differ are read.

    Args:
        place: The store.
        before: One version.
        after: The other one, which may be older.

    Raises:
        VersionNotFoundError: One of them is not there or no longer kept, or a row was erased
            from one, so that its files no longer tell what it was.
        ModelMismatchError: One holds tables of another model.
        CorruptStoreError: A file is missing or damaged.
    """
    newer = max(before, after)
    return with_commit(place, newer, lambda _, newest: _diff(place, before, after, newest))


def _diff(place: Place, before: int, after: int, newest: Commit) -> Changes:
    old, new = (find(place, version) for version in (before, after))
    sides: tuple[dict[str, pd.DataFrame], ...] = ({}, {})
    for name, table in place.model.tables.items():
        held = [commit.tables.get(name) for commit in (old, new)]
        if held[0] == held[1]:
            continue
        for commit, stored, side in zip((old, new), held, sides):
            place.check_model(commit)
            if stored is None:
                continue
            if stored.moved(newest.rewrites) != stored:
                oldest = newest.oldest_readable
                raise VersionNotFoundError.of(place.url, commit.version, oldest, newest.version)
            side[name] = read_stored(place, stored, table.columns)
    return diff(*(complete(side, place.model)[0] for side in sides), model=place.model)


def read_rejects(place: Place, version: Optional[int] = None, /) -> pd.DataFrame:
    """Read the rejects of one commit, by default the newest.

    Raises:
        VersionNotFoundError: There is no such version, or it is no longer kept.
        NotSupportedError: They are elsewhere, and no ``rejects_url`` was given.
        CorruptStoreError: A file is missing or damaged.
    """
    return with_commit(place, version, partial(_load_rejects, place))


def _load_rejects(place: Place, commit: Commit, newest: Commit) -> pd.DataFrame:
    if commit.rejects is None:
        return handed(empty(REJECTS))
    stored = commit.rejects.moved(newest.rewrites)
    return handed(rename(read_stored(place, stored, columns_as_named(stored.columns))))


def with_commit(place: Place, version: Optional[int], read: Callable[[Commit, Commit], T], /) -> T:
    """Read a commit, given the newest, and begin anew where that let files go meanwhile.

    Args:
        place: The store.
        version: Which one; by default the newest.
        read: Reads the commit; it may be called again.

    Raises:
        VersionNotFoundError: There is no such version, or it is no longer kept.
        ConflictError: Files went again and again.
    """

    def step() -> T:
        commit, newest = _find(place, version)
        return whole(place, newest, lambda: read(commit, newest))

    return retry(step, tries=_TRIES, again=lambda error: isinstance(error, ConflictError))


def whole(place: Place, newest: Commit, read: Callable[[], T], /) -> T:
    """Read, and tell of a file that is gone whether another commit let it go, or it is damage.

    Raises:
        ConflictError: Another commit did.
        CorruptStoreError: No commit did.
    """
    return instead(
        read,
        SourceNotFoundError,
        lambda error: lost(place, str(error.details.get("url", "")), newest),
    )


# ----------------------------------------------------------------------------- as it was stored


def load_old(place: Place, commit: Commit, newest: Commit, /) -> Snapshot:
    """Read the snapshot of any commit as it was stored, given the newest commit.

    Raises:
        SourceNotFoundError: A file is not there.
        ModelMismatchError: It holds tables of another model.
        CorruptStoreError: A file is damaged.
    """
    place.check_model(commit)
    names = table_names(place, commit)
    most = max((stored.rows for stored in commit.tables.values()), default=0)
    read = partial(read_table, place, commit, newest)
    frames = _share_constants(dict(zip(names, map_threads(read, names, rows=most))))
    keys = {name: read_keys(place, commit, newest, name, frames.get(name)) for name in commit.keys}
    return Snapshot(Tables(frames), keys, commit.time)


def table_names(place: Place, commit: Commit, /) -> tuple[str, ...]:
    """Name the tables of a commit that the store's model has, in its order."""
    return tuple(name for name in place.model.tables if name in commit.tables)


def read_table(place: Place, commit: Commit, newest: Commit, /, name: str) -> pd.DataFrame:
    """Read a table of a commit, given the newest commit; a missing file is SourceNotFoundError."""
    stored = commit.tables[name].moved(newest.rewrites)
    return read_stored(place, stored, place.model.tables[name].columns)


def read_keys(
    place: Place, commit: Commit, newest: Commit, name: str, frame: Optional[pd.DataFrame]
) -> TableKeys:
    """Read the keys that a table gave: those of its rows stand in it, and are not stored twice."""
    table, retired = place.model.tables[name], read_retired(place, commit, newest, name)
    in_use = retired.iloc[:0] if frame is None else frame[list(key_columns(table))]
    return TableKeys(table, commit.keys[name].next, PartedKeys(in_use, retired))


def read_retired(place: Place, commit: Commit, newest: Commit, name: str) -> pd.DataFrame:
    """Read the keys that a table gave to rows that are gone."""
    stored = commit.keys[name].retired.moved(newest.rewrites)
    return read_stored(place, stored, key_columns(place.model.tables[name]))


def lost(place: Place, url: str, newest: Commit, /) -> AspenETLError:
    """Give the error of a file that is gone: another commit let it go, or it is damage."""
    if place.log.newest_version() != newest.version:
        return ConflictError.commit(place.url, newest.version + 1)
    return CorruptStoreError.at(url, "the file is gone")


def read_stored(place: Place, stored: Stored, columns: Mapping[str, ColumnSpec], /) -> pd.DataFrame:
    """Read one frame of a commit."""
    return read_frame(place.root_of(stored), stored, columns)


def _share_constants(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Let columns that hold one value throughout share its memory, as who made a row does."""
    shared: dict[tuple[str, Any], pd.Series] = {}
    out = {}
    for name in sorted(frames, key=lambda name: -len(frames[name])):
        columns = {str(column): values for column, values in frames[name].items()}
        for column, values in columns.items():
            if len(values) and values.dtype in {TEXT, TIMESTAMP} and COLUMNS.is_constant(values):
                value = None if pd.isna(values.iloc[0]) else values.iloc[0]
                if isinstance(value, Decimal):  # where Python holds them, in a scale of their own
                    continue
                longest = shared.setdefault((str(values.dtype), value), values)
                columns[column] = longest.iloc[: len(values)]
        out[name] = make_frame(columns)
    return {name: out[name] for name in frames}
