"""Days of our calendar as text: which there are, and how they are counted."""

from __future__ import annotations

import datetime as dt
from typing import Optional

__all__ = ["FIRST_DAY", "LATE_DAY", "REAL_DAY", "real_day"]

#: The first day that is taken unless a column says else: older ones have two calendars, and
#: programs refuse them.
FIRST_DAY = dt.date(1582, 10, 15)

_MONTH_AND_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP = "(?:0[48]|[2468][048]|[13579][26])"

#: The form of the days that there are, from 0001-01-01 to 9999-12-31.
REAL_DAY = (
    f"(?:(?:[0-9]{{3}}[1-9]|[0-9]{{2}}[1-9]0|[0-9][1-9]00|[1-9]000)-{_MONTH_AND_DAY}"
    f"|(?:[0-9]{{2}}{_LEAP}|{_LEAP}00)-02-29)"
)
#: The form of those from 1600-01-01 on, which is after the first.
LATE_DAY = (
    f"(?:(?:1[6-9]|[2-9][0-9])[0-9]{{2}}-{_MONTH_AND_DAY}"
    f"|(?:(?:1[6-9]|[2-9][0-9]){_LEAP}|(?:16|2[048]|[3579][26]|[468][048])00)-02-29)"
)


def real_day(year: int, month: int, day: int) -> Optional[dt.date]:
    """Give the day, or none where there is no such one."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
