"""Days and moments in plain Python: what their texts mean, and how they may be spelt."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Optional

from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["judge_day", "judge_moment", "spell_day", "spell_moment"]

Verdict = tuple[Optional[str], Optional[str]]

#: Year, month, day, hour, minute, second, digits of the fraction, offset.
_Parts = tuple[int, int, int, int, int, int, str, str]

_DAY = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MOMENT = re.compile(
    "([0-9]{4})-([0-9]{2})-([0-9]{2})"
    "(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]+))?)?(?: ?(Z|[+-][0-9:]+))?)?"
)
_OFFSET = re.compile("([+-])([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2}))?)?")
_FIRST = dt.date(1582, 10, 15)


def judge_day(text: str, spec: ColumnSpec) -> Verdict:
    """Judge a cell of dates."""
    found = _DAY.fullmatch(text)
    if found is None:
        parts = _by_pattern(text, spec.format) if spec.format else None
        year, month, day = parts[:3] if parts else (0, 0, 0)
    else:
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    try:
        made = dt.date(year, month, day)
    except ValueError:
        return None, "invalid"
    first = spec.minimum if isinstance(spec.minimum, dt.date) else _FIRST
    return (made.isoformat(), None) if made >= first else (None, "out_of_range")


def judge_moment(zone: str) -> Callable[[str, ColumnSpec], Verdict]:
    """Give what judges a cell of moments: ``zone`` is Z for those of UTC."""

    def judge(text: str, spec: ColumnSpec) -> Verdict:
        found = _MOMENT.fullmatch(text)
        if found is not None:
            numbers = [int(part or 0) for part in found.groups()[:6]]
            parts: Optional[_Parts] = (*numbers, found[7] or "", found[8] or "")  # type: ignore[assignment]
        else:
            parts = _by_pattern(text, spec.format) if spec.format else None
        return (None, "invalid") if parts is None else _judge_parts(parts, zone)

    return judge


def _judge_parts(parts: _Parts, zone: str) -> Verdict:
    *numbers, fraction, offset = parts
    shift = _shift(offset)
    try:
        moment = dt.datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - a clock on the wall
    except ValueError:
        return None, "invalid"
    if shift is None or (offset and not zone):
        return None, "invalid"
    if fraction[3:].strip("0"):
        return None, "too_precise"
    try:
        moment -= shift
    except OverflowError:
        return None, "out_of_range"
    if moment.date() < _FIRST:
        return None, "out_of_range"
    return f"{moment.isoformat(' ')}.{fraction[:3].ljust(3, '0')}{zone}", None


def _shift(offset: str) -> Optional[dt.timedelta]:
    if offset in {"", "Z"}:
        return dt.timedelta()
    found = _OFFSET.fullmatch(offset)
    if found is None:
        return None
    hours, minutes, seconds = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    if hours > 23 or max(minutes, seconds) > 59:  # noqa: PLR2004 - what a clock shows
        return None
    ahead = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return ahead * (-1 if found[1] == "-" else 1)


# ----------------------------------------------------------------------------- patterns

_FORMS = {
    "%Y": "(?P<Y>[0-9]{4})",
    "%m": "(?P<m>[0-9]{1,2})",
    "%d": "(?P<d>[0-9]{1,2})",
    "%H": "(?P<H>[0-9]{1,2})",
    "%M": "(?P<M>[0-9]{2})",
    "%S": "(?P<S>[0-9]{2})",
    "%f": "(?P<f>[0-9]{1,9})",
    "%z": "(?P<z>Z|[+-][0-9:]+)",
    "%%": "%",
}
_PART = re.compile("(%.)")


def _by_pattern(text: str, pattern: str) -> Optional[_Parts]:
    """Give the parts of a moment that is spelt as a pattern of ``strptime``."""
    pieces = _PART.split(pattern)
    if not set(pieces[1::2]) <= set(_FORMS):
        return _by_python(text, pattern)
    form = "".join(_FORMS[p] if place % 2 else re.escape(p) for place, p in enumerate(pieces))
    if re.search("%[mdH]%|%.%[mdH]", pattern):  # digits beside digits have their full width
        form = form.replace("{1,2}", "{2}")
    found = re.fullmatch(form, text)
    if found is None:
        return None
    part = found.groupdict()
    year, month, day, hour, minute, second = (int(part.get(letter) or 0) for letter in "YmdHMS")
    return year, month, day, hour, minute, second, part.get("f") or "", part.get("z") or ""


def _by_python(text: str, pattern: str) -> Optional[_Parts]:
    """Do the same by Python, for names of months and what else is rare."""
    if not text.isascii():
        return None
    try:
        found = dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - the offset is looked at
    except ValueError:
        return None
    offset = found.isoformat()[26 if found.microsecond else 19 :]
    fraction = f"{found.microsecond:06d}"
    day = (found.year, found.month, found.day)
    return (*day, found.hour, found.minute, found.second, fraction, offset)


# ----------------------------------------------------------------------------- spellings


def spell_day(text: str, pattern: Optional[str]) -> Iterator[str]:
    """Give ways to spell a day: by pattern, also without the zeros before a number."""
    if pattern:
        yield from _spelt(dt.datetime.fromisoformat(text), pattern)


def spell_moment(text: str, pattern: Optional[str]) -> Iterator[str]:
    """Give ways to spell a moment: shorter, longer, in another zone, by pattern."""
    zone = "Z" if text.endswith("Z") else ""
    bare = text[: -len(zone)] if zone else text
    day, time = bare.split(" ")
    ends = ("", " Z", "+00:00", "-0000", "+00") if zone else ("",)
    for end in ends:
        for mark in " T":
            yield f"{day}{mark}{time}{end}"
            yield f"{day}{mark}{time}000{end}"
            yield f"{day}{mark}{time.rstrip('0').rstrip('.')}{end}"
            yield f"{day}{mark}{time[:8]}{end}"
            yield f"{day}{mark}{time[:5]}{end}"
    yield day
    moment = dt.datetime.fromisoformat(bare)
    if zone and dt.date(1583, 1, 1) <= moment.date() < dt.date(9999, 1, 1):
        offsets = ((7_200, "+02:00"), (-18_000, "-05"), (19_800, "+0530"), (-17_762, "-04:56:02"))
        for seconds, shown in offsets:
            shifted = moment + dt.timedelta(seconds=seconds)
            yield shifted.isoformat("T", timespec="milliseconds") + shown
    if pattern:
        yield from _spelt(moment, pattern)


def _spelt(moment: dt.datetime, pattern: str) -> Iterator[str]:
    wide = pattern.replace("%Y", f"{moment.year:04d}")
    yield moment.strftime(wide)
    short = wide
    for letter, number in (("m", moment.month), ("d", moment.day), ("H", moment.hour)):
        short = short.replace(f"%{letter}", str(number))
    yield moment.strftime(short)
