"""Sheets whose references are row numbers, with the keys that stand there put in their place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.schema.model import Model

__all__ = ["name_references"]


def name_references(sheets: Mapping[str, pd.DataFrame], model: Model, /) -> dict[str, pd.DataFrame]:
    """Put the key of the row referred to where its number stands.

    Args:
        sheets: The sheets, as ``gather`` and ``recover`` give them.
        model: The model.
    """
    return {name: _named(name, sheets, model) for name in model.sources}


def _named(name: str, sheets: Mapping[str, pd.DataFrame], model: Model) -> pd.DataFrame:
    frame = sheets[name]
    for column, parent in model.lineage.sources[name].references.items():
        key = _named(parent, sheets, model)[model.lineage.sources[parent].key[0]]
        frame = frame.assign(**{column: COLUMNS.take(key, frame[column].to_numpy(dtype=np.int64))})
    return frame
