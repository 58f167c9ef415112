"""A load that waits for a lock ends after a stated time, and says whose lock it is."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ConflictError, DatabaseError
from tests.support.borrowers import LENIENT, RUN, check_ours, write_borrowers
from tests.support.refusals import refused

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.sql import locks, moving  # noqa: E402
from aspen_etl.sql.dialects import BEHAVIOURS, behaviour_of  # noqa: E402

SETTINGS = {
    "sqlite": ["PRAGMA busy_timeout"],
    "postgresql": ["SHOW lock_timeout"],
    "mariadb": ["SELECT @@innodb_lock_wait_timeout", "SELECT @@lock_wait_timeout"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store of two versions, between which Bob is renamed."""
    folder = tmp_path_factory.mktemp("locks")
    for names in (["Ann A", "Bob B"], ["Ann A", "Bob X"]):
        source = write_borrowers(folder / "source", names)
        ae.sync(source, folder / "store", run=RUN, thresholds=LENIENT)
    return folder / "store"


@pytest.fixture
def store(made: Path) -> ae.SnapshotStore:
    return ae.SnapshotStore(made)


@contextlib.contextmanager
def held(database: Any, statement: str) -> Iterator[None]:
    """Hold what a statement locks, in a transaction of somebody else."""
    with database.engine.connect() as other:
        if database.name == "sqlite":
            raw = other.connection.dbapi_connection
            before, raw.isolation_level = raw.isolation_level, None
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.exec_driver_sql(statement)
        try:
            yield
        finally:
            other.rollback()
            if database.name == "sqlite":
                raw.isolation_level = before


def check_conflict(database: Any, error: ConflictError, step: str, seconds: int) -> None:
    text = str(error)
    assert f"{step} waited in vain for a transaction of " in text
    assert f"at most {seconds} s)" in text
    if database.name == "sqlite":
        assert "of somebody else (" in text
        assert error.details["holders"] == ()
    else:
        user = {"postgresql": "tester", "mariadb": "root"}[database.name]
        (holder,) = error.details["holders"]
        assert holder.startswith("process ")
        assert f"({user}, " in holder
        assert "its transaction began " in holder
        assert holder in text
    check_ours(error, "Bob", "Held")


@pytest.mark.parametrize("way", ["row", "load table"])
def test_who_holds_what_a_load_waits_for_is_told(
    database: Any, store: ae.SnapshotStore, way: str
) -> None:
    sql.load(store, database.engine, version=1)
    row = "UPDATE user_profile SET first_name = 'Held' WHERE last_name = 'B'"
    statement = row if way == "row" else "UPDATE aspen_etl_load SET library = 'Held'"
    waiting = way == "row" and database.name != "sqlite"
    step = "updating user_profile" if waiting else "waiting for other loaders"
    engine = database.another()
    with held(database, statement):
        begun = time.monotonic()
        with refused("load") as found:
            sql.load(store, engine, lock_timeout=1)
        assert 0.9 < time.monotonic() - begun < 20
    check_conflict(database, found.value, step, 1)
    assert sql.load(store, engine, lock_timeout=1).outcome == "changed"


@pytest.mark.parametrize("one_database", ["postgresql", "mariadb"], indirect=True)
def test_a_table_that_is_locked_is_not_waited_for_for_ever(
    one_database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, one_database.engine, version=1)
    statement = {
        "postgresql": "LOCK TABLE aspen_etl_load IN ACCESS EXCLUSIVE MODE",
        "mariadb": "LOCK TABLES aspen_etl_load WRITE",
    }[one_database.name]
    with held(one_database, statement), refused("load", match="at most 1 s"):
        sql.load(store, one_database.another(), lock_timeout=1)


@pytest.mark.parametrize("one_database", ["mariadb"], indirect=True)
def test_who_makes_tables_is_named(one_database: Any, store: ae.SnapshotStore) -> None:
    with (
        held(one_database, "SELECT GET_LOCK('aspen_etl_load', 1)"),
        refused("load", match=r"of process [0-9]+ \(GET_LOCK, at most 1 s\)"),
    ):
        sql.load(store, one_database.another(), lock_timeout=1)


