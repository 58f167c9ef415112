"""What chance alone would make of the cells of a column."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CHANCE", "same_by_chance"]

#: What is found counts where chance would give it with a probability under e to the power of -20.
CHANCE = 20.0


def same_by_chance(counts: npt.NDArray[np.int64], /) -> float:
    """Give the probability that two cells, drawn at random, are the same.

    Args:
        counts: How often each text stands there.

    Examples:
        >>> same_by_chance(np.array([5, 5]))
        0.5
    """
    total = counts.sum()
    return float(np.square(counts / total).sum()) if total else 1.0
