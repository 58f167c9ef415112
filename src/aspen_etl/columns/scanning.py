"""Looking at each cell of a text column, and parting it: what pandas would do cell by cell.

Like the other kernels, each takes the Arrow way where the column is held by Arrow and the pandas
way elsewhere; both give the same answer.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns.kernels import (
    Mask,
    Positions,
    arrow_array,
    arrow_chunks,
    arrow_pieces,
    one_piece,
    take,
    text_buffers,
    to_text,
)
from aspen_etl.columns.text import TextFormat, conform_text

__all__ = [
    "control_characters",
    "first_space",
    "join_words",
    "longer_than",
    "matches",
    "no_integers",
    "suspects",
]

_SPACE, _DELETE = 0x20, 0x7F

#: How many bytes are looked at in one go.
_BLOCK = 1 << 18

#: How many cells are looked at in one go, where Python holds them.
_CELLS = 1 << 12

#: A whole number that text gives back unchanged, of 64 bits.
_INTEGER = TextFormat("integer", "0|-?[1-9][0-9]{0,18}")
_INTEGER_LIMITS = (-(2**63), 2**63 - 1)

#: Control characters (category Cc) that are no white space of the contract.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def suspects(values: pd.Series) -> Positions:
    """Find the rows that may hold white space to clean or a control character.

    A superset: what is not found has no white space but single inner spaces, and no
    character below U+0020, nor any that is not ASCII.
    """
    chunks = arrow_chunks(values)
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


def _suspects_in(values: pd.Series) -> Positions:
    held, texts = _held(values)
    found = np.empty(0, dtype=np.int64)
    for start in range(0, len(texts), _CELLS):
        part = texts[start : start + _CELLS]
        line = " ".join(["", *part, ""])  # in which a space at an end of a cell is the second one
        if not (line.isascii() and line.isprintable() and "  " not in line):
            odd = [place for place, text in enumerate(part, start) if _ODD.search(text)]
            found = np.concatenate([found, held[odd]])
    return found


def matches(values: pd.Series, text_format: TextFormat) -> Mask:
    """Tell which cells have the form as a whole; a missing cell has it."""
    if arrow_chunks(values) is not None:
        import pyarrow.compute as pc

        # \A and \z are RE2's true ends of text, where Python writes \A and \Z.
        found = pc.match_substring_regex(arrow_pieces(values), rf"\A(?:{text_format.pattern})\z")
        return one_piece(found.fill_null(fill_value=True)).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    pattern = re.compile(text_format.pattern)
    out = np.ones(len(values), dtype=bool)
    held, texts = _held(values)
    out[held] = [found is not None for found in map(pattern.fullmatch, texts)]
    return out


def longer_than(values: pd.Series, length: int) -> Mask:
    """Tell which cells have more characters (code points) than ``length``."""
    chunks = arrow_chunks(values)
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


def control_characters(values: pd.Series, rows: Positions) -> Mask:
    """Tell which cells hold a control character; all that may do so are among the rows."""
    out = np.zeros(len(values), dtype=bool)
    texts = take(values, rows).to_numpy(dtype=object)
    out[rows] = [_CONTROL.search(text) is not None for text in texts]
    return out


def no_integers(values: pd.Series) -> Mask:
    """Tell which cells are no whole number of 64 bits that text gives back unchanged."""
    out = ~matches(values, _INTEGER)
    low, high = _INTEGER_LIMITS
    rows = np.flatnonzero(longer_than(values, len(str(high)) - 1) & ~out)
    texts = take(values, rows).to_numpy(dtype=object)
    out[rows] = [not low <= int(text) <= high for text in texts]
    return out
