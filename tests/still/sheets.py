"""What the sheets of each model are drawn from: good cells and bad ones, in plain lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BLANKS", "BROKEN", "DECORATED", "SHEETS", "UNREADABLE", "Column", "Sheet"]

#: Cells of no text.
BLANKS = (None, "", " ", "\t", "\u2003", "\u00a0 \u3000", None, None)

#: What stands around a cell and inside it that cleaning takes away.
DECORATED = ("{}", "{}", "{}", "{}", " {}", "{}\n", "\u2003{}\u00a0", "\t{} ")

#: Cells that no text column takes.
BROKEN = (
    *("nul\x00", "\x1b[0m", "a\x85b", "\x7f", "half\ud83d", "\udcff", "x\x00\ud800"),
    *("x" * 129, "\u00e9" * 255, "\U0001f600" * 300, "\u5c71 " * 70, "=1+1" * 80),
)

#: Cells that a reader could not take: value and rule.
UNREADABLE = (
    *(("#N/A", "excel_error"), ("=VLOOKUP(A2,x,2)", "excel_error")),
    *(("1e+16", "inexact_number"), ("-33554436.0", "inexact_number")),
    *(("5881580-07-11", "out_of_range"), ("-1", "out_of_range")),
)


@dataclass(frozen=True)
class Column:
    """What the cells of a column are drawn from.

    Attributes:
        good: What is accepted.
        bad: What breaks a rule of the column, beside what breaks every column.
        blank: How many of a hundred cells are blank.
    """

    good: Sequence[Any]
    bad: Sequence[Any] = ()
    blank: int = 0


@dataclass(frozen=True)
class Sheet:
    """What the rows of a sheet are drawn from.

    Attributes:
        name: The sheet.
        columns: Its columns; that of a key is numbered, that of a reference drawn from the keys.
        key: The column that tells rows apart, if one alone does, and how it is written.
        refers: By column, the sheet that it refers to.
    """

    name: str
    columns: dict[str, Column]
    key: tuple[str, str] = ("", "")
    refers: dict[str, str] = field(default_factory=dict)


NAMES = (
    *(
        "Ada Degli Antoni",
        "Bo",
        "Jos\u00e9  \u00c1lvarez",
        "\u5c71\u7530 \u592a\u90ce",
        "NA",
        "None",
        "null",
    ),
    *("O'Brien", "Anne-Marie van der Berg", "x" * 128 + " " + "y" * 128, "\U0001f600 \U0001f600"),
    *("=1+1", "007", 12, "\u0130stanbul \u0131", "e\u0301clair", "-", '"a, b"'),
)
ZIPS = ("02138", "2138", "138", "02138.0", "021381234", "21381234", "12345-6789", 2138, "94103")
PHONES = ("5550100", "555-0100", "(512) 555-0100", "+1 512 555 0100", "555.0100 x12", 5550101)
MAILS = (
    "a@b",
    "ann.o'brien+tag@example.com",
    "jos\u00e9@b\u00fccher.example",
    "x" * 242 + "@example.com",
)
NUMBERS = (0, "1", "-7", "9223372036854775807", "-9223372036854775808", "12")
NO_NUMBERS = ("1.5", "1e5", "007", "+1", "-0", "x", "9223372036854775808", "\u0663\u0664", "\uff11")

_BORROWER = Sheet(
    "borrower",
    {
        "id": Column(()),
        "full_name": Column(NAMES, ("x" * 129 + " y", "x " + "y" * 129), 4),
        "street": Column(("1 Elm St", "2 Main St, Apt 3", dt.date(2022, 1, 8)), (), 20),
        "city": Column(("Austin", "austin", "New  York", "Pawtucket"), (), 15),
        "state": Column(("TX", "MA", "Rhode Island"), ("s" * 65,), 15),
        "zip_code": Column(
            ZIPS, ("K1A 0B1", "12345-678", "123456", "\uff11\uff12\uff13\uff14\uff15"), 15
        ),
        "phone_home": Column(PHONES, ("no phone", "1" * 16, "555-123-4567 ext"), 30),
        "phone_cell": Column(PHONES, ("123", "5" * 21, "555 0100 0100 0100 0100"), 30),
        "email": Column(MAILS, ("@", "a@b@c", "a b@c", "none", "x" * 243 + "@example.com"), 30),
    },
    ("id", "b{}"),
)
_ROLES = Sheet(
    "role_profile",
    {"borrower_id": Column(()), "role_profile": Column(("Borrower", "co-borrower", "CO-SIGNER"))},
    refers={"borrower_id": "borrower"},
)
_EXTENDED = Sheet(
    "borrower",
    {
        **_BORROWER.columns,
        "employer": Column(("Acme  Inc", "x" * 40, "NA"), ("x" * 41,), 40),
        "dependents": Column(NUMBERS, NO_NUMBERS, 40),
    },
    ("id", "b{}"),
)
_LOANS = Sheet(
    "loan",
    {
        "number": Column(()),
        "owner": Column(()),
        "kind": Column(("car", "home", "Car"), ("k" * 11,), 20),
        "cents": Column(NUMBERS, NO_NUMBERS),
        "grade": Column(("A", "B+", "D-"), ("E", "AA", "a"), 20),
    },
    ("number", "L{:04}"),
    {"owner": "borrower"},
)
_PATIENTS = Sheet(
    "patient",
    {
        "number": Column(()),
        "name": Column(("Ada", "Bo", "\u5c71", "x" * 30), ("x" * 31,)),
        "insurer": Column(("acme", "Zed", "ACME"), ("n/a", "i" * 11), 20),
        "day_line": Column(("555", "+123456", 911), ("call me", "12"), 30),
        "night_line": Column(("556", "+12345678"), ("555-0100",), 30),
    },
    ("number", "P{}"),
)
_VISITS = Sheet(
    "visit",
    {
        "number": Column(()),
        "patient": Column(()),
        "clinic": Column(("north", "North", "south", "c1"), ("n/a", "N/A")),
        "fee": Column(NUMBERS, NO_NUMBERS, 20),
    },
    ("number", "V{}"),
    {"patient": "patient"},
)
_RESULTS = Sheet(
    "result",
    {
        "visit": Column(()),
        "test": Column(("iron", "zinc", "lead")),
        "value": Column(("0.5", "7", "n/a", 3), ("v" * 13,), 20),
    },
    refers={"visit": "visit"},
)

#: The sheets of each model, each after those that it refers to.
SHEETS = {
    "borrower": (_BORROWER, _ROLES),
    "extended": (_EXTENDED, _ROLES, _LOANS),
    "seven": (_PATIENTS, _VISITS, _RESULTS),
}
