"""Write the difference of two states where the rows are as they were before, and nowhere else.

Every UPDATE and DELETE asks that the row still equals the one before in all of its columns, null
equal to null; every INSERT that its key is free. What the database holds after that is compared
with what was written, within the same transaction: a trigger or a default may have changed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.changes import Changes, TableChanges
from aspen_etl.columns import Positions
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.errors import DatabaseChangedError
from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.database import Database
from aspen_etl.sql.staging import Staging, differs, has_key_of, is_equal, keys_of, same_key

__all__ = ["DriftError", "Writer"]


class DriftError(Exception):
    """The tables do not hold the rows that they should: somebody else changed them."""


@dataclass(frozen=True)
class _Part:
    """What is written, and whether only where the rows before are there."""

    changes: Changes
    what: str
    is_guarded: bool


@dataclass(frozen=True)
class _Staged:
    """Rows that were written, or are gone, in their temporary table."""

    spec: TableSpec
    stage: sa.Table
    rows: int
    is_gone: bool = False


class Writer(Staging):
    """Write rows into the tables of a database, within one transaction.

    Args:
        database: The database.
        connection: A connection in a transaction.
    """

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        super().__init__(database, connection)
        self.counts = {
            name: {"inserted": 0, "updated": 0, "deleted": 0} for name in database.model.tables
        }

    def write(self, changes: Changes, forced: Optional[Changes] = None) -> None:
        """Write a difference, and compare what came back.

        Args:
            changes: The difference, of which the database must hold the rows before.
            forced: What is written whatever the row holds by now.

        Raises:
            DriftError: A row is not what it was before.
            DatabaseChangedError: The database holds other values than were written.
        """
        parts = [_Part(changes, "stage", is_guarded=True)]
        if forced is not None:
            parts.append(_Part(forced, "forced", is_guarded=False))
        staged: list[_Staged] = []
        for spec, _ in self.tables():
            for part in parts:
                staged += self._put_in(spec, part)
        for spec, _ in reversed(self.tables()):
            for part in parts:
                staged += self._take_out(spec, part)
        for each in staged:
            if each.is_gone:
                self._check_gone(each.spec, each.stage)
            else:
                self.check(each.spec, each.stage, each.rows)
            self.drop(each.stage)

    def _put_in(self, spec: TableSpec, part: _Part) -> Iterator[_Staged]:
        """Update and insert rows of one table."""
        found = part.changes[spec.name]
        if len(found.updated):
            if part.is_guarded and found.was is None:
                raise DriftError  # nobody told what the rows were
            stage = self.stage(spec, found.updated, part.what)
            was = found.was if part.is_guarded else None
            self._update(spec, stage, was, expected=len(found.updated))
            yield _Staged(spec, stage, len(found.updated))
        if len(found.inserted):
            stage = self.stage(spec, found.inserted, f"{part.what}_new")
            if self.run_insert(spec, stage) != len(found.inserted):
                raise DriftError
            yield _Staged(spec, stage, len(found.inserted))

    def _take_out(self, spec: TableSpec, part: _Part) -> Iterator[_Staged]:
        """Delete rows of one table."""
        deleted = part.changes[spec.name].deleted
        if len(deleted):
            stage = self.stage(spec, deleted, f"{part.what}_gone")
            self._delete(spec, stage, len(deleted), is_guarded=part.is_guarded)
            yield _Staged(spec, stage, len(deleted), is_gone=True)

    def without_done(self, changes: Changes) -> Changes:
        """Leave out of a difference what the database holds already: that is no conflict."""
        tables = {}
        for spec, table in self.tables():
            found = changes[spec.name]
            updated = self._undone(spec, found.updated)
            tables[spec.name] = TableChanges(
                take_rows(found.inserted, self._undone(spec, found.inserted)),
                take_rows(found.updated, updated),
                take_rows(found.deleted, self._there(spec, table, found.deleted)),
                spec,
                None if found.was is None else take_rows(found.was, updated),
            )
        return Changes(tables)

    def _undone(self, spec: TableSpec, frame: pd.DataFrame) -> Positions:
        """Give the rows that the database does not hold as they are."""
        if not len(frame):
            return np.arange(0)
        with self.staged(spec, frame) as stage:
            table, key = self.database.table(spec.name), stage.c[spec.primary_key]
            beside = table.join(stage, is_equal(table, stage, spec))
            done = keys_of(self.column(sa.select(key).select_from(beside)), spec)
        return np.flatnonzero(find_rows([frame[spec.primary_key]], [done]) < 0)

    def _there(self, spec: TableSpec, table: sa.Table, frame: pd.DataFrame) -> Positions:
        """Give the rows of whose key the database has one."""
        if not len(frame):
            return np.arange(0)
        with self.staged(spec, frame) as stage:
            query = sa.select(stage.c[spec.primary_key]).where(has_key_of(stage, table, spec))
            there = keys_of(self.column(query), spec)
        return np.flatnonzero(find_rows([frame[spec.primary_key]], [there]) >= 0)

    # ------------------------------------------------------------------------- statements

    def _update(
        self, spec: TableSpec, stage: sa.Table, was: Optional[pd.DataFrame], *, expected: int
    ) -> None:
        if was is None:
            done = self.run_update(spec, stage, sa.true())
        else:
            with self.staged(spec, was, "was") as before:
                table = self.database.table(spec.name)
                holds = sa.and_(same_key(stage, before, spec), is_equal(table, before, spec))
                done = self.run_update(spec, stage, holds)
        if done != expected:
            raise DriftError

    def run_update(self, spec: TableSpec, stage: sa.Table, where: Any) -> int:
        """Give rows the values of those of a stage where a condition holds; give how many."""
        self.database.step = f"updating {spec.name}"
        table = self.database.table(spec.name)
        names = [name for name in spec.columns if name != spec.primary_key]
        query = (
            table.update()
            .values({name: stage.c[name] for name in names})
            .where(same_key(table, stage, spec), where)
        )
        done = int(self.connection.execute(query).rowcount)
        self.counts[spec.name]["updated"] += done
        return done

    def run_insert(self, spec: TableSpec, stage: sa.Table, where: Any = None) -> int:
        """Insert the rows of a stage, or those of which a condition holds; give how many."""
        self.database.step = f"inserting into {spec.name}"
        table = self.database.table(spec.name)
        rows = sa.select(*(stage.c[name] for name in spec.columns))
        query = table.insert().from_select(
            list(spec.columns), rows if where is None else rows.where(where), include_defaults=False
        )
        done = self.connection.execute(query, execution_options={"preserve_rowcount": True})
        self.counts[spec.name]["inserted"] += done.rowcount
        return int(done.rowcount)

    def _delete(self, spec: TableSpec, stage: sa.Table, expected: int, *, is_guarded: bool) -> None:
        table = self.database.table(spec.name)
        holds = is_equal(table, stage, spec) if is_guarded else same_key(table, stage, spec)
        there = sa.exists(sa.select(sa.literal(1)).select_from(stage).where(holds))
        if self.run_delete(spec, there) != expected:
            raise DriftError

    def run_delete(self, spec: TableSpec, where: Any) -> int:
        """Delete the rows of which a condition holds, and give how many they were."""
        self.database.step = f"deleting from {spec.name}"
        query = self.database.table(spec.name).delete().where(where)
        done = int(self.connection.execute(query).rowcount)
        self.counts[spec.name]["deleted"] += done
        return done

    # ------------------------------------------------------------------------- what came back

    def check(self, spec: TableSpec, stage: sa.Table, rows: int) -> None:
        """Compare the rows of a stage with what the database holds.

        Raises:
            DatabaseChangedError: A row is not there, or a column holds another value.
        """
        self.database.step = f"comparing {spec.name}"
        table = self.database.table(spec.name)
        beside = table.join(stage, same_key(table, stage, spec))
        count = sa.func.count()
        held = sa.select(count).select_from(beside).where(is_equal(table, stage, spec))
        if self.scalar(held) == rows:
            return
        there = self.scalar(sa.select(count).select_from(beside))
        raise DatabaseChangedError.by_itself(
            self.database.url, spec.name, self.count_columns(spec, stage), rows - there
        )

    def count_columns(self, spec: TableSpec, stage: sa.Table) -> Mapping[str, int]:
        """Count by column the rows in which the database holds another value than a stage."""
        table = self.database.table(spec.name)
        sums = [sa.func.sum(sa.case((each, 1), else_=0)) for each in differs(table, stage, spec)]
        beside = table.join(stage, same_key(table, stage, spec))
        row = self.connection.execute(sa.select(*sums).select_from(beside)).one()
        names = [name for name in spec.columns if name != spec.primary_key]
        return {name: int(found) for name, found in zip(names, row) if found}

    def _check_gone(self, spec: TableSpec, stage: sa.Table) -> None:
        self.database.step = f"comparing {spec.name}"
        table = self.database.table(spec.name)
        query = sa.select(sa.func.count()).select_from(stage)
        back = self.scalar(query.where(has_key_of(stage, table, spec)))
        if back:
            raise DatabaseChangedError.by_itself(self.database.url, spec.name, {}, back)
