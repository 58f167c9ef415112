"""The types of columns once more, in plain Python: what a text means, how a value may be spelt.

Written from the contract and not by the library, one cell at a time, so that the two can be
compared. Canonical text is made of a number, as other cells are; 0 makes the simplest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.testing._moments import judge_day, judge_moment, spell_day, spell_moment
from aspen_etl.testing._numbers import (
    canonical_decimal,
    canonical_integer,
    judge_decimal,
    judge_integer,
    odd_decimals,
    odd_integers,
    spell_decimal,
)

__all__ = [
    "PLAIN",
    "RULES",
    "PlainType",
    "column_of",
    "faulty",
    "odd_texts",
    "spell",
    "spellings",
]

#: The rules that a cell of a type may break, one at the most.
RULES = ("invalid", "too_precise", "out_of_range")

#: Canonical text, or the rule that the cell breaks.
Verdict = tuple[Optional[str], Optional[str]]


class PlainType(NamedTuple):
    """One type of column.

    Attributes:
        is_read: Whether text is read as what is none.
        judge: Give the canonical text of a clean cell, or the rule that it breaks.
        canonical: Make canonical text of a number.
        spellings: Give texts that may mean the same as canonical text; ``judge`` says which do.
        odd: Texts at the ends of the range, and such as readers are known to take.
        value: Give the value of canonical text, as a frame gives it cell by cell.
        text: Give the canonical text of such a value.
        array: Make what a column can be made of from values, missing ones None.
    """

    is_read: bool
    judge: Callable[[str, ColumnSpec], Verdict]
    canonical: Callable[[int, ColumnSpec], str]
    spellings: Callable[[str, ColumnSpec], Iterable[str]]
    odd: Callable[[ColumnSpec], Iterable[str]]
    value: Callable[[str], Any]
    text: Callable[[Any, ColumnSpec], str]
    array: Callable[[Sequence[Any], ColumnSpec], Any]


def spellings(text: str, spec: ColumnSpec, /) -> list[str]:
    """Give the ways to spell a value whose canonical text is given; the first is this one."""
    plain = PLAIN[spec.type]
    found = dict.fromkeys((text, *plain.spellings(text, spec)))
    return [spelt for spelt in found if plain.judge(spelt, spec)[0] == text]


def spell(text: str, number: int, spec: ColumnSpec, /) -> str:
    """Choose one of the ways to spell a value; often it is the canonical text."""
    plain = PLAIN[spec.type]
    found = (text, *plain.spellings(text, spec))
    chosen = found[number % len(found)]
    return chosen if plain.judge(chosen, spec)[0] == text else text


def odd_texts(spec: ColumnSpec, /) -> tuple[str, ...]:
    """Give texts at the ends of a type and beyond, and such as readers are known to take."""
    return (*_ODD, *PLAIN[spec.type].odd(spec))


def faulty(spec: ColumnSpec, /) -> dict[str, tuple[str, ...]]:
    """Give texts that break a rule of a column's type, by rule."""
    plain = PLAIN[spec.type]
    found: dict[str, list[str]] = {rule: [] for rule in RULES}
    for text in odd_texts(spec):
        rule = plain.judge(text, spec)[1]
        if rule is not None:
            found[rule].append(text)
    return {rule: tuple(texts) for rule, texts in found.items() if texts}


def column_of(texts: Sequence[Optional[str]], spec: ColumnSpec, /) -> pd.Series:
    """Make a column of a frame from canonical text."""
    plain = PLAIN[spec.type]
    values = [None if text is None else plain.value(text) for text in texts]
    return pd.Series(plain.array(values, spec))


#: What is none of any type but text, or of some that is another.
_ODD = (
    *("x", "1e5", "1.5", "007", "+1", "-0", ".5", "5.", "1_000", "1,234", "--1", "NaN", "inf"),
    *("9223372036854775808", "-9223372036854775809", "1234567890123456789012", "٣٤٥", "１２"),
    *("2021-02-29", "2020-1-1", "20200131", "2020-00-10", "2020-13-01", "0000-01-01", "31.01.2020"),
    *("2020-01-31 05", "2020-01-31 24:00", "2020-01-31 14:05:60", "2020-01-31T14:05:00+02:00x"),
    *("12/31/20", "2/30/2020", "1582-10-14", "0001-01-01", "yes", "Y ", "ｔｒｕｅ", "tru", "?"),
)


# ----------------------------------------------------------------------------- text, booleans


def _judge_text(text: str, _spec: ColumnSpec) -> Verdict:
    return text, None


def _judge_boolean(text: str, spec: ColumnSpec) -> Verdict:
    if text.lower() in {"true", "false"}:
        return text.lower(), None
    for word, value in spec.words:
        if word == text:
            return str(value).lower(), None
    return None, "invalid"


def _spell_boolean(text: str, spec: ColumnSpec) -> Iterable[str]:
    words = [word for word, value in spec.words if str(value).lower() == text]
    return (*words, text.upper(), text.title())


# ----------------------------------------------------------------------------- numbers


def _unscaled(text: str, spec: ColumnSpec) -> Iterable[str]:
    return spell_decimal(text, spec.scale or 0, spec.format)


# ----------------------------------------------------------------------------- days, moments

_FIRST = dt.date(1582, 10, 15)
_DAYS = tuple(
    dt.date.fromisoformat(day)
    for day in ("2020-01-31", "2020-02-29", "1999-12-31", "2000-02-29", "1900-03-01", "9999-12-31")
)


