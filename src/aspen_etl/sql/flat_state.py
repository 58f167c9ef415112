"""The table of one row by which a flat side says what was last written to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple, Optional

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from aspen_etl.derive.dialects import DIALECTS, quoted, type_of
from aspen_etl.errors import ConflictError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.sql.database import Connections

__all__ = ["SIDE_TABLE", "FlatState", "alone", "has_table", "make_table", "read_state", "set_state"]

#: The table of one row that says which commit was last written to a flat side.
SIDE_TABLE = "aspen_etl_side"


class FlatState(NamedTuple):
    """What was last written to a side.

    Attributes:
        version: The commit whose rows were written.
        token: The commit's own token, which no other store has.
        deletes: Whether rows were deleted, too; else those that were to go are still there.
    """

    version: int
    token: str
    deletes: bool


def side_table(database: Connections, /) -> sa.Table:
    """Describe the table to SQLAlchemy."""
    dialect = DIALECTS[database.behaviour.name]
    columns = (
        ("id", ColumnSpec("", "integer"), "always 1: the table has one row"),
        ("version", ColumnSpec("", "integer"), "the commit that was last written here"),
        ("token", ColumnSpec("", "text", length=64), "its own token, which no other store has"),
        ("deletes", ColumnSpec("", "boolean"), "whether rows were deleted, too"),
    )
    return sa.Table(
        quoted_name(SIDE_TABLE, quote=True),
        sa.MetaData(schema=database.schema),
        *(
            sa.Column(
                quoted_name(name, quote=True),
                type_of(spec, dialect),
                primary_key=name == "id",
                autoincrement=False,
                nullable=False,
                comment=comment,
            )
            for name, spec, comment in columns
        ),
        sa.CheckConstraint(
            sa.text(f"{quoted('id', dialect)} = 1"), name=f"ck_{SIDE_TABLE}_one_row"
        ),
        comment="Which commit of which store was last written to the tables beside this one.",
        **dialect.options,
    )


def has_table(database: Connections, connection: sa.Connection, /) -> bool:
    """Tell whether the table is there."""
    return sa.inspect(connection).has_table(SIDE_TABLE, schema=database.schema)


def make_table(database: Connections, connection: sa.Connection, /) -> None:
    """Make the table where it is missing; ``alone`` lets others who would make it wait."""
    if not has_table(database, connection):
        side_table(database).create(connection, checkfirst=False)


@contextlib.contextmanager
def alone(database: Connections, connection: sa.Connection, /) -> Iterator[None]:
    """Let others who write to the side wait, by a lock that needs no row.

    Raises:
        ConflictError: One of them held on to it for too long.
    """
    seconds, behaviour = database.waits.longest, database.behaviour
    taken = behaviour.reserve(connection, SIDE_TABLE, seconds)
    if taken is not None:
        raise ConflictError.load(
            database.url, database.step, taken.asked, seconds=seconds, holders=taken.holders
        )
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):  # the connection may be lost, and the lock with it
            behaviour.release(connection, SIDE_TABLE)
        raise
    behaviour.release(connection, SIDE_TABLE)


def read_state(
    database: Connections, connection: sa.Connection, /, *, lock: bool = False
) -> Optional[FlatState]:
    """Read the row, or give none; with ``lock``, no other run goes on meanwhile."""
    table = side_table(database)
    query = sa.select(table.c.version, table.c.token, table.c.deletes)
    if lock:
        query = query.with_for_update()
        if database.behaviour.lock_hint is not None:
            query = query.with_hint(table, database.behaviour.lock_hint)
    row = connection.execute(query).first()
    return None if row is None else FlatState(int(row[0]), str(row[1]), bool(row[2]))


def set_state(database: Connections, connection: sa.Connection, state: FlatState, /) -> None:
    """Write the row."""
    table = side_table(database)
    done = connection.execute(table.update().values(state._asdict()))
    if not done.rowcount:
        connection.execute(table.insert().values(id=1, **state._asdict()))
