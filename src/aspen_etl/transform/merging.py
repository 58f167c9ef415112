"""Settle among parts the numbers of what is new, as one run over the whole would give them.

``claiming`` says what each part needs numbers for. What is settled maps its own to the whole's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import codes, sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ProofError
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.claiming import Claim, KeyMap, NewRows, Numbers
from aspen_etl.transform.keys import (
    PartedKeys,
    TableKeys,
    check_numbers,
    key_columns,
    part_keys,
)
from aspen_etl.transform.numbering import NULL_KEY
from aspen_etl.transform.parting import Partitioning

__all__ = ["apply", "renumber", "settle"]


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
        NotSupportedError: New rows would get keys that are an application's.
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
        self.numbers: list[dict[str, Numbers]] = [{} for _ in claims]
        self.maps = [KeyMap(following, numbers, self.after) for numbers in self.numbers]
        self.tails: dict[str, int] = {}

    def settle_texts(self, name: str) -> None:
        """Number the new texts of a lookup table, each once."""
        texts = [each.texts[name] for each in self.claims]
        found, distinct = codes(COLUMNS.concat([COLUMNS.repeat(None, 0), *texts]))
        places = np.empty(len(distinct), dtype=np.int64)
        places[COLUMNS.order(conform_text(distinct))[0]] = np.arange(len(distinct))
        lengths = [len(each) for each in texts]
        mixed = [np.arange(length) for length in lengths]
        self._give(name, _Places(len(distinct), 0, lengths, mixed, places[found]))

    def settle_rows(self, name: str) -> None:
        """Number the new rows of another table: mixed ones, then those of each part, in order."""
        claimed = [each.rows[name] for each in self.claims]
        ranks = self._rank(self.how.model.tables[name], [each.keys for each in claimed])
        behind = self._stand_behind(name, claimed)
        rest = sum(each.count - len(each.mixed) for each in claimed)
        ahead = int((~behind).sum())
        self.tails[name] = self.following[name] + ahead + rest
        counts, mixed = [each.count for each in claimed], [each.mixed for each in claimed]
        places = np.where(behind, ranks + rest, ranks)
        self._give(name, _Places(len(ranks) + rest, ahead, counts, mixed, places))

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

    def _give(self, name: str, places: _Places) -> None:
        """Give each part its numbers, and check that each is given, and once but for lookups."""
        check_numbers(self.how.model.tables[name], self.following[name], places.total)
        start, rest = places.ahead, 0
        for given, count, mixed, mine in places.of_parts():
            first = self.following[name]
            found = Numbers(count, first + start + rest, mixed, first + mine)
            rest += count - len(mixed)
            rises = found.to_array()
            if (rises[1:] <= rises[:-1]).any():
                _fail(name, self.how.model.tables[name].primary_key)
            self.numbers[given][name] = found
        # Those that follow one another are given by how they are counted; the others fill the rest.
        every = np.unique(places.places)
        free = np.r_[np.arange(start), np.arange(start + rest, places.total)]
        is_whole = name in self.how.lookups or len(every) == len(places.places)
        if not (is_whole and np.array_equal(every, free)):
            _fail(name, self.how.model.tables[name].primary_key)
        self.after[name] = self.following[name] + places.total


class _Places(NamedTuple):
    """Say where the new rows of a table stand among each other.

    Attributes:
        total: How many there are.
        ahead: Where those begin that follow the order of parts.
        counts: By part, how many it has.
        mixed: By part, which of its own do not follow that order.
        places: Of those, in the order of parts, where each stands.
    """

    total: int
    ahead: int
    counts: Sequence[int]
    mixed: Sequence[Positions]
    places: Positions

    def of_parts(self) -> Iterator[tuple[int, int, Positions, Positions]]:
        """Give each part's number, how many it has, which are mixed, and where these stand."""
        own = np.split(self.places, np.cumsum([len(each) for each in self.mixed])[:-1])
        yield from zip(range(len(own)), self.counts, self.mixed, own)


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
