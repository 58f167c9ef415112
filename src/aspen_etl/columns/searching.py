"""Where a few keys stand among many that go up, without a look at each of the many."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aspen_etl.columns.chosen import COLUMNS
from aspen_etl.columns.protocol import Positions

__all__ = ["count_below", "goes_up"]


def goes_up(keys: pd.Series, /) -> bool:
    """Tell whether each key is above the one before: text by code point, others by value.

    Args:
        keys: Text in one piece, whole numbers or dates, none missing.
    """
    return bool(np.asarray(keys.array[:-1] < keys.array[1:], dtype=bool).all())


def count_below(values: pd.Series, keys: pd.Series, /) -> Positions:
    """Count, for each value, the keys that are less than it.

    Args:
        values: Text, whole numbers or dates, none missing.
        keys: The same, which go up; text is in one piece.

    Returns:
        The place at which each value stands among the keys, or would have to be put.
    """
    if isinstance(keys.dtype, np.dtype) and keys.dtype != object:
        return np.searchsorted(keys.to_numpy(), values.to_numpy()).astype(np.int64, copy=False)
    low = np.zeros(len(values), dtype=np.int64)
    high = np.full(len(values), len(keys), dtype=np.int64)
    at = np.flatnonzero(low < high)
    while len(at):
        middle = (low[at] + high[at]) // 2
        one, two = COLUMNS.take(keys, middle), COLUMNS.take(values, at)
        less = (one < two).to_numpy(dtype=bool)
        low[at[less]] = middle[less] + 1
        high[at[~less]] = middle[~less]
        at = np.flatnonzero(low < high)
    return low
