"""What writing to flat tables has to know of a database: one entry a dialect.

A cell is guarded by what the database itself says of it: an expression that is asked when it is
read, and asked again when it is written. So no driver, no collation and no padding stands between
the two. What an expression gives is another one for each other cell.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql

from aspen_etl.sql.dialects import Behaviour

__all__ = ["FLAT_GUARDS", "FlatGuards", "guards_of", "is_found_by"]


@dataclass(frozen=True)
class FlatGuards:
    """How flat tables of a database are written to.

    Attributes:
        seen: Gives the expression that a cell is guarded by, of its column and the column's type.
        key: Gives what a column of a key is found by, of the column and its type.
        creates_alone: Whether to make a table ends a transaction.
        is_typed: Whether the database holds a column to its type.
        again: What drivers call a row whose key is there already.
        session: Lets a connection write moments in UTC.
    """

    seen: Callable[[Any, Any], Any]
    key: Callable[[Any, Any], Any]
    creates_alone: bool
    is_typed: bool
    again: frozenset[str]
    session: Callable[[sa.Connection], AbstractContextManager[None]]


def guards_of(behaviour: Behaviour, /) -> FlatGuards:
    """Find how flat tables of a database are written to."""
    return FLAT_GUARDS[behaviour.name]


#: The types whose values drivers give and take as they are, so that an index may find them.
_FOUND = (sa.Integer, sa.String, sa.Numeric, sa.Uuid, sa.Date)


def is_found_by(kind: Any, /) -> bool:
    """Tell whether a row is found by a value of a type, besides what guards it."""
    kind = getattr(kind, "data_type", kind)  # of a domain of PostgreSQL
    return isinstance(kind, _FOUND) and not isinstance(kind, (sa.Float, sa.Enum))


def _as_it_is(column: Any, _: Any) -> Any:
    return column


@contextlib.contextmanager
def _any_session(_: sa.Connection) -> Iterator[None]:
    yield


# ----------------------------------------------------------------------------- each database's


def _postgresql(column: Any, _: Any) -> Any:
    """Take text of any type, which is whole, and compared by its bytes."""
    return sa.collate(sa.cast(column, sa.Text()), "C")


def _mysql(column: Any, kind: Any) -> Any:
    """Take bytes: all its collations overlook blanks at the end, and most of them letter case."""
    asked = column.op("*")(sa.literal_column("1e0")) if isinstance(kind, mysql.FLOAT) else column
    return sa.func.hex(sa.cast(asked, sa.BINARY()))


@contextlib.contextmanager
def _mysql_session(connection: sa.Connection) -> Iterator[None]:
    held = connection.exec_driver_sql("SELECT @@session.time_zone").scalar_one()
    connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
    try:
        yield
    finally:
        try:
            driver: Any = connection.connection.driver_connection
            with contextlib.closing(driver.cursor()) as cursor:
                cursor.execute("SET SESSION time_zone = %s", (held,))
        except Exception:  # noqa: BLE001 - whatever a lost connection raises: no pool may have it
            connection.invalidate()


def _sqlite(column: Any, _: Any) -> Any:
    return sa.collate(column, "BINARY")


#: How SQL Server spells types of which its own text is not whole, by its number of a style.
_STYLES: tuple[tuple[Any, str], ...] = (
    (sa.Float, "3"),
    ((mssql.MONEY, mssql.SMALLMONEY), "2"),
    ((sa.DateTime, mssql.DATETIMEOFFSET, sa.Date, sa.Time), "121"),
    (sa.LargeBinary, "1"),
    ((sa.BINARY, sa.VARBINARY), "1"),
)


def _mssql(column: Any, kind: Any) -> Any:
    """Take text with a mark at its end: no collation looks at blanks there."""
    style = next((style for kinds, style in _STYLES if isinstance(kind, kinds)), None)
    more: list[Any] = [] if style is None else [sa.literal_column(style)]
    text = sa.func.convert(sa.literal_column("nvarchar(max)"), column, *more)
    return sa.collate(text.op("+")(sa.literal_column("N'.'")), "Latin1_General_100_BIN2")


def _mssql_key(column: Any, kind: Any) -> Any:
    """Take a GUID as text, which every driver gives and takes."""
    if isinstance(kind, sa.Uuid):
        return sa.func.convert(sa.literal_column("nvarchar(36)"), column)
    return column


# ----------------------------------------------------------------------------- the table

FLAT_GUARDS: Mapping[str, FlatGuards] = {
    "postgresql": FlatGuards(
        seen=_postgresql,
        key=lambda column, _: sa.cast(column, sa.Text()),
        creates_alone=False,
        is_typed=True,
        again=frozenset({"23505"}),
        session=_any_session,
    ),
    "mysql": FlatGuards(
        seen=_mysql,
        key=_as_it_is,
        creates_alone=True,
        is_typed=True,
        again=frozenset({"1062"}),
        session=_mysql_session,
    ),
    "mssql": FlatGuards(
        seen=_mssql,
        key=_mssql_key,
        creates_alone=False,
        is_typed=True,
        again=frozenset({"2601", "2627"}),
        session=_any_session,
    ),
    "sqlite": FlatGuards(
        seen=_sqlite,
        key=_as_it_is,
        creates_alone=False,
        is_typed=False,
        again=frozenset({"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}),
        session=_any_session,
    ),
}
