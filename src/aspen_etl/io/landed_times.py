"""The commit times of landed rows, as text that sorts."""

from __future__ import annotations

import datetime as dt
import re
from typing import Optional

__all__ = ["canonical_moment", "parse_moment"]

#: ``yyyy-MM-dd HH:mm:ss.SSSSSS`` as DMS writes it, with fewer digits or none, and what means UTC.
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6})0*)?"
    r"(?:Z|\+00:?00)?"
)


def canonical_moment(text: str, /) -> Optional[str]:
    """Give a time as text with six digits of its second, or nothing where it is none.

    Examples:
        >>> canonical_moment("2024-01-31T14:05:00.12")
        '2024-01-31 14:05:00.120000'
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    moment = f"{found[1]} {found[2]}.{(found[3] or '').ljust(6, '0')}"
    try:
        parse_moment(moment)
    except ValueError:  # no calendar has it
        return None
    return moment


def parse_moment(text: str, /) -> dt.datetime:
    """Give the moment, in UTC, that such text says."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone.utc)
