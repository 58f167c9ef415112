"""Give the number that a cell of a workbook stores as text, digit by digit.

A workbook stores decimal text, most of it written from a double. Where it is what a double shows
at that many digits, the shortest text of that double is meant (0.57999999999999996 is 0.58); any
other number is taken as it is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Optional, Union

__all__ = ["INEXACT", "XML_SPACE", "Reject", "last_place", "number_text", "parse_number"]

INEXACT = "inexact_number"
XML_SPACE = " \t\r\n"

#: From here on a double no longer tells each whole number from the next.
_WIDE = 2**53
#: As many digits as every double tells; a double of full precision is no smaller than 1e-307.
_SURE_DIGITS, _SMALLEST = 15, -307

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FRACTION = re.compile(r"-?[0-9]{1,16}\.[0-9]{1,20}")
#: What programs write for a result that is no number, in the form of XML or of a C library.
_NO_NUMBER = re.compile(r"[+-]?(?:nan|inf(?:inity)?|1\.#[a-z]+)", re.IGNORECASE)
#: It raises nothing: a number that is beyond all bounds becomes NaN.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


@dataclass(frozen=True)
class Reject:
    """What stands in a cell that cannot be taken as text, and the rule that says why."""

    value: str = field(repr=False)
    rule: str


def parse_number(text: str) -> Optional[Decimal]:
    """Take a number as it is written: NaN for one that is none, None for other text."""
    text = text.strip(XML_SPACE)
    if _NUMBER.fullmatch(text):
        value = Decimal(text, _EXACT)
        return value if value.is_finite() else Decimal("NaN")
    return Decimal("NaN") if _NO_NUMBER.fullmatch(text) else None


def number_text(text: str) -> Union[str, Reject, None]:
    """Give a stored number in plain notation, all its digits right, or say that it has none.

    Returns:
        The text; a reject where the digits are not there: no number at all, or a power of ten
        stands for the last ones of a number of 2**53 or more; None where it is other text.
    """
    usual = _usual_text(text)
    value = None if usual else parse_number(text)
    if value is None:
        return usual
    if value.is_nan():
        return Reject(text, INEXACT)
    if not value:
        return "0"
    is_wide = value.copy_abs() >= _WIDE  # abs() would round by the caller's context
    if (is_wide and last_place(value) > 0) or value.adjusted() < _SMALLEST:
        return Reject(text, INEXACT)
    nearest = float(value)
    return _plain(Decimal(repr(nearest)) if not is_wide and _shows(nearest, value) else value)


def _usual_text(text: str) -> Optional[str]:
    """Give the text of a double in the form in which most programs write it."""
    if not _FRACTION.fullmatch(text):
        return None
    nearest = float(text)
    shortest = repr(nearest)
    is_usual = text in {shortest, f"{nearest:.17g}"} and "e" not in shortest
    return shortest.removesuffix(".0") if is_usual and 0 < abs(nearest) < _WIDE else None


def _shows(nearest: float, value: Decimal) -> bool:
    """Tell whether a double, shown at as many digits as a number has, is that number."""
    digits = len(value.normalize(_EXACT).as_tuple().digits)
    return digits <= _SURE_DIGITS or Context(prec=digits).plus(Decimal(nearest)) == value


def last_place(value: Decimal) -> int:
    """Give the power of ten of the last digit that is written."""
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _plain(value: Decimal) -> str:
    """Write a number without an exponent, and without zeros that say nothing."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
