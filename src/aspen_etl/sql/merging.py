"""Bring the tables of a database to a wanted state, touching only rows that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa

from aspen_etl.changes import Changes
from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.guarding import DriftError, Writer
from aspen_etl.sql.staging import any_differs, has_key_of, is_equal, same_key

__all__ = ["Merge"]


class Merge(Writer):
    """Write into the tables of a database, within one transaction."""

    def fill(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Insert all rows, in reference order, and compare what came back.

        Raises:
            DatabaseChangedError: The database holds other values than were written.
        """
        for spec, _ in self.tables():
            frame = frames[spec.name]
            if len(frame):
                with self.staged(spec, frame, key=False) as stage:
                    self.run_insert(spec, stage)
                    self.check(spec, stage, len(frame))

    def replace(self, frames: Mapping[str, pd.DataFrame]) -> None:
        """Delete all rows, in reverse order, and insert all."""
        for spec, _ in reversed(self.tables()):
            self.run_delete(spec, sa.true())
        self.fill(frames)

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
        self.write(changes)

    # ------------------------------------------------------------------------- all rows

    def overwrite(self, frames: Mapping[str, pd.DataFrame]) -> bool:
        """Compare every row within the database, and write those that differ, whosever they are.

        Returns:
            Whether it could: where a key is that of another row now, nothing was written.
        """
        stages = self.stage_all(frames)
        has_other_keys = any(
            self.has_other_keys(spec, stages[spec.name])
            for spec, _ in self.tables()
            if spec.has_surrogate_key
        )
        if not has_other_keys:
            self._write_all(stages, {name: len(frame) for name, frame in frames.items()})
        for stage in stages.values():
            self.drop(stage)
        return not has_other_keys

    def _write_all(self, stages: Mapping[str, sa.Table], rows: Mapping[str, int]) -> None:
        for spec, table in self.tables():
            stage = stages[spec.name]
            self.run_update(spec, stage, any_differs(table, stage, spec))
            self.run_insert(spec, stage, ~has_key_of(stage, table, spec))
        for spec, table in reversed(self.tables()):
            self.run_delete(spec, ~has_key_of(table, stages[spec.name], spec))
        for spec, _ in self.tables():
            if any(self.counts[spec.name].values()):
                self.check(spec, stages[spec.name], rows[spec.name])

    def stage_all(self, frames: Mapping[str, pd.DataFrame]) -> dict[str, sa.Table]:
        """Put all rows into temporary tables."""
        return {spec.name: self.stage(spec, frames[spec.name]) for spec, _ in self.tables()}

    def has_other_keys(self, spec: TableSpec, stage: sa.Table) -> bool:
        """Tell whether a key and a natural key belong together differently here and there."""
        self.database.step = f"comparing {spec.name}"
        table = self.database.table(spec.name)
        one_key, one_name = same_key(table, stage, spec), self.same_name(spec, stage)
        for joined, other in ((one_key, ~one_name), (one_name, ~one_key)):
            query = sa.select(sa.literal(1)).select_from(table.join(stage, joined)).where(other)
            if self.connection.execute(query.limit(1)).first() is not None:
                return True
        return False

    def same_name(self, spec: TableSpec, stage: sa.Table) -> Any:
        """Say that two rows have one natural key."""
        return is_equal(self.database.table(spec.name), stage, spec, spec.natural_key)
