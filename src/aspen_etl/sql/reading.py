"""The tables of a model, read from a database as of one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Optional

import pandas as pd
import sqlalchemy as sa

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.validation import validate
from aspen_etl.sql.database import Database
from aspen_etl.sql.values import driver_values

__all__ = ["read", "read_some", "read_tables"]

#: How many rows are fetched at a time, where they are not taken all at once.
_ROWS = 100_000


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
    return validate(database.run(read_tables, database), model=model)


def read_tables(database: Database) -> dict[str, pd.DataFrame]:
    """Read the tables as they stand; nothing is validated."""
    out = {}
    with database.snapshot() as connection:
        for name, spec in database.model.tables.items():
            database.step = f"reading {name}"
            out[name] = _frame(connection, database.table(name), spec)
    return out


def read_some(
    database: Database, use: Callable[[str, pd.DataFrame], None], rows: int = _ROWS
) -> None:
    """Read the tables as they stand, some rows at a time, each table after those it refers to.

    Args:
        database: The database.
        use: Takes the name of a table and some of its rows.
        rows: How many rows are fetched at a time.
    """
    model = database.model
    options = {"stream_results": True, "max_row_buffer": min(rows, 10_000)}
    with database.snapshot() as connection:
        for name in model.lineage.table_order:
            database.step = f"reading {name}"
            table, spec = database.table(name), model.tables[name]
            query = sa.select(*(table.c[column] for column in spec.columns))
            with connection.execute(query, execution_options=options) as result:
                for some in result.partitions(rows):
                    use(name, _hold(some, spec))


def _frame(connection: sa.Connection, table: sa.Table, spec: TableSpec) -> pd.DataFrame:
    key = table.c[spec.primary_key]
    query = sa.select(*(table.c[name] for name in spec.columns)).order_by(key)
    return _hold(connection.execute(query).all(), spec)


def _hold(rows: Sequence[Any], spec: TableSpec) -> pd.DataFrame:
    cells: Any = list(zip(*rows)) or [()] * len(spec.columns)
    return pd.DataFrame(
        {
            name: driver_values(of).column(list(held), of)
            for (name, of), held in zip(spec.columns.items(), cells)
        }
    )
