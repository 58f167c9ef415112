"""How a source spells its dates and moments: a pattern of ``strptime``, as ``%m/%d/%Y %H:%M``.

Names of days and months are English whatever the locale is, digits are ASCII, and a year has four.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Optional

from aspen_etl.schema.types.days import real_day

__all__ = [
    "ISO_MOMENT",
    "OFFSET",
    "UNPAD",
    "UNPAD_DAY",
    "Moment",
    "Pattern",
    "UnreadablePatternError",
    "read_pattern",
]

_MONTHS = "january february march april may june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"


def _names(words: str, length: Optional[int] = None) -> str:
    return "(?i:" + "|".join(word[:length] for word in words.split()) + ")"


#: The form of an offset; in seconds are those of clocks before there were zones.
OFFSET = "[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?"
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
    "z": f"(?:Z|{OFFSET})",
}
#: Parts that may have one digit where no other digit stands beside them.
_PADDED = "mdHI"
_PART = re.compile("%(.?)", re.DOTALL)
_DATES = ({"Y", "m", "d"}, {"Y", "b", "d"}, {"Y", "B", "d"}, {"Y", "j"})
_OF_DATES, _OF_TIMES = set("YmdjbBaA"), set("HIMSfpz")
#: The names of months and days by number, from 1 and from 0, by their first three letters.
_MONTH = {word[:3]: number for number, word in enumerate(_MONTHS.split(), start=1)}
_WEEKDAY = {word[:3]: number for number, word in enumerate(_DAYS.split())}
_NOON, _HOUR, _DAYS_OF_A_YEAR = 12, 60, 365


class Moment(NamedTuple):
    """A day, and the time on it as it is written.

    Attributes:
        day: The day.
        seconds: The seconds since it began.
        fraction: The digits of the second's fraction.
        offset: How many seconds its clock is ahead of UTC, if an offset stands there.
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
        form: What they look like; there is a group for each part that may be, by its letter.
        parts: The letters of the parts that are spelt.
        plain: The form with a group for each part that is spelt, in their order, and a template
            that makes of it what ``UNPAD`` makes canonical, but for the fraction; none where names,
            halves of a day or offsets are spelt.
    """

    form: re.Pattern[str]
    parts: frozenset[str]
    plain: Optional[tuple[str, str]] = None

    @property
    def has_time(self) -> bool:
        """Whether a time of day is spelt, too."""
        return bool(self.parts & _OF_TIMES)

    def read(self, text: str, /) -> Optional[Moment]:
        """Give the moment that is spelt so, or none where there is no such one."""
        found = self.form.fullmatch(text)
        if found is None:
            return None
        day = _day(*found.group("Y", "m", "d", "j", "b", "B", "a", "A"))
        seconds = _seconds(*found.group("H", "M", "S", "I", "p"))
        fraction, offset = found.group("f", "z")
        ahead = None if offset is None else _offset(offset)
        if day is None or seconds is None or ahead == _NO_OFFSET:
            return None
        return Moment(day, seconds, fraction or "", ahead)


def _compiled(form: str, parts: frozenset[str]) -> re.Pattern[str]:
    """Compile a form, with groups for the parts that are not spelt, which match nothing."""
    others = "".join(f"(?P<{letter}>(?!))?" for letter in _FORMS if letter not in parts)
    return re.compile(form + others)


_Part = Optional[str]


@lru_cache(maxsize=1 << 16)
def _day(year: str, month: _Part, day: _Part, number: _Part, *names: _Part) -> Optional[dt.date]:
    short, long, short_weekday, long_weekday = names
    if number is not None:
        first, past = real_day(int(year), 1, 1), int(number) - 1
        is_one = 0 <= past < _DAYS_OF_A_YEAR + calendar.isleap(int(year))
        return first + dt.timedelta(past) if first and is_one else None
    name, weekday = short or long, short_weekday or long_weekday
    held = _MONTH[name[:3].lower()] if name else int(month or 0)
    found = real_day(int(year), held, int(day or 0))
    if found and weekday and found.weekday() != _WEEKDAY[weekday[:3].lower()]:
        return None
    return found


@lru_cache(maxsize=1 << 16)
def _seconds(
    hour: _Part, minute: _Part, second: _Part, of_half: _Part, half: _Part
) -> Optional[int]:
    """Give the seconds since midnight, or none where a clock does not show them."""
    hours, minutes, seconds = (int(part or 0) for part in (hour, minute, second))
    if half is not None:
        hours = int(of_half or 0)
        if not 1 <= hours <= _NOON:
            return None
        hours = hours % _NOON + (_NOON if half.lower() == "pm" else 0)
    if hours >= 2 * _NOON or minutes >= _HOUR or seconds >= _HOUR:
        return None
    return (hours * _HOUR + minutes) * _HOUR + seconds


#: An offset that no clock has.
_NO_OFFSET = 24 * _HOUR * _HOUR


def _offset(text: str) -> int:
    """Give an offset in seconds."""
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    ahead = _seconds(digits[:2], digits[2:4], digits[4:], None, None)
    if ahead is None:
        return _NO_OFFSET
    return -ahead if text[0] == "-" else ahead


#: A moment as it is exchanged, or the day alone: midnight.
ISO_MOMENT = Pattern(
    _compiled(
        "(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
        "(?:[T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.](?P<f>[0-9]+))?)?"
        f"(?: ?(?P<z>Z|{OFFSET}))?)?",
        frozenset("YmdHMSfz"),
    ),
    frozenset("YmdHMSfz"),
)
#: What a plain pattern is made into, and how its parts lose a zero that is one too many.
UNPAD = (
    "=([0-9]{4}-)0?([0-9]{2}-)0?([0-9]{2} )0?([0-9]{2}:[0-9]{2}:[0-9]{2}.*)",
    r"\g<1>\g<2>\g<3>\g<4>",
)
#: The same of a day alone.
UNPAD_DAY = ("=([0-9]{4}-)0?([0-9]{2}-)0?([0-9]{2}) 00:00:00", r"\g<1>\g<2>\g<3>")


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
    form, parts = "".join(pieces), frozenset(letters)
    return Pattern(_compiled(form, parts), parts, _plain(form, letters))


def _plain(form: str, letters: list[str]) -> Optional[tuple[str, str]]:
    if not set(letters) <= set("YmdHMSf"):
        return None
    part = {letter: rf"\g<{place}>" for place, letter in enumerate(letters, start=1)}
    date = f"={part['Y']}-0{part['m']}-0{part['d']}"
    hour, minute, second = (part.get(letter, "00") for letter in "HMS")
    time = f"{'0' if 'H' in part else ''}{hour}:{minute}:{second}"
    fraction = f".{part['f']}" if "f" in part else ""
    return re.sub(r"\(\?P<\w>", "(", form), f"{date} {time}{fraction}"


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
