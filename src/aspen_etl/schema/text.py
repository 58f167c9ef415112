"""What text is: its dtype, its white space, its formats, and how a cell becomes text.

Every cell of a source is text or missing, and nothing else. This module is the only place
that turns numbers, dates and booleans into text, so that no id and no ZIP code goes
through a float on its way.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.errors import ExtractError

__all__ = [
    "TEXT",
    "WHITE_SPACE",
    "TextFormat",
    "as_text",
    "conform_text",
    "escape",
    "parse_integers",
    "split_unencodable",
]

_HAS_TEXT_DTYPE = int(pd.__version__.partition(".")[0]) >= 3  # noqa: PLR2004 - pandas 3
#: The dtype of text columns: ``str`` on pandas 3, where it is the default, ``object`` before.
TEXT: Any = pd.StringDtype(na_value=np.nan) if _HAS_TEXT_DTYPE else np.dtype(object)

#: The white space of the contract, and no other: tab to carriage return, space, and the
#: Unicode space separators. U+0085 and U+001C to U+001F are control characters instead.
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)

_EXACT_FLOAT = 2**53


@dataclass(frozen=True)
class TextFormat:
    r"""Name a form that text must have as a whole.

    Attributes:
        name: The word that its rule uses: text that does not fit is ``invalid_<name>``.
        pattern: A regular expression that the whole text must match, without anchors,
            look-around or classes that depend on Unicode (``[0-9]``, not ``\d``), so that
            Python and Arrow agree on it.
    """

    name: str
    pattern: str

    @property
    def anchored(self) -> str:
        r"""The pattern from the first to the very last character (``\Z``, never ``$``)."""
        return rf"\A(?:{self.pattern})\Z"


# ----------------------------------------------------------------------------- one form of text


def conform_text(values: pd.Series) -> pd.Series:
    """Bring text to the one dtype of this pandas, missing to its one missing value."""
    if _HAS_TEXT_DTYPE:
        return values if values.dtype == TEXT else values.astype(TEXT)
    values = values.astype(object)
    absent = values.isna()
    return values.mask(absent, None) if absent.any() else values


def escape(text: str) -> str:
    """Give text that any text column can hold: NUL and lone surrogates backslash-escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def split_unencodable(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Part a column into what UTF-8 can hold and the cells, by position, that it cannot.

    Returns:
        The column with those cells missing, and a Series (dtype object) of the cells that
        hold a lone surrogate, indexed by position.
    """
    if values.dtype != object:
        return values, pd.Series(dtype=object)
    held = values[values.notna()]
    texts = [value for value in held.array if isinstance(value, str)]
    try:
        "".join(texts).encode("utf-8")
        return values, pd.Series(dtype=object)
    except UnicodeEncodeError:
        pass
    broken = np.array(
        [isinstance(value, str) and not _is_encodable(value) for value in values.array]
    )
    positions = np.flatnonzero(broken)
    found = pd.Series([values.array[i] for i in positions], index=positions, dtype=object)
    return values.mask(broken, None), found


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def parse_integers(values: pd.Series, *, nullable: bool) -> pd.Series:
    """Turn text into whole numbers of 64 bits; the index is new.

    Raises:
        ValueError: A cell is no whole number, or is missing where none may be.
        OverflowError: A number has more than 64 bits.
    """
    present = values.notna().to_numpy(dtype=bool)
    numbers = _cast_integers(values)
    if numbers is None:
        numbers = np.zeros(len(values), dtype=np.int64)
        numbers[present] = values[present].to_numpy(dtype=object).astype(np.int64)
    if nullable:
        return pd.Series(pd.arrays.IntegerArray(numbers, ~present), copy=False)
    if not present.all():
        raise ValueError("a number is missing")
    return pd.Series(numbers, copy=False)


def _cast_integers(values: pd.Series) -> Any:
    """Turn text that Arrow holds into whole numbers, a missing cell into 0, if Arrow can."""
    if getattr(values.dtype, "storage", None) != "pyarrow":
        return None
    import pyarrow as pa

    try:
        numbers = pa.array(values.array).cast(pa.int64())
    except pa.ArrowInvalid:  # Python may know better, or says what is wrong
        return None
    return np.array(numbers.fill_null(0))


# ----------------------------------------------------------------------------- cells to text


def as_text(values: pd.Series) -> pd.Series:  # noqa: PLR0911 - one return for each kind of dtype
    """Turn a column of any cells into text or missing, changing no value on the way.

    Integers have no ``.0``, booleans are ``TRUE`` and ``FALSE`` as a spreadsheet shows them,
    a date is ``2020-01-31``, a point in time ``2020-01-31 14:05:00`` (with its fraction and
    offset where it has one), other numbers are in plain notation. Text stays as it is.

    Args:
        values: A Series of any dtype.

    Returns:
        A Series of dtype ``TEXT`` with the same index.

    Raises:
        ExtractError: A float column holds numbers of 2**53 or more, whose digits are no
            longer exact, or a cell is of a type that is not a value (bytes, a list ...).
    """
    dtype = values.dtype
    if isinstance(dtype, pd.StringDtype):
        return conform_text(values)
    if isinstance(dtype, pd.CategoricalDtype):
        return as_text(values.astype(dtype.categories.dtype))
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.ArrowDtype):
        return as_text(values.astype(object))
    if pd.api.types.is_integer_dtype(dtype):
        present = values.notna()
        return _fill(
            values,
            present,
            values[present].astype("int64" if dtype.kind == "i" else "uint64").astype(str),
        )
    if pd.api.types.is_float_dtype(dtype):
        return _float_column(values)
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) in {
        "string",
        "empty",
    }:
        return conform_text(values)
    present = values.notna()
    return _fill(
        values, present, [_cell_text(value) for value in values[present].astype(object).array]
    )


def _fill(values: pd.Series, present: pd.Series, texts: Any) -> pd.Series:
    out = np.full(len(values), None, dtype=object)
    out[present.to_numpy(dtype=bool)] = np.asarray(texts, dtype=object)
    return conform_text(pd.Series(out, index=values.index, name=values.name))


def _float_column(values: pd.Series) -> pd.Series:
    present = values.notna()
    held = values[present].to_numpy(dtype="float64")
    inexact = int((np.abs(held) >= _EXACT_FLOAT).sum())
    if inexact:
        msg = (
            f"{inexact} numbers of a float column are 2**53 or more, so their digits are no "
            "longer exact; "
            "read the column as text or as whole numbers"
        )
        raise ExtractError(msg, count=inexact)
    whole = held == np.floor(held)
    if whole.all():
        return _fill(values, present, held.astype("int64").astype(str))
    return _fill(values, present, [_float_text(value) for value in held.tolist()])


def _cell_text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    for kind, convert in _CONVERTERS.items():
        if isinstance(value, kind):
            return convert(value)
    msg = (
        f"a cell is of type {type(value).__name__}, which is not a value of a table; give text, "
        "numbers or dates"
    )
    raise ExtractError(msg, type=type(value).__name__)


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < _EXACT_FLOAT:
        return str(int(value))
    return _decimal_text(decimal.Decimal(repr(value)))


def _decimal_text(value: decimal.Decimal) -> str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return str(int(value))
    return format(value.normalize(), "f")


def _datetime_text(value: dt.datetime) -> str:
    is_date = (
        value.time() == dt.time() and value.tzinfo is None and not getattr(value, "nanosecond", 0)
    )
    return value.date().isoformat() if is_date else value.isoformat(sep=" ")


def _duration_text(value: dt.timedelta) -> str:
    sign, value = ("-", -value) if value < dt.timedelta() else ("", value)
    seconds, fraction = value.days * 86400 + value.seconds, value.microseconds
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


#: In the order of the tests: bool is an int, and a datetime is a date.
_CONVERTERS: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "TRUE" if value else "FALSE",
    int: str,
    float: _float_text,
    decimal.Decimal: _decimal_text,
    dt.datetime: _datetime_text,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    dt.timedelta: _duration_text,
    uuid.UUID: str,
}
