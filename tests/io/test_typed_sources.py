"""A value reaches its column as the same value, whatever holds it: a workbook, Parquet, a frame.

What is no value there is the reject that its text is in a CSV file.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from tests.support.payments import COLUMNS, MODEL, PLAIN, RUN, extract
from tests.support.workbooks import DATE, DATE_TIME, OFFICE, SPREADSHEET, TIME, table, workbook

BASE = {**PLAIN, "no": "00000"}
FROM_1904 = (
    f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><workbookPr date1904="1"/>'
    '<sheets><sheet name="payment" sheetId="1" r:id="rId2"/></sheets></workbook>'
)


def outcome(given: ae.Extract, column: str) -> list[Any]:
    """Give the values of a column by row of the sheet, or the rule that each cell breaks."""
    result = ae.normalize(given, run=RUN, model=MODEL)
    rules = dict(zip(result.rejects["row"], result.rejects["rule"]))
    rows = [number + 2 for number in range(len(given["payment"]))]
    values = iter(result.tables["payment"][column].astype(object))
    kept = [row for row in rows if row not in rules or result.rejects["scope"].eq("value").all()]
    found = {row: next(values) for row in kept}
    return [rules.get(row, None if pd.isna(found.get(row)) else found.get(row)) for row in rows]


def from_text(column: str, cells: list[Any]) -> list[Any]:
    """Give the outcome of text in a frame."""
    return outcome(extract(*({column: cell} for cell in cells)), column)


def from_workbook(column: str, cells: list[Any], *, is_1904: bool = False) -> list[Any]:
    """Give the outcome of cells of a workbook; one that is XML stands as it is."""
    records = [
        [{**BASE, "no": f"{number:05}", column: cell}[name] for name in COLUMNS]
        for number, cell in enumerate(cells)
    ]
    parts: dict[str, Any] = {"xl/workbook.xml": FROM_1904} if is_1904 else {}
    book = workbook({"payment": table(*records, header=COLUMNS)}, parts=parts)
    path = "memory://typed/book.xlsx"
    write(path, book)
    return outcome(ae.read_extract(path, model=MODEL), column)


def write(path: str, data: bytes) -> None:
    import fsspec

    with fsspec.open(path, "wb") as file:
        file.write(data)


def from_csv(column: str, cells: list[str], folder: Path) -> list[Any]:
    """Give the outcome of text in a CSV file."""
    extract(*({column: cell} for cell in cells))["payment"].to_csv(
        folder / "payment.csv", index=False
    )
    return outcome(ae.read_extract(str(folder), model=MODEL), column)


def from_parquet(column: str, cells: Any, folder: Path) -> list[Any]:
    """Give the outcome of an array of Arrow in a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    texts = {
        name: pa.array([cell] * len(cells), pa.string())
        for name, cell in BASE.items()
        if name not in {"no", column}
    }
    numbers = pa.array([f"{number:05}" for number in range(len(cells))])
    pq.write_table(pa.table({**texts, "no": numbers, column: cells}), folder / "payment.parquet")
    return outcome(ae.read_extract(str(folder), model=MODEL), column)


def from_frame(column: str, cells: Any) -> list[Any]:
    """Give the outcome of a column of any dtype in a frame."""
    frame = extract(*({} for _ in cells))["payment"].reset_index(drop=True)
    return outcome(ae.Extract(payment=frame.assign(**{column: pd.Series(cells)})), column)


# ------------------------------------------------------------------------------ workbooks


def styled(style: int, number: object) -> str:
    """Give a cell of a workbook with a style."""
    return f'<c s="{style}"><v>{number}</v></c>'


@pytest.mark.parametrize(
    ("column", "cell", "text"),
    [
        ("paid", styled(DATE, 44000), "2020-06-18"),
        ("paid", styled(DATE_TIME, 44000), "2020-06-18"),
        ("paid", styled(DATE_TIME, 44000.5), "2020-06-18 12:00:00"),
        ("paid", styled(TIME, 0.25), "06:00:00"),
        ("paid", 44000, "44000"),
        ("paid", "06/18/2020", "06/18/2020"),
        ("due", styled(DATE, 1), "1900-01-01"),
        ("booked", styled(DATE, 44000), "2020-06-18"),
        ("booked", styled(DATE_TIME, 44000.5), "2020-06-18 12:00:00"),
        ("booked", styled(DATE_TIME, 44000.000011574), "2020-06-18 00:00:01"),
        ("booked", 44000.5, "44000.5"),
        ("seen", styled(DATE_TIME, 44000.25), "2020-06-18 06:00:00"),
        ("settled", True, "TRUE"),
        ("settled", False, "FALSE"),
        ("settled", 1, "1"),
        ("disputed", "true", "true"),
        ("amount", 2138, "2138"),
        ("amount", 0.25, "0.25"),
        ("amount", 1234.5, "1234.5"),
        ("amount", "<c><v>0.1</v></c>", "0.1"),
        ("amount", "<c><v>0.30000000000000004</v></c>", "0.30000000000000004"),
        ("amount", "<c><v>1E3</v></c>", "1000"),
        ("amount", "<c><v>1.2345678901E10</v></c>", "12345678901"),
        ("amount", "1,234.50", "1,234.50"),
        ("rate", "<c><v>1E-6</v></c>", "0.000001"),
        ("rate", "<c><v>1E-7</v></c>", "0.0000001"),
        ("parts", 7.0, "7"),
        ("parts", -3, "-3"),
        ("parts", "<c><v>1E3</v></c>", "1000"),
    ],
)
def test_a_cell_of_a_workbook_is_what_its_text_is(column: str, cell: Any, text: str) -> None:
    assert from_workbook(column, [cell]) == from_text(column, [text])


