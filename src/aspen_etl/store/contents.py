"""What a commit of a run is made of: a snapshot, or what changed in the tables that are stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

import pandas as pd

from aspen_etl.changes import Changes
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import SourceRecord, Stored
from aspen_etl.store.held_tables import HeldTable
from aspen_etl.transform.keys import Retired

__all__ = ["Amended", "Contents", "Tables", "Whole"]


class Tables(Protocol):
    """Give the tables after a run, and the keys of rows that are gone."""

    @property
    def keyed(self) -> Iterable[str]:
        """The tables whose keys are given."""

    def put(self, attempt: Attempt, names: Collection[str], changes: Changes) -> dict[str, Stored]:
        """Write some tables, all of them or none."""

    def retired(self, table: TableSpec) -> Retired:
        """Give the next number of a table, and its retired keys."""


@dataclass(frozen=True)
class Contents:
    """Hold what a commit of a run is made of.

    Attributes:
        tables: What the run made, from the state of the parent on.
        changes: What changed since; a table without a change stays where it is.
        rejects: The rejects.
        reject_counts: How many there are, by rule.
        source: What it was made of.
    """

    tables: Tables
    changes: Changes
    rejects: Optional[pd.DataFrame] = None
    reject_counts: Sequence[Mapping[str, Any]] = ()
    source: Optional[SourceRecord] = None


@dataclass(frozen=True)
class Whole:
    """Hold all tables.

    Attributes:
        snapshot: What ``normalize`` made.
        model: What its tables are.
    """

    snapshot: Snapshot
    model: Model = field(repr=False)

    @property
    def keyed(self) -> Iterable[str]:
        """The tables whose keys are given."""
        return self.snapshot.keys

    def put(self, attempt: Attempt, names: Collection[str], _changes: Changes) -> dict[str, Stored]:
        """Write some tables."""
        frames = {name: self.snapshot.tables[name] for name in names}
        return attempt.tables(frames, self.model.tables)

    def retired(self, table: TableSpec) -> Retired:
        """Give the next number of a table, and its retired keys."""
        state = self.snapshot.keys[table.name]
        return Retired.of(state, self.snapshot.tables[table.name], table)


@dataclass(frozen=True)
class Amended:
    """Hold the tables that are stored, which are written with what changed in them.

    Attributes:
        held: The tables before.
        keys: The next numbers and the retired keys after.
    """

    held: Mapping[str, HeldTable] = field(repr=False)
    keys: Mapping[str, Retired] = field(repr=False)

    @property
    def keyed(self) -> Iterable[str]:
        """The tables whose keys are given."""
        return self.keys

    def put(self, attempt: Attempt, names: Collection[str], changes: Changes) -> dict[str, Stored]:
        """Write some tables."""
        tables = {name: found.table for name, found in changes.items()}
        written = {name: self.held[name].after(changes[name]) for name in names}
        return attempt.tables({}, tables, written)

    def retired(self, table: TableSpec) -> Retired:
        """Give the next number of a table, and its retired keys."""
        return self.keys[table.name]
