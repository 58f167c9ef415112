"""Columns of decimals: held by Arrow where it is installed, by Python's objects where it is not.

Every number keeps each of its digits: no float is on its way, nor a context of Python's decimals.
"""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.text import HELD_BY_ARROW, TEXT, conform_text

__all__ = ["decimal_texts", "parse_decimals"]

#: How far from its point the first digit of a decimal may be that is written out.
_FARTHEST = 400


def parse_decimals(texts: pd.Series, precision: int, scale: int, /) -> pd.Series:
    """Turn canonical text of decimals into values; the index is new.

    Args:
        texts: Plain decimals of exactly ``scale`` places, none of more digits than ``precision``.
        precision: The most digits of a number.
        scale: The digits behind the point.
    """
    if not HAS_ARROW:
        return _objects(texts)
    import pyarrow as pa

    held = pa.array(texts.array, type=pa.large_string(), from_pandas=True)
    return _column(held.cast(pa.decimal128(precision, scale)))


def _objects(texts: pd.Series) -> pd.Series:
    """Make an object of each distinct number, which its cells share."""
    found, distinct = pd.factorize(texts)
    held = np.full(len(distinct) + 1, None, dtype=object)  # the last one is for a missing cell
    held[:-1] = [decimal.Decimal(text) for text in distinct]  # which rounds nothing
    return pd.Series(held[found], dtype=object)


def _column(array: Any) -> pd.Series:
    import pyarrow as pa

    chunked = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return pd.Series(pd.arrays.ArrowExtensionArray(chunked), copy=False)


def decimal_texts(values: pd.Series, scale: int, /) -> pd.Series:
    """Turn decimals into their canonical text; the index is new.

    Args:
        values: Decimals of either dtype.
        scale: The digits behind the point.

    Raises:
        ValueError: A cell is no decimal, or has more places than that.
    """
    if isinstance(values.dtype, pd.ArrowDtype):
        return _arrow_texts(values, scale)
    held, present = values.to_numpy(dtype=object), _present(values)
    cells = held[present].tolist()
    if set(map(type, cells)) - {decimal.Decimal}:
        raise ValueError("some cells are no decimals")
    out = np.full(len(values), None, dtype=object)
    out[present] = [_text(value, scale) for value in cells]
    return conform_text(pd.Series(out, dtype=object))


def _present(values: pd.Series) -> Any:
    try:
        return values.notna().to_numpy(dtype=bool)
    except decimal.InvalidOperation:  # a signaling NaN can be compared with nothing
        raise ValueError("some cells are no numbers") from None


def _text(value: decimal.Decimal, scale: int) -> str:
    if value.is_infinite() or abs(value.adjusted()) > _FARTHEST:
        raise ValueError("some numbers are infinite, or have too many digits")
    text = format(value, "f")
    if scale and text[-scale - 1 : -scale] == "." and text[1] != "0":
        return text  # as most are
    whole, _, fraction = text.partition(".")
    if len(fraction.rstrip("0")) > scale:
        raise ValueError(f"some numbers have more than {scale} places")
    text = f"{whole}.{fraction[:scale]:0<{scale}}" if scale else whole
    return text if value else text.lstrip("-")


def _arrow_texts(values: pd.Series, scale: int) -> pd.Series:
    import pyarrow as pa
    import pyarrow.compute as pc

    held = pa.array(values.array)
    array = held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held
    if not pa.types.is_decimal(array.type) or array.type.scale != scale:
        raise ValueError(f"the column holds no decimals of {scale} places")
    texts = array.cast(pa.string()).cast(pa.large_string())
    odd = pc.fill_null(pc.match_substring(texts, "E"), fill_value=False)  # 1E-7
    if pc.any(odd).as_py():
        known = array.filter(odd).dictionary_encode()
        plain = pa.array(
            [_text(value, scale) for value in known.dictionary.to_pylist()], pa.large_string()
        )
        texts = pc.replace_with_mask(texts, odd, plain.take(known.indices))
    if not HELD_BY_ARROW:
        return conform_text(pd.Series(texts.to_numpy(zero_copy_only=False), dtype=object))
    return pd.Series(TEXT.__from_arrow__(texts), copy=False)
