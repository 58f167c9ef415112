"""Where the headers of a sheet stand: named, one for each sheet, or found below titles."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.errors import ExtractError, LimitExceededError
from aspen_etl.io import ReadLimits, read_extract
from aspen_etl.io.header import find_header
from aspen_etl.io.reading import Request
from aspen_etl.schema import Extract
from tests.support.refusals import refused
from tests.support.workbooks import BORROWER, ROLE_PROFILE, row, sheet

CSV = (",".join(BORROWER) + "\n1,Ann,,,,,,,\n").encode()
REQUEST = Request("x.csv", "s", ("a", "b", "c"))


def book(borrower_titles: list[list[Any]], role_titles: list[list[Any]]) -> dict[str, str]:
    borrower = [*borrower_titles, BORROWER, ["1", "Ann"]]
    roles = [*role_titles, ROLE_PROFILE, ["1", "borrower"]]
    return {
        name: sheet("".join(row(number, cells) for number, cells in enumerate(rows, 1)))
        for name, rows in (("borrower", borrower), ("role_profile", roles))
    }


def numbers(extract: Extract) -> dict[str, list[int]]:
    return {name: frame.index.tolist() for name, frame in extract.items()}


# ----------------------------------------------------------------------------- named


@pytest.mark.parametrize("header_row", [{"borrower": 3}, {"borrower": 3, "role_profile": 2}])
def test_each_sheet_may_have_its_header_in_a_row_of_its_own(
    read: Callable[..., Extract], header_row: dict[str, int]
) -> None:
    sheets = book([["May", "2026"], []], [["Roles"]])
    assert numbers(read(sheets, header_row=header_row)) == {"borrower": [4], "role_profile": [3]}


@pytest.mark.parametrize(
    ("header_row", "match"),
    [
        ({"borower": 3}, "'borower', which is no source .* did you mean 'borrower'"),
        (0, "from 1 on"),
        (-1, "from 1 on"),
        (True, "from 1 on"),
        ({"borrower": "3"}, "from 1 on"),
    ],
)
def test_a_row_that_is_none_is_explained(header_row: Any, match: str) -> None:
    with pytest.raises(ExtractError, match=match):
        read_extract("nowhere", header_row=header_row)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"sheets": {"borower": "x"}}, "did you mean 'borrower'"),
        ({"sheets": {"borrower": "borower"}}, "did you mean 'borrower'"),
        ({"columns": {"ZIP": "zipcode"}}, "did you mean 'zip_code'"),
    ],
)
def test_a_mistyped_name_of_a_sheet_or_column_gets_a_suggestion(
    read: Callable[..., Extract], options: Any, match: str
) -> None:
    with pytest.raises(ExtractError, match=match):
        read(book([], []), **options)


# ----------------------------------------------------------------------------- found


def test_titles_above_a_table_are_passed_over_and_counted(read: Callable[..., Extract]) -> None:
    sheets = book([["Loan book, May"], []], [["Roles"], ["as of"], [None, "May"]])
    extract = read(sheets)
    assert numbers(extract) == {"borrower": [4], "role_profile": [5]}
    assert extract.notes == {"borrower": {"title_rows": 1}, "role_profile": {"title_rows": 3}}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("title", [b"Loan book of May\n", b"Loan book,,\n", b'\n"Loan, ""May"""\n'])
def test_titles_of_csv_are_passed_over(folder: Callable[..., Path], title: bytes) -> None:
    frame = read_extract(folder(title + CSV))["borrower"]
    assert frame.index.tolist() == [title.count(b"\n") + 2]
    assert frame["full_name"].tolist() == ["Ann"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([["a", "b", "c"], ["a", "b", "c"]], (1, 0)),
        ([["t"], ["C ", "B", "a"]], (2, 1)),
        ([["t"], [], ["a", "b", "x"], ["1"]], (3, 1)),  # what is missing can be said of this row
        ([["t"], ["a", "x", "y"]], (1, 0)),
        ([["1", "2", "3"], ["4"]], (1, 0)),
        ([["t"]] * 19 + [["a", "b", "c"]], (20, 19)),
        ([["t"]] * 20 + [["a", "b", "c"]], (1, 0)),
    ],
)
def test_the_header_is_the_first_row_that_is_no_title(
    rows: list[list[Any]], found: tuple[int, int]
) -> None:
    header = find_header(rows, REQUEST)
    assert header is not None
    assert (header.number, header.titles) == found


def test_a_sheet_of_one_column_has_no_titles() -> None:
    with refused("missing_column", match="row 2 holds every column"):
        find_header([["t"], ["a"]], Request("x.csv", "s", ("a",)))


def test_what_may_be_a_record_is_no_title(folder: Callable[..., Path]) -> None:
    path = folder(b"canary,Ann\n" + CSV)
    with refused("missing_column", match="row 2 holds every column") as caught:
        read_extract(path)
    assert "canary" not in f"{caught.value} {caught.value.details} {caught.value.__context__}"
    assert "header_row={'source': 2}" in str(caught.value)
    assert len(read_extract(path, header_row={"borrower": 2})["borrower"]) == 1


def test_a_sheet_without_a_header_shows_nothing_of_it(folder: Callable[..., Path]) -> None:
    with refused("missing_column", match="among its 2 headers") as caught:
        read_extract(folder(b"canary,Ann\ncanary,\n,id\n"))
    assert "canary" not in f"{caught.value} {caught.value.details} {caught.value.__context__}"


def test_a_header_that_lacks_a_column_below_titles_is_told_of(folder: Callable[..., Path]) -> None:
    with refused("missing_column", match="no column 'email'"):
        read_extract(folder(b"Loan book\n" + CSV.replace(b",email", b"")))


# ----------------------------------------------------------------------------- in little time


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("line", [b"", b'""', b" ", b",,,,,,,,", b' , ,"",,,,,,'])
def test_blank_records_before_a_header_cost_linear_time(
    folder: Callable[..., Path], line: bytes
) -> None:
    path = folder((line + b"\n") * 20_000 + CSV)
    start = time.process_time()
    assert read_extract(path)["borrower"].index.tolist() == [20_002]
    assert time.process_time() - start < 1


@pytest.mark.usefixtures("engine")
def test_columns_are_counted_before_they_are_made(folder: Callable[..., Path]) -> None:
    wide = b",".join([b"x"] * 300_000)
    start = time.process_time()
    for data in (wide + b"\n", b"\n" + wide, CSV + wide + b"\n" + wide):
        with pytest.raises(LimitExceededError, match=r"300,000, .*max_columns"):
            read_extract(folder(data))
    assert time.process_time() - start < 1.5


def test_rows_above_a_header_are_limited(folder: Callable[..., Path]) -> None:
    with pytest.raises(LimitExceededError, match="max_rows"):
        read_extract(folder(b"\n" * 9 + CSV), limits=ReadLimits(max_rows=8))
