"""What somebody else wrote is never written over in silence, and what a trigger changes is told."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ConflictError, DatabaseChangedError, NotSupportedError, WriteError
from aspen_etl.schema.policy import Policy
from tests.support.borrowers import LENIENT, RUN, check_ours, write_borrowers
from tests.support.effort import few

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for

VERSIONS = (
    ["Ann A", "Bob B", "Cid C", "Dan D"],
    ["Ann X", "Bob X", "Cid C", "Dan D"],
    ["Ann X", "Bob X", "Cid C"],
    ["Ann X", "Bob X", "Cid C", "Dan D", "Eve E"],
)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store: two of four are renamed, then one goes, then it comes back with a fifth."""
    folder = tmp_path_factory.mktemp("guarded")
    made = ae.SnapshotStore(folder / "store")
    for names in VERSIONS:
        ae.sync(write_borrowers(folder / "source", names), made, run=RUN, thresholds=LENIENT)
    return folder / "store"


@pytest.fixture
def store(versions: Path, tmp_path: Path) -> ae.SnapshotStore:
    return ae.SnapshotStore(shutil.copytree(versions, tmp_path / "store"))


def name_of(database: Any, first: str) -> Any:
    return database.scalar(
        f"SELECT last_name FROM user_profile WHERE first_name = '{first}'"  # noqa: S608 - a fixed name
    )


RENAME = "UPDATE user_profile SET last_name = 'Mine' WHERE first_name = 'Ann'"


def test_a_row_that_somebody_else_changed_is_refused_held_or_written_over(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine, version=1)
    database.execute(RENAME)
    with pytest.raises(DatabaseChangedError) as found:
        sql.load(store, database.engine, version=2)
    check_ours(found.value, "Mine", "Ann", "100")
    assert found.value.details["tables"] == {"user_profile": {"both_changed": 1}}
    assert found.value.details["columns"] == {"user_profile": {"last_name": 1}}
    assert name_of(database, "Bob") == "B"
    held = sql.load(store, database.engine, version=2, policy=Policy("hold"))
    assert held.conflicts == {"user_profile": {"both_changed": 1}}
    assert held.held["user_profile"] == 1
    assert (name_of(database, "Ann"), name_of(database, "Bob")) == ("Mine", "X")
    ours = sql.load(store, database.engine, version=2, compare=True, policy=Policy("old"))
    assert ours.conflicts == {"user_profile": {"changed": 1}}
    assert sql.read(database.engine).equals(store.read(2).tables)


def test_a_row_that_is_as_it_shall_be_is_no_conflict(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine, version=1)
    wanted = store.read(2).tables["user_profile"].set_index("first_name").loc["Ann"]
    time = wanted["updated"].to_pydatetime().replace(tzinfo=None)
    database.execute(
        "UPDATE user_profile SET last_name = 'X', updated = :time, updated_by = :by"
        " WHERE first_name = 'Ann'",
        time=str(time) if database.name == "sqlite" else wanted["updated"].to_pydatetime(),
        by=wanted["updated_by"],
    )
    if database.name == "sqlite":  # as SQLAlchemy writes it
        database.execute(
            "UPDATE user_profile SET updated = strftime('%Y-%m-%d %H:%M:%f000', updated)"
        )
    assert sql.load(store, database.engine, version=2).conflicts == {}
    assert sql.read(database.engine).equals(store.read(2).tables)


