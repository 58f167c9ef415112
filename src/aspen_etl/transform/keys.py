"""The keys that a table ever gave, and which one each row gets.

A key belongs to a natural key for good: a row that was there keeps its own, a row that came back
gets its old one again, and a new row the next number. The keys of a table are those of its rows,
and the retired ones, whose row is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.handing import handed, held
from aspen_etl.columns.positions import argsort_numbers, gather, is_range, rows_without
from aspen_etl.columns.rows import find_rows, sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import NotSupportedError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.evolution import complete_table, conform_known
from aspen_etl.schema.snapshot import ADOPTED_FROM, KeyState
from aspen_etl.schema.spec import TableSpec

__all__ = [
    "Assigned",
    "PartedKeys",
    "Retired",
    "TableKeys",
    "assign",
    "check_numbers",
    "conform_keys",
    "join_keys",
    "key_columns",
    "part_keys",
    "retire",
    "some_keys",
]


class PartedKeys(NamedTuple):
    """Hold the keys that a table ever gave, as frames of its primary and natural key.

    Attributes:
        in_use: Those of the table's rows, in their order.
        retired: Those whose row is gone, in their order.
    """

    in_use: pd.DataFrame
    retired: pd.DataFrame


class Retired(NamedTuple):
    """The number that a table's next new row gets, and the keys of rows that are gone.

    Attributes:
        next: The number.
        keys: The keys, as a frame of the primary and natural key, in their order.
    """

    next: int
    keys: pd.DataFrame

    @classmethod
    def of(cls, state: KeyState, frame: Optional[pd.DataFrame], table: TableSpec) -> Retired:
        """Take what is retired from all keys ever given.

        Args:
            state: All of them.
            frame: The table.
            table: What it is.
        """
        return cls(state.next, part_keys(state, frame, table).retired)


class TableKeys(KeyState):
    """Hold the keys of a table without a copy of those that stand in its rows.

    Args:
        table: What the table is.
        next: The number that the next new row gets.
        parts: The keys in use and the retired ones.
    """

    def __init__(self, table: TableSpec, next: int, parts: PartedKeys) -> None:  # noqa: A002
        for name, value in (("table", table), ("next", next), ("parts", parts)):
            object.__setattr__(self, name, value)

    table: TableSpec
    parts: PartedKeys

    @cached_property
    def given(self) -> pd.DataFrame:
        """One row for each key ever given, joined when somebody asks."""
        return handed(join_keys([self.parts.in_use, self.parts.retired], self.table))


def key_columns(table: TableSpec, /) -> dict[str, ColumnSpec]:
    """Give the columns of a table's key state."""
    return {name: table.columns[name] for name in (table.primary_key, *table.natural_key)}


def conform_keys(keys: pd.DataFrame, table: TableSpec, /) -> pd.DataFrame:
    """Bring a frame of keys to their columns and dtypes."""
    columns = {}
    for name, spec in key_columns(table).items():
        values = keys[name]
        columns[name] = conform_text(values) if spec.type == "text" else values.astype(spec.dtype)
    return make_frame(columns)


def join_keys(parts: list[pd.DataFrame], table: TableSpec, /) -> pd.DataFrame:
    """Join frames of keys, none of which stands in two of them, in their order."""
    held = [conform_keys(part, table) for part in parts if len(part)] or parts[:1]
    if len(held) == 1:
        return conform_keys(held[0], table)
    joined = {name: COLUMNS.concat([part[name] for part in held]) for name in held[0].columns}
    order = argsort_numbers(joined[table.primary_key].to_numpy(dtype=np.int64))
    return make_frame({name: COLUMNS.take(column, order) for name, column in joined.items()})


def part_keys(state: KeyState, frame: Optional[pd.DataFrame], table: TableSpec, /) -> PartedKeys:
    """Part all keys ever given into those of a table's rows and the retired ones.

    Args:
        state: All of them.
        frame: The table.
        table: What it is.
    """
    names = list(key_columns(table))
    if frame is None:
        given = conform_known(held(state, "given"), table)
        return PartedKeys(given.iloc[:0], given)
    in_use = conform_known(make_frame({name: frame[name] for name in names}), table)
    in_use = in_use.reset_index(drop=True)
    if isinstance(state, TableKeys) and _same_numbers(state.parts.in_use, in_use, table):
        return PartedKeys(in_use, state.parts.retired)
    given = conform_known(held(state, "given"), table)
    at = find_rows([in_use[table.primary_key]], [given[table.primary_key]])
    return PartedKeys(in_use, some_keys(given, rows_without(at, len(given)), table))


