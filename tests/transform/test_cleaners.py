"""Cleaners of general use: what they change, and what they leave alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.plain import Plain
from aspen_etl.columns.text import TEXT, conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.transform import cleaners, cut_fraction, drop_float_noise


@pytest.fixture(params=[COLUMNS, Plain()], ids=["chosen", "plain"], autouse=True)
def _form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaners, "COLUMNS", request.param)


def column(*cells: Optional[str]) -> pd.Series:
    made = conform_text(pd.Series(cells, dtype=object))
    return made.set_axis(pd.RangeIndex(3, 3 + len(made)))


def cells(values: pd.Series) -> list[Any]:
    return [cell if isinstance(cell, str) else None for cell in values.tolist()]


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        ("2020-01-31 14:05:00.1239999", "2020-01-31 14:05:00.123"),
        ("2020-01-31T14:05:00.1230001Z", "2020-01-31T14:05:00.123Z"),
        ("2020-01-31 14:05:00.1239999 +02:00", "2020-01-31 14:05:00.123 +02:00"),
        ("31.01.2020 14:05:00.123456", "31.01.2020 14:05:00.123"),
        ("1/31/2020 2:05:00.123456 PM", "1/31/2020 2:05:00.123 PM"),
        ("2020-01-31 14:05:00.123", "2020-01-31 14:05:00.123"),
        ("2020-01-31 14:05:00.1", "2020-01-31 14:05:00.1"),
        ("2020-01-31 14:05:00", "2020-01-31 14:05:00"),
        ("2020-01-31", "2020-01-31"),
        ("1.1239999", "1.1239999"),
        ("x", "x"),
        (None, None),
    ],
)
def test_cut_fraction_cuts_what_is_beyond_the_millisecond(
    cell: Optional[str], after: Optional[str]
) -> None:
    assert cells(cut_fraction(column(cell, "x", cell))) == [after, "x", after]


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        ("0.30000000000000004", "0.3"),
        ("-0.30000000000000004", "-0.3"),
        ("0.1000000000000000055511151231257827", "0.1"),
        ("1234567.8900000001", "1234567.89"),
        ("99.9999999999999999", "100"),
        ("1.00000000000000005", "1"),
        ("-999999999999999.9", "-1000000000000000"),
        ("0.12345678901234567", "0.123456789012346"),
        ("0.000000000000000012345678901234565", "0.0000000000000000123456789012346"),
        # Fifteen digits, digits before the point, and what is no plain number stay.
        ("0.123456789012345", "0.123456789012345"),
        ("0.000000000000000000000001", "0.000000000000000000000001"),
        ("12345678901234567", "12345678901234567"),
        ("1234567890123456.75", "1234567890123456.75"),
        ("3.0000000000000004e-1", "3.0000000000000004e-1"),
        ("1,234.5600000000000001", "1,234.5600000000000001"),
        ("not a number at all", "not a number at all"),
        ("", ""),
        (None, None),
    ],
)
def test_drop_float_noise_keeps_the_digits_that_a_double_is_sure_of(
    cell: Optional[str], after: Optional[str]
) -> None:
    assert cells(drop_float_noise(column(cell, "1.5", cell))) == [after, "1.5", after]


@pytest.mark.parametrize("clean", [cut_fraction, drop_float_noise])
def test_a_cleaner_keeps_index_and_dtype_and_does_nothing_twice(clean: Any) -> None:
    long = "0123456789.:- Z"

    @given(st.lists(st.none() | st.text(long, max_size=30) | st.floats().map(str), max_size=4))
    def check(given_cells: list[Any]) -> None:
        values = column(*given_cells)
        once = clean(values)
        assert once.index.equals(values.index)
        assert once.dtype == TEXT
        assert [cell is None for cell in cells(once)] == [cell is None for cell in given_cells]
        assert cells(clean(once)) == cells(once)

    check()


def test_a_sum_of_doubles_is_the_number_that_was_meant() -> None:
    @given(st.lists(st.integers(0, 10**8), min_size=2, max_size=3))
    def check(cents: list[int]) -> None:
        total = sum(cent / 100 for cent in cents)
        spec = ColumnSpec("fee", "decimal", precision=12, scale=2)
        found = TYPES["decimal"].canonical(drop_float_noise(column(repr(total))), spec)
        assert [Decimal(cell) * 100 for cell in cells(found.text)] == [sum(cents)]

    check()
