"""Histories of a source, run after run, with every kind of fault; the same ones for ever.

``RandomState`` draws the same numbers with every version of numpy; the newer generators, and
Hypothesis, may draw others with each. Nothing of the package is used but ``Extract``: what a
sheet may hold stands here, in plain lists.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import aspen_etl as ae

__all__ = ["RUNS", "Sheet", "make_history"]

#: How many runs a history has.
RUNS = 4

Row = dict[str, Any]

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


# ----------------------------------------------------------------------------- drawing


class _Draw:
    """Draw, always the same from the same seed."""

    def __init__(self, seed: int) -> None:
        self._state = np.random.RandomState(seed)

    def below(self, count: int) -> int:
        """Give a number from 0 on."""
        return int(self._state.randint(0, count, dtype=np.int64))

    def of(self, some: Sequence[Any]) -> Any:
        """Give one of some."""
        return some[self.below(len(some))]

    def percent(self, share: int) -> bool:
        """Tell whether something happens that does so in so many of a hundred cases."""
        return self.below(100) < share

    def shuffled(self, some: Sequence[Any]) -> list[Any]:
        """Give all of some, in another order."""
        left = list(some)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


def make_history(model: str, seed: int, *, rows: int = 12, faults: bool = True) -> list[ae.Extract]:
    """Make a history: a source that changes from run to run.

    Args:
        model: One of the names of ``SHEETS``.
        seed: Which one.
        rows: About how many rows the first sheet has; the others have more.
        faults: Whether it has faults at all.
    """
    draw = _Draw(seed)
    held: dict[str, list[Row]] = {sheet.name: [] for sheet in SHEETS[model]}
    return [_run(SHEETS[model], held, draw, rows, faults=faults) for _ in range(RUNS)]


def _run(
    sheets: Sequence[Sheet], held: dict[str, list[Row]], draw: _Draw, rows: int, *, faults: bool
) -> ae.Extract:
    """Change what is true, and give it as a run finds it."""
    frames, unreadable = {}, []
    for place, sheet in enumerate(sheets):
        truth = held[sheet.name]
        _change(sheet, truth, held, draw)
        for _ in range(rows + 4 * place - len(truth) if not truth else draw.below(4)):
            truth.append(_new(sheet, len(truth), held, draw))
        found = [dict(row) for row in truth if not draw.percent(10)]
        if faults:
            _spoil(sheet, found, draw)
            found = [] if draw.percent(4) else found
        found = draw.shuffled(found) if draw.percent(30) else found
        numbers = _numbers(len(found), draw)
        if faults:
            unreadable += list(_unread(sheet, found, numbers, draw))
        frames[sheet.name] = _frame(sheet, found, numbers)
    names = ("source", "row", "column", "value", "rule")
    return ae.Extract.from_frames(
        frames,
        faults=pd.DataFrame(unreadable, columns=list(names), dtype=object) if unreadable else None,
        notes={sheets[0].name: {"hidden_rows": 2}} if draw.percent(20) else None,
    )


def _change(sheet: Sheet, truth: list[Row], held: dict[str, list[Row]], draw: _Draw) -> None:
    for row in truth:
        for name, column in sheet.columns.items():
            if name != sheet.key[0] and draw.percent(5):
                row[name] = _cell(sheet, name, column, held, draw)
    if truth and draw.percent(40):  # gone for good
        truth.pop(draw.below(len(truth)))


def _new(sheet: Sheet, number: int, held: dict[str, list[Row]], draw: _Draw) -> Row:
    row = {
        name: _cell(sheet, name, column, held, draw)
        for name, column in sheet.columns.items()
        if name != sheet.key[0]
    }
    key, form = sheet.key
    return {**({key: form.format(number * 7 + draw.below(7))} if key else {}), **row}


def _cell(sheet: Sheet, name: str, column: Column, held: dict[str, list[Row]], draw: _Draw) -> Any:
    if name in sheet.refers:
        return next(iter(draw.of(held[sheet.refers[name]]).values()))  # the key comes first
    if draw.percent(column.blank):
        return draw.of(BLANKS)
    cell = draw.of(column.good)
    return draw.of(DECORATED).format(cell) if isinstance(cell, str) else cell


# ----------------------------------------------------------------------------- faults


def _spoil(sheet: Sheet, rows: list[Row], draw: _Draw) -> None:
    """Put faults in: of cells, of references, and rows that should not be there."""
    for row in rows:
        if draw.percent(25):
            name = draw.of(list(sheet.columns))
            bad = (*sheet.columns[name].bad, *BROKEN, *BLANKS)
            own = len(sheet.columns[name].bad)
            row[name] = draw.of(bad[:own]) if own and draw.percent(60) else draw.of(bad)
        for name in sheet.refers:
            if draw.percent(6):
                row[name] = draw.of(("nobody", "NA", "\u2007ghost ", "\u00c9", None))
    for add in (_duplicate, _duplicate, _blank, _header):
        if rows and draw.percent(60):
            rows.insert(draw.below(len(rows) + 1), add(sheet, rows, draw))


def _duplicate(sheet: Sheet, rows: list[Row], draw: _Draw) -> Row:
    row = dict(draw.of(rows))
    other = draw.of(rows)
    for name in sheet.columns:
        if draw.percent(30) and name != sheet.key[0]:
            row[name] = other[name]
    if sheet.key[0] and isinstance(row[sheet.key[0]], str) and draw.percent(50):
        row[sheet.key[0]] = f"\u2003{row[sheet.key[0]]} "
    return row


def _blank(sheet: Sheet, _: list[Row], draw: _Draw) -> Row:
    return {name: draw.of(BLANKS) for name in sheet.columns}


def _header(sheet: Sheet, _: list[Row], draw: _Draw) -> Row:
    names = list(sheet.columns)
    write: Callable[[str], str] = draw.of((str, str.upper, "\u2003{} ".format))
    names = draw.shuffled(names) if draw.percent(40) else names
    return dict(zip(sheet.columns, map(write, names)))


def _unread(sheet: Sheet, rows: list[Row], numbers: list[int], draw: _Draw) -> Iterator[Any]:
    """Take away cells that a reader could not take, and name them."""
    for row, number in zip(rows, numbers):
        if draw.percent(4):
            name = draw.of(list(sheet.columns))
            row[name] = None
            yield (sheet.name, number, name, *draw.of(UNREADABLE))


# ----------------------------------------------------------------------------- frames


def _numbers(count: int, draw: _Draw) -> list[int]:
    gaps, number, out = draw.percent(50), 1, []
    for _ in range(count):
        number += 1 + (draw.below(3) if gaps else 0)
        out.append(number)
    return out


def _frame(sheet: Sheet, rows: list[Row], numbers: list[int]) -> pd.DataFrame:
    cells = np.full((len(rows), len(sheet.columns)), None, dtype=object)
    for place, row in enumerate(rows):
        cells[place] = [row[name] for name in sheet.columns]
    index = pd.Index(numbers, name="row", dtype="int64")
    return pd.DataFrame(cells, columns=list(sheet.columns), index=index, dtype=object)
