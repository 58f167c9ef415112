"""Work out where each cell goes, from the declarations of sources and tables.

Keys, references and scopes of the source sheets are written nowhere: they follow from the
columns of the tables that the sheets feed, and are worked out here, once, when a model is
made. What cannot work is refused here, with a text that says how to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.cell_specs import trace_cells
from aspen_etl.schema.column import hint
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.feeding import Row, trace_feeds
from aspen_etl.schema.lineage import Kind, Lineage, TableLineage, trace_source
from aspen_etl.schema.spec import SourceSpec, TableSpec
from aspen_etl.schema.table_keys import KEY_TYPES

__all__ = ["trace"]


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
    traced = _trace_tables({name: tables[name] for name in table_order}, builders)
    split = {
        name: _split(table, is_entity=traced[name].is_entity) for name, table in tables.items()
    }
    for name in table_order:
        if name not in builders and split[name]:
            column = min(split[name])
            fed = [spec.name for spec in tables[name].own_columns if column in spec.source]
            msg = (
                f"table {name!r}: {column} is spread over columns or rows ({', '.join(fed)}), "
                "which takes a builder; let source= name another column of the sheet, or give "
                f"builders={{{name!r}: Builder(build, invert)}}"
            )
            raise ModelError(msg, table=name, column=column)
    found = {name: trace_source(source, tables, traced, feeds) for name, source in sources.items()}
    source_order = _in_order(
        {name: list(found[name].references.values()) for name in sources}, "source"
    )
    cells = trace_cells(found, tables)
    return Lineage(found, traced, source_order, table_order, split, cells)


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


_ANNOTATIONS = {
    **KEY_TYPES,
    "integer": "Series[int] (Series[pd.Int64Dtype] where it may be null)",
}


def _check_reference_type(where: str, column: ColumnSpec, parent: TableSpec) -> None:
    wanted = parent.columns[parent.primary_key].type
    if column.type != wanted:
        msg = (
            f"{where} is {column.type} and refers to {parent.name}.{parent.primary_key}, which is "
            f"{wanted}; annotate it as {_ANNOTATIONS[wanted]}"
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
            # Who is in the circle, without those that merely lead to it.
            while not (needed := {n for name in left for n in needs[name]}).issuperset(left):
                left = [name for name in left if name in needed]
            msg = (
                f"the {kind}s {', '.join(sorted(left))} refer to each other in a circle, or one "
                "to itself; take one reference away"
            )
            raise ModelError(msg, names=tuple(sorted(left)))
        order.append(ready[0])
        left.remove(ready[0])
    return tuple(order)


# ----------------------------------------------------------------------------- tables


def _trace_tables(
    tables: Mapping[str, TableSpec], builders: frozenset[str]
) -> dict[str, TableLineage]:
    """Work out how tables get their rows, each after those that it refers to."""
    kinds: dict[str, _Kind] = {}
    for name, table in tables.items():
        kinds[name] = _kind(table, kinds, built=name in builders)
    rows = Row(
        {name: str(kind.source) for name, kind in kinds.items() if kind.name == "rows"},
        frozenset(name for name, kind in kinds.items() if kind.is_entity),
    )
    fed = trace_feeds(tables, rows, builders)
    return {
        name: TableLineage(
            kind.name,
            kind.source,
            {} if kind.is_entity else _anchors(tables[name], kind.source, tables, kinds),
            fed.get(name, ()),
            kind.is_lookup,
        )
        for name, kind in kinds.items()
    }


class _Kind(NamedTuple):
    """How a table gets its rows."""

    name: Kind
    source: Optional[str] = None
    is_lookup: bool = False

    @property
    def is_entity(self) -> bool:
        return self.name == "entity" and not self.is_lookup


def _kind(table: TableSpec, kinds: Mapping[str, _Kind], *, built: bool) -> _Kind:
    if table.entity is not None:
        return _entity(table, built=built)
    natural = [table.columns[name] for name in table.natural_key]
    sheet = _sheet(table, kinds)
    if sheet is not None:
        return _Kind("rows", sheet)
    if built:
        return _Kind("built")
    if _is_lookup(table):
        return _Kind("entity", is_lookup=True)
    without = ", ".join(column.name for column in natural if not column.source)
    msg = (
        f"nothing says where the rows of table {table.name!r} come from: its natural key "
        f"({without}) has no source; "
        "give source= to each of its columns, all from one sheet, or "
        f"builders={{{table.name!r}: ...}}"
    )
    raise ModelError(msg, table=table.name)


def _entity(table: TableSpec, *, built: bool) -> _Kind:
    if built:
        msg = (
            f"table {table.name!r} is an entity, whose rows follow from the sheets that feed it, "
            "and has a builder; take the builder away, or derive its class from Table"
        )
        raise ModelError(msg, table=table.name)
    return _Kind("entity", is_lookup=_is_lookup(table))


def _is_lookup(table: TableSpec) -> bool:
    """Tell whether a table is a text with a number, and no source of its own."""
    first, *others = (table.columns[name] for name in table.natural_key)
    is_bare = first.type == "text" and not first.source and not first.references
    is_pair = table.has_surrogate_key and len(table.own_columns) == len(("key", "value"))
    return is_bare and is_pair and not others


def _sheet(table: TableSpec, kinds: Mapping[str, _Kind]) -> Optional[str]:
    """Name the sheet that a table has one row for each row of, if its natural key says so."""
    natural = [table.columns[name] for name in table.natural_key]
    held = [c for c in natural if c.source or not _is_compound(c, kinds)]
    sheets = {
        source.partition(".")[0] for column in held or table.own_columns for source in column.source
    }
    if len(sheets) == 1 and all(len(column.source) == 1 for column in held):
        return sheets.pop()
    return None


def _is_compound(column: ColumnSpec, kinds: Mapping[str, _Kind]) -> bool:
    """Tell whether a column refers to an entity, whose key says what holds it."""
    return column.references in kinds and kinds[str(column.references)].is_entity


def _anchors(
    table: TableSpec,
    source: Optional[str],
    tables: Mapping[str, TableSpec],
    kinds: Mapping[str, _Kind],
) -> dict[str, tuple[str, ...]]:
    wanted = {name.partition(".")[0] for column in table.own_columns for name in column.source} - {
        source
    }
    return {sheet: _path(table, sheet, tables, kinds) for sheet in sorted(wanted)}


def _path(
    table: TableSpec,
    sheet: str,
    tables: Mapping[str, TableSpec],
    kinds: Mapping[str, _Kind],
) -> tuple[str, ...]:
    paths: list[tuple[TableSpec, tuple[str, ...]]] = [(table, ())]
    while paths:
        here, path = paths.pop(0)
        if path and kinds[here.name] == _Kind("rows", sheet):
            return path
        # What identifies a row comes before what merely belongs to it.
        columns = sorted(here.references, key=lambda name: name not in here.natural_key)
        paths += [
            (tables[here.references[name]], (*path, name))
            for name in columns
            if not here.columns[name].nullable
        ]
    near = [f", as in ref({n!r})" for n, kind in kinds.items() if kind == _Kind("rows", sheet)]
    shared = [name for name in table.references.values() if kinds[name].is_entity]
    why = f" (many rows may share one {shared[0]!r})" if shared else ""
    msg = (
        f"table {table.name!r} takes columns from the source {sheet!r}, and no reference of it "
        f"leads to a table with one row for each row of {sheet!r}{why}; give it such a "
        f"reference{near[0] if near else ''}"
    )
    raise ModelError(msg, table=table.name, source=sheet)


def _split(table: TableSpec, *, is_entity: bool) -> frozenset[str]:
    """Name the sources that share a column, or that are split over several."""
    if is_entity:  # each of its sheets has a column for each of its own
        every = [source for column in table.own_columns for source in column.source]
        return frozenset(source for source in every if every.count(source) > 1)
    single = [column.source[0] for column in table.own_columns if len(column.source) == 1]
    shared = {
        source for column in table.own_columns if len(column.source) > 1 for source in column.source
    }
    return frozenset(shared | {source for source in single if single.count(source) > 1})
