"""Whether a database still holds its own rules: what each dialect knows of constraints and keys.

Nothing is changed; what a database does not know of itself is not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Optional

import sqlalchemy as sa

from aspen_etl.derive.dialects import SQLDialect
from aspen_etl.sql import identity
from aspen_etl.sql.dialects import Behaviour

__all__ = ["TRUST", "Trust", "trust_of"]

#: Gives the constraints of a table that refer or check, by name, and whether each can be trusted.
Constraints = Callable[[sa.Connection, sa.Table], Mapping[str, bool]]


@dataclass(frozen=True)
class Trust:
    """What a database tells of its own rules.

    Attributes:
        next_key: Gives the next key that it gives in a table; none where it gives none.
        constraints: Gives the constraints of a table, and whether each can be trusted.
        switched_off: Gives the switches by which it minds no constraint at all, by name.
    """

    next_key: Callable[[sa.Connection, sa.Table, str], Optional[int]]
    constraints: Constraints
    switched_off: Callable[[sa.Connection], tuple[str, ...]]


def trust_of(behaviour: Behaviour, /) -> Trust:
    """Find what a database tells of its own rules."""
    return TRUST[behaviour.name]


def _name(connection: sa.Connection, table: sa.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def _none_off(connection: sa.Connection) -> tuple[str, ...]:
    del connection
    return ()


# ----------------------------------------------------------------------------- PostgreSQL

#: A trigger that is off lets rows in that break what it minds: a reference is minded by triggers.
_POSTGRESQL = """
SELECT con.conname, con.convalidated AND NOT EXISTS (
    SELECT FROM pg_trigger AS t WHERE t.tgconstraint = con.oid AND t.tgenabled IN ('D', 'R')
)
FROM pg_constraint AS con
WHERE con.contype IN ('f', 'c') AND con.conrelid = CAST(:name AS regclass)
"""


def _postgresql(connection: sa.Connection, table: sa.Table) -> Mapping[str, bool]:
    found = connection.execute(sa.text(_POSTGRESQL), {"name": _name(connection, table)})
    return {str(name): bool(valid) for name, valid in found}


# ----------------------------------------------------------------------------- MySQL, MariaDB

_CONSTRAINT = re.compile(r"CONSTRAINT `((?:[^`]|``)+)` (?:FOREIGN KEY|CHECK)([^\n]*)")
_SWITCHES = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('foreign_key_checks', "
    "'check_constraint_checks') AND Value = 'OFF'"
)


def _told(connection: sa.Connection, table: sa.Table) -> str:
    return str(connection.exec_driver_sql(f"SHOW CREATE TABLE {_name(connection, table)}").one()[1])


def _mysql(connection: sa.Connection, table: sa.Table) -> Mapping[str, bool]:
    found = _CONSTRAINT.findall(_told(connection, table))
    return {name.replace("``", "`"): "NOT ENFORCED" not in rest for name, rest in found}


def _off_mysql(connection: sa.Connection) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in connection.exec_driver_sql(_SWITCHES))


# ----------------------------------------------------------------------------- SQL Server

_MSSQL = """
SELECT name, CASE WHEN is_not_trusted = 1 OR is_disabled = 1 THEN 0 ELSE 1 END
FROM sys.foreign_keys WHERE parent_object_id = OBJECT_ID(:name)
UNION ALL
SELECT name, CASE WHEN is_not_trusted = 1 OR is_disabled = 1 THEN 0 ELSE 1 END
FROM sys.check_constraints WHERE parent_object_id = OBJECT_ID(:name)
"""


def _mssql(connection: sa.Connection, table: sa.Table) -> Mapping[str, bool]:
    found = connection.execute(sa.text(_MSSQL), {"name": _name(connection, table)})
    return {str(name): bool(trusted) for name, trusted in found}


# ----------------------------------------------------------------------------- SQLite

_IN_SQLITE = re.compile(
    r'CONSTRAINT\s+("(?:[^"]|"")+"|\w+)\s+(?:FOREIGN\s+KEY|CHECK)\b', re.IGNORECASE
)


def _sqlite(connection: sa.Connection, table: sa.Table) -> Mapping[str, bool]:
    find = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    told = str(connection.execute(find, {"name": table.name}).scalar() or "")
    names = (each.strip('"').replace('""', '"') for each in _IN_SQLITE.findall(told))
    # It minds references in connections alone that ask for it, so it is asked for rows without.
    broken = connection.exec_driver_sql(f'PRAGMA foreign_key_check("{table.name}")').first()
    return dict.fromkeys(names, broken is None)


TRUST: Mapping[SQLDialect, Trust] = {
    "postgresql": Trust(identity.next_postgresql, _postgresql, _none_off),
    "mysql": Trust(identity.next_mysql, _mysql, _off_mysql),
    "mssql": Trust(identity.next_mssql, _mssql, _none_off),
    "sqlite": Trust(identity.next_sqlite, _sqlite, _none_off),
}
