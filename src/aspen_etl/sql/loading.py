"""Load tables or a store's commit into a database: one transaction, equal rows untouched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional, Union

import pandas as pd
import sqlalchemy as sa

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import (
    AspenETLError,
    ConflictError,
    NotSupportedError,
    TwoWayError,
    VersionNotFoundError,
)
from aspen_etl.io.calling import retry
from aspen_etl.io.waiting import Seconds
from aspen_etl.schema.model import Model
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.validation import validate
from aspen_etl.sql.comparing import Base
from aspen_etl.sql.creating import make_tables
from aspen_etl.sql.database import Database, LoadState
from aspen_etl.sql.guarding import DriftError
from aspen_etl.sql.pinning import pinned
from aspen_etl.sql.reports import LoadReport
from aspen_etl.sql.writing import Wanted, peek, write
from aspen_etl.store.commit import Commit
from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = ["load"]

#: How often a load begins anew since another one was faster.
_TRIES = 5
_SLOWER = f"{_TRIES} others were faster"


def load(  # noqa: PLR0913 - what a load is told, each by name
    source: Union[SnapshotStore, Mapping[str, pd.DataFrame]],
    engine: sa.Engine,
    /,
    *,
    version: Optional[int] = None,
    model: Optional[Model] = None,
    schema: Optional[str] = None,
    compare: bool = False,
    overwrite: bool = False,
    policy: Optional[Policy] = None,
    pin: Optional[str] = None,
    lock_timeout: Optional[Seconds] = None,
) -> LoadReport:
    """Bring a database to the state of tables or of a store's commit, in one transaction.

    Rows that are equal are not touched. The database remembers which commit it is at: loading
    the same commit again does nothing, and of a newer one the difference is applied. Where that
    cannot be, every row is compared. Each row that is written or deleted is first held against
    the commit that the database is at: where it is another one, somebody else wrote it, and
    ``policy`` says what becomes of it. What the database made of the rows is compared, too.

    Args:
        source: A store, or tables by name such as ``NormalizeResult.tables``.
        engine: A SQLAlchemy engine of PostgreSQL, MariaDB, MySQL, SQL Server or SQLite.
        version: The version of the store; by default the newest. An older one than the
            database's is loaded only if it is named.
        model: The model of the tables; a store brings its own.
        schema: The database schema, which must be there; by default that of the connection.
        compare: Compare every row, whatever the database says it holds.
        overwrite: Compare every row, and write over what somebody else wrote.
        policy: What becomes of rows that somebody else wrote since the last load. ``refuse``, the
            default, loads nothing. ``hold`` and ``new`` leave them as the database has them, with
            the rows of the same subject that refer to them; ``old`` writes over them.
        pin: A name under which the store keeps the version that the database is at, so that
            vacuum leaves it; by default one that is made of the database's url.
        lock_timeout: For how long a statement waits for a lock that somebody else holds: seconds,
            or a ``timedelta``. By default as long as the connection is set to, and 60 seconds
            where the database would wait for ever.

    Returns:
        What was done.

    Raises:
        VersionNotFoundError: The store has no such version.
        ValidationError: The tables break their schema, a key or a reference.
        ModelMismatchError: The database holds tables that the model cannot continue.
        DatabaseChangedError: Somebody else wrote what the load would write over, or nobody can
            tell, or a trigger changes what is written; nothing of the load is in the database.
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
    policy = _checked(policy)
    if isinstance(source, SnapshotStore):
        if model not in (None, source.model):
            msg = "a store brings its own model; give model= to SnapshotStore(...)"
            raise NotSupportedError(msg)
        database = Database(engine, source.model, schema, lock_timeout)
        loader = _Loader(source, database, policy, overwrite=overwrite, compare=compare)
        return pinned(loader.load(version), source, database, pin)
    if version is not None or pin is not None:
        msg = "tables have no version; give version= and pin= with a SnapshotStore"
        raise NotSupportedError(msg)
    model = model or BORROWER_MODEL
    database = Database(engine, model, schema, lock_timeout)
    frames = dict(validate(source, model=model))
    created = make_tables(database)
    wanted = Wanted(None, None, {}, frames, policy=policy, overwrite=overwrite)

    def step() -> LoadReport:
        state = database.run(peek, database)
        return _first(database, _write_all(database, wanted, state))

    return replace(retry(step, tries=_TRIES, again=_was_slower), created=created)


def _checked(policy: Optional[Policy]) -> Policy:
    policy = policy or Policy()
    if "newest" in (policy.default, *policy.kinds.values(), *policy.units.values()):
        msg = "a load cannot tell which row is newer: use refuse, hold, old or new in its policy"
        raise NotSupportedError(msg)
    return policy


