"""Bring the columns of a table to their one dtype, where no value changes by it."""

from __future__ import annotations

import pandas as pd

from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.spec import TableSpec

__all__ = ["conform", "conform_column"]


def conform(frame: pd.DataFrame, table: TableSpec, /) -> pd.DataFrame:
    """Bring the columns of a table to their order and, where no value changes, their one dtype.

    Args:
        frame: A frame with the columns of the table.
        table: The table.

    Returns:
        A frame with a new index; a column of a wholly other type stays as it is.
    """
    columns = {
        spec.name: conform_column(frame[spec.name].reset_index(drop=True), spec)
        for spec in table.columns.values()
    }
    return make_frame(columns, pd.RangeIndex(len(frame)))


def conform_column(values: pd.Series, spec: ColumnSpec, /) -> pd.Series:
    """Bring a column to its one dtype where no value changes; else it stays as it is."""
    if values.dtype == spec.dtype and values.dtype != object:
        return values
    absent = values.isna()
    if absent.all() and (spec.nullable or not len(values)):
        return pd.Series([None] * len(values), dtype=object).astype(spec.dtype)
    if spec.type == "text":
        known = isinstance(values.dtype, pd.StringDtype)
        if known or pd.api.types.infer_dtype(values, skipna=True) in {"string", "empty"}:
            return conform_text(values)
    elif spec.type == "integer":
        if pd.api.types.infer_dtype(values, skipna=True) == "integer" and (
            spec.nullable or not absent.any()
        ):
            return values.astype("Int64").astype(spec.dtype)
    elif isinstance(values.dtype, pd.DatetimeTZDtype):
        moments: pd.Series = values.dt.tz_convert("UTC").astype(spec.dtype)
        if (moments == values)[~absent].all():
            return moments
    return values