def test_a_wait_that_is_set_already_stays_and_one_for_ever_ends(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 33.0)
    bounded = {"sqlite": ["5000"], "postgresql": ["33s"], "mariadb": ["50", "33"]}[database.name]
    with database.engine.connect() as connection:

        def settings() -> list[str]:
            asked = SETTINGS[database.name]
            return [str(connection.exec_driver_sql(each).scalar()) for each in asked]

        before = settings()
        for seconds, expected in ((None, bounded), (7, _seven(database.name))):
            waits = locks.LockWaits(database.engine, behaviour_of(database.engine).lock, seconds)
            with waits.bounded(connection):
                inside = [
                    str(connection.exec_driver_sql(s).scalar()) for s in SETTINGS[database.name]
                ]
            connection.rollback()
            after = [str(connection.exec_driver_sql(s).scalar()) for s in SETTINGS[database.name]]
            assert (inside, after) == (expected, before)
            connection.rollback()


def _seven(name: str) -> list[str]:
    return {"sqlite": ["7000"], "postgresql": ["7s"], "mariadb": ["7", "7"]}[name]


@pytest.mark.parametrize(
    ("dialect", "text", "seconds", "wanted"),
    [
        ("postgresql", "0", None, 60_000),
        ("postgresql", "2min", None, 120_000),
        ("postgresql", "200ms", None, 200),
        ("postgresql", "0", 0, 1),
        ("postgresql", "1h", 2, 2_000),
        ("mssql", "-1", None, 60_000),
        ("mssql", "5", None, 5),
        ("mysql", "86400", None, 60),
        ("mysql", "31536000", None, 60),
        ("mysql", "50", None, 50),
        ("mysql", "50", 0.2, 1),
        ("sqlite", "0", None, 0),
        ("sqlite", "5000", 0.2, 200),
    ],
)
def test_how_long_a_lock_is_waited_for(
    dialect: str, text: str, seconds: float | None, wanted: float
) -> None:
    class Connection:
        def exec_driver_sql(self, statement: str) -> Connection:
            assert statement
            return self

        def scalar(self) -> str:
            return text

    setting = BEHAVIOURS[dialect].lock.settings[0]
    assert setting.wanted(setting.held(Connection()), seconds) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["60", True])
def test_a_wait_that_is_no_span_of_time_is_refused(store: ae.SnapshotStore, given: Any) -> None:
    with pytest.raises(TypeError, match="lock_timeout is a"):
        sql.load(store, sa.create_engine("sqlite://"), lock_timeout=given)


def test_nobody_is_named_where_nobody_may_ask() -> None:
    asked = threading.Event()

    class Refusing:
        def raw_connection(self) -> None:
            asked.set()
            raise RuntimeError("hush")

    known = BEHAVIOURS["postgresql"].lock
    waits = locks.LockWaits(Refusing(), known, 0.2)  # type: ignore[arg-type]
    waits.longest = 0.2
    waits._watch("SELECT 1", threading.Event())
    assert asked.is_set()
    assert waits.holders == ()


@pytest.mark.parametrize("one_database", ["mariadb"], indirect=True)
def test_what_fails_after_the_commit_does_not_say_that_nothing_was_loaded(
    one_database: Any, store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise sa.exc.OperationalError("hush", {}, Exception("hush"))

    monkeypatch.setattr("aspen_etl.sql.writing.move_after_commit", fail)
    with pytest.raises(DatabaseError, match="the load is committed, but ") as found:
        sql.load(store, one_database.engine)
    check_ours(found.value, "hush")
    assert sql.read(one_database.engine).equals(store.read().tables)
    monkeypatch.setattr("aspen_etl.sql.writing.move_after_commit", moving.move_after_commit)
    assert sql.load(store, one_database.engine, compare=True).outcome == "compared"
