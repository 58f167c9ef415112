"""What follows from the declarations of sources and tables: where each cell goes.

Keys, references and scopes of the source sheets are written nowhere: they follow from the
columns of the tables that the sheets feed, and are worked out here, once, when a model is
made. What cannot work is refused here, with a text that says how to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import hint
from aspen_etl.schema.spec import ColumnSpec, SourceSpec, TableSpec

__all__ = ["Lineage", "SourceLineage", "TableLineage", "trace"]

#: How a table gets its rows: one for each row of a source sheet; one for each value that
#: others refer to; or as its builder says.
Kind = Literal["rows", "lookup", "built"]

#: The scope of a fault that keeps the whole row out, and of one that drops the cell alone;
#: any other scope is the name of the table whose row is not made.
ROW, VALUE = "row", "value"


@dataclass(frozen=True)
class SourceLineage:
    """What follows for one source sheet.

    Attributes:
        key: The columns that a row is known by.
        references: The sheet that a column refers to, by column.
        required: The columns without which a row is rejected.
        destinations: The (table, column) pairs that each column feeds.
        scopes: What a fault in a column keeps out: ``row``, ``value``, or a table's row.
    """

    key: tuple[str, ...]
    references: Mapping[str, str]
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
    """

    kind: Kind
    source: Optional[str]
    anchors: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Lineage:
    """What follows for a model.

    Attributes:
        sources: By sheet.
        tables: By table.
        source_order: The sheets, each after those that it refers to.
        table_order: The tables, each after those that it refers to.
        split: The source columns, by table, that only a builder's inverse can give back.
    """

    sources: Mapping[str, SourceLineage]
    tables: Mapping[str, TableLineage]
    source_order: tuple[str, ...]
    table_order: tuple[str, ...]
    split: Mapping[str, frozenset[str]]

    def needs_inverse(self, table: str) -> frozenset[str]:
        """Name the source columns that only the inverse of the table's builder can give back."""
        return self.split[table]


def trace(
    sources: Mapping[str, SourceSpec], tables: Mapping[str, TableSpec], builders: frozenset[str]
) -> Lineage:
    """Work out the lineage of a model.

    Args:
        sources: The sheets by name.
        tables: The tables by name.
        builders: The tables that have a builder.

    Raises:
        ModelError: The declarations do not fit each other.
    """
    _check_names(sources, tables)
    feeds = _feeds(sources, tables)
    table_order = _in_order(
        {name: list(table.references.values()) for name, table in tables.items()}, "table"
    )
    kinds = {name: _kind(tables[name], built=name in builders) for name in table_order}
    traced = {
        name: TableLineage(kind, source, _anchors(tables[name], source, tables, kinds))
        for name, (kind, source) in kinds.items()
    }
    split = {name: _split(table) for name, table in tables.items()}
    for name in table_order:
        if name not in builders and split[name]:
            column = min(split[name])
            msg = (
                f"table {name!r}: {column} is spread over columns or rows, which takes a builder; "
                f"give builders={{{name!r}: Builder(build, invert)}}"
            )
            raise ModelError(msg, table=name, column=column)
    found = {name: _trace_source(source, tables, traced, feeds) for name, source in sources.items()}
    source_order = _in_order(
        {name: list(found[name].references.values()) for name in sources}, "source"
    )
    return Lineage(found, traced, source_order, table_order, split)


# ----------------------------------------------------------------------------- checks and order


def _check_names(sources: Mapping[str, SourceSpec], tables: Mapping[str, TableSpec]) -> None:
    for table in tables.values():
        for column in table.columns.values():
            where = f"{table.name}.{column.name}"
            if column.references and column.references not in tables:
                msg = (
                    f"{where} refers to the table {column.references!r}, which the model does not "
                    f"have; {hint(column.references, tuple(tables))}"
                )
                raise ModelError(msg, table=table.name, column=column.name)
            if column.references:
                _check_reference_type(where, column, tables[column.references])
            for source in column.source:
                sheet, _, name = source.partition(".")
                if sheet not in sources:
                    msg = (
                        f"{where} has source={source!r}, and there is no source {sheet!r}; "
                        f"{hint(sheet, tuple(sources))}"
                    )
                    raise ModelError(msg, table=table.name, column=column.name)
                if name not in sources[sheet].columns:
                    msg = (
                        f"{where} has source={source!r}, and the source {sheet!r} has no such "
                        f"column; {hint(name, tuple(sources[sheet].columns))}"
                    )
                    raise ModelError(msg, table=table.name, column=column.name)
            if column.source and column.type == "timestamp":
                msg = (
                    f"{where} is a point in time and has a source; cells are text: annotate it as "
                    "Series[str]"
                )
                raise ModelError(msg, table=table.name, column=column.name)


def _check_reference_type(where: str, column: ColumnSpec, parent: TableSpec) -> None:
    wanted = parent.columns[parent.primary_key].type
    if column.type != wanted:
        series = (
            "Series[str]"
            if wanted == "text"
            else "Series[int] (Series[pd.Int64Dtype] where it may be null)"
        )
        msg = (
            f"{where} is {column.type} and refers to {parent.name}.{parent.primary_key}, which is "
            f"{wanted}; annotate it as {series}"
        )
        raise ModelError(msg, column=where)


