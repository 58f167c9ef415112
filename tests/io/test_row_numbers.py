"""A row keeps the number that the spreadsheet shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aspen_etl.io import read_extract
from aspen_etl.schema import Extract
from tests.support.refusals import refused
from tests.support.workbooks import BORROWER, row, sheet

CSV = (",".join(BORROWER) + "\n").encode()


def test_leading_and_inner_blank_rows_count(read: Callable[..., Extract]) -> None:
    rows = row(4, BORROWER) + row(5, ["1"]) + row(8, ["2"])
    frame = read({"borrower": sheet(rows)})["borrower"]
    assert frame.index.tolist() == [5, 6, 7, 8]
    assert frame["id"].notna().tolist() == [True, False, False, True]


def test_a_sheet_may_begin_at_another_column(read: Callable[..., Extract]) -> None:
    rows = row(2, [None, None, *BORROWER]) + row(3, [None, None, "1", "Ann"])
    frame = read({"borrower": sheet(rows)})["borrower"]
    assert (frame.index.tolist(), frame["full_name"].tolist()) == ([3], ["Ann"])


def test_the_caller_can_name_the_row_of_the_header(read: Callable[..., Extract]) -> None:
    xml = sheet(row(1, ["Borrowers of 2020"]) + row(3, BORROWER) + row(4, ["1"]))
    roles = sheet(row(3, ["borrower_id", "role_profile"]))
    extract = read({"borrower": xml, "role_profile": roles}, header_row=3)
    assert extract["borrower"].index.tolist() == [4]


@pytest.mark.parametrize("header_row", [9, 2])
def test_a_header_row_without_a_header_is_an_error(
    read: Callable[..., Extract], header_row: int
) -> None:
    xml = sheet(row(1, BORROWER) + row(3, ["1"]))
    with refused("missing_column", match="none of the columns"):
        read({"borrower": xml}, header_row=header_row)


def test_records_of_a_csv_are_numbered_and_blank_lines_count(folder: Callable[..., Path]) -> None:
    data = b"\n" + CSV + b'1,"two\nlines",,,,,,,\n\n   \n2,,,,,,,,\n\n\n'
    frame = read_extract(folder(data))["borrower"]
    assert frame.index.tolist() == [3, 4, 5, 6]
    assert frame.notna().any(axis=1).tolist() == [True, False, False, True]


def test_a_csv_may_have_a_title_above_its_header(tmp_path: Path) -> None:
    (tmp_path / "borrower.csv").write_bytes(b"Borrowers\n" + CSV + b"1,,,,,,,,\n")
    (tmp_path / "role_profile.csv").write_bytes(b"Roles\nborrower_id,role_profile\n")
    frame = read_extract(tmp_path, header_row=2)["borrower"]
    assert frame.index.tolist() == [3]


def test_a_header_without_records_is_an_empty_extract(folder: Callable[..., Path]) -> None:
    frame = read_extract(folder(CSV))["borrower"]
    assert (frame.shape, frame.index.name, str(frame.index.dtype)) == ((0, 9), "row", "int64")
