"""Let what a database numbers by itself begin where an application's keys do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Optional

import sqlalchemy as sa

from aspen_etl.schema.snapshot import ADOPTED_FROM
from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.database import Database

__all__ = ["move_after_commit", "move_identities"]


def move_identities(
    database: Database,
    connection: sa.Connection,
    next_keys: Mapping[str, int],
    names: Optional[Collection[str]] = None,
) -> tuple[str, ...]:
    """Let the next key that the database gives be an application's; it never goes back.

    Args:
        database: The database.
        connection: A connection in a transaction.
        next_keys: The lowest that it may be, by table, where that is above ``ADOPTED_FROM``.
        names: The tables; by default all of the model.

    Returns:
        The tables whose next key was one of ours until now.
    """
    moved = []
    for table, spec in _numbered(database):
        if names is not None and spec.name not in names:
            continue
        database.step = f"moving the identity of {spec.name}"
        number = _first(connection, table, spec, next_keys)
        before = database.behaviour.move_identity(connection, table, spec.primary_key, number)
        moved += [spec.name] if before is not None and before < ADOPTED_FROM else []
    return tuple(moved)


def move_after_commit(database: Database, next_keys: Mapping[str, int]) -> tuple[str, ...]:
    """Do the same where it would have ended the transaction."""
    move = database.behaviour.move_after_commit
    moved: list[str] = []
    if move is None:
        return ()
    with database.reading() as connection:
        for table, spec in _numbered(database):
            database.step = f"moving the identity of {spec.name}"
            number = _first(connection, table, spec, next_keys)
            before = move(connection, table, spec.primary_key, number)
            moved += [spec.name] if before is not None and before < ADOPTED_FROM else []
    return tuple(moved)


def _first(
    connection: sa.Connection, table: sa.Table, spec: TableSpec, next_keys: Mapping[str, int]
) -> int:
    """Give the first key for an application: no row may have it, here or in the store."""
    last = connection.execute(sa.select(sa.func.max(table.c[spec.primary_key]))).scalar()
    return max(ADOPTED_FROM, next_keys.get(spec.name, 1), (last or 0) + 1)


def _numbered(database: Database) -> list[tuple[sa.Table, TableSpec]]:
    return [
        (database.table(name), spec)
        for name, spec in database.model.tables.items()
        if spec.has_surrogate_key
    ]
