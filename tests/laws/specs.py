"""Columns of every type, and of every fact that a type knows, for the laws of types."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.testing._cells import tidy
from aspen_etl.testing._types import PLAIN, faulty, spell

__all__ = ["SPECS", "canonical_texts", "cells"]

_YES_NO = (("Y", True), ("yes", True), ("N", False), ("0", False), ("1", True))


def _decimal(precision: int, scale: int, example: str = "") -> ColumnSpec:
    return ColumnSpec(
        "amount", "decimal", nullable=True, precision=precision, scale=scale, format=example or None
    )


SPECS: dict[str, ColumnSpec] = {
    "text": ColumnSpec("name", "text", nullable=True),
    "integer": ColumnSpec("number", "integer", nullable=True),
    "integer from 0": ColumnSpec("number", "integer", nullable=True, minimum=0),
    "decimal(12, 2)": _decimal(12, 2),
    "decimal(18, 0)": _decimal(18, 0),
    "decimal(38, 18)": _decimal(38, 18),
    "decimal(38, 38)": _decimal(38, 38),
    "decimal(3, 3)": _decimal(3, 3),
    "decimal(1, 0)": _decimal(1, 0),
    "decimal 1,234.50": _decimal(12, 2, "1,234.50"),
    "decimal 1.234,50": _decimal(12, 2, "1.234,50"),
    "decimal 1.234,50 of 18 places": _decimal(38, 18, "1.234,50"),
    "decimal $1,234.50": _decimal(10, 4, "$1,234.50"),
    "decimal (1,234.50)": _decimal(12, 2, "(1,234.50)"),
    "decimal 1234.50-": _decimal(7, 2, "1234.50-"),
    "decimal 1'234.50 CHF": _decimal(12, 2, "1'234.50 CHF"),
    "date": ColumnSpec("day", "date", nullable=True),
    "date from 1900": ColumnSpec("day", "date", nullable=True, minimum=dt.date(1900, 1, 1)),
    "date from the first": ColumnSpec("day", "date", nullable=True, minimum=dt.date(1, 1, 1)),
    "date %m/%d/%Y": ColumnSpec("day", "date", nullable=True, format="%m/%d/%Y"),
    "date %d.%m.%Y": ColumnSpec("day", "date", nullable=True, format="%d.%m.%Y"),
    "date %Y%m%d": ColumnSpec("day", "date", nullable=True, format="%Y%m%d"),
    "date %d %b %Y": ColumnSpec("day", "date", nullable=True, format="%d %b %Y"),
    "datetime": ColumnSpec("at", "datetime", nullable=True),
    "datetime %d.%m.%Y %H:%M": ColumnSpec("at", "datetime", nullable=True, format="%d.%m.%Y %H:%M"),
    "datetime %m/%d/%Y %H:%M:%S.%f": ColumnSpec(
        "at", "datetime", nullable=True, format="%m/%d/%Y %H:%M:%S.%f"
    ),
    "timestamp": ColumnSpec("at", "timestamp", nullable=True),
    "timestamp %Y%m%d%H%M%S": ColumnSpec("at", "timestamp", nullable=True, format="%Y%m%d%H%M%S"),
    "boolean": ColumnSpec("flag", "boolean", nullable=True),
    "boolean of words": ColumnSpec("flag", "boolean", nullable=True, words=_YES_NO),
}

_NUMBERS = st.integers(0, 2**24 - 1)
_ALPHABET = "0123456789.,-+()eE_ :/TZ$'AMYNtruefals١１\u2009"


def canonical_texts(spec: ColumnSpec) -> st.SearchStrategy[str]:
    """Give canonical text, the ends of its range among it."""
    return _NUMBERS.map(lambda number: PLAIN[spec.type].canonical(number, spec))


def cells(spec: ColumnSpec) -> st.SearchStrategy[str]:
    """Give clean text: right, spelt otherwise, at fault, a little changed, or anything."""
    broken = [text for texts in faulty(spec).values() for text in texts]
    spelt = st.builds(
        lambda text, number: spell(text, number, spec), canonical_texts(spec), _NUMBERS
    )
    changed = st.builds(_changed, spelt, st.integers(0, 40), st.sampled_from(_ALPHABET), _NUMBERS)
    anything = st.text(_ALPHABET, max_size=12)
    drawn = [spelt, changed, anything, *([st.sampled_from(broken)] if broken else [])]
    return st.one_of(drawn).map(lambda text: tidy(text) or "x")


def _changed(text: str, at: int, character: str, way: int) -> str:
    """Put a character in, or in the place of another, or take one out."""
    at %= len(text) + 1
    return text[:at] + (character, character, "")[way % 3] + text[at + (way % 3 > 0) :]
