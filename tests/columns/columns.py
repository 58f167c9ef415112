"""Columns of text as each storage holds them, for tests that run over all storages."""

from __future__ import annotations

import importlib.util
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

Cells = list[Optional[str]]

_PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
STORAGES = ["python", "pyarrow"] if _PANDAS_3 else ["object"]
if _PANDAS_3 and importlib.util.find_spec("pyarrow") is None:
    STORAGES.remove("pyarrow")


def make(cells: Cells, storage: str, *, sliced: bool = False) -> pd.Series:
    """Make a column as this storage holds it; a slice does not start where its buffer does."""
    dtype: Any = object if storage == "object" else pd.StringDtype(storage, na_value=np.nan)
    if not sliced:
        return pd.Series(cells, dtype=dtype)
    return pd.Series(["é ", None, *cells, "x"], dtype=dtype).iloc[2:-1].reset_index(drop=True)


def make_in_pieces(cells: Cells, storage: str, *cuts: int) -> pd.Series:
    """Make a column as it is read: in pieces, some of them empty, which only Arrow keeps apart."""
    ends = [0, *sorted(cuts), len(cells)]
    pieces = [make(cells[low:high], storage) for low, high in zip(ends, ends[1:])]
    return pd.concat(pieces, ignore_index=True)


def texts(values: pd.Series) -> Cells:
    return [cell if isinstance(cell, str) else None for cell in values.tolist()]


BOTH = pytest.mark.parametrize("storage", STORAGES)

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "a", "A", "ab", "a b", "a  b c", " a", "é", "e\u0301", "😀", "\uffff"]
    ),
    st.sampled_from(
        ["12345", "12345\n", "12345-6789", "a@b", "555-0100", "٠٢١٣٨", "\u2003", "\0", "a\0b"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
COLUMNS = st.lists(st.none() | TEXTS, max_size=8)
