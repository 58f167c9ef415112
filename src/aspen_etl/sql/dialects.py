"""How databases behave while tables are loaded into them, one entry a dialect.

It is paired with ``DIALECTS``, which says how tables are described. What has to know a dialect
asks its entry; nothing compares its name, so that no database is taken for another one.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

import sqlalchemy as sa

from aspen_etl.derive.dialects import DIALECTS, SQLDialect
from aspen_etl.errors.base import named
from aspen_etl.io.writing import Data
from aspen_etl.sql import identity, locks, snapshots
from aspen_etl.sql.flat_cells import (
    MSSQL_CELLS,
    MYSQL_CELLS,
    POSTGRESQL_CELLS,
    SQLITE_CELLS,
    CellsByType,
)

__all__ = ["BEHAVIOURS", "Behaviour", "Stage", "Taken", "behaviour_of"]


class Taken(NamedTuple):
    """Who holds a lock by name, and what was asked in vain."""

    asked: str
    holders: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """How rows are put into a temporary table.

    Attributes:
        name: Its name, by that of the table.
        prefixes: What stands before ``TABLE`` where it is made.
        drop: The statement that drops it, where it has to say that it is a temporary one.
        outlives_rollback: Whether it is still there in the connection after a rollback.
        analyze: The statement that lets the planner know of its rows, where it does not.
    """

    name: str
    prefixes: tuple[str, ...]
    drop: Optional[str]
    outlives_rollback: bool
    analyze: Optional[str]


@dataclass(frozen=True)
class Behaviour:
    """What is to know of a database to load tables into it.

    Attributes:
        name: The name of its dialect.
        lock: How long a statement waits for a lock, and who holds it.
        busy: What drivers call a lock that was not to be had.
        busy_text: What their text holds then, where they have no code for it.
        lock_hint: What follows a table in a query that lets other loaders wait, where the query's
            own words do not.
        has_isolation: Whether a transaction begins by itself once an isolation level is set.
        is_file: Whether a database may be a file, which a connection would make.
        snapshot: Lets all statements of a connection see one moment, and write nothing.
        unversioned: The statement that lists schema and name of tables that have no moments, since
            their storage knows no transactions; or none, where there are no such.
        cells: How the cells of its types are asked for and become text.
        begin: Opens a transaction that writes, and bounds its waits.
        reserve: Takes the lock of a name, waiting for some seconds, or tells who holds it.
        release: Gives it back.
        copy: Puts CSV into a table by PostgreSQL's ``COPY``, by the package of the driver.
        stage: How it holds temporary tables.
        add_column: Gives the words after ``ALTER TABLE`` that add a column and its constraints.
        move_identity: Lets the next key of a table be no lower than a number.
        move_after_commit: The same, where it ends a transaction; or none.
    """

    name: SQLDialect
    lock: locks.Locks
    busy: frozenset[object]
    busy_text: Optional[str]
    lock_hint: Optional[str]
    has_isolation: bool
    is_file: bool
    snapshot: Callable[[sa.Connection], contextlib.AbstractContextManager[None]]
    unversioned: Optional[str]
    cells: CellsByType
    begin: Callable[
        [sa.Connection, contextlib.AbstractContextManager[None]],
        contextlib.AbstractContextManager[None],
    ]
    reserve: Callable[[sa.Connection, str, float], Optional[Taken]]
    release: Callable[[sa.Connection, str], None]
    copy: Mapping[str, Callable[[Any, str, Data], None]]
    stage: Stage
    add_column: Callable[[Sequence[str]], str]
    move_identity: Callable[[sa.Connection, sa.Table, str, int], Optional[int]]
    move_after_commit: Optional[Callable[[sa.Connection, sa.Table, str, int], Optional[int]]]


def behaviour_of(engine: sa.Engine) -> Behaviour:
    """Find how the database of an engine behaves.

    Raises:
        NotSupportedError: There is no loader for it.
    """
    name = engine.dialect.name
    spoken = (each.name for each in DIALECTS.values() if name in each.engines)
    return named(BEHAVIOURS, next(spoken, name), kind="dialect", noun="loader for")


# ----------------------------------------------------------------------------- transactions


@contextlib.contextmanager
def _begin(
    connection: sa.Connection, bounded: contextlib.AbstractContextManager[None]
) -> Iterator[None]:
    with connection.begin(), bounded:
        yield


@contextlib.contextmanager
def _begin_immediate(
    connection: sa.Connection, bounded: contextlib.AbstractContextManager[None]
) -> Iterator[None]:
    """Begin by taking the lock of the whole database, and let SQLite mind references.

    A read that becomes a write later would fail where another writer came in between.
    """
    raw: Any = connection.connection.dbapi_connection
    before, raw.isolation_level = raw.isolation_level, None
    try:
        enforced = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        with bounded:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            connection.commit()
        if not enforced:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    finally:
        connection.rollback()
        raw.isolation_level = before


# ----------------------------------------------------------------------------- locks by name


def _reserve_nothing(connection: sa.Connection, name: str, seconds: float) -> None:
    """Trust the locks of the tables themselves."""


def _release_nothing(connection: sa.Connection, name: str) -> None:
    """Let the transaction's end give it back."""


