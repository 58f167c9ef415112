"""Kinds of faults, and how each is put into valid sheets."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Union

from aspen_etl.errors import ArgumentError
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import REPEATED_HEADER, UNREADABLE
from aspen_etl.testing._cells import BLANKS
from aspen_etl.testing._entities import EntityPlan
from aspen_etl.testing._plan import Cell, ColumnPlan, SheetPlan, plan
from aspen_etl.testing._types import faulty

__all__ = ["CONFLICT", "FAULT_KINDS", "Fault", "Sheet", "find_faults"]

#: The kind of fault that lets rows disagree about an entity.
CONFLICT = "conflict"

#: What can be wrong with an extract, by the word that ``extracts(faults=...)`` takes.
FAULT_KINDS = {
    "missing": "a cell without which its row is rejected is empty",
    "duplicate": "a row stands there again, the same or with other cells beside its key",
    "too_long": "a cell has more characters than its destination",
    "invalid": "a cell has not the form of its destination, or is no value of its type",
    "too_precise": "a number or moment has digits beyond those that its destination keeps",
    "incomplete": "a cell is empty that others of its group or entity need",
    CONFLICT: "a row says something else of an entity than another row",
    "unknown": "a cell refers to a row that is not there",
    "control": "a cell holds a control character, NUL among them",
    "surrogate": "a cell holds half a character, which UTF-8 cannot hold",
    **{rule: f"a cell holds {what}" for rule, what in UNREADABLE.items()},
    "out_of_range": "a value is beyond the range of its destination, or of what a reader takes",
    REPEATED_HEADER: "a row is the header of its sheet once more",
    "blank": "a row is blank (it is counted, and no reject)",
}

Row = dict[str, Cell]


@dataclass
class Sheet:
    """The rows of a sheet while it is made, and its cells that hold no text."""

    rows: list[Row]
    #: Value and rule by id(row) and column: rows still move.
    unreadable: dict[tuple[int, str], tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One way to spoil a sheet: takes it, the place of a row, and the number of a variant."""

    sheet: str
    spoil: Callable[[Sheet, int, int], None] = field(repr=False)


def find_faults(model: Model, kinds: Union[str, Collection[str]], /) -> dict[str, list[Fault]]:
    """Give the faults of the kinds asked for that this model can have.

    Raises:
        ArgumentError: A kind is not known.
    """
    wanted = (
        set(FAULT_KINDS) if kinds == "all" else {kinds} if isinstance(kinds, str) else set(kinds)
    )
    unknown = sorted(wanted - set(FAULT_KINDS))
    if unknown:
        raise ArgumentError(
            f"there is no kind of fault {unknown[0]!r}; "
            f"known: {', '.join(FAULT_KINDS)}, or faults='all'",
            problem="name",
        )
    found: dict[str, list[Fault]] = {kind: [] for kind in FAULT_KINDS if kind in wanted}
    for sheet in plan(model):
        for kind, fault in _faults(sheet):
            if kind in found:
                found[kind].append(fault)
    return {kind: faults for kind, faults in found.items() if faults}


def _faults(sheet: SheetPlan) -> Iterator[tuple[str, Fault]]:
    yield "blank", Fault(sheet.name, _insert_blank)
    yield "duplicate", Fault(sheet.name, _duplicate(sheet))
    if len(sheet.columns) > 1:
        yield REPEATED_HEADER, Fault(sheet.name, _repeat_header(sheet))
    for column in sheet.columns:
        for kind, variants in _cells(column).items():
            yield kind, Fault(sheet.name, _put(column.name, variants))
        for rule, values in _UNREADABLE.items():
            yield rule, Fault(sheet.name, _put_unreadable(column.name, rule, values))
        if column.group is not None and column.mandatory:
            others = [
                other.name
                for other in sheet.columns
                if other.group == column.group and other is not column
            ]
            yield "incomplete", Fault(sheet.name, _incomplete(column.name, others))
    for entity in (each for top in sheet.entities for each in top.all()):
        yield from _entity_faults(sheet.name, entity)


def _entity_faults(sheet: str, entity: EntityPlan) -> Iterator[tuple[str, Fault]]:
    if entity.columns != entity.key:
        yield CONFLICT, Fault(sheet, _conflict(entity))
    for column in entity.key:
        yield "incomplete", Fault(sheet, _put(column, (_constant(None),)))
    for attribute in entity.attributes:
        if attribute.mandatory:
            yield "missing", Fault(sheet, _put(attribute.column, (_constant(None),)))


# ----------------------------------------------------------------------------- cells


Variant = Callable[[str], Cell]


def _cells(column: ColumnPlan) -> dict[str, tuple[Variant, ...]]:
    """Give, by kind, what a cell may become; each variant takes the cell that was there."""
    found: dict[str, tuple[Variant, ...]] = {"control": _CONTROL, "surrogate": _SURROGATE}
    if column.required:
        found["missing"] = tuple(map(_constant, BLANKS))
    if column.limit is not None:
        found["too_long"] = tuple(map(_constant, _too_long(column, column.limit)))
    junk = [t for t in _JUNK if not all(re.search(f.anchored, t) for f in column.formats)]
    if junk and column.formats:
        found["invalid"] = tuple(map(_constant, junk))
    if column.typed is not None:
        for rule, texts in faulty(column.typed).items():
            found[rule] = tuple(map(_constant, texts))
    if column.reference is not None:
        found["unknown"] = tuple(map(_constant, ("nobody", "NA", "\u2007ghost ", "É")))
    return found


