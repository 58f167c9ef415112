"""The sheets of a model follow from its tables.

Nobody writes down that the sheet of visits has a column with the number of a visit, since the
table of visits says so. A ``Source`` that is declared takes the place of what follows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import hint
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.following import columns_in, find_key, is_bare, rows_of
from aspen_etl.schema.spec import SourceSpec, TableSpec

__all__ = ["imply_sources"]


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
    from aspen_etl.schema.declared import Source

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
        yield from columns_in(spec, sheet)


def _required(table: TableSpec, sheet: str, tables: Mapping[str, TableSpec]) -> Iterator[str]:
    """Yield the columns of a sheet without which a row of it is no row of the table."""
    for spec in table.own_columns:
        if spec.nullable and not spec.natural_key:
            continue
        yield from columns_in(spec, sheet)
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
    bare = next((name for name, table in tables.items() if is_bare(table)), f"{sheet}_row")
    kind = "".join(word.capitalize() for word in bare.split("_"))
    near = f"; {hint(sheet, known)}" if known else ""
    msg = (
        f"{what} is made of the sheet {sheet!r}, and no table has one row for each of its rows; "
        f"declare one, as in class {kind}(Table, source={sheet!r}){near}"
    )
    raise ModelError(msg, source=sheet)


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
