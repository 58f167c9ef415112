"""Hold each row that differs from what is wanted against what the database was left with.

A row that still is what was loaded last is ours to write; any other one is somebody else's, and a
conflict. So is one that only the database has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.changes import TableChanges
from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.schema.spec import TableSpec
from aspen_etl.sql.guarding import Writer
from aspen_etl.sql.staging import any_differs, has_key_of, is_equal, keys_of, same_key

__all__ = ["NO_KIND", "Differing", "Found", "differing", "hold_against"]

#: What is no conflict.
NO_KIND = ""


@dataclass(frozen=True)
class Differing:
    """The keys of one table whose rows differ from what is wanted.

    Attributes:
        changed: Those that both have.
        extra: Those that only the database has.
        missing: Those that it does not have.
    """

    changed: pd.Series = field(repr=False)
    extra: pd.Series = field(repr=False)
    missing: pd.Series = field(repr=False)

    def __len__(self) -> int:
        return len(self.changed) + len(self.extra) + len(self.missing)


@dataclass(frozen=True)
class Found:
    """What is known of the differing rows of one table, one entry each, in any order.

    Attributes:
        spec: The table.
        keys: The keys.
        is_there: Whether the database has a row of that key.
        before: The row of the base, or -1.
        after: The row of what is wanted, or -1.
        kinds: The kind of conflict of each; nothing where it is none.
        base: All rows of the base.
        wanted: All rows that are wanted.
        columns: In how many rows somebody else changed a column, by column.
    """

    spec: TableSpec
    keys: pd.Series = field(repr=False)
    is_there: Mask = field(repr=False)
    before: Positions = field(repr=False)
    after: Positions = field(repr=False)
    kinds: Any = field(repr=False)
    base: pd.DataFrame = field(repr=False)
    wanted: pd.DataFrame = field(repr=False)
    columns: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_conflict(self) -> Mask:
        """Which of the rows are conflicts."""
        found: Mask = self.kinds != NO_KIND
        return found

    @property
    def counts(self) -> dict[str, int]:
        """The conflicts by kind."""
        names, counts = np.unique(self.kinds[self.is_conflict].astype(str), return_counts=True)
        return {str(name): int(count) for name, count in zip(names, counts)}

    def changes(self, chosen: Mask, *, is_known: bool) -> TableChanges:
        """Give what is to be written of some of the rows.

        Args:
            chosen: Which.
            is_known: Whether those that the database has are as they were; else only the keys of
                those that go are given.
        """
        wanted = self.after >= 0
        new = np.flatnonzero(chosen & ~self.is_there & wanted)
        updated = np.flatnonzero(chosen & self.is_there & wanted)
        gone = np.flatnonzero(chosen & self.is_there & ~wanted)
        key = self.spec.primary_key
        deleted = make_frame({key: COLUMNS.take(self.keys, gone)}, pd.RangeIndex(len(gone)))
        if is_known:
            deleted = take_rows(self.base, self.before[gone])
        return TableChanges(
            take_rows(self.wanted, self.after[new]),
            take_rows(self.wanted, self.after[updated]),
            deleted,
            self.spec,
            take_rows(self.base, self.before[updated]) if is_known else None,
        )


# ----------------------------------------------------------------------------- looking


def differing(writer: Writer, spec: TableSpec, stage: sa.Table) -> Differing:
    """Find the rows of a table that differ from those of a stage, within the database."""
    writer.database.step = f"comparing {spec.name}"
    table = writer.database.table(spec.name)
    key, staged = table.c[spec.primary_key], stage.c[spec.primary_key]
    beside = table.join(stage, same_key(table, stage, spec))
    changed = sa.select(key).select_from(beside).where(any_differs(table, stage, spec))
    extra = sa.select(key).where(~has_key_of(table, stage, spec))
    missing = sa.select(staged).where(~has_key_of(stage, table, spec))
    return Differing(*(keys_of(writer.column(each), spec) for each in (changed, extra, missing)))


def hold_against(
    writer: Writer,
    spec: TableSpec,
    found: Differing,
    base: pd.DataFrame,
    wanted: pd.DataFrame,
) -> Found:
    """Tell of each differing row whether it still is what was loaded last."""
    key = spec.primary_key
    keys = COLUMNS.concat([found.changed, found.extra, found.missing])
    is_there = np.arange(len(keys)) < len(found.changed) + len(found.extra)
    before, after = find_rows([keys], [base[key]]), find_rows([keys], [wanted[key]])
    known, is_wanted = before >= 0, after >= 0
    held, columns = _still(writer, spec, take_rows(base, before[is_there & known]))
    moved = is_there & known & (find_rows([keys], [held]) < 0)
    same = _same(spec, base, wanted, before, after)
    kinds = np.full(len(keys), NO_KIND, dtype=object)
    kinds[moved & same] = "changed"
    kinds[moved & is_wanted & ~same] = "both_changed"
    kinds[moved & ~is_wanted] = "changed_and_deleted"
    kinds[is_there & ~known & is_wanted] = "both_inserted"
    kinds[is_there & ~known & ~is_wanted] = "inserted"
    kinds[~is_there & known & same] = "deleted"
    kinds[~is_there & known & ~same] = "deleted_and_changed"
    return Found(spec, keys, is_there, before, after, kinds, base, wanted, columns)


def _still(
    writer: Writer, spec: TableSpec, rows: pd.DataFrame
) -> tuple[pd.Series, Mapping[str, int]]:
    """Give the keys of the rows that the database still holds, and what others changed."""
    if not len(rows):
        return keys_of([], spec), {}
    with writer.staged(spec, rows, "was") as stage:
        table = writer.database.table(spec.name)
        beside = table.join(stage, same_key(table, stage, spec))
        query = sa.select(table.c[spec.primary_key]).select_from(beside)
        held = keys_of(writer.column(query.where(is_equal(table, stage, spec))), spec)
        return held, {} if len(held) == len(rows) else writer.count_columns(spec, stage)


def _same(
    spec: TableSpec, base: pd.DataFrame, wanted: pd.DataFrame, before: Positions, after: Positions
) -> Mask:
    """Tell of which keys the base and what is wanted have one and the same row."""
    both = np.flatnonzero((before >= 0) & (after >= 0))
    differs = np.zeros(len(both), dtype=bool)
    for name in spec.columns:
        differs |= COLUMNS.differ(base[name], wanted[name], before[both], after[both])
    out = np.zeros(len(before), dtype=bool)
    out[both] = ~differs
    return out
