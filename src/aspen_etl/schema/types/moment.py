"""Moments to the millisecond: of a clock on the wall, or of UTC.

``2020-01-31 14:05:00.000`` is a datetime, ``2020-01-31 14:05:00.000Z`` a timestamp.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache, partial
from typing import Any, Literal, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.cells import outside_years
from aspen_etl.schema.types.base import (
    INVALID,
    OUT_OF_RANGE,
    TOO_PRECISE,
    Canonical,
    Facts,
    Finding,
    Type,
    always,
    judged,
)
from aspen_etl.schema.types.days import FIRST_DAY, LATE_DAY, REAL_DAY
from aspen_etl.schema.types.patterns import (
    ISO_MOMENT,
    OFFSET,
    UNPAD,
    Moment,
    Pattern,
    UnreadablePatternError,
    read_pattern,
)

__all__ = ["DATETIME", "TIMESTAMP"]

_NUMPY = np.dtype("datetime64[ms]")
#: The dtype by what ends the canonical text: nothing, or a Z.
_DTYPES = {"": _NUMPY, "Z": pd.DatetimeTZDtype(unit="ms", tz="UTC")}
_CLOCK = r" (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}"
_DIGITS, _DAY = 3, dt.timedelta(days=1)
_MIDNIGHT = dt.time()
#: Moments that tell the parts of a date from each other, and those of a clock.
_SAMPLES = [dt.datetime(2001, 2, 3, 4, 5, 6), dt.datetime(1999, 12, 11, 10, 9, 8)]  # noqa: DTZ001 - a clock on the wall
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.000")
_FORMS = ("%Y-%m-%d", *(f"%Y-%m-%d{mark}{clock}" for mark in " T" for clock in _CLOCKS))


def _dtype(zone: str, _spec: Facts) -> Any:
    return _DTYPES[zone]


# ----------------------------------------------------------------------------- canonical text


def _canonical(zone: str, values: pd.Series, spec: Facts) -> Canonical:
    pattern = read_pattern(spec.format) if spec.format is not None else None
    many = partial(_spell_many, zone, pattern)
    return judged(values, LATE_DAY + _CLOCK + zone, partial(_read, zone, pattern), many)


def _spell_many(zone: str, pattern: Optional[Pattern], values: pd.Series) -> tuple[pd.Series, Mask]:
    """Spell what is plain by its place in the text; the day and the clock are judged at the end."""
    texts, own = values, np.zeros(len(values), dtype=bool)
    stages = [_STAGES[zone][:2], _STAGES[zone][2:]]
    if pattern is not None and pattern.plain is not None:
        stages.insert(0, (pattern.plain, UNPAD, *stages.pop(0)))
        own = COLUMNS.matches(values, _OWN)
    for stage in stages:
        for form, template in stage:
            texts = COLUMNS.replace(texts, form, template)
        hit = COLUMNS.matches(texts, LATE_DAY + _CLOCK + zone) & ~own
        if hit.all():
            break
    return texts, hit


def _stages(zone: str) -> tuple[tuple[str, str], ...]:
    """Give what becomes of ISO text, by forms: the usual ones first."""
    day, end = "([0-9]{4}-[0-9]{2}-[0-9]{2})", "(?: ?(?:Z|[+-]00(?::?00)?))?" if zone else ""
    clock = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
    return (
        (f"{day}[T ]({clock}){end}", rf"\g<1> \g<2>.000{zone}"),
        (rf"{day}[T ]({clock}\.[0-9]{{3}})0*{end}", rf"\g<1> \g<2>{zone}"),
        (rf"{day}[T ]({clock}\.[0-9]){end}", rf"\g<1> \g<2>00{zone}"),
        (rf"{day}[T ]({clock}\.[0-9]{{2}}){end}", rf"\g<1> \g<2>0{zone}"),
        (f"{day}[T ]([0-9]{{2}}:[0-9]{{2}}){end}", rf"\g<1> \g<2>:00.000{zone}"),
        (day, rf"\g<1> 00:00:00.000{zone}"),
    )


#: What looks as if it were on its way, and what an offset moves, whatever a pattern says of it.
_OWN = f"=(?s:.*)|.*{OFFSET}"

_STAGES = {zone: _stages(zone) for zone in ("", "Z")}


def _read(zone: str, pattern: Optional[Pattern], text: str) -> Finding:
    found = ISO_MOMENT.read(text)
    if found is None or (found.offset is not None and not zone):
        found = pattern.read(text) if pattern else None
    if found is None:
        return "", INVALID
    if found.fraction[_DIGITS:].strip("0"):
        return "", TOO_PRECISE
    if found.offset:
        moment = _in_utc(found)
        if moment is None:
            return "", OUT_OF_RANGE
        day, clock = moment.date(), moment.time().isoformat()
    else:
        day, clock = found.day, _clock(found.seconds)
    if day < FIRST_DAY:
        return "", OUT_OF_RANGE
    return f"{_iso(day)} {clock}.{found.fraction[:_DIGITS]:0<{_DIGITS}}{zone}", ""


_iso = lru_cache(maxsize=1 << 16)(dt.date.isoformat)


@lru_cache(maxsize=1 << 16)
def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _in_utc(found: Moment) -> Optional[dt.datetime]:
    """Give a moment to the second, or none where its year in UTC is not 1 to 9999."""
    seconds = found.seconds - (found.offset or 0)
    try:
        return dt.datetime.combine(found.day, _MIDNIGHT) + dt.timedelta(seconds=seconds)
    except OverflowError:
        return None


# ----------------------------------------------------------------------------- values


def _parse(zone: str, values: pd.Series, spec: Facts) -> pd.Series:
    wrong = int((~COLUMNS.matches(values, REAL_DAY + _CLOCK + zone)).sum())
    if wrong:
        raise ValueError(f"{wrong} cells are no moments in canonical form")
    return _convert(zone, values, spec)


def _convert(zone: str, values: pd.Series, spec: Facts) -> pd.Series:
    if not spec.nullable and values.hasnans:
        raise ValueError("a moment is missing")
    moments = pd.Series(COLUMNS.moments(values), copy=False)
    return moments.dt.tz_localize("UTC") if zone else moments


def _text(zone: str, values: pd.Series, _spec: Facts) -> pd.Series:
    if values.dtype != _DTYPES[zone]:
        raise ValueError(f"the column holds no {_DTYPES[zone]}")
    held = values.to_numpy(dtype=_NUMPY)
    absent = np.isnat(held)
    if (outside_years(held.view(np.int64), "ms", zone=False) & ~absent).any():
        raise ValueError("some moments are outside of the years 1 to 9999")
    return COLUMNS.spell(held, absent, end=zone)


# ----------------------------------------------------------------------------- declarations


def _check(zone: str, spec: Facts) -> Optional[str]:
    if spec.format is not None:
        try:
            pattern = read_pattern(spec.format)
        except UnreadablePatternError as error:
            return f"format={spec.format!r}: {error}"
        if "z" in pattern.parts and not zone:
            return f"format={spec.format!r} reads an offset, which needs zone='UTC'"
        if any(_misread(pattern, sample) for sample in _SAMPLES):
            return (
                f"format={spec.format!r} reads 2001-02-03 as another date; such text needs a "
                "cleaner"
            )
    return None


def _misread(pattern: Pattern, sample: dt.datetime) -> bool:
    texts = [sample.strftime(form) for form in _FORMS]
    found = [
        (ISO_MOMENT.read(text + end), pattern.read(text + end))
        for text in texts
        for end in ("", "Z")
    ]
    return any(
        right is not None and wrong is not None and _in_utc(right) != _in_utc(wrong)
        for right, wrong in found
    )


def _type(name: Literal["datetime", "timestamp"], zone: str) -> Type:
    return Type(
        name=name,
        dtype=partial(_dtype, zone),
        canonical=partial(_canonical, zone),
        parse=partial(_parse, zone),
        convert=partial(_convert, zone),
        text=partial(_text, zone),
        check=partial(_check, zone),
        rules=always(INVALID, TOO_PRECISE, OUT_OF_RANGE),
    )


DATETIME, TIMESTAMP = _type("datetime", ""), _type("timestamp", "Z")
