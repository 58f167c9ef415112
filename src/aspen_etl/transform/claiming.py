"""What a part needs numbers for, and which it is given.

Each part numbers its new rows from the whole's next number on. It *claims* numbers for them. Most
new rows follow the order of parts, and only how many they are is asked for. Of rows whose subject
was there before, or whose natural key begins with something else, the keys are asked for, too:
rows of other parts may stand between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.numbering import NULL_KEY
from aspen_etl.transform.parting import Partitioning

__all__ = ["Claim", "KeyMap", "NewRows", "Numbers", "claim"]


@dataclass(frozen=True, eq=False)
class NewRows:
    """Say what is new in a table of one part, in the order of the part's own numbers.

    Attributes:
        count: How many they are.
        mixed: The places of those that may have rows of other parts between them.
        keys: The natural keys of these; references are the part's own numbers.
    """

    count: int
    mixed: Positions = field(repr=False)
    keys: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False)
class Claim:
    """Say for what a part needs numbers.

    Attributes:
        texts: By lookup table, its new texts, in their order.
        rows: By other table whose keys are given, its new rows.
    """

    texts: Mapping[str, pd.Series] = field(repr=False)
    rows: Mapping[str, NewRows]


@dataclass(frozen=True, eq=False)
class Numbers:
    """The whole's numbers for the new rows of one part: but for some, one after the other.

    Attributes:
        count: How many they are.
        start: The number of the first row that is not among the mixed ones.
        mixed: The places of the mixed ones.
        given: The numbers of these.
    """

    count: int
    start: int
    mixed: Positions = field(repr=False)
    given: Positions = field(repr=False)

    def to_array(self) -> Positions:
        """Give the number of each row, in the order of the part's own numbers."""
        out = np.empty(self.count, dtype=np.int64)
        plain = np.ones(self.count, dtype=bool)
        plain[self.mixed] = False
        out[plain] = self.start + np.arange(self.count - len(self.mixed))
        out[self.mixed] = self.given
        return out


@dataclass(frozen=True, eq=False)
class KeyMap:
    """Say which number each new row of one part has in the whole.

    Attributes:
        following: By table, the first number that a part gives.
        numbers: By table, the whole's numbers for that one and those after it.
        after: By table, the number that the whole's next new row gets, after this run.
    """

    following: Mapping[str, int]
    numbers: Mapping[str, Numbers]
    after: Mapping[str, int]

    def translate(self, table: str, keys: pd.Series, /) -> pd.Series:
        """Give keys of a table, or references to it, their numbers in the whole; old ones stay."""
        if not self.numbers[table].count:
            return keys
        new = self.numbers[table].to_array()
        # NOTE: of a frame without rows, pandas gives what cannot be written to, also as a copy.
        values = np.array(keys.fillna(NULL_KEY).to_numpy(dtype=np.int64))
        at = values - self.following[table]
        fresh = (at >= 0) & (at < len(new))
        values[fresh] = new[at[fresh]]
        if not pd.api.types.is_extension_array_dtype(keys.dtype):
            return make_column(values)
        return make_column(pd.arrays.IntegerArray(values, keys.isna().to_numpy(dtype=bool)))


# ----------------------------------------------------------------------------- claims


def claim(snapshot: Snapshot, following: Mapping[str, int], how: Partitioning, /) -> Claim:
    """Say for what a part needs numbers.

    Args:
        snapshot: What was made of the part.
        following: By table, the number that the next new row of the whole gets.
        how: How the model is partitioned.
    """
    texts = {}
    for name in how.lookups:
        table = how.model.tables[name]
        new = _new_rows(snapshot, name, table, following)
        texts[name] = COLUMNS.take(snapshot.tables[name][table.natural_key[0]], new)
    rows: dict[str, NewRows] = {}
    for name in how.numbered:
        table, frame = how.model.tables[name], snapshot.tables[name]
        new = _new_rows(snapshot, name, table, following)
        mixed = np.flatnonzero(_find_mixed(table, frame, new, _Local(following, rows, how)))
        keys = make_frame({c: COLUMNS.take(frame[c], new[mixed]) for c in table.natural_key})
        rows[name] = NewRows(len(new), mixed, keys)
    return Claim(texts, rows)


def _new_rows(
    snapshot: Snapshot, name: str, table: TableSpec, following: Mapping[str, int]
) -> Positions:
    """Find the rows that a part gave a number; from ``next`` on stand keys of others, if any."""
    keys = snapshot.tables[name][table.primary_key].to_numpy(dtype=np.int64)
    return np.flatnonzero((keys >= following[name]) & (keys < snapshot.keys[name].next))


@dataclass(frozen=True, eq=False)
class _Local:
    """The new rows of one part in the tables that were looked at already."""

    following: Mapping[str, int]
    rows: Mapping[str, NewRows]
    how: Partitioning

    def follow_parts(self, table: str, keys: Positions) -> Mask:
        """Tell which keys are of new rows that stand in the order of parts."""
        at, found = keys - self.following[table], self.rows[table]
        plain = np.ones(found.count, dtype=bool)
        plain[found.mixed] = False
        held: Mask = (at >= 0) & (at < found.count)
        held[held] = plain[at[held]]
        return held


def _find_mixed(table: TableSpec, frame: pd.DataFrame, new: Positions, local: _Local) -> Mask:
    """Tell which new rows do not merely follow the order of parts."""
    owner = local.how.owners[table.name]
    if owner.column != table.natural_key[0]:
        return np.ones(len(new), dtype=bool)
    if owner.table is None:
        return np.zeros(len(new), dtype=bool)
    return ~local.follow_parts(owner.table, frame[owner.column].to_numpy(dtype=np.int64)[new])
