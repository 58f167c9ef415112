"""What follows for a source sheet from the tables that it feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.lineage import ROW, VALUE, SourceLineage, TableLineage
from aspen_etl.schema.spec import ColumnSpec, SourceSpec, TableSpec

__all__ = ["trace_source"]


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