def _feeds(
    sources: Mapping[str, SourceSpec], tables: Mapping[str, TableSpec]
) -> dict[str, tuple[tuple[str, str], ...]]:
    feeds: dict[str, list[tuple[str, str]]] = {
        f"{s.name}.{c}": [] for s in sources.values() for c in s.columns
    }
    for table in tables.values():
        for column in table.columns.values():
            for source in column.source:
                feeds[source].append((table.name, column.name))
    for name, destinations in feeds.items():
        if not destinations:
            msg = (
                f"the source column {name} goes nowhere, so its cells would be lost; name it "
                "in the column it goes to, "
                f"as in column(source={name!r}), or take it out of the source"
            )
            raise ModelError(msg, column=name)
    return {name: tuple(destinations) for name, destinations in feeds.items()}


def _in_order(needs: Mapping[str, list[str]], kind: str) -> tuple[str, ...]:
    order: list[str] = []
    left = list(needs)
    while left:
        ready = [name for name in left if all(need in order for need in needs[name])]
        if not ready:
            msg = (
                f"the {kind}s {', '.join(sorted(left))} refer to each other in a circle, or one "
                "to itself; take one reference away"
            )
            raise ModelError(msg, names=tuple(sorted(left)))
        order.append(ready[0])
        left.remove(ready[0])
    return tuple(order)


# ----------------------------------------------------------------------------- tables


def _kind(table: TableSpec, *, built: bool) -> tuple[Kind, Optional[str]]:
    natural = [table.columns[name] for name in table.natural_key]
    sheets = {source.partition(".")[0] for column in natural for source in column.source}
    if len(sheets) == 1 and all(len(column.source) == 1 for column in natural):
        return "rows", sheets.pop()
    if built:
        return "built", None
    is_lookup = (
        len(natural) == 1
        and natural[0].type == "text"
        and not natural[0].source
        and not natural[0].references
    )
    if is_lookup and table.has_surrogate_key and len(table.own_columns) == len(("key", "value")):
        return "lookup", None
    without = ", ".join(column.name for column in natural if not column.source)
    msg = (
        f"nothing says where the rows of table {table.name!r} come from: its natural key "
        f"({without}) has no source; "
        "give source= to each of its columns, all from one sheet, or "
        f"builders={{{table.name!r}: ...}}"
    )
    raise ModelError(msg, table=table.name)


def _anchors(
    table: TableSpec,
    source: Optional[str],
    tables: Mapping[str, TableSpec],
    kinds: Mapping[str, tuple[Kind, Optional[str]]],
) -> dict[str, tuple[str, ...]]:
    wanted = {name.partition(".")[0] for column in table.own_columns for name in column.source} - {
        source
    }
    return {sheet: _path(table, sheet, tables, kinds) for sheet in sorted(wanted)}


def _path(
    table: TableSpec,
    sheet: str,
    tables: Mapping[str, TableSpec],
    kinds: Mapping[str, tuple[Kind, Optional[str]]],
) -> tuple[str, ...]:
    paths: list[tuple[TableSpec, tuple[str, ...]]] = [(table, ())]
    while paths:
        here, path = paths.pop(0)
        if path and kinds[here.name] == ("rows", sheet):
            return path
        # What identifies a row comes before what merely belongs to it.
        columns = sorted(here.references, key=lambda name: name not in here.natural_key)
        paths += [
            (tables[here.references[name]], (*path, name))
            for name in columns
            if not here.columns[name].nullable
        ]
    msg = (
        f"table {table.name!r} takes columns from the source {sheet!r}, and no reference of "
        "it leads to a table with "
        f"one row for each row of {sheet!r}; give it such a reference"
    )
    raise ModelError(msg, table=table.name, source=sheet)


def _split(table: TableSpec) -> frozenset[str]:
    """Name the sources that share a column, or that are split over several."""
    single = [column.source[0] for column in table.own_columns if len(column.source) == 1]
    shared = {
        source for column in table.own_columns if len(column.source) > 1 for source in column.source
    }
    return frozenset(shared | {source for source in single if single.count(source) > 1})


# ----------------------------------------------------------------------------- sources


def _trace_source(
    source: SourceSpec,
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
    feeds: Mapping[str, tuple[tuple[str, str], ...]],
) -> SourceLineage:
    destinations = {name: feeds[f"{source.name}.{name}"] for name in source.columns}
    key = _key(source, tables, traced)
    references = {}
    for name in source.columns:
        target = _reference(source.name, name, destinations[name], tables, traced)
        if target is not None:
            references[name] = target
    required = tuple(
        name
        for name, spec in source.columns.items()
        if name in key
        or not spec.nullable
        or _feeds_required(source.name, spec, destinations[name], tables, traced)
    )
    scopes = {
        name: _scope(destinations[name], tables, traced, required=name in required)
        for name in source.columns
    }
    return SourceLineage(key, references, required, destinations, scopes)


def _key(
    source: SourceSpec, tables: Mapping[str, TableSpec], traced: Mapping[str, TableLineage]
) -> tuple[str, ...]:
    keys: dict[str, tuple[str, ...]] = {}
    for name, table in tables.items():
        if traced[name].source == source.name:
            keys[name] = tuple(
                table.columns[c].source[0].partition(".")[2] for c in table.natural_key
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
                "give it to the column that refers to it"
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
        if parent is None or traced[parent].kind == "lookup" or traced[parent].source == source:
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


def _feeds_required(
    source: str,
    spec: ColumnSpec,
    destinations: tuple[tuple[str, str], ...],
    tables: Mapping[str, TableSpec],
    traced: Mapping[str, TableLineage],
) -> bool:
    for table, column in destinations:
        if traced[table].kind == "rows" and not tables[table].columns[column].nullable:
            msg = (
                f"{source}.{spec.name} may be missing, and {table}.{column} must not; give both "
                "nullable=True, or neither"
            )
            raise ModelError(msg, table=table, column=column)
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
