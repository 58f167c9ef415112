"""The few operations on text where pandas loops in Python, each with an Arrow twin.

A kernel takes the Arrow way where the column is held by Arrow (pandas 3 with pyarrow) and
the pandas way elsewhere. Both give the same answer; one test runs over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns.text import conform_text

__all__ = [
    "Mask",
    "Positions",
    "alike",
    "arrays_differ_at",
    "arrow_array",
    "arrow_chunks",
    "arrow_pieces",
    "categorize",
    "compact",
    "concat",
    "differ",
    "differ_at",
    "distinct",
    "is_constant",
    "is_range",
    "neighbours",
    "one_piece",
    "only",
    "repeat",
    "same_cells",
    "same_text",
    "select",
    "take",
    "text_buffers",
    "to_text",
]

#: Row numbers, from 0; -1 stands for no row.
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def arrow_array(values: pd.Series) -> Any:
    """Give the Arrow array that holds the column, or none where Arrow does not hold it."""
    dtype = values.dtype
    if not (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        return None
    return one_piece(arrow_pieces(values))


def arrow_pieces(values: pd.Series) -> Any:
    """Give the Arrow array that holds the column, in as many pieces as it was read in."""
    import pyarrow as pa

    return pa.array(values.array, from_pandas=True)


def one_piece(array: Any) -> Any:
    """Put the pieces of an Arrow array together; one alone is not copied."""
    import pyarrow as pa

    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()


def arrow_chunks(values: pd.Series) -> Any:
    """Give the pieces that hold the column, or none where Arrow does not hold it."""
    dtype = values.dtype
    if not (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        return None
    import pyarrow as pa

    array = arrow_pieces(values)
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def compact(values: pd.Series) -> pd.Series:
    """Put a column of text into one piece, as what looks at all of it at once wants it."""
    array = arrow_array(values)
    return values if array is None else to_text(array, values).set_axis(values.index)


def to_text(array: Any, like: pd.Series) -> pd.Series:
    """Make a text column of an Arrow array, of the dtype and the name of ``like``."""
    dtype: Any = like.dtype
    return pd.Series(dtype.__from_arrow__(array), name=like.name)


def take(values: pd.Series, positions: Positions) -> pd.Series:
    """Gather rows by position; -1 gives a missing value. The index is new."""
    together = neighbours(values, positions)
    if together is not None:
        return together
    if not len(values):
        return conform_text(
            pd.Series(np.full(len(positions), None, dtype=object), name=values.name)
        )
    absent = positions < 0
    if arrow_chunks(values) is not None:
        gathered = _gather(arrow_pieces(values), positions, absent)
        return to_text(one_piece(gathered), values)
    taken = pd.Series(values.array.take(positions, allow_fill=bool(absent.any())), name=values.name)
    return conform_text(taken) if values.dtype == object else taken


def same_text(one: pd.Series, two: pd.Series) -> bool:
    """Tell at little cost that two columns hold the same cells; where Arrow does not, it is no."""
    array = arrow_array(one)
    return array is not None and bool(array.equals(arrow_array(two)))


def same_cells(one: pd.Series, two: pd.Series) -> bool:
    """Tell that two columns of one dtype hold the same cells; null equals null."""
    return len(one) == len(two) and (same_text(one, two) or not differ(one, two).any())


def only(values: pd.Series, rows: Mask) -> pd.Series:
    """Keep the cells of some rows, and make the others missing."""
    array = arrow_array(values)
    if array is None or not len(values):
        return conform_text(values.where(rows, None))
    import pyarrow as pa

    if array.null_count:
        rows = rows & array.is_valid().to_numpy(zero_copy_only=False)
    bits = np.packbits(rows, bitorder="little")
    if array.offset:
        bits = np.packbits(np.pad(rows, (array.offset, 0)), bitorder="little")
    # The same bytes of the same cells: only which of them count is another.
    buffers = [pa.py_buffer(bits), *array.buffers()[1:]]
    held = pa.Array.from_buffers(array.type, len(array), buffers, offset=array.offset)
    return to_text(held, values).set_axis(values.index)


def concat(columns: Sequence[pd.Series]) -> pd.Series:
    """Put columns of one dtype one after the other. The index is new."""
    chunks = [arrow_chunks(column) for column in columns]
    if any(pieces is None for pieces in chunks):
        joined = pd.concat(columns, ignore_index=True)
        return conform_text(joined) if joined.dtype == object else joined
    import pyarrow as pa

    pieces = pa.chunked_array(chain(*chunks), pa.large_string())
    return to_text(pieces.combine_chunks(), columns[0])


def distinct(values: pd.Series) -> pd.Series:
    """Give each text that stands in a column once; a missing cell is none. The index is new."""
    _, found = pd.factorize(values)
    return conform_text(pd.Series(found, dtype=object if values.dtype == object else values.dtype))


def categorize(values: pd.Series) -> pd.Series:
    """Make a categorical of a text column: each text once, and which of them each cell holds."""
    codes, found = pd.factorize(values)
    categories = pd.Index(found, dtype=values.dtype)
    return pd.Series(pd.Categorical.from_codes(codes, categories), index=values.index)


def differ(one: pd.Series, two: pd.Series) -> Mask:
    """Tell in which rows two columns of one dtype differ; null equals null."""
    if one is two:
        return np.zeros(len(one), dtype=bool)
    left, right = arrow_array(one), arrow_array(two)
    if left is not None and right is not None:
        return _differ(left, right)
    if pd.api.types.is_string_dtype(one.dtype):
        out: Mask = (one.to_numpy(dtype=object) != two.to_numpy(dtype=object)).astype(bool)
        rows = np.flatnonzero(out)  # null is unequal to null by itself
        out[rows[(one.iloc[rows].isna() & two.iloc[rows].isna()).to_numpy(dtype=bool)]] = False
        return out
    absent, other = one.isna().to_numpy(dtype=bool), two.isna().to_numpy(dtype=bool)
    out = absent != other
    rows = np.flatnonzero(~(absent | other))
    out[rows] = np.asarray(one.array[rows] != two.array[rows], dtype=bool)
    return out


def _differ(left: Any, right: Any) -> Mask:
    import pyarrow.compute as pc

    found = pc.not_equal(left, right)
    if found.null_count:
        found = pc.coalesce(found, pc.not_equal(left.is_null(), right.is_null()))
    return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def differ_at(one: pd.Series, rows: Positions, two: pd.Series, at: Positions) -> Mask:
    """Tell which of some rows of a column differ from rows of another; null equals null.

    Args:
        one: A column.
        rows: Which of its rows, none of them -1.
        two: Another column of the same dtype.
        at: With which of its rows each is compared, none of them -1.
    """
    left, right = arrow_chunks(one), arrow_chunks(two)
    if left is None or right is None:
        return differ(select(one, rows), select(two, at))
    return arrays_differ_at(left, rows, right, at)


def arrays_differ_at(one: list[Any], rows: Positions, two: list[Any], at: Positions) -> Mask:
    """Do what ``differ_at`` does with the pieces of Arrow arrays."""
    out = np.empty(len(rows), dtype=bool)
    for start in range(0, len(rows), _BLOCK):  # so that what is gathered stays in the cache
        part = slice(start, start + _BLOCK)
        out[part] = _differ(_rows_of(one, rows[part]), _rows_of(two, at[part]))
    return out


def _rows_of(chunks: list[Any], positions: Positions) -> Any:
    """Gather rows of an Arrow array in pieces, which are seldom far from each other."""
    import pyarrow as pa

    low, high = int(positions.min()), int(positions.max()) + 1
    window = one_piece(pa.chunked_array(chunks).slice(low, high - low))
    if high - low == len(positions) and is_range(positions, low):
        return window
    return window.take(pa.array(positions - low))


def repeat(text: Optional[str], length: int) -> pd.Series:
    """Make a text column that holds one value throughout."""
    one = conform_text(pd.Series([text], dtype=object))
    array = arrow_array(one)
    if array is None:
        return conform_text(pd.Series(np.full(length, text, dtype=object)))
    import pyarrow as pa

    return to_text(pa.repeat(pa.scalar(text, array.type), length), one)


def alike(one: Any, two: Any) -> bool:
    """Tell whether two cells are the same, or both are missing."""
    return bool(pd.isna(two)) if pd.isna(one) else not pd.isna(two) and bool(one == two)


def is_constant(values: pd.Series) -> bool:
    """Tell whether all cells of a column are the same, or all missing; none at all are."""
    if len(values) and not alike(values.iloc[0], values.iloc[-1]):
        return False  # mostly it shows at once
    return len(values) < 2 or _repeats_its_first(values)  # noqa: PLR2004


def _repeats_its_first(values: pd.Series) -> bool:
    first, pieces = values.iloc[0], arrow_chunks(values)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        ticks = values.to_numpy(dtype="datetime64[ms]").view(np.int64)
        return bool((ticks == ticks[0]).all())
    if pd.isna(first):
        return bool(values.isna().all())
    if pieces is not None:
        return all(_holds_only(piece, first.encode()) for piece in pieces)
    if not isinstance(first, str):
        return not values.hasnans and bool((values == first).all())
    cells = values.tolist()
    return bool(cells.count(first) == len(cells))  # at no cost where they are one object


def _holds_only(array: Any, cell: bytes) -> bool:
    """Tell whether each cell of an Arrow array is the same."""
    ends, data = text_buffers(array)
    width = len(cell)
    if array.null_count or len(data) != width * len(array) or (np.diff(ends) != width).any():
        return False
    # The first cell is it, and each byte behind is the one that stands a cell before.
    return not len(array) or (
        data[:width].tobytes() == cell and np.array_equal(data[width:], data[: len(data) - width])
    )


def is_range(positions: Positions, first: int = 0) -> bool:
    """Tell whether positions go up by one from the first on."""
    for start in range(0, len(positions), len(_STEPS)):
        part = positions[start : start + len(_STEPS)]
        if not (part - (first + start) == _STEPS[: len(part)]).all():
            return False
    return True


def neighbours(values: pd.Series, positions: Positions) -> Optional[pd.Series]:
    """Give rows that stand one behind the other, without a copy; none where they do not."""
    first = int(positions[0]) if len(positions) else 0
    if first < 0 or not is_range(positions, first):
        return None
    return values.iloc[first : first + len(positions)].reset_index(drop=True)


def select(values: pd.Series, positions: Positions, /) -> pd.Series:
    """Gather rows of any dtype by position, none of them -1. The index is new."""
    together = neighbours(values, positions)
    if together is not None:
        return together
    if arrow_chunks(values) is not None:
        return to_text(_gather(arrow_pieces(values), positions), values)
    return pd.Series(values.array.take(positions), name=values.name, copy=False)


def _gather(array: Any, positions: Positions, absent: Optional[Mask] = None) -> Any:
    """Gather rows of an Arrow array; if they go up, from each of its pieces by itself.

    Arrow puts all pieces together first, be it for one row.
    """
    import pyarrow as pa

    if absent is not None and absent.any():
        return array.take(pa.array(positions, mask=absent))
    pieces = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if len(pieces) == 1 or (positions[1:] < positions[:-1]).any():
        return array.take(pa.array(positions))
    ends = np.cumsum([0, *map(len, pieces)])
    cuts = np.searchsorted(positions, ends)
    parts = zip(pieces, ends, cuts, cuts[1:])
    found = [piece.take(pa.array(positions[i:j] - first)) for piece, first, i, j in parts if i < j]
    return pa.chunked_array(found, array.type)


_STEPS = np.arange(1 << 14)

#: How many rows are gathered at once, where they are only looked at.
_BLOCK = 1 << 15


def text_buffers(array: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Give where the cells of an Arrow array begin and end, and their bytes from the first on."""
    import pyarrow as pa

    wide = pa.types.is_large_string(array.type)
    _, offsets, data = array.buffers()
    width: Any = np.int64 if wide else np.int32
    if offsets is None or not len(array):
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    held = np.frombuffer(offsets, dtype=width)[array.offset : array.offset + len(array) + 1]
    ends = held.astype(np.int64, copy=False)
    if data is None:
        return ends, np.empty(0, dtype=np.uint8)
    return ends, np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]
