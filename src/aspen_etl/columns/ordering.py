"""Order and lookup: of text by code point, of whole numbers, of rows by several columns.

Text that Arrow holds is ordered by its first bytes as numbers, which a processor sorts many
times faster than text; only what they leave undecided is compared as text.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import kernels
from aspen_etl.columns.kernels import Mask, Positions, arrow_array, take, text_buffers
from aspen_etl.columns.text import conform_text
from aspen_etl.columns.threads import map_threads

__all__ = ["argsort", "argsort_numbers", "find", "is_ascending", "sort_rows"]

#: From how many cells on the first bytes are looked at; and how many bytes a number holds.
_MANY, _WIDTH = 1_000, 8

#: How many numbers there may be for each row, so that rows are put in their places at once.
_DENSE = 4

#: What a code of a combination must stay below, so that 64 bits hold it.
_CODE_LIMIT = 2**62

#: One in how many numbers may be below the one before, in numbers that mostly go up.
_FEW_FALLS = 16

_Heads = npt.NDArray[np.uint64]


def is_ascending(values: pd.Series) -> bool:
    """Tell whether each cell, text or whole number, is above the one before, and none missing."""
    array = arrow_array(values)
    if array is not None:
        return not array.null_count and _rises(array)
    if pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        numbers = values.to_numpy(dtype=np.int64)  # a difference could be too large
        return bool((numbers[:-1] < numbers[1:]).all())
    cells = values.to_numpy(dtype=object)
    return not values.isna().any() and bool((cells[:-1] < cells[1:]).all())


def _rises(array: Any) -> bool:
    import pyarrow.compute as pc

    for part in (array[:_MANY], array):  # what is not in order mostly shows at once
        if len(part) > 1 and not pc.all(pc.less(part[:-1], part[1:])).as_py():
            return False
    return True


# ----------------------------------------------------------------------------- order


def argsort(values: pd.Series) -> Positions:
    """Give the stable order of a column by code point; missing cells come last."""
    return _argsort(values)[0]


def argsort_numbers(numbers: Positions) -> Positions:
    """Give the stable order of whole numbers."""
    length = len(numbers)
    if _is_sorted(numbers):
        return np.arange(length, dtype=np.int64)
    low, high = int(numbers.min()), int(numbers.max())
    if high - low < _DENSE * length:
        places = np.full(high - low + 1, -1, dtype=np.int64)
        places[numbers - low] = np.arange(length)
        order = places[places >= 0]
        if len(order) == length:
            return order
    return _order((numbers - low).view(np.uint64))


def sort_rows(columns: list[pd.Series]) -> tuple[Positions, Mask]:
    """Order rows by columns, first the first one, and tell which equal the row before.

    Args:
        columns: Text or whole numbers without a missing value, all of one length.

    Returns:
        The stable order, and for each place in it whether its row equals the one before.
    """
    same = np.zeros(len(columns[0]), dtype=bool)
    if len(columns) == 1 and not pd.api.types.is_integer_dtype(columns[0].dtype):
        order, distinct = _argsort(columns[0])
        if not distinct:
            ordered = take(columns[0], order)
            same[1:] = (ordered.iloc[1:].array == ordered.iloc[:-1].array).astype(bool)
        return order, same
    codes = [_codes(column) for column in columns]
    one = _combined(codes)
    if one is None:
        order = np.lexsort(codes[::-1]).astype(np.int64)
        same[1:] = True
        for code in codes:
            same[1:] &= code[order][1:] == code[order][:-1]
        return order, same
    order = argsort_numbers(one)
    ordered_codes = one if kernels.is_range(order) else one[order]
    same[1:] = ordered_codes[1:] == ordered_codes[:-1]
    return order, same


def _is_sorted(numbers: Any) -> bool:
    # What is not in order mostly shows at once.
    return all((part[:-1] <= part[1:]).all() for part in (numbers[:_MANY], numbers))


def _combined(codes: list[Positions]) -> Optional[Positions]:
    """Make one number of several that orders rows as they do, where 64 bits hold it."""
    out: Positions = np.zeros(0, dtype=np.int64)
    limit = 1
    for place, code in enumerate(codes):
        low = int(code.min(initial=0))
        span = int(code.max(initial=0)) - low + 1
        limit *= span
        if limit >= _CODE_LIMIT:
            return None
        part = code - low if low else code
        out = out * span + part if place else part
    return out


def _codes(column: pd.Series) -> Positions:
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.to_numpy(dtype=np.int64)
    codes, distinct = pd.factorize(column)
    rank = np.empty(len(distinct), dtype=np.int64)
    rank[argsort(conform_text(pd.Series(distinct)))] = np.arange(len(distinct))
    return rank[codes]


def _argsort(values: pd.Series) -> tuple[Positions, bool]:
    """Order text; the second is true where it is known that no cell stands twice."""
    array = arrow_array(values)
    if array is None:
        present = values.notna().to_numpy(dtype=bool)
        held = np.flatnonzero(present)
        order = np.argsort(values.to_numpy(dtype=object)[present], kind="stable")
        places = np.concatenate([held[order], np.flatnonzero(~present)])
        return places.astype(np.int64, copy=False), False
    import pyarrow.compute as pc

    if array.null_count or len(array) < _MANY:
        return pc.array_sort_indices(array).to_numpy().astype(np.int64), False
    if _rises(array):
        return np.arange(len(array), dtype=np.int64), True
    return _argsort_by_heads(array)


def _argsort_by_heads(array: Any) -> tuple[Positions, bool]:
    import pyarrow as pa
    import pyarrow.compute as pc

    heads = _heads(array, _shared(array))
    order = _order(heads)
    ordered = heads[order]
    tied = np.zeros(len(order) + 1, dtype=bool)
    tied[1:-1] = ordered[1:] == ordered[:-1]
    members = np.flatnonzero(tied[1:] | tied[:-1])
    if len(members):
        # Cells of one head stand together: put in order among all tied ones, they stay together.
        rows = np.sort(order[members])
        order[members] = rows[pc.array_sort_indices(array.take(pa.array(rows))).to_numpy()]
    return order, not len(members)


def _order(numbers: _Heads) -> Positions:
    """Give the stable order of numbers."""
    if _mostly_rises(numbers):
        return _merged(numbers)
    # Numbers are sorted many times faster than where they stand: so the last bits of each tell it.
    width = np.uint64(len(numbers).bit_length())
    packed = numbers >> width << width | np.arange(len(numbers), dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << width) - np.uint64(1))).astype(np.int64)
    ordered = numbers[order]
    if (ordered[1:] < ordered[:-1]).any():  # some are alike but for these bits
        order = order[_merged(ordered)]
    return order


def _merged(numbers: _Heads) -> Positions:
    """Give the stable order of numbers that stand in runs, which are merged."""
    return np.argsort(numbers, kind="stable").astype(np.int64, copy=False)


def _mostly_rises(numbers: _Heads) -> bool:
    falls = int(np.count_nonzero(numbers[1:] < numbers[:-1]))
    return falls <= len(numbers) // _FEW_FALLS


# ----------------------------------------------------------------------------- lookup


def find(values: pd.Series, keys: pd.Series) -> Positions:
    """Give the row of ``keys`` in which each value stands, or -1.

    Args:
        values: Text, in which a missing cell is found nowhere.
        keys: Text, each present, none twice.
    """
    array, known = arrow_array(values), arrow_array(keys)
    if array is None or known is None:
        return pd.Index(keys.astype(object)).get_indexer(values.astype(object)).astype(np.int64)  # type: ignore[no-any-return]
    import pyarrow.compute as pc

    if array.equals(known):
        return np.arange(len(values), dtype=np.int64)
    if array.null_count == 0 and min(len(array), len(known)) >= _MANY:
        found = _find_by_heads(array, known)
        if found is not None:
            return found
    found = pc.index_in(array, value_set=known.cast(array.type), skip_nulls=True)
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]


def _find_by_heads(array: Any, known: Any) -> Optional[Positions]:
    """Find each text among keys by its first bytes, or give none where too many keys share them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    shared = _shared(array, known)
    both = (array, known)
    wanted, heads = map_threads(lambda one: _heads(one, shared), both, rows=len(array))
    keys = _order(heads)
    heads = heads[keys]
    tied = np.zeros(len(heads) + 1, dtype=bool)
    tied[1:-1] = heads[1:] == heads[:-1]
    rivals = keys[tied[1:] | tied[:-1]]
    if len(rivals) > len(keys) // 4:
        return None
    places = _search(heads, wanted)
    found = np.where(heads[places] == wanted, keys[places], -1)
    held = np.flatnonzero(found >= 0)
    other = kernels.arrays_differ_at([array], held, [known.cast(array.type)], found[held])
    rest = held[other]  # alike at first, and no more
    if len(rest):
        values = known.cast(array.type).take(pa.array(rivals))
        at = pc.index_in(array.take(pa.array(rest)), value_set=values).fill_null(-1).to_numpy()
        found[rest] = np.where(at < 0, -1, rivals[at]) if len(rivals) else -1
    return found


