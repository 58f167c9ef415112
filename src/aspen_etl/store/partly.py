"""The newest commit as what was there before a run that looks at a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Optional

from aspen_etl.store.commit import Commit
from aspen_etl.store.held_tables import HeldTable
from aspen_etl.store.opening import open_table
from aspen_etl.store.place import Place
from aspen_etl.store.previous import OfNewest
from aspen_etl.store.reading import read_retired, whole
from aspen_etl.transform.keys import Retired

__all__ = ["StoredTables"]


class StoredTables(OfNewest, Mapping[str, HeldTable]):
    """Give what the newest commit holds in part: a ``Partly``, and its tables by name.

    A table is opened when it is first asked for, and stays open.

    Args:
        place: The store.
        commit: Its newest commit.

    Raises:
        ModelMismatchError: It holds tables of another model.
        ConflictError: When a table is opened: another commit let its files go.
        CorruptStoreError: When a table is opened or read: a file is missing or damaged.
    """

    def __init__(self, place: Place, commit: Commit, /) -> None:
        super().__init__(place, commit)
        self._open: dict[str, HeldTable] = {}

    def __getitem__(self, name: str) -> HeldTable:
        if name not in self._open:
            place, commit = self._place, self._commit
            step = partial(open_table, place, commit, commit, name=name)
            self._open[name] = whole(place, commit, step)
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, name: str, /) -> HeldTable:
        """Give a table."""
        return self[name]

    def retired(self, name: str, /) -> Optional[Retired]:
        """Read the keys of rows that are gone."""
        place, commit = self._place, self._commit
        if name not in commit.keys:
            return None
        keys = whole(place, commit, lambda: read_retired(place, commit, commit, name))
        return Retired(commit.keys[name].next, keys)
