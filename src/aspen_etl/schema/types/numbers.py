"""How a source spells its numbers: by example, as ``1,234.50``, ``1.234,50`` or ``(1,234.50)``.

The example is the number 1234.50 as the source writes it, or -1234.50 where it writes a minus
otherwise than before all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Optional

__all__ = ["PLAIN", "Digits", "NumberFormat", "read_number_format"]

_EXAMPLE = re.compile(
    r"(?P<lead>[^0-9]*)1(?P<group>[,.' \u2019]?)234(?:(?P<point>[.,])50?)?(?P<tail>[^0-9]*)"
)
#: What may stand before and behind the digits: a currency, by letters or symbols.
_CURRENCY = re.compile(r"(?:[^\W\d_]+\.?|[$\u00a2-\u00a5\u20a0-\u20cf ])*")
#: How an example may show that a number is below zero: before and behind its digits.
_SIGNS = {("", ""), ("-", ""), ("", "-"), ("(", ")")}
_SIGN, _NO_SIGN = re.compile("[-()]"), re.compile("[^-()]")


class Digits(NamedTuple):
    """A number, digit by digit.

    Attributes:
        is_negative: Whether it is shown as one below zero, which 0 may be, too.
        whole: The digits before the point, one at the least.
        fraction: The digits behind it.
    """

    is_negative: bool
    whole: str
    fraction: str


@dataclass(frozen=True)
class NumberFormat:
    """One way to spell numbers.

    Attributes:
        positive: The form of a number that is not below zero.
        negative: The form of one that is.
        group: What parts thousands, or ''.
        plain: Forms of numbers that are not too long, and templates that make of them what no form
            is of: ``=1234.50``, or ``=1234.`` of what has no places.
    """

    positive: re.Pattern[str]
    negative: re.Pattern[str]
    group: str
    plain: tuple[tuple[str, str], ...] = ()

    def read(self, text: str, /) -> Optional[Digits]:
        """Give the digits of a number that is spelt so, or none."""
        above = self.positive.fullmatch(text)
        found = above or self.negative.fullmatch(text)
        if found is None:
            return None
        whole = found["whole"].replace(self.group, "") if self.group else found["whole"]
        return Digits(above is None, whole, found["fraction"] or "")


def _digits(group: str, point: str) -> str:
    """Give the form of the digits of a number; thousands may stand without what parts them."""
    grouped = f"[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|" if group else ""
    fraction = f"(?:{re.escape(point)}(?P<fraction>[0-9]+))?" if point else "(?P<fraction>)"
    return f"(?P<whole>{grouped}[0-9]+){fraction}"


def _form(lead: str, digits: str, tail: str) -> re.Pattern[str]:
    return re.compile(re.escape(lead) + digits + re.escape(tail))


#: Numbers as every source may spell them.
PLAIN = NumberFormat(_form("", _digits("", "."), ""), _form("-", _digits("", "."), ""), group="")


@lru_cache(maxsize=256)
def read_number_format(example: str, /) -> Optional[NumberFormat]:
    """Take a format from its example, or none where it is no example of 1234.50.

    Examples:
        >>> read_number_format("($1,234.50)").read("($12,000.5)")
        Digits(is_negative=True, whole='12000', fraction='5')
        >>> read_number_format("1,234.50").read("12,00.5") is None
        True
    """
    found = _EXAMPLE.fullmatch(example)
    if found is None or example != example.strip(" "):
        return None
    group, point, lead, tail = found["group"], found["point"] or "", found["lead"], found["tail"]
    signs = (_NO_SIGN.sub("", lead), _NO_SIGN.sub("", tail))
    before, behind = _SIGN.sub("", lead).lstrip(" "), _SIGN.sub("", tail).rstrip(" ")
    if signs not in _SIGNS or not (_CURRENCY.fullmatch(before) and _CURRENCY.fullmatch(behind)):
        return None
    if group and group == point:
        return None
    if signs == ("", ""):
        lead = f"-{lead}"
    digits = _digits(group, point)
    plain = (*_plain("", before, behind, found), *_plain("-", lead, tail, found))
    return NumberFormat(_form(before, digits, behind), _form(lead, digits, tail), group, plain)


def _plain(sign: str, lead: str, tail: str, example: re.Match[str]) -> Iterator[tuple[str, str]]:
    group, point = (re.escape(example[part] or "") for part in ("group", "point"))
    fraction = f"(?:{point}([0-9]+))?" if point else "()"
    wholes = ["([0-9]+)()()()()()()"]
    if group:
        wholes.append("([0-9]{1,3})" + f"(?:{group}([0-9]{{3}}))?" * 6)
    for whole in wholes:
        template = "=" + sign + "".join(rf"\g<{place}>" for place in range(1, 8)) + r".\g<8>"
        yield re.escape(lead) + whole + fraction + re.escape(tail), template
