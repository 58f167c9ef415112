"""How a column becomes text.

This is the only place where numbers, dates and booleans are turned into text, so that no id and
no ZIP code goes through a float on its way.
"""

from __future__ import annotations

import decimal
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns.cells import NoText, cell_text, exact_bits, float_texts, outside_years
from aspen_etl.columns.chosen import COLUMNS
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ExtractError

__all__ = ["as_text", "parse_integers"]


def as_text(values: pd.Series) -> pd.Series:
    """Turn a column of any cells into text or missing, changing no value on the way.

    Integers have no ``.0``, booleans are ``TRUE`` and ``FALSE`` as a spreadsheet shows them,
    a date is ``2020-01-31``, a point in time ``2020-01-31 14:05:00`` (with its fraction and
    offset where it has one), other numbers are in plain notation. Text stays as it is.

    Args:
        values: A Series of any dtype.

    Returns:
        A Series of dtype ``TEXT`` with the same index.

    Raises:
        ExtractError: Numbers are too large for their float type to hold each digit (from 2**53
            for 64 bits, 2**24 for 32, 2**11 for 16), dates or times are outside of the years 1
            to 9999, or a cell is of a type that is not a value (bytes, a list ...).
    """
    dtype = values.dtype
    if isinstance(dtype, pd.StringDtype):
        return conform_text(values)
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(values)
    if isinstance(dtype, pd.SparseDtype):
        dense: Any = values.sparse
        return as_text(dense.to_dense())
    if pd.api.types.is_object_dtype(dtype) and _is_text(values):
        return conform_text(values)
    present = _present(values)
    out = np.full(len(values), None, dtype=object)
    out[present] = _texts(values[present])
    return conform_text(pd.Series(out, index=values.index, name=values.name))


def _present(values: pd.Series) -> Any:
    """Tell which cells are not what pandas takes for a missing one: None, NaN, NaT, NA."""
    try:
        return values.notna().to_numpy(dtype=bool)
    except decimal.InvalidOperation:  # a signaling NaN can be compared with nothing
        return np.array([_is_present(value) for value in values.array], dtype=bool)


def _is_present(value: Any) -> bool:
    return (isinstance(value, decimal.Decimal) and value.is_snan()) or bool(pd.notna(value))


def _is_text(values: pd.Series) -> bool:
    """Tell whether all cells are plain text or missing."""
    kinds = set(map(type, values.to_numpy()))
    return kinds <= {str, type(None)} or (
        str in kinds
        and kinds <= {str, type(None), float, type(pd.NA), type(pd.NaT)}
        and pd.api.types.infer_dtype(values, skipna=True) == "string"
    )


def _categories(values: pd.Series) -> pd.Series:
    """Turn each category into text once."""
    known = as_text(values.cat.categories.to_frame().iloc[:, 0]).to_numpy(dtype=object)
    codes = values.cat.codes.to_numpy()
    out = np.append(known, [None])[codes]
    return conform_text(pd.Series(out, index=values.index, name=values.name, dtype=object))


def _texts(held: pd.Series) -> Any:
    """Give the cells of a column without a missing one."""
    dtype: Any = held.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_texts(held)
    if pd.api.types.is_bool_dtype(dtype):
        return np.where(held.to_numpy(dtype=bool), "TRUE", "FALSE")
    if pd.api.types.is_integer_dtype(dtype):
        return held.to_numpy(dtype=getattr(dtype, "numpy_dtype", dtype)).astype(str)
    if pd.api.types.is_float_dtype(dtype):
        return _float_texts(held.to_numpy(dtype=getattr(dtype, "numpy_dtype", dtype)))
    if pd.api.types.is_datetime64_any_dtype(dtype):
        _check_years(held)
    texts = [cell_text(value) for value in held.astype(object).array]
    _refuse([text for text in texts if isinstance(text, NoText)])
    return texts


def _float_texts(held: Any) -> list[str]:
    bits = exact_bits(held.dtype)
    wrong = int((np.abs(held) >= np.ldexp(held.dtype.type(1), bits)).sum())
    _refuse([NoText("", "inexact_number", bits)] * wrong)
    return float_texts(held)


def _check_years(held: pd.Series) -> None:
    """Look before pandas makes Timestamps, which it cannot always do."""
    zone = isinstance(held.dtype, pd.DatetimeTZDtype)
    naive = held.dt.tz_convert(None) if zone else held
    numbers = naive.to_numpy().astype(np.int64)
    wrong = int(outside_years(numbers, held.dt.unit, zone=zone).sum())
    _refuse([NoText("", "out_of_range")] * wrong)


def _arrow_texts(held: pd.Series) -> list[Any]:
    import pyarrow as pa

    from aspen_etl.columns.arrow_values import arrow_faults, arrow_texts

    array = pa.array(held.array)
    values = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    _refuse(list(arrow_faults(values).values()))
    return arrow_texts(values)


def _refuse(broken: list[NoText]) -> None:
    """Refuse a column some of whose cells have no exact text."""
    if not broken:
        return
    rule, count = Counter(each.rule for each in broken).most_common(1)[0]
    if rule == "inexact_number":
        bits = min(each.bits for each in broken if each.rule == rule)
        raise ExtractError(
            f"{count} numbers of a float column are 2**{bits} or more, so their digits are no "
            "longer exact; read the column as text or as whole numbers",
            count=count,
        )
    raise ExtractError(
        f"{count} dates or times are outside of the years 1 to 9999, or finer than a nanosecond; "
        "give them as text",
        count=count,
    )


# ----------------------------------------------------------------------------- and back


def parse_integers(values: pd.Series, *, nullable: bool) -> pd.Series:
    """Turn text into whole numbers of 64 bits; the index is new.

    Raises:
        ValueError: A cell is no whole number, or is missing where none may be.
        OverflowError: A number has more than 64 bits.
    """
    present = values.notna().to_numpy(dtype=bool)
    numbers = COLUMNS.integers(values)
    if nullable:
        return pd.Series(pd.arrays.IntegerArray(numbers, ~present), copy=False)
    if not present.all():
        raise ValueError("a number is missing")
    return pd.Series(numbers, copy=False)
