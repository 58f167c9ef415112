"""Let identity columns go on after the keys that we gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.database import Database

__all__ = ["move_after_commit", "move_identities"]


def move_identities(
    database: Database, connection: sa.Connection, next_keys: Mapping[str, int]
) -> None:
    """Let the next key that the database gives be no lower than ours; it never goes back.

    On MySQL nothing is to do within the transaction: see ``move_after_commit``.
    """
    for table, spec in _numbered(database, next_keys):
        database.step = f"moving the identity of {spec.name}"
        _MOVES[database.dialect](connection, table, spec.primary_key, next_keys[spec.name])


def _numbered(database: Database, next_keys: Mapping[str, int]) -> list[tuple[sa.Table, TableSpec]]:
    return [
        (database.table(name), spec)
        for name, spec in database.model.tables.items()
        if spec.has_surrogate_key and next_keys.get(name, 1) > 1
    ]


def _move_postgresql(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    # NOTE: setval does not wait for the commit and is not rolled back, which does no harm: it
    # leaves out numbers, and locks nobody out as ALTER TABLE would.
    name = connection.dialect.identifier_preparer.format_table(table)
    find = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
    sequence = connection.execute(find, {"table": name, "column": column}).scalar()
    if sequence is None:  # the tables were made by hand, without an identity
        return
    held = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608 - the database's own name
    if number > held.last_value + held.is_called:
        move = sa.text("SELECT setval(CAST(:sequence AS regclass), :number, false)")
        connection.execute(move, {"sequence": sequence, "number": number})


def _move_sqlite(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    del column
    values = {"name": table.name, "last": number - 1}
    moved = sa.text("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :name")
    if not connection.execute(moved, values).rowcount:
        new = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
        connection.execute(new, values)


def _move_mssql(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    del column
    name = connection.dialect.identifier_preparer.format_table(table)
    held = sa.text("SELECT CAST(IDENT_CURRENT(:name) AS bigint)")
    current = connection.execute(held, {"name": name}).scalar()
    if current is None or current < number - 1:
        reseed = sa.text("DBCC CHECKIDENT (:name, RESEED, :last)")
        connection.execute(reseed, {"name": name, "last": number - 1})


def _move_nowhere(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    del connection, table, column, number


_MOVES: Mapping[str, Any] = {
    "postgresql": _move_postgresql,
    "sqlite": _move_sqlite,
    "mssql": _move_mssql,
    "mysql": _move_nowhere,
}


def move_after_commit(database: Database, next_keys: Mapping[str, int]) -> None:
    """Let MySQL's next keys be no lower than ours, where the highest keys are no longer in use.

    InnoDB moves on with every row by itself, and ALTER TABLE ends a transaction: so this runs
    after the commit, and again at the next load where it was cut off.
    """
    if database.dialect != "mysql":
        return
    with database.reading() as connection:
        for table, spec in _numbered(database, next_keys):
            database.step = f"moving the identity of {spec.name}"
            last = connection.execute(sa.select(sa.func.max(table.c[spec.primary_key]))).scalar()
            if next_keys[spec.name] > (last or 0) + 1:
                name = connection.dialect.identifier_preparer.format_table(table)
                number = int(next_keys[spec.name])
                connection.exec_driver_sql(f"ALTER TABLE {name} AUTO_INCREMENT = {number}")
