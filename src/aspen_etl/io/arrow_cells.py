"""Columns as Arrow has them in our files, and back: for Parquet, and for CSV read by Arrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from aspen_etl.columns.frames import make_column
from aspen_etl.errors.base import named
from aspen_etl.io.csv_cells import csv_cells
from aspen_etl.io.csv_fast import text_series
from aspen_etl.schema.column_spec import TIMESTAMP, ColumnSpec

__all__ = ["ARROW_CELLS", "ArrowCells", "arrow_cells"]


class ArrowCells(NamedTuple):
    """How the values of a type stand in Arrow.

    Attributes:
        array: Give an array of a column, of the type of ``arrow_schema`` or one that it is cast to.
        field: Give an array that Arrow writes into CSV as it should stand there.
        column: Give the column of such an array, in its one dtype.
    """

    array: Callable[[pd.Series], Any]
    field: Callable[[pd.Series, ColumnSpec], Any]
    column: Callable[[Any, ColumnSpec], pd.Series]


def arrow_cells(spec: ColumnSpec, /) -> ArrowCells:
    """Find how the cells of a column stand in Arrow.

    Raises:
        NotSupportedError: There is no such type.
    """
    return named(ARROW_CELLS, spec.type, kind="type", noun="type of columns in Arrow")


def _array(values: pd.Series) -> Any:
    import pyarrow as pa

    return pa.array(values, from_pandas=True)


def _moments(values: pd.Series) -> Any:
    """Give moments without their zone."""
    import pyarrow as pa

    return pa.array(values.to_numpy(dtype="datetime64[ms]"))


def _days(values: pd.Series) -> Any:
    import pyarrow as pa

    return pa.array(values.to_numpy(dtype="datetime64[D]"))


def _field(array: Callable[[pd.Series], Any], values: pd.Series, spec: ColumnSpec) -> Any:
    """Trust Arrow to write canonical text."""
    del spec
    return array(values)


def _decimal_field(values: pd.Series, spec: ColumnSpec) -> Any:
    """Write decimals ourselves, where Arrow would write 1E-7."""
    return _array(csv_cells(spec).text(values, spec))


def _cells(
    array: Callable[[pd.Series], Any], column: Callable[[Any, ColumnSpec], pd.Series]
) -> ArrowCells:
    return ArrowCells(array, partial(_field, array), column)


# ----------------------------------------------------------------------------- back


def _texts(values: Any, spec: ColumnSpec) -> pd.Series:
    return text_series(values if spec.nullable else values.fill_null(""))


def _integers(values: Any, spec: ColumnSpec) -> pd.Series:
    if not spec.nullable:
        return make_column(values.to_numpy()).astype("int64")
    absent = values.is_null().to_numpy()
    return make_column(pd.arrays.IntegerArray(values.fill_null(0).to_numpy().copy(), absent.copy()))


def _decimals(values: Any, spec: ColumnSpec) -> pd.Series:
    return make_column(spec.dtype.__from_arrow__(values))


def _dates(values: Any, spec: ColumnSpec) -> pd.Series:
    return make_column(values.to_numpy().astype("datetime64[D]").astype(spec.dtype))


def _datetimes(values: Any, spec: ColumnSpec) -> pd.Series:
    return make_column(values.to_numpy().astype(spec.dtype))


def _timestamps(values: Any, spec: ColumnSpec) -> pd.Series:
    del spec
    # Pandas takes whole numbers for moments in UTC, many times faster than moments without a zone.
    numbers = values.to_numpy().astype("datetime64[ms]").view("int64")
    return make_column(pd.array(numbers, dtype=TIMESTAMP))


def _truths(values: Any, spec: ColumnSpec) -> pd.Series:
    held = values.fill_null(False).to_numpy()  # noqa: FBT003 - what a missing one is filled with
    if not spec.nullable:
        return make_column(held)
    absent = values.is_null().to_numpy()
    return make_column(pd.arrays.BooleanArray(held.copy(), absent.copy()))


ARROW_CELLS: Mapping[str, ArrowCells] = {
    "text": _cells(_array, _texts),
    "integer": _cells(_array, _integers),
    "decimal": ArrowCells(_array, _decimal_field, _decimals),
    "date": _cells(_days, _dates),
    "datetime": _cells(_moments, _datetimes),
    "timestamp": _cells(_moments, _timestamps),
    "boolean": _cells(_array, _truths),
}
