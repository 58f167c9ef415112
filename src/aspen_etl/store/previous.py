"""The newest commit as what was there before a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Optional, TypeVar

import pandas as pd

from aspen_etl.columns.threads import map_ahead
from aspen_etl.schema.previous import Before
from aspen_etl.schema.snapshot import KeyState
from aspen_etl.store.commit import Commit
from aspen_etl.store.place import Place
from aspen_etl.store.reading import read_keys, read_table, table_names, whole

__all__ = ["OfNewest", "StoredPrevious"]

T = TypeVar("T")


class OfNewest:
    """What is known of the newest commit before a table is read.

    Args:
        place: The store.
        commit: Its newest commit.

    Raises:
        ModelMismatchError: It holds tables of another model.
    """

    def __init__(self, place: Place, commit: Commit, /) -> None:
        place.check_model(commit)
        self._place, self._commit = place, commit

    @property
    def time(self) -> Optional[dt.datetime]:
        """When the commit was made."""
        return self._commit.time

    @property
    def names(self) -> tuple[str, ...]:
        """The tables of the commit."""
        return table_names(self._place, self._commit)


class StoredPrevious(OfNewest):
    """Give what the newest commit holds, for the run that follows it: a ``Previous``.

    A table is read when it is asked for, and kept until it is walked past.

    Args:
        place: The store.
        commit: Its newest commit.

    Raises:
        ModelMismatchError: It holds tables of another model.
        ConflictError: When a table is read: another commit let its files go.
        CorruptStoreError: When a table is read: a file is missing or damaged.
    """

    def __init__(self, place: Place, commit: Commit, /) -> None:
        super().__init__(place, commit)
        self._kept: dict[str, pd.DataFrame] = {}

    def table(self, name: str, /) -> pd.DataFrame:
        """Read a table, if it is not kept."""
        if name not in self._kept:
            self._kept[name] = self._whole(partial(read_table, name=name))
        return self._kept[name]

    def keys(self, name: str, /) -> Optional[KeyState]:
        """Read the keys that a table gave, and the table with them."""
        if name not in self._commit.keys:
            return None
        frame = self.table(name) if name in self.names else None
        return self._whole(partial(read_keys, name=name, frame=frame))

    def walk(self, names: Iterable[str], /) -> Iterator[tuple[str, Before]]:
        """Go through tables in an order; one ahead is read, and those behind are let go of."""
        order = tuple(names)
        most = max((stored.rows for stored in self._commit.tables.values()), default=0)
        read = map_ahead(self._before, order, rows=most, ahead=2, workers=1)
        return ((name, self._let_go(name, before)) for name, before in zip(order, read))

    def _before(self, name: str) -> Before:
        return Before(self.table(name) if name in self.names else None, self.keys(name))

    def _let_go(self, name: str, before: Before) -> Before:
        self._kept.pop(name, None)
        return before

    def _whole(self, read: Callable[[Place, Commit, Commit], T]) -> T:
        """Read, and say what it means if a file is gone."""
        place, commit = self._place, self._commit
        return whole(place, commit, lambda: read(place, commit, commit))
