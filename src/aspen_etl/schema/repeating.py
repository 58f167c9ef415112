"""A header that stands in the middle of a sheet once more, as where files were joined.

Such a row is no record: taken as one, it would be somebody by the name of a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.schema.headers import header_key
from aspen_etl.schema.snapshot import REPEATED_HEADER

__all__ = ["repeated_headers", "set_apart"]

#: How many characters more than the longest header a cell with one may have: of the mark that
#: a file begins with, of other letters and white space.
_SLACK = 16

_DIGITS = "0123456789"


def repeated_headers(
    cells: Mapping[str, pd.Series], known: Mapping[str, str], /
) -> npt.NDArray[np.int64]:
    """Find the rows that hold a header for each column, in any order, and nothing else.

    A row of which some cells alone are such words is a record. So is each row of a sheet with
    one column: a single word tells too little.

    Args:
        cells: The columns of a sheet by the model's names, the first one without white space
            at the ends of its cells.
        known: The model's name of a column by each header that stands for it.

    Returns:
        The positions of the rows, from 0.
    """
    if len(cells) < 2:  # noqa: PLR2004 - a single word
        return np.empty(0, dtype=np.int64)
    first, *_ = cells.values()
    rows = _candidates(first, known)
    found: list[set[str]] = [set() for _ in rows]
    for values in cells.values():
        names = [known.get(_key(cell)) for cell in values.iloc[rows].array]
        held = [place for place, name in enumerate(names) if name is not None]
        found = [found[place] | {str(names[place])} for place in held]
        rows = rows[held]
    return rows[[len(columns) == len(cells) for columns in found]]


def _candidates(values: pd.Series, known: Mapping[str, str]) -> npt.NDArray[np.int64]:
    """Find the rows whose cell is a header of any column."""
    most = max(map(len, known)) + _SLACK
    rows = np.flatnonzero(~COLUMNS.longer(values, most))  # a key is mostly longer than any header
    digits = "".join(sorted(set(_DIGITS) - set("".join(known))))
    if digits:  # a shorter one mostly has a digit that no header has
        rows = rows[COLUMNS.matches(COLUMNS.take(values, rows), f"[^{digits}]*")]
    cells = COLUMNS.take(values, rows).array
    found: npt.NDArray[np.int64] = rows[np.array([_key(cell) in known for cell in cells], bool)]
    return found


def _key(cell: Any) -> str:
    return header_key(cell) if isinstance(cell, str) else ""


def set_apart(
    frame: pd.DataFrame, rows: npt.NDArray[np.int64], source: str, /
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cells of repeated headers missing, and give them as faults.

    Args:
        frame: A sheet, its index the numbers of the rows.
        rows: The positions of the rows.
        source: The name of the sheet.

    Returns:
        The sheet, and its faults: source, row, column, value, rule.
    """
    mask = np.zeros(len(frame), dtype=bool)
    mask[rows] = True
    found = [
        pd.DataFrame(
            {
                "source": source,
                "row": frame.index[rows].to_numpy(),
                "column": column,
                "value": frame[column].iloc[rows].to_numpy(dtype=object),
                "rule": REPEATED_HEADER,
            },
            dtype=object,
        )
        for column in frame.columns
    ]
    kept = {column: values.mask(mask, None) for column, values in frame.items()}
    return make_frame(kept, frame.index), pd.concat(found, ignore_index=True)
