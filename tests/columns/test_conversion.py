"""Every cell arrives as text or as missing, and no value is changed on the way."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.text import TEXT
from aspen_etl.errors import ExtractError

UTC = dt.timezone.utc
LONG_DECIMAL = "12345678901234567890123456789012345678901.12"


class Colour(str, enum.Enum):
    """Words, as an application has them."""

    RED = "red"


class Level(enum.IntEnum):
    """Numbers, likewise."""

    HIGH = 3


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
        (2.0**53 - 1, "9007199254740991"),
        (-0.0, "0"),
        (np.float32(0.1), "0.1"),
        (np.float32(2**24 - 1), "16777215"),
        (np.float16(2047), "2047"),
        (np.longdouble("0.1"), "0.1"),
        (0.1, "0.1"),
        (decimal.Decimal("6705.00"), "6705"),
        (decimal.Decimal("1E+3"), "1000"),
        (decimal.Decimal("0.10"), "0.1"),
        (decimal.Decimal("-0.00"), "0"),
        (decimal.Decimal("12345678901234567890123456789012345678901.120"), LONG_DECIMAL),
        (decimal.Decimal("1E+40"), "1" + "0" * 40),
        (decimal.Decimal("1E-40"), f"0.{'0' * 39}1"),
        (decimal.Decimal("Infinity"), "Infinity"),
        (decimal.Decimal("sNaN"), "sNaN"),
        (dt.date(2020, 1, 31), "2020-01-31"),
        (dt.datetime(2020, 1, 31), "2020-01-31"),  # noqa: DTZ001 - a spreadsheet knows no zone
        (dt.datetime(2020, 1, 31, 14, 5), "2020-01-31 14:05:00"),  # noqa: DTZ001 - likewise
        (dt.datetime(2020, 1, 31, tzinfo=UTC), "2020-01-31 00:00:00+00:00"),
        (pd.Timestamp("2020-01-31 00:00:00.000000001"), "2020-01-31 00:00:00.000000001"),
        (pd.Timestamp("2020-01-31", tz="Asia/Tokyo"), "2020-01-31 00:00:00+09:00"),
        (np.datetime64("2020-01-31T14:05:00.000000001"), "2020-01-31 14:05:00.000000001"),
        (np.datetime64("2020-01-31"), "2020-01-31"),
        (dt.time(14, 5), "14:05:00"),
        (dt.time(14, 5, tzinfo=UTC), "14:05:00+00:00"),
        (dt.timedelta(hours=25, microseconds=5), "25:00:00.000005"),
        (dt.timedelta(hours=-1), "-01:00:00"),
        (pd.Timedelta(-1, "ns"), "-00:00:00.000000001"),
        (np.timedelta64(90, "s"), "00:01:30"),
        (Colour.RED, "red"),
        (Level.HIGH, "3"),
        (np.str_("a"), "a"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (None, None),
        (np.nan, None),
        (decimal.Decimal("NaN"), None),
        (np.datetime64("NaT", "s"), None),
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
        (pd.Series([0.1, 16777215], dtype="float32"), ["0.1", "16777215"]),
        (pd.Series([0.1, None, 2.5e-7], dtype="Float32"), ["0.1", None, "0.00000025"]),
        (pd.Series([2047, None], dtype="float16"), ["2047", None]),
        (pd.Series([1, None], dtype="category"), ["1", None]),
        (pd.Series(np.array(["a", None], dtype=object), dtype="category"), ["a", None]),
        (pd.Series([1.5, None], dtype=pd.SparseDtype("float64")), ["1.5", None]),
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


@pytest.mark.parametrize(
    "cell", [b"secret", ["secret"], {"a": "secret"}, object(), 1j, np.void(b"a")]
)
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


# ------------------------------------------------------------------------- what is not exact


def arrow(values: list[Any], kind: str) -> pd.Series:
    pa = pytest.importorskip("pyarrow")
    if kind == "float16":
        return pd.Series(
            pa.array(np.array(values, dtype="float16")), dtype=pd.ArrowDtype(pa.float16())
        )
    if kind == "dictionary":
        array = pa.array(values).dictionary_encode()
        return pd.Series(array, dtype=pd.ArrowDtype(array.type))
    return pd.Series(values, dtype=pd.ArrowDtype(getattr(pa, kind)()))


@pytest.mark.parametrize(
    ("make", "bits"),
    [
        (lambda: pd.Series([1e16, 41.0], dtype=object), 53),
        (lambda: pd.Series([np.float64(2**53), "a"], dtype=object), 53),
        (lambda: pd.Series([float("inf"), "a"], dtype=object), 53),
        (lambda: pd.Series([float("inf")]), 53),
        (lambda: pd.Series([-(2.0**53)]), 53),
        (lambda: pd.Series([np.float32(2**24), 1], dtype=object), 24),
        (lambda: pd.Series([np.float16(2**11), 1], dtype=object), 11),
        (lambda: pd.Series([33554436, 41], dtype="float32"), 24),
        (lambda: pd.Series([2048, 41], dtype="float16"), 11),
        (lambda: pd.Series([33554436, None], dtype="Float32"), 24),
        (lambda: pd.Series([1e16, None], dtype="Float64"), 53),
        (lambda: pd.Series([33554436, 41], dtype="float32").astype("category"), 24),
        (lambda: pd.Series([33554436, 41], dtype=pd.SparseDtype("float32")), 24),
        (lambda: arrow([1e16, None], "float64"), 53),
        (lambda: arrow([33554436.0, 41.0], "float32"), 24),
        (lambda: arrow([2048, 41], "float16"), 11),
        (lambda: arrow([1e16, 41], "dictionary"), 53),
    ],
)
def test_a_float_from_its_bound_on_is_refused_however_pandas_holds_it(make: Any, bits: int) -> None:
    with pytest.raises(ExtractError) as caught:
        as_text(make())
    assert str(caught.value) == (
        f"1 numbers of a float column are 2**{bits} or more, so their digits are no longer "
        "exact; read the column as text or as whole numbers"
    )
    assert caught.value.details == {"count": 1}


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "dictionary"])
def test_a_float_that_arrow_holds_below_its_bound_is_text(kind: str) -> None:
    assert texts(as_text(arrow([2047.0, 0.5], kind))) == ["2047", "0.5"]


def test_more_digits_than_a_float_of_80_bits_shares_with_64_are_kept() -> None:
    number = np.longdouble(2**60) + 1
    if np.finfo(np.longdouble).nmant > 60:  # where the machine has them
        assert texts(as_text(pd.Series(np.array([number])))) == [str(2**60 + 1)]


@pytest.mark.parametrize("kind", ["datetime64[s]", "datetime64[ms]", "datetime64[us]"])
@pytest.mark.parametrize("day", ["0000-12-31", "10000-01-01", "-0044-03-15"])
def test_a_date_outside_of_the_calendar_is_refused(kind: str, day: str) -> None:
    values = pd.Series(np.array([day], dtype=kind))
    for each in (values, values.dt.tz_localize("UTC"), pd.Series([np.datetime64(day), "a"])):
        with pytest.raises(ExtractError, match=r"^1 dates or times are outside of the years 1 to"):
            as_text(each)


def test_a_date_that_python_cannot_hold_is_refused_where_arrow_holds_it() -> None:
    pa = pytest.importorskip("pyarrow")
    days = pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
    with pytest.raises(ExtractError, match="outside of the years 1 to 9999"):
        as_text(pd.Series(days, dtype=pd.ArrowDtype(pa.date32())))


@pytest.mark.parametrize(
    "cell",
    [
        decimal.Decimal("1E+999999999"),
        decimal.Decimal("1E-999999999"),
        decimal.Decimal("1" * 5_000),
        10**5_000,
    ],
    ids=["wide", "narrow", "decimal", "int"],
)
def test_a_number_of_thousands_of_digits_is_refused(cell: object) -> None:
    with pytest.raises(ExtractError, match=r"^a number has more than 4,000 digits"):
        as_text(pd.Series([cell, "a"], dtype=object))


def test_a_time_whose_offset_depends_on_the_date_is_refused() -> None:
    time = dt.time(14, 5, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    with pytest.raises(ExtractError, match=r"^a time has a zone whose offset depends"):
        as_text(pd.Series([time, "a"], dtype=object))


def test_the_decimal_context_of_the_caller_changes_no_text() -> None:
    cell = decimal.Decimal(LONG_DECIMAL)
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        assert texts(as_text(pd.Series([cell], dtype=object))) == [LONG_DECIMAL]


def test_a_time_of_nanoseconds_that_arrow_holds_keeps_them() -> None:
    pa = pytest.importorskip("pyarrow")
    values = pd.Series(pa.array([1], pa.time64("ns")), dtype=pd.ArrowDtype(pa.time64("ns")))
    assert texts(as_text(values)) == ["00:00:00.000000001"]
