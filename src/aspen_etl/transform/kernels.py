"""The few operations on text where pandas loops in Python, each with an Arrow twin.

A kernel takes the Arrow way where the column is held by Arrow (pandas 3 with pyarrow) and
the pandas way elsewhere. Both give the same answer; one test runs over both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.schema.text import TextFormat, conform_text

__all__ = [
    "Mask",
    "Positions",
    "arrow_array",
    "compact",
    "concat",
    "differ",
    "distinct",
    "first_space",
    "is_range",
    "join_words",
    "longer_than",
    "matches",
    "neighbours",
    "only",
    "repeat",
    "same_text",
    "suspects",
    "take",
    "text_buffers",
    "to_text",
]

#: Row numbers, from 0; -1 stands for no row.
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_SPACE, _DELETE = 0x20, 0x7F

#: How many bytes are looked at in one go.
_BLOCK = 1 << 18


def arrow_array(values: pd.Series) -> Any:
    """Give the Arrow array that holds the column, or none where Arrow does not hold it."""
    dtype = values.dtype
    if not (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        return None
    return _one_piece(_pieces(values))


def _pieces(values: pd.Series) -> Any:
    """Give the Arrow array that holds the column, in as many pieces as it was read in."""
    import pyarrow as pa

    return pa.array(values.array, from_pandas=True)


def _one_piece(array: Any) -> Any:
    import pyarrow as pa

    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()


def _chunks(values: pd.Series) -> Any:
    """Give the pieces that hold the column, or none where Arrow does not hold it."""
    dtype = values.dtype
    if not (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        return None
    import pyarrow as pa

    array = _pieces(values)
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def compact(values: pd.Series) -> pd.Series:
    """Put a column of text into one piece, as what looks at all of it at once wants it."""
    array = arrow_array(values)
    return values if array is None else to_text(array, values).set_axis(values.index)


def to_text(array: Any, like: pd.Series) -> pd.Series:
    """Make a text column of an Arrow array, of the dtype of ``like``."""
    dtype: Any = like.dtype
    return pd.Series(dtype.__from_arrow__(array))


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
    if _chunks(values) is not None:
        import pyarrow as pa

        rows = pa.array(positions, mask=absent if absent.any() else None)
        found = to_text(_one_piece(_pieces(values).take(rows)), values)
        found.name = values.name
        return found
    taken = pd.Series(values.array.take(positions, allow_fill=bool(absent.any())), name=values.name)
    return conform_text(taken) if values.dtype == object else taken


def same_text(one: pd.Series, two: pd.Series) -> bool:
    """Tell at little cost that two columns hold the same cells; where Arrow does not, it is no."""
    array = arrow_array(one)
    return array is not None and bool(array.equals(arrow_array(two)))


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
    chunks = [_chunks(column) for column in columns]
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


def differ(one: pd.Series, two: pd.Series) -> Mask:
    """Tell in which rows two columns of one dtype differ; null equals null."""
    if one is two:
        return np.zeros(len(one), dtype=bool)
    left, right = arrow_array(one), arrow_array(two)
    if left is not None and right is not None:
        import pyarrow.compute as pc

        found = pc.not_equal(left, right)
        if found.null_count:
            found = pc.coalesce(found, pc.not_equal(left.is_null(), right.is_null()))
        return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
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


def repeat(text: Optional[str], length: int) -> pd.Series:
    """Make a text column that holds one value throughout."""
    one = conform_text(pd.Series([text], dtype=object))
    array = arrow_array(one)
    if array is None:
        return conform_text(pd.Series(np.full(length, text, dtype=object)))
    import pyarrow as pa

    return to_text(pa.repeat(pa.scalar(text, array.type), length), one)


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


_STEPS = np.arange(1 << 14)


# ----------------------------------------------------------------------------- looking at text


def suspects(values: pd.Series) -> Positions:
    """Find the rows that may hold white space to clean or a control character.

    A superset: what is not found has no white space but single inner spaces, and no
    character below U+0020, nor any that is not ASCII.
    """
    chunks = _chunks(values)
    if chunks is None:
        return _suspects_in(values)
    starts = np.cumsum([0, *map(len, chunks)])
    found = [_suspects_of(chunk) + start for chunk, start in zip(chunks, starts)]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _suspects_of(array: Any) -> Positions:
    offsets, data = text_buffers(array)
    begins, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    found = ends == begins
    if len(data):
        held = np.flatnonzero(~found)
        found[held] = (data[begins[held]] == _SPACE) | (data[ends[held] - 1] == _SPACE)
        for start in range(0, len(data), _BLOCK):  # blocks stay in the processor's cache
            odd = _odd_bytes(data[max(start - 1, 0) : start + _BLOCK])
            if len(odd):
                found[np.searchsorted(ends, odd + max(start - 1, 0), side="right")] = True
    if not found.any():
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(found & array.is_valid().to_numpy(zero_copy_only=False))


def _odd_bytes(data: npt.NDArray[np.uint8]) -> Positions:
    """Find the bytes that are no visible ASCII, and each space behind a space."""
    space = data == _SPACE
    twice = space[1:] & space[:-1]
    plain = data.min() >= _SPACE and data.max() < _DELETE
    if plain and not twice.any():
        return np.empty(0, dtype=np.int64)
    odd = (data < _SPACE) | (data >= _DELETE)
    odd[1:] |= twice
    return np.flatnonzero(odd)


#: What cleaning may change: white space at an end, two in a row, or any odd character.
_ODD = re.compile(r"[^ -~]|\A | \Z|  |\A\Z")
#: The same, over all cells at once, each on a line of its own.
_ODD_LINE = re.compile(r"[^\n -~]| (?=[ \n])|\n(?=[ \n])")


def _suspects_in(values: pd.Series) -> Positions:
    held, texts = _held(values)
    lines = "\n".join(["", *texts, ""])
    if lines.count("\n") == len(texts) + 1 and (not len(texts) or not _ODD_LINE.search(lines)):
        return np.empty(0, dtype=np.int64)
    return held[[_ODD.search(text) is not None for text in texts]]


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


def matches(values: pd.Series, text_format: TextFormat) -> Mask:
    """Tell which cells have the form as a whole; a missing cell has it."""
    if _chunks(values) is not None:
        import pyarrow.compute as pc

        # \A and \z are RE2's true ends of text, where Python writes \A and \Z.
        found = pc.match_substring_regex(_pieces(values), rf"\A(?:{text_format.pattern})\z")
        return _one_piece(found.fill_null(fill_value=True)).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    pattern = re.compile(text_format.pattern)
    out = np.ones(len(values), dtype=bool)
    held, texts = _held(values)
    out[held] = [found is not None for found in map(pattern.fullmatch, texts)]
    return out


def longer_than(values: pd.Series, length: int) -> Mask:
    """Tell which cells have more characters (code points) than ``length``."""
    chunks = _chunks(values)
    if chunks is not None:
        return np.concatenate(
            [np.empty(0, dtype=bool), *(_longer_in(chunk, length) for chunk in chunks)]
        )
    out = np.zeros(len(values), dtype=bool)
    held, texts = _held(values)
    out[held] = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) > length
    return out


def _longer_in(array: Any, length: int) -> Mask:
    import pyarrow.compute as pc

    offsets, _ = text_buffers(array)
    if not (np.diff(offsets) > length).any():
        return np.zeros(len(array), dtype=bool)
    longer = pc.greater(pc.utf8_length(array), length)
    return longer.fill_null(fill_value=False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _held(values: pd.Series) -> tuple[Positions, list[str]]:
    """Give the rows that are not missing, and their texts."""
    held = np.flatnonzero(values.notna().to_numpy(dtype=bool))
    texts: list[str] = values.to_numpy(dtype=object)[held].tolist()
    return held, texts


# ----------------------------------------------------------------------------- parting text


def first_space(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Split each cell at its first space: what is before, and what is after or ''."""
    array = arrow_array(values)
    if array is not None:
        first, rest = (
            to_text(part, values).set_axis(values.index) for part in _part_at_space(array)
        )
        return first, rest
    held = values.notna().to_numpy(dtype=bool)
    parted = [text.partition(" ") for text in values.to_numpy(dtype=object)[held]]
    return _texts(values, held, [part[0] for part in parted]), _texts(
        values, held, [part[2] for part in parted]
    )


