"""Cleaners of general use, to be named in ``Model(cleaners=...)``: they change values, on purpose.

Each takes a Series of text and gives one of the same index; a missing cell stays missing.
"""

from __future__ import annotations

import decimal
import re

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.handing import takes_held
from aspen_etl.columns.rows import codes
from aspen_etl.columns.text import conform_text

__all__ = ["cut_fraction", "drop_float_noise"]

#: A time of day in any spelling of a moment, down to more than the millisecond.
_FINE = r"(.*[0-9]{1,2}:[0-9]{2}:[0-9]{2}\.[0-9]{3})[0-9]+([^0-9].*)?"

_NUMBER = re.compile(r"-?0*([0-9]*)\.([0-9]+)")
#: As many significant digits as every double tells.
_SURE_DIGITS = 15
_ROUND = decimal.Context(prec=_SURE_DIGITS, rounding=decimal.ROUND_HALF_EVEN, traps=[])


@takes_held
def cut_fraction(values: pd.Series, /) -> pd.Series:
    """Cut what a moment has beyond the millisecond; nothing is rounded.

    A ``datetime2(7)`` of SQL Server has seven digits, of which a column keeps three. Without this
    cleaner a moment whose other digits are not 0 is ``too_precise``.

    Examples:
        >>> cut_fraction(pd.Series(["2020-01-31 14:05:00.1239999", "2020-01-31"])).tolist()
        ['2020-01-31 14:05:00.123', '2020-01-31']
    """
    texts = conform_text(values.reset_index(drop=True))
    return COLUMNS.replace(texts, _FINE, r"\g<1>\g<2>").set_axis(values.index)


@takes_held
def drop_float_noise(values: pd.Series, /) -> pd.Series:
    """Give numbers of 16 and more significant digits the 15 that a double is sure of.

    What programs write that reckon with doubles, such as ``0.30000000000000004``, is
    ``too_precise`` without this cleaner; with it, where 15 digits fit the column's scale, it is
    the number that was meant. A number of more than 15 digits before the point stays as it is, and
    so does other text.

    Examples:
        >>> drop_float_noise(pd.Series(["0.30000000000000004", "12345678901234567"])).tolist()
        ['0.3', '12345678901234567']
    """
    texts = conform_text(values.reset_index(drop=True))
    rows = np.flatnonzero(COLUMNS.longer(texts, _SURE_DIGITS + 1))
    found, distinct = codes(COLUMNS.take(texts, rows))
    after = conform_text(pd.Series(list(map(_without_noise, distinct)), dtype=object))
    at = np.arange(len(texts), dtype=np.int64)
    at[rows] = len(texts) + found
    return COLUMNS.take(COLUMNS.concat([texts, after]), at).set_axis(values.index)


def _without_noise(text: str) -> str:
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    whole, fraction = number[1], number[2]
    digits = len((whole + fraction).lstrip("0"))
    if digits <= _SURE_DIGITS or len(whole) > _SURE_DIGITS:
        return text
    rounded = format(_ROUND.create_decimal(text), "f")
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded
