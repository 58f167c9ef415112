"""One load as one transaction: what a database is to hold, and the way to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import pandas as pd
from sqlalchemy import exc

from aspen_etl.changes import Changes
from aspen_etl.columns.frames import held_frames
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.schema.policy import Policy
from aspen_etl.sql.comparing import Base, compare_all
from aspen_etl.sql.database import Database, LoadState
from aspen_etl.sql.deciding import Decided
from aspen_etl.sql.guarding import DriftError
from aspen_etl.sql.merging import Merge
from aspen_etl.sql.moving import move_after_commit, move_identities
from aspen_etl.sql.reports import LoadOutcome, LoadReport
from aspen_etl.store.commit import library_version

__all__ = ["Wanted", "peek", "state_of", "write"]

_NOTHING = Decided(None, None)


@dataclass(frozen=True)
class Wanted:
    """What a database is to hold.

    Attributes:
        version: The version of the store, if it comes from one.
        token: The commit's own token.
        next_keys: The lowest number that the database may give, by table.
        frames: All rows, or none where the difference is enough.
        changes: The difference to what the database says it holds.
        before: The rows of each table that it should hold.
        base: What the last load left in it, where that is known.
        policy: What becomes of rows that somebody else wrote.
        overwrite: Whether all rows are written over, whosever they are.
    """

    version: Optional[int]
    token: Optional[str]
    next_keys: Mapping[str, int]
    frames: Optional[Mapping[str, pd.DataFrame]] = None
    changes: Optional[Changes] = None
    before: Optional[Mapping[str, int]] = None
    base: Optional[Base] = None
    policy: Policy = field(default_factory=Policy)
    overwrite: bool = False


def peek(database: Database) -> Optional[LoadState]:
    """Read which commit a database says that it holds."""
    database.step = "asking what the database holds"
    with database.reading() as connection:
        return database.state(connection)


def state_of(database: Database, version: Optional[int], token: Optional[str]) -> LoadState:
    """Give what a database shall say that it holds."""
    model = json.dumps(describe_tables(database.model), sort_keys=True)
    return LoadState(version, token, model, library_version())


def write(database: Database, wanted: Wanted, state: Optional[LoadState]) -> Optional[LoadReport]:
    """Write what is wanted, or give none where another loader was there since ``state``.

    Raises:
        DriftError: The difference was not enough.
        DatabaseChangedError: Somebody else wrote, or the database itself changed what was written.
    """
    database.step = "waiting for other loaders"
    with database.writing() as connection:
        if database.state(connection, lock=True) != state:
            return None
        merge = Merge(database, connection)
        outcome, decided = _merge(merge, wanted)
        moved = move_identities(database, connection, wanted.next_keys)
        database.step = "committing"
        database.set_state(connection, state_of(database, wanted.version, wanted.token))
    database.committed = True
    moved += move_after_commit(database, wanted.next_keys)
    return LoadReport(
        outcome,
        wanted.version,
        merge.counts,
        conflicts=decided.conflicts,
        held=decided.held,
        identities=moved,
    )


def _merge(merge: Merge, wanted: Wanted) -> tuple[LoadOutcome, Decided]:
    if wanted.changes is not None and wanted.before is not None:
        try:
            merge.apply(wanted.changes, wanted.before)
        except exc.IntegrityError:
            pass  # a key or a reference is not what it was
        else:
            return "changed", _NOTHING
        raise DriftError
    frames = held_frames(wanted.frames or {})
    has_left_nothing = wanted.base is None or not wanted.base.rows
    if (wanted.overwrite or has_left_nothing) and merge.is_empty():
        merge.fill(frames)
        return "filled", _NOTHING
    if not wanted.overwrite:
        return compare_all(merge, frames, wanted.base, wanted.policy)
    if merge.overwrite(frames):
        return "compared", _NOTHING
    merge.replace(frames)
    return "replaced", _NOTHING
