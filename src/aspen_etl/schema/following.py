"""Where the references of tables lead, and by what: the keys that stand in a sheet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.spec import TableSpec

__all__ = ["columns_in", "find_key", "follow_references", "is_bare", "like_their_keys", "rows_of"]


def find_key(
    table: TableSpec, sheet: str, tables: Mapping[str, TableSpec], /
) -> Optional[tuple[str, ...]]:
    """Name the columns of a sheet that hold what a row of a table is known by.

    They may be those of a table that it refers to. There are none where the sheet lacks one.
    """
    return _find_key(table, sheet, tables, frozenset())


def _find_key(
    table: TableSpec, sheet: str, tables: Mapping[str, TableSpec], seen: frozenset[str]
) -> Optional[tuple[str, ...]]:
    out: list[str] = []
    for name in table.natural_key:
        spec = table.columns[name]
        here = columns_in(spec, sheet)
        if not here and spec.references in tables and spec.references not in {*seen, table.name}:
            parent = tables[str(spec.references)]
            here = _find_key(parent, sheet, tables, seen | {table.name}) or ()
        if not here:
            return None
        out += here
    return tuple(out)


def columns_in(spec: ColumnSpec, sheet: str, /) -> tuple[str, ...]:
    """Name the columns of a sheet that fill a column."""
    parts = [source.partition(".") for source in spec.source]
    return tuple(column for name, _, column in parts if name == sheet)


def rows_of(table: TableSpec, /) -> Optional[str]:
    """Name the sheet whose rows a table has one row for, where it is no entity and has one."""
    if table.entity is not None or table.is_spread:
        return None
    if table.sheets:
        return table.sheets[0]
    natural = [table.columns[name] for name in table.natural_key]
    sheets = {source.partition(".")[0] for spec in natural for source in spec.source}
    is_whole = all(len(spec.source) == 1 for spec in natural)
    return sheets.pop() if is_whole and len(sheets) == 1 else None


# ----------------------------------------------------------------------------- references


def follow_references(
    tables: Mapping[str, TableSpec], built: Collection[str], /
) -> dict[str, TableSpec]:
    """Fill the source of each reference that follows from the table that it leads to.

    It stays empty where that table is known by several columns of the sheet.

    Args:
        tables: The tables by name.
        built: The tables that have a builder, which may fill such a column.

    Raises:
        ModelError: A reference leads to a table of another sheet, and nothing says by what.
    """
    plain = {name: _without_followed(table) for name, table in tables.items()}
    out = {}
    for name, table in plain.items():
        if name not in built:
            _check_sheet(table)
        columns = dict(table.columns)
        for column in table.followed:
            spec = columns[column]
            parent = plain.get(str(spec.references))
            if parent is None:
                continue  # told where all references are looked at
            keys = {sheet: find_key(parent, sheet, plain) for sheet in table.sheets}
            found = {sheet: key for sheet, key in keys.items() if key is not None}
            if name not in built:
                _check_followed(table, spec, parent, found)
            single = [f"{sheet}.{key[0]}" for sheet, key in found.items() if len(key) == 1]
            columns[column] = replace(spec, source=tuple(single))
        out[name] = replace(table, columns=columns)
    return out


def _check_sheet(table: TableSpec) -> None:
    """Refuse a table of which nothing at all says where it comes from, but a list of texts."""
    others = {spec.name for spec in table.own_columns} - {table.primary_key}
    if is_bare(table) and others > set(table.natural_key):
        kind = table.schema.__name__
        msg = (
            f"nothing says which sheet table {table.name!r} is made of; name it with its class, as "
            f"in class {kind}(Table, source={table.name!r}), or give "
            f"builders={{{table.name!r}: ...}}"
        )
        raise ModelError(msg, table=table.name)


def _without_followed(table: TableSpec) -> TableSpec:
    """Forget what followed in another model, of which this one is made."""
    if not table.followed:
        return table
    columns = {
        name: replace(spec, source=()) if name in table.followed else spec
        for name, spec in table.columns.items()
    }
    return replace(table, columns=columns)


def _check_followed(
    table: TableSpec, spec: ColumnSpec, parent: TableSpec, found: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse a reference that nothing fills."""
    rows = rows_of(parent)
    if found and len(found.get(str(rows), ())) > 1:
        msg = (
            f"{table.name}.{spec.name} refers to {parent.name!r}, whose rows are those of the same "
            f"sheet and known by several columns ({', '.join(parent.natural_key)}); declare the "
            f"columns of {table.name!r} in {parent.name!r}, or give "
            f"builders={{{table.name!r}: ...}}"
        )
        raise ModelError(msg, table=table.name, column=spec.name)
    if found:
        return
    sheet = table.sheets[0]
    made = " and ".join(map(repr, parent.sheets)) if parent.sheets else "what refers to it"
    msg = (
        f"{table.name}.{spec.name} refers to {parent.name!r}, which is made of {made}, and not of "
        f"{sheet!r}; name the column of {sheet!r} that holds what it is known by, as in "
        f"ref({parent.name!r}, source={parent.natural_key[0]!r})"
    )
    raise ModelError(msg, table=table.name, column=spec.name)


def like_their_keys(tables: Mapping[str, TableSpec], /) -> dict[str, TableSpec]:
    """Let a reference hold what its key may: text as long, a day as early."""
    out: dict[str, TableSpec] = {}
    for name, table in tables.items():
        columns = dict(table.columns)
        for column, target in table.references.items():
            key = out[target].columns[out[target].primary_key]
            columns[column] = replace(columns[column], length=key.length, minimum=key.minimum)
        out[name] = replace(table, columns=columns)
    return out


def is_bare(table: TableSpec, /) -> bool:
    """Tell whether nothing at all says which sheet a table is made of."""
    is_filled = bool(table.sheets) or any(spec.source for spec in table.own_columns)
    return table.entity is None and not is_filled
