"""The few operations on text where pandas loops in Python, each with an Arrow twin.

A kernel takes the Arrow way where the column is held by Arrow (pandas 3 with pyarrow) and
the pandas way elsewhere. Both give the same answer; one test runs over both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.schema.text import TextFormat, conform_text

__all__ = [
    "Mask",
    "Positions",
    "argsort",
    "find",
    "first_space",
    "is_ascending",
    "longer_than",
    "matches",
    "repeat",
    "suspects",
    "take",
    "to_text",
]

#: Row numbers, from 0; -1 stands for no row.
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_SPACE, _DELETE, _ASCII_END = 0x20, 0x7F, 0x80


def _arrow(values: pd.Series) -> Any:
    """Give the Arrow array that holds the column, or none where Arrow does not hold it."""
    dtype = values.dtype
    if not (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        return None
    import pyarrow as pa

    array = pa.array(values.array, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def to_text(array: Any, like: pd.Series) -> pd.Series:
    """Make a text column of an Arrow array, of the dtype of ``like``."""
    dtype: Any = like.dtype
    return pd.Series(dtype.__from_arrow__(array))


def take(values: pd.Series, positions: Positions) -> pd.Series:
    """Gather rows by position; -1 gives a missing value. The index is new."""
    if len(positions) == len(values) and _is_range(positions):
        return values.reset_index(drop=True)
    if not len(values):
        return conform_text(
            pd.Series(np.full(len(positions), None, dtype=object), name=values.name)
        )
    taken = pd.Series(
        values.array.take(positions, allow_fill=bool((positions < 0).any())), name=values.name
    )
    return conform_text(taken) if values.dtype == object else taken


def repeat(text: Optional[str], length: int) -> pd.Series:
    """Make a text column that holds one value throughout."""
    one = conform_text(pd.Series([text], dtype=object))
    array = _arrow(one)
    if array is None:
        return conform_text(pd.Series(np.full(length, text, dtype=object)))
    import pyarrow as pa

    return to_text(pa.repeat(pa.scalar(text, array.type), length), one)


def _is_range(positions: Positions) -> bool:
    return bool(np.array_equal(positions, np.arange(len(positions))))


# ----------------------------------------------------------------------------- looking at text


def suspects(values: pd.Series) -> Positions:
    """Find the rows that may hold white space to clean or a control character.

    A superset: what is not found has no white space but single inner spaces, and no
    character below U+0020, nor any that is not ASCII.
    """
    array = _arrow(values)
    if array is None:
        return _suspects_in(values)
    offsets, data = _text_buffers(array)
    begins, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    found = ends == begins
    if len(data):
        space = data == _SPACE
        odd = (data < _SPACE) | (data >= _DELETE)
        odd[1:] |= space[1:] & space[:-1]
        held = np.flatnonzero(~found)
        found[held] = space[begins[held]] | space[ends[held] - 1]
        found[np.searchsorted(ends, np.flatnonzero(odd), side="right")] = True
    if not found.any():
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(found & values.notna().to_numpy(dtype=bool))


#: What cleaning may change: white space at an end, two in a row, or any odd character.
_ODD = re.compile(r"[^ -~]|\A | \Z|  |\A\Z")
#: The same, over all cells at once, each on a line of its own.
_ODD_LINE = re.compile(r"[^\n -~]| (?=[ \n])|\n(?=[ \n])")


def _suspects_in(values: pd.Series) -> Positions:
    held = np.flatnonzero(values.notna().to_numpy(dtype=bool))
    texts = values.to_numpy(dtype=object)[held]
    lines = "\n".join(["", *texts, ""])
    if lines.count("\n") == len(texts) + 1 and (not len(texts) or not _ODD_LINE.search(lines)):
        return np.empty(0, dtype=np.int64)
    return held[[_ODD.search(text) is not None for text in texts]]


def _text_buffers(array: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    import pyarrow as pa

    wide = pa.types.is_large_string(array.type)
    _, offsets, data = array.buffers()
    width: Any = np.int64 if wide else np.int32
    if offsets is None or not len(array):
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=width)[array.offset : array.offset + len(array) + 1].astype(
        np.int64
    )
    if data is None:
        return ends, np.empty(0, dtype=np.uint8)
    return ends, np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]


def matches(values: pd.Series, text_format: TextFormat) -> Mask:
    """Tell which cells have the form as a whole; a missing cell has it."""
    array = _arrow(values)
    if array is not None:
        import pyarrow.compute as pc

        # \A and \z are RE2's true ends of text, where Python writes \A and \Z.
        found = pc.match_substring_regex(array, rf"\A(?:{text_format.pattern})\z")
        return found.fill_null(fill_value=True).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    pattern = re.compile(text_format.pattern)
    return _each(values, lambda text: pattern.fullmatch(text) is not None, missing=True)


def longer_than(values: pd.Series, length: int) -> Mask:
    """Tell which cells have more characters (code points) than ``length``."""
    array = _arrow(values)
    if array is not None:
        import pyarrow.compute as pc

        offsets, _ = _text_buffers(array)
        if not (np.diff(offsets) > length).any():
            return np.zeros(len(values), dtype=bool)
        longer = pc.greater(pc.utf8_length(array), length)
        return longer.fill_null(fill_value=False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    return _each(values, lambda text: len(text) > length, missing=False)


def _each(values: pd.Series, test: Callable[[str], bool], *, missing: bool) -> Mask:
    out = np.full(len(values), missing, dtype=bool)
    present = values.notna().to_numpy(dtype=bool)
    out[present] = np.fromiter(
        map(test, values.to_numpy(dtype=object)[present]), dtype=bool, count=int(present.sum())
    )
    return out


# ----------------------------------------------------------------------------- order and lookup


def argsort(values: pd.Series) -> Positions:
    """Give the stable order of a column by code point; missing cells come last."""
    array = _arrow(values)
    if array is not None:
        import pyarrow.compute as pc

        return pc.array_sort_indices(array).to_numpy().astype(np.int64)  # type: ignore[no-any-return]
    present = values.notna().to_numpy(dtype=bool)
    held = np.flatnonzero(present)
    order = np.argsort(values.to_numpy(dtype=object)[present], kind="stable")
    return np.concatenate([held[order], np.flatnonzero(~present)]).astype(np.int64)


def is_ascending(values: pd.Series) -> bool:
    """Tell whether each cell, text or whole number, is above the one before, and none missing."""
    array = _arrow(values)
    if array is not None:
        import pyarrow.compute as pc

        if array.null_count:
            return False
        return len(array) < 2 or bool(pc.all(pc.less(array[:-1], array[1:])).as_py())  # noqa: PLR2004
    if pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        numbers = values.to_numpy(dtype=np.int64)  # a difference could be too large
        return bool((numbers[:-1] < numbers[1:]).all())
    cells = values.to_numpy(dtype=object)
    return not values.isna().any() and bool((cells[:-1] < cells[1:]).all())


def find(values: pd.Series, keys: pd.Series) -> Positions:
    """Give the row of ``keys`` in which each value stands, or -1.

    Args:
        values: Text, in which a missing cell is found nowhere.
        keys: Text, each present, none twice.
    """
    array, known = _arrow(values), _arrow(keys)
    if array is not None and known is not None:
        import pyarrow.compute as pc

        if array.equals(known):
            return np.arange(len(values), dtype=np.int64)
        found = pc.index_in(array, value_set=known.cast(array.type), skip_nulls=True)
        return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]
    return pd.Index(keys.astype(object)).get_indexer(values.astype(object)).astype(np.int64)  # type: ignore[no-any-return]


def first_space(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Split each cell at its first space: what is before, and what is after or ''."""
    array = _arrow(values)
    if array is not None:
        import pyarrow as pa
        import pyarrow.compute as pc

        present = array.is_valid()
        parts = pc.split_pattern(array.fill_null(""), " ", max_splits=1)
        starts = np.asarray(parts.offsets)
        single = np.diff(starts) == 1
        words = parts.flatten()
        before = words.take(pa.array(starts[:-1] - starts[0]))
        after = words.take(pa.array(np.where(single, 0, starts[:-1] - starts[0] + 1)))
        after = pc.if_else(pa.array(single), pa.scalar("", after.type), after)
        nothing = pa.scalar(None, after.type)
        first, rest = (
            to_text(pc.if_else(present, part, nothing), values).set_axis(values.index)
            for part in (before, after)
        )
        return first, rest
    held = values.notna().to_numpy(dtype=bool)
    parted = [text.partition(" ") for text in values.to_numpy(dtype=object)[held]]
    return _texts(values, held, [part[0] for part in parted]), _texts(
        values, held, [part[2] for part in parted]
    )


def _texts(values: pd.Series, held: Mask, texts: list[str]) -> pd.Series:
    out = np.full(len(values), None, dtype=object)
    out[held] = texts
    return conform_text(pd.Series(out, index=values.index))
