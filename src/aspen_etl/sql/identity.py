"""Let the identity column of a table go on from a number; it never goes back.

Each gives what the next key was, where it moved it, and nothing where it stands there already.
"""

from __future__ import annotations

import re
from typing import Optional

import sqlalchemy as sa

__all__ = ["move_mssql", "move_mysql", "move_nothing", "move_postgresql", "move_sqlite"]


def move_postgresql(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Move its sequence.

    NOTE: setval does not wait for the commit and is not rolled back, which does no harm: it
    leaves out numbers, and locks nobody out as ALTER TABLE would.
    """
    name = connection.dialect.identifier_preparer.format_table(table)
    find = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
    sequence = connection.execute(find, {"table": name, "column": column}).scalar()
    if sequence is None:  # the tables were made by hand, without an identity
        return None
    held = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()  # noqa: S608 - the database's own name
    before = int(held.last_value) + bool(held.is_called)
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
    del column
    name = connection.dialect.identifier_preparer.format_table(table)
    held = sa.text("SELECT CAST(IDENT_CURRENT(:name) AS bigint)")
    current = connection.execute(held, {"name": name}).scalar()
    if current is not None and current >= number - 1:
        return None
    reseed = sa.text("DBCC CHECKIDENT (:name, RESEED, :last)")
    connection.execute(reseed, {"name": name, "last": number - 1})
    return (current or 0) + 1


def move_nothing(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Leave it to what is done after the commit."""


def move_mysql(
    connection: sa.Connection, table: sa.Table, column: str, number: int
) -> Optional[int]:
    """Move it where it is behind.

    ALTER TABLE ends a transaction: so this runs after the commit, and again at the next load where
    it was cut off. What the statement of the table says is what holds; information_schema may be
    a day old.
    """
    del column
    name = connection.dialect.identifier_preparer.format_table(table)
    told = str(connection.exec_driver_sql(f"SHOW CREATE TABLE {name}").one()[1])
    found = re.search(r"^\).*?\bAUTO_INCREMENT=(\d+)", told, re.MULTILINE)
    before = int(found.group(1)) if found else 1
    if number <= before:
        return None
    connection.exec_driver_sql(f"ALTER TABLE {name} AUTO_INCREMENT = {int(number)}")
    return before
