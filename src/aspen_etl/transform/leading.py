"""What stands where a column of a sheet leads: the key of the row that it refers to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.schema.model import Model

__all__ = ["text_of_cells"]


def text_of_cells(
    sheets: Mapping[str, pd.DataFrame], sheet: str, column: str, cells: pd.Series, model: Model, /
) -> pd.Series:
    """Give the text of some cells of a column; of a reference, what the row is known by.

    Args:
        sheets: The sheets; a column that refers to another one holds the row number there.
        sheet: The sheet of the column.
        column: The column.
        cells: The cells.
        model: The model.
    """
    parent = model.lineage.sources[sheet].references.get(column)
    if parent is None:
        return cells
    key = model.lineage.sources[parent].key[0]
    held = COLUMNS.take(sheets[parent][key], cells.to_numpy(dtype=np.int64))
    return text_of_cells(sheets, parent, key, held, model)