def test_a_row_of_somebody_else_keeps_its_subject(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine, version=2)
    before = sql.read(database.engine)
    database.execute(
        "INSERT INTO email_type (type, created, created_by) VALUES ('new', '2026-01-01', 'app')"
    )
    role = database.scalar(
        "SELECT role_profile_id FROM role_profile ORDER BY role_profile_id DESC LIMIT 1"
    )
    database.execute(
        "INSERT INTO email (role_profile_id, email_type_id, value, created, created_by)"
        " VALUES (:role, :type, 'a@b.de', '2026-01-01', 'app')",
        role=role,
        type=2**40,
    )
    with pytest.raises(DatabaseChangedError) as found:
        sql.load(store, database.engine, version=3)  # in which that one is gone
    assert found.value.details["tables"] == {
        "email_type": {"inserted": 1},
        "email": {"inserted": 1},
    }
    report = sql.load(store, database.engine, version=3, policy=Policy("hold"))
    assert report.held["user_profile"] == report.held["user"] == report.held["address"] == 1
    after = sql.read(database.engine)
    assert after["user_profile"].equals(before["user_profile"])
    assert len(after["email"]) == len(before["email"]) + 1
    sql.load(store, database.engine, version=4, policy=Policy("old", kinds={}))
    assert sql.read(database.engine).equals(store.read(4).tables)


def test_a_row_that_was_to_go_stays_where_somebody_else_changed_it(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine, version=2)
    database.execute("UPDATE user_profile SET last_name = 'Mine' WHERE first_name = 'Dan'")
    with pytest.raises(DatabaseChangedError) as found:
        sql.load(store, database.engine, version=3)
    assert found.value.details["tables"] == {"user_profile": {"changed_and_deleted": 1}}
    assert name_of(database, "Dan") == "Mine"


def test_a_deleted_row_is_not_brought_back(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine, version=1)
    assert database.execute("DELETE FROM address WHERE address_id = 1") == 1
    report = sql.load(store, database.engine, version=2, policy=Policy("hold"))
    assert (report.outcome, report.conflicts) == ("compared", {"address": {"deleted": 1}})
    assert name_of(database, "Ann") == "X"
    assert database.scalar("SELECT count(*) FROM address WHERE address_id = 1") == 0


def test_a_natural_key_that_somebody_else_numbered_is_a_mismatch(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine, version=3)
    # The borrower of the next version, as the application made her.
    wanted = store.read(4).tables["user_profile"]
    last = str(wanted["user_profile_id"].iloc[-1])
    database.execute(
        "INSERT INTO user_profile (user_profile_id, first_name, last_name, created, created_by)"
        " VALUES (:id, 'Eve', 'App', '2026-01-01', 'app')",
        id=last,
    )
    user = database.quote("user")
    database.execute(
        f"INSERT INTO {user} (user_profile_id, created, created_by)"  # noqa: S608 - a fixed name
        " VALUES (:id, '2026-01-01', 'app')",
        id=last,
    )
    with pytest.raises(DatabaseChangedError) as found:
        sql.load(store, database.engine)
    assert found.value.details["tables"] == {
        "user_profile": {"both_inserted": 1},
        "user": {"key_mismatch": 1},
    }
    report = sql.load(store, database.engine, policy=Policy("hold"))
    assert report.held["address"] == 1
    assert (name_of(database, "Eve"), name_of(database, "Dan")) == ("App", "D")
    report = sql.load(store, database.engine, compare=True, policy=Policy("old"))
    assert report.outcome == "replaced"
    assert sql.read(database.engine).equals(store.read().tables)


def test_a_policy_that_a_load_cannot_follow_is_refused(
    database: Any, store: ae.SnapshotStore
) -> None:
    with pytest.raises(NotSupportedError, match="which row is newer"):
        sql.load(store, database.engine, policy=Policy("newest"))


def test_frames_go_where_nothing_or_the_same_is(database: Any, store: ae.SnapshotStore) -> None:
    one, two = store.read(1).tables, store.read(2).tables
    assert sql.load(one, database.engine).outcome == "filled"
    assert sql.load(one, database.engine).outcome == "compared"
    with pytest.raises(DatabaseChangedError, match="frames") as found:
        sql.load(two, database.engine)
    assert found.value.details == {
        "problem": "base",
        "url": found.value.details["url"],
        "tables": {"user_profile": 2},
    }
    assert sql.read(database.engine).equals(one)


# ----------------------------------------------------------------------------- what comes back

