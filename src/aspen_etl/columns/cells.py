"""How one cell becomes text: the same value, or none at all."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np
import pandas as pd

from aspen_etl.errors import ExtractError

__all__ = ["NoText", "cell_text", "exact_bits", "float_texts", "outside_years"]

#: A number has at most so many digits when it is written out; more are no value of a table.
_MOST_DIGITS = 4_000
_MOST_BITS = _MOST_DIGITS * 10 // 3

#: The first and last second of the years 1 to 9999, counted from 1970.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class NoText:
    """A cell whose exact text is not known.

    Attributes:
        value: What stands there, as far as the source tells it.
        rule: Why it is no text: one of ``UNREADABLE``.
        bits: The digits, in base 2, that its type holds, if it is a float.
    """

    value: str = field(repr=False)
    rule: str
    bits: int = 0


# ----------------------------------------------------------------------------- numbers


def exact_bits(dtype: Any) -> int:
    """Give the number of bits from which on whole numbers of a float type are not exact."""
    return int(np.finfo(dtype).nmant) + 1


def float_texts(held: Any) -> list[str]:
    """Write floats that are below the bound of their type, as short as tells them apart."""
    whole = held == np.floor(held)
    if whole.all() and held.dtype.itemsize <= 8:  # noqa: PLR2004 - what 64 bits hold
        texts: list[str] = held.astype("int64").astype(str).tolist()
        return texts
    return [str(_float_text(value)) for value in (held.tolist() if held.dtype == float else held)]


def _float_text(value: Any) -> Union[str, NoText]:
    kind = type(value) if isinstance(value, np.floating) else np.float64
    bits = exact_bits(kind)
    if abs(value) >= np.ldexp(kind(1), bits):
        return NoText(str(value), "inexact_number", bits)
    if value != value:  # noqa: PLR0124 - true of NaN alone
        return "NaN"
    if kind is np.float64:
        return _decimal_text(decimal.Decimal(float.__repr__(value)))
    return _plain(np.format_float_positional(value, unique=True))


def _plain(text: str) -> str:
    """Drop what a number does not need: zeros at the end of its fraction, a minus before zero."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _decimal_text(value: decimal.Decimal) -> str:
    if not value.is_finite():
        return str(value)
    digits, exponent = value.as_tuple()[1:]
    if max(len(digits) + abs(int(exponent)), 0) > _MOST_DIGITS:
        raise _too_long()
    return _plain(format(value, "f"))


def _integer_text(value: Any) -> str:
    value = int(value)
    if value.bit_length() > _MOST_BITS:
        raise _too_long()
    return str(value)


def _too_long() -> ExtractError:
    return ExtractError(
        f"a number has more than {_MOST_DIGITS:,} digits when it is written out; give it as text",
        digits=_MOST_DIGITS,
    )


# ----------------------------------------------------------------------------- dates and times


def outside_years(numbers: Any, unit: str, *, zone: bool) -> Any:
    """Tell which points in time, counted from 1970 in a unit, are outside of years 1 to 9999.

    Args:
        numbers: Whole numbers of 64 bits.
        unit: ``s``, ``ms``, ``us`` or ``ns``.
        zone: Whether they are shown in a zone, which may move them by a day.
    """
    seconds, margin = numbers // _PER_SECOND[unit], _DAY if zone else 0
    return (seconds < _FIRST_SECOND + margin) | (seconds > _LAST_SECOND - margin)


def _datetime_text(value: dt.datetime) -> Union[str, NoText]:
    if not dt.MINYEAR <= value.year <= dt.MAXYEAR:  # as a Timestamp of seconds can be
        return NoText(str(value), "out_of_range")
    _check_zone(value)
    is_date = (
        value.time() == dt.time() and value.tzinfo is None and not getattr(value, "nanosecond", 0)
    )
    return value.date().isoformat() if is_date else value.isoformat(sep=" ")


def _time_text(value: dt.time) -> str:
    _check_zone(value)
    return value.isoformat()


def _check_zone(value: Any) -> None:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise ExtractError(
            "a time has a zone whose offset depends on the date, which is not there; give times "
            "with an offset or without a zone"
        )


def _numpy_datetime_text(value: np.datetime64) -> Union[str, NoText]:
    try:
        point = pd.Timestamp(value)
        if np.datetime64(point.asm8) == value:  # not finer than pandas holds
            return _datetime_text(point)
    except ValueError:  # pandas cannot hold it
        pass
    return NoText(str(value), "out_of_range")


def _duration_text(value: dt.timedelta) -> str:
    sign, value = ("-", -value) if value < dt.timedelta() else ("", value)
    seconds = value.days * _DAY + value.seconds
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    nanoseconds = getattr(value, "nanoseconds", 0)
    if not value.microseconds and not nanoseconds:
        return text
    return f"{text}.{value.microseconds:06d}{f'{nanoseconds:03d}' if nanoseconds else ''}"


def _numpy_duration_text(value: np.timedelta64) -> str:
    try:
        duration = pd.Timedelta(value)
        if duration.asm8 == value:
            return _duration_text(duration)
    except (ValueError, OverflowError):
        pass
    raise _no_value(value)


# ----------------------------------------------------------------------------- any cell


def cell_text(value: Any) -> Union[str, NoText]:
    """Give a cell that is not missing as text, or what is known of it.

    Raises:
        ExtractError: It is of a type that is not a value (bytes, a list ...), or is too long.
    """
    for kind, convert in _CONVERTERS.items():
        if isinstance(value, kind):
            return convert(value)
    raise _no_value(value)


def _no_value(value: Any) -> ExtractError:
    name = type(value).__name__
    return ExtractError(
        f"a cell is of type {name}, which is not a value of a table; give text, numbers or dates",
        type=name,
    )


#: In the order of the tests: bool is an int, a datetime is a date, a NumPy duration is an integer.
_CONVERTERS: dict[type, Callable[[Any], Union[str, NoText]]] = {
    str: str.__str__,  # of an enum of text: its value
    bool: lambda value: "TRUE" if value else "FALSE",
    np.bool_: lambda value: "TRUE" if value else "FALSE",
    int: _integer_text,
    float: _float_text,
    np.timedelta64: _numpy_duration_text,
    np.integer: _integer_text,
    np.floating: _float_text,
    np.datetime64: _numpy_datetime_text,
    decimal.Decimal: _decimal_text,
    dt.datetime: _datetime_text,
    dt.date: dt.date.isoformat,
    dt.time: _time_text,
    dt.timedelta: _duration_text,
    uuid.UUID: str,
}
