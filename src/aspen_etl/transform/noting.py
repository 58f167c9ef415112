"""Notes: what differs between two sides, or what one has that is not in its rows; a row for each.

``sheet``; ``subject``, whose row it is, as it stands clean; ``key``, which of theirs, where they
may have several; ``column``; ``kind``; ``value``, as the side has it, of a row a JSON object; and
``why`` it is so, where that is known: the rule of a reject. Differences have two values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["DIFFERENCES", "NOTES", "join_notes", "make_notes"]

#: The columns of notes, and those of differences.
NOTES = ("sheet", "subject", "key", "column", "kind", "value", "why")
DIFFERENCES = ("sheet", "subject", "key", "column", "kind", "source", "target", "why")


def make_notes(sheet: str, subject: Any, key: Any, **told: Any) -> pd.DataFrame:
    """Make notes of arrays; what is told once holds for each row.

    Args:
        sheet: The sheet.
        subject: By row, whose it is.
        key: By row, which of theirs.
        told: The other columns; one that is left out is missing.
    """
    columns = {"sheet": sheet, "subject": subject, "key": key, **told}
    names = DIFFERENCES if {"source", "target"} & columns.keys() else NOTES
    return pd.DataFrame({name: _spread(columns.get(name), len(subject)) for name in names})


def _spread(cells: Any, length: int) -> pd.Series:
    out = np.empty(length, dtype=object)
    out[:] = cells
    return pd.Series(out, dtype=object)


def join_notes(parts: Iterable[pd.DataFrame], names: tuple[str, ...] = NOTES) -> pd.DataFrame:
    """Put notes together, in their order."""
    held = [part for part in parts if len(part)]
    if not held:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    return pd.concat(held, ignore_index=True)