def some_keys(keys: pd.DataFrame, rows: Positions, table: TableSpec, /) -> pd.DataFrame:
    """Take some keys of a frame of them."""
    return make_frame({name: COLUMNS.take(keys[name], rows) for name in key_columns(table)})


def _same_numbers(one: pd.DataFrame, two: pd.DataFrame, table: TableSpec) -> bool:
    name = table.primary_key
    return np.array_equal(one[name].to_numpy(dtype=np.int64), two[name].to_numpy(dtype=np.int64))


# ----------------------------------------------------------------------------- given


class Assigned(NamedTuple):
    """The keys of a table's rows, and whose they were before.

    Attributes:
        keys: The key of each row.
        next: The number that the next new row gets.
        there: The row of the table before that had the key of each row, or -1.
        back: The retired key that each row has again, or -1.
    """

    keys: pd.Series
    next: int
    there: Positions
    back: Positions


def assign(
    table: TableSpec,
    columns: Mapping[str, pd.Series],
    natural: list[pd.Series],
    next_key: int,
    before: Optional[PartedKeys],
) -> Assigned:
    """Give known rows their keys, and new ones the next numbers in order of the natural key.

    Args:
        table: What the table is.
        columns: The columns of its natural key.
        natural: The same, as they are put in order.
        next_key: The number that the next new row gets.
        before: The keys given so far.

    Raises:
        NotSupportedError: New rows would get keys that are an application's.
    """
    if before is None:
        new, _ = sort_rows(natural)
        nowhere = np.broadcast_to(np.int64(-1), len(new))
        there, back, numbers = nowhere, nowhere, np.arange(next_key, next_key + len(new))
        if not is_range(new):
            numbers[new] = numbers.copy()
    else:
        names = list(table.natural_key)
        wanted = [columns[name] for name in names]
        there = find_rows(wanted, [before.in_use[name] for name in names])
        numbers = gather(_numbers(before.in_use, table), there)
        rest, back = np.flatnonzero(there < 0), np.broadcast_to(np.int64(-1), len(there))
        if len(rest) and len(before.retired):
            back = back.copy()
            back[rest] = find_rows(
                [COLUMNS.take(values, rest) for values in wanted],
                [before.retired[name] for name in names],
            )
            numbers[rest] = gather(_numbers(before.retired, table), back[rest])
        new = np.flatnonzero((there < 0) & (back < 0))
        order, _ = sort_rows([COLUMNS.take(values, new) for values in natural])
        numbers[new[order]] = np.arange(next_key, next_key + len(new))
    check_numbers(table, next_key, len(new))
    # One column, so that pandas knows who shares it.
    return Assigned(make_column(numbers), next_key + len(new), there, back)


def check_numbers(table: TableSpec, next_key: int, count: int, /) -> None:
    """Make sure that no new row of a table gets a key that is an application's.

    Args:
        table: What the table is.
        next_key: The number that the next new row gets.
        count: How many new rows there are.

    Raises:
        NotSupportedError: One would.
    """
    if count and next_key + count > ADOPTED_FROM:
        msg = (
            f"{count} new rows of {table.name!r} would get keys from 2^40 on, which applications "
            "draw; the next number is near that, which rows hardly ever brought it to: "
            "verify what was before, and take a next number above the keys below 2^40 alone"
        )
        raise NotSupportedError(msg, table=table.name, count=count)


def _numbers(keys: pd.DataFrame, table: TableSpec) -> Positions:
    return keys[table.primary_key].to_numpy(dtype=np.int64)


def retire(before: Optional[PartedKeys], found: Assigned, table: TableSpec, /) -> pd.DataFrame:
    """Give the keys that no row has any more."""
    if before is None:
        return complete_table(None, table)[list(key_columns(table))]
    gone = some_keys(before.in_use, rows_without(found.there, len(before.in_use)), table)
    stay = some_keys(before.retired, rows_without(found.back, len(before.retired)), table)
    return join_keys([stay, gone], table)
