"""The vote: which value is an entity's where its rows say different things.

Most rows win, then the least value; or the latest row; or nobody. Never the first row: the order
of rows does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.rows import are_present
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES

__all__ = ["Ballot", "rank_cells", "rank_rows", "vote"]


class Ballot(NamedTuple):
    """What rows say of entities.

    Attributes:
        key: The entity of each row, from 0; -1 has no say.
        entities: How many entities there are.
        value: What each row says, from 0; -1 says nothing.
        rank: Give the places of some distinct values in their order.
        latest: Give how late some rows are, -1 where that is not known; none where it is no matter.
        is_open: Whether nobody wins where rows disagree.
    """

    key: Positions
    entities: int
    value: Positions
    rank: Callable[[Positions], Positions]
    latest: Optional[Callable[[Positions], Positions]] = None
    is_open: bool = False


def vote(ballot: Ballot, /) -> Positions:
    """Give the value of each entity, or -1 where no row has one.

    Examples:
        >>> key, value = np.array([0, 0, 0, 1, 1]), np.array([5, 7, 7, 2, -1])
        >>> vote(Ballot(key, 3, value, rank=lambda values: values)).tolist()
        [7, 2, -1]
    """
    here = np.flatnonzero((ballot.key >= 0) & (ballot.value >= 0))
    key, value = ballot.key[here], ballot.value[here]
    win = np.full(ballot.entities, -1, dtype=np.int64)
    win[key] = value
    disagree = np.zeros(ballot.entities, dtype=bool)
    disagree[key[value != win[key]]] = True
    if not disagree.any():
        return win
    if ballot.is_open:
        win[disagree] = -1
        return win
    some = np.flatnonzero(disagree[key])
    width = int(value.max()) + 1
    place, pairs = pd.factorize(key[some] * width + value[some])
    rows = np.bincount(place)
    keys, values = np.divmod(pairs, width)
    late = np.zeros(len(pairs), dtype=np.int64)
    if ballot.latest is not None:
        late[:] = -1
        np.maximum.at(late, place, ballot.latest(here[some]))
    back, distinct = pd.factorize(values)
    order = np.lexsort((ballot.rank(distinct)[back], -rows, -late, keys))
    first = np.ones(len(order), dtype=bool)
    first[1:] = keys[order][1:] != keys[order][:-1]
    win[keys[order][first]] = values[order][first]
    return win


# ----------------------------------------------------------------------------- order


def rank_cells(values: pd.Series, spec: ColumnSpec, /) -> Positions:
    """Give the place of each cell in the order of its values: text by code point, numbers by value.

    Args:
        values: Canonical text.
        spec: The column that says of which type the text is.

    Returns:
        Equal cells have the same place, later ones a higher one; a missing cell has -1.
    """
    out = np.full(len(values), -1, dtype=np.int64)
    held = np.flatnonzero(are_present(values))
    codes, texts = pd.factorize(COLUMNS.take(values, held))
    distinct = TYPES[spec.type].parse(pd.Series(texts, dtype=values.dtype), spec)
    order = distinct.sort_values(kind="stable").index.to_numpy()
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    out[held] = places[codes]
    return out


def rank_rows(ranks: Sequence[Positions], /) -> Positions:
    """Give the place of each row in the order of the places of its cells, first the first one."""
    order = np.lexsort(ranks[::-1])
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places
