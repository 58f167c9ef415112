"""How a source spells its dates and moments: a pattern of ``strptime``, as ``%m/%d/%Y %H:%M``.

Names of days and months are English whatever the locale is, digits are ASCII, and a year has four.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Optional

from aspen_etl.schema.types.days import real_day

__all__ = ["ISO_MOMENT", "Moment", "Pattern", "UnreadablePatternError", "read_pattern"]

_MONTHS = "january february march april may june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"


def _names(words: str, length: Optional[int] = None) -> str:
    return "(?i:" + "|".join(word[:length] for word in words.split()) + ")"


#: The form of each part by its letter.
_FORMS = {
    "Y": "[0-9]{4}",
    "m": "[0-9]{1,2}",
    "d": "[0-9]{1,2}",
    "j": "[0-9]{3}",
    "b": _names(_MONTHS, 3),
    "B": _names(_MONTHS),
    "a": _names(_DAYS, 3),
    "A": _names(_DAYS),
    "H": "[0-9]{1,2}",
    "I": "[0-9]{1,2}",
    "M": "[0-9]{2}",
    "S": "[0-9]{2}",
    "f": "[0-9]{1,9}",
    "p": "(?i:am|pm)",
    "z": "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
}
#: Parts that may have one digit where no other digit stands beside them.
_PADDED = "mdHI"
_PART = re.compile("%(.?)", re.DOTALL)
_DATES = ({"Y", "m", "d"}, {"Y", "b", "d"}, {"Y", "B", "d"}, {"Y", "j"})
_OF_DATES, _OF_TIMES = set("YmdjbBaA"), set("HIMSfpz")
#: The names of months and days by number, from 1 and from 0, by their first three letters.
_MONTH = {word[:3]: number for number, word in enumerate(_MONTHS.split(), start=1)}
_WEEKDAY = {word[:3]: number for number, word in enumerate(_DAYS.split())}
_NOON, _HOUR = 12, 60


class Moment(NamedTuple):
    """A day, and the time on it as it is written.

    Attributes:
        day: The day.
        seconds: The seconds since it began.
        fraction: The digits of the second's fraction.
        offset: How many minutes its clock is ahead of UTC, if an offset stands there.
    """

    day: dt.date
    seconds: int
    fraction: str
    offset: Optional[int]


class UnreadablePatternError(ValueError):
    """A pattern that names no date; the text says why."""


@dataclass(frozen=True)
class Pattern:
    """One way to spell dates or moments.

    Attributes:
        form: What they look like; the groups are named by the letters of their parts.
        parts: The letters.
    """

    form: re.Pattern[str]
    parts: frozenset[str]

    @property
    def has_time(self) -> bool:
        """Whether a time of day is spelt, too."""
        return bool(self.parts & _OF_TIMES)

    def read(self, text: str, /) -> Optional[Moment]:
        """Give the moment that is spelt so, or none where there is no such one."""
        found = self.form.fullmatch(text)
        if found is None:
            return None
        part = found.groupdict()
        day, seconds = _day(part), _seconds(part)
        offset = _offset(part["z"]) if part.get("z") else None
        if day is None or seconds is None or offset not in _OFFSETS:
            return None
        return Moment(day, seconds, part.get("f") or "", offset)


_OFFSETS = {None, *range(-24 * _HOUR + 1, 24 * _HOUR)}


def _day(part: dict[str, Optional[str]]) -> Optional[dt.date]:
    year, number = int(part["Y"] or 0), part.get("j")
    if number is not None:
        first = real_day(year, 1, 1)
        day = first and first + dt.timedelta(int(number) - 1) if int(number) else None
        return day if day and day.year == year else None
    name = part.get("b") or part.get("B")
    month = _MONTH[name[:3].lower()] if name else int(part["m"] or 0)
    day = real_day(year, month, int(part["d"] or 0))
    weekday = part.get("a") or part.get("A")
    if day and weekday and day.weekday() != _WEEKDAY[weekday[:3].lower()]:
        return None
    return day


def _seconds(part: dict[str, Optional[str]]) -> Optional[int]:
    """Give the seconds since midnight, or none where a clock does not show them."""
    half = part.get("p")
    hour, minute, second = (int(part.get(letter) or 0) for letter in "HMS")
    if half is not None:
        hour = int(part["I"] or 0)
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half.lower() == "pm" else 0)
    if hour >= 2 * _NOON or minute >= _HOUR or second >= _HOUR:
        return None
    return (hour * _HOUR + minute) * _HOUR + second


def _offset(text: str) -> Optional[int]:
    """Give an offset in minutes; one that no clock has is beyond all."""
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if minutes >= _HOUR:
        return 24 * _HOUR
    return (hours * _HOUR + minutes) * (-1 if text[0] == "-" else 1)


#: A moment as it is exchanged, or the day alone: midnight.
ISO_MOMENT = Pattern(
    re.compile(
        "(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
        "(?:[T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.](?P<f>[0-9]+))?)?"
        "(?: ?(?P<z>Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
    ),
    frozenset("YmdHMSfz"),
)


# ----------------------------------------------------------------------------- patterns


@lru_cache(maxsize=256)
def read_pattern(pattern: str, /) -> Pattern:
    """Take a pattern of ``strptime``.

    Raises:
        UnreadablePatternError: It has parts that are not known, or names no date.

    Examples:
        >>> read_pattern("%m/%d/%Y").read("2/29/2020").day
        datetime.date(2020, 2, 29)
        >>> read_pattern("%m/%d/%Y").read("02/29/2021") is None
        True
    """
    letters = _PART.findall(pattern.replace("%%", ""))
    _check_letters(letters)
    if pattern != " ".join(pattern.split()):
        raise UnreadablePatternError("white space at an end, or in a row, is in no clean cell")
    pieces: list[str] = []
    place = 0
    for part in _PART.finditer(pattern):
        pieces += [re.escape(pattern[place : part.start()]), _piece(pattern, part)]
        place = part.end()
    pieces.append(re.escape(pattern[place:]))
    return Pattern(re.compile("".join(pieces)), frozenset(letters))


def _piece(pattern: str, part: re.Match[str]) -> str:
    letter = part[1]
    if letter == "%":
        return "%"
    form = _FORMS[letter]
    if letter in _PADDED and not _stands_alone(pattern, part):
        form = "[0-9]{2}"
    return f"(?P<{letter}>{form})"


def _stands_alone(pattern: str, part: re.Match[str]) -> bool:
    """Tell whether no digit may stand beside a part, nor is it one of an ISO date."""
    before, behind = pattern[: part.start()], pattern[part.end() :]
    is_iso = before.endswith(("%Y-", "%Y-%m-")) and (part[1] == "d" or behind.startswith("-%d"))
    beside = re.search(r"(?:[0-9]|%[YmdjHIMSf])\Z", before) or re.match(
        r"[0-9]|%[YmdjHIMSf]", behind
    )
    return not is_iso and beside is None


def _check_letters(letters: list[str]) -> None:
    parts = set(letters)
    if "y" in parts:
        raise UnreadablePatternError(
            "a year of two digits may be of any century; take a cleaner that says which"
        )
    unknown = sorted(parts - set(_FORMS))
    if unknown:
        known = ", ".join(f"%{letter}" for letter in _FORMS)
        raise UnreadablePatternError(f"%{unknown[0]} is not known; use {known}")
    if len(parts) < len(letters):
        raise UnreadablePatternError("a part stands twice")
    if not any(parts & _OF_DATES - {"a", "A"} == date for date in _DATES):
        raise UnreadablePatternError(
            "it must name a year and a month and day, or a year and its day (%j)"
        )
    if ("I" in parts) != ("p" in parts) or {"I", "H"} <= parts:
        raise UnreadablePatternError("an hour is %H, or %I with %p")
    times = parts & _OF_TIMES
    if times and not parts & {"H", "I"}:
        raise UnreadablePatternError("a time of day begins with its hour")
    if ("S" in parts and "M" not in parts) or ("f" in parts and "S" not in parts):
        raise UnreadablePatternError("a time of day names each part down to its smallest")
