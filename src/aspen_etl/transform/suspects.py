"""Cells that a task may have cut: those that are as long as it lets cells be, to the last byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aspen_etl.columns import Positions
from aspen_etl.columns.rows import are_present

__all__ = ["find_cut_cells"]

#: How many bytes a character has at most, in UTF-8 and in UTF-16.
_WIDEST = 4


def find_cut_cells(
    cells: pd.DataFrame, columns: Sequence[str], size: int, /
) -> dict[str, Positions]:
    """Find cells that are exactly as long as a limit.

    DMS cuts what is longer than ``LobMaxSize`` and says so in the task's log alone. Its guide
    tells KB, and not of what: so the characters, the bytes of UTF-16 (as SQL Server stores NVARCHAR)
    and those of UTF-8 (as files are written, where a character that does not fit is left out
    whole) all count. A cell that has this length by itself is found, too.

    Args:
        cells: The rows.
        columns: The columns to look at.
        size: The limit in KB.

    Returns:
        The places of such cells by column, where there are any.

    Examples:
        >>> frame = pd.DataFrame({"a": ["x" * 1024, "y" * 1023, "z" * 512]}, dtype="string")
        >>> {name: at.tolist() for name, at in find_cut_cells(frame, ["a"], 1).items()}
        {'a': [0, 2]}
    """
    limit = size * 1024
    out = {}
    for name in columns:
        values = cells[name]
        lengths = values.str.len().where(are_present(values), 0).to_numpy(dtype=np.int64)
        near = np.flatnonzero(lengths * _WIDEST >= limit - _WIDEST)
        wrong = [at for at in near.tolist() if _is_cut(str(values.iloc[at]), limit)]
        if wrong:
            out[name] = np.array(wrong, dtype=np.int64)
    return out


def _is_cut(text: str, limit: int) -> bool:
    count = len(text.encode("utf-8", "surrogatepass"))
    is_whole = limit - _WIDEST < count <= limit and not text.isascii()
    wide = len(text.encode("utf-16-le", "surrogatepass"))
    return is_whole or limit in {len(text), count, wide}
