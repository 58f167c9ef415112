"""What follows from the declarations of sources and tables: where each cell goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.feeding import Feed, cells_of
from aspen_etl.schema.spec import SourceSpec, TableSpec

__all__ = ["ROW", "VALUE", "Kind", "Lineage", "SourceLineage", "TableLineage", "trace_source"]

#: How a table gets its rows: one for each row of a source sheet; one for each distinct natural
#: key that others refer to; or as its builder says.
Kind = Literal["rows", "entity", "built"]

#: The scope of a fault that keeps the whole row out, and of one that drops the cell alone;
#: any other scope is the name of the table whose row is not made.
ROW, VALUE = "row", "value"


@dataclass(frozen=True)
class SourceLineage:
    """What follows for one source sheet.

    Attributes:
        key: The columns that a row is known by.
        references: The sheet that a column refers to, by column.
        owners: Those of these columns by which a row belongs to another: what an entity refers to
            is no row's own, as rows follow their entity.
        required: The columns without which a row is rejected.
        destinations: The (table, column) pairs that each column feeds.
        scopes: What a fault in a column keeps out: ``row``, ``value``, or a table's row.
    """

    key: tuple[str, ...]
    references: Mapping[str, str]
    owners: tuple[str, ...]
    required: tuple[str, ...]
    destinations: Mapping[str, tuple[tuple[str, str], ...]]
    scopes: Mapping[str, str]


@dataclass(frozen=True)
class TableLineage:
    """What follows for one table.

    Attributes:
        kind: How it gets its rows.
        source: The sheet whose rows it has one row for, where it has.
        anchors: For each sheet that feeds it otherwise, the reference columns to follow, from
            this table on, to the table that has one row for each row of that sheet.
        feeds: Where an entity stands in the rows of sheets.
        is_lookup: Whether it is an entity of one text that only references feed: its rows are
            what others refer to, and stay when nobody does any more.
    """

    kind: Kind
    source: Optional[str]
    anchors: Mapping[str, tuple[str, ...]]
    feeds: tuple[Feed, ...] = ()
    is_lookup: bool = False

    @property
    def is_entity(self) -> bool:
        """Whether it has one row for each distinct natural key that stands in sheets."""
        return self.kind == "entity" and not self.is_lookup


@dataclass(frozen=True)
class Lineage:
    """What follows for a model.

    Attributes:
        sources: By sheet.
        tables: By table.
        source_order: The sheets, each after those that it refers to.
        table_order: The tables, each after those that it refers to.
        split: The source columns, by table, that only a builder's inverse can give back.
        cells: By ``"sheet.column"``, the column of a table whose type the cells have.
    """

    sources: Mapping[str, SourceLineage]
    tables: Mapping[str, TableLineage]
    source_order: tuple[str, ...]
    table_order: tuple[str, ...]
    split: Mapping[str, frozenset[str]]
    cells: Mapping[str, ColumnSpec]

    @property
    def entities(self) -> frozenset[str]:
        """The tables that have one row for each distinct natural key in sheets."""
        return frozenset(name for name, table in self.tables.items() if table.is_entity)

    def feeds_of(self, sheet: str) -> tuple[Feed, ...]:
        """Give what stands of entities in the rows of a sheet."""
        tables = self.tables.values()
        return tuple(feed for table in tables for feed in table.feeds if feed.sheet == sheet)

    def needs_inverse(self, table: str) -> frozenset[str]:
        """Name the source columns that only the inverse of the table's builder can give back."""
        return self.split[table]


# ----------------------------------------------------------------------------- sources


def trace_source(
    source: SourceSpec,
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
    feeds: Mapping[str, tuple[tuple[str, str], ...]],
) -> SourceLineage:
    """Work out the key, references, required columns and scopes of one sheet.

    Args:
        source: The sheet.
        tables: The tables by name.
        traced: What follows for the tables.
        feeds: The (table, column) pairs that each source column feeds.

    Raises:
        ModelError: The tables ask of the sheet what does not go together.
    """
    destinations = {name: feeds[f"{source.name}.{name}"] for name in source.columns}
    key = _key(source, tables, traced)
    references = {}
    for name in source.columns:
        target = _reference(source.name, name, destinations[name], tables, traced)
        if target is not None:
            references[name] = target
    needed = _needed_keys(source, traced)
    required = tuple(
        name
        for name, spec in source.columns.items()
        if name in key
        or name in needed
        or not (spec.nullable or source.implied)
        or _feeds_required(source, spec, destinations[name], tables, traced)
    )
    scopes = {
        name: _scope(destinations[name], tables, traced, required=name in required)
        for name in source.columns
    }
    owners = _owners(source.name, references, traced)
    return SourceLineage(key, references, owners, required, destinations, scopes)


