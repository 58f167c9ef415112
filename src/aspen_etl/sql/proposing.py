"""A first model of a database: what its catalogue says, written as a module."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import sqlalchemy as sa
from sqlalchemy import exc

from aspen_etl.derive.sql import LOAD_TABLE
from aspen_etl.errors import ExtractError, HeaderError
from aspen_etl.errors.base import listing
from aspen_etl.inference.catalogue import CatalogueColumn, CatalogueTable, declare_catalogue
from aspen_etl.inference.kind import Kind
from aspen_etl.inference.proposal import Proposal
from aspen_etl.schema.headers import identifier
from aspen_etl.sql.connecting import make_engine
from aspen_etl.sql.database import Connections
from aspen_etl.sql.flat_cells import flat_cells
from aspen_etl.sql.kinds import kind_of

__all__ = ["propose_model"]

#: The audit columns of our own tables, which every table of a model has anyway.
_AUDIT = frozenset({"created", "created_by", "updated", "updated_by"})
_LEFT = "created, created_by, updated, updated_by are left out: each table of a model has its own"
#: The check by which a database without booleans has them.
_TRUTH = re.compile(r"""\(?["`\[]?(\w+)["`\]]?\s+IN\s*\(\s*0\s*,\s*1\s*\)\)?""", re.IGNORECASE)


def propose_model(
    source: Union[str, sa.Engine],
    /,
    *,
    tables: Optional[Mapping[str, str]] = None,
    schema: Optional[str] = None,
    keys: Optional[Mapping[str, Union[str, Sequence[str]]]] = None,
) -> Proposal:
    """Propose a model of a database by its catalogue; no row is looked at.

    A table becomes a table of the model, with the types, lengths, keys and references that the
    database declares. A type that no type of a model holds exactly is text, with a note; what holds
    no values of a table (bytes, arrays, JSON) is left out, with one, too.

    Args:
        source: A SQLAlchemy engine, or a url.
        tables: The tables or views to take, by what their sources shall be called; all tables by
            default.
        schema: The database schema; by default that of the connection.
        keys: The columns that the rows of a table or view are known by, where it has no primary
            key, by source.

    Returns:
        The model as a text; with it ``normalize`` takes what ``read_database`` gives.

    Raises:
        ExtractError: A table has no key; the text names it.
        HeaderError: A table is not there, or two columns of one have the same name as identifiers.
        DatabaseError: The database cannot be reached, or refused.

    Examples:
        >>> engine = sa.create_engine("sqlite://")
        >>> with engine.begin() as connection:
        ...     statement = "CREATE TABLE loans (id INTEGER PRIMARY KEY, amount DECIMAL(12, 2))"
        ...     _ = connection.exec_driver_sql(statement)
        >>> print(propose_model(engine).model.partition("class ")[2])
        Loan(Table, source="loans"):
            id: Series[int] = column(primary_key=True)
            amount: Series[Decimal] = column(precision=12, scale=2, nullable=True)
        <BLANKLINE>
        <BLANKLINE>
        MODEL = Model.of(tables=[Loan])
        <BLANKLINE>
        >>> engine.dispose()
    """
    engine = make_engine(source) if isinstance(source, str) else source
    told = {
        n: (each,) if isinstance(each, str) else tuple(each) for n, each in (keys or {}).items()
    }
    database = Connections(engine, schema)
    database.check_file()
    try:
        found = database.run(_look, database, tables, told)
    finally:
        if isinstance(source, str):
            engine.dispose()
    classes = declare_catalogue(found)
    sheets = [f"{each.source} ({len(each.columns):,} columns)" for each in found]
    options = {"tables": dict(tables or {}), "schema": schema}
    kept = {name: value for name, value in options.items() if value}
    return Proposal.of_classes(f"the catalogue of {', '.join(sheets)}", classes, kept, "database")


def _look(
    database: Connections,
    tables: Optional[Mapping[str, str]],
    keys: Mapping[str, tuple[str, ...]],
) -> list[CatalogueTable]:
    database.step = "looking at the catalogue"
    with database.reading() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore", exc.SAWarning)  # of types and indexes that it does not know
        inspector = sa.inspect(connection)
        held = inspector.get_table_names(schema=database.schema)
        wanted = dict(tables or {identifier(name): name for name in held if name != LOAD_TABLE})
        if not wanted:
            raise ExtractError(f"{database.url} has no table; name its schema with schema=")
        for source in keys:
            if source not in wanted:
                msg = f"keys= names {source!r}, which is no source; there are {listing([*wanted])}"
                raise ExtractError(msg, sheet=source)
        known = {*held, *inspector.get_view_names(schema=database.schema)}
        for source, name in wanted.items():
            if name not in known:
                raise HeaderError.missing_table(database.url, source, name, sorted(known))
        look = _Look(database, inspector, wanted, is_ours=LOAD_TABLE in held)
        columns = {source: look.columns(source) for source in wanted}
        known_by = {
            source: look.key(source, keys.get(source, ()), columns[source]) for source in wanted
        }
        return [look.table(source, columns[source], known_by) for source in wanted]


class _Look:
    """A look into the catalogue.

    Attributes:
        names: The table of each source.
        is_ours: Whether our own library made the tables.
    """

    def __init__(
        self,
        database: Connections,
        inspector: sa.Inspector,
        names: Mapping[str, str],
        *,
        is_ours: bool,
    ) -> None:
        self.database, self.inspector, self.names = database, inspector, names
        self.is_ours = is_ours
        self.schema = database.schema

    def table(
        self,
        source: str,
        columns: Sequence[CatalogueColumn],
        keys: Mapping[str, tuple[str, ...]],
    ) -> CatalogueTable:
        """Give what is known of a table.

        Args:
            source: Its source.
            columns: Its columns.
            keys: What the rows of each source are known by.
        """
        references, others = self._references(source, keys)
        notes = [_LEFT] if self._has_ours(source) else []
        notes += [f"also unique: {', '.join(e)}" for e in self._unique(source) if e != keys[source]]
        return CatalogueTable(source, columns, keys[source], references, (*notes, *others))

    def columns(self, source: str) -> list[CatalogueColumn]:
        """Give the columns of a table, but those that ours have for themselves."""
        name = self.names[source]
        truths, ours = self._truths(name), self._has_ours(source)
        return [
            CatalogueColumn(
                each["name"],
                self._kind(each["type"], is_truth=each["name"] in truths),
                bool(each["nullable"]),
                type(each["type"]).__name__,
            )
            for each in self.inspector.get_columns(name, schema=self.schema)
            if not (ours and (each["name"] in _AUDIT or each.get("computed")))
        ]

    def _has_ours(self, source: str) -> bool:
        held = self.inspector.get_columns(self.names[source], schema=self.schema)
        return self.is_ours and {each["name"] for each in held} >= _AUDIT

    def _unique(self, source: str) -> list[tuple[str, ...]]:
        held = self.inspector.get_unique_constraints(self.names[source], schema=self.schema)
        return [tuple(each["column_names"]) for each in held]

    def _kind(self, kind: Any, *, is_truth: bool) -> Optional[Kind]:
        if flat_cells(kind, self.database.behaviour.cells) is None:
            return None
        return Kind("boolean") if is_truth else kind_of(kind)

    def _truths(self, name: str) -> set[str]:
        """Name the columns that a check holds to 0 and 1."""
        try:
            checks = self.inspector.get_check_constraints(name, schema=self.schema)
        except NotImplementedError:  # of SQL Server, where a boolean has a type
            return set()
        found = (_TRUTH.fullmatch(each["sqltext"]) for each in checks)
        return {each[1] for each in found if each}

    def key(
        self, source: str, told: tuple[str, ...], columns: Sequence[CatalogueColumn]
    ) -> tuple[str, ...]:
        """Give what a row is known by: what is told, the primary key, or a unique one.

        Raises:
            ExtractError: There is none, or a column of it is no value.
        """
        name = self.names[source]
        primary = self.inspector.get_pk_constraint(name, schema=self.schema)
        nullable = {each.name for each in columns if each.nullable}
        full = (each for each in self._unique(source) if not nullable & {*each})
        key = told or tuple(primary["constrained_columns"]) or next(full, ())
        if key and {*key} <= {each.name for each in columns if each.kind is not None}:
            return key
        what = f"no columns {listing(key)} that can be a key" if key else "no primary key"
        raise ExtractError(
            f"{self.database.url}: the table {name!r} has {what}; name one with "
            f"keys={{{source!r}: ...}} (--key {source}=COLUMN,COLUMN), or leave it out by naming "
            "the others with tables= (--table)",
            sheet=source,
        )

    def _references(
        self, source: str, keys: Mapping[str, tuple[str, ...]]
    ) -> tuple[dict[str, str], list[str]]:
        """Give which column refers to which source's key, and what no model can say so."""
        sources = {table: name for name, table in self.names.items()}
        found: dict[str, str] = {}
        notes = []
        for each in self.inspector.get_foreign_keys(self.names[source], schema=self.schema):
            own, table = each["constrained_columns"], each["referred_table"]
            is_here = each.get("referred_schema") in {None, self.schema}
            target = sources.get(table) if is_here else None
            if target and len(own) == 1 and keys[target] == tuple(each["referred_columns"]):
                found[own[0]] = target
            else:
                notes.append(f"{', '.join(own)} refers to {table}, which no model can say so")
        return found, notes
