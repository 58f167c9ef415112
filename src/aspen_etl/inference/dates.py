"""Dates and moments: the one pattern that all cells fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.inference.kind import Kind, text_kind
from aspen_etl.schema.column_spec import ColumnType
from aspen_etl.schema.types.base import TOO_PRECISE
from aspen_etl.schema.types.days import LATE_DAY
from aspen_etl.schema.types.patterns import ISO_MOMENT, read_pattern

__all__ = ["date_kind", "moment_kind"]

#: How many cells are looked at first: what does not fit mostly shows at once.
_GLANCE = 100
_ISO = "%Y-%m-%d"
#: Patterns of dates. Of those in one line the first that fits is taken: they never differ.
_DATES = (
    ("%Y/%m/%d",),
    ("%Y.%m.%d",),
    ("%m/%d/%Y",),
    ("%d/%m/%Y",),
    ("%m-%d-%Y",),
    ("%d-%m-%Y",),
    ("%m.%d.%Y",),
    ("%d.%m.%Y",),
    ("%d %b %Y", "%d %B %Y"),
    ("%d-%b-%Y", "%d-%B-%Y"),
    ("%b %d %Y", "%B %d %Y"),
    ("%b %d, %Y", "%B %d, %Y"),
)
#: A date in eight digits is taken for one only where the column is called like a date.
_DIGITS = "%Y%m%d"
_CALLED_A_DATE = re.compile(r"date|_on\Z|_at\Z|born|birth|day")
_TIMES = (
    *("%H:%M", "%H:%M:%S", "%H:%M:%S.%f"),
    *("%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I:%M:%S%p"),
)

#: Moments that fit without a closer look: most do, and there may be many.
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,3}0*)?)?"
_PLAIN = f"{LATE_DAY}[ T]{_CLOCK}"

_SWAPPED = "dates, but is the month or the day first? declare the type and its format="
_FINE = "moments finer than a millisecond: declare the type, and a cleaner"
_MIXED = "some moments have an offset, others none: these are taken for UTC"


def date_kind(name: str, cells: pd.Series, /) -> Optional[Kind]:
    """Give the date that all cells are; text with a note where month and day may be swapped.

    Args:
        name: The column.
        cells: Each text that stands there, once; one at the least.
    """
    iso = Kind("date")
    if _begins(_ISO, _glance(cells)) and iso.fits(cells):
        return iso
    forms = [*_DATES, (_DIGITS,)] if _CALLED_A_DATE.search(name) else [*_DATES]
    return _only("date", forms, cells)


def moment_kind(cells: pd.Series, /) -> Optional[Kind]:
    """Give the moment that all cells are: of a clock on the wall, or of UTC."""
    if ISO_MOMENT.read(cells.iloc[0]) is None:
        forms = [tuple(f"{day} {time}" for day in days) for days in _DATES for time in _TIMES]
        return _only("datetime", forms, cells)
    wall, utc = Kind("datetime"), Kind("timestamp", (("zone", "UTC"),))
    if COLUMNS.matches(cells, _PLAIN).all() or wall.fits(cells):
        return wall
    if utc.fits(cells):
        read = map(ISO_MOMENT.read, cells.to_numpy(dtype=object))
        has_none = any(found is not None and found.offset is None for found in read)
        return utc.noting(_MIXED) if has_none else utc
    is_fine = any(kind.faults(cells) == {TOO_PRECISE} for kind in (wall, utc))
    return text_kind(cells).noting(_FINE) if is_fine else None


def _only(type_: ColumnType, forms: list[tuple[str, ...]], cells: pd.Series) -> Optional[Kind]:
    """Give what fits one form, text with a note where several do, and nothing else."""
    first = _glance(cells)
    likely = [[each for each in form if _begins(each, first)] for form in forms]
    found = [kind for form in likely if (kind := next(_fitting(type_, form, cells), None))]
    if len(found) > 1:
        return text_kind(cells).noting(_SWAPPED)
    return found[0] if found else None


def _fitting(type_: ColumnType, patterns: list[str], cells: pd.Series) -> Iterator[Kind]:
    kinds = (Kind(type_, (("format", each),)) for each in patterns)
    return (kind for kind in kinds if kind.fits(cells))


def _glance(cells: pd.Series) -> list[str]:
    """Give the first cells, before all others are looked at."""
    return cells.iloc[:_GLANCE].tolist()


def _begins(pattern: str, first: list[str]) -> bool:
    """Tell whether the first cells fit."""
    return all(read_pattern(pattern).read(text) is not None for text in first)