def _search(numbers: _Heads, wanted: _Heads) -> Positions:
    """Give the place among ordered numbers at which each wanted one stands, if it stands there."""
    if not _mostly_rises(wanted):  # else the cache holds what comes next as it is
        order = _order(wanted)
        places = np.empty(len(wanted), dtype=np.int64)
        places[order] = _search(numbers, wanted[order])
        return places
    if np.array_equal(numbers, wanted):
        return np.arange(len(wanted), dtype=np.int64)
    return np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)


# ----------------------------------------------------------------------------- heads of text


def _shared(*arrays: Any) -> int:
    """Count the bytes with which all cells of some columns begin."""
    import pyarrow.compute as pc

    some = [array[place].as_py() for array in arrays for place in (0, len(array) // 2, -1)]
    if not _common(some):
        return 0  # mostly it shows at once
    found = map_threads(lambda array: pc.min_max(array).as_py(), arrays, rows=len(arrays[0]))
    return _common([one[end] for one in found for end in ("min", "max")])


def _common(texts: list[Optional[str]]) -> int:
    """Count the bytes with which all of some texts begin."""
    held = [(text or "").encode() for text in texts]
    low, high = min(held), max(held)
    pairs = zip(low, high)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(low), len(high)))


def _heads(array: Any, skip: int) -> _Heads:
    """Give eight bytes of each cell, after those to skip, as a number that sorts as they do."""
    offsets, data = text_buffers(array)
    begins, lengths = offsets[:-1] - offsets[0] + skip, np.diff(offsets) - skip
    width = int(lengths[0])
    if (lengths == width).all():
        cells = data.reshape(len(array), width + skip)[:, skip : skip + _WIDTH]
        if cells.shape[1] == _WIDTH:
            return np.ascontiguousarray(cells).view(">u8").ravel().astype(np.uint64)
    out: _Heads = np.zeros(len(array), dtype=np.uint64)
    last = max(len(data) - 1, 0)
    for place in range(_WIDTH):
        byte = data[np.minimum(begins + place, last)] if len(data) else np.uint8(0)
        out = (out << np.uint64(8)) | np.where(lengths > place, byte, 0).astype(np.uint64)
    return out
