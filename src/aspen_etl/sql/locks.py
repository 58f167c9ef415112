"""How long a load waits for a lock of somebody else, and whose it is."""

from __future__ import annotations

import contextlib
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import sqlalchemy as sa

__all__ = [
    "MSSQL",
    "MYSQL",
    "PATIENCE",
    "POSTGRESQL",
    "SQLITE",
    "LockSetting",
    "LockWaits",
    "Locks",
]

#: For how many seconds a load waits where the database itself would wait for ever.
PATIENCE = 60.0


@dataclass(frozen=True)
class LockSetting:
    """A setting of a connection that bounds how long a statement waits for a lock.

    Attributes:
        ask: The statement that gives it. It takes no snapshot: a transaction may begin with it.
        change: The statement that sets it.
        per_second: How many of its units make a second.
        least: The smallest number that does not mean "for ever".
        ever: From which number on it is for ever, as good as.
        local: Whether it ends with the transaction by itself.
    """

    ask: str
    change: str
    per_second: int = 1000
    least: int = 0
    ever: float = math.inf
    local: bool = False

    def held(self, connection: sa.Connection) -> float:
        """Give its number."""
        text = str(connection.exec_driver_sql(self.ask).scalar())
        number, unit = re.findall(r"(-?\d+)(.*)", text)[0]
        return float(number) * _UNITS.get(unit, 1)

    def wanted(self, held: float, seconds: Optional[float]) -> float:
        """Give the number that it shall have."""
        if seconds is not None:
            return max(math.ceil(seconds * self.per_second), self.least)
        return held if self.least <= held < self.ever else PATIENCE * self.per_second

    def changed(self, number: float) -> str:
        """Give the statement that sets it."""
        return self.change.format(int(number))


#: How PostgreSQL shows a span of time, in its own unit of milliseconds.
_UNITS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True)
class Locks:
    """What is to know of the locks of a database.

    Attributes:
        settings: What bounds how long a statement waits for one.
        question: Gives the statement that tells who a connection waits for; or none, where
            nobody can be asked.
    """

    settings: tuple[LockSetting, ...]
    question: Callable[[sa.Connection], Optional[str]]


class LockWaits:
    """Bound how long the statements of a connection wait for a lock, and find out who holds it.

    Args:
        engine: The engine; who holds a lock is asked on another connection of it.
        locks: The locks of its database.
        seconds: How long, at most; with none, as long as the connection is set to, and
            ``PATIENCE`` where that is for ever.

    Attributes:
        holders: Who was waited for, as far as the database told.
        longest: How many seconds a statement waits, at most.
    """

    def __init__(self, engine: sa.Engine, locks: Locks, seconds: Optional[float]) -> None:
        self.engine, self.locks, self.seconds = engine, locks, seconds
        self.holders: tuple[str, ...] = ()
        self.longest = PATIENCE

    @contextlib.contextmanager
    def bounded(self, connection: sa.Connection) -> Iterator[None]:
        """Bound the waits of a connection, and watch them.

        What is set for it is set back, since the connection goes back to a pool.
        """
        self.holders, self.longest, before = (), math.inf, []
        for setting in self.locks.settings:
            held = setting.held(connection)
            wanted = setting.wanted(held, self.seconds)
            self.longest = min(self.longest, wanted / setting.per_second)
            if wanted != held:
                connection.exec_driver_sql(setting.changed(wanted))
                before.append((setting, held))
        try:
            with self._watched(connection):
                yield
        except BaseException:
            # NOTE: by the driver itself, since SQLAlchemy takes no statement after some failures.
            with contextlib.suppress(Exception):  # the connection may be lost
                driver: Any = connection.connection.driver_connection
                with contextlib.closing(driver.cursor()) as cursor:
                    for statement in _back(before):
                        cursor.execute(statement)
            raise
        for statement in _back(before):
            connection.exec_driver_sql(statement)

    # ------------------------------------------------------------------------- who holds it

    @contextlib.contextmanager
    def _watched(self, connection: sa.Connection) -> Iterator[None]:
        ask = self.locks.question(connection)
        if ask is None:
            yield
            return
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(ask, over), daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join(_JOIN_SECONDS)

    def _watch(self, ask: str, over: threading.Event) -> None:
        """Ask some times during the longest wait; of a wait that is over, nobody can tell."""
        while not over.wait(max(self.longest / _ASKS, _SHORTEST)):
            try:
                with (
                    contextlib.closing(self.engine.raw_connection()) as connection,
                    contextlib.closing(connection.cursor()) as cursor,
                ):
                    cursor.execute(ask)
                    found = cursor.fetchall()
            except Exception:  # noqa: BLE001 - it may not be allowed to ask, and needs not
                return
            self.holders = tuple(_shown(*row) for row in found) or self.holders


