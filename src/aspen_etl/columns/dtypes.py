"""The dtypes of columns that hold no text, and of what kind the cells of any column are."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["HAS_ARROW", "decimal_dtype", "kind_of"]

#: Whether Arrow is there to hold decimals, whoever holds text.
HAS_ARROW = find_spec("pyarrow") is not None


def decimal_dtype(precision: int, scale: int, /) -> Any:
    """Give the dtype of decimals: of Arrow, or objects of ``decimal.Decimal`` without it."""
    if not HAS_ARROW:
        return np.dtype(object)
    import pyarrow as pa

    return pd.ArrowDtype(pa.decimal128(precision, scale))


def kind_of(values: pd.Series, /) -> str:
    """Name the kind of a column's cells, whatever holds them.

    Returns:
        ``integer``, ``decimal``, ``date``, ``datetime`` (no moment has a zone), ``timestamp`` (each
        has one) or ``boolean``; anything else, text and floats among it, by another name.
    """
    dtype: Any = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_kind(dtype.pyarrow_dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "timestamp"
    kind = str(pd.api.types.infer_dtype(values, skipna=True))
    if kind not in {"datetime", "datetime64"}:
        return kind
    if not pd.api.types.is_object_dtype(dtype):
        return "datetime"
    zones = {getattr(value, "tzinfo", None) is not None for value in values[values.notna()].array}
    if len(zones) > 1:
        return "mixed"
    return "timestamp" if zones.pop() else "datetime"


def _arrow_kind(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return "datetime" if kind.tz is None else "timestamp"
    for name, is_of in (
        ("decimal", pa.types.is_decimal),
        ("date", pa.types.is_date),
        ("boolean", pa.types.is_boolean),
        ("integer", pa.types.is_integer),
    ):
        if is_of(kind):
            return name
    return str(kind)
