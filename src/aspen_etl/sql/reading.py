"""What comes back of a database: the report of a load, and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Optional

import pandas as pd
import sqlalchemy as sa

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.validation import validate
from aspen_etl.sql.database import Database
from aspen_etl.sql.values import driver_values

__all__ = ["LoadOutcome", "LoadReport", "TableDatabase", "read"]

LoadOutcome = Literal["unchanged", "filled", "changed", "compared", "replaced"]


@dataclass(frozen=True)
class LoadReport:
    """Tell what a load did; it holds no cell value.

    Attributes:
        outcome: ``unchanged``, where the database was at the commit already; ``filled``, where
            it was empty; ``changed``, where the difference of two commits was applied;
            ``compared``, where every row was compared; ``replaced``, where its keys were those
            of other rows, so that all rows were written anew.
        version: The commit that the database is at; none after a load of frames.
        tables: The rows inserted, updated and deleted, by table.
        created: The tables and columns that were made for it.
        conflicts: The rows that somebody else wrote since the last load, by table and kind:
            ``changed``, ``deleted`` and ``inserted`` by the database alone, ``both_changed``,
            ``changed_and_deleted``, ``deleted_and_changed``, ``both_inserted`` and
            ``key_mismatch`` against what was to be written.
        held: The rows that stay as the database has them, by table: those, and what depends on
            them.
        identities: The tables whose next key was one of ours until now: from now on, what the
            database numbers by itself is ``ADOPTED_FROM`` or more.
        pin: The name under which the store keeps the version, if it does.
        unpinned: Why it does not: the error's name, where the store cannot be written to.
    """

    outcome: LoadOutcome
    version: Optional[int]
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    created: tuple[str, ...] = ()
    conflicts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    identities: tuple[str, ...] = ()
    pin: Optional[str] = None
    unpinned: Optional[str] = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class TableDatabase:
    """Know a database that holds the tables of a model, and read them as they stand.

    Attributes:
        engine: A SQLAlchemy engine.
        model: The model of the tables.
        schema: The database schema; by default that of the connection.
    """

    engine: sa.Engine
    model: Model = field(default=BORROWER_MODEL, repr=False)
    schema: Optional[str] = None

    def read(self) -> Tables:
        """Read the tables as one transaction sees them; nothing is validated.

        Raises:
            DatabaseError: The database cannot be reached, a table is not there, or the database
                does not show one moment.
            SourceNotFoundError: There is no such file of SQLite.
        """
        database = Database(self.engine, self.model, self.schema)
        database.check_file()
        return Tables(database.run(_read, database))


def read(
    engine: sa.Engine, /, *, model: Model = BORROWER_MODEL, schema: Optional[str] = None
) -> Tables:
    """Read the tables of a model from a database, as one transaction sees them, and validate them.

    Args:
        engine: A SQLAlchemy engine.
        model: The model of the tables.
        schema: The database schema; by default that of the connection.

    Returns:
        The tables, in the order of their keys.

    Raises:
        ValidationError: The tables break their schema, a key or a reference.
        DatabaseError: The database cannot be reached, a table is not there, or the database does
            not show one moment: SQL Server must allow snapshot isolation.
    """
    database = Database(engine, model, schema)
    return validate(database.run(_read, database), model=model)


def _read(database: Database) -> dict[str, pd.DataFrame]:
    out = {}
    with database.snapshot() as connection:
        for name, spec in database.model.tables.items():
            database.step = f"reading {name}"
            out[name] = _frame(connection, database.table(name), spec)
    return out


def _frame(connection: sa.Connection, table: sa.Table, spec: TableSpec) -> pd.DataFrame:
    key = table.c[spec.primary_key]
    query = sa.select(*(table.c[name] for name in spec.columns)).order_by(key)
    rows = connection.execute(query).all()
    cells: Any = list(zip(*rows)) or [()] * len(spec.columns)
    return pd.DataFrame(
        {
            name: driver_values(of).column(list(held), of)
            for (name, of), held in zip(spec.columns.items(), cells)
        }
    )
