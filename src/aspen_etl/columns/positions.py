"""Row numbers that lead from one frame to another; -1 leads nowhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aspen_etl.columns.frames import make_column
from aspen_etl.columns.kernels import Positions, is_range, select
from aspen_etl.columns.ordering import find, is_ascending

__all__ = ["find_keys", "find_rows", "gather", "reverse", "rows_without", "select"]

#: How many numbers there may be for each key, so that a table of all of them pays.
_DENSE = 4

#: What a code of a combination must stay below, so that 64 bits hold it.
_CODE_LIMIT = 2**62


def reverse(index: Positions, length: int) -> Positions:
    """Turn the source row of each table row into the table row of each source row, or -1."""
    out = np.full(length, -1, dtype=np.int64)
    held = index >= 0
    out[index[held]] = np.flatnonzero(held)
    return out


def gather(values: Positions, positions: Positions) -> Positions:
    """Take, where -1 gives -1."""
    if not len(values):
        return np.full(len(positions), -1, dtype=np.int64)
    out = values[positions]
    return np.where(positions < 0, -1, out) if (positions < 0).any() else out


def rows_without(index: Positions, length: int) -> Positions:
    """Give the rows of a table, as long as told, to which nothing leads."""
    nothing = np.ones(length + 1, dtype=bool)  # to the last one leads -1
    nothing[index] = False
    return np.flatnonzero(nothing[:-1])


def find_keys(values: pd.Series, keys: pd.Series, /) -> Positions:
    """Give the row of ``keys`` in which each value stands, or -1; of keys given twice the last."""
    if not pd.api.types.is_integer_dtype(keys.dtype):
        if is_ascending(keys) or keys.is_unique:  # keys mostly come in their order
            return find(values, keys)
        first = ~keys.duplicated().to_numpy(dtype=bool)
        return gather(np.flatnonzero(first), find(values, keys[first]))
    wanted = values.fillna(-1).to_numpy(dtype=np.int64)
    known = keys.to_numpy(dtype=np.int64)
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.int64)
    low, span = int(known.min()), int(known.max()) - int(known.min())
    if span <= _DENSE * (len(known) + len(wanted)):
        at = wanted - low
        at[at.view(np.uint64) > span] = -1  # without a sign, what is below is far above
        if is_range(known, low):
            return at
        places = np.full(span + 2, -1, dtype=np.int64)  # the last place is nobody's
        places[known - low] = np.arange(len(known))
        found: Positions = places[at]
        return found
    order = np.argsort(known, kind="stable")
    at = np.searchsorted(known[order], wanted, side="right") - 1  # which may be the last place
    return np.where(known[order[at]] == wanted, order[at], -1)


def find_rows(wanted: Sequence[pd.Series], known: Sequence[pd.Series], /) -> Positions:
    """Give the row of ``known`` in which each row of ``wanted`` stands, or -1.

    Args:
        wanted: The columns of one key: text or whole numbers; null equals null.
        known: The same columns; no row stands there twice.
    """
    if len(wanted) == 1 and not pd.api.types.is_integer_dtype(wanted[0].dtype):
        texts, keys = wanted[0], known[0]
        if not (texts.isna().any() and keys.isna().any()):
            held = keys.notna().to_numpy(dtype=bool)
            if held.all():
                return find(texts, keys)
    elif len(wanted) == 1 and not wanted[0].hasnans and not known[0].hasnans:
        return find_keys(wanted[0], known[0])
    mine, theirs = _codes(wanted[0], known[0])
    absent = mine < 0
    for one, two in zip(wanted[1:], known[1:]):
        left, right = _codes(one, two)
        absent |= left < 0
        span = int(max(left.max(initial=0), right.max(initial=0))) + 1
        if span * (int(theirs.max(initial=0)) + 1) >= _CODE_LIMIT:
            distinct, theirs = np.unique(theirs, return_inverse=True)
            at = np.searchsorted(distinct, mine).clip(max=max(len(distinct) - 1, 0))
            absent |= distinct[at] != mine if len(distinct) else True
            mine = at.astype(np.int64)
        mine, theirs = mine * span + left, theirs * span + right
    found = find_keys(make_column(mine), make_column(theirs))
    return np.where(absent, -1, found)


def _codes(wanted: pd.Series, known: pd.Series) -> tuple[Positions, Positions]:
    """Number the values of one column of two frames alike, from 0; -1 is not in the second."""
    if pd.api.types.is_integer_dtype(known.dtype):
        one = wanted.fillna(-1).to_numpy(dtype=np.int64)
        two = known.fillna(-1).to_numpy(dtype=np.int64)
        low = int(min(one.min(initial=0), two.min(initial=0)))
        high = int(max(one.max(initial=0), two.max(initial=0)))
        if high - low < _CODE_LIMIT >> 24:
            return one - low, two - low
        distinct, codes = np.unique(two, return_inverse=True)
        at = np.searchsorted(distinct, one).clip(max=max(len(distinct) - 1, 0))
        hit = distinct[at] == one if len(distinct) else np.zeros(len(one), dtype=bool)
        return np.where(hit, at, -1), codes.astype(np.int64)
    codes, distinct_texts = pd.factorize(known)
    texts = pd.Series(distinct_texts, dtype=known.dtype)
    at = find(wanted, texts)
    nothing = len(texts)
    at = np.where(wanted.isna().to_numpy(dtype=bool), nothing, at)
    return at, np.where(codes < 0, nothing, codes).astype(np.int64)
