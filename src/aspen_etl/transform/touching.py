"""Take some subjects out of what was before, and tell what a run over them alone means for all.

Everybody else is as before. So what is numbered, rejected and changed among the touched is what is
numbered, rejected and changed at all. Words of lookup tables are never gone, whoever used them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.positions import rows_without
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.previous import Previous
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.keys import (
    PartedKeys,
    Retired,
    TableKeys,
    join_keys,
    key_columns,
    some_keys,
)
from aspen_etl.transform.parting import Partitioning

__all__ = ["Partly", "TableRows", "Touched", "WholeTables", "take_touched"]


class TableRows(Protocol):
    """Give some of a table's cells."""

    def __len__(self) -> int:
        """Count its rows."""

    def columns(self, names: Sequence[str], /) -> pd.DataFrame:
        """Give some columns."""

    def take(self, rows: Positions, /) -> pd.DataFrame:
        """Give some rows, by their places; the index is new."""


class Partly(Protocol):
    """Give what was before a run, in part: a store does that without making frames of tables."""

    @property
    def time(self) -> Optional[dt.datetime]:
        """When it was made, in UTC."""

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that there are."""

    def rows(self, name: str, /) -> TableRows:
        """Give a table of ``names``, in the order of its primary key."""

    def retired(self, name: str, /) -> Optional[Retired]:
        """Give the keys of rows that are gone, or none where a table gives none."""


@dataclass(frozen=True, eq=False)
class WholeTables:
    """Give a ``Previous`` in part: its tables are read as a whole.

    Attributes:
        before: What was before.
        tables: What its tables are.
    """

    before: Previous
    tables: Mapping[str, TableSpec] = field(repr=False)

    @property
    def time(self) -> Optional[dt.datetime]:
        """When it was made, in UTC."""
        return self.before.time

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that there are."""
        return self.before.names

    def rows(self, name: str, /) -> TableRows:
        """Give a table."""
        return _Rows(complete_table(self.before.table(name), self.tables[name]))

    def retired(self, name: str, /) -> Optional[Retired]:
        """Give the keys of rows that are gone."""
        state, table = self.before.keys(name), self.tables[name]
        if state is None:
            return None
        frame = self.before.table(name) if name in self.names else None
        return Retired.of(state, frame, table)


class _Rows:
    """The rows of a frame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __len__(self) -> int:
        return len(self._frame)

    def columns(self, names: Sequence[str], /) -> pd.DataFrame:
        return self._frame[list(names)]

    def take(self, rows: Positions, /) -> pd.DataFrame:
        return take_rows(self._frame, rows)


# ----------------------------------------------------------------------------- what is theirs


@dataclass(frozen=True, eq=False)
class Touched:
    """Hold what some subjects had before.

    Attributes:
        snapshot: Their rows and keys; lookups whole. The next numbers are those of all.
        others: By table, the retired keys of everybody else.
    """

    snapshot: Snapshot
    others: Mapping[str, pd.DataFrame] = field(repr=False)

    def retire(self, state: KeyState, frame: pd.DataFrame, table: TableSpec, /) -> Retired:
        """Give the retired keys of all, after a run over the touched.

        Args:
            state: The keys of the touched, after the run.
            frame: Their rows.
            table: The table.
        """
        mine = Retired.of(state, frame, table)
        others = self.others.get(table.name, mine.keys.iloc[:0])
        return Retired(mine.next, join_keys([others, mine.keys], table))


def take_touched(before: Partly, subjects: pd.Series, how: Partitioning, /) -> Touched:
    """Take what some subjects had out of what was before.

    Args:
        before: What was before.
        subjects: What they are known by, as values of the key's type, each once.
        how: How the model is partitioned.
    """
    taken = _Taking(before, subjects, how)
    for name in how.model.lineage.table_order:
        if name in before.names:
            taken.add(name)
    snapshot = Snapshot(Tables(taken.tables), taken.keys, before.time)
    return Touched(snapshot, taken.others)


class _Taking:
    """Take tables, each after those that it refers to."""

    def __init__(self, before: Partly, subjects: pd.Series, how: Partitioning) -> None:
        self.before, self.subjects, self.how = before, subjects, how
        self.tables: dict[str, pd.DataFrame] = {}
        self.keys: dict[str, KeyState] = {}
        self.others: dict[str, pd.DataFrame] = {}
        #: By table, the keys ever given to rows of the subjects.
        self._given: dict[str, pd.Series] = {}

    def add(self, name: str) -> None:
        """Take one table."""
        table, held = self.how.model.tables[name], self.before.rows(name)
        owner = self.how.owners.get(name)
        rows = np.arange(len(held))
        if owner is not None:
            # The key is wanted when the table is written: both at once take one look.
            keys = held.columns(list(dict.fromkeys([table.primary_key, owner.column])))
            rows = self._mine(name, keys[owner.column])
        self.tables[name] = frame = held.take(rows)
        given, found = [frame[table.primary_key]], self.before.retired(name)
        if found is not None:
            mine = np.arange(len(found.keys))
            if owner is not None:
                mine = self._mine(name, found.keys[owner.column])
            retired = some_keys(found.keys, mine, table)
            self.others[name] = some_keys(found.keys, rows_without(mine, len(found.keys)), table)
            in_use = make_frame({column: frame[column] for column in key_columns(table)})
            self.keys[name] = TableKeys(table, found.next, PartedKeys(in_use, retired))
            given.append(retired[table.primary_key])
        self._given[name] = COLUMNS.concat(given)

    def _mine(self, name: str, owners: pd.Series) -> Positions:
        """Tell which rows lead to one of the subjects."""
        owner = self.how.owners[name]
        keys: Any = self.subjects if owner.table is None else self._given.get(owner.table)
        if keys is None or not len(keys):
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(find_rows([owners], [keys]) >= 0)
