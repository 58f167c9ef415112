"""Rows of several columns: their order, and where they stand in another frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.chosen import COLUMNS
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.positions import argsort_numbers, gather, is_range
from aspen_etl.columns.protocol import Mask, Positions
from aspen_etl.columns.text import conform_text

__all__ = [
    "are_present",
    "are_twice",
    "are_whole",
    "codes",
    "find_keys",
    "find_rows",
    "number_rows",
    "same_cells",
    "sort_rows",
    "take_rows",
]

#: How many numbers there may be for each key, so that a table of all of them pays.
_DENSE = 4

#: What a code of a combination must stay below, so that 64 bits hold it.
_CODE_LIMIT = 2**62


def take_rows(frame: pd.DataFrame, rows: Positions, /) -> pd.DataFrame:
    """Take some rows of a frame, by their places; the index is new."""
    columns = {name: COLUMNS.take(values, rows) for name, values in frame.items()}
    return make_frame(columns, pd.RangeIndex(len(rows)))


def codes(values: pd.Series, /) -> tuple[Positions, pd.Series]:
    """Give each text of a column once, and which of them each cell holds; -1 where none."""
    found, distinct = pd.factorize(values)
    return found.astype(np.int64, copy=False), conform_text(pd.Series(distinct, dtype=values.dtype))


def are_present(values: pd.Series, /) -> Mask:
    """Tell which cells of a column, or which row numbers, are there."""
    if values.dtype == np.int64:
        return (values >= 0).to_numpy(dtype=bool)
    return values.notna().to_numpy(dtype=bool)


def are_whole(columns: Sequence[pd.Series], /) -> Mask:
    """Tell in which rows all columns have a cell, or lead to a row."""
    whole: Mask = np.logical_and.reduce([are_present(column) for column in columns])
    return whole


def number_rows(columns: Sequence[pd.Series], /) -> tuple[Positions, int]:
    """Number the distinct rows of columns of text or of row numbers, in no order.

    Returns:
        The number of each row, -1 where one of its cells is missing, and how many there are.
    """
    out, count = _number_cells(columns[0])
    for values in columns[1:]:
        more, span = _number_cells(values)
        joined = np.where((out < 0) | (more < 0), -1, out * max(span, 1) + more)
        out, count = _number_cells(make_column(joined))
    return out, count


def _number_cells(values: pd.Series) -> tuple[Positions, int]:
    if not _is_whole(values):
        found, distinct = codes(values)
        return found, len(distinct)
    present = are_present(values)
    found, known = pd.factorize(values.to_numpy(dtype=np.int64)[present])
    out = np.full(len(values), -1, dtype=np.int64)
    out[present] = found
    return out, len(known)


def same_cells(one: pd.Series, two: pd.Series, /) -> bool:
    """Tell that two columns of one dtype hold the same cells; null equals null."""
    return len(one) == len(two) and not COLUMNS.differ(one, two).any()


# ----------------------------------------------------------------------------- order


def sort_rows(columns: list[pd.Series], /) -> tuple[Positions, Mask]:
    """Order rows by columns, first the first one, and tell which equal the row before.

    Args:
        columns: Text, whole numbers, dates or moments, all of one length; what is missing comes
            first, and equals what is missing.

    Returns:
        The stable order, and for each place in it whether its row equals the one before.
    """
    same = np.zeros(len(columns[0]), dtype=bool)
    if len(columns) == 1 and not _is_whole(columns[0]) and not columns[0].hasnans:
        order, no_twins = COLUMNS.order(columns[0])
        if not no_twins:
            ordered = COLUMNS.take(columns[0], order)
            same[1:] = ~COLUMNS.differ(ordered.iloc[1:], ordered.iloc[:-1])
        return order, same
    ranks = [_ranks(column) for column in columns]
    one = _combined(ranks)
    if one is None:
        order = np.lexsort(ranks[::-1]).astype(np.int64)
        same[1:] = True
        for rank in ranks:
            same[1:] &= rank[order][1:] == rank[order][:-1]
        return order, same
    order = argsort_numbers(one)
    ordered_ranks = one if is_range(order) else one[order]
    same[1:] = ordered_ranks[1:] == ordered_ranks[:-1]
    return order, same


def are_twice(columns: list[pd.Series], looked_at: Mask, /) -> Mask:
    """Tell which of the rows that are looked at equal another of them; null equals null."""
    out, rows = np.zeros(len(looked_at), dtype=bool), np.flatnonzero(looked_at)
    order, same = sort_rows([COLUMNS.take(values, rows) for values in columns])
    out[rows[order[same]]] = True
    out[rows[order[np.append(same[1:], np.zeros(len(same) and 1, dtype=bool))]]] = True
    return out


def _combined(ranks: list[Positions]) -> Optional[Positions]:
    """Make one number of several that orders rows as they do, where 64 bits hold it."""
    out: Positions = np.zeros(0, dtype=np.int64)
    limit = 1
    for place, rank in enumerate(ranks):
        low = int(rank.min(initial=0))
        span = int(rank.max(initial=0)) - low + 1
        limit *= span
        if limit >= _CODE_LIMIT:
            return None
        part = rank - low if low else rank
        out = out * span + part if place else part
    return out


def _ranks(column: pd.Series) -> Positions:
    if _is_whole(column) and not column.hasnans:
        return _numbers(column)
    if _is_whole(column):
        absent = column.isna().to_numpy(dtype=bool)
        found = np.unique(_numbers(column), return_inverse=True)[1].ravel()
        return np.where(absent, -1, found).astype(np.int64, copy=False)
    found, distinct = codes(column)
    rank = np.full(len(distinct) + 1, -1, dtype=np.int64)  # the last one is that of no text
    rank[COLUMNS.order(distinct)[0]] = np.arange(len(distinct))
    return rank[found]


def _is_whole(values: pd.Series) -> bool:
    """Tell whether whole numbers stand for the values: they are such, or count time."""
    return pd.api.types.is_integer_dtype(values.dtype) or _is_time(values)


def _is_time(values: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(values.dtype)


def _numbers(values: pd.Series) -> Positions:
    """Give the whole numbers of a column; what is missing is any number."""
    if _is_time(values):
        return values.to_numpy(dtype=f"datetime64[{values.dt.unit}]").view(np.int64)
    return values.fillna(0).to_numpy(dtype=np.int64)


# ----------------------------------------------------------------------------- lookup


def find_keys(values: pd.Series, keys: pd.Series, /) -> Positions:
    """Give the row of ``keys`` in which each value stands, or -1; of keys given twice one."""
    if not _is_whole(keys):
        if COLUMNS.order(keys)[1] or keys.is_unique:  # keys mostly come in their order
            return _find(values, keys)
        first = np.flatnonzero(~keys.duplicated().to_numpy(dtype=bool))
        return gather(first, _find(values, COLUMNS.take(keys, first)))
    if keys.hasnans:
        held = np.flatnonzero(keys.notna().to_numpy(dtype=bool))
        return gather(held, find_keys(values, COLUMNS.take(keys, held)))
    if not _are_alike(values, keys) or not len(keys):
        return np.full(len(values), -1, dtype=np.int64)
    found = _find_numbers(_numbers(values), _numbers(keys))
    return np.where(values.isna().to_numpy(dtype=bool), -1, found) if values.hasnans else found


def _are_alike(one: pd.Series, two: pd.Series) -> bool:
    """Tell whether equal numbers stand for equal values of two columns."""
    if _is_time(one) or _is_time(two):
        return bool(one.dtype == two.dtype)
    return not isinstance(one.dtype, pd.StringDtype) and one.dtype != object


def _find_numbers(wanted: Positions, known: Positions) -> Positions:
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
        wanted: The columns of one key: text, whole numbers, dates or moments; null equals null.
        known: The same columns; no row stands there twice.
    """
    if len(wanted) == 1 and not _is_whole(wanted[0]):
        if not known[0].isna().any():
            return _find(wanted[0], known[0])
    elif len(wanted) == 1 and not wanted[0].hasnans and not known[0].hasnans:
        return find_keys(wanted[0], known[0])
    mine, theirs = _shared_codes(wanted[0], known[0])
    absent = mine < 0
    for one, two in zip(wanted[1:], known[1:]):
        left, right = _shared_codes(one, two)
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


