"""Row numbers that lead from one frame to another, as arrays; -1 leads nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aspen_etl.columns.protocol import Positions

__all__ = [
    "argsort_numbers",
    "gather",
    "is_range",
    "mostly_rises",
    "order_unsigned",
    "reverse",
    "rows_without",
]

#: How many numbers there may be for each row, so that rows are put in their places at once.
_DENSE = 4

#: How many numbers are looked at first: what is not in order mostly shows at once.
_FIRST = 1_000

#: One in how many numbers may be below the one before, in numbers that mostly go up.
_FEW_FALLS = 16

_STEPS = np.arange(1 << 14)


def reverse(index: Positions, length: int) -> Positions:
    """Turn the source row of each table row into the table row of each source row, or -1."""
    out = np.full(length, -1, dtype=np.int64)
    held = index >= 0
    out[index[held]] = np.flatnonzero(held)
    return out


def gather(values: Positions, positions: Positions) -> Positions:
    """Take, where -1 gives -1."""
    if not len(values):
        return np.full(len(positions), -1, dtype=np.int64)
    out = values[positions]
    return np.where(positions < 0, -1, out) if (positions < 0).any() else out


def rows_without(index: Positions, length: int) -> Positions:
    """Give the rows of a table, as long as told, to which nothing leads."""
    nothing = np.ones(length + 1, dtype=bool)  # to the last one leads -1
    nothing[index] = False
    return np.flatnonzero(nothing[:-1])


def is_range(positions: Positions, first: int = 0) -> bool:
    """Tell whether positions go up by one from the first on."""
    for start in range(0, len(positions), len(_STEPS)):
        part = positions[start : start + len(_STEPS)]
        if not (part - (first + start) == _STEPS[: len(part)]).all():
            return False
    return True


# ----------------------------------------------------------------------------- order


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
    return order_unsigned((numbers - low).view(np.uint64))


def _is_sorted(numbers: Any) -> bool:
    return all((part[:-1] <= part[1:]).all() for part in (numbers[:_FIRST], numbers))


def order_unsigned(numbers: npt.NDArray[np.uint64]) -> Positions:
    """Give the stable order of numbers without a sign."""
    if mostly_rises(numbers):
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


def _merged(numbers: npt.NDArray[np.uint64]) -> Positions:
    """Give the stable order of numbers that stand in runs, which are merged."""
    return np.argsort(numbers, kind="stable").astype(np.int64, copy=False)


def mostly_rises(numbers: npt.NDArray[np.uint64]) -> bool:
    """Tell whether few numbers are below the one before."""
    falls = int(np.count_nonzero(numbers[1:] < numbers[:-1]))
    return falls <= len(numbers) // _FEW_FALLS
