"""What a commit of a run is made of: a snapshot, or what changed in the tables that are stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional, Protocol

import pandas as pd

from aspen_etl.changes import Changes
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import Commit, CommitKind, SourceRecord
from aspen_etl.store.held_tables import HeldTable
from aspen_etl.store.stored import KeyEntry, LandingRecord, SideRecord, Stored
from aspen_etl.transform.keys import Retired

__all__ = [
    "Amended",
    "Contents",
    "Counted",
    "Landed",
    "Put",
    "Sides",
    "Tables",
    "Whole",
    "put_keys",
]


class Put(NamedTuple):
    """Say what was written for a commit.

    Attributes:
        tables: Where the tables are that were written.
        keys: The keys of all tables that give keys.
        parts: In how many parts the rows of subjects are stored now.
    """

    tables: Mapping[str, Stored]
    keys: Mapping[str, KeyEntry]
    parts: int


class Tables(Protocol):
    """Give the tables after a run, and the keys of rows that are gone."""

    def put(self, attempt: Attempt, names: Collection[str], base: Optional[Commit]) -> Put:
        """Write tables, and the keys of rows that are gone.

        Args:
            attempt: What writes.
            names: The tables that must be written, all of them or none.
            base: The commit that is followed.
        """


class Landed(Protocol):
    """Give what is known of a landing folder after a run."""

    @property
    def due(self) -> bool:
        """Whether it is committed also where no table changed."""

    def put(self, attempt: Attempt, base: Optional[LandingRecord]) -> LandingRecord:
        """Write what changed since the record before.

        Args:
            attempt: What writes.
            base: The record of the commit that is followed, if it has one.
        """


class Sides(Protocol):
    """Give what is accounted for of each side of a two-way sync, after a run."""

    def put(
        self, attempt: Attempt, base: Optional[Mapping[str, SideRecord]]
    ) -> Mapping[str, SideRecord]:
        """Write what stands nowhere yet; give the records of all sides.

        Args:
            attempt: What writes.
            base: The records of the commit that is followed, if it has some.
        """


class Counted(Protocol):
    """Count what changed in a table."""

    @property
    def counts(self) -> dict[str, int]:
        """The rows inserted, updated and deleted."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""


@dataclass(frozen=True)
class Contents:
    """Hold what a commit of a run is made of.

    Attributes:
        tables: What the run made, from the state of the parent on.
        changes: What changed since; a table without a change stays where it is.
        rejects: The rejects.
        reject_counts: How many there are, by rule.
        source: What it was made of.
        landing: What is known of the landing folder that it was made of, if it was one.
        sides: What is accounted for of the sides, where the store is two-way.
        kind: What was done.
    """

    tables: Tables
    changes: Mapping[str, Counted]
    rejects: Optional[pd.DataFrame] = None
    reject_counts: Sequence[Mapping[str, Any]] = ()
    source: Optional[SourceRecord] = None
    landing: Optional[Landed] = None
    sides: Optional[Sides] = None
    kind: CommitKind = "sync"


@dataclass(frozen=True)
class Whole:
    """Hold all tables.

    Attributes:
        snapshot: What ``normalize`` made.
        model: What its tables are.
    """

    snapshot: Snapshot
    model: Model = field(repr=False)

    def put(self, attempt: Attempt, names: Collection[str], base: Optional[Commit]) -> Put:
        """Write some tables, and the keys of rows that are gone."""
        frames = {name: self.snapshot.tables[name] for name in names}
        tables = attempt.tables(frames, self.model.tables)
        specs = ((self.model.tables[name], state) for name, state in self.snapshot.keys.items())
        keys = (
            (table, Retired.of(state, self.snapshot.tables[table.name], table))
            for table, state in specs
        )
        return _in_one_part(tables, put_keys(attempt, keys, base), base)


@dataclass(frozen=True)
class Amended:
    """Hold the tables that are stored, which are written with what changed in them.

    Attributes:
        held: The tables before.
        changes: What changed in them.
        keys: The next numbers and the retired keys after.
    """

    held: Mapping[str, HeldTable] = field(repr=False)
    changes: Changes = field(repr=False)
    keys: Mapping[str, Retired] = field(repr=False)

    def put(self, attempt: Attempt, names: Collection[str], base: Optional[Commit]) -> Put:
        """Write some tables, and the keys of rows that are gone."""
        tables = {name: found.table for name, found in self.changes.items()}
        written = {name: self.held[name].after(self.changes[name]) for name in names}
        stored = attempt.tables({}, tables, written)
        keys = ((tables[name], found) for name, found in self.keys.items())
        return _in_one_part(stored, put_keys(attempt, keys, base), base)


def put_keys(
    attempt: Attempt, keys: Iterable[tuple[TableSpec, Retired]], base: Optional[Commit], /
) -> dict[str, KeyEntry]:
    """Write the keys of tables whose row is gone, unless they stand there already.

    Args:
        attempt: What writes.
        keys: The next number and the retired keys of each table.
        base: The commit that is followed.
    """
    before = base.keys if base else {}
    return {table.name: attempt.keys(table, found, before.get(table.name)) for table, found in keys}


def _in_one_part(
    tables: Mapping[str, Stored], keys: Mapping[str, KeyEntry], base: Optional[Commit]
) -> Put:
    """Tell that what was written is in one part; nothing, where nothing was."""
    same = base is not None and not tables and base.keys.items() >= keys.items()
    return Put(tables, keys, base.parts if base is not None and same else 1)
