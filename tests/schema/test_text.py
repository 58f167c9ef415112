"""Every cell arrives as text or as missing, and no value is changed on the way."""

from __future__ import annotations

import datetime as dt
import decimal
import unicodedata
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aspen_etl.errors import ExtractError
from aspen_etl.schema.text import (
    TEXT,
    WHITE_SPACE,
    as_text,
    conform_text,
    escape,
    split_unencodable,
)

UTC = dt.timezone.utc


def texts(values: pd.Series) -> list[Any]:
    return [None if pd.isna(cell) else cell for cell in values.tolist()]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("", ""),
        (" a ", " a "),
        ("NA", "NA"),
        ("None", "None"),
        ("nan", "nan"),
        ("007", "007"),
        ("1e5", "1e5"),
        ("12345\n", "12345\n"),
        (True, "TRUE"),
        (False, "FALSE"),
        (np.bool_(1), "TRUE"),
        (0, "0"),
        (-7, "-7"),
        (2**53 + 1, "9007199254740993"),
        (2**80, "1208925819614629174706176"),
        (np.int64(6705), "6705"),
        (6705.0, "6705"),
        (np.float64(-0.5), "-0.5"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (0.1, "0.1"),
        (decimal.Decimal("6705.00"), "6705"),
        (decimal.Decimal("1E+3"), "1000"),
        (decimal.Decimal("0.10"), "0.1"),
        (dt.date(2020, 1, 31), "2020-01-31"),
        (dt.datetime(2020, 1, 31), "2020-01-31"),  # noqa: DTZ001 - a spreadsheet knows no zone
        (dt.datetime(2020, 1, 31, 14, 5), "2020-01-31 14:05:00"),  # noqa: DTZ001 - likewise
        (dt.datetime(2020, 1, 31, tzinfo=UTC), "2020-01-31 00:00:00+00:00"),
        (dt.time(14, 5), "14:05:00"),
        (dt.timedelta(hours=25, microseconds=5), "25:00:00.000005"),
        (dt.timedelta(hours=-1), "-01:00:00"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (None, None),
        (np.nan, None),
        (pd.NA, None),
        (pd.NaT, None),
    ],
    ids=repr,
)
def test_a_cell_becomes_text_without_being_changed(cell: object, text: str | None) -> None:
    found = as_text(pd.Series([cell, "and text"], dtype=object))
    assert texts(found) == [text, "and text"]
    assert found.dtype == TEXT


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([6705, 2138]), ["6705", "2138"]),
        (pd.Series([6705, None]), ["6705", None]),
        (pd.Series([6705, None], dtype="Int64"), ["6705", None]),
        (pd.Series([2**64 - 1, 0], dtype="uint64"), ["18446744073709551615", "0"]),
        (pd.Series([2**63 - 1, None], dtype="Int64"), ["9223372036854775807", None]),
        (pd.Series([1.5, 2.0]), ["1.5", "2"]),
        (pd.Series([2.0**53 - 1]), ["9007199254740991"]),
        (pd.Series([True, False]), ["TRUE", "FALSE"]),
        (pd.Series([True, None], dtype="boolean"), ["TRUE", None]),
        (pd.Series(["b", None, "a"], dtype="category"), ["b", None, "a"]),
        (pd.Series([1, 2], dtype="category"), ["1", "2"]),
        (pd.Series(["a", None], dtype="string"), ["a", None]),
        (pd.Series([None, None]), [None, None]),
        (pd.Series([], dtype=float), []),
        (pd.Series([pd.Timestamp("2020-01-31"), pd.NaT]), ["2020-01-31", None]),
        (
            pd.Series([pd.Timestamp("2020-01-31 14:05:00.123456", tz="UTC")]),
            ["2020-01-31 14:05:00.123456+00:00"],
        ),
        (pd.Series([pd.Timedelta(minutes=90)]), ["01:30:00"]),
    ],
    ids=lambda given: str(getattr(given, "dtype", "")),
)
def test_a_column_of_any_dtype_becomes_text(values: pd.Series, expected: list[Any]) -> None:
    found = as_text(values)
    assert texts(found) == expected
    assert found.dtype == TEXT
    assert found.index.equals(values.index)


def test_a_column_held_by_arrow_becomes_text() -> None:
    pa = pytest.importorskip("pyarrow")
    numbers = pd.Series([6705, None], dtype=pd.ArrowDtype(pa.int64()))
    words = pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string()))
    assert (texts(as_text(numbers)), texts(as_text(words))) == (["6705", None], ["a", None])


def test_numbers_whose_digits_a_float_has_lost_are_refused_without_showing_them() -> None:
    with pytest.raises(ExtractError) as caught:
        as_text(pd.Series([2.0**53, 1.0, 3.0**40]))
    assert str(caught.value) == (
        "2 numbers of a float column are 2**53 or more, so their digits are no longer exact; "
        "read the column as text or as whole numbers"
    )
    assert caught.value.details == {"count": 2}


@pytest.mark.parametrize("cell", [b"secret", ["secret"], {"a": "secret"}, object()])
def test_what_is_no_value_is_refused_without_showing_it(cell: object) -> None:
    with pytest.raises(ExtractError) as caught:
        as_text(pd.Series([cell, "a"], dtype=object))
    assert str(caught.value) == (
        f"a cell is of type {type(cell).__name__}, which is not a value of a table; "
        "give text, numbers or dates"
    )


def test_the_input_of_as_text_is_unchanged() -> None:
    values = pd.Series([1, None, "a"], dtype=object, index=[5, 6, 7], name="x")
    before = values.copy(deep=True)
    found = as_text(values)
    pd.testing.assert_series_equal(values, before)
    assert found.index.tolist() == [5, 6, 7]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_has_one_form(missing: object) -> None:
    found = conform_text(pd.Series(["a", missing], dtype=object))
    assert found.dtype == TEXT
    assert found.isna().tolist() == [False, True]
    assert found.iloc[1] is None or isinstance(found.iloc[1], float)


def test_white_space_is_the_set_of_the_contract() -> None:
    spaces = {chr(point) for point in range(0x110000) if unicodedata.category(chr(point))[0] == "Z"}
    assert set(WHITE_SPACE) == spaces | set("\t\n\v\f\r")
    assert len(WHITE_SPACE) == len(set(WHITE_SPACE)) == 24


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\0b", "a\\x00b"),
        ("a\ud800", "a\\ud800"),
        ("\U0001f600 \u2028 \x01", "\U0001f600 \u2028 \x01"),
        ("\\", "\\"),
    ],
)
def test_what_text_columns_cannot_hold_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_lone_surrogates_are_parted_from_the_rest() -> None:
    values = pd.Series(["a", "b\ud800", None, "\udfff"], dtype=object, index=[9, 9, 9, 9])
    kept, broken = split_unencodable(values)
    assert texts(kept) == ["a", None, None, None]
    assert broken.to_dict() == {1: "b\ud800", 3: "\udfff"}


def test_cells_that_are_no_text_are_not_parted() -> None:
    values = pd.Series([1, 2.5, None], dtype=object)
    kept, broken = split_unencodable(values)
    assert kept is values
    assert broken.empty
