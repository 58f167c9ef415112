"""How tables stand in a database before others write to them alone: keys and constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from aspen_etl.schema.snapshot import ADOPTED_FROM
from aspen_etl.sql.database import Database
from aspen_etl.sql.trust import trust_of

__all__ = ["TableStanding", "look_at_tables"]


@dataclass(frozen=True)
class TableStanding:
    """Tell how the tables of a model stand in a database; names alone, and no value.

    Attributes:
        low_keys: The tables whose next key is below ``ADOPTED_FROM`` or not above every key.
        unnumbered: The tables whose key the database should give, and does not.
        missing: The foreign keys and checks that are not there, as ``table.name``.
        untrusted: Those that are there, and may be broken by rows, as ``table.name``.
        switched_off: The switches by which the database minds no constraint.
        constraints: How many foreign keys and checks there should be.
    """

    low_keys: tuple[str, ...]
    unnumbered: tuple[str, ...]
    missing: tuple[str, ...]
    untrusted: tuple[str, ...]
    switched_off: tuple[str, ...]
    constraints: int


def look_at_tables(database: Database, /) -> TableStanding:
    """Look at the keys that the database gives next, and at its constraints.

    Args:
        database: The database; its tables are there.
    """
    trust = trust_of(database.behaviour)
    low, unnumbered = [], []
    missing: list[str] = []
    untrusted: list[str] = []
    wanted = 0
    with database.reading() as connection:
        for name, spec in database.model.tables.items():
            table = database.table(name)
            database.step = f"looking at the constraints of {name}"
            there = trust.constraints(connection, table)
            names, lost = _hold(connection, table, there)
            wanted += names
            missing += [f"{name}.{each}" for each in lost]
            untrusted += [f"{name}.{each}" for each, trusted in there.items() if not trusted]
            if spec.has_surrogate_key:
                database.step = f"looking at the identity of {name}"
                key = trust.next_key(connection, table, spec.primary_key)
                last = connection.execute(sa.select(sa.func.max(table.c[spec.primary_key])))
                least = max(ADOPTED_FROM, int(last.scalar() or 0) + 1)
                unnumbered += [name] if key is None else []
                low += [name] if key is not None and key < least else []
        off = trust.switched_off(connection)
    return TableStanding(
        tuple(low), tuple(unnumbered), tuple(missing), tuple(untrusted), off, wanted
    )


def _hold(
    connection: sa.Connection, table: sa.Table, there: Mapping[str, bool]
) -> tuple[int, list[str]]:
    """Give how many constraints a table should have, and the names of those that it lacks.

    A reference is known by its columns: its name may be another one where somebody else made it.
    """
    prepare = connection.dialect.identifier_preparer
    inspector = sa.inspect(connection)
    held = {
        (tuple(each["constrained_columns"]), str(each["referred_table"]))
        for each in inspector.get_foreign_keys(table.name, schema=table.schema)
    }
    count, lost = 0, []
    declared = [*table.constraints, *(each for column in table.c for each in column.constraints)]
    for constraint in sorted(declared, key=lambda each: str(each.name)):
        name = str(prepare.format_constraint(constraint) or "").strip('"`[]')
        if isinstance(constraint, sa.ForeignKeyConstraint):
            place = (tuple(constraint.column_keys), constraint.referred_table.name)
            is_there = place in held
        elif isinstance(constraint, sa.CheckConstraint):
            is_there = name in there
        else:
            continue
        count += 1
        lost += [] if is_there else [name]
    return count, lost
