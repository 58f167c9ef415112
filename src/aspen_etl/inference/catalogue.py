"""Declare what the catalogue of a database says of its tables: a class for each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from aspen_etl.errors import HeaderError
from aspen_etl.errors.base import listing
from aspen_etl.inference.declaring import Declared, Line
from aspen_etl.inference.kind import Kind
from aspen_etl.inference.names import class_name, column_name, singular, table_name
from aspen_etl.schema.column_spec import ColumnType
from aspen_etl.schema.headers import identifier

__all__ = ["CatalogueColumn", "CatalogueTable", "declare_catalogue"]

#: The types that a key may have.
_KEYS: frozenset[ColumnType] = frozenset({"text", "integer", "date"})
#: The length of a key that the database does not limit.
_KEY_LENGTH = 128
_GUESSED = f"the database gives this key no length; {_KEY_LENGTH} is a guess"


@dataclass(frozen=True)
class CatalogueColumn:
    """A column as the catalogue has it.

    Attributes:
        name: What the database calls it.
        kind: Its type; none of what holds no values of a table.
        nullable: Whether a row may be without it.
        shown: What the database calls its type.
    """

    name: str
    kind: Optional[Kind]
    nullable: bool
    shown: str = ""


@dataclass(frozen=True)
class CatalogueTable:
    """A table as the catalogue has it.

    Attributes:
        source: What the source is called.
        columns: Its columns.
        key: What the database calls the columns that a row is known by.
        references: The source whose key a column holds, by column.
        notes: What a reader should know besides.
    """

    source: str
    columns: Sequence[CatalogueColumn]
    key: tuple[str, ...]
    references: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> CatalogueColumn:
        """Give a column."""
        return next(each for each in self.columns if each.name == name)


def declare_catalogue(tables: Sequence[CatalogueTable], /) -> list[Declared]:
    """Declare a class for each table, each after those that it refers to.

    Raises:
        HeaderError: Two columns of a table have one name as identifiers.
    """
    known = {each.source: each for each in tables}
    names: dict[str, str] = {}
    for each in tables:
        _refuse_alike(each)
        names[each.source] = _class_name(each, names.values())
    order, cut = _in_order(known)
    catalogue = _Catalogue(known, names, cut)
    return [catalogue.declare(known[source]) for source in order]


def _class_name(table: CatalogueTable, taken: Collection[str]) -> str:
    """Name a class after its table, unless a column is called like the number of its rows."""
    name = class_name(singular(table.source), taken)
    given = f"{table_name(name)}_id"
    if len(table.key) == 1 or given not in {identifier(each.name) for each in table.columns}:
        return name
    return class_name(f"{table.source}_row", taken)


def _in_order(known: Mapping[str, CatalogueTable]) -> tuple[list[str], set[tuple[str, str]]]:
    """Give the sources, each after those that it refers to, and the references left out for it.

    No table of a model refers to itself, be it by way of others.
    """
    order: list[str] = []
    cut: set[tuple[str, str]] = set()

    def add(source: str, above: tuple[str, ...]) -> None:
        for column, target in known[source].references.items():
            if target in (*above, source):
                cut.add((source, column))
            elif target not in order:
                add(target, (*above, source))
        order.append(source)

    for source in known:
        if source not in order:
            add(source, ())
    return order, cut


@dataclass(frozen=True)
class _Catalogue:
    """All tables, what their classes are called, and the references that are left out."""

    tables: Mapping[str, CatalogueTable]
    names: Mapping[str, str]
    cut: Collection[tuple[str, str]]

    def declare(self, table: CatalogueTable) -> Declared:
        """Declare the class of a table."""
        name = self.names[table.source]
        taken = set() if self._single(table) else {f"{table_name(name)}_id"}
        lines = []
        for column in table.columns:
            if column.kind is not None:
                called = column_name(identifier(column.name), taken)
                taken.add(called)
                lines.append(self._line(table, column, column.kind, called))
        notes = "; ".join([*table.notes, *self._notes(table)])
        return Declared(name, "Table", table.source, lines, notes)

    def _line(
        self, table: CatalogueTable, column: CatalogueColumn, kind: Kind, called: str
    ) -> Line:
        target, is_key = self._target(table, column.name), column.name in table.key
        spelt = identifier(column.name)
        facts: dict[str, Any] = {}
        if target is not None or called != spelt:
            facts["source"] = spelt
        if is_key:
            kind = _key_kind(kind)
            single = self._single(table) == column.name
            facts["primary_key" if single else "natural_key"] = True
        if target is None:
            facts.update(kind.facts)
        if column.nullable and not is_key:
            facts["nullable"] = True
        if target is None:
            return Line(called, kind.type, None, facts, kind.note)
        return Line(called, self._key_type(target), table_name(self.names[target.source]), facts)

    def _target(self, table: CatalogueTable, column: str) -> Optional[CatalogueTable]:
        """Give the table that a column refers to, where the model can say so."""
        if column not in table.references or (table.source, column) in self.cut:
            return None
        return self.tables[table.references[column]]

    def _single(self, table: CatalogueTable) -> Optional[str]:
        """Give the column that is the key of the table, also in the model."""
        if len(table.key) != 1 or self._target(table, table.key[0]) is not None:
            return None
        return table.key[0]

    def _key_type(self, table: CatalogueTable) -> ColumnType:
        """Give the type of a table's key: its own column's, or that of a number that is given."""
        single = self._single(table)
        kind = None if single is None else table[single].kind
        return "integer" if kind is None else _key_kind(kind).type

    def _notes(self, table: CatalogueTable) -> Iterator[str]:
        left = [f"{each.name} ({each.shown})" for each in table.columns if each.kind is None]
        if left:
            yield f"left out, since they hold no values of a table: {', '.join(left)}"
        for column, target in table.references.items():
            if (table.source, column) in self.cut:
                yield f"{column} refers to {target}, which no model can follow around in a circle"


def _key_kind(kind: Kind) -> Kind:
    """Give the type of a column as a key can have it."""
    if kind.type not in _KEYS:
        return Kind("text", (("length", _KEY_LENGTH),), kind.note)
    if kind.type == "text" and "length" not in dict(kind.facts):
        return Kind("text", (*kind.facts, ("length", _KEY_LENGTH)), _GUESSED)
    return kind


def _refuse_alike(table: CatalogueTable) -> None:
    names = [identifier(each.name) or f"column_{at}" for at, each in enumerate(table.columns, 1)]
    for name in names:
        if names.count(name) > 1:
            places = [at for at, each in enumerate(names, 1) if each == name]
            raise HeaderError.duplicate_column(listing([table.source]), name, places)
