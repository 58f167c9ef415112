"""Columns whose text Arrow holds: whole columns at once, outside of Python's objects.

It is imported only where pandas holds its text by Arrow, and has imported Arrow itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aspen_etl.columns import arrow_arrays as arrays
from aspen_etl.columns import arrow_sorting as sorting
from aspen_etl.columns.plain import Plain, alike, neighbours
from aspen_etl.columns.protocol import Mask, Moments, Positions
from aspen_etl.columns.text import TEXT

__all__ = ["Arrow"]

#: Columns of numbers and times are numpy's and pandas's, whoever holds text.
_OTHERS = Plain()

_SPACE, _DELETE = 0x20, 0x7F

#: How a template names a group.
_GROUP = re.compile(r"\\g<([0-9])>")

#: How many bytes are looked at in one go.
_BLOCK = 1 << 18


class Arrow:
    """Do all that ``Columns`` names with what Arrow holds."""

    # ------------------------------------------------------------------------- gathering

    def take(self, values: pd.Series, at: Positions, /) -> pd.Series:
        """Gather rows."""
        if values.dtype != TEXT:
            return _OTHERS.take(values, at)
        together = neighbours(values, at)
        if together is not None:
            return together
        if not len(values):
            return _text(pa.nulls(len(at), pa.large_string()), values.name)
        return _text(arrays.gather_rows(arrays.pieces_of(values), at), values.name)

    def concat(self, columns: Sequence[pd.Series], /) -> pd.Series:
        """Put columns one after the other."""
        if any(column.dtype != TEXT for column in columns):
            return _OTHERS.concat(columns)
        pieces = list(chain.from_iterable(map(arrays.pieces_of, columns)))
        return _text(arrays.one_piece(pieces), columns[0].name)

    def repeat(self, text: Optional[str], length: int, /) -> pd.Series:
        """Make a text column of one value."""
        return _text(pa.repeat(pa.scalar(text, pa.large_string()), length))

    def keep(self, values: pd.Series, rows: Mask, /) -> pd.Series:
        """Keep the cells of some rows."""
        array = arrays.array_of(values)
        if not len(array):
            return values
        if array.null_count:
            rows = rows & array.is_valid().to_numpy(zero_copy_only=False)
        shifted = np.pad(rows, (array.offset, 0)) if array.offset else rows
        bits = pa.py_buffer(np.packbits(shifted, bitorder="little"))
        # The same bytes of the same cells: only which of them count is another.
        buffers = [bits, *array.buffers()[1:]]
        held = pa.Array.from_buffers(array.type, len(array), buffers, offset=array.offset)
        return _like(held, values)

    # ------------------------------------------------------------------------- comparing

    def differ(
        self,
        one: pd.Series,
        two: pd.Series,
        /,
        rows: Optional[Positions] = None,
        at: Optional[Positions] = None,
    ) -> Mask:
        """Tell in which rows two columns differ."""
        if one.dtype != TEXT or two.dtype != TEXT:
            return _OTHERS.differ(one, two, rows, at)
        if rows is not None and at is not None:
            return arrays.differ_at(arrays.pieces_of(one), rows, arrays.pieces_of(two), at)
        left, right = arrays.array_of(one), arrays.array_of(two)
        if left.equals(right):  # which is told many times faster than where they differ
            return np.zeros(len(left), dtype=bool)
        return arrays.differ(left, right)

    def is_constant(self, values: pd.Series, /) -> bool:
        """Tell whether all cells are the same."""
        if values.dtype != TEXT or not len(values):
            return _OTHERS.is_constant(values)
        first = values.iloc[0]
        if not alike(first, values.iloc[-1]):
            return False  # mostly it shows at once
        pieces = arrays.pieces_of(values)
        if pd.isna(first):
            return bool(sum(piece.null_count for piece in pieces) == len(values))
        return all(arrays.holds_only(piece, first.encode()) for piece in pieces)

    # ------------------------------------------------------------------------- order and lookup

    def order(self, values: pd.Series, /) -> tuple[Positions, bool]:
        """Give the stable order of text."""
        return sorting.order(arrays.array_of(values))

    def find(self, values: pd.Series, keys: pd.Series, /) -> Positions:
        """Give the row of each value among keys."""
        return sorting.find(arrays.array_of(values), arrays.array_of(keys))

    # ------------------------------------------------------------------------- looking at cells

    def matches(self, values: pd.Series, pattern: str, /) -> Mask:
        """Tell which cells have a form."""
        # \A and \z are RE2's true ends of text, where Python writes \A and \Z.
        anchored = rf"\A(?:{pattern})\z"
        found = [pc.match_substring_regex(one, anchored) for one in arrays.pieces_of(values)]
        return _mask(part.fill_null(fill_value=True) for part in found)

    def longer(self, values: pd.Series, length: int, /) -> Mask:
        """Tell which cells are longer."""
        return _mask(_longer_in(piece, length) for piece in arrays.pieces_of(values))

    def suspects(self, values: pd.Series, /) -> Positions:
        """Find what may be to clean."""
        pieces = arrays.pieces_of(values)
        starts = np.cumsum([0, *map(len, pieces)])
        found = [_suspects_of(piece) + start for piece, start in zip(pieces, starts)]
        return np.concatenate([np.empty(0, dtype=np.int64), *found])

    # ------------------------------------------------------------------------- parting cells

    def first_space(self, values: pd.Series, /) -> tuple[pd.Series, pd.Series]:
        """Split each cell at its first space."""
        before, after = _part_at_space(arrays.array_of(values))
        return _like(before, values), _like(after, values)

    def join_words(self, first: pd.Series, rest: pd.Series, /) -> pd.Series:
        """Put a space between two."""
        before, after = arrays.array_of(first), arrays.array_of(rest)
        space, nothing = (pa.scalar(text, pa.large_string()) for text in (" ", ""))
        between = pc.if_else(pc.equal(after, nothing), nothing, space)
        return _like(pc.binary_join_element_wise(before, between, after, nothing), first)

    def integers(self, values: pd.Series, /) -> Positions:
        """Turn text into whole numbers."""
        try:
            numbers = arrays.array_of(values).cast(pa.int64())
        except pa.ArrowInvalid:  # Python may know better, or says what is wrong
            return _OTHERS.integers(values)
        return np.array(numbers.fill_null(0))

    def moments(self, values: pd.Series, /) -> Moments:
        """Turn text into moments."""
        texts = arrays.array_of(values)
        has_zone = pc.any(pc.ends_with(texts, "Z")).as_py()
        found = texts.cast(pa.timestamp("ms", "UTC" if has_zone else None))
        numbers = np.array(found.cast(pa.int64()).fill_null(np.iinfo(np.int64).min))
        return numbers.view("datetime64[ms]")

    # ------------------------------------------------------------------------- writing cells

    def replace(self, values: pd.Series, pattern: str, template: str, /) -> pd.Series:
        """Write each cell of a form anew."""
        array = arrays.array_of(values)
        replacement = _GROUP.sub(r"\\\1", template)
        found = pc.replace_substring_regex(array, rf"\A(?:{pattern})\z", replacement)
        return _text(found, values.name)

    def spell(
        self, numbers: Union[Positions, Moments], absent: Mask, /, *, end: str = ""
    ) -> pd.Series:
        """Write numbers or moments."""
        texts = pa.array(numbers, mask=absent).cast(pa.large_string())
        if end:
            last, nothing = (pa.scalar(text, pa.large_string()) for text in (end, ""))
            texts = pc.binary_join_element_wise(texts, last, nothing)
        return _text(texts)

    def pack(self, columns: Sequence[pd.Series], /) -> tuple[Positions, memoryview]:
        """Write the cells of each row one behind the other."""
        colon, nothing = (pa.scalar(text, pa.large_string()) for text in (":", ""))
        written = []
        for texts in map(arrays.array_of, columns):
            lengths = pc.utf8_length(texts).cast(pa.large_string())
            cells = pc.binary_join_element_wise(lengths, texts, colon)
            written.append(pc.fill_null(cells, pa.scalar("-", pa.large_string())))
        edges, data = arrays.text_bytes(pc.binary_join_element_wise(*written, nothing))
        held: Any = data  # not each numpy says that its arrays are buffers
        return edges - edges[0], memoryview(held)


# ----------------------------------------------------------------------------- helpers


def _text(array: Any, name: Any = None) -> pd.Series:
    return pd.Series(TEXT.__from_arrow__(array), name=name, copy=False)


def _like(array: Any, values: pd.Series) -> pd.Series:
    return _text(array, values.name).set_axis(values.index)


def _mask(parts: Any) -> Mask:
    held = [part.to_numpy(zero_copy_only=False) for part in parts]
    return held[0] if len(held) == 1 else np.concatenate([np.empty(0, dtype=bool), *held])


def _longer_in(array: Any, length: int) -> Any:
    ends, _ = arrays.text_bytes(array)
    if not (np.diff(ends) > length).any():
        return pa.array(np.zeros(len(array), dtype=bool))
    return pc.greater(pc.utf8_length(array), length).fill_null(fill_value=False)


def _suspects_of(array: Any) -> Positions:
    offsets, data = arrays.text_bytes(array)
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


def _part_at_space(array: Any) -> tuple[Any, Any]:
    """Read each cell as three neighbours, before, space and after, over the same bytes."""
    offsets, data = arrays.text_bytes(array)
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
    return before, after
