"""A load that ends at any of its statements leaves the old state whole, and the next one goes on.

Each load runs once while somebody else looks at the database before each statement: what he sees
is what a process leaves that is killed there. Then it fails at the first statement, at the second
one, and so on until it comes through. At which of them a run looks is said by `strides`.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.errors import DatabaseError
from tests.support.borrowers import LENIENT, RUN, write_borrowers
from tests.support.effort import is_brief

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.derive.sql import LOAD_TABLE, sql_metadata  # noqa: E402 - likewise
from aspen_etl.sql.dialects import BEHAVIOURS  # noqa: E402 - likewise

State = dict[str, list[tuple[Any, ...]]]

#: What a load that was cut off may have done for the next one: it ends with no transaction.
ONCE = {
    "SELECT setval(CAST(%(sequence)s AS regclass), %(number)s, false)",
    "SELECT setval(CAST(%(sequence)s AS regclass), %(number)s::INTEGER, false)",
    "PRAGMA foreign_keys = OFF",
    "SET SESSION lock_wait_timeout = 60",
    "SET SESSION lock_wait_timeout = 86400",
}


@functools.cache
def metadata(dialect: Any) -> Any:
    """Give the tables for SQLAlchemy, which compiles statements on the same ones only once."""
    return sql_metadata(ae.BORROWER_MODEL, dialect=dialect)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[ae.SnapshotStore]:
    """Give a store of two versions, between which rows go, come and change; and another one."""
    folder = tmp_path_factory.mktemp("stores")
    return [
        make_store(folder / "one", "Ann A,Bob B,Cid C", "Ann X,Eve E,Cid C"),
        make_store(folder / "other", "Zoe Z", "Zoe Z,Yan Y,Xia X"),
    ]


class RememberingStore(ae.SnapshotStore):
    """A store that can be given methods of its own."""


def make_store(url: Path, *versions: str) -> ae.SnapshotStore:
    made = RememberingStore(url)
    for number, names in enumerate(versions):
        source = write_borrowers(url.parent / f"{url.name}-source", names.split(","))
        if number:  # the second borrower is another one, and the first one moved
            path = Path(source) / "borrower.csv"
            moved = path.read_text("utf-8").replace("\n101,", "\n109,")
            path.write_text(moved.replace("0 Elm Street,Austin", "0 Elm Street,Dallas"), "utf-8")
        ae.sync(source, made, run=RUN, thresholds=LENIENT)
    for name in ("find", "read", "diff"):  # hundreds of loads ask for the same
        setattr(made, name, functools.cache(getattr(made, name)))
    return made


# ----------------------------------------------------------------------------- what is asked


class Asked:
    """What an engine was asked in one load.

    Attributes:
        statements: The statements, in their order.
        committed: How many there were when the load was committed, if it was.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.committed = 0


@contextlib.contextmanager
def before_each(engine: Any, call: Callable[[Asked], None]) -> Iterator[Asked]:
    """Call something before each statement, and before each COPY, which is the driver's own."""
    asked = Asked()

    def note(statement: str) -> None:
        asked.statements.append(statement)
        call(asked)

    def on_statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    def on_commit(_c: Any) -> None:
        asked.committed = len(asked.statements)

    def watched(copy: Any) -> Any:
        def copy_when_noted(driver: Any, statement: str, data: bytes) -> None:
            note(statement)
            copy(driver, statement, data)

        return copy_when_noted

    sa.event.listen(engine, "before_cursor_execute", on_statement)
    sa.event.listen(engine, "commit", on_commit)
    with pytest.MonkeyPatch.context() as patch:
        for name, known in BEHAVIOURS.items():
            copy = {driver: watched(function) for driver, function in known.copy.items()}
            patch.setitem(BEHAVIOURS, name, replace(known, copy=copy))
        try:
            yield asked
        finally:
            sa.event.remove(engine, "before_cursor_execute", on_statement)
            sa.event.remove(engine, "commit", on_commit)


def look(engine: Any) -> State:
    """Read every row of every table, as one who is not the loader."""
    out: State = {}
    with engine.connect() as connection:
        for table in metadata(engine.dialect.name).sorted_tables:
            rows = connection.execute(sa.select(table)).all()
            out[table.name] = sorted(map(tuple, rows), key=repr)
    return out


def empty(engine: Any) -> None:
    """Leave the tables without a row."""
    with engine.begin() as connection:
        for table in reversed(metadata(engine.dialect.name).sorted_tables):
            connection.execute(table.delete())
    sql.create(engine)


# ----------------------------------------------------------------------------- the law


@dataclass(frozen=True)
class Way:
    """A way that a load takes.

    Attributes:
        outcome: What it reports.
        prepare: What brings the database to the old state.
        load: What brings it to the new one.
    """

    outcome: str
    prepare: Callable[[], Any]
    load: Callable[[], sql.LoadReport]


