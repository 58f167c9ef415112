# ruff: noqa: E501 - a row of the sheet is a line
"""Make the small workbook that the package ships: `python -m tests.support.sample` rewrites it.

The people are invented. The faulty rows show what becomes of a row that cannot be kept.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl

SAMPLE = Path(__file__).parents[2] / "src" / "aspen_etl" / "samples" / "borrowers.xlsx"

HEADER = (
    "id",
    "full_name",
    "street",
    "city",
    "state",
    "zip_code",
    "phone_home",
    "phone_cell",
    "email",
)

BORROWERS: tuple[tuple[Any, ...], ...] = (
    ("b-0001", "Ines Caldwell", "12 Alder Court", "Waterbury", "Connecticut", 6705, "203-555-0101", "203-555-0151", "ines@caldwell.example"),
    ("b-0002", "Marco Degli Antoni", "7 Harbor Street", "Boston", "Massachusetts", 2138, "617-555-0102", None, "marco@degliantoni.example"),
    ("b-0003", "Aoife O'Sullivan-Reyes", None, "Tampa", "Florida", 33605, None, "813-555-0153", None),
    ("b-0004", "Björn Åkerlund", "88 Birch Lane", "Duluth", "Minnesota", "55811", "218-555-0104", "218-555-0154", "bjorn@akerlund.example"),
    ("b-0005", "Mei-Ling van der Berg", "3 Canal Road", "Savannah", "Georgia", 31405, None, "912-555-0155", "meiling@berg.example"),
    ("b-0006", "  Tom   Okafor ", "410 Mesa Drive", "El Paso", "Texas", 79911, "915-555-0106", None, None),
    ("b-0007", "Cher", None, "Newark", "New Jersey", 7104, None, "973-555-0157", None),
    ("b-0008", "Jennifer Null", "1 None Way", "Portland", "Oregon", "97201-4321", "503-555-0108", "503-555-0158", "jennifer@null.example"),
    (None,) * 9,
    ("b-0009", "Ruth Abara", "25 Elm Street", "Omaha", "Nebraska", "ABCDE", "402-555-0109", None, "ruth@abara.example"),
    ("b-0010", "Pavel Novák", "9 Pine Street", None, "Ohio", 44105, "216-555-0110", "call me", "pavel@novak.example"),
    ("b-0011", None, "77 Lake Avenue", "Madison", "Wisconsin", 53703, None, None, None),
    ("b-0002", "Marco Antoni", "7 Harbor Street", "Boston", "Massachusetts", 2138, None, None, None),
    ("b-0012", "Yara Haddad", "5 Olive Street", "Dearborn", "Michigan", 48126, "313-555-0112", None, "yara.haddad.example"),
    ("b-0013", "Sam Whitfield", "60 Grove Road", "Macon", "Georgia", 31201, "478-555-0113", None, "#N/A"),
)  # fmt: skip

ROLES: tuple[tuple[Any, ...], ...] = (
    ("b-0001", "Borrower"),
    ("b-0002", "co-borrower"),
    ("b-0003", "borrower"),
    ("b-0004", "borrower"),
    ("b-0004", "co-borrower"),
    ("b-0005", "co-borrower"),
    ("b-0006", "borrower"),
    ("b-0007", "borrower"),
    ("b-0009", "borrower"),
    ("b-0010", "co-borrower"),
    ("b-0012", "borrower"),
    ("b-0013", "borrower"),
    ("b-0099", "borrower"),
    ("b-0001", "borrower"),
)


def make(path: Path) -> None:
    """Write the workbook."""
    book = openpyxl.Workbook()
    book.properties.creator = "aspen_etl"
    book.properties.created = book.properties.modified = dt.datetime(2026, 11, 1)  # noqa: DTZ001
    sheet = book.active
    sheet.title = "borrower"
    roles = book.create_sheet("role_profile")
    for target, rows in (
        (sheet, (HEADER, *BORROWERS)),
        (roles, (("borrower_id", "role_profile"), *ROLES)),
    ):
        for row in rows:
            target.append(row)
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            if cell.value == "#N/A":
                cell.data_type = "e"
    book.save(path)


if __name__ == "__main__":
    SAMPLE.parent.mkdir(exist_ok=True)
    make(SAMPLE)
