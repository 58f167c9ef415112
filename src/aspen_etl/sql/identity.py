"""The identity column of a table: which key it gives next, and how it goes on from a number.

It never goes back. What moves it gives what the next key was, where it moved it, and nothing where
it stands there already.
"""

from __future__ import annotations

import re
from typing import Optional

import sqlalchemy as sa

__all__ = [
    "move_mssql",
    "move_mysql",
    "move_nothing",
    "move_postgresql",
    "move_sqlite",
    "next_mssql",
    "next_mysql",
    "next_postgresql",
    "next_sqlite",
]


# ----------------------------------------------------------------------------- the next key


def _name(connection: sa.Connection, table: sa.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def next_postgresql(connection: sa.Connection, table: sa.Table, column: str) -> Optional[int]:
    """Give the next key; none where the tables were made by hand, without an identity."""
    sequence = _sequence(connection, table, column)
    return None if sequence is None else _next_of(connection, sequence)


def _sequence(connection: sa.Connection, table: sa.Table, column: str) -> Optional[str]:
    find = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
    told = {"table": _name(connection, table), "column": column}
    found: Optional[str] = connection.execute(find, told).scalar()
    return found


def _next_of(connection: sa.Connection, sequence: str) -> int:
    held = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608 - the database's own name
    return int(held.last_value) + bool(held.is_called)


def next_sqlite(connection: sa.Connection, table: sa.Table, column: str) -> Optional[int]:
    """Give the next key; none where no table of the database has an identity."""
    del column
    if not sa.inspect(connection).has_table("sqlite_sequence"):
        return None
    find = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return int(connection.execute(find, {"name": table.name}).scalar() or 0) + 1


def next_mssql(connection: sa.Connection, table: sa.Table, column: str) -> Optional[int]:
    """Give the next key; none where it has no identity."""
    del column
    held = sa.text("SELECT CAST(IDENT_CURRENT(:name) AS bigint)")
    current = connection.execute(held, {"name": _name(connection, table)}).scalar()
    return None if current is None else int(current) + 1


def next_mysql(connection: sa.Connection, table: sa.Table, column: str) -> Optional[int]:
    """Give the next key, as the table's statement says; information_schema may be a day old."""
    del column
    statement = f"SHOW CREATE TABLE {_name(connection, table)}"
    told = str(connection.exec_driver_sql(statement).one()[1])
    if "AUTO_INCREMENT" not in told:
        return None
    found = re.search(r"^\).*?\bAUTO_INCREMENT=(\d+)", told, re.MULTILINE)
    return int(found.group(1)) if found else 1


# ----------------------------------------------------------------------------- moving it


def move_postgresql(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Move its sequence.

    NOTE: setval does not wait for the commit and is not rolled back, which does no harm: it
    leaves out numbers, and locks nobody out as ALTER TABLE would.
    """
    sequence = _sequence(connection, table, column)
    if sequence is None:
        return None
    before = _next_of(connection, sequence)
    if number <= before:
        return None
    move = sa.text("SELECT setval(CAST(:sequence AS regclass), :number, false)")
    connection.execute(move, {"sequence": sequence, "number": number})
    return before


def move_sqlite(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Move what SQLite notes of a table."""
    del column
    values = {"name": table.name, "last": number - 1}
    find = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    held = connection.execute(find, {"name": table.name}).scalar()
    if held is not None and held >= number - 1:
        return None
    moved = sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name")
    new = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
    connection.execute(new if held is None else moved, values)
    return (held or 0) + 1


def move_mssql(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Seed its identity anew."""
    before = next_mssql(connection, table, column)
    if before is not None and number <= before:
        return None
    reseed = sa.text("DBCC CHECKIDENT (:name, RESEED, :last)")
    connection.execute(reseed, {"name": _name(connection, table), "last": number - 1})
    return 1 if before is None else before


def move_nothing(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Leave it to what is done after the commit."""


def move_mysql(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Move it where it is behind.

    ALTER TABLE ends a transaction: so this runs after the commit, and again at the next load where
    it was cut off.
    """
    before = next_mysql(connection, table, column) or 1
    if number <= before:
        return None
    name = _name(connection, table)
    connection.exec_driver_sql(f"ALTER TABLE {name} AUTO_INCREMENT = {int(number)}")
    return before
