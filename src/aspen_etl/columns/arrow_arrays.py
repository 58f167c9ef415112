"""The arrays that Arrow holds text in: their pieces, their bytes, their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aspen_etl.columns.positions import is_range
from aspen_etl.columns.protocol import Mask, Positions

__all__ = [
    "array_of",
    "differ",
    "differ_at",
    "gather_rows",
    "holds_only",
    "one_piece",
    "pieces_of",
    "text_bytes",
]

#: How many rows are gathered at once, where they are only looked at.
_BLOCK = 1 << 15


def pieces_of(values: pd.Series, /) -> list[Any]:
    """Give the arrays that hold a text column: as many as it was read in."""
    held = pa.array(values.array, type=pa.large_string(), from_pandas=True)
    return held.chunks if isinstance(held, pa.ChunkedArray) else [held]


def array_of(values: pd.Series, /) -> Any:
    """Give the one array that holds a text column."""
    return one_piece(pieces_of(values))


def one_piece(pieces: list[Any], /) -> Any:
    """Put arrays of text together; one alone is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    return pa.chunked_array(pieces, pa.large_string()).combine_chunks()


def text_bytes(array: Any, /) -> tuple[Positions, npt.NDArray[np.uint8]]:
    """Give where the cells of an array begin and end, and their bytes from the first on."""
    _, offsets, data = array.buffers()
    if offsets is None or not len(array):
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    held = np.frombuffer(offsets, dtype=np.int64)
    ends = held[array.offset : array.offset + len(array) + 1]
    if data is None:
        return ends, np.empty(0, dtype=np.uint8)
    return ends, np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]


def gather_rows(pieces: list[Any], at: Positions, /) -> Any:
    """Gather rows of a column; if they go up, from each of its pieces by itself.

    Arrow puts all pieces together first, be it for one row.
    """
    absent = at < 0
    if absent.any():
        return one_piece(pieces).take(pa.array(at, mask=absent))
    if len(pieces) == 1 or (at[1:] < at[:-1]).any():
        return one_piece(pieces).take(pa.array(at))
    ends = np.cumsum([0, *map(len, pieces)])
    cuts = np.searchsorted(at, ends)
    parts = zip(pieces, ends, cuts, cuts[1:])
    found = [piece.take(pa.array(at[i:j] - first)) for piece, first, i, j in parts if i < j]
    return one_piece(found)


# ----------------------------------------------------------------------------- comparing


def differ(one: Any, two: Any, /) -> Mask:
    """Tell in which cells two arrays differ; null equals null."""
    found = pc.not_equal(one, two)
    if found.null_count:
        found = pc.coalesce(found, pc.not_equal(one.is_null(), two.is_null()))
    return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def differ_at(one: list[Any], rows: Positions, two: list[Any], at: Positions, /) -> Mask:
    """Tell which rows of a column in pieces differ from rows of another; none of them is -1."""
    out = np.empty(len(rows), dtype=bool)
    for start in range(0, len(rows), _BLOCK):  # so that what is gathered stays in the cache
        part = slice(start, start + _BLOCK)
        out[part] = differ(_window(one, rows[part]), _window(two, at[part]))
    return out


def _window(pieces: list[Any], at: Positions) -> Any:
    """Gather rows, which are seldom far from each other."""
    low, high = int(at.min()), int(at.max()) + 1
    held = pa.chunked_array(pieces, pa.large_string()).slice(low, high - low)
    window = one_piece(held.chunks)
    if high - low == len(at) and is_range(at, low):
        return window
    return window.take(pa.array(at - low))


def holds_only(array: Any, cell: bytes, /) -> bool:
    """Tell whether each cell of an array is the same."""
    ends, data = text_bytes(array)
    width = len(cell)
    if array.null_count or len(data) != width * len(array) or (np.diff(ends) != width).any():
        return False
    # The first cell is it, and each byte behind is the one that stands a cell before.
    return not len(array) or (
        data[:width].tobytes() == cell and np.array_equal(data[width:], data[: len(data) - width])
    )
