"""Turn the serial number of a day, as a workbook stores it, into the text of a date or a time.

Day 1 is 1900-01-01, and day 60 a 29th of February that never was; or day 0 is 1904-01-01. A
serial is decimal text, so it is reckoned in decimals, to the microsecond, which is about as fine
as a double tells the time on a day of our years. The nearest millisecond is meant where what is
stored is no more than that, rounded: to the digits that are written, or by sums of doubles.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from typing import Optional, Union

from aspen_etl.io.xlsx.number import INEXACT, Reject, last_place, parse_number

__all__ = ["OUT_OF_RANGE", "Shown", "serial_text"]

OUT_OF_RANGE = "out_of_range"

_DAY = 86_400_000_000
_MILLISECOND = 1_000
#: How many microseconds a millisecond may be off: by the noise of doubles, and at the most.
_NOISE, _ROUNDED = Decimal(2), Decimal(50)
_REAL_FROM = 61  # 1900-03-01
_NEVER = 60
#: The day after 9999-12-31, counted from 1899-12-30.
_END = 2_958_466
_FINEST = 20
_WHOLE_DAY = re.compile("[0-9]{1,7}")
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)


class Shown(Enum):
    """What a number format shows of a serial number."""

    DATE = "date"  # and perhaps a time
    TIME = "time"  # of a day
    DURATION = "duration"  # hours, minutes or seconds that do not start again


def serial_text(text: str, shown: Shown, *, is_1904: bool) -> Union[str, Reject, None]:
    """Give the date, the time or the duration that a cell shows.

    Returns:
        ``2020-01-31``, ``2020-01-31 14:05:00``, ``14:05:00`` or ``26:05:00``, with six digits
        of a second where it has a fraction; a reject where there is no such day; None where
        the cell holds other text.
    """
    if _WHOLE_DAY.fullmatch(text) and shown is Shown.DATE:  # as most dates are
        day = _date(int(text), is_1904=is_1904)
        return Reject(text, OUT_OF_RANGE) if day is None else day.isoformat()
    value = parse_number(text)
    if value is None:
        return None
    if value.is_nan() or value.copy_abs() >= _END:
        return Reject(text, INEXACT if value.is_nan() else OUT_OF_RANGE)
    shows = _shown(value, shown, is_1904=is_1904)
    return Reject(text, OUT_OF_RANGE) if shows is None else shows


def _shown(value: Decimal, shown: Shown, *, is_1904: bool) -> Optional[str]:
    count = _microseconds(value)
    if shown is Shown.DURATION:
        return f"{'-' * (count < 0)}{_clock(abs(count))}"
    if shown is Shown.TIME and value < 1:
        return _clock(count) if value >= 0 and count < _DAY else None
    days, rest = divmod(count, _DAY)
    date = _date(days, is_1904=is_1904)
    if date is None:
        return None
    return f"{date.isoformat()} {_clock(rest)}" if rest else date.isoformat()


def _microseconds(value: Decimal) -> int:
    exact = _CONTEXT.multiply(value, Decimal(_DAY))
    count = int(exact.to_integral_value(ROUND_HALF_EVEN, _CONTEXT))
    whole = (count + _MILLISECOND // 2) // _MILLISECOND * _MILLISECOND
    place = min(max(last_place(value), -_FINEST), 0)
    written = Decimal(_DAY // 2).scaleb(place, _CONTEXT)
    away = _CONTEXT.subtract(Decimal(whole), exact).copy_abs()
    return whole if away <= min(max(written, _NOISE), _ROUNDED) else count


def _date(days: int, *, is_1904: bool) -> Optional[dt.date]:
    if is_1904:
        first, is_day = dt.date(1904, 1, 1), days >= 0
    else:
        first = dt.date(1899, 12, 30) if days >= _REAL_FROM else dt.date(1899, 12, 31)
        is_day = days >= 1 and days != _NEVER
    if not is_day or first.toordinal() + days > dt.date.max.toordinal():
        return None
    return first + dt.timedelta(days)


def _clock(count: int) -> str:
    seconds, fraction = divmod(count, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text