TRIGGERS = {
    "sqlite": [
        (
            "CREATE TRIGGER shout AFTER {} ON user_profile BEGIN UPDATE user_profile"
            " SET last_name = upper(last_name) || '!' WHERE user_profile_id = NEW.user_profile_id"
            " AND last_name NOT LIKE '%!'; END"
        ),
    ],
    "postgresql": [
        (
            "CREATE OR REPLACE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.last_name := upper(NEW.last_name) || '!'; RETURN NEW; END $$"
        ),
        "CREATE TRIGGER shout BEFORE {} ON user_profile FOR EACH ROW EXECUTE FUNCTION shout()",
    ],
    "mariadb": [
        (
            "CREATE TRIGGER shout BEFORE {} ON user_profile FOR EACH ROW"
            " SET NEW.last_name = concat(upper(NEW.last_name), '!')"
        ),
    ],
}


def make_trigger(database: Any, action: str) -> None:
    with database.engine.begin() as connection:
        for statement in TRIGGERS[database.name]:
            connection.exec_driver_sql(statement.format(action).replace("%", "%%"))


@pytest.mark.parametrize(("action", "first", "rows"), [("INSERT", None, 4), ("UPDATE", 1, 2)])
def test_a_trigger_that_changes_what_is_written_is_named(
    database: Any, store: ae.SnapshotStore, action: str, first: Any, rows: int
) -> None:
    sql.create(database.engine)
    if first:
        sql.load(store, database.engine, version=first)
    before = sql.read(database.engine)
    make_trigger(database, action)
    with pytest.raises(DatabaseChangedError, match="last_name in") as found:
        sql.load(store, database.engine, version=2)
    check_ours(found.value, "ANN", "X!")
    assert found.value.details["problem"] == "trigger"
    assert found.value.details["columns"] == {"user_profile": {"last_name": rows}}
    assert sql.read(database.engine).equals(before)
    with pytest.raises(DatabaseChangedError, match="last_name in"):
        sql.load(store, database.engine, version=2, overwrite=True)
    assert sql.read(database.engine).equals(before)


# ----------------------------------------------------------------------------- the pin


