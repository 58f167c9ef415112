"""Which cells of a sheet tell of an entity, and how rows are made to agree about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec

__all__ = ["Agreement", "Attribute", "EntityPlan", "find_entities", "key_columns"]

#: Which digit of a row's number says that it disagrees.
_FAR = 5
#: Which of eight ways leaves an entity out.
_ABSENT = 7

Cell = Optional[str]
Key = tuple[Cell, ...]


@dataclass(frozen=True)
class Attribute:
    """A cell that tells something of an entity.

    Attributes:
        name: What the entity's table calls it.
        column: The column of the sheet.
        mandatory: No entity is without it.
    """

    name: str
    column: str
    mandatory: bool


@dataclass(frozen=True)
class EntityPlan:
    """What a row of a sheet tells of one entity.

    Attributes:
        table: The table of the entities.
        through: The reference column by which the row, or another entity, has it.
        key: The columns of the sheet that it is known by.
        attributes: What else the row tells of it.
        beyond: The entities that it refers to.
        mandatory: Whether what refers to it must have one.
        in_key: Whether it is part of what the one that refers to it is known by.
    """

    table: str
    through: str
    key: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    beyond: tuple[EntityPlan, ...]
    mandatory: bool
    in_key: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell of it, or of what it refers to."""
        own = (*self.key, *(attribute.column for attribute in self.attributes))
        more = (column for other in self.beyond for column in other.columns)
        return tuple(dict.fromkeys((*own, *more)))

    def all(self) -> Iterator[EntityPlan]:
        """Yield it, and every entity that it refers to."""
        yield self
        for other in self.beyond:
            yield from other.all()


# ----------------------------------------------------------------------------- declarations


def _source(table: TableSpec, column: str, sheet: str) -> Optional[str]:
    """Give the column of a sheet that feeds a column of a table."""
    for source in table.columns[column].source:
        name, _, found = source.partition(".")
        if name == sheet:
            return found
    return None


def key_columns(model: Model, table: TableSpec, sheet: str) -> tuple[str, ...]:
    """Give the columns of a sheet that hold what rows of a table are known by."""
    found: list[str] = []
    for name in table.natural_key:
        parent = table.columns[name].references
        own = _source(table, name, sheet)
        if own is not None:
            found.append(own)
        elif parent is not None:
            found += key_columns(model, model.tables[parent], sheet)
    return tuple(dict.fromkeys(found))


def find_entities(model: Model, sheet: str, rows: list[TableSpec]) -> tuple[EntityPlan, ...]:
    """Find what the rows of a sheet tell of entities.

    Args:
        model: The model.
        sheet: The sheet.
        rows: The tables that have one row for each row of it.
    """
    found = {plan.table: plan for table in rows for plan in _beyond(model, sheet, table)}
    return tuple(found.values())


def _beyond(model: Model, sheet: str, table: TableSpec) -> Iterator[EntityPlan]:
    for name, target in table.references.items():
        parent = model.tables[target]
        if parent.entity is not None and key_columns(model, parent, sheet):
            yield EntityPlan(
                table=target,
                through=name,
                key=key_columns(model, parent, sheet),
                attributes=tuple(_attributes(parent, sheet)),
                beyond=tuple(_beyond(model, sheet, parent)),
                mandatory=not table.columns[name].nullable,
                in_key=name in table.natural_key,
            )


def _attributes(table: TableSpec, sheet: str) -> Iterator[Attribute]:
    for spec in table.own_columns:
        column = _source(table, spec.name, sheet)
        if column is not None and not spec.references and spec.name not in table.natural_key:
            yield Attribute(spec.name, column, mandatory=not spec.nullable)


# ----------------------------------------------------------------------------- agreement


@dataclass(frozen=True)
class Agreement:
    """What the rows so far say of each entity, so that the next ones agree with them.

    Attributes:
        known: By table and key, what is told of an entity: an attribute, or the key of another.
        pending: The same of the row at hand, which may not stay.
        disagreeing: Whether some rows say of an entity what they like.
    """

    known: dict[str, dict[Key, dict[str, Key]]]
    pending: dict[tuple[str, Key], dict[str, Key]]
    disagreeing: bool = False

    def keep(self) -> None:
        """Let what the row at hand says count."""
        for (table, key), facts in self.pending.items():
            self.known.setdefault(table, {})[key] = facts
        self.pending.clear()

    def agree(
        self, plan: EntityPlan, cells: dict[str, Cell], number: int, key: Optional[Key] = None
    ) -> bool:
        """Bring the cells of one row to what is known, and tell whether the row can stay.

        Args:
            plan: What the row tells of an entity, by column.
            cells: The clean cells of the row, which are changed.
            number: Which of the ways to agree is taken; 0 leaves the key as it is.
            key: What the entity is known by, where that is settled.
        """
        number, turn = divmod(number, 8)
        known = self.known.get(plan.table, {})
        if key is None and turn == _ABSENT and not (plan.mandatory or plan.in_key):
            cells.update(dict.fromkeys(plan.columns))
            return True
        if key is None and turn and known:
            key = list(known)[number % len(known)]
        if key is not None:
            cells.update(zip(plan.key, key))
        found = tuple(cells[column] for column in plan.key)
        if None in found:
            cells.update(dict.fromkeys(plan.columns))
            return not plan.mandatory
        facts = self.pending.setdefault((plan.table, found), dict(known.get(found, {})))
        if self.disagreeing and number >> _FAR & 1:
            facts = {}  # nobody hears what this row says
        return self._attributes(plan, cells, facts, number) and self._beyond(
            plan, cells, facts, number
        )

    def _attributes(
        self, plan: EntityPlan, cells: dict[str, Cell], facts: dict[str, Key], number: int
    ) -> bool:
        for place, attribute in enumerate(plan.attributes):
            if attribute.name in facts:
                (cell,) = facts[attribute.name]
                cells[attribute.column] = None if number >> place & 3 == 3 else cell  # noqa: PLR2004 - one in four
            elif cells[attribute.column] is not None:
                facts[attribute.name] = (cells[attribute.column],)
            elif attribute.mandatory:
                return False
        return True

    def _beyond(
        self, plan: EntityPlan, cells: dict[str, Cell], facts: dict[str, Key], number: int
    ) -> bool:
        for place, other in enumerate(plan.beyond, start=len(plan.attributes)):
            if other.in_key:
                settled: Optional[Key] = tuple(cells[column] for column in other.key)
            else:
                settled = facts.get(other.through)
            if settled is not None and not other.in_key and number >> place & 3 == 3:  # noqa: PLR2004 - one in four
                cells.update(dict.fromkeys(other.columns))
                continue
            if not self.agree(other, cells, number >> 2, settled):
                return False
            held = tuple(cells[column] for column in other.key)
            if None not in held and not other.in_key:
                facts[other.through] = held
        return True
