"""Clean text as a date, a moment or a time of a database, or why it is none."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Optional

__all__ = ["Misfit", "Read", "date_of", "moment_of", "plain_of", "time_of", "utc_of"]

#: Give the value of a text.
Read = Callable[[str], Any]


class Misfit(Exception):  # noqa: N818 - nobody is told of it but by its text
    """A text is no value of a type; the text of this says why, and shows none."""


_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9:]{5,8})(?:\.([0-9]+))?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_UTC = frozenset({"Z", "+00:00", "+0000", "-00:00"})
_CLOCK = re.compile(r"-?[0-9]{1,3}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?")


def date_of(_: Any) -> Read:
    """Take a date."""
    return _day


def _day(text: str) -> str:
    day, clock, fraction, zone = _parts(text, "no date")
    if zone or (clock or "").strip("0:") or (fraction or "").strip("0"):
        raise Misfit("no date")
    return day


def _parts(text: str, why: str) -> tuple[str, Optional[str], Optional[str], Optional[str]]:
    found = _MOMENT.fullmatch(text)
    try:
        if found is not None:
            dt.date.fromisoformat(found[1])
            dt.time.fromisoformat(found[2] or "00:00")
            return found[1], found[2], found[3], found[4]
    except ValueError:
        pass
    raise Misfit(why)


def moment_of(kind: Any, /, *, digits: int, has_zone: Optional[bool] = None) -> Read:
    """Take a moment of so many digits of a second, where the column does not say how many."""
    told = getattr(kind, "precision", None)
    told = getattr(kind, "fsp", None) if told is None else told
    in_zone = bool(kind.timezone) if has_zone is None else has_zone
    return partial(_spelt, digits=digits if told is None else told, has_zone=in_zone)


def _spelt(text: str, *, digits: int, has_zone: bool) -> str:
    day, clock, fraction, zone = _parts(text, "no moment")
    if has_zone and clock and not zone:
        raise Misfit("a moment in no zone")
    if zone and not has_zone and zone not in _UTC:  # else it is read in UTC, if in any
        raise Misfit("a moment in a zone")
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > digits:
        raise Misfit(f"more than {digits} digits of a second")
    end = f".{fraction}" if fraction else ""
    offset = "+00:00" if zone in _UTC else zone or ""
    return f"{day} {clock or '00:00:00'}{end}{offset if has_zone else ''}"


def plain_of(_: Any) -> Read:
    """Take a moment as SQLite spells it: without a mark of its zone."""
    return _unmarked


def _unmarked(text: str) -> str:
    return text.removesuffix("Z")


def utc_of(kind: Any) -> Read:
    """Give MySQL a moment in the session's zone, which is UTC."""
    read = moment_of(kind, digits=0, has_zone=True)

    def plain(text: str) -> str:
        found = read(text)
        if not found.endswith("+00:00"):
            raise Misfit("a moment that is not in UTC")
        return str(found[: -len("+00:00")])

    return plain


def time_of(_: Any) -> Read:
    """Take a time of day."""
    return _clock


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise Misfit("no time of day")
    return text
