"""Columns of text as each form holds them, for tests that run over both forms."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from aspen_etl.columns.plain import Plain
from aspen_etl.columns.protocol import Columns

Cells = list[Optional[str]]

_PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3


@dataclass(frozen=True)
class Form:
    """One way to hold text, and what answers for it."""

    storage: str
    columns: Columns

    def make(self, cells: Cells, *, sliced: bool = False) -> pd.Series:
        """Make a column; a slice does not start where its buffer does."""
        is_object = self.storage == "object"
        dtype: Any = object if is_object else pd.StringDtype(self.storage, na_value=np.nan)
        if not sliced:
            return pd.Series(cells, dtype=dtype)
        return pd.Series(["é ", None, *cells, "x"], dtype=dtype).iloc[2:-1].reset_index(drop=True)

    def make_in_pieces(self, cells: Cells, *cuts: int) -> pd.Series:
        """Make a column as it is read: in pieces, some empty, which only Arrow keeps apart."""
        ends = [0, *sorted(cuts), len(cells)]
        pieces = [self.make(cells[low:high]) for low, high in zip(ends, ends[1:])]
        return pd.concat(pieces, ignore_index=True)


def _forms() -> list[Form]:
    plain = Form("python" if _PANDAS_3 else "object", Plain())
    if not _PANDAS_3 or importlib.util.find_spec("pyarrow") is None:
        return [plain]
    from aspen_etl.columns.arrow import Arrow

    return [plain, Form("pyarrow", Arrow())]


FORMS = _forms()


def texts(values: pd.Series) -> Cells:
    return [cell if isinstance(cell, str) else None for cell in values.tolist()]


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
