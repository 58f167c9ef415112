"""Load tables or a store's commit into a database: one transaction, equal rows untouched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Optional, Union

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import exc

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes
from aspen_etl.errors import AspenETLError, ConflictError, NotSupportedError, VersionNotFoundError
from aspen_etl.io.calling import retry
from aspen_etl.io.waiting import Seconds
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.schema.model import Model
from aspen_etl.schema.validation import validate
from aspen_etl.sql.creating import make_tables
from aspen_etl.sql.database import Database, LoadState
from aspen_etl.sql.merging import DriftError, Merge, move_after_commit, move_identities
from aspen_etl.sql.reading import LoadOutcome, LoadReport
from aspen_etl.store.commit import Commit, library_version
from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = ["load"]

#: How often a load begins anew since another one was faster.
_TRIES = 5
_SLOWER = f"{_TRIES} others were faster"


def load(
    source: Union[SnapshotStore, Mapping[str, pd.DataFrame]],
    engine: sa.Engine,
    /,
    *,
    version: Optional[int] = None,
    model: Optional[Model] = None,
    schema: Optional[str] = None,
    compare: bool = False,
    pin: Optional[str] = None,
    lock_timeout: Optional[Seconds] = None,
) -> LoadReport:
    """Bring a database to the state of tables or of a store's commit, in one transaction.

    Rows that are equal are not touched. The database remembers which commit it is at: loading
    the same commit again does nothing, and of a newer one the difference is applied. Where that
    cannot be (the old version was vacuumed or purged, or somebody else changed rows, which their
    number tells), every row is compared. Rows that the source does not have are deleted.

    Args:
        source: A store, or tables by name such as ``NormalizeResult.tables``.
        engine: A SQLAlchemy engine of PostgreSQL, MariaDB, MySQL, SQL Server or SQLite.
        version: The version of the store; by default the newest. An older one than the
            database's is loaded only if it is named.
        model: The model of the tables; a store brings its own.
        schema: The database schema, which must be there; by default that of the connection.
        compare: Compare every row, whatever the database says it holds.
        pin: A name under which the store keeps the version that the database is at, so that
            vacuum leaves it and the next load can apply the difference. Needs to write there.
        lock_timeout: For how long a statement waits for a lock that somebody else holds: seconds,
            or a ``timedelta``. By default as long as the connection is set to, and 60 seconds
            where the database would wait for ever.

    Returns:
        What was done.

    Raises:
        VersionNotFoundError: The store has no such version.
        ValidationError: The tables break their schema, a key or a reference.
        ModelMismatchError: The database holds tables that the model cannot continue.
        ConflictError: Somebody else held a lock for too long; the text says who, as far as
            the database tells.
        DatabaseError: The database cannot be reached or refused; it holds what it held before.

    Examples:
        >>> import datetime, sqlalchemy
        >>> import aspen_etl as ae
        >>> run = ae.Run(time=datetime.datetime.now(datetime.timezone.utc), actor="me")
        >>> engine = sqlalchemy.create_engine("sqlite://")
        >>> extract = ae.Extract(
        ...     borrower=pd.DataFrame(columns=list(ae.BORROWER_MODEL.sources["borrower"].columns)),
        ...     role_profile=pd.DataFrame(columns=["borrower_id", "role_profile"]),
        ... )
        >>> load(ae.normalize(extract, run=run).tables, engine).outcome
        'filled'
        >>> engine.dispose()
    """
    if isinstance(source, SnapshotStore):
        if model not in (None, source.model):
            msg = "a store brings its own model; give model= to SnapshotStore(...)"
            raise NotSupportedError(msg)
        database = Database(engine, source.model, schema, lock_timeout)
        return _from_store(source, database, version, pin, compare)
    if version is not None or pin is not None:
        msg = "tables have no version; give version= and pin= with a SnapshotStore"
        raise NotSupportedError(msg)
    model = model or BORROWER_MODEL
    database = Database(engine, model, schema, lock_timeout)
    frames = dict(validate(source, model=model))
    created = make_tables(database)
    keys = {
        name: int(frames[name][table.primary_key].max()) + 1
        for name, table in model.tables.items()
        if table.has_surrogate_key and len(frames[name])
    }
    wanted = _Wanted(None, None, keys, frames)

    def step() -> LoadReport:
        state = database.run(_peek, database)
        return _first(database, database.run(_write, database, wanted, state))

    return replace(retry(step, tries=_TRIES, again=_was_slower), created=created)


@dataclass(frozen=True)
class _Wanted:
    """What a database is to hold.

    Attributes:
        version: The version of the store, if it comes from one.
        token: The commit's own token.
        next_keys: The number that the next new row gets, by table.
        frames: All rows, or none where the difference is enough.
        changes: The difference to what the database says it holds.
        before: The rows of each table that it should hold.
    """

    version: Optional[int]
    token: Optional[str]
    next_keys: Mapping[str, int]
    frames: Optional[Mapping[str, pd.DataFrame]] = None
    changes: Optional[Changes] = None
    before: Optional[Mapping[str, int]] = None


# ----------------------------------------------------------------------------- from a store


def _from_store(
    store: SnapshotStore,
    database: Database,
    version: Optional[int],
    pin: Optional[str],
    compare: bool,  # noqa: FBT001 - handed on
) -> LoadReport:
    store.find(version)  # no table is made for a store that has nothing
    created = make_tables(database)

    def step() -> LoadReport:
        commit = store.find(version)
        state = database.run(_peek, database)
        held = None if compare else _held(store, state)
        if held and _is_at(held, commit, exactly=version is not None):
            return _unchanged(database, held.version)
        return _first(database, _bring(store, database, commit, held, state))

    report = retry(step, tries=_TRIES, again=_was_slower)
    if pin is not None and report.version is not None:
        store.pin(pin, report.version)
    return replace(report, created=created)


def _first(database: Database, report: Optional[LoadReport]) -> LoadReport:
    """Give a report, or raise where another loader was faster."""
    if report is None:
        raise ConflictError.load(database.url, "loading", _SLOWER)
    return report


def _was_slower(error: AspenETLError) -> bool:
    """Tell whether another loader came first, and not that a lock was not to be had."""
    return isinstance(error, ConflictError) and error.details["reason"] == _SLOWER


def _is_at(held: Commit, commit: Commit, *, exactly: bool) -> bool:
    """Tell whether a database needs nothing: by default, a newer commit will do too."""
    return held.version == commit.version if exactly else held.version >= commit.version


def _bring(
    store: SnapshotStore,
    database: Database,
    commit: Commit,
    held: Optional[Commit],
    state: Optional[LoadState],
) -> Optional[LoadReport]:
    difference = _difference(store, held, commit)
    if difference is not None:
        try:
            return database.run(_write, database, difference, state)
        except DriftError:
            pass
    everything = _everything(store, commit)
    return database.run(_write, database, everything, state)


def _held(store: SnapshotStore, state: Optional[LoadState]) -> Optional[Commit]:
    """Find the commit that a database holds, where it is one of this store."""
    if state is None or state.version is None:
        return None
    try:
        commit = store.find(state.version)
    except VersionNotFoundError:
        return None
    return commit if commit.token == state.token else None


def _difference(store: SnapshotStore, held: Optional[Commit], commit: Commit) -> Optional[_Wanted]:
    """Read what changed between two commits, or give none where only all rows will do."""
    if held is None:
        return None
    try:
        changes = store.diff(held.version, commit.version)
    except VersionNotFoundError:
        return None
    before = {
        name: held.tables[name].rows if name in held.tables else 0 for name in store.model.tables
    }
    return _Wanted(commit.version, commit.token, _next(commit), None, changes, before)


def _everything(store: SnapshotStore, commit: Commit) -> _Wanted:
    frames = store.read(commit.version).tables
    return _Wanted(commit.version, commit.token, _next(commit), frames)


def _next(commit: Commit) -> dict[str, int]:
    return {name: entry.next for name, entry in commit.keys.items()}


# ----------------------------------------------------------------------------- writing


def _peek(database: Database) -> Optional[LoadState]:
    database.step = "asking what the database holds"
    with database.reading() as connection:
        return database.state(connection)


def _write(database: Database, wanted: _Wanted, state: Optional[LoadState]) -> Optional[LoadReport]:
    """Write what is wanted, or give none where another loader was there since ``state``."""
    database.step = "waiting for other loaders"
    with database.writing() as connection:
        if database.state(connection, lock=True) != state:
            return None
        merge = Merge(database, connection)
        outcome = _merge(merge, wanted)
        move_identities(database, connection, wanted.next_keys)
        database.step = "committing"
        model = json.dumps(describe_tables(database.model), sort_keys=True)
        new = LoadState(wanted.version, wanted.token, model, library_version())
        database.set_state(connection, new)
    database.committed = True
    move_after_commit(database, wanted.next_keys)
    return LoadReport(outcome, wanted.version, merge.counts)


def _merge(merge: Merge, wanted: _Wanted) -> LoadOutcome:
    if wanted.changes is not None and wanted.before is not None:
        try:
            merge.apply(wanted.changes, wanted.before)
        except exc.IntegrityError:
            pass  # a key or a reference is not what it was
        else:
            return "changed"
        raise DriftError
    frames = wanted.frames or {}
    if merge.is_empty():
        merge.fill(frames)
        return "filled"
    if merge.compare(frames):
        return "compared"
    merge.replace(frames)
    return "replaced"


def _unchanged(database: Database, version: int) -> LoadReport:
    nothing = {"inserted": 0, "updated": 0, "deleted": 0}
    return LoadReport("unchanged", version, {name: dict(nothing) for name in database.model.tables})