def _reserve_postgresql(connection: sa.Connection, name: str, seconds: float) -> None:
    del seconds  # as the connection is bounded
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


def _reserve_mysql(connection: sa.Connection, name: str, seconds: float) -> Optional[Taken]:
    """Take a lock that goes on where a statement ends the transaction."""
    ask = sa.text("SELECT GET_LOCK(:name, :seconds)")
    if connection.execute(ask, {"name": name, "seconds": seconds}).scalar():
        return None
    holder = connection.execute(sa.text("SELECT IS_USED_LOCK(:name)"), {"name": name}).scalar()
    return Taken("GET_LOCK", () if holder is None else (f"process {holder}",))


def _release_mysql(connection: sa.Connection, name: str) -> None:
    connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": name})


# ----------------------------------------------------------------------------- columns and rows


def _add_each(parts: Sequence[str]) -> str:
    return ", ".join(f"ADD {'' if i else 'COLUMN '}{part}" for i, part in enumerate(parts))


def _add_together(parts: Sequence[str]) -> str:
    return f"ADD {', '.join(parts)}"


def _copy_3(driver: Any, statement: str, data: Data) -> None:
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(data)


def _copy_2(driver: Any, statement: str, data: Data) -> None:
    with driver.cursor() as cursor:
        cursor.copy_expert(statement, io.BytesIO(data))


# ----------------------------------------------------------------------------- the table

BEHAVIOURS: Mapping[str, Behaviour] = {
    "postgresql": Behaviour(
        name="postgresql",
        lock=locks.POSTGRESQL,
        busy=frozenset({"55P03", "40P01", "40001", "57014"}),
        busy_text=None,
        lock_hint=None,
        has_isolation=True,
        is_file=False,
        snapshot=snapshots.postgresql,
        unversioned=None,
        cells=POSTGRESQL_CELLS,
        begin=_begin,
        reserve=_reserve_postgresql,
        release=_release_nothing,
        copy={"psycopg": _copy_3, "psycopg2": _copy_2},
        stage=Stage("{}", ("TEMPORARY",), None, outlives_rollback=False, analyze="ANALYZE {}"),
        add_column=_add_each,
        move_identity=identity.move_postgresql,
        move_after_commit=None,
    ),
    "mysql": Behaviour(
        name="mysql",
        lock=locks.MYSQL,
        busy=frozenset({1205, 1213, 3572, "40001"}),
        busy_text=None,
        lock_hint=None,
        has_isolation=True,
        is_file=False,
        snapshot=snapshots.mysql,
        unversioned=snapshots.MYSQL_UNVERSIONED,
        cells=MYSQL_CELLS,
        begin=_begin,
        reserve=_reserve_mysql,
        release=_release_mysql,
        copy={},
        # It would commit if it were not told that the table is a temporary one.
        stage=Stage(
            "{}",
            ("TEMPORARY",),
            "DROP TEMPORARY TABLE IF EXISTS {}",
            outlives_rollback=True,
            analyze=None,
        ),
        add_column=_add_each,
        move_identity=identity.move_nothing,
        move_after_commit=identity.move_mysql,
    ),
    "mssql": Behaviour(
        name="mssql",
        lock=locks.MSSQL,
        busy=frozenset({1205, 1222, "40001"}),
        busy_text=None,
        lock_hint="WITH (UPDLOCK, HOLDLOCK)",
        has_isolation=True,
        is_file=False,
        snapshot=snapshots.mssql,
        unversioned=None,
        cells=MSSQL_CELLS,
        begin=_begin,
        reserve=_reserve_nothing,
        release=_release_nothing,
        copy={},
        stage=Stage("#{}", (), None, outlives_rollback=False, analyze=None),
        add_column=_add_together,
        move_identity=identity.move_mssql,
        move_after_commit=None,
    ),
    "sqlite": Behaviour(
        name="sqlite",
        lock=locks.SQLITE,
        busy=frozenset(),
        busy_text="locked",
        lock_hint=None,
        has_isolation=False,
        is_file=True,
        snapshot=snapshots.sqlite,
        unversioned=None,
        cells=SQLITE_CELLS,
        begin=_begin_immediate,
        reserve=_reserve_nothing,
        release=_release_nothing,
        copy={},
        stage=Stage("{}", ("TEMPORARY",), None, outlives_rollback=False, analyze=None),
        add_column=_add_each,
        move_identity=identity.move_sqlite,
        move_after_commit=None,
    ),
}
