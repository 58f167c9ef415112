"""Into which parts a run divides subjects, and what was there before of each.

Where the store is divided already, its parts stay, and one that outgrew its size is split. Their
bounds are not stored: they are read off the subjects of each, so that no id stands anywhere but in
the tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.errors import CorruptStoreError
from aspen_etl.io.exchange import Exchange, Piece
from aspen_etl.schema import Held, Previous, Snapshot
from aspen_etl.schema.previous import Before
from aspen_etl.schema.snapshot import Tables
from aspen_etl.store.commit import Commit
from aspen_etl.store.partly import StoredTables
from aspen_etl.store.place import Place
from aspen_etl.store.previous import StoredPrevious
from aspen_etl.synchronization.scattering import Sampled
from aspen_etl.transform.cutting import StateCutter
from aspen_etl.transform.parting import Partitioning, choose_bounds, number_parts, order_keys
from aspen_etl.workers import Workers

__all__ = ["Division", "State", "divide"]

#: By how much a part may outgrow its size before it is split.
_MOST = 2


@dataclass(frozen=True, eq=False)
class State:
    """Say where is what was there before of one part.

    Attributes:
        commit: The commit that holds it.
        number: The stored part that it is in, where the store is divided.
        bounds: Where that one is split.
        at: Which of these it is.
        pieces: By table, what was cut out of a store that is not divided.
    """

    commit: Commit = field(repr=False)
    number: int = 0
    bounds: Optional[pd.Series] = field(default=None, repr=False)
    at: int = 0
    pieces: tuple[tuple[str, Piece], ...] = field(default=(), repr=False)

    @property
    def is_stored(self) -> bool:
        """Whether it is what is stored as one part."""
        return self.bounds is None and not self.pieces

    def load(self, place: Place, how: Partitioning, exchange: Exchange, /) -> Previous:
        """Give it, for the run that follows."""
        if self.pieces:
            found = [(name, exchange.get(piece)) for name, piece in self.pieces]
            return _held(found, self.commit.time)
        stored = StoredPrevious(place, self.commit.of_part(self.number, how.lookups))
        if self.bounds is None:
            return stored
        cutter = StateCutter(self.bounds, how)
        walked = stored.walk(how.model.lineage.table_order)
        return _held(
            [(name, cutter.cut(name, then)[self.at]) for name, then in walked], stored.time
        )


def _held(found: Sequence[tuple[str, Before]], time: Optional[dt.datetime]) -> Held:
    tables = {name: then.frame for name, then in found if then.frame is not None}
    keys = {name: then.state for name, then in found if then.state is not None}
    return Held(Snapshot(Tables(tables), keys, time))


@dataclass(frozen=True, eq=False)
class Division:
    """Say into which parts a run divides subjects.

    Attributes:
        bounds: The first keys of all parts but the first, as ``read_bounds`` gives them.
        states: By part, what was there before; none where nothing was.
    """

    bounds: pd.Series = field(repr=False)
    states: tuple[Optional[State], ...]

    def is_of(self, newest: Optional[Commit], /) -> bool:
        """Tell whether a commit is divided in this very way."""
        numbers = [None if s is None or not s.is_stored else s.number for s in self.states]
        return newest is not None and numbers == list(range(newest.parts))


@dataclass(frozen=True, eq=False)
class Dividing:
    """What is needed to divide."""

    place: Place
    how: Partitioning = field(repr=False)
    exchange: Exchange
    workers: Workers


def divide(
    newest: Optional[Commit], sampled: Sampled, subjects: int, work: Dividing, /
) -> Division:
    """Divide subjects into parts of about one size.

    Args:
        newest: The newest commit, if there is one.
        sampled: Some subjects of the source, and how many rows there are.
        subjects: How many subjects a part should have.
        work: What is needed to do so.

    Raises:
        CorruptStoreError: The parts of the store overlap, or a file is missing or damaged.
        ProofError: A row of the store leads to no subject.
    """
    if newest is not None and newest.parts > 1:
        find = partial(_find_range, work.place, newest, work.how)
        found = enumerate(work.workers.map(find, range(newest.parts)))
        held = {number: ends for number, ends in found if ends is not None}
        if held:
            _check_order(held, work.place.url)
            return _go_on(newest, held, sampled, subjects)
    bounds = choose_bounds(sampled.keys, round(sampled.rows / subjects))
    if newest is None:
        return Division(bounds, (None,) * (len(bounds) + 1))
    if not len(bounds):
        return Division(bounds, (State(newest),))
    return Division(bounds, _cut_whole(newest, bounds, work))


def _cut_whole(newest: Commit, bounds: pd.Series, work: Dividing) -> tuple[State, ...]:
    """Cut tables that are stored as a whole, one after the other."""
    cutter = StateCutter(bounds, work.how)
    pieces: list[list[tuple[str, Piece]]] = [[] for _ in range(len(bounds) + 1)]
    walked = StoredPrevious(work.place, newest).walk(work.how.model.lineage.table_order)
    for name, then in walked:
        parts = cutter.cut(name, then)
        if name in work.how.lookups:
            parts, shared = parts[:1], work.exchange.put(parts[:1])
            left = shared * len(pieces)
        else:
            left = work.exchange.put(parts)
        for mine, piece in zip(pieces, left):
            mine.append((name, piece))
    return tuple(State(newest, pieces=tuple(mine)) for mine in pieces)


# ----------------------------------------------------------------------------- a divided store


def _go_on(
    newest: Commit, held: Mapping[int, pd.Series], sampled: Sampled, subjects: int
) -> Division:
    """Go on from the parts that hold anybody, by the first and the last subject of each."""
    ends = COLUMNS.concat(list(held.values())).reset_index(drop=True)
    starts = ends.iloc[2::2].reset_index(drop=True)
    rows_each = sampled.rows / max(len(sampled.keys), 1)
    parts = number_parts(sampled.keys, starts)
    bounds, states = [], list[State]()
    for at, number in enumerate(held):
        mine = sampled.keys[parts == at].reset_index(drop=True)
        size = len(mine) * rows_each
        wanted = round(size / subjects) if size > _MOST * subjects else 1
        cuts = choose_bounds(mine, wanted)
        bounds += [starts.iloc[at - 1 : at]] * (at > 0) + [cuts]
        splits = cuts if len(cuts) else None
        states += [State(newest, number, splits, k) for k in range(len(cuts) + 1)]
    return Division(COLUMNS.concat(bounds).reset_index(drop=True), tuple(states))


def _check_order(held: Mapping[int, pd.Series], url: str) -> None:
    ends = COLUMNS.concat(list(held.values())).reset_index(drop=True)
    if not order_keys(ends).equals(ends):
        raise CorruptStoreError.at(url, "its parts overlap")


def _find_range(
    place: Place, newest: Commit, how: Partitioning, number: int
) -> Optional[pd.Series]:
    """Give the first and the last subject of a stored part; none where it is of nobody."""
    tables = StoredTables(place, newest.of_part(number, how.lookups))
    found = []
    for name, owner in how.owners.items():
        if owner.table is not None or name not in newest.tables:
            continue
        found.append(tables[name].column(owner.column))
        retired = tables.retired(name)
        found += [retired.keys[owner.column]] if retired is not None else []
    keys = order_keys(COLUMNS.concat(found)) if found else pd.Series(dtype=object)
    ends = np.array([0, len(keys) - 1])
    return COLUMNS.take(keys, ends) if len(keys) else None
