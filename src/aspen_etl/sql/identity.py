"""Let the identity column of a table go on after the keys that we gave; it never goes back."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["move_mssql", "move_mysql", "move_nothing", "move_postgresql", "move_sqlite"]


def move_postgresql(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    """Move its sequence.

    NOTE: setval does not wait for the commit and is not rolled back, which does no harm: it
    leaves out numbers, and locks nobody out as ALTER TABLE would.
    """
    name = connection.dialect.identifier_preparer.format_table(table)
    find = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
    sequence = connection.execute(find, {"table": name, "column": column}).scalar()
    if sequence is None:  # the tables were made by hand, without an identity
        return
    held = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608 - the database's own name
    if number > held.last_value + held.is_called:
        move = sa.text("SELECT setval(CAST(:sequence AS regclass), :number, false)")
        connection.execute(move, {"sequence": sequence, "number": number})


def move_sqlite(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    """Move what SQLite notes of a table."""
    del column
    values = {"name": table.name, "last": number - 1}
    moved = sa.text("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :name")
    if not connection.execute(moved, values).rowcount:
        new = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
        connection.execute(new, values)


def move_mssql(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    """Seed its identity anew."""
    del column
    name = connection.dialect.identifier_preparer.format_table(table)
    held = sa.text("SELECT CAST(IDENT_CURRENT(:name) AS bigint)")
    current = connection.execute(held, {"name": name}).scalar()
    if current is None or current < number - 1:
        reseed = sa.text("DBCC CHECKIDENT (:name, RESEED, :last)")
        connection.execute(reseed, {"name": name, "last": number - 1})


def move_nothing(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    """Leave it to what is done after the commit."""


def move_mysql(connection: sa.Connection, table: sa.Table, column: str, number: int) -> None:
    """Move it where the highest keys are no longer in use.

    InnoDB moves on with every row by itself, and ALTER TABLE ends a transaction: so this runs
    after the commit, and again at the next load where it was cut off.
    """
    last = connection.execute(sa.select(sa.func.max(table.c[column]))).scalar()
    if number > (last or 0) + 1:
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.exec_driver_sql(f"ALTER TABLE {name} AUTO_INCREMENT = {int(number)}")