@pytest.mark.parametrize(("column", "style"), [("paid", DATE), ("booked", DATE_TIME)])
def test_both_calendars_of_workbooks_are_minded(column: str, style: int) -> None:
    cells = [styled(style, 42538)]
    assert from_workbook(column, cells) == from_text(column, ["2016-06-17"])
    assert from_workbook(column, cells, is_1904=True) == from_text(column, ["2020-06-18"])


def test_an_unformatted_serial_number_is_no_date() -> None:
    assert from_workbook("paid", [44000]) == ["invalid_paid"]
    assert from_workbook("booked", [44000.5]) == ["invalid_booked"]


def test_a_day_that_a_workbook_cannot_have_is_a_reject_of_the_reader() -> None:
    assert from_workbook("due", [styled(DATE, 60)]) == ["out_of_range"]
    assert from_workbook("due", [styled(DATE, 36525)]) == ["out_of_range"]  # 1999-12-31


def test_ten_thousand_moments_of_a_workbook_are_equal() -> None:
    # From 1900-03-01 on; about 2600 doubles begin to be too coarse for a millisecond.
    ticks = np.random.default_rng(7).integers(61 * 86_400_000, 255_000 * 86_400_000, 10_000)
    serials = [repr(tick / 86_400_000) for tick in ticks.tolist()]
    expected = np.datetime64("1899-12-30", "ms") + ticks.astype("timedelta64[ms]")
    found = from_workbook("booked", [styled(DATE_TIME, serial) for serial in serials])
    assert (np.array(found, dtype="datetime64[ms]") == expected).all()


# ------------------------------------------------------------------------------ text files


def test_a_csv_file_is_text(tmp_path: Path) -> None:
    for column, cells in {
        "amount": ["1,234.50", "1e3", "-0", "1.005"],
        "paid": ["01/31/2020", "2020-01-31", "2020-1-31"],
        "seen": ["2020-01-31T00:30+02:00", "2020-01-31 24:00"],
        "settled": ["Y", "FALSE", "0"],
    }.items():
        assert from_csv(column, cells, tmp_path) == from_text(column, cells)


# ------------------------------------------------------------------------------ Parquet


def parquet_columns() -> list[tuple[str, Any, list[Any]]]:
    """Give columns of Arrow, and their cells as text."""
    pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    amounts = [Decimal("1234.50"), Decimal("-0.01"), Decimal("1.005"), Decimal(10**10)]
    moments = [dt.datetime(2020, 1, 31), dt.datetime(2020, 1, 31, 10, 0, 0, 123_000)]  # noqa: DTZ001
    finer = [dt.datetime(2020, 1, 31, 10, 0, 0, 1)]  # noqa: DTZ001
    utc = [each.replace(tzinfo=dt.timezone.utc) for each in moments]
    early = dt.datetime(1880, 1, 1, 14, 56, 2, tzinfo=dt.timezone.utc)
    days = [dt.date(2020, 2, 29), dt.date(1500, 1, 1)]
    day_texts = ["2020-02-29", "1500-01-01"]
    clock = ["2020-01-31", "2020-01-31 10:00:00.123"]
    points = ["2020-01-31 00:00:00+00:00", "2020-01-31 10:00:00.123+00:00"]
    texts = ["1234.50", "-0.01", "1.005", "10000000000"]
    return [
        ("amount", pa.array(amounts, pa.decimal128(20, 3)), texts),
        ("amount", pa.array(amounts, pa.decimal256(50, 6)), texts),
        ("amount", pa.array([7, -1], pa.int32()), ["7", "-1"]),
        ("amount", pa.array([0.25, 0.1], pa.float64()), ["0.25", "0.1"]),
        ("amount", pa.array([0.1, 0.5], pa.float32()), ["0.1", "0.5"]),
        ("rate", pa.array([Decimal("0.0000001")], pa.decimal128(38, 10)), ["0.0000001"]),
        ("rate", pa.array([Decimal("0.000001")], pa.decimal128(38, 10)), ["0.000001"]),
        ("paid", pa.array(days, pa.date32()), day_texts),
        ("paid", pa.array(days, pa.date64()), day_texts),
        ("paid", pa.array(moments, pa.timestamp("us")), clock),
        ("booked", pa.array(moments, pa.timestamp("us")), clock),
        ("booked", pa.array(moments, pa.timestamp("ns")), clock),
        ("booked", pa.array(finer, pa.timestamp("us")), ["2020-01-31 10:00:00.000001"]),
        ("booked", pa.array(utc, pa.timestamp("us", "UTC")), points),
        ("seen", pa.array(utc, pa.timestamp("us", "UTC")), points),
        ("seen", pa.array(moments, pa.timestamp("ms")), clock),
        ("seen", pa.array(utc, pa.timestamp("ms", "Europe/Rome")), points),
        (
            "seen",
            pa.array([early], pa.timestamp("us", "America/New_York")),
            ["1880-01-01 10:00:00-04:56:02"],
        ),
        ("settled", pa.array([True, False]), ["TRUE", "FALSE"]),
        ("disputed", pa.array([True, None]), ["TRUE", None]),
        ("parts", pa.array([2**63 - 1, -1, None], pa.int64()), [str(2**63 - 1), "-1", None]),
        ("parts", pa.array([Decimal("7.00")], pa.decimal128(9, 2)), ["7"]),
    ]


