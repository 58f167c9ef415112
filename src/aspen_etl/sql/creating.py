"""Make the tables of a model in a database, or bring those of an older model to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Optional

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateColumn, ForeignKeyConstraint

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.derive.sql import LOAD_TABLE
from aspen_etl.errors import ConflictError, ModelMismatchError
from aspen_etl.schema.evolution import describe_tables, find_conflicts
from aspen_etl.schema.model import Model
from aspen_etl.sql.database import Database, LoadState
from aspen_etl.sql.moving import move_identities
from aspen_etl.sql.widening import find_narrower
from aspen_etl.store.commit import library_version

__all__ = ["create", "make_tables"]


def create(
    engine: sa.Engine, /, *, model: Model = BORROWER_MODEL, schema: Optional[str] = None
) -> tuple[str, ...]:
    """Make what a model's tables lack: all of them, or new tables and new nullable columns.

    What is there stays as it is. It may be repeated, also after it was cut off.

    Args:
        engine: A SQLAlchemy engine of PostgreSQL, MariaDB, MySQL, SQL Server or SQLite.
        model: The model.
        schema: The database schema, which must be there; by default that of the connection.

    Returns:
        What was made, as ``table`` or ``table.column``.

    Raises:
        ModelMismatchError: There are tables of the same names that the model cannot continue.
        DatabaseError: The database cannot be reached, or refused.
        ConflictError: A lock was not to be had in time.

    Examples:
        >>> import sqlalchemy
        >>> engine = sqlalchemy.create_engine("sqlite://")
        >>> create(engine)[:2]
        ('user_profile', 'user')
        >>> engine.dispose()
    """
    return make_tables(Database(engine, model, schema))


def make_tables(database: Database) -> tuple[str, ...]:
    """Make what is missing; see ``create``."""
    return database.run(_make, database)


def _make(database: Database) -> tuple[str, ...]:
    database.step = "looking at the tables"
    with database.reading() as connection:
        plan = _plan(database, connection)
    if not plan.needed:
        return ()
    database.step = "making the tables"
    with database.writing() as connection, _alone(database, connection):
        plan = _plan(database, connection)  # another one may have been faster
        for name in plan.tables:
            database.table(name).create(connection, checkfirst=False)
        for name, column in plan.columns:
            _add_column(database, connection, database.table(name), column)
        move_identities(database, connection, {}, plan.tables)  # SQLite's cannot begin there
        if plan.needed:
            now = json.dumps(describe_tables(database.model), sort_keys=True)
            held = plan.state or LoadState(None, None, None, None)
            state = held._replace(model=now, library=library_version())
            database.set_state(connection, state)
    made = [*plan.tables, *(f"{name}.{column}" for name, column in plan.columns)]
    return tuple(name for name in made if name != LOAD_TABLE)


@contextlib.contextmanager
def _alone(database: Database, connection: sa.Connection) -> Iterator[None]:
    """Let others who make tables wait, by a lock that needs no row."""
    seconds = database.waits.longest
    taken = database.behaviour.reserve(connection, LOAD_TABLE, seconds)
    if taken is not None:
        raise ConflictError.load(
            database.url, database.step, taken.asked, seconds=seconds, holders=taken.holders
        )
    try:
        yield
    finally:
        database.behaviour.release(connection, LOAD_TABLE)


class _Plan:
    """What is missing in a database."""

    def __init__(
        self,
        tables: list[str],
        columns: list[tuple[str, str]],
        state: Optional[LoadState],
        *,
        needed: bool,
    ) -> None:
        self.tables, self.columns, self.state, self.needed = tables, columns, state, needed


def _plan(database: Database, connection: sa.Connection) -> _Plan:
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names(schema=database.schema))
    wanted = [*database.model.tables, LOAD_TABLE]
    missing = [name for name in wanted if name not in there]
    state = None if LOAD_TABLE in missing else database.state(connection)
    known = json.loads(state.model) if state and state.model else {}
    current = describe_tables(database.model)
    if not missing and _is_same(known, current):
        return _Plan([], [], state, needed=False)
    differences = find_conflicts(known, database.model)
    differences += find_narrower(database, inspector, known)
    columns: list[tuple[str, str]] = []
    for name, table in database.model.tables.items():
        if name in missing:
            continue
        held = {column["name"] for column in inspector.get_columns(name, schema=database.schema)}
        for column, spec in table.columns.items():
            if column in held:
                continue
            if name in known and spec.nullable and column not in known[name]["columns"]:
                columns.append((name, column))
            else:
                differences.append(f"{name}.{column} is not there")
    if differences:
        raise ModelMismatchError.of_database(database.url, differences)
    return _Plan(missing, columns, state, needed=True)


def _is_same(known: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    return bool(json.loads(json.dumps(current)) == known)


def _add_column(database: Database, connection: sa.Connection, table: sa.Table, name: str) -> None:
    """Add a column with its checks and its reference, by one statement."""
    dialect = connection.dialect
    preparer = dialect.identifier_preparer
    parts = [str(CreateColumn(table.c[name]).compile(dialect=dialect)).strip()]
    for constraint in sorted(table.constraints, key=lambda each: str(each.name)):  # else a set's
        if isinstance(constraint, ForeignKeyConstraint):
            if [each.name for each in constraint.columns] != [name]:
                continue
            if database.dialect.has_constraints_in_columns:
                target = constraint.elements[0].column
                key = preparer.quote(target.name)
                parts[0] += f" REFERENCES {preparer.format_table(target.table)} ({key})"
                continue
        elif constraint.info.get("column") != name or database.dialect.has_constraints_in_columns:
            continue
        text = str(AddConstraint(constraint, isolate_from_table=False).compile(dialect=dialect))
        parts.append(text.partition(" ADD ")[2])
    added = database.behaviour.add_column(parts)
    connection.exec_driver_sql(f"ALTER TABLE {preparer.format_table(table)} {added}")
    for index in table.indexes:
        if [each.name for each in index.columns] == [name]:
            index.create(connection)