def _back(before: Sequence[tuple[LockSetting, float]]) -> list[str]:
    """Give the statements that set back what does not go with the transaction."""
    return [setting.changed(held) for setting, held in before if not setting.local]


#: How often is asked during the longest wait; not more often than in so many seconds.
_ASKS, _SHORTEST = 4, 0.05

#: How long a question that is under way is waited for, when nobody needs its answer any more.
_JOIN_SECONDS = 1.0


def _shown(process: int, user: Any, state: Any, seconds: Any, program: Any) -> str:
    """Name who holds a lock: never by a statement, which may hold a cell."""
    about = [str(part)[:64] for part in (user, program, state) if part]
    if seconds is not None:
        about.append(f"its transaction began {float(seconds):.0f} s ago")
    return f"process {process} ({', '.join(about)})" if about else f"process {process}"


# ------------------------------------------------------------------------- each database's

_POSTGRESQL_BLOCKERS = """
SELECT pid, usename, state, extract(epoch FROM clock_timestamp() - xact_start), application_name
FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids({mine}))
"""

_MARIADB_BLOCKERS = """
SELECT holder.trx_mysql_thread_id, who.user, who.command,
  timestampdiff(SECOND, holder.trx_started, now()), NULL
FROM information_schema.innodb_trx AS waiting
JOIN information_schema.innodb_lock_waits AS wait ON wait.requesting_trx_id = waiting.trx_id
JOIN information_schema.innodb_trx AS holder ON holder.trx_id = wait.blocking_trx_id
LEFT JOIN information_schema.processlist AS who ON who.id = holder.trx_mysql_thread_id
WHERE waiting.trx_mysql_thread_id = {mine}
"""

#: MySQL 8 holds the waits elsewhere.
_MYSQL_BLOCKERS = (
    _MARIADB_BLOCKERS.replace(
        "information_schema.innodb_lock_waits", "performance_schema.data_lock_waits"
    )
    .replace("requesting_trx_id", "requesting_engine_transaction_id")
    .replace("blocking_trx_id", "blocking_engine_transaction_id")
)


def _ask_postgresql(connection: sa.Connection) -> Optional[str]:
    driver: Any = connection.connection.driver_connection
    if not hasattr(driver, "info"):
        return None
    return _POSTGRESQL_BLOCKERS.format(mine=int(driver.info.backend_pid))


def _ask_mysql(connection: sa.Connection) -> Optional[str]:
    driver: Any = connection.connection.driver_connection
    if not hasattr(driver, "thread_id"):
        return None
    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    text = _MARIADB_BLOCKERS if is_mariadb else _MYSQL_BLOCKERS
    return text.format(mine=int(driver.thread_id()))


def _ask_nobody(connection: sa.Connection) -> None:
    """Know no statement that would tell."""


_DAY = 86_400

POSTGRESQL = Locks(
    (LockSetting("SHOW lock_timeout", "SET LOCAL lock_timeout = {}", least=1, local=True),),
    _ask_postgresql,
)
MYSQL = Locks(
    tuple(
        LockSetting(f"SELECT @@{name}", f"SET SESSION {name} = {{}}", 1, least=1, ever=_DAY)
        for name in ("innodb_lock_wait_timeout", "lock_wait_timeout")  # rows, and tables themselves
    ),
    _ask_mysql,
)
MSSQL = Locks((LockSetting("SELECT @@LOCK_TIMEOUT", "SET LOCK_TIMEOUT {}"),), _ask_nobody)
SQLITE = Locks((LockSetting("PRAGMA busy_timeout", "PRAGMA busy_timeout = {}"),), _ask_nobody)
