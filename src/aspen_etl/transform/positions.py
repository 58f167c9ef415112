"""Row numbers that lead from one frame to another; -1 leads nowhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aspen_etl.transform import kernels
from aspen_etl.transform.kernels import Positions

__all__ = ["find_keys", "gather", "reverse"]


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


def find_keys(values: pd.Series, keys: pd.Series, /) -> Positions:
    """Give the row of ``keys`` in which each value stands, or -1; of keys given twice the last."""
    if not pd.api.types.is_integer_dtype(keys.dtype):
        if keys.is_unique:
            return kernels.find(values, keys)
        first = ~keys.duplicated().to_numpy(dtype=bool)
        return gather(np.flatnonzero(first), kernels.find(values, keys[first]))
    wanted = values.fillna(-1).to_numpy(dtype=np.int64)
    known = keys.to_numpy(dtype=np.int64)
    if np.array_equal(known, np.arange(1, len(known) + 1)):
        return np.where((wanted < 1) | (wanted > len(known)), -1, wanted - 1)
    order = np.argsort(known, kind="stable")
    at = np.searchsorted(known[order], wanted).clip(max=len(known) - 1)
    return (
        np.where(known[order][at] == wanted, order[at], -1)
        if len(known)
        else np.full(len(wanted), -1, dtype=np.int64)
    )
