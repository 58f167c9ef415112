"""Rows in temporary tables beside those of the model, and what holds of both: in SQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.bulk import put_rows
from aspen_etl.sql.database import Database
from aspen_etl.sql.values import driver_values

__all__ = [
    "Staging",
    "any_differs",
    "differs",
    "equal",
    "has_key_of",
    "is_equal",
    "keys_of",
    "same_key",
]


class Staging:
    """Put rows into temporary tables, within one transaction.

    Args:
        database: The database.
        connection: A connection in a transaction.
    """

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self.database, self.connection = database, connection

    def tables(self) -> list[tuple[TableSpec, sa.Table]]:
        """Give the tables of the model, in reference order."""
        tables = self.database.model.tables
        return [(spec, self.database.table(name)) for name, spec in tables.items()]

    @contextlib.contextmanager
    def staged(
        self, spec: TableSpec, frame: pd.DataFrame, what: str = "stage", *, key: bool = True
    ) -> Iterator[sa.Table]:
        """Put rows into a temporary table, and drop it where nothing fails: else it is rolled back.

        Args:
            spec: The table that they are rows of.
            frame: The rows; of their columns maybe only the key.
            what: What they are, for the name of the temporary table.
            key: Whether it has the primary key and is analyzed, which costs time: for rows that
                are sought one by one.
        """
        stage = self.stage(spec, frame, what, key=key)
        yield stage
        self.drop(stage)

    def stage(
        self, spec: TableSpec, frame: pd.DataFrame, what: str = "stage", *, key: bool = True
    ) -> sa.Table:
        """Put rows into a temporary table; see ``staged``."""
        self.database.step = f"staging {spec.name}"
        known = self.database.behaviour.stage
        stage = sa.Table(
            known.name.format(f"aspen_etl_{what}_{spec.name}"),
            sa.MetaData(),
            *(
                sa.Column(
                    column.name,
                    column.type,
                    primary_key=column.primary_key and key,
                    autoincrement=False,
                    nullable=column.nullable,
                )
                for column in self.database.table(spec.name).c
                if column.name in spec.columns and column.name in frame
            ),
            prefixes=list(known.prefixes),
        )
        if known.outlives_rollback:
            self.drop(stage)
        stage.create(self.connection, checkfirst=False)
        self.put(stage, frame, spec)
        if known.analyze is not None and key:
            self._tell(known.analyze, stage)
        return stage

    def drop(self, stage: sa.Table) -> None:
        """Drop a temporary table."""
        statement = self.database.behaviour.stage.drop
        if statement is None:
            stage.drop(self.connection, checkfirst=False)
        else:
            self._tell(statement, stage)

    def _tell(self, statement: str, stage: sa.Table) -> None:
        name = self.connection.dialect.identifier_preparer.format_table(stage)
        self.connection.exec_driver_sql(statement.format(name))

    def put(self, table: sa.Table, frame: pd.DataFrame, spec: TableSpec) -> int:
        """Insert rows into a table, and give how many they were."""
        columns = {name: each for name, each in spec.columns.items() if name in frame}
        return put_rows(self.connection, table, frame, columns, self.database.behaviour)

    def scalar(self, query: Any) -> int:
        """Ask for one number."""
        return int(self.connection.execute(query).scalar_one() or 0)

    def column(self, query: Any) -> list[Any]:
        """Ask for the cells of one column."""
        return list(self.connection.execute(query).scalars())

    def count_rows(self) -> dict[str, int]:
        """Count the rows of each table."""
        self.database.step = "counting rows"
        return {
            spec.name: self.scalar(sa.select(sa.func.count()).select_from(table))
            for spec, table in self.tables()
        }

    def is_empty(self) -> bool:
        """Tell whether no table has a row."""
        return not any(
            self.scalar(
                sa.select(
                    sa.case((sa.exists(sa.select(sa.literal(1)).select_from(table)), 1), else_=0)
                )
            )
            for _, table in self.tables()
        )


# ----------------------------------------------------------------------------- what holds of rows


def equal(left: Any, right: Any, spec: TableSpec) -> Any:
    """Say that two cells of one column are equal; null equals null."""
    if not spec.columns[left.name].nullable:
        return left == right
    return left.is_not_distinct_from(right)


def differs(table: sa.Table, other: sa.Table, spec: TableSpec) -> list[Any]:
    """Say of each column but the key that it differs."""
    names = [name for name in spec.columns if name != spec.primary_key]
    return [~equal(table.c[name], other.c[name], spec) for name in names]


def any_differs(table: sa.Table, other: sa.Table, spec: TableSpec) -> Any:
    """Say that a column differs."""
    return sa.or_(*differs(table, other, spec))


def is_equal(table: sa.Table, other: sa.Table, spec: TableSpec, names: Sequence[str] = ()) -> Any:
    """Say that all columns are equal, or those that are named."""
    return sa.and_(*(equal(table.c[name], other.c[name], spec) for name in names or spec.columns))


def same_key(table: sa.Table, other: sa.Table, spec: TableSpec) -> Any:
    """Say that two rows have one key."""
    return table.c[spec.primary_key] == other.c[spec.primary_key]


def has_key_of(table: sa.Table, other: sa.Table, spec: TableSpec) -> Any:
    """Say that the other table has a row of the same key."""
    return sa.exists(
        sa.select(sa.literal(1)).select_from(other).where(same_key(table, other, spec))
    )


def keys_of(cells: list[Any], spec: TableSpec) -> pd.Series:
    """Give keys as a column, of what a driver gave."""
    column = spec.columns[spec.primary_key]
    return driver_values(column).column(cells, column)
