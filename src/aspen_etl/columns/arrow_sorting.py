"""Order and lookup of text that Arrow holds: by its first bytes as numbers.

A processor sorts numbers many times faster than text; only what the first bytes leave undecided
is compared as text.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aspen_etl.columns.arrow_arrays import differ_at, text_bytes
from aspen_etl.columns.positions import mostly_rises, order_unsigned
from aspen_etl.columns.protocol import Positions
from aspen_etl.columns.threads import map_threads

__all__ = ["find", "order"]

#: From how many cells on the first bytes are looked at; and how many bytes a number holds.
_MANY, _WIDTH = 1_000, 8

#: How many texts there must be for each known one, so that these are looked up by their hashes.
_FEW = 4

_Heads = npt.NDArray[np.uint64]


# ----------------------------------------------------------------------------- order


def order(array: Any, /) -> tuple[Positions, bool]:
    """Give the stable order of an array, and whether it is known that no cell stands twice."""
    if not array.null_count and _rises(array):
        return np.arange(len(array), dtype=np.int64), True
    if array.null_count or len(array) < _MANY:
        return pc.array_sort_indices(array).to_numpy().astype(np.int64), False
    return _order_by_heads(array)


def _rises(array: Any) -> bool:
    for part in (array[:_MANY], array):  # what is not in order mostly shows at once
        if len(part) > 1 and not pc.all(pc.less(part[:-1], part[1:])).as_py():
            return False
    return True


def _order_by_heads(array: Any) -> tuple[Positions, bool]:
    heads = _heads(array, _shared(array))
    places = order_unsigned(heads)
    tied = _tied(heads[places])
    members = np.flatnonzero(tied)
    if len(members):
        # Cells of one head stand together: put in order among all tied ones, they stay together.
        rows = np.sort(places[members])
        places[members] = rows[pc.array_sort_indices(array.take(pa.array(rows))).to_numpy()]
    return places, not len(members)


def _tied(ordered: _Heads) -> npt.NDArray[np.bool_]:
    """Tell which of some numbers in order stand there more than once."""
    alike = np.zeros(len(ordered) + 1, dtype=bool)
    alike[1:-1] = ordered[1:] == ordered[:-1]
    return alike[1:] | alike[:-1]


# ----------------------------------------------------------------------------- lookup


def find(array: Any, known: Any, /) -> Positions:
    """Give the place among known texts, none of which stands twice, of each text, or -1."""
    if array.equals(known):
        return np.arange(len(array), dtype=np.int64)
    is_few = len(known) * _FEW < len(array)  # a table of them stays in the cache
    if array.null_count == 0 and min(len(array), len(known)) >= _MANY and not is_few:
        found = _find_by_heads(array, known)
        if found is not None:
            return found
    places = pc.index_in(array, value_set=known, skip_nulls=True).fill_null(-1)
    return places.to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]


def _find_by_heads(array: Any, known: Any) -> Optional[Positions]:
    """Find each text among keys by its first bytes, or give none where too many keys share them."""
    shared = _shared(array, known)
    both = (array, known)
    wanted, heads = map_threads(lambda one: _heads(one, shared), both, rows=len(array))
    keys = order_unsigned(heads)
    heads = heads[keys]
    rivals = keys[_tied(heads)]
    if len(rivals) > len(keys) // 4:
        return None
    places = _search(heads, wanted)
    found = np.where(heads[places] == wanted, keys[places], -1)
    held = np.flatnonzero(found >= 0)
    other = differ_at([array], held, [known], found[held])
    rest = held[other]  # alike at first, and no more
    if len(rest):
        values = known.take(pa.array(rivals))
        at = pc.index_in(array.take(pa.array(rest)), value_set=values).fill_null(-1).to_numpy()
        found[rest] = np.where(at < 0, -1, rivals[at]) if len(rivals) else -1
    return found


def _search(numbers: _Heads, wanted: _Heads) -> Positions:
    """Give the place among ordered numbers at which each wanted one stands, if it stands there."""
    if not mostly_rises(wanted):  # else the cache holds what comes next as it is
        turn = order_unsigned(wanted)
        places = np.empty(len(wanted), dtype=np.int64)
        places[turn] = _search(numbers, wanted[turn])
        return places
    if np.array_equal(numbers, wanted):
        return np.arange(len(wanted), dtype=np.int64)
    return np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)


# ----------------------------------------------------------------------------- heads of text


def _shared(*arrays: Any) -> int:
    """Count the bytes with which all cells of some columns begin."""
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
    offsets, data = text_bytes(array)
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
