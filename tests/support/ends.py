"""A model with a column of every type and size, and tables of the ends of each range."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.schema import Table, TableSpec
from aspen_etl.schema.types import TYPES


class End(Table):
    """A value of every type."""

    end_id: Series[int] = ae.column(primary_key=True)
    name: Series[str] = ae.column(natural_key=True, length=20, source="ends.name")
    price: Series[Decimal] = ae.column(precision=12, scale=2, source="ends.price")
    maybe_price: Series[Decimal] = ae.column(
        precision=12, scale=2, nullable=True, source="ends.maybe_price"
    )
    odd: Series[Decimal] = ae.column(precision=5, scale=3, nullable=True, source="ends.odd")
    wide: Series[Decimal] = ae.column(precision=38, scale=18, nullable=True, source="ends.wide")
    deep: Series[Decimal] = ae.column(precision=38, scale=30, nullable=True, source="ends.deep")
    whole: Series[Decimal] = ae.column(precision=38, scale=0, nullable=True, source="ends.whole")
    share: Series[Decimal] = ae.column(precision=2, scale=2, nullable=True, source="ends.share")
    cents: Series[Decimal] = ae.column(precision=18, scale=2, nullable=True, source="ends.cents")
    number: Series[int] = ae.column(nullable=True, source="ends.number")
    least: Series[int] = ae.column(minimum=-7, nullable=True, source="ends.least")
    day: Series[dt.date] = ae.column(source="ends.day")
    maybe_day: Series[dt.date] = ae.column(nullable=True, source="ends.maybe_day")
    moment: Series[dt.datetime] = ae.column(source="ends.moment")
    maybe_moment: Series[dt.datetime] = ae.column(nullable=True, source="ends.maybe_moment")
    instant: Series[dt.datetime] = ae.column(zone="UTC", source="ends.instant")
    maybe_instant: Series[dt.datetime] = ae.column(
        zone="UTC", nullable=True, source="ends.maybe_instant"
    )
    truth: Series[bool] = ae.column(source="ends.truth")
    maybe_truth: Series[bool] = ae.column(nullable=True, source="ends.maybe_truth")


class Old(Table):
    """Days before our calendar, which Spark refuses."""

    old_id: Series[int] = ae.column(primary_key=True)
    name: Series[str] = ae.column(natural_key=True, length=20, source="old.name")
    first: Series[dt.date] = ae.column(minimum=dt.date(1, 1, 1), source="old.first")


ENDS_MODEL = ae.Model.of(tables=[End, Old])

_PRICES = ["9999999999.99", "-9999999999.99", "0.00", "1.00", "1.01", "-0.01", "1000.10"]
_DAYS = ["1582-10-15", "9999-12-31", "1969-12-31", "1970-01-01", "2000-02-29", "1899-12-31"]
_MOMENTS = [
    "1582-10-15 00:00:00.000",
    "9999-12-31 23:59:59.999",
    "1969-12-31 23:59:59.999",
    "1970-01-01 00:00:00.000",
    "2024-03-10 02:30:00.001",  # which New York's clocks do not show
    "2038-01-19 03:14:08.000",
    "1899-12-31 23:59:00.120",
]
_TRUTHS = ["true", "false"]

#: Canonical text at the ends of each range, and where others are known to err.
ENDS: dict[str, list[str]] = {
    "price": _PRICES,
    "maybe_price": _PRICES,
    "odd": ["1.005", "-1.005", "2.675", "99.999", "-99.999", "0.001", "-0.001"],
    "wide": [
        "12345678901234567890.123456789012345678",
        "-99999999999999999999.999999999999999999",
        "0.000000000000000001",
        "0.300000000000000000",
    ],
    "deep": [
        f"99999999.{'9' * 30}",
        f"0.{'0' * 29}1",
        f"-0.{'0' * 29}1",
        f"0.{'0' * 30}",
    ],
    "whole": ["9" * 38, f"-{'9' * 38}", "0", "-1", "10"],
    "share": ["0.99", "-0.99", "0.00", "0.01"],
    "cents": ["1234567890123456.78", "-9999999999999999.99", "0.10", "0.30"],
    "number": [str(2**63 - 1), str(-(2**63)), "0", str(2**53 + 1)],
    "least": ["-7", "0"],
    "day": _DAYS,
    "maybe_day": _DAYS,
    "moment": _MOMENTS,
    "maybe_moment": _MOMENTS,
    "instant": [f"{text}Z" for text in _MOMENTS],
    "maybe_instant": [f"{text}Z" for text in _MOMENTS],
    "truth": _TRUTHS,
    "maybe_truth": _TRUTHS,
}
OLD = {"first": ["0001-01-01", "0999-12-31", "1582-10-14", "2000-02-29"]}

#: More rows than any column has ends, so that each stands somewhere beside each null.
ROWS = 9


def texts_of(table: TableSpec) -> pd.DataFrame:
    """Give canonical text for each cell of a table: every end, and null where it may be."""
    ends = {**ENDS, **OLD}
    columns = {}
    for spec in table.columns.values():
        if spec.primary_key:
            cells: list[str | None] = [str(row + 1) for row in range(ROWS)]
        elif spec.natural_key:
            cells = [f"row {row}" for row in range(ROWS)]
        elif spec.audit:
            shown = None if spec.nullable else "2026-01-31 12:00:00.999Z"
            cells = [shown if spec.length is None else shown and "me"] * ROWS
        else:
            known = [*ends[spec.name], *([None] if spec.nullable else [])]
            cells = [known[row % len(known)] for row in range(ROWS)]
        columns[spec.name] = conform_text(pd.Series(cells, dtype=object))
    return pd.DataFrame(columns)


def end_frames() -> ae.Tables:
    """Give tables that hold the ends of each range."""
    frames = {}
    for name, table in ENDS_MODEL.tables.items():
        texts = texts_of(table)
        frames[name] = pd.DataFrame(
            {
                spec.name: TYPES[spec.type].parse(texts[spec.name], spec)
                for spec in table.columns.values()
            }
        )
    return ae.Tables(frames)