def ways(engine: Any, stores: list[ae.SnapshotStore]) -> dict[str, Way]:
    store, other = stores
    return {
        "fill": Way("filled", lambda: empty(engine), lambda: sql.load(store, engine, version=2)),
        "changes": Way(
            "changed",
            lambda: sql.load(store, engine, version=1),
            lambda: sql.load(store, engine, version=2),
        ),
        "compare": Way(
            "compared",
            lambda: sql.load(store, engine, version=1),
            lambda: sql.load(store, engine, compare=True, version=2),
        ),
        "replace": Way(
            "replaced",
            lambda: sql.load(store, engine, overwrite=True),
            lambda: sql.load(other, engine, overwrite=True),
        ),
    }


def check_others_see_nothing(engine: Any, other: Any, way: Way) -> tuple[State, State, Asked]:
    """Make sure that nobody sees a part of a load; give what was before, after, and asked."""
    sql.create(engine)
    way.prepare()
    old, torn = look(other), list[str]()

    def see(asked: Asked) -> None:
        if not asked.committed and look(other) != old:
            torn.append(f"{len(asked.statements)}: {asked.statements[-1]}")

    with before_each(engine, see) as whole:
        assert way.load().outcome == way.outcome
    assert torn == [], "others see a part of the load"
    new = look(other)
    assert new != old
    assert new[LOAD_TABLE] != old[LOAD_TABLE]
    return old, new, whole


def check_each_statement(engine: Any, other: Any, way: Way, *, first: int, stride: int) -> None:
    """Make sure that a load is whole or was not, wherever it ends.

    Args:
        engine: Whom the load asks.
        other: Another engine of the same database.
        way: What to do.
        first: The number of the first statement at which it ends.
        stride: How many there are from that to the next one.
    """
    old, new, whole = check_others_see_nothing(engine, other, way)
    way.prepare()
    for last in itertools.count(first, stride):
        asked, outcome = _fail_at(last, engine, way)
        held, wanted = look(other), new if asked.committed else old
        assert held == wanted, f"not whole after {last}: {asked.statements[-1]}"
        if outcome is not None:
            break
        if asked.committed:  # it failed in what comes after
            way.prepare()
    assert outcome == way.outcome
    assert set(whole.statements) - set(asked.statements) <= ONCE


def _fail_at(last: int, engine: Any, way: Way) -> tuple[Asked, Optional[str]]:
    """Load, and fail at a statement; give what was asked, and the outcome if it came through."""

    def fail(asked: Asked) -> None:
        if len(asked.statements) == last:
            raise sa.exc.OperationalError("cut", {}, Exception("the connection is gone"))

    with before_each(engine, fail) as asked:
        try:
            return asked, way.load().outcome
        except DatabaseError:
            assert len(asked.statements) == last
            return asked, None


@pytest.fixture(autouse=True)
def known_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all loads of a database use the same tables."""

    def known(_: ae.Model, *, dialect: str, schema: None) -> Any:
        assert schema is None
        return metadata(dialect)

    monkeypatch.setattr("aspen_etl.sql.database.sql_metadata", known)


WAYS = ("fill", "changes", "compare", "replace")


def strides(database: str) -> int:
    """Tell which statements are looked at: each one, or each third, or fewer.

    What a server is asked is what SQLite is asked, and takes it a quarter of a minute for each of
    the ways. Each way begins with another statement.
    """
    usual = 1 if database == "sqlite" else 3
    return 9 if is_brief() else usual


@pytest.mark.parametrize("name", WAYS)
def test_a_load_that_ends_at_any_statement_leaves_a_whole_state(
    database: Any, stores: list[ae.SnapshotStore], name: str
) -> None:
    way, stride = ways(database.engine, stores)[name], strides(database.name)
    first = 1 + WAYS.index(name) % stride
    check_each_statement(database.engine, database.another(), way, first=first, stride=stride)


@pytest.mark.exhaustive
@pytest.mark.parametrize("one_database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("name", WAYS)
def test_a_load_that_ends_at_any_statement_of_a_server_leaves_a_whole_state(
    one_database: Any, stores: list[ae.SnapshotStore], name: str
) -> None:
    engine, other = one_database.engine, one_database.another()
    check_each_statement(engine, other, ways(engine, stores)[name], first=1, stride=1)


def test_a_load_is_one_transaction_also_where_the_engine_commits_each_statement(
    database: Any, stores: list[ae.SnapshotStore]
) -> None:
    engine = database.another(isolation_level="AUTOCOMMIT")
    check_others_see_nothing(engine, database.engine, ways(engine, stores)["changes"])
