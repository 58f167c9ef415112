"""Dates: ``2020-01-31``."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.cells import outside_years
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.types.base import (
    INVALID,
    OUT_OF_RANGE,
    Canonical,
    Facts,
    Finding,
    Type,
    always,
    by_distinct,
    read_cells,
)
from aspen_etl.schema.types.days import FIRST_DAY, REAL_DAY
from aspen_etl.schema.types.patterns import (
    UNPAD_DAY,
    Pattern,
    UnreadablePatternError,
    read_pattern,
)

__all__ = ["DATE"]

_DTYPE = np.dtype("datetime64[s]")
_ISO = read_pattern("%Y-%m-%d")
#: Days that tell the parts of a date from each other.
_SAMPLES = [dt.date(2001, 2, 3), dt.date(1999, 12, 11), dt.date(2010, 11, 12), dt.date(2020, 2, 29)]


def _dtype(_spec: Facts) -> Any:
    return _DTYPE


# ----------------------------------------------------------------------------- canonical text


def _canonical(values: pd.Series, spec: Facts) -> Canonical:
    pattern = read_pattern(spec.format) if spec.format is not None else None
    first = spec.minimum or FIRST_DAY
    return read_cells(values, partial(_read, pattern, first), partial(_spell, pattern, first))


def _spell(pattern: Optional[Pattern], first: dt.date, values: pd.Series) -> tuple[pd.Series, Mask]:
    """Spell distinct texts by the place of their parts; which days there are is judged at the end.

    Dates are in the order of their canonical text.
    """
    texts, own = values, np.zeros(len(values), dtype=bool)
    if pattern is not None and pattern.plain is not None:
        own = COLUMNS.matches(values, "=(?s:.*)")  # what looks as if it were on its way
        texts = COLUMNS.replace(COLUMNS.replace(values, *pattern.plain), *UNPAD_DAY)
    late: Mask = texts.to_numpy(dtype=object) >= first.isoformat()
    return texts, late & COLUMNS.matches(texts, REAL_DAY) & ~own


def _read(pattern: Optional[Pattern], minimum: dt.date, text: str) -> Finding:
    found = _ISO.read(text) or (pattern.read(text) if pattern else None)
    if found is None:
        return "", INVALID
    return ("", OUT_OF_RANGE) if found.day < minimum else (found.day.isoformat(), "")


# ----------------------------------------------------------------------------- values


def _parse(values: pd.Series, spec: Facts) -> pd.Series:
    if not spec.nullable and values.hasnans:
        raise ValueError("a date is missing")
    return by_distinct(values, _days)


def _days(texts: pd.Series) -> pd.Series:
    texts = conform_text(texts)
    wrong = int((~COLUMNS.matches(texts, REAL_DAY)).sum())
    if wrong:
        raise ValueError(f"{wrong} distinct cells are no dates in canonical form")
    return pd.Series(texts.to_numpy(dtype="U10").astype(_DTYPE), copy=False)


def _text(values: pd.Series, _spec: Facts) -> pd.Series:
    if values.dtype != _DTYPE:
        raise ValueError(f"the column holds no {_DTYPE}")
    held = values.to_numpy()
    days = held.astype("datetime64[D]")
    present, numbers = ~np.isnat(days), days.view(np.int64)
    if (days.astype(_DTYPE)[present] != held[present]).any():
        raise ValueError("some dates have a time of day")
    first = int(numbers[present].min()) if present.any() else 0
    past = int(numbers[present].max()) + 1 if present.any() else 0
    if past - first > len(values):
        return by_distinct(values, _texts)
    texts = _texts(pd.Series(np.arange(first, past).astype("datetime64[D]").astype(_DTYPE)))
    return COLUMNS.take(texts, np.where(present, numbers - first, -1))


def _texts(days: pd.Series) -> pd.Series:
    held = days.to_numpy()
    if outside_years(held.view(np.int64), "s", zone=False).any():
        raise ValueError("some dates are outside of the years 1 to 9999")
    shown = np.datetime_as_string(held.astype("datetime64[D]"))
    return conform_text(pd.Series(shown.astype(object), dtype=object))


# ----------------------------------------------------------------------------- declarations


def _check(spec: Facts) -> Optional[str]:
    least = spec.minimum
    if least is not None and (not isinstance(least, dt.date) or isinstance(least, dt.datetime)):
        return "minimum= of a date is a datetime.date"
    if spec.format is not None:
        try:
            pattern = read_pattern(spec.format)
        except UnreadablePatternError as error:
            return f"format={spec.format!r}: {error}"
        if pattern.has_time:
            return f"format={spec.format!r} names a time of day, which a date has not"
        for day in _SAMPLES:
            found = pattern.read(day.isoformat())
            if found is not None and found.day != day:
                return (
                    f"format={spec.format!r} reads the date 2001-02-03 as another one; such text "
                    "needs a cleaner"
                )
    return None


DATE = Type(
    name="date",
    dtype=_dtype,
    canonical=_canonical,
    parse=_parse,
    convert=_parse,
    text=_text,
    check=_check,
    rules=always(INVALID, OUT_OF_RANGE),
)