def _part_at_space(array: Any) -> tuple[Any, Any]:
    """Read each cell as three neighbours, before, space and after, over the same bytes."""
    import pyarrow as pa

    offsets, data = text_buffers(array)
    begins, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    spaces = np.flatnonzero(data == _SPACE)
    if not len(spaces):
        spaces = np.array([len(data)])  # behind all cells
    first = spaces[np.searchsorted(spaces, begins).clip(max=len(spaces) - 1)]
    at = np.where((first >= begins) & (first < ends), first, ends)
    edges = np.empty(3 * len(array) + 1, dtype=np.int64)
    edges[:-1:3], edges[1::3], edges[2::3] = begins, at, np.minimum(at + 1, ends)
    edges[-1] = len(data)
    buffers = [None, pa.py_buffer(edges), pa.py_buffer(np.ascontiguousarray(data))]
    parts = pa.Array.from_buffers(pa.large_string(), 3 * len(array), buffers)
    rows = np.arange(0, 3 * len(array), 3)
    absent = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    before, after = (parts.take(pa.array(rows + place, mask=absent)) for place in (0, 2))
    return before.cast(array.type), after.cast(array.type)


def join_words(first: pd.Series, rest: pd.Series) -> pd.Series:
    """Undo ``first_space``: put a space between the two, or nothing where the rest is ''."""
    before, after = arrow_array(first), arrow_array(rest)
    if before is None or after is None:
        joined: pd.Series = (first + " " + rest).where(rest != "", first)
        return joined
    import pyarrow.compute as pc

    space, nothing = (pc.cast(text, before.type) for text in (" ", ""))
    between = pc.if_else(pc.equal(after, nothing), nothing, space)
    texts = pc.binary_join_element_wise(before, between, after, nothing)
    return to_text(texts, first).set_axis(first.index)


def _texts(values: pd.Series, held: Mask, texts: list[str]) -> pd.Series:
    out = np.full(len(values), None, dtype=object)
    out[held] = texts
    return conform_text(pd.Series(out, index=values.index))
