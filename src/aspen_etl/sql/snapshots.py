"""One moment of a database: what lets all statements of a connection see it, and write nothing.

Each begins with a connection on which nothing was read yet, but for settings of its session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from aspen_etl.errors import DatabaseError
from aspen_etl.sql.connecting import display

__all__ = ["MYSQL_UNVERSIONED", "mssql", "mysql", "postgresql", "sqlite"]


@contextlib.contextmanager
def postgresql(connection: sa.Connection) -> Iterator[None]:
    """Take the moment at the first query; moments are shown in UTC."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
    yield


@contextlib.contextmanager
def mysql(connection: sa.Connection) -> Iterator[None]:
    """Take the moment at once, whatever the session's isolation is; ``TIMESTAMP`` is in UTC."""
    connection.rollback()
    held = connection.exec_driver_sql("SELECT @@session.time_zone").scalar_one()
    connection.rollback()  # else the level would be that of a transaction after this one
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
    try:
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield
    finally:
        try:
            driver: Any = connection.connection.driver_connection
            with contextlib.closing(driver.cursor()) as cursor:
                cursor.execute("ROLLBACK")
                cursor.execute("SET SESSION time_zone = %s", (held,))
        except Exception:  # noqa: BLE001 - whatever a lost connection raises: no pool may have it
            connection.invalidate()


#: The tables of engines such as MyISAM, which shows each statement the newest state.
MYSQL_UNVERSIONED = """
SELECT t.table_schema, t.table_name FROM information_schema.tables AS t
JOIN information_schema.engines AS e ON e.engine = t.engine
WHERE t.table_type = 'BASE TABLE' AND e.transactions <> 'YES'
"""


@contextlib.contextmanager
def mssql(connection: sa.Connection) -> Iterator[None]:
    """Take the moment at the first query; SQLAlchemy sets the level back.

    Raises:
        DatabaseError: The database does not keep the versions of rows that this needs.
    """
    state = connection.exec_driver_sql(MSSQL_ALLOWS).scalar()
    if state != 1:
        raise DatabaseError.no_snapshot(
            display(connection.engine),
            "it does not allow snapshot isolation",
            "let its owner run ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON",
        )
    connection.rollback()  # no transaction takes that level once it has begun
    connection.execution_options(isolation_level="SNAPSHOT")
    yield


#: Whether snapshot isolation is on: 1, and not on its way.
MSSQL_ALLOWS = "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()"


@contextlib.contextmanager
def sqlite(connection: sa.Connection) -> Iterator[None]:
    """Take the moment at the first query: without ``BEGIN`` each query would take its own."""
    raw: Any = connection.connection.dbapi_connection
    before, raw.isolation_level = raw.isolation_level, None
    try:
        connection.exec_driver_sql("BEGIN")
        yield
    finally:
        connection.rollback()
        raw.isolation_level = before