def _constant(cell: Cell) -> Variant:
    return lambda _: cell


def _too_long(column: ColumnPlan, limit: int) -> tuple[str, ...]:
    over = (limit + 1) * column.parts
    digits = "1" * 15 + " x" + "1" * limit
    return (
        "x" * over,
        "é" * over,
        "😀" * over,
        " y" * over,
        digits[: limit + 1],
        f"{'x' * limit}@example.com",
    )


_JUNK = (
    *("x", "1e5", "1.5", "007", "12", "1234567890123456789012", "٣٤٥٦٧", "１２３４５"),
    *(
        "K1A 0B1",
        "12345-678",
        "123456",
        "12345 6789",
        "not a phone",
        "555-123-4567 ext",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
    ),
    *("a@b c", "a@\u3000b", "?", "=1+1", "\u200b", "12345\u200b", "ann＠example.com"),
)

_CONTROL: tuple[Variant, ...] = (
    lambda cell: cell + "\x00",
    lambda cell: "\x1b" + cell,
    lambda cell: cell[:1] + "\x85" + cell[1:],
    lambda cell: cell + "\x1c",
    lambda cell: "\x7f" + cell,
    lambda cell: cell + "\x9f\n",
    lambda _: "\x00",
    lambda _: " \x1f ",
)

_SURROGATE: tuple[Variant, ...] = (
    lambda cell: cell + "\ud800",
    lambda cell: "\udfff" + cell,
    lambda _: "\udcff",
    lambda cell: cell[:1] + "\ude00\ud83d" + cell[1:],
    lambda cell: cell + "\x00\ud800",
)

_UNREADABLE = {
    "excel_error": ("#N/A", "#REF!", "#DIV/0!", "=A1&B1", "=VLOOKUP(A2,x,2)"),
    "inexact_number": ("1e+16", "9007199254740992.0", "-33554436.0", "1e400"),
    "out_of_range": ("5881580-07-11", "-0044-03-15", "infinity", "-1"),
}


def _put(column: str, variants: tuple[Variant, ...]) -> Callable[[Sheet, int, int], None]:
    def put(sheet: Sheet, at: int, number: int) -> None:
        if sheet.rows:
            row = sheet.rows[at % len(sheet.rows)]
            row[column] = variants[number % len(variants)](row[column] or "")
            sheet.unreadable.pop((id(row), column), None)

    return put


def _put_unreadable(
    column: str, rule: str, values: tuple[str, ...]
) -> Callable[[Sheet, int, int], None]:
    def put(sheet: Sheet, at: int, number: int) -> None:
        if sheet.rows:
            row = sheet.rows[at % len(sheet.rows)]
            row[column] = None
            sheet.unreadable[id(row), column] = (values[number % len(values)], rule)

    return put


def _conflict(entity: EntityPlan) -> Callable[[Sheet, int, int], None]:
    """Give what lets a row tell of the entity of another row what it tells of its own."""

    def put(sheet: Sheet, at: int, number: int) -> None:
        if sheet.rows:
            row, other = sheet.rows[at % len(sheet.rows)], sheet.rows[number % len(sheet.rows)]
            for column in entity.key:
                row[column] = other[column]
                sheet.unreadable.pop((id(row), column), None)

    return put


def _incomplete(column: str, others: list[str]) -> Callable[[Sheet, int, int], None]:
    def put(sheet: Sheet, at: int, number: int) -> None:
        if sheet.rows:
            row = sheet.rows[at % len(sheet.rows)]
            row[column] = None
            if all(row[other] is None for other in others):
                row[others[number % len(others)]] = "x"

    return put


# ----------------------------------------------------------------------------- rows


def _insert_blank(sheet: Sheet, at: int, number: int) -> None:
    columns = sheet.rows[0] if sheet.rows else ()
    blank = {column: BLANKS[(number + place) % len(BLANKS)] for place, column in enumerate(columns)}
    if columns:
        sheet.rows.insert(at % (len(sheet.rows) + 1), blank)


_HEADERS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    "\u2003{} ".format,
    "\ufeff{}".format,
)


def _repeat_header(plan: SheetPlan) -> Callable[[Sheet, int, int], None]:
    names = [column.name for column in plan.columns]

    def put(sheet: Sheet, at: int, number: int) -> None:
        turned = [*names[number % len(names) :], *names[: number % len(names)]]
        write = _HEADERS[number % len(_HEADERS)]
        row: Row = dict(zip(names, map(write, turned)))
        sheet.rows.insert(at % (len(sheet.rows) + 1), row)

    return put


def _duplicate(plan: SheetPlan) -> Callable[[Sheet, int, int], None]:
    def put(sheet: Sheet, at: int, number: int) -> None:
        if not sheet.rows:
            return
        row = dict(sheet.rows[at % len(sheet.rows)])
        for place, column in enumerate(column.name for column in plan.columns):
            if column in plan.key and row[column] is not None and number % 2:
                row[column] = f"\u2003{row[column]} "
            elif column not in plan.key and number % 3 and (number >> place) % 2:
                row[column] = sheet.rows[number % len(sheet.rows)][column]
        sheet.rows.insert((at + number) % (len(sheet.rows) + 1), row)

    return put
