"""Settle among parts the numbers of what is new, as one run over the whole would give them.

Each part numbers its new rows from the whole's next number on. It *claims* numbers for them, and
what is settled maps its own to the whole's. Most new rows follow the order of parts, and only how
many they are is asked for. Of rows whose subject was there before, or whose natural key begins with
something else, the keys are asked for, too: rows of other parts may stand between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.rows import codes, sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ProofError
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.keys import PartedKeys, TableKeys, key_columns, part_keys
from aspen_etl.transform.numbering import NULL_KEY
from aspen_etl.transform.parting import Partitioning

__all__ = ["Claim", "KeyMap", "NewRows", "apply", "claim", "renumber", "settle"]


@dataclass(frozen=True, eq=False)
class NewRows:
    """Say what is new in a table of one part, in the order of the part's own numbers.

    Attributes:
        mixed: Which of the new rows may have rows of other parts between them.
        keys: The natural keys of these; references are the part's own numbers.
    """

    mixed: Mask = field(repr=False)
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
class KeyMap:
    """Say which number each new row of one part has in the whole.

    Attributes:
        following: By table, the first number that a part gives.
        numbers: By table, the whole's numbers for that one and those after it.
        after: By table, the number that the whole's next new row gets, after this run.
    """

    following: Mapping[str, int]
    numbers: Mapping[str, Positions] = field(repr=False)
    after: Mapping[str, int]

    def translate(self, table: str, keys: pd.Series, /) -> pd.Series:
        """Give keys of a table, or references to it, their numbers in the whole; old ones stay."""
        new = self.numbers[table]
        if not len(new):
            return keys
        values = keys.fillna(NULL_KEY).to_numpy(dtype=np.int64, copy=True)
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
        mixed = _find_mixed(table, frame, new, _Local(following, rows, how))
        some = new[mixed]
        keys = make_frame({c: COLUMNS.take(frame[c], some) for c in table.natural_key})
        rows[name] = NewRows(mixed, keys)
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
        at = keys - self.following[table]
        mixed = self.rows[table].mixed
        held = (at >= 0) & (at < len(mixed))
        held[held] = ~mixed[at[held]]
        return held


def _find_mixed(table: TableSpec, frame: pd.DataFrame, new: Positions, local: _Local) -> Mask:
    """Tell which new rows do not merely follow the order of parts."""
    owner = local.how.owners[table.name]
    if owner.column != table.natural_key[0]:
        return np.ones(len(new), dtype=bool)
    if owner.table is None:
        return np.zeros(len(new), dtype=bool)
    return ~local.follow_parts(owner.table, frame[owner.column].to_numpy(dtype=np.int64)[new])


# ----------------------------------------------------------------------------- what is settled


def settle(
    claims: Sequence[Claim], following: Mapping[str, int], how: Partitioning, /
) -> list[KeyMap]:
    """Number what is new in all parts.

    Args:
        claims: What the parts claim, in the order of their ranges.
        following: By table, the number that the next new row gets.
        how: How the model is partitioned.

    Returns:
        What becomes of the numbers of each part.

    Raises:
        ProofError: Some number is not given once, or those of a part do not rise.
    """
    work = _Settling(claims, following, how)
    for name in how.lookups:
        work.settle_texts(name)
    for name in how.numbered:
        work.settle_rows(name)
    return work.maps


class _Settling:
    """Number one table after the other.

    Attributes:
        maps: What is settled so far, by part.
        tails: By table, the number from which on mixed rows stand behind all others.
    """

    def __init__(
        self, claims: Sequence[Claim], following: Mapping[str, int], how: Partitioning
    ) -> None:
        self.claims, self.following, self.how = claims, following, how
        self.after = dict(following)
        self.numbers: list[dict[str, Positions]] = [{} for _ in claims]
        self.maps = [KeyMap(following, numbers, self.after) for numbers in self.numbers]
        self.tails: dict[str, int] = {}

    def settle_texts(self, name: str) -> None:
        """Number the new texts of a lookup table, each once."""
        texts = [each.texts[name] for each in self.claims]
        found, distinct = codes(COLUMNS.concat([COLUMNS.repeat(None, 0), *texts]))
        places = np.empty(len(distinct), dtype=np.int64)
        places[COLUMNS.order(conform_text(distinct))[0]] = np.arange(len(distinct))
        self._give(name, places[found], [len(each) for each in texts])

    def settle_rows(self, name: str) -> None:
        """Number the new rows of another table: mixed ones, then those of each part, in order."""
        claimed = [each.rows[name] for each in self.claims]
        mixed = np.concatenate([each.mixed for each in claimed])
        ranks = self._rank(self.how.model.tables[name], [each.keys for each in claimed])
        behind, rest = self._stand_behind(name, claimed), int((~mixed).sum())
        self.tails[name] = self.following[name] + int((~behind).sum()) + rest
        places = np.empty(len(mixed), dtype=np.int64)
        places[mixed] = np.where(behind, ranks + rest, ranks)
        places[~mixed] = int((~behind).sum()) + np.arange(rest)
        self._give(name, places, [len(each.mixed) for each in claimed])

    def _rank(self, table: TableSpec, keys: list[pd.DataFrame]) -> Positions:
        """Give the places of the mixed rows of all parts in the order of their natural keys."""
        columns = []
        for name in table.natural_key:
            target = table.columns[name].references
            values = [frame[name] for frame in keys]
            if target is not None and self.how.model.tables[target].has_surrogate_key:
                found = [m.translate(target, each) for m, each in zip(self.maps, values)]
                values = [each.fillna(NULL_KEY).astype("int64") for each in found]
            columns.append(COLUMNS.concat(values))
        order, _ = sort_rows(columns)
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        return ranks

    def _stand_behind(self, name: str, claimed: list[NewRows]) -> Mask:
        """Tell which mixed rows are of owners whose keys are above all that are given now."""
        table, owner = self.how.model.tables[name], self.how.owners[name]
        if owner.table is None or owner.column != table.natural_key[0]:
            return np.zeros(sum(len(each.keys) for each in claimed), dtype=bool)
        owners = [
            m.translate(owner.table, c.keys[owner.column]) for m, c in zip(self.maps, claimed)
        ]
        above: Mask = COLUMNS.concat(owners).to_numpy(dtype=np.int64) >= self.tails[owner.table]
        return above

    def _give(self, name: str, places: Positions, lengths: Sequence[int]) -> None:
        """Give each part its numbers, and check them."""
        numbers = np.split(self.following[name] + places, np.cumsum(lengths)[:-1])
        every = np.unique(places)
        is_whole = name in self.how.lookups or len(every) == len(places)
        rises = all((each[1:] > each[:-1]).all() for each in numbers)
        if not (is_whole and rises and np.array_equal(every, np.arange(len(every)))):
            _fail(name, self.how.model.tables[name].primary_key)
        for given, mine in zip(self.numbers, numbers):
            given[name] = mine
        self.after[name] = self.following[name] + len(every)


def _fail(table: str, column: str) -> None:
    msg = (
        f"the numbers of new rows of {table!r} are not given once each, rising in each part; "
        "nothing may be committed: a builder does not look at one subject alone, or this is a "
        "fault of the library"
    )
    raise ProofError(msg, table=table, column=column)


# ----------------------------------------------------------------------------- what comes of it


def apply(snapshot: Snapshot, keys: KeyMap, how: Partitioning, /) -> Snapshot:
    """Give what was made of a part the numbers of the whole; its rows stay in their order.

    Args:
        snapshot: What was made of the part.
        keys: What is settled for the part.
        how: How the model is partitioned.
    """
    tables, states = {}, dict[str, KeyState]()
    for name, frame in snapshot.tables.items():
        table = how.model.tables[name]
        tables[name] = renumber(frame, table, keys)
        if name in snapshot.keys:
            retired = part_keys(snapshot.keys[name], frame, table).retired
            in_use = make_frame({column: tables[name][column] for column in key_columns(table)})
            states[name] = TableKeys(table, keys.after[name], PartedKeys(in_use, retired))
    return Snapshot(Tables(tables), states, snapshot.time)


def renumber(rows: pd.DataFrame, table: TableSpec, keys: KeyMap, /) -> pd.DataFrame:
    """Give rows of a table of one part the numbers of the whole, and their references.

    Args:
        rows: The rows.
        table: What they are rows of.
        keys: What is settled for the part.
    """
    out = {}
    for name, values in rows.items():
        spec = table.columns[str(name)]
        target = str(table.name if spec.primary_key else spec.references)
        out[name] = keys.translate(target, values) if target in keys.numbers else values
    return make_frame(out)