@pytest.mark.parametrize("number", range(22))
def test_a_typed_column_of_parquet_is_what_its_text_is(number: int, tmp_path: Path) -> None:
    column, cells, texts = parquet_columns()[number]
    expected = from_text(column, texts)
    assert from_parquet(column, cells, tmp_path) == expected
    assert from_frame(column, pd.arrays.ArrowExtensionArray(cells)) == expected


def test_each_column_of_parquet_was_tried() -> None:
    assert len(parquet_columns()) == 22


# ------------------------------------------------------------------------------ frames by hand

_DAY = dt.date(2020, 1, 31)
_CLOCK = dt.datetime(2020, 1, 31, 10, 0, 0, 5_000)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("column", "cells", "texts"),
    [
        ("amount", [Decimal("1.50"), Decimal("1E+3")], ["1.5", "1000"]),
        ("amount", np.array([1, -2], dtype="int16"), ["1", "-2"]),
        ("amount", np.array([0.1, 1e3]), ["0.1", "1000"]),
        ("amount", [12345678901234567890, 1], ["12345678901234567890", "1"]),
        ("amount", [True, False], ["TRUE", "FALSE"]),
        ("rate", [Decimal("0.30000000000000004"), None], ["0.30000000000000004", None]),
        ("paid", [_DAY, dt.date(1500, 1, 1)], ["2020-01-31", "1500-01-01"]),
        ("paid", pd.DatetimeIndex(["2020-01-31", "2020-02-29"]), ["2020-01-31", "2020-02-29"]),
        ("paid", [_CLOCK, _CLOCK], ["2020-01-31 10:00:00.005"] * 2),
        ("paid", pd.Categorical(["01/31/2020", "x"]), ["01/31/2020", "x"]),
        ("due", [pd.NaT, pd.Timestamp("2020-01-31")], [None, "2020-01-31"]),
        ("booked", [_CLOCK, None], ["2020-01-31 10:00:00.005", None]),
        ("booked", [_DAY, None], ["2020-01-31", None]),
        (
            "booked",
            np.array(["2020-01-31T10:00:00.000000001"], "M8[ns]"),
            ["2020-01-31 10:00:00.000000001"],
        ),
        (
            "seen",
            pd.DatetimeIndex(["2020-01-31 10:00"], tz="Asia/Tokyo"),
            ["2020-01-31 10:00+09:00"],
        ),
        ("seen", [_CLOCK.replace(tzinfo=dt.timezone.utc)], ["2020-01-31 10:00:00.005Z"]),
        # Before there were zones: an offset of seconds.
        (
            "seen",
            pd.DatetimeIndex(["1880-01-01 10:00"], tz=ZoneInfo("America/New_York")),
            ["1880-01-01 14:56:02Z"],
        ),
        ("settled", [True, False], ["TRUE", "FALSE"]),
        ("settled", np.array([1, 0]), ["1", "0"]),
        ("disputed", pd.array([True, None], dtype="boolean"), ["TRUE", None]),
        ("parts", pd.array([7, None], dtype="Int64"), ["7", None]),
        ("parts", [7.0, np.nan], ["7", None]),
        ("parts", np.array([2**64 - 1], dtype="uint64"), [str(2**64 - 1)]),
    ],
    ids=str,
)
def test_a_column_of_a_frame_is_what_its_text_is(column: str, cells: Any, texts: list[Any]) -> None:
    assert from_frame(column, cells) == from_text(column, texts)


def test_ten_thousand_moments_of_a_frame_are_equal() -> None:
    ticks = np.random.default_rng(7).integers(-(10**13), 10**14, 10_000)
    moments = ticks.astype("datetime64[ms]")
    found = np.array(from_frame("booked", moments), dtype="datetime64[ms]")
    assert (found == moments).all()
