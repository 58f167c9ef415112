"""Types and entities once more, in plain Python: loops over rows, written from the contract.

It knows of the package what a model declares, and the judges of ``aspen_etl.testing``, which are
plain Python, too. Models with builders, cleaners or rules of their own are not for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

from aspen_etl.schema import EntityFacts, Extract, Model
from aspen_etl.testing._entities import EntityPlan
from aspen_etl.testing._plain import PlainRow, PlainSheet, plain_sheets, rows_of
from aspen_etl.testing._plan import ColumnPlan
from aspen_etl.testing._types import PLAIN

__all__ = ["Expected", "normalize"]

Cell = Optional[str]
Key = tuple[Cell, ...]
#: Sheet, row, column, rule, scope.
Reject = tuple[str, int, str, str, str]


@dataclass
class Line:
    """A row while it is judged: its cells, what is wrong, and whether it stays out."""

    sheet: str
    number: int
    cells: dict[str, Cell]
    present: set[str]
    rejects: list[Reject] = field(default_factory=list)
    stays_out: bool = False

    def reject(self, column: str, rule: str, scope: str) -> None:
        self.rejects.append((self.sheet, self.number, column, rule, scope))
        if scope == "row":
            self.stays_out = True
        else:
            self.cells[column] = None


@dataclass
class Expected:
    """What comes of an extract: sheets as they come back, entities by key, rejects."""

    sheets: dict[str, list[dict[str, Cell]]]
    entities: dict[str, dict[Key, dict[str, Key]]]
    rejects: set[Reject]
    filled: dict[str, int]


def normalize(extract: Extract, model: Model) -> Expected:
    """Work out what comes of an extract."""
    sheets = list(plain_sheets(extract, model))
    lines = {sheet.name: list(read(sheet, extract)) for sheet in sheets}
    for sheet in sheets:
        judge(sheet, lines, model)
    while True:
        work = Work(
            {name: [line for line in some if not line.stays_out] for name, some in lines.items()},
            sheets,
            model,
        )
        lost = work.settle()
        if not lost:
            break
        for line, column, rule, scope in lost:
            line.reject(column, rule, scope)
        for sheet in sheets:
            find_orphans(sheet, lines, work.lines)
    rejects = {reject for some in lines.values() for line in some for reject in line.rejects}
    back = {name: [work.cells[id(line)] for line in some] for name, some in work.lines.items()}
    return Expected(back, work.made, rejects | set(work.rejects), work.filled())


# ----------------------------------------------------------------------------- cells and rows


def read(sheet: PlainSheet, extract: Extract) -> Iterator[Line]:
    rules = {
        (row, column): rule
        for source, row, column, _, rule in rows_of(extract.faults)
        if source == sheet.name
    }
    for row in sheet.rows:
        if row.is_blank:
            continue
        cells = {name: None if name in row.broken else cell for name, cell in row.clean.items()}
        present = {name for name, cell in cells.items() if cell is not None} | row.broken
        line = Line(sheet.name, row.number, cells, present)
        for column in sheet.plan.columns:
            if column.name in row.broken:
                rule = rules[row.number, column.name]
                line.reject(column.name, rule, "row" if column.required else "value")
        judge_cells(sheet, line, row)
        yield line


def judge_cells(sheet: PlainSheet, line: Line, row: PlainRow) -> None:
    for column in sheet.plan.columns:
        cell, scope = line.cells[column.name], "row" if column.required else "value"
        if column.name not in line.present:
            if column.required:
                line.reject(column.name, f"missing_{column.name}", scope)
            continue
        if cell is None or column.name in row.broken:
            continue
        rule = fault_of(column, cell)
        if rule is not None:
            line.reject(column.name, rule, scope)


def fault_of(column: ColumnPlan, cell: str) -> Optional[str]:
    if column.reference is not None:
        return None
    if column.typed is not None:
        rule = PLAIN[column.typed.type].judge(cell, column.typed)[1]
        return f"invalid_{column.name}" if rule == "invalid" else rule
    return "too_long" if column.limit is not None and len(cell) > column.limit else None


def judge(sheet: PlainSheet, lines: dict[str, list[Line]], model: Model) -> None:
    """Judge the rows of a sheet together: what they refer to, and which stand there twice."""
    find_orphans(sheet, lines, lines)
    accepted: set[Key] = set()
    for line in lines[sheet.name]:
        key = tuple(line.cells[name] for name in sheet.plan.key)
        if None in key:
            continue
        if key in accepted:
            last = model.lineage.sources[sheet.name].key[-1]
            line.reject(last, f"duplicate_{last}", "row")
        elif not line.stays_out:
            accepted.add(key)


def find_orphans(
    sheet: PlainSheet, lines: dict[str, list[Line]], among: dict[str, list[Line]]
) -> None:
    """Reject what refers to a row that is not there."""
    keys = {other: key_column(lines, other, sheet) for other in lines}
    for column in sheet.plan.columns:
        if column.reference is None:
            continue
        parents = lines[column.reference]
        known = {line.cells[keys[column.reference]] for line in parents if not line.stays_out}
        for line in among[sheet.name]:
            cell = line.cells[column.name]
            if cell is not None and cell not in known:
                scope = "row" if column.required else "value"
                line.reject(column.name, f"unknown_{column.reference}", scope)


def key_column(lines: dict[str, list[Line]], other: str, _: PlainSheet) -> str:
    """Give the column that rows of a sheet are known by: the first one of all our models."""
    return next(iter(lines[other][0].cells)) if lines[other] else ""


# ----------------------------------------------------------------------------- entities


class Work:
    """Settle what accepted rows say of entities."""

    def __init__(
        self, lines: dict[str, list[Line]], sheets: list[PlainSheet], model: Model
    ) -> None:
        self.lines, self.model = lines, model
        self.cells = {id(line): dict(line.cells) for some in lines.values() for line in some}
        self.rejects: list[Reject] = []
        self.made: dict[str, dict[Key, dict[str, Key]]] = {}
        self.plans: list[tuple[str, EntityPlan, Optional[EntityPlan], bool]] = []
        self.typed = {(s.name, c.name): c.typed for s in sheets for c in s.plan.columns}
        for sheet in sheets:
            for plan in sheet.plan.entities:
                self.collect(sheet.name, plan, None, is_needed=plan.mandatory)

    def collect(
        self, sheet: str, plan: EntityPlan, holder: Optional[EntityPlan], *, is_needed: bool
    ) -> None:
        self.plans.append((sheet, plan, holder, is_needed))
        for other in plan.beyond:
            self.collect(sheet, other, plan, is_needed=is_needed and other.in_key)

    def settle(self) -> list[tuple[Line, str, str, str]]:
        """Settle all, and give what must stay out since an entity cannot be made."""
        names = {plan.table for _, plan, _, _ in self.plans}
        for name in reversed(self.model.lineage.table_order):
            if name in names:
                self.settle_one(name, [each[:2] for each in self.plans if each[1].table == name])
        lost = []
        for sheet, plan, _, is_needed in self.plans:
            for spec in self.model.tables[plan.table].own_columns:
                for line, key in self.rows(sheet, plan):
                    if self.lacks(plan.table, key, spec.name):
                        lost += list(self.lose(line, plan, spec.name, is_needed=is_needed))
        return lost

    def rows(self, sheet: str, plan: EntityPlan) -> Iterator[tuple[Line, Key]]:
        for line in self.lines[sheet]:
            key = tuple(self.cells[id(line)][name] for name in plan.key)
            if None not in key:
                yield line, key

    def lacks(self, table: str, key: Key, column: str) -> bool:
        spec = self.model.tables[table].columns[column]
        is_told = column in self.told(table)
        return is_told and not spec.nullable and column not in self.made[table][key]

    def told(self, table: str) -> set[str]:
        plans = [plan for _, plan, _, _ in self.plans if plan.table == table]
        names = {attribute.name for plan in plans for attribute in plan.attributes}
        return names | {o.through for plan in plans for o in plan.beyond if not o.in_key}

    def lose(
        self, line: Line, plan: EntityPlan, name: str, *, is_needed: bool
    ) -> Iterator[tuple[Line, str, str, str]]:
        own = self.saying(plan, name)[0]
        first = next(
            found for p in self.every(plan.table) for found in [self.saying(p, name)[0]] if found
        )
        facts = self.model.tables[plan.table].entity
        told = own if facts is not None and facts.conflict == "reject" else ()

        def rule(column: str) -> str:
            """Name what keeps it out: where somebody said something and nobody wins, that."""
            said = column in told and line.cells[column] is not None
            return f"conflicting_{column}" if said else f"missing_{first[0]}"

        if is_needed:
            column = (own or plan.key)[0]
            yield line, column, rule(column), "row"
        elif all(line.cells[c] == self.cells[id(line)][c] for c in plan.key):
            for column in plan.columns:
                if line.cells[column] is not None:
                    yield line, column, rule(column), plan.table

    def every(self, table: str) -> list[EntityPlan]:
        return [plan for _, plan, _, _ in self.plans if plan.table == table]

    def settle_one(self, table: str, plans: list[tuple[str, EntityPlan]]) -> None:
        for sheet, plan in plans:
            for line in self.lines[sheet]:
                cells = self.cells[id(line)]
                if any(cells[name] is None for name in plan.key):
                    for column in plan.columns:
                        self.drop(line, column, f"incomplete_{table}", table)
        self.made[table] = {key: {} for sheet, plan in plans for _, key in self.rows(sheet, plan)}
        for name in self.model.tables[table].columns:
            said = [(sheet, plan, *self.saying(plan, name)) for sheet, plan in plans]
            self.vote(table, name, [each for each in said if each[2]])

    def saying(self, plan: EntityPlan, name: str) -> tuple[tuple[str, ...], Optional[EntityPlan]]:
        """Give the columns of a sheet that tell of one column of an entity."""
        for attribute in plan.attributes:
            if attribute.name == name:
                return (attribute.column,), None
        for other in plan.beyond:
            if other.through == name and not other.in_key:
                return other.key, other
        return (), None

    def vote(self, table: str, name: str, said: list[Any]) -> None:
        facts = self.model.tables[table].entity or EntityFacts()
        votes: dict[Key, list[tuple[Key, Any, Any]]] = {}
        for sheet, plan, columns, _ in said:
            for line, key in self.rows(sheet, plan):
                value = tuple(self.cells[id(line)][column] for column in columns)
                if None not in value:
                    order = self.order(sheet, columns, value)
                    votes.setdefault(key, []).append((value, order, self.age(line, facts)))
        for key, given in votes.items():
            winner = elect(given, facts)
            if winner is not None:
                self.made[table][key][name] = winner
        for sheet, plan, columns, other in said:
            for line, key in self.rows(sheet, plan):
                won = self.made[table][key].get(name, (None,) * len(columns))
                self.give(line, columns, won, other)

    def order(self, sheet: str, columns: tuple[str, ...], value: Key) -> tuple[Any, ...]:
        """Give what puts values in order."""
        specs = [self.typed[sheet, column] for column in columns]
        return tuple(
            cell if spec is None else PLAIN[spec.type].value(str(cell))
            for cell, spec in zip(value, specs)
        )

    def age(self, line: Line, facts: EntityFacts) -> tuple[Any, ...]:
        """Give what puts rows in order of time; () is before all."""
        sheet, _, column = (facts.newest or ".").partition(".")
        cell = line.cells[column] if sheet == line.sheet else None
        return () if cell is None else self.order(sheet, (column,), (cell,))

    def give(
        self,
        line: Line,
        columns: tuple[str, ...],
        won: Key,
        other: Optional[EntityPlan],
    ) -> None:
        cells = self.cells[id(line)]
        held = tuple(cells[column] for column in columns)
        if held == won or (None in held and None in won):
            return
        lost = False
        for column, new in zip(columns, won):
            if cells[column] is not None and cells[column] != new:
                self.rejects.append(
                    (line.sheet, line.number, column, f"conflicting_{column}", "value")
                )
                lost = True
            cells[column] = new
        for column in other.columns if lost and other is not None else ():
            if column not in columns:
                self.drop(line, column, f"conflicting_{columns[0]}", "value")

    def drop(self, line: Line, column: str, rule: str, scope: str) -> None:
        if self.cells[id(line)][column] is not None:
            self.rejects.append((line.sheet, line.number, column, rule, scope))
            self.cells[id(line)][column] = None

    def filled(self) -> dict[str, int]:
        """Count the cells of each sheet that were missing and are there now."""
        return {
            sheet: sum(
                cell is not None and name not in line.present
                for line in some
                for name, cell in self.cells[id(line)].items()
            )
            for sheet, some in self.lines.items()
        }


def elect(given: list[tuple[Key, Any, Any]], facts: EntityFacts) -> Optional[Key]:
    """Give the value that wins: the newest, then that of most rows, then the least."""
    values = {value: order for value, order, _ in given}
    if facts.conflict != "majority" and len(values) > 1:
        return None
    count = {value: sum(value == other for other, _, _ in given) for value in values}
    latest = {value: max(age for other, _, age in given if other == value) for value in values}
    newest = max(latest.values())
    among = [value for value in values if latest[value] == newest]
    most = max(count[value] for value in among)
    return min((v for v in among if count[v] == most), key=lambda value: values[value])
