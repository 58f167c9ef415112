"""Sheets without a model: names become identifiers, and a model of these names reads them again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aspen_etl.errors import ExtractError
from aspen_etl.io import read_extract
from aspen_etl.io.reading import Reading
from aspen_etl.io.sheets import read_sheets
from aspen_etl.schema import Extract, Source, SourceSpec
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.headers import identifier, spell_headers
from tests.support.refusals import refused
from tests.support.workbooks import sheet, table, workbook

ORDERS = b"Titles of May\n\nOrder ID,SKU, Unit Price,\n1,a, 2.50 ,x\n\n2,b,,y\n"


def implied(extract: Extract) -> Any:
    """Give what reads the same sheets again: a model of their names, which nobody wrote down."""
    sources = {
        name: SourceSpec(
            name,
            {column: ColumnSpec(column, "text", nullable=True) for column in frame.columns},
            Source,
            implied=True,
        )
        for name, frame in extract.items()
    }
    return SimpleNamespace(sources=sources)


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def columns(extract: Extract) -> dict[str, list[str]]:
    return {name: list(frame.columns) for name, frame in extract.items()}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("id", "id"),
        (" Order  ID\n", "order_id"),
        ("orderId", "order_id"),
        ("IMDB_Rating", "imdb_rating"),
        ("HTTPStatus", "http_status"),
        ("Sepal.Length (cm)", "sepal_length_cm"),
        ("Größe", "grosse"),
        ("Épée", "epee"),
        ("2020", "column_2020"),
        ("名", ""),
        ("#", ""),
    ],
)
def test_a_header_is_an_identifier_of_letters_digits_and_lines(header: str, name: str) -> None:
    assert identifier(header) == name
    assert identifier(identifier(header)) == name


def test_a_header_that_is_a_name_already_goes_before_one_that_becomes_it() -> None:
    assert spell_headers(["Order ID", "order_id"], ["order_id"]) == ["Order ID", "order_id"]
    assert spell_headers(["名", "No."], ["column_1", "no"]) == ["column_1", "no"]


def test_a_folder_is_read_whole_and_again_by_the_names_that_were_found(tmp_path: Path) -> None:
    put(tmp_path, {"Order Lines.csv": ORDERS, "b.csv": b"k\n1\n", "blank.csv": b"", "x.txt": b"."})
    extract = read_sheets(tmp_path)
    assert columns(extract) == {
        "order_lines": ["order_id", "sku", "unit_price", "column_4"],
        "b": ["k"],
    }
    assert extract["order_lines"].index.tolist() == [4, 5, 6]
    assert read_extract(tmp_path, model=implied(extract)).equals(extract)


def test_a_workbook_is_read_whole_and_again(tmp_path: Path) -> None:
    sheets = {"My Sheet": table((1, True), header=("Größe", "Is Open")), "Blank": sheet("")}
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(sheets))
    extract = read_sheets(path)
    assert columns(extract)["my_sheet"] == ["grosse", "is_open"]
    assert "blank" not in extract
    assert read_extract(path, model=implied(extract)).equals(extract)


def test_parts_of_one_sheet_are_one(tmp_path: Path) -> None:
    put(tmp_path / "loans", {"part-0.csv": b"A,B\n1,2\n", "part-1.csv": b"A,B\n3,4\n"})
    (extract, below) = read_sheets(tmp_path / "loans"), read_sheets(tmp_path)
    assert columns(extract) == columns(below) == {"loans": ["a", "b"]}
    assert len(extract["loans"]) == 2
    assert read_extract(tmp_path / "loans", model=implied(extract)).equals(extract)


def test_sheets_to_read_headers_to_rename_and_to_leave_out_are_named(tmp_path: Path) -> None:
    put(tmp_path, {"One.csv": b"A B,a-b,note\n1,2,3\n", "two.csv": b"x\n"})
    reading = Reading(sheets={"first": "One"}, columns={"a-b": "c"}, ignore_columns=["Note"])
    extract = read_sheets(tmp_path, reading)
    assert columns(extract) == {"first": ["a_b", "c"]}
    assert read_extract(tmp_path, model=implied(extract), **reading.keywords()).equals(extract)


def test_urls_by_name_are_sheets(tmp_path: Path) -> None:
    put(tmp_path, {"One.csv": b"A\n1\n"})
    assert columns(read_sheets({"first": tmp_path / "One.csv"})) == {"first": ["a"]}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.csv": b"A B,a_b\n"}, "duplicate_column"),
        ({"a.csv": b"id,ID\n"}, "duplicate_column"),
    ],
)
def test_two_columns_of_one_name_are_refused(
    files: dict[str, bytes], problem: Any, tmp_path: Path
) -> None:
    with refused(problem):
        read_sheets(put(tmp_path, files))


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"a b.csv": b"A\n", "a_b.csv": b"A\n"}, "two sheets have the name 'a_b'"),
        ({"a.csv": b"\n"}, "no sheet with a header"),
    ],
)
def test_what_cannot_be_told_apart_or_is_nothing_is_refused(
    files: dict[str, bytes], text: str, tmp_path: Path
) -> None:
    with pytest.raises(ExtractError, match=text):
        read_sheets(put(tmp_path, files))
