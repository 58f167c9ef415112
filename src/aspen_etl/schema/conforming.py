"""Bring the columns of a table to their one dtype, where no value changes by it."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import Mask
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.dtypes import kind_of
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ExtractError
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.types.days import FIRST_DAY

__all__ = ["conform", "conform_column", "is_of_type", "outside_range"]


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
    if values.dtype == spec.held_dtype and values.dtype != object:
        return values
    absent = values.isna()
    if absent.all() and (spec.nullable or not len(values)):
        return pd.Series([None] * len(values), dtype=object).astype(spec.held_dtype)
    found = _CONFORM[spec.type](values, spec)
    return values if found is None else found


def is_of_type(values: pd.Series, spec: ColumnSpec, /) -> bool:
    """Tell whether a column has its one dtype and, where that holds more, values of its type.

    A ``datetime64`` may hold the time of a day where a date is asked for, and another unit or
    zone; an object may be any.
    """
    look = _LOOKS.get(spec.type)
    return bool(values.dtype == spec.held_dtype) and (look is None or look(values, spec))


def outside_range(values: pd.Series, spec: ColumnSpec, /) -> Mask:
    """Tell which dates or moments are before the first that a column takes, or after 9999."""
    if spec.type not in _TIMES:
        return np.zeros(len(values), dtype=bool)
    seconds = values.to_numpy(dtype="datetime64[s]")
    first = spec.minimum if isinstance(spec.minimum, dt.date) else FIRST_DAY
    outside: Mask = (seconds < np.datetime64(first, "s")) | (seconds > _LAST)
    outside &= ~np.isnat(seconds)
    return outside


_TIMES: frozenset[ColumnType] = frozenset({"date", "datetime", "timestamp"})
_LAST = np.datetime64("9999-12-31T23:59:59", "s")


# ----------------------------------------------------------------------------- conforming

Conform = Callable[[pd.Series, ColumnSpec], Optional[pd.Series]]


def _text(values: pd.Series, _spec: ColumnSpec) -> Optional[pd.Series]:
    known = isinstance(values.dtype, pd.StringDtype)
    if known or pd.api.types.infer_dtype(values, skipna=True) in {"string", "empty"}:
        return conform_text(values)
    return None


def _integer(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    if kind_of(values) != "integer" or (values.hasnans and not spec.nullable):
        return None
    if values.dtype.kind == "i":
        return values.astype("Int64").astype(spec.dtype)
    found = _by_text(values, spec, "integer")  # which may have more than 64 bits
    return None if found is None else found.astype(spec.dtype)


def _boolean(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    if kind_of(values) == "boolean" and (spec.nullable or not values.hasnans):
        return values.astype("boolean").astype(spec.dtype)
    return None


def _timestamp(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return _moments(values.dt.tz_convert("UTC"), spec)
    return _by_text(values, spec, "timestamp")


def _datetime(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
        return _moments(values, spec)
    return _by_text(values, spec, "datetime")


def _moments(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    try:
        moments: pd.Series = values.astype(spec.dtype)
    except pd.errors.OutOfBoundsDatetime:
        return None
    return moments if (moments == values)[values.notna()].all() else None


def _date(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
        days = values.astype(spec.dtype)
        same = (days == values)[values.notna()].all() and _are_days(days, spec)
        return days if same else None
    return _by_text(values, spec, "date", "datetime")


def _decimal(values: pd.Series, spec: ColumnSpec) -> Optional[pd.Series]:
    if is_of_type(values, spec):
        return values
    return _by_text(values, spec, "decimal", "integer")


def _by_text(values: pd.Series, spec: ColumnSpec, *kinds: str) -> Optional[pd.Series]:
    """Write each value, and read it as one of the type: so nothing is rounded or cut."""
    if kind_of(values) not in kinds:
        return None
    try:
        texts = as_text(values)
    except ExtractError:
        return None
    # With which value a column may begin is looked at when it is validated.
    first = dt.date.min if spec.type == "date" else None
    plain = replace(spec, format=None, words=(), minimum=first)
    found = TYPES[spec.type].canonical(texts, plain)
    if found.faults:
        return None
    return TYPES[spec.type].parse(found.text, replace(spec, nullable=True))


_CONFORM: Mapping[ColumnType, Conform] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "timestamp": _timestamp,
    "boolean": _boolean,
}


# ----------------------------------------------------------------------------- looking


def _are_days(values: pd.Series, _spec: ColumnSpec) -> bool:
    seconds = values.to_numpy().view(np.int64)[values.notna().to_numpy(dtype=bool)]
    return not (seconds % (24 * 60 * 60)).any()


def _are_decimals(values: pd.Series, spec: ColumnSpec) -> bool:
    if values.dtype != object:
        return True
    scale, most = spec.scale or 0, spec.precision or 0
    held = {id(value): value for value in values[values.notna()].array}  # which cells share
    return all(_is_decimal(value, scale, most) for value in held.values())


def _is_decimal(value: Any, scale: int, most: int) -> bool:
    if type(value) is not decimal.Decimal or not value.is_finite():
        return False
    sign, digits, exponent = value.as_tuple()
    is_zero = digits == (0,) * len(digits)
    return exponent == -scale and len(digits) <= max(most, 1) and not (sign and is_zero)


_LOOKS: Mapping[ColumnType, Callable[[pd.Series, ColumnSpec], bool]] = {
    "date": _are_days,
    "decimal": _are_decimals,
}