def _first(database: Database, report: Optional[LoadReport]) -> LoadReport:
    """Give a report, or raise where another loader was faster."""
    if report is None:
        raise ConflictError.load(database.url, "loading", _SLOWER)
    return report


def _was_slower(error: AspenETLError) -> bool:
    """Tell whether another loader came first, and not that a lock was not to be had."""
    return isinstance(error, ConflictError) and error.details["reason"] == _SLOWER


def _write_all(
    database: Database, wanted: Wanted, state: Optional[LoadState]
) -> Optional[LoadReport]:
    """Compare all rows; none where somebody wrote in the meantime."""
    try:
        return database.run(write, database, wanted, state)
    except DriftError:
        return None


# ----------------------------------------------------------------------------- from a store


class _Loader:
    """Load commits of a store."""

    def __init__(
        self,
        store: SnapshotStore,
        database: Database,
        policy: Policy,
        *,
        overwrite: bool,
        compare: bool,
    ) -> None:
        self.store, self.database, self.policy = store, database, policy
        self.overwrite, self.compare = overwrite, compare or overwrite

    def load(self, version: Optional[int]) -> LoadReport:
        """Load a version; begin anew where another loader was faster."""
        self.store.find(version)  # no table is made for a store that has nothing
        self._refuse_two_way()
        created = make_tables(self.database)

        def step() -> LoadReport:
            commit = self.store.find(version)
            state = self.database.run(peek, self.database)
            held = self._held(state)
            if held and not self.compare and _is_at(held, commit, exactly=version is not None):
                return _unchanged(self.database, held.version)
            return _first(self.database, self._bring(commit, held, state))

        return replace(retry(step, tries=_TRIES, again=_was_slower), created=created)

    def _refuse_two_way(self) -> None:
        """Refuse to write over a side of a two-way store."""
        newest = self.store.newest()
        if newest is None or newest.sides is None:
            return
        # Rows that a policy leaves as they are would be taken for what was loaded.
        if self.overwrite or self.policy != Policy():
            raise TwoWayError.refused(self.store.url, "load with overwrite= or policy=")

    def _bring(
        self, commit: Commit, held: Optional[Commit], state: Optional[LoadState]
    ) -> Optional[LoadReport]:
        difference = None if self.compare else self._difference(held, commit)
        if difference is not None:
            try:
                return self.database.run(write, self.database, difference, state)
            except DriftError:
                pass
        return _write_all(self.database, self._everything(held, commit), state)

    def _held(self, state: Optional[LoadState]) -> Optional[Commit]:
        """Find the commit that a database holds, where it is one of this store."""
        if state is None or state.version is None:
            return None
        try:
            commit = self.store.find(state.version)
        except VersionNotFoundError:
            return None
        return commit if commit.token == state.token else None

    def _difference(self, held: Optional[Commit], commit: Commit) -> Optional[Wanted]:
        """Read what changed between two commits, or give none where only all rows will do."""
        if held is None:
            return None
        try:
            changes = self.store.diff(held.version, commit.version)
        except VersionNotFoundError:
            return None
        before = {
            name: held.tables[name].rows if name in held.tables else 0
            for name in self.store.model.tables
        }
        return Wanted(commit.version, commit.token, {}, changes=changes, before=before)

    def _everything(self, held: Optional[Commit], commit: Commit) -> Wanted:
        snapshot = self.store.read(commit.version)
        keys = {
            name: int(state.given.iloc[:, 0].max()) + 1
            for name, state in snapshot.keys.items()
            if len(state.given)
        }
        return Wanted(
            commit.version,
            commit.token,
            keys,
            snapshot.tables,
            base=None if held is None else self._base(held),
            policy=self.policy,
            overwrite=self.overwrite,
        )

    def _base(self, held: Commit) -> Base:
        def read() -> Optional[Snapshot]:
            try:
                return self.store.read(held.version)
            except VersionNotFoundError:
                return None

        return Base(held.version, sum(each.rows for each in held.tables.values()), read)


def _is_at(held: Commit, commit: Commit, *, exactly: bool) -> bool:
    """Tell whether a database needs nothing: by default, a newer commit will do too."""
    return held.version == commit.version if exactly else held.version >= commit.version


def _unchanged(database: Database, version: int) -> LoadReport:
    nothing = {"inserted": 0, "updated": 0, "deleted": 0}
    return LoadReport("unchanged", version, {name: dict(nothing) for name in database.model.tables})
