"""Which tables of a database are the sources of a model, and which of their columns are read."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

import sqlalchemy as sa
from sqlalchemy import exc

from aspen_etl.errors import DatabaseError, FileFormatError, HeaderError
from aspen_etl.errors.base import listing
from aspen_etl.io.places import check_sources
from aspen_etl.schema.headers import (
    header_key,
    identifier,
    known_headers,
    match_headers,
    matched_columns,
    spell_headers,
)
from aspen_etl.sql.database import Connections
from aspen_etl.sql.flat_cells import FlatCells, flat_cells

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model
    from aspen_etl.schema.spec import SourceSpec

__all__ = ["FlatNames", "FlatTable", "columns_of", "find_flat_tables"]


@dataclass(frozen=True)
class FlatNames:
    """What the tables and columns of sources are called in a database, where otherwise.

    Attributes:
        tables: The table of a source, ``table`` or ``schema.table``.
        columns: The model's name of a column by that in the database.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FlatTable:
    """A table, or view, that is a source.

    Attributes:
        source: The source.
        table: The table, with the columns that are named here.
        columns: What the database calls each column of the model.
        cells: How the cells of each column of the model are taken.
        key: What the database calls the columns of its primary key; none has a view.
    """

    source: str
    table: sa.TableClause
    columns: Mapping[str, str]
    cells: Mapping[str, FlatCells]
    key: tuple[str, ...]

    @property
    def query(self) -> sa.Select[Any]:
        """All rows in the order of the primary key, with the columns of the model alone."""
        asked = [
            self.cells[name].ask(self.table.c[column]).label(f"c{at}")
            for at, (name, column) in enumerate(self.columns.items())
        ]
        return (
            sa.select(*asked)
            .select_from(self.table)
            .order_by(*(self.table.c[column] for column in self.key))
        )


def find_flat_tables(
    database: Connections, connection: sa.Connection, model: Model, names: FlatNames
) -> list[FlatTable]:
    """Find the sources of a model among the tables and views of a database.

    Raises:
        HeaderError: A table or a column is not there.
        FileFormatError: A column is of a type that holds no values of a table.
        DatabaseError: A table's storage knows no transactions, so that it has no moments.
        ExtractError: ``tables=`` names what is no source.
    """
    check_sources("tables=", names.tables, model)
    inspector = sa.inspect(connection)
    known = [column for spec in model.sources.values() for column in spec.columns]
    for target in names.columns.values():
        if target not in known:
            raise HeaderError.bad_rename(target, list(dict.fromkeys(known)))
    found = [_flat_table(database, inspector, spec, names) for spec in model.sources.values()]
    _refuse_unversioned(database, connection, found)
    return found


def _flat_table(
    database: Connections, inspector: sa.Inspector, spec: SourceSpec, names: FlatNames
) -> FlatTable:
    schema, _, wanted = names.tables.get(spec.name, spec.name).rpartition(".")
    schema = schema or database.schema or ""
    name = _find(database, inspector, spec, wanted, schema or None)
    held = columns_of(inspector, name, schema or None)
    headers = [each["name"] for each in held]
    places = _match(headers, spec, names, name)
    cells: dict[str, FlatCells] = {}
    for at, column in places.items():
        taken = flat_cells(held[at]["type"], database.behaviour.cells)
        if taken is None:
            raise FileFormatError.unsupported(
                database.url,
                f"has a column of type {type(held[at]['type']).__name__} ({name}.{headers[at]})",
                "let a view turn it into text, numbers or dates, and name that with tables=",
            )
        cells[column] = taken
    key = tuple(inspector.get_pk_constraint(name, schema=schema or None)["constrained_columns"])
    wide = dict.fromkeys([*(headers[at] for at in places), *key])
    return FlatTable(
        spec.name,
        sa.table(name, *map(sa.column, wide), schema=schema or None),
        {column: headers[at] for at, column in places.items()},
        cells,
        key,
    )


def columns_of(inspector: sa.Inspector, name: str, schema: Optional[str]) -> list[Any]:
    """Give the columns of a table; a type that SQLAlchemy does not know is our caller's to tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exc.SAWarning)
        return list(inspector.get_columns(name, schema=schema))


def _find(
    database: Connections,
    inspector: sa.Inspector,
    spec: SourceSpec,
    wanted: str,
    schema: Optional[str],
) -> str:
    """Find a table or view by its name; else the only one that is called like it."""
    there = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    if wanted in there:
        return wanted
    alike = [each for each in there if header_key(each) == header_key(wanted)]
    if not alike and spec.implied:
        alike = [each for each in there if identifier(each) == wanted]
    if len(alike) != 1:
        raise HeaderError.missing_table(database.url, spec.name, wanted, sorted(there))
    return alike[0]


def _match(
    headers: Sequence[str], spec: SourceSpec, names: FlatNames, table: str
) -> Mapping[int, str]:
    """Match columns as the headers of files are; those that the model does not know are left."""
    expected = list(spec.columns)
    spelt = spell_headers(headers, expected, rename=names.columns) if spec.implied else headers
    known = known_headers(expected, names.columns)
    others = [each for each in spelt if header_key(each) not in known]
    matched = matched_columns(spelt, known)
    missing = [column for column in expected if column not in matched]
    if missing:
        raise HeaderError.missing_column(table, missing, list(headers), others)
    return match_headers(spelt, expected, sheet=table, rename=names.columns, ignore=others)


def _refuse_unversioned(
    database: Connections, connection: sa.Connection, found: Sequence[FlatTable]
) -> None:
    """Refuse tables that would be read as of other moments than the rest."""
    statement = database.behaviour.unversioned
    if statement is None:
        return
    rows = connection.exec_driver_sql(statement).all()
    default = database.schema or connection.engine.url.database
    places = {(each.table.schema or default, each.table.name): each.source for each in found}
    wrong = sorted(name for schema, name in rows if (schema, name) in places)
    if wrong:
        raise DatabaseError.no_snapshot(
            database.url,
            f"the storage engine of {listing(wrong)} knows no transactions",
            "let its owner run ALTER TABLE ... ENGINE=InnoDB, or export the tables while nobody "
            "writes",
        )
