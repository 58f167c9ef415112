"""What a builder gives for a column: values of its type, or their text; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from aspen_etl.columns.conversion import as_text
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.conforming import conform_column, is_of_type
from aspen_etl.schema.types import TYPES

__all__ = ["as_values", "text_of"]


def as_values(values: pd.Series, spec: ColumnSpec, /) -> pd.Series:
    """Bring what a builder gives to the one dtype of a column.

    Args:
        values: Values of the type, or canonical text; of a text column, anything.
        spec: The column.

    Raises:
        ValueError: A cell is no value of the type; the text shows none.
    """
    values = values.reset_index(drop=True)
    if not TYPES[spec.type].rules(spec):
        return as_text(values)
    if _holds_text(values):
        return TYPES[spec.type].parse(as_text(values), spec)
    mend = _MENDS.get(spec.type)
    found = conform_column(values if mend is None else mend(values), spec)
    if not is_of_type(found, spec):
        raise ValueError(f"a column of dtype {values.dtype} holds other values, or lacks some")
    return found


def text_of(values: pd.Series, spec: ColumnSpec, /) -> pd.Series:
    """Give the canonical text of what a builder, or its inverse, gives.

    Args:
        values: As for ``as_values``.
        spec: The column.

    Raises:
        ValueError: A cell is no value of the type; the text shows none.
    """
    if not TYPES[spec.type].rules(spec) or _holds_text(values):
        return as_text(values.reset_index(drop=True))
    return TYPES[spec.type].text(as_values(values, spec), spec)


def _holds_text(values: pd.Series) -> bool:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    return kind in {"string", "categorical"} and len(values) > 0


def _whole_numbers(values: pd.Series) -> pd.Series:
    """Take floats that are whole numbers, as gaps make of whole numbers in pandas."""
    if not pd.api.types.is_float_dtype(values.dtype):
        return values
    held = values.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        whole = (held == np.floor(held)) & (np.abs(held) < 2**53)
    return values.astype("Int64") if (whole | np.isnan(held)).all() else values


_MENDS: Mapping[ColumnType, Callable[[pd.Series], pd.Series]] = {"integer": _whole_numbers}
