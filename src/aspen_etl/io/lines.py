"""Which lines of one text stand in another one, whole and each once: by walking along both.

Two states of a file mostly have their lines in one order. So both are walked along side by side:
memory is compared as far as it is the same, then what left, came or changed is stepped over. What
the walk does not find is looked up by the whole line.
"""

from __future__ import annotations

from typing import Any, Optional, Protocol, Union

import numpy as np
import numpy.typing as npt

from aspen_etl.columns.positions import rows_without
from aspen_etl.columns.protocol import Positions

__all__ = ["Lines", "align", "pair_codes", "walk"]

#: How many bytes are compared at once: at first, and at most.
_FIRST, _MOST = 1 << 12, 1 << 20

#: How many lines of each text are looked at for the next one that they share; then more of them.
_AHEAD = (4, 64, 1024, 16_384)

#: How many lines may be looked at for nothing, beside one for each that was found.
_PATIENCE = 1 << 15

#: Up to how many lines Python's own way of looking them up takes no longer than loading Arrow.
_FEW = 20_000


class Lines(Protocol):
    """Lines of bytes."""

    @property
    def data(self) -> Union[bytes, memoryview]:
        """The bytes."""

    @property
    def bounds(self) -> Positions:
        """The offset of each line, and behind the last one."""


def align(before: Lines, after: Lines, /) -> Positions:
    r"""Give the line of one text that each line of another one is, or -1.

    Returns:
        For each line of the text after, a line of the text before that is equal byte by byte. Each
        line before is given once at most, and there is no way to find more.

    Examples:
        >>> from types import SimpleNamespace as Held
        >>> before = Held(data=b"a\nb\nc\n", bounds=np.array([0, 2, 4, 6]))
        >>> after = Held(data=b"b\nx\na\nb\n", bounds=np.array([0, 2, 4, 6, 8]))
        >>> align(before, after).tolist()
        [1, -1, 0, -1]
    """
    at = walk(before, after)
    fresh, gone = np.flatnonzero(at < 0), rows_without(at, len(before.bounds) - 1)
    if len(fresh) and len(gone):
        _look_up(before, after, gone, fresh, at)
    return at


# ----------------------------------------------------------------------------- along both


def walk(before: Lines, after: Lines, /) -> Positions:
    """Give the line of one text that each line of another one is, as far as their order is one.

    Where lines do not end in line feeds, what it gives is to be looked at: two lines may be others.
    """
    left, right = (
        np.frombuffer(lines.data, dtype=np.uint8)[: lines.bounds[-1]] for lines in (before, after)
    )
    at = np.full(len(after.bounds) - 1, -1, dtype=np.int64)
    i, j, patience = 0, 0, _PATIENCE
    while i < len(before.bounds) - 1 and j < len(after.bounds) - 1:
        length = _same_bytes(left[before.bounds[i] :], right[after.bounds[j] :])
        same = min(_lines_within(before, i, length), _lines_within(after, j, length))
        at[j : j + same] = np.arange(i, i + same)
        i, j, patience = i + same, j + same, patience + same
        for ahead in _AHEAD:
            patience -= ahead
            step = _next_shared(before, after, i, j, ahead) if patience >= 0 else None
            if step is not None:
                break
        else:
            break
        i, j = i + step[0], j + step[1]
    return at


def _same_bytes(left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8]) -> int:
    """Count the bytes that two texts begin with alike."""
    most, start, width = min(len(left), len(right)), 0, _FIRST
    while start < most:
        end = min(start + width, most)
        same = left[start:end] == right[start:end]
        first = int(same.argmin())
        if not same[first]:
            return start + first
        start, width = end, min(2 * width, _MOST)
    return most


def _lines_within(lines: Lines, first: int, length: int) -> int:
    """Count the whole lines in so many bytes from a line on."""
    end = lines.bounds[first] + length
    return int(np.searchsorted(lines.bounds, end, side="right")) - 1 - first


def _next_shared(
    before: Lines, after: Lines, i: int, j: int, ahead: int
) -> Optional[tuple[int, int]]:
    """Give how many lines to step over in each text to the nearest one that both have."""
    one, two = _lines(before, i, ahead), _lines(after, j, ahead)
    if one[1:2] == two[1:2] and len(one) > 1:  # as after a change: most are of one line
        return 1, 1
    place = {line: x for x, line in reversed(list(enumerate(one)))}
    steps = [(place[line], y) for y, line in enumerate(two) if line in place]
    return min(steps, key=sum, default=None)


def _lines(lines: Lines, first: int, count: int) -> list[bytes]:
    bounds = lines.bounds[first : first + count + 1].tolist()
    return [bytes(lines.data[start:end]) for start, end in zip(bounds, bounds[1:])]


# ----------------------------------------------------------------------------- by the whole line


def _look_up(before: Lines, after: Lines, gone: Positions, fresh: Positions, at: Positions) -> None:
    """Fill in where lines stand that are in no common order."""
    one, two = _codes(before, after, gone, fresh)
    ours, theirs = pair_codes(one, two)
    at[fresh[theirs]] = gone[ours]


def pair_codes(one: Positions, two: Positions, /) -> tuple[Positions, Positions]:
    """Give where equal numbers stand in two columns, each place once, and as many as there are.

    The first of equal ones goes with the first of those in the other, the second with the second.
    """
    _, ours, theirs = np.intersect1d(
        _numbered(one), _numbered(two), assume_unique=True, return_indices=True
    )
    return ours, theirs


def _numbered(codes: Positions) -> Positions:
    """Make numbers that are given more than once different: by how often each was before."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    seen = np.arange(len(codes)) - np.repeat(begins, np.diff(begins, append=len(codes)))
    out = np.empty(len(codes), dtype=np.int64)
    out[order] = seen
    return codes + (out << 32)


def _codes(
    before: Lines, after: Lines, gone: Positions, fresh: Positions
) -> tuple[Positions, Positions]:
    """Give each of some lines a number, the same for equal ones."""
    if len(gone) + len(fresh) > _FEW:
        try:
            import pyarrow as pa
        except ImportError:
            pass
        else:
            pieces = [_array(pa, before, gone), _array(pa, after, fresh)]
            encoded = pa.chunked_array(pieces).dictionary_encode()
            one, two = (chunk.indices.to_numpy().astype(np.int64) for chunk in encoded.chunks)
            return one, two
    known: dict[bytes, int] = {}
    one, two = (
        np.array([known.setdefault(line, len(known)) for line in _chosen(lines, at)])
        for lines, at in ((before, gone), (after, fresh))
    )
    return one, two


def _array(pa: Any, lines: Lines, at: Positions) -> Any:
    buffers = [None, pa.py_buffer(lines.bounds), pa.py_buffer(lines.data)]
    whole = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(lines.bounds) - 1, buffers)
    return whole if len(at) == len(whole) else whole.take(pa.array(at))


def _chosen(lines: Lines, at: Positions) -> list[bytes]:
    ends = lines.bounds[at + 1].tolist()
    return [bytes(lines.data[start:end]) for start, end in zip(lines.bounds[at].tolist(), ends)]
