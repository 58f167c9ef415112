"""Bring the tables of a database to a wanted state, touching only rows that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa

from aspen_etl.changes import Changes
from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.bulk import put_rows
from aspen_etl.sql.database import Database

__all__ = ["DriftError", "Merge", "move_after_commit", "move_identities"]


class DriftError(Exception):
    """The tables do not hold the rows that they should: somebody else changed them."""


class Merge:
    """Write into the tables of a database, within one transaction.

    Args:
        database: The database.
        connection: A connection in a transaction.
    """

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self.database, self.connection = database, connection
        self.counts = {
            name: {"inserted": 0, "updated": 0, "deleted": 0} for name in database.model.tables
        }

    def _tables(self) -> list[tuple[TableSpec, sa.Table]]:
        tables = self.database.model.tables
        return [(spec, self.database.table(name)) for name, spec in tables.items()]

    # ------------------------------------------------------------------------- looking

    def count_rows(self) -> dict[str, int]:
        """Count the rows of each table."""
        self.database.step = "counting rows"
        return {
            spec.name: self._scalar(sa.select(sa.func.count()).select_from(table))
            for spec, table in self._tables()
        }

    def is_empty(self) -> bool:
        """Tell whether no table has a row."""
        return not any(
            self._scalar(sa.select(sa.exists(sa.select(sa.literal(1)).select_from(table))))
            for _, table in self._tables()
        )

    def _scalar(self, query: Any) -> int:
        return int(self.connection.execute(query).scalar_one())

    # ------------------------------------------------------------------------- all rows

    def fill(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Insert all rows, in reference order."""
        for spec, table in self._tables():
            self.database.step = f"filling {spec.name}"
            rows = self._put(table, frames[spec.name], spec)
            self.counts[spec.name]["inserted"] = rows

    def replace(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Delete all rows, in reverse order, and insert all."""
        for spec, table in reversed(self._tables()):
            self.database.step = f"emptying {spec.name}"
            gone = self.connection.execute(table.delete()).rowcount
            self.counts[spec.name]["deleted"] = gone
        self.fill(frames)

    def compare(self, frames: Mapping[str, pd.DataFrame]) -> bool:
        """Compare every row within the database, and write those that differ.

        Returns:
            Whether it could: where a key is that of another row now, nothing was written.
        """
        stages = {}
        for spec, table in self._tables():
            self.database.step = f"comparing {spec.name}"
            stages[spec.name] = stage = self._stage(spec, table, frames[spec.name])
            if spec.has_surrogate_key and self._has_other_keys(spec, table, stage):
                break
        else:
            for spec, table in self._tables():
                self._update(spec, table, stages[spec.name])
                self._insert(spec, table, stages[spec.name])
            for spec, table in reversed(self._tables()):
                self._delete(spec, table, stages[spec.name], keep=True)
        for stage in stages.values():
            self._drop(stage)
        return len(stages) == len(self.database.model.tables) and not self._other_keys

    _other_keys = False

    def _has_other_keys(self, spec: TableSpec, table: sa.Table, stage: sa.Table) -> bool:
        """Tell whether a key and a natural key belong together differently here and there."""
        same_key = table.c[spec.primary_key] == stage.c[spec.primary_key]
        same_name = sa.and_(*(_equal(table.c[n], stage.c[n], spec) for n in spec.natural_key))
        for joined, other in ((same_key, ~same_name), (same_name, ~same_key)):
            query = sa.select(sa.literal(1)).select_from(table.join(stage, joined)).where(other)
            if self.connection.execute(query.limit(1)).first() is not None:
                self._other_keys = True
        return self._other_keys

    # ------------------------------------------------------------------------- changes

    def apply(self, changes: Changes, before: Mapping[str, int]) -> None:
        """Write the difference of two states.

        Args:
            changes: The difference.
            before: The rows of each table before.

        Raises:
            DriftError: The tables are not in the state before.
        """
        if self.count_rows() != before:
            raise DriftError
        for spec, table in self._tables():
            found = changes[spec.name]
            if len(found.updated):
                stage = self._stage(spec, table, found.updated)
                self._update(spec, table, stage, expected=len(found.updated))
                self._drop(stage)
            if len(found.inserted):
                self.database.step = f"inserting into {spec.name}"
                rows = self._put(table, found.inserted, spec)
                self.counts[spec.name]["inserted"] = rows
        for spec, table in reversed(self._tables()):
            gone = changes[spec.name].deleted
            if len(gone):
                stage = self._stage(spec, table, gone)
                self._delete(spec, table, stage, keep=False)
                self._drop(stage)
                if self.counts[spec.name]["deleted"] != len(gone):
                    raise DriftError

    # ------------------------------------------------------------------------- statements

    def _stage(self, spec: TableSpec, table: sa.Table, frame: pd.DataFrame) -> sa.Table:
        """Put rows into a temporary table."""
        self.database.step = f"staging {spec.name}"
        known = self.database.behaviour.stage
        stage = sa.Table(
            known.name.format(f"aspen_etl_stage_{spec.name}"),
            sa.MetaData(),
            *(
                sa.Column(
                    column.name,
                    column.type,
                    primary_key=column.primary_key,
                    autoincrement=False,
                    nullable=column.nullable,
                )
                for column in table.c
                if column.name in spec.columns
            ),
            prefixes=list(known.prefixes),
        )
        if known.outlives_rollback:
            self._drop(stage)
        stage.create(self.connection, checkfirst=False)
        self._put(stage, frame, spec)
        if known.analyze is not None:
            self._tell(known.analyze, stage)
        return stage

    def _drop(self, stage: sa.Table) -> None:
        statement = self.database.behaviour.stage.drop
        if statement is None:
            stage.drop(self.connection, checkfirst=False)
        else:
            self._tell(statement, stage)

    def _tell(self, statement: str, stage: sa.Table) -> None:
        name = self.connection.dialect.identifier_preparer.format_table(stage)
        self.connection.exec_driver_sql(statement.format(name))

    def _put(self, table: sa.Table, frame: pd.DataFrame, spec: TableSpec) -> int:
        return put_rows(self.connection, table, frame, spec.columns, self.database.behaviour)

    def _update(
        self, spec: TableSpec, table: sa.Table, stage: sa.Table, *, expected: int = -1
    ) -> None:
        self.database.step = f"updating {spec.name}"
        names = [name for name in spec.columns if name != spec.primary_key]
        query = (
            table.update()
            .values({name: stage.c[name] for name in names})
            .where(table.c[spec.primary_key] == stage.c[spec.primary_key])
        )
        if expected < 0:
            differs = [~_equal(table.c[name], stage.c[name], spec) for name in names]
            query = query.where(sa.or_(*differs))
        done = self.connection.execute(query).rowcount
        if expected not in (-1, done):
            raise DriftError
        self.counts[spec.name]["updated"] = done

    def _insert(self, spec: TableSpec, table: sa.Table, stage: sa.Table) -> None:
        self.database.step = f"inserting into {spec.name}"
        columns = [stage.c[name] for name in spec.columns]
        new = ~sa.exists().where(table.c[spec.primary_key] == stage.c[spec.primary_key])
        query = table.insert().from_select(
            list(spec.columns), sa.select(*columns).where(new), include_defaults=False
        )
        done = self.connection.execute(query, execution_options={"preserve_rowcount": True})
        self.counts[spec.name]["inserted"] = done.rowcount

    def _delete(self, spec: TableSpec, table: sa.Table, stage: sa.Table, *, keep: bool) -> None:
        self.database.step = f"deleting from {spec.name}"
        staged = sa.exists().where(table.c[spec.primary_key] == stage.c[spec.primary_key])
        query = table.delete().where(~staged if keep else staged)
        self.counts[spec.name]["deleted"] = self.connection.execute(query).rowcount


def _equal(left: Any, right: Any, spec: TableSpec) -> Any:
    if not spec.columns[left.name].nullable:
        return left == right
    return left.is_not_distinct_from(right)


# ----------------------------------------------------------------------------- identities


def move_identities(
    database: Database, connection: sa.Connection, next_keys: Mapping[str, int]
) -> None:
    """Let the next key that the database gives be no lower than ours; it never goes back."""
    for table, spec in _numbered(database, next_keys):
        database.step = f"moving the identity of {spec.name}"
        move = database.behaviour.move_identity
        move(connection, table, spec.primary_key, next_keys[spec.name])


def move_after_commit(database: Database, next_keys: Mapping[str, int]) -> None:
    """Do the same where it would have ended the transaction."""
    move = database.behaviour.move_after_commit
    if move is None:
        return
    with database.reading() as connection:
        for table, spec in _numbered(database, next_keys):
            database.step = f"moving the identity of {spec.name}"
            move(connection, table, spec.primary_key, next_keys[spec.name])


def _numbered(database: Database, next_keys: Mapping[str, int]) -> list[tuple[sa.Table, TableSpec]]:
    return [
        (database.table(name), spec)
        for name, spec in database.model.tables.items()
        if spec.has_surrogate_key and next_keys.get(name, 1) > 1
    ]
