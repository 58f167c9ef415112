"""Which key each row gets: the one that its natural key had before, or the next number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import kernels
from aspen_etl.columns.frames import make_column
from aspen_etl.columns.kernels import Positions, same_cells
from aspen_etl.columns.ordering import argsort_numbers, sort_rows
from aspen_etl.columns.positions import find_rows, gather, rows_without, select
from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import KeyState, Snapshot
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.keys import PartedKeys, join_keys, key_columns, part_keys, some_keys

__all__ = ["Assigned", "Leader", "Led", "assign", "find_leaders", "retire"]


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

    def take(self, rows: Positions) -> Assigned:
        """Give the same in another order of the rows."""
        return Assigned(select(self.keys, rows), self.next, self.there[rows], self.back[rows])


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
    """
    if before is None:
        new, _ = sort_rows(natural)
        nowhere = np.broadcast_to(np.int64(-1), len(new))
        there, back, numbers = nowhere, nowhere, np.arange(next_key, next_key + len(new))
        if not kernels.is_range(new):
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
                [select(values, rest) for values in wanted],
                [before.retired[name] for name in names],
            )
            numbers[rest] = gather(_numbers(before.retired, table), back[rest])
        new = np.flatnonzero((there < 0) & (back < 0))
        order, _ = sort_rows([select(values, new) for values in natural])
        numbers[new[order]] = np.arange(next_key, next_key + len(new))
    # One column, so that pandas knows who shares it.
    return Assigned(make_column(numbers), next_key + len(new), there, back)


def _numbers(keys: pd.DataFrame, table: TableSpec) -> Positions:
    return keys[table.primary_key].to_numpy(dtype=np.int64)


def retire(before: Optional[PartedKeys], found: Assigned, table: TableSpec, /) -> pd.DataFrame:
    """Give the keys that no row has any more."""
    if before is None:
        return complete_table(None, table)[list(key_columns(table))]
    gone = some_keys(before.in_use, rows_without(found.there, len(before.in_use)), table)
    stay = some_keys(before.retired, rows_without(found.back, len(before.retired)), table)
    return join_keys([stay, gone], table)


# ----------------------------------------------------------------------------- leaders


class Led(NamedTuple):
    """What became of the rows of a sheet that were put in the order of their keys.

    Attributes:
        natural: The natural key of each row, in that order.
        found: Their keys.
    """

    natural: pd.Series
    found: Assigned

    def is_of(self, natural: pd.Series) -> bool:
        """Tell whether a table's rows have the very same natural keys, in the same order."""
        return same_cells(self.natural, natural)


class Leader(NamedTuple):
    """A table that has one row for each row of a sheet, and whose keys put them in order.

    The tables that follow it then have their rows in the order of the sheet, so that they
    share its columns.

    Attributes:
        table: What it is.
        frame: Its rows before.
        state: The keys that it gave so far.
    """

    table: TableSpec
    frame: pd.DataFrame
    state: KeyState

    def arrange(self, natural: pd.Series) -> tuple[Positions, Led]:
        """Put rows, given the natural key of each in its order, in the order of their keys."""
        table, before = self.table, part_keys(self.state, self.frame, self.table)
        columns = {table.natural_key[0]: natural}
        found = assign(table, columns, [natural], self.state.next, before)
        order = argsort_numbers(found.keys.to_numpy())
        if kernels.is_range(order):
            return order, Led(natural, found)
        return order, Led(kernels.take(natural, order), found.take(order))


def find_leaders(model: Model, previous: Optional[Snapshot], /) -> dict[str, Leader]:
    """Find the table that leads each sheet, where one does and gave keys before.

    It has a key that is given, and is known by the one column that the sheet is known by.
    """
    if previous is None:
        return {}
    out: dict[str, Leader] = {}
    for name, table in model.tables.items():
        lineage = model.lineage.tables[name]
        if lineage.kind != "rows" or not table.has_surrogate_key or len(table.natural_key) > 1:
            continue
        sheet = str(lineage.source)
        key, references = model.lineage.sources[sheet].key, model.lineage.sources[sheet].references
        if sheet in out or key[0] in references:
            continue
        spec = table.columns[table.natural_key[0]]
        is_listed = spec.references and model.lineage.tables[spec.references].kind == "lookup"
        if spec.type != "text" or is_listed or name not in previous.keys:
            continue
        frame = previous.tables.get(name)
        if frame is not None:
            out[sheet] = Leader(table, frame, previous.keys[name])
    return out
