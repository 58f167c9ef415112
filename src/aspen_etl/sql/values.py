"""The values of columns as drivers take and give them, by the type of the column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import TIMESTAMP, ColumnSpec
from aspen_etl.schema.types import TYPES

__all__ = ["DRIVER_VALUES", "DriverValues", "driver_values"]


class DriverValues(NamedTuple):
    """How the values of a type stand outside of frames.

    Attributes:
        cells: Give the plain Python values of a column, null as None.
        column: Give the column of such values, in its one dtype.
    """

    cells: Callable[[pd.Series], list[Any]]
    column: Callable[[list[Any], ColumnSpec], pd.Series]


def driver_values(spec: ColumnSpec, /) -> DriverValues:
    """Find how drivers hold a column.

    Raises:
        NotSupportedError: There is no such type.
    """
    return named(DRIVER_VALUES, spec.type, kind="type", noun="type of columns in a database")


def _cells(values: pd.Series) -> list[Any]:
    cells = values.to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy(dtype=bool)] = None
    return cells.tolist()


def _times(unit: str, values: pd.Series) -> list[Any]:
    """Give dates or moments without a zone, as numpy makes them."""
    cells: list[Any] = values.to_numpy(dtype=f"datetime64[{unit}]").astype(object).tolist()
    return cells


# ----------------------------------------------------------------------------- back


def _texts(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    del spec
    return conform_text(pd.Series(cells, dtype=object))


def _integers(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    return pd.Series(cells, dtype=object).astype("Int64").astype(spec.dtype)


def _decimals(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    """Read digits, and leave what has other ones as it is: to validate is not done here."""
    texts = [None if cell is None else f"{cell:f}" for cell in cells]
    try:
        return TYPES["decimal"].parse(conform_text(pd.Series(texts, dtype=object)), spec)
    except ValueError:
        return pd.Series(cells, dtype=object)


def _dates(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    return pd.Series(np.array(cells, dtype="datetime64[D]").astype(spec.dtype))  # None is NaT


def _datetimes(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    return pd.Series(np.array(cells, dtype=spec.dtype))


def _timestamps(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    del spec
    times = np.array(cells, dtype="datetime64[ms]")
    return pd.Series(pd.DatetimeIndex(times, tz="UTC")).astype(TIMESTAMP)


def _truths(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    return pd.Series(cells, dtype=object).astype("boolean").astype(spec.dtype)


DRIVER_VALUES: Mapping[str, DriverValues] = {
    "text": DriverValues(_cells, _texts),
    "integer": DriverValues(_cells, _integers),
    "decimal": DriverValues(_cells, _decimals),
    "date": DriverValues(partial(_times, "D"), _dates),
    "datetime": DriverValues(partial(_times, "ms"), _datetimes),
    "timestamp": DriverValues(partial(_times, "ms"), _timestamps),
    "boolean": DriverValues(_cells, _truths),
}
