"""A database and the tables of a model in it: connections, transactions, errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from aspen_etl.derive.dialects import DIALECTS
from aspen_etl.derive.sql import LOAD_TABLE, sql_metadata
from aspen_etl.errors import AspenETLError, ConflictError, DatabaseError, SourceNotFoundError
from aspen_etl.errors.base import instead
from aspen_etl.io.waiting import Seconds, seconds_of
from aspen_etl.schema.model import Model
from aspen_etl.sql.connecting import display
from aspen_etl.sql.dialects import behaviour_of
from aspen_etl.sql.locks import LockWaits

__all__ = ["Connections", "Database", "LoadState", "display"]

T = TypeVar("T")


class LoadState(NamedTuple):
    """Which commit the tables hold, and which model made them."""

    version: Optional[int]
    token: Optional[str]
    model: Optional[str]
    library: Optional[str]


class Connections:
    """Know a database: its connections, its transactions, and what its errors become.

    Attributes:
        engine: The engine.
        schema: The database schema, if not that of the connection.
        behaviour: How it behaves while tables are loaded and read.
        waits: How long a lock is waited for, and for whom.
        step: What is being done, for messages.
    """

    def __init__(
        self, engine: sa.Engine, schema: Optional[str], lock_timeout: Optional[Seconds] = None
    ) -> None:
        self.engine, self.schema = engine, schema
        self.behaviour = behaviour_of(engine)
        self.waits = LockWaits(
            engine, self.behaviour.lock, seconds_of(lock_timeout, "lock_timeout")
        )
        self.step = "connecting"

    @property
    def url(self) -> str:
        """The database's url, without anything secret."""
        return display(self.engine)

    def check_file(self) -> None:
        """Refuse a file that is not there: to look into it must not make it.

        Raises:
            SourceNotFoundError: There is none.
        """
        path = self.engine.url.database or ":memory:"
        in_memory = path == ":memory:" or path.startswith("file:")
        if self.behaviour.is_file and not (in_memory or Path(path).is_file()):
            raise SourceNotFoundError.at(path)

    # ------------------------------------------------------------------------- errors

    def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call what talks to the database, and turn what drivers raise into errors of ours.

        Their texts hold the row that was refused and the parameters of the statement.

        Raises:
            DatabaseError: The database cannot be reached, or refused.
            ConflictError: A lock was not to be had in time.
        """
        return instead(lambda: call(*arguments), Exception, self._translate)

    def _translate(self, error: Exception) -> Optional[AspenETLError]:
        driver = getattr(self.engine.dialect, "dbapi", None)
        foreign = getattr(driver, "Error", exc.SQLAlchemyError)
        if not isinstance(error, (exc.SQLAlchemyError, foreign)):
            return None
        inner: Any = getattr(error, "orig", None) or error
        code = _code(inner)
        busy, text = self.behaviour.busy, self.behaviour.busy_text
        is_busy = code in busy or (text is not None and text in str(inner))
        return self.failure(type(inner).__name__ + (f" {code}" if code else ""), is_busy=is_busy)

    def failure(self, reason: str, *, is_busy: bool = False) -> AspenETLError:
        """Say that the step failed.

        Args:
            reason: What the driver calls it.
            is_busy: Whether a lock was not to be had in time.
        """
        del is_busy
        return DatabaseError.at_reading(self.url, self.step, reason)

    # ------------------------------------------------------------------------- transactions

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """Open a connection that has transactions, also where the engine was made without."""
        with self._open() as connection:
            if self.behaviour.has_isolation and _commits_by_itself(connection):
                connection.execution_options(isolation_level=connection.default_isolation_level)
            yield connection

    def _open(self) -> sa.Connection:
        """Open a connection; what a driver makes of a wrong option is not always its own error."""

        def ours(error: Exception) -> Optional[AspenETLError]:
            if self._translate(error) is not None:
                return None
            self.step = "connecting"
            return self.failure(type(error).__name__)

        return instead(self.engine.connect, Exception, ours)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection whose transaction leaves no trace."""
        with self._connected() as connection, self.waits.bounded(connection):
            yield connection
            connection.rollback()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Open a connection that reads all as it is at one moment, and that cannot write.

        Raises:
            DatabaseError: The database does not allow it.
        """
        with self.reading() as connection, self.behaviour.snapshot(connection):
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that is committed at the end, or leaves no trace."""
        begin, bounded = self.behaviour.begin, self.waits.bounded
        with self._connected() as connection, begin(connection, bounded(connection)):
            yield connection


class Database(Connections):
    """Know a database and how the tables of a model stand in it.

    Attributes:
        model: The model.
        dialect: How tables are described to it.
        metadata: The tables for SQLAlchemy.
        committed: Whether what is done now comes after the commit.
    """

    def __init__(
        self,
        engine: sa.Engine,
        model: Model,
        schema: Optional[str],
        lock_timeout: Optional[Seconds] = None,
    ) -> None:
        super().__init__(engine, schema, lock_timeout)
        self.model, self.dialect = model, DIALECTS[self.behaviour.name]
        self.metadata = sql_metadata(model, dialect=self.behaviour.name, schema=schema)
        self.committed = False

    def table(self, name: str) -> sa.Table:
        """Give a table of the model, or the load table."""
        return self.metadata.tables[f"{self.schema}.{name}" if self.schema else name]

    def failure(self, reason: str, *, is_busy: bool = False) -> AspenETLError:
        """Say that the step failed, and what became of the load."""
        if self.committed:
            return DatabaseError.after_commit(self.url, self.step, reason)
        if is_busy:
            waits = self.waits
            return ConflictError.load(
                self.url, self.step, reason, seconds=waits.longest, holders=waits.holders
            )
        return DatabaseError.at(self.url, self.step, reason)

    # ------------------------------------------------------------------------- the load table

    def state(self, connection: sa.Connection, *, lock: bool = False) -> Optional[LoadState]:
        """Read which commit the tables hold; with ``lock``, no other loader goes on meanwhile."""
        table = self.table(LOAD_TABLE)
        query = sa.select(table.c.version, table.c.token, table.c.model, table.c.library)
        if lock:
            query = query.with_for_update()
            if self.behaviour.lock_hint is not None:
                query = query.with_hint(table, self.behaviour.lock_hint)
        row = connection.execute(query).first()
        return None if row is None else LoadState(*row)

    def set_state(self, connection: sa.Connection, state: LoadState) -> None:
        """Write which commit the tables hold."""
        table = self.table(LOAD_TABLE)
        done = connection.execute(table.update().values(state._asdict()))
        if not done.rowcount:
            connection.execute(table.insert().values(id=1, **state._asdict()))


def _commits_by_itself(connection: sa.Connection) -> bool:
    """Tell whether each statement is a transaction of its own: ``isolation_level="AUTOCOMMIT"``."""
    driver: Any = connection.connection.driver_connection
    ask = getattr(driver, "get_autocommit", None)  # of MySQL's drivers
    return bool(ask() if callable(ask) else getattr(driver, "autocommit", False))


def _code(error: Any) -> Any:
    first = error.args[0] if getattr(error, "args", ()) else None
    if isinstance(first, int):  # MySQL's own number says more than its SQLSTATE
        return first
    for name in ("sqlstate", "pgcode", "sqlite_errorname"):
        if getattr(error, name, None):
            return getattr(error, name)
    return None
