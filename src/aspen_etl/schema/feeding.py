"""Where entities stand in the rows of sheets: what holds their keys, and what goes along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.spec import TableSpec

__all__ = ["Feed", "Row", "cells_of", "trace_feeds"]


@dataclass(frozen=True)
class Feed:
    """Say where one entity stands in the rows of one sheet.

    Attributes:
        entity: The entity.
        sheet: The sheet.
        table: The table of rows from which a way leads to it.
        path: The reference columns of that way, from table to table.
        key: The columns of the sheet that hold its natural key, in order.
        columns: The columns of the sheet that hold each of its columns, by that column's name: one,
            or the key's where the column refers to an entity.
        under: All columns of the sheet that tell of it, and of the entities it refers to.
        holder: The entity that refers to it there; none where the rows of the sheet do.
        in_key: Whether the holder is known by it.
        required: Whether no row of the sheet goes without it.
    """

    entity: str
    sheet: str
    table: str
    path: tuple[str, ...]
    key: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]] = field(hash=False)
    under: tuple[str, ...]
    holder: Optional[str] = None
    in_key: bool = False
    required: bool = False


@dataclass(frozen=True)
class Row:
    """Say how tables get their rows, as far as references go.

    Attributes:
        sheets: The sheet of each table that has a row for each of its rows.
        entities: The tables that have a row for each distinct natural key in sheets.
    """

    sheets: Mapping[str, str]
    entities: frozenset[str]


def cells_of(
    spec: ColumnSpec, sheet: str, tables: Mapping[str, TableSpec], entities: frozenset[str]
) -> tuple[str, ...]:
    """Name the columns of a sheet that hold a column; of a reference to an entity, its key's.

    Args:
        spec: The column of a table.
        sheet: The sheet.
        tables: The tables by name.
        entities: Those of them that have a row for each distinct natural key in sheets.
    """
    own = tuple(name.partition(".")[2] for name in spec.source if name.startswith(f"{sheet}."))
    if own or spec.references not in entities:
        return own
    parent = tables[str(spec.references)]
    found = [cells_of(parent.columns[name], sheet, tables, entities) for name in parent.natural_key]
    return tuple(cell for cells in found for cell in cells) if all(found) else ()


def trace_feeds(
    tables: Mapping[str, TableSpec], rows: Row, builders: frozenset[str]
) -> dict[str, tuple[Feed, ...]]:
    """Find where each entity stands in the sheets.

    Args:
        tables: The tables by name, each after those that it refers to.
        rows: How they get their rows.
        builders: The tables that have a builder.

    Raises:
        ModelError: An entity cannot be found, or a cell would tell of two things.
    """
    found = _Feeds(tables, rows, builders)
    for name, sheet in rows.sheets.items():
        found.follow(_Here(name, sheet, tables[name]))
    found.check()
    out: dict[str, list[Feed]] = {name: [] for name in tables if name in rows.entities}
    for (entity, _, _), feed in found.feeds.items():
        out[entity].append(feed)
    return {name: tuple(feeds) for name, feeds in out.items()}


@dataclass(frozen=True)
class _Here:
    """A table, and the way to it from the table of a sheet's rows."""

    start: str
    sheet: str
    table: TableSpec
    path: tuple[str, ...] = field(default=())

    @property
    def holder(self) -> Optional[str]:
        return self.table.name if self.path else None