def _find(values: pd.Series, keys: pd.Series) -> Positions:
    """Find text among text; what is no text is found nowhere, as in a table that is no good."""
    if all(pd.api.types.is_string_dtype(column.dtype) for column in (values, keys)):
        return COLUMNS.find(values, keys)
    return np.full(len(values), -1, dtype=np.int64)


def _shared_codes(wanted: pd.Series, known: pd.Series) -> tuple[Positions, Positions]:
    """Number the values of one column of two frames alike, from 0; -1 is not in the second."""
    if _is_whole(known):
        return _shared_numbers(wanted, known)
    found, distinct = codes(known)
    at = _find(wanted, distinct)
    nothing = len(distinct)
    at = np.where(wanted.isna().to_numpy(dtype=bool), nothing, at)
    return at, np.where(found < 0, nothing, found)


def _shared_numbers(wanted: pd.Series, known: pd.Series) -> tuple[Positions, Positions]:
    absent, missing = (column.isna().to_numpy(dtype=bool) for column in (wanted, known))
    two = _numbers(known)
    held = two[~missing]
    if not len(held) or not _are_alike(wanted, known):
        return np.where(absent, 0, -1), np.where(missing, 0, 1)
    one, low = _numbers(wanted), int(held.min())
    nothing = int(held.max()) - low + 1
    if nothing < _CODE_LIMIT >> 24:
        at = one - low
        at[at.view(np.uint64) >= nothing] = -1  # without a sign, what is below is far above
        found = two - low
    else:
        ordered = np.sort(held, kind="stable")  # keys mostly rise, which np.unique makes nothing of
        distinct = ordered[np.append(True, ordered[1:] != ordered[:-1])]
        nothing = len(distinct)
        at = np.searchsorted(distinct, one).clip(max=nothing - 1)
        at = np.where(distinct[at] == one, at, -1)
        found = np.searchsorted(distinct, two)
    return np.where(absent, nothing, at), np.where(missing, nothing, found)