def _first(spec: ColumnSpec) -> dt.date:
    return spec.minimum if isinstance(spec.minimum, dt.date) else _FIRST


def _day(number: int, spec: ColumnSpec) -> str:
    number, form = divmod(number, 2)
    first = _first(spec)
    second = first + dt.timedelta(days=first < dt.date.max)
    ends = (*(day for day in _DAYS if day >= first), first, second)
    span = (dt.date.max - first).days + 1
    day = first + dt.timedelta(days=number * 7919 % span) if form else ends[number % len(ends)]
    return day.isoformat()


def _odd_days(spec: ColumnSpec) -> Iterable[str]:
    first = _first(spec)
    before = () if first == dt.date.min else ((first - dt.timedelta(days=1)).isoformat(),)
    return (*before, "2020-01-31 00:00:00", "2020-01-31T00:00", "10000-01-01")


_TIMES = ("00:00:00.000", "23:59:59.999", "14:05:00.000", "12:00:00.000", "00:00:00.001")


def _moment(zone: str) -> Callable[[int, ColumnSpec], str]:
    def canonical(number: int, spec: ColumnSpec) -> str:
        number, at = divmod(number, len(_TIMES) + 1)
        time = _TIMES[at] if at < len(_TIMES) else ""
        if not time:
            seconds, after = divmod(number * 7919 % 86_400_000, 1000)
            time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{after:03d}"
        return f"{_day(number, spec)} {time}{zone}"

    return canonical


def _odd_moments(_spec: ColumnSpec) -> Iterable[str]:
    return (
        *("2020-01-31 14:05:00.0001", "2020-01-31T14:05:00.123456789Z", "2020-01-31 14:05:00,5"),
        *("2020-01-31 14:05:00+02:00", "2020-01-31 14:05Z", "2020-01-31 14:05:00 UTC"),
        *("1582-10-14 23:59:59.999", "9999-12-31T23:59:59-01:00", "1582-10-15T00:00:00+01:00"),
        *("2020-01-31 14:05:00+25:00", "2020-01-31 14:5", "2020-01-31  14:05", "2020-01-31 14:60"),
    )


def _day_text(value: Any, _spec: ColumnSpec) -> str:
    shown: str = value.isoformat()
    return shown if shown[10:] != "T00:00:00" else shown[:10]


def _moment_text(value: Any, _spec: ColumnSpec) -> str:
    shown: str = value.isoformat(sep=" ", timespec="milliseconds")
    return shown.replace("+00:00", "Z")


def _moments(unit: str) -> Callable[[Sequence[Any], ColumnSpec], Any]:
    def array(values: Sequence[Any], spec: ColumnSpec) -> Any:
        texts = ["NaT" if v is None else v.replace(tzinfo=None).isoformat() for v in values]
        held = pd.Series(np.array(texts, dtype=f"datetime64[{unit}]"))
        return held.dt.tz_localize("UTC") if isinstance(spec.dtype, pd.DatetimeTZDtype) else held

    return array


def _midnight(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _clock(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


PLAIN: Mapping[ColumnType, PlainType] = {
    "text": PlainType(
        is_read=False,
        judge=_judge_text,
        canonical=lambda number, _: str(number),
        spellings=lambda _text, _spec: (),
        odd=lambda _: (),
        value=str,
        text=lambda value, _: str(value),
        array=lambda values, _: np.array([*values, None], dtype=object)[:-1],
    ),
    "integer": PlainType(
        is_read=True,
        judge=judge_integer,
        canonical=canonical_integer,
        spellings=lambda _text, _spec: (),
        odd=odd_integers,
        value=int,
        text=lambda value, _: str(int(value)),
        array=lambda values, _: pd.array(values, dtype="Int64"),
    ),
    "decimal": PlainType(
        is_read=True,
        judge=judge_decimal,
        canonical=canonical_decimal,
        spellings=_unscaled,
        odd=odd_decimals,
        value=Decimal,
        text=lambda value, _: format(value, "f"),
        array=lambda values, spec: pd.Series(values, dtype=object).astype(spec.dtype),
    ),
    "date": PlainType(
        is_read=True,
        judge=judge_day,
        canonical=_day,
        spellings=lambda text, spec: spell_day(text, spec.format),
        odd=_odd_days,
        value=_midnight,
        text=_day_text,
        array=_moments("s"),
    ),
    "datetime": PlainType(
        is_read=True,
        judge=judge_moment(""),
        canonical=_moment(""),
        spellings=lambda text, spec: spell_moment(text, spec.format),
        odd=_odd_moments,
        value=_clock,
        text=_moment_text,
        array=_moments("ms"),
    ),
    "timestamp": PlainType(
        is_read=True,
        judge=judge_moment("Z"),
        canonical=_moment("Z"),
        spellings=lambda text, spec: spell_moment(text, spec.format),
        odd=_odd_moments,
        value=_clock,
        text=_moment_text,
        array=_moments("ms"),
    ),
    "boolean": PlainType(
        is_read=True,
        judge=_judge_boolean,
        canonical=lambda number, _: "false" if number % 2 else "true",
        spellings=_spell_boolean,
        odd=lambda _: (),
        value=lambda text: text == "true",
        text=lambda value, _: str(bool(value)).lower(),
        array=lambda values, _: pd.array(values, dtype="boolean"),
    ),
}
