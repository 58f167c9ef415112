"""From what was found to what is declared: classes and their columns, each named once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import pandas as pd

from aspen_etl.inference.class_names import ClassNames
from aspen_etl.inference.columns import joined_cells
from aspen_etl.inference.kind import Kind, text_kind
from aspen_etl.inference.names import base_of, column_name, is_key_name, table_name
from aspen_etl.inference.study import EntityFound, Study
from aspen_etl.inference.types import infer_kind
from aspen_etl.schema.column_spec import ColumnType

__all__ = ["Declared", "Line", "declare"]

_SPREAD = "a row for each of these columns that has a cell; type is what * stands for"


@dataclass(frozen=True)
class Line:
    """One column of a class.

    Attributes:
        name: The column.
        type: Its type.
        target: The table that it refers to, if it does.
        facts: What is told of it, by name.
        note: What a reader should look at, or ''.
    """

    name: str
    type: ColumnType
    target: Optional[str]
    facts: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Declared:
    """One class.

    Attributes:
        name: The class.
        base: What it derives from.
        source: The sheets that feed it, with what its columns are called there.
        lines: Its columns.
        note: What a reader should look at, or ''.
    """

    name: str
    base: str
    source: Union[str, tuple[str, ...]]
    lines: Sequence[Line]
    note: str = ""


def declare(study: Study, name: str, /) -> list[Declared]:
    """Declare a table for each sheet and each entity, each after those that it refers to.

    Args:
        study: What was found.
        name: What the only sheet is called where its own name says nothing.
    """
    names = ClassNames.of(study, name)
    done: dict[str, Declared] = {}
    for sheet in _in_order(study):
        # What an entity refers to has fewer rows than it.
        held = [at for at, each in enumerate(study.entities) if sheet in each.sheets]
        held.sort(key=lambda at: len(study.sheets[sheet][study.entities[at].head].cells))
        for at in held:
            done.setdefault(names.entities[at], _entity(study, names, at))
        done[names.sheets[sheet]] = _table(study, names, sheet)
        for at, each in enumerate(study.fan_outs):
            if each.sheet == sheet:
                done[names.fan_outs[at]] = _fan_out(study, names, at)
    return list(done.values())


def _in_order(study: Study) -> list[str]:
    """Give the sheets, each after those that it refers to."""
    order: list[str] = []

    def add(sheet: str) -> None:
        for (at, _), target in study.references.items():
            if at == sheet and target not in order:
                add(target)
        order.append(sheet)

    for sheet in study.sheets:
        if sheet not in order:
            add(sheet)
    return order


# ----------------------------------------------------------------------------- classes


def _table(study: Study, names: ClassNames, sheet: str) -> Declared:
    key, name = study.keys[sheet], names.sheets[sheet]
    body = _Body(f"{table_name(name)}_id")
    spread = {column for each in study.fan_outs if each.sheet == sheet for column in each.columns}
    for column, cells in study.sheets[sheet].columns.items():
        if study.owner_of(sheet, column) is not None or column in spread:
            continue
        is_key = column in key.columns
        place = _Place(
            column,
            source=column,
            is_key=is_key,
            is_alone=key.single == column,
            nullable=not (is_key or cells.is_full),
        )
        target = _target(study, names, sheet, column)
        if target is None:
            kind = infer_kind(column, cells.cells, is_key=True) if is_key else cells.kind
            body.add(place, kind)
        else:
            body.refer(place, target)
    notes = [f"{key.repeated:,} rows repeat the key, and become rejects"] if key.repeated else []
    return Declared(name, "Table", sheet, body.lines, "; ".join([key.note, *notes]).strip("; "))


def _entity(study: Study, names: ClassNames, at: int) -> Declared:
    found, name, prefix = study.entities[at], names.entities[at], names.prefixes[at]
    body = _Body(f"{table_name(name)}_id")
    head = _Place(found.head[len(prefix) :], source=found.head, is_key=True, is_alone=True)
    body.add(head, _kind_of(study, found, found.head))
    for column in found.columns:
        held = [sheet for sheet, columns in found.sheets.items() if column in columns]
        target = _target(study, names, held[0], column)
        cut = "" if target else prefix
        place = _Place(
            column[len(cut) :],
            source=_spelt(column, held, found),
            is_implied=len(held) == len(found.sheets),
            nullable=True,
        )
        if target is None:
            body.add(place, _kind_of(study, found, column))
        else:
            body.refer(place, target)
    sheets = tuple(f"{sheet}.{prefix}*" if prefix else sheet for sheet in found.sheets)
    return Declared(name, "Entity", sheets[0] if len(sheets) == 1 else sheets, body.lines)


def _fan_out(study: Study, names: ClassNames, at: int) -> Declared:
    found, name = study.fan_outs[at], names.fan_outs[at]
    parent = table_name(names.sheets[found.sheet])
    key = study.keys[found.sheet].single
    kind: ColumnType = "integer"
    if key == f"{parent}_id":
        kind = infer_kind(key, study.sheets[found.sheet][key].cells, is_key=True).type
    length = dict(text_kind(pd.Series(found.words)).facts)
    lines = [
        Line(f"{parent}_id", kind, parent, {"natural_key": True}),
        Line("type", "text", None, {"natural_key": True, **length, "from_name": found.words}),
        Line("value", found.kind.type, None, dict(found.kind.facts), found.kind.note),
    ]
    return Declared(name, "Table", f"{found.sheet}.{found.pattern}", lines, _SPREAD)


def _spelt(column: str, held: Sequence[str], entity: EntityFound) -> Union[str, tuple[str, ...]]:
    """Write where a column of an entity comes from."""
    if len(entity.sheets) == 1:
        return column
    sources = tuple(f"{sheet}.{column}" for sheet in held)
    return sources[0] if len(sources) == 1 else sources


def _kind_of(study: Study, entity: EntityFound, column: str) -> Kind:
    """Give the type of a column of an entity, by its cells in all sheets."""
    is_key = column == entity.head
    held = [
        study.sheets[sheet][column]
        for sheet, columns in entity.sheets.items()
        if is_key or column in columns
    ]
    return infer_kind(column, joined_cells(held), is_key=is_key)


@dataclass(frozen=True)
class _Target:
    """What a column refers to.

    Attributes:
        table: The table.
        type: The type of its key: a number that is given, or that of what it is known by.
        is_entity: Whether the sheet says it by the columns of the entity alone.
    """

    table: str
    type: ColumnType
    is_entity: bool


def _target(study: Study, names: ClassNames, sheet: str, column: str) -> Optional[_Target]:
    """Give what a column refers to, be it an entity whose key it holds."""
    other, entity = study.references.get((sheet, column)), study.entity_of(sheet, column)
    if other is not None:
        table, key = table_name(names.sheets[other]), study.keys[other].single or ""
        kind = infer_kind(key, study.sheets[other][key].cells, is_key=True)
    elif entity is not None:
        at = list(study.entities).index(entity)
        table = table_name(names.entities[at])
        key, kind = column[len(names.prefixes[at]) :], _kind_of(study, entity, column)
    else:
        return None
    return _Target(table, kind.type if key == f"{table}_id" else "integer", other is None)


# ----------------------------------------------------------------------------- columns


@dataclass(frozen=True)
class _Place:
    """Where a column stands.

    Attributes:
        wanted: What it is to be called.
        source: What says where it comes from.
        is_implied: Whether that follows from its name, if that can be the wanted one.
        is_key: Whether rows are known by it.
        is_alone: Whether they are known by nothing else.
        nullable: Whether a row may be without it.
    """

    wanted: str
    source: Union[str, tuple[str, ...]]
    is_implied: bool = True
    is_key: bool = False
    is_alone: bool = False
    nullable: bool = False

    @property
    def facts(self) -> dict[str, bool]:
        """What is told of it, whatever it holds."""
        return {"natural_key": True} if self.is_key else {}

    @property
    def last(self) -> dict[str, bool]:
        """What is told at the end."""
        return {"nullable": True} if self.nullable else {}


class _Body:
    """The columns of a class, one after the other.

    Attributes:
        lines: Those that there are.
    """

    def __init__(self, given: str) -> None:
        self.lines: list[Line] = []
        self._given = given  # the name of the key, a number, if there is no other
        self._taken = {given}

    def add(self, place: _Place, kind: Kind) -> None:
        """Add a column that holds cells."""
        is_primary = place.is_alone and place.wanted == self._given
        name = place.wanted if is_primary else self._name(place.wanted)
        is_implied = place.is_implied and name == place.wanted
        source = {} if is_implied else {"source": place.source}
        key = {"primary_key": True} if is_primary else place.facts
        facts = {**source, **key, **dict(kind.facts), **place.last}
        self.lines.append(Line(name, kind.type, None, facts, kind.note))

    def refer(self, place: _Place, target: _Target) -> None:
        """Add a column that refers to a table."""
        base = base_of(place.wanted)
        wanted = f"{base}_id"
        says_nothing = base == place.wanted and is_key_name(base)  # such as sku
        if says_nothing or wanted in self._taken:
            wanted = f"{target.table}_id"
        name = self._name(wanted)
        is_implied = place.is_implied and target.is_entity
        source = {} if is_implied else {"source": place.source}
        facts = {**source, **place.facts, **place.last}
        self.lines.append(Line(name, target.type, target.table, facts))

    def _name(self, wanted: str) -> str:
        name = column_name(wanted, self._taken)
        self._taken.add(name)
        return name
