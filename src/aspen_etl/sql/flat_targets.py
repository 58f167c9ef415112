"""Flat tables as targets: all their columns, and what a new row needs in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import did_you_mean, listing
from aspen_etl.sql.database import Connections
from aspen_etl.sql.flat_guards import FlatGuards, guards_of, is_found_by
from aspen_etl.sql.flat_tables import FlatTable, columns_of

__all__ = ["Target", "find_targets"]


@dataclass(frozen=True)
class Target:
    """A flat table that is written to.

    Attributes:
        table: The table, as it is read.
        whole: The table with all its columns.
        kinds: The type of each column, by what the database calls it.
        required: The columns that are NOT NULL.
        own: The columns whose values the database alone makes.
        filled: What a new row has in columns outside of the model.
        guards: How it is written to.
    """

    table: FlatTable
    whole: sa.TableClause
    kinds: Mapping[str, Any]
    required: frozenset[str]
    own: frozenset[str]
    filled: Mapping[str, Any] = field(repr=False)
    guards: FlatGuards

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell a row: its primary key, or all that are read."""
        return self.table.key or tuple(self.table.columns.values())

    @property
    def found_by(self) -> tuple[str, ...]:
        """The columns of its primary key that an index may find."""
        is_any = not self.guards.is_typed
        return tuple(each for each in self.table.key if is_any or is_found_by(self.kinds[each]))

    def seen(self, column: str) -> Any:
        """Give what guards the cells of a column, as the database calls it, in a statement."""
        return self.guards.seen(self.whole.c[column], self.kinds[column])

    def ask(self, guarded: Sequence[str]) -> list[Any]:
        """Give what is asked of each row that is read: what guards it, then what it is found by."""
        read, kinds = self.table.table.c, self.kinds
        seen = [self.guards.seen(read[column], kinds[column]) for column in guarded]
        return seen + [self.guards.key(read[column], kinds[column]) for column in self.found_by]


def find_targets(
    database: Connections,
    connection: sa.Connection,
    tables: Iterable[FlatTable],
    defaults: Mapping[str, Any],
    inserting: frozenset[str],
) -> dict[str, Target]:
    """Look at all columns of some tables.

    Args:
        database: The database.
        connection: A connection.
        tables: The tables.
        defaults: What new rows have in columns outside of the model, by ``table.column``.
        inserting: The sources that get new rows.

    Raises:
        ArgumentError: A default is of no such column, or one is missing.
    """
    inspector = sa.inspect(connection)
    found, missing, known = {}, [], []
    for table in tables:
        held = columns_of(inspector, table.table.name, table.table.schema)
        target = _target(table, held, database, defaults)
        found[table.source] = target
        known += [f"{table.table.name}.{name}" for name in _outside(target)]
        if table.source in inserting:
            missing += [
                f"{table.table.name}.{each['name']}"
                for each in held
                if each["name"] in _outside(target)
                and each["name"] not in target.filled
                and _needs_value(each, target)
            ]
    _check_defaults(defaults, known, missing)
    return found


def _outside(target: Target) -> list[str]:
    return [name for name in target.kinds if name not in target.table.columns.values()]


def _target(
    table: FlatTable, held: list[Any], database: Connections, defaults: Mapping[str, Any]
) -> Target:
    names = [each["name"] for each in held]
    prefix = f"{table.table.name}."
    filled = {
        name: defaults[prefix + name]
        for name in names
        if prefix + name in defaults and name not in table.columns.values()
    }
    return Target(
        table,
        sa.table(table.table.name, *map(sa.column, names), schema=table.table.schema),
        {each["name"]: getattr(each["type"], "data_type", each["type"]) for each in held},
        frozenset(each["name"] for each in held if not each["nullable"]),
        frozenset(each["name"] for each in held if _is_own(each)),
        filled,
        guards_of(database.behaviour),
    )


def _is_own(column: Any) -> bool:
    """Tell whether a database takes no value for a column: it computes or numbers it."""
    identity = column.get("identity")
    is_always = identity is not None and identity.get("always", True)
    return bool(column.get("computed")) or is_always or isinstance(column["type"], mssql.TIMESTAMP)


def _needs_value(column: Any, target: Target) -> bool:
    """Tell whether a new row must be told what it has in a column."""
    name = column["name"]
    is_numbered = column.get("autoincrement") is True or column.get("identity") is not None
    # SQLite numbers the rows of a table by such a key.
    is_row = not target.guards.is_typed and target.table.key == (name,)
    is_numbered |= is_row and isinstance(column["type"], sa.INTEGER)
    if name in target.own or is_numbered or column.get("default") is not None:
        return False
    return name in target.required or name in target.table.key


def _check_defaults(defaults: Mapping[str, Any], known: list[str], missing: list[str]) -> None:
    unknown = sorted(set(defaults) - set(known))
    if unknown:
        msg = (
            f"defaults= names {listing(unknown)}, which is no column outside of the model of a "
            f"table that is written to, as table.column{did_you_mean(unknown[0], known)}"
        )
        raise ArgumentError(msg, problem="defaults", unknown=tuple(unknown))
    if missing:
        msg = (
            f"new rows need a value for {listing(missing)}: NOT NULL, no default and not of the "
            "model; give it by defaults={'table.column': value}; nothing was written"
        )
        raise ArgumentError(msg, problem="defaults", missing=tuple(missing))
