"""What follows from the tables of a model: where references lead, and what their sheets hold.

Nobody writes down that the sheet of visits has a column with the number of a visit, since the
table of visits says so. A ``Source`` that is declared takes the place of what follows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import hint
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.spec import Source, SourceSpec, TableSpec

__all__ = ["find_key", "follow_references", "imply_sources", "rows_of", "with_lengths"]


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
        here = _columns_in(spec, sheet)
        if not here and spec.references in tables and spec.references not in {*seen, table.name}:
            parent = tables[str(spec.references)]
            here = _find_key(parent, sheet, tables, seen | {table.name}) or ()
        if not here:
            return None
        out += here
    return tuple(out)


def _columns_in(spec: ColumnSpec, sheet: str) -> tuple[str, ...]:
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


def with_lengths(tables: Mapping[str, TableSpec], /) -> dict[str, TableSpec]:
    """Give a text reference the length of the key that it holds."""
    out: dict[str, TableSpec] = {}
    for name, table in tables.items():
        columns = dict(table.columns)
        for column, target in table.references.items():
            key = out[target].columns[out[target].primary_key]
            columns[column] = replace(columns[column], length=key.length)
        out[name] = replace(table, columns=columns)
    return out


# ----------------------------------------------------------------------------- sheets


def imply_sources(
    sources: Mapping[str, SourceSpec], tables: Mapping[str, TableSpec], /
) -> dict[str, SourceSpec]:
    """Give the sheets that are declared, and those that follow from the tables.

    A sheet that the class of a table names follows from it. Where no sheet is declared, the sheet
    of any column does.

    Args:
        sources: The sheets of the model; what followed before follows anew.
        tables: The tables by name, their references followed.

    Raises:
        ModelError: No table has the rows of a sheet, or an entity asks of one what it lacks.
    """
    declared = {name: source for name, source in sources.items() if not source.implied}
    named = dict.fromkeys(sheet for table in tables.values() for sheet in table.sheets)
    if not declared:
        named.update(dict.fromkeys(sheet for _, _, sheet, _ in _feeds(tables)))
    out = dict(declared)
    for sheet in named:
        if sheet not in declared:
            out[sheet] = _imply(sheet, tables)
    referred = {target for table in tables.values() for target in table.references.values()}
    for table in tables.values():
        if table.entity is not None and not table.sheets and table.name not in referred:
            msg = (
                f"nothing feeds the entity {table.name!r}; name the sheet of its class, as in "
                "source='visits.clinic_*', or let a table refer to it with ref(..., source=...)"
            )
            raise ModelError(msg, table=table.name)
        _check_newest(table, tables, out)
    return out


def _feeds(tables: Mapping[str, TableSpec]) -> Iterator[tuple[TableSpec, ColumnSpec, str, str]]:
    """Yield table, column, sheet and column of the sheet of all that is filled from a sheet."""
    for table in tables.values():
        for spec in table.own_columns:
            for source in spec.source:
                sheet, _, column = source.partition(".")
                yield table, spec, sheet, column


def _imply(sheet: str, tables: Mapping[str, TableSpec]) -> SourceSpec:
    rows = [table for table in tables.values() if rows_of(table) == sheet]
    if not rows:
        _refuse_sheet(sheet, tables)
    order: dict[str, None] = {}
    seen: set[str] = set()
    for table in (*rows, *tables.values()):
        order.update(dict.fromkeys(_in_order(table, sheet, tables, seen)))
    required = {column for table in rows for column in _required(table, sheet, tables)}
    columns = {name: _column(sheet, name, tables, required) for name in order}
    return SourceSpec(sheet, columns, Source, implied=True)


def _in_order(
    table: TableSpec, sheet: str, tables: Mapping[str, TableSpec], seen: set[str]
) -> Iterator[str]:
    """Yield the columns of a sheet, those of an entity where a table refers to it."""
    if table.name in seen:
        return
    seen.add(table.name)
    for spec in table.own_columns:
        parent = tables.get(str(spec.references))
        if parent is not None and parent.entity is not None:
            yield from _in_order(parent, sheet, tables, seen)
        yield from _columns_in(spec, sheet)


def _required(table: TableSpec, sheet: str, tables: Mapping[str, TableSpec]) -> Iterator[str]:
    """Yield the columns of a sheet without which a row of it is no row of the table."""
    for spec in table.own_columns:
        if spec.nullable and not spec.natural_key:
            continue
        yield from _columns_in(spec, sheet)
        if spec.name in table.followed and spec.references in tables:
            yield from find_key(tables[str(spec.references)], sheet, tables) or ()


def _column(
    sheet: str, name: str, tables: Mapping[str, TableSpec], required: Collection[str]
) -> ColumnSpec:
    fed = [spec for _, spec, where, column in _feeds(tables) if (where, column) == (sheet, name)]
    labels = [spec.label for spec in fed if spec.label not in {"", spec.name}]
    told = [spec.description for spec in fed if spec.description and not spec.references]
    return ColumnSpec(
        name,
        "text",
        nullable=name not in required,
        label=labels[0] if labels else name,
        description=told[0] if told else None,
    )


def _refuse_sheet(sheet: str, tables: Mapping[str, TableSpec]) -> None:
    known = tuple(dict.fromkeys(filter(None, map(rows_of, tables.values()))))
    what = next(
        (f"{table.name}.{spec.name}" for table, spec, where, _ in _feeds(tables) if where == sheet),
        next((name for name, table in tables.items() if sheet in table.sheets), ""),
    )
    bare = next((name for name, table in tables.items() if _is_bare(table)), f"{sheet}_row")
    kind = "".join(word.capitalize() for word in bare.split("_"))
    near = f"{hint(sheet, known)} Or " if known else ""
    msg = (
        f"{what} is made of the sheet {sheet!r}, and no table has one row for each of its rows; "
        f"{near}declare one, as in class {kind}(Table, source={sheet!r})"
    )
    raise ModelError(msg, source=sheet)


def _is_bare(table: TableSpec) -> bool:
    """Tell whether nothing at all says which sheet a table is made of."""
    is_filled = bool(table.sheets) or any(spec.source for spec in table.own_columns)
    return table.entity is None and not is_filled


#: The types of which one value is later than another, by which the newest is told.
_LATER: frozenset[ColumnType] = frozenset({"integer", "decimal", "date", "datetime", "timestamp"})


def _check_newest(
    table: TableSpec, tables: Mapping[str, TableSpec], sources: Mapping[str, SourceSpec]
) -> None:
    newest = None if table.entity is None else table.entity.newest
    if newest is None:
        return
    sheet, _, name = newest.partition(".")
    known = tuple(sources[sheet].columns) if sheet in sources else ()
    if name not in known:
        msg = (
            f"{table.name}: newest={newest!r} is no column of a sheet; "
            f"{hint(newest, tuple(f'{sheet}.{column}' for column in known))}"
        )
        raise ModelError(msg, table=table.name)
    types = {
        spec.type
        for _, spec, where, column in _feeds(tables)
        if (where, column) == (sheet, name) and not spec.references
    }
    if not types & _LATER:
        msg = (
            f"{table.name}: newest={newest!r} is {' and '.join(sorted(types)) or 'a reference'}, "
            "of which none is later than another; annotate the column that it goes to as "
            "Series[dt.date] or Series[dt.datetime], or take newest= away"
        )
        raise ModelError(msg, table=table.name)
