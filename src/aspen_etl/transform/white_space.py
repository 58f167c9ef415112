"""White space as the contract has it: cleaned, and nothing else is."""

from __future__ import annotations

import re

import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.handing import takes_held
from aspen_etl.columns.text import WHITE_SPACE, conform_text

__all__ = ["clean_white_space", "tidy"]

_RUN = re.compile(f"[{WHITE_SPACE}]+")


@takes_held
def clean_white_space(values: pd.Series, /) -> pd.Series:
    r"""Trim white space at both ends, make one space of each inner run, and '' missing.

    White space is the set of the contract (``aspen_etl.columns.text.WHITE_SPACE``), and
    nothing else: a control character is a fault, not space.

    Examples:
        >>> clean_white_space(pd.Series(["  Ann\u00a0 Lee ", "   ", None])).tolist()[0]
        'Ann Lee'
    """
    return tidy(values)[0]


def tidy(values: pd.Series, /) -> tuple[pd.Series, Positions]:
    """Clean white space, and tell which rows of what is clean may hold a control character."""
    rows = COLUMNS.suspects(values)
    if not len(rows):
        return values, rows
    before = COLUMNS.take(values, rows)
    texts = [_RUN.sub(" ", text).strip(" ") or None for text in before.to_numpy(dtype=object)]
    after = conform_text(pd.Series(texts, dtype=object))
    absent = after.isna()
    moved = (absent | (after != before)).to_numpy(dtype=bool)
    held = ~absent.to_numpy(dtype=bool)
    return _put(values, rows[moved], after[moved]), rows[held]


def _put(values: pd.Series, rows: Positions, cells: pd.Series) -> pd.Series:
    if not len(rows):
        return values
    out = values.copy()
    out.iloc[rows] = cells.array
    return conform_text(out)