def _owners(
    source: str, references: Mapping[str, str], traced: Mapping[str, TableLineage]
) -> tuple[str, ...]:
    feeds = [feed for table in traced.values() for feed in table.feeds if feed.sheet == source]
    told = {cell for feed in feeds for cell in feed.under}
    told -= {cell for feed in feeds if feed.holder is None for cell in feed.key}
    return tuple(name for name in references if name not in told)


def _key(
    source: SourceSpec, tables: Mapping[str, TableSpec], traced: Mapping[str, TableLineage]
) -> tuple[str, ...]:
    keys: dict[str, tuple[str, ...]] = {}
    entities = frozenset(name for name in tables if traced[name].is_entity)
    for name, table in tables.items():
        if traced[name].source == source.name:
            keys[name] = tuple(
                cell
                for column in table.natural_key
                for cell in cells_of(table.columns[column], source.name, tables, entities)
            )
    if not keys:
        msg = (
            f"no table has one row for each row of the source {source.name!r}; give the "
            "columns of a table's natural "
            "key their source in it, as in column(natural_key=True, "
            f"source='{source.name}.{next(iter(source.columns))}')"
        )
        raise ModelError(msg, source=source.name)
    first, *others = keys
    for other in others:
        if set(keys[other]) != set(keys[first]):
            msg = (
                f"table {other!r} is known by {', '.join(keys[other])} and table {first!r} by "
                f"{', '.join(keys[first])} of "
                f"the source {source.name!r}; for a table of distinct values take source= "
                "away from its natural key, and "
                "give it to the column that refers to it, or derive its class from "
                "aspen_etl.schema.Entity"
            )
            raise ModelError(msg, source=source.name, tables=(first, other))
    return keys[first]


def _reference(
    source: str,
    name: str,
    destinations: tuple[tuple[str, str], ...],
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
) -> Optional[str]:
    targets = set()
    for table, column in destinations:
        parent = tables[table].columns[column].references
        if parent is None or traced[parent].kind == "entity" or traced[parent].source == source:
            continue
        target = traced[parent].source
        if target is None or len(tables[parent].natural_key) != 1:
            msg = (
                f"{table}.{column} refers to {parent!r}, which is not known by one source "
                "column, so source= cannot fill "
                f"it; give builders={{{table!r}: ...}} and take source= away, or refer to "
                "another table"
            )
            raise ModelError(msg, table=table, column=column)
        targets.add(target)
    if len(targets) > 1:
        msg = (
            f"{source}.{name} is used to refer to {' and to '.join(sorted(targets))}; use one "
            "column for each"
        )
        raise ModelError(msg, source=source, column=name)
    return targets.pop() if targets else None


def _needed_keys(source: SourceSpec, traced: Mapping[str, TableLineage]) -> set[str]:
    """Name the columns that hold the key of an entity that no row of a sheet goes without."""
    out: set[str] = set()
    for table in traced.values():
        for feed in table.feeds:
            if feed.sheet != source.name or not feed.required:
                continue
            for name in feed.key:
                if source.columns[name].nullable and not source.implied:
                    msg = (
                        f"{source.name}.{name} may be missing, and {feed.table}.{feed.path[-1]}, "
                        "which it names, must not; give both nullable=True, or neither"
                    )
                    raise ModelError(msg, table=feed.table, column=feed.path[-1])
                out.add(name)
    return out


def _feeds_required(
    source: SourceSpec,
    spec: ColumnSpec,
    destinations: tuple[tuple[str, str], ...],
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
) -> bool:
    for table, column in destinations:
        if traced[table].kind == "rows" and not tables[table].columns[column].nullable:
            if spec.nullable and not source.implied:
                msg = (
                    f"{source.name}.{spec.name} may be missing, and {table}.{column} must not; "
                    "give both nullable=True, or neither"
                )
                raise ModelError(msg, table=table, column=column)
            return True
    return False


def _scope(
    destinations: tuple[tuple[str, str], ...],
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
    *,
    required: bool,
) -> str:
    if required:
        return ROW
    for table, column in destinations:
        if traced[table].kind == "built" and len(tables[table].columns[column].source) == 1:
            parts = [spec for spec in tables[table].own_columns if len(spec.source) == 1]
            if len(parts) > 1:
                return table
    return VALUE