def test_a_store_that_cannot_be_written_to_is_loaded_without_a_pin(
    database: Any, store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise WriteError("no")

    monkeypatch.setattr(ae.SnapshotStore, "pin", refuse)
    report = sql.load(store, database.engine)
    assert (report.outcome, report.pin, report.unpinned) == ("filled", None, "WriteError")
    with pytest.raises(WriteError):
        sql.load(store, database.engine, pin="mine")


def test_the_pin_of_a_database_holds_no_secret(database: Any, store: ae.SnapshotStore) -> None:
    name = sql.load(store, database.engine).pin
    assert name is not None
    assert name == sql.load(store, database.another()).pin
    password = database.engine.url.password
    assert name.startswith("load-")
    assert not password or str(password) not in name.split("-")


def test_a_two_way_store_is_not_written_over(
    store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine("sqlite://")
    monkeypatch.setattr(ae.SnapshotStore, "newest", lambda _: SimpleNamespace(sides={}))
    for told in ({"overwrite": True}, {"policy": Policy("hold")}):
        with pytest.raises(ae.errors.TwoWayError, match="use pull and push"):
            sql.load(store, engine, **told)
    engine.dispose()


# ----------------------------------------------------------------------------- a side


def test_a_side_is_written_to_where_it_is_as_it_was_read(
    database: Any, store: ae.SnapshotStore
) -> None:
    one, two, three = (store.read(version).tables for version in (1, 2, 3))
    side = sql.TableDatabase(database.engine)
    assert side.state() is None if database.name != "sqlite" else True
    empty = {name: frame.iloc[:0] for name, frame in one.items()}
    counts = side.write(empty, one, version=1, token="a", expected=None)  # noqa: S106 - a commit's
    assert counts["user_profile"] == {"inserted": 4, "updated": 0, "deleted": 0}
    state = side.state()
    assert state is not None
    assert (state.version, state.token) == (1, "a")
    database.execute(RENAME)
    for before, after, expected in ((one, two, state), (two, three, state), (one, one, None)):
        if before is two:
            continue
        with pytest.raises(ConflictError, match="pull first, then push again") as found:
            side.write(before, after, version=2, token="b", expected=expected)  # noqa: S106
        assert found.value.details["problem"] == "side"
    assert side.state() == state
    assert name_of(database, "Bob") == "B"
    read = side.read()
    side.write(read, two, version=2, token="b", expected=state)  # noqa: S106 - a commit's
    assert sql.read(database.engine).equals(two)
    # What is there already is no conflict.
    state = side.state()
    counts = side.write(one, two, version=3, token="c", expected=state)  # noqa: S106 - a commit's
    assert counts["user_profile"] == {"inserted": 0, "updated": 0, "deleted": 0}
    counts = side.write(two, three, version=3, token="c", expected=side.state())  # noqa: S106
    assert counts["user_profile"]["deleted"] == 1
    counts = side.write(two, three, version=3, token="c", expected=side.state())  # noqa: S106
    assert counts["user_profile"]["deleted"] == 0
    assert sql.read(database.engine).equals(three)


# ----------------------------------------------------------------------------- the law

#: Rows of somebody else's are only there where their type is.
NEW_EMAIL = (
    "INSERT INTO email (role_profile_id, email_type_id, value, created, created_by) SELECT"
    " role_profile_id, (SELECT max(email_type_id) FROM email_type), 'x@y.de', '2026-01-01', 'app'"
    " FROM role_profile WHERE role_profile_id = {key} AND (SELECT count(*) FROM email_type) > 1"
)
EDITS = (
    "UPDATE user_profile SET last_name = 'Mine' WHERE user_profile_id = {user}",
    "UPDATE address SET city = 'Mine' WHERE address_id = {key}",
    "UPDATE email SET updated_by = 'app' WHERE email_id = {key}",
    "UPDATE email_type SET updated_by = 'app'",
    "DELETE FROM email WHERE email_id = {key}",
    "DELETE FROM address WHERE address_id = {key}",
    "INSERT INTO email_type (type, created, created_by) VALUES ('t', '2026-01-01', 'app')",
    NEW_EMAIL,
)


def rows_of(tables: Any) -> dict[tuple[str, Any], tuple[Any, ...]]:
    """Give the rows by table and key, null as None."""
    out = {}
    for name, frame in tables.items():
        plain = frame.astype(object).where(frame.notna(), None)
        for row in plain.itertuples(index=False, name=None):
            out[name, row[0]] = row
    return out


def refuse_or_load(store: ae.SnapshotStore, engine: Any, version: int) -> Any:
    try:
        return sql.load(store, engine, version=version)
    except DatabaseChangedError:
        return None


@pytest.mark.parametrize("seed", few(list(range(120)), 5))
def test_no_edit_of_somebody_else_is_ever_lost(store: ae.SnapshotStore, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    first, second = draw.sample(range(1, 5), 2)
    sql.load(store, engine, version=first)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        for edit in draw.sample(EDITS, draw.randrange(4)):
            keys = {"user": 100 + draw.randrange(4), "key": draw.randint(1, 4)}
            connection.exec_driver_sql(edit.format(**keys))
    base, wanted = (rows_of(store.read(version).tables) for version in (first, second))
    held = rows_of(sql.read(engine))
    theirs = {
        key
        for key in base.keys() | held.keys()
        if held.get(key) not in (base.get(key), wanted.get(key))
        or (held.get(key) == wanted.get(key) is None and base.get(key) is not None)
    }
    report = refuse_or_load(store, engine, second)
    if report is None:
        assert theirs
        assert rows_of(sql.read(engine)) == held
        report = sql.load(store, engine, version=second, policy=Policy("hold"))
    after = rows_of(sql.read(engine))
    assert {key: after.get(key) for key in theirs} == {key: held.get(key) for key in theirs}
    others = {key for key in wanted.keys() | after.keys() if after.get(key) != wanted.get(key)}
    if report.outcome == "compared":
        assert len(others) == sum(report.held.values())
    else:
        assert others <= theirs
    if not theirs:
        assert rows_of(sql.read(engine)) == wanted
    engine.dispose()