class _Feeds:
    """Follow references from the rows of sheets to the entities that stand there."""

    def __init__(
        self, tables: Mapping[str, TableSpec], rows: Row, builders: frozenset[str]
    ) -> None:
        self.tables, self.rows, self.builders = tables, rows, builders
        self.feeds: dict[tuple[str, str, tuple[str, ...]], Feed] = {}

    def follow(self, here: _Here) -> None:
        """Find the entities that a table refers to, and what they refer to."""
        for name, target in here.table.references.items():
            if target not in self.rows.entities:
                continue
            cells = cells_of(here.table.columns[name], here.sheet, self.tables, self.rows.entities)
            if cells:
                self._add(here, name, cells)
            elif here.holder is None and here.table.name not in self.builders:
                msg = (
                    f"nothing says which columns of {here.sheet!r} hold the key of {target!r}, to "
                    f"which {here.table.name}.{name} refers; let the key of {target!r} have its "
                    f"source= in {here.sheet!r}, too"
                )
                raise ModelError(msg, table=here.table.name, column=name)

    def _add(self, here: _Here, name: str, cells: tuple[str, ...]) -> None:
        entity = self.tables[str(here.table.columns[name].references)]
        place = (entity.name, here.sheet, cells)
        in_key = name in here.table.natural_key
        needed = here.holder is None and (in_key or not here.table.columns[name].nullable)
        known = self.feeds.get(place)
        if known is not None:
            self._check_holders(known, here, name)
            self.feeds[place] = replace(known, required=known.required or needed)
            return
        inner = _Here(here.start, here.sheet, entity, (*here.path, name))
        columns = self._columns(entity, here.sheet, cells)
        feed = Feed(
            entity=entity.name,
            sheet=here.sheet,
            table=here.start,
            path=inner.path,
            key=cells,
            columns=columns,
            under=tuple(dict.fromkeys((*cells, *(c for held in columns.values() for c in held)))),
            holder=here.holder,
            in_key=in_key,
            required=needed,
        )
        self.feeds[place] = feed
        if cells == self._own_key(entity, here.sheet):
            self.follow(inner)
            self.feeds[place] = replace(self.feeds[place], under=self._under(feed))

    def _own_key(self, entity: TableSpec, sheet: str) -> tuple[str, ...]:
        """Name the columns of a sheet that an entity's own key is fed by."""
        found = [
            cells_of(entity.columns[name], sheet, self.tables, self.rows.entities)
            for name in entity.natural_key
        ]
        return tuple(cell for cells in found for cell in cells) if all(found) else ()

    def _columns(
        self, entity: TableSpec, sheet: str, cells: tuple[str, ...]
    ) -> dict[str, tuple[str, ...]]:
        """Name what a sheet holds of an entity; where only a reference names it, the key alone."""
        if cells != self._own_key(entity, sheet):
            return {entity.natural_key[0]: cells}
        found = {
            spec.name: cells_of(spec, sheet, self.tables, self.rows.entities)
            for spec in entity.own_columns
        }
        return {name: held for name, held in found.items() if held}

    def _under(self, feed: Feed) -> tuple[str, ...]:
        """Name all that tells of an entity, and of those it refers to."""
        out = dict.fromkeys(feed.under)
        entity = self.tables[feed.entity]
        for name, target in entity.references.items():
            place = (target, feed.sheet, feed.columns.get(name, ()))
            if place in self.feeds:
                out.update(dict.fromkeys(self.feeds[place].under))
        return tuple(out)

    # ------------------------------------------------------------------------- checks

    def _check_holders(self, known: Feed, here: _Here, name: str) -> None:
        if known.holder is None and here.holder is None:
            return
        first = known.holder or known.table
        msg = (
            f"{known.sheet}.{known.key[0]} names the {known.entity!r} of {first!r} and, by "
            f"{here.table.name}.{name}, of {here.table.name!r}; one cell can tell of one of them "
            "alone: take one reference away"
        )
        raise ModelError(msg, table=here.table.name, column=name)

    def check(self) -> None:
        """Make sure that every entity is reached, and that no cell tells of two things."""
        for entity in (self.tables[name] for name in self.tables if name in self.rows.entities):
            self._check_key(entity)
            self._check_newest(entity)
            sheets = {name.partition(".")[0] for c in entity.own_columns for name in c.source}
            for sheet in sorted(sheets):
                place = (entity.name, sheet, self._own_key(entity, sheet))
                if place not in self.feeds:
                    msg = (
                        f"table {entity.name!r} takes columns from the source {sheet!r}, and no "
                        f"reference leads from the rows of {sheet!r} to it; give the table of "
                        f"these rows one, as in ref({entity.name!r})"
                    )
                    raise ModelError(msg, table=entity.name, source=sheet)
        for feed in self.feeds.values():
            for name, cells in feed.columns.items():
                self._check_home(feed, name, cells)

    def _check_key(self, entity: TableSpec) -> None:
        (first, *others) = entity.natural_key
        if not others and entity.columns[first].references in self.rows.entities:
            msg = (
                f"{entity.name} is known by {first} alone, which refers to an entity, so there is "
                "one for each of those; give that one its columns"
            )
            raise ModelError(msg, table=entity.name, column=first)

    def _check_newest(self, entity: TableSpec) -> None:
        newest = None if entity.entity is None else entity.entity.newest
        if newest is None:
            return
        fed = {
            table.name
            for table in self.tables.values()
            for spec in table.own_columns
            if newest in spec.source
        }
        if not fed or not fed <= self.rows.sheets.keys():
            msg = (
                f"{entity.name}: newest={newest!r} is put to the vote itself, or no column of a "
                "row; name a source column that goes to a table with one row for each row of "
                f"{newest.partition('.')[0]!r}"
            )
            raise ModelError(msg, table=entity.name, column=newest)

    def _check_home(self, feed: Feed, name: str, cells: tuple[str, ...]) -> None:
        """Make sure that a cell of an entity is nobody else's: its value is put to the vote."""
        if self.tables[feed.entity].columns[name].references in self.rows.entities:
            return
        source = f"{feed.sheet}.{cells[0]}"
        others = [
            f"{table.name}.{spec.name}"
            for table in self.tables.values()
            for spec in table.own_columns
            if source in spec.source
            and spec.references not in self.rows.entities
            and (table.name, spec.name) != (feed.entity, name)
        ]
        if others:
            msg = (
                f"the source column {source} goes to {feed.entity}.{name} and to {others[0]}; a "
                f"cell tells of one {feed.entity!r} or of something else: take one source= away"
            )
            raise ModelError(msg, table=feed.entity, column=name)
