"""Loading: equal afterwards, nothing touched twice, old or new and never in between."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import borrower, schema
from aspen_etl.errors import (
    DatabaseChangedError,
    DatabaseError,
    NotSupportedError,
    VersionNotFoundError,
)
from aspen_etl.testing import extracts, tables
from tests.laws.models import EXTENDED_MODEL, MODELS
from tests.support.borrowers import LENIENT, NO_AGE, RUN, check_ours, write_borrowers
from tests.support.effort import some
from tests.support.refusals import refused
from tests.support.sample import SAMPLE

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for

NOTHING = {"inserted": 0, "updated": 0, "deleted": 0}


def total(report: sql.LoadReport) -> dict[str, int]:
    return {word: sum(n[word] for n in report.tables.values()) for word in NOTHING}


@pytest.fixture(scope="module")
def three_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store with three versions: Ann, Bob and Cid; Bob is renamed; Cid goes."""
    folder = tmp_path_factory.mktemp("three-versions")
    made = ae.SnapshotStore(folder / "store")
    for names in (["Ann A", "Bob B", "Cid C"], ["Ann A", "Bob X", "Cid C"], ["Ann A", "Bob X"]):
        source = write_borrowers(folder / "source", names)
        ae.sync(source, made, run=RUN, thresholds=LENIENT)
    return folder / "store"


@pytest.fixture
def store(three_versions: Path, tmp_path: Path) -> ae.SnapshotStore:
    """Give a store of one's own with the three versions."""
    made = ae.SnapshotStore(shutil.copytree(three_versions, tmp_path / "store"))
    assert made.find().version == 3
    return made


# ----------------------------------------------------------------------------- law 11


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_what_is_loaded_is_read_back_and_loading_twice_is_loading_once(
    database: Any, model: ae.Model
) -> None:
    @settings(
        max_examples=some(8, least=3).max_examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(first=tables(model, max_rows=8), second=extracts(model, faults="all"))
    def the_law_holds(first: ae.Tables, second: ae.Extract) -> None:
        made = ae.normalize(second, model=model, run=RUN).tables
        for wanted in (first, made):
            sql.load(wanted, database.engine, model=model, overwrite=True)
            assert sql.read(database.engine, model=model).equals(wanted)
            assert total(sql.load(wanted, database.engine, model=model)) == NOTHING

    the_law_holds()


@pytest.mark.parametrize(
    "one_database", ["sqlite", "postgresql", "postgresql-psycopg2", "mariadb"], indirect=True
)
def test_the_real_workbook(one_database: Any, workbook: Path, tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    ae.sync(workbook, store, run=RUN)
    report = sql.load(store, one_database.engine)
    assert (report.outcome, report.version) == ("filled", 1)
    assert report.tables["user"] == {**NOTHING, "inserted": 1_000}
    assert sql.read(one_database.engine).equals(store.read().tables)
    compared = sql.load(store, one_database.engine, compare=True)
    assert (compared.outcome, total(compared)) == ("compared", NOTHING)


# ----------------------------------------------------------------------------- commits


def test_the_same_commit_does_nothing_and_a_newer_one_applies_the_difference(
    database: Any, store: ae.SnapshotStore
) -> None:
    engine = database.engine
    first = sql.load(store, engine, version=1)
    assert (first.outcome, first.version) == ("filled", 1)
    again = sql.load(store, engine, version=1)
    assert (again.outcome, total(again)) == ("unchanged", NOTHING)
    second = sql.load(store, engine, version=2)
    assert (second.outcome, second.version) == ("changed", 2)
    assert total(second) == {"inserted": 0, "updated": 1, "deleted": 0}
    third = sql.load(store, engine)
    assert (third.outcome, third.version) == ("changed", 3)
    assert third.tables["user_profile"] == {"inserted": 0, "updated": 0, "deleted": 1}
    assert sql.read(engine).equals(store.read().tables)
    back = sql.load(store, engine, version=1)
    assert (back.outcome, back.version) == ("changed", 1)
    assert sql.read(engine).equals(store.read(1).tables)
    assert sql.load(store, engine).version == 3


class LateStore(ae.SnapshotStore):
    """A store that was asked for its newest version before version 3 was there."""

    def find(self, version: Optional[int] = None) -> Any:
        return super().find(version or 2)


def test_an_older_store_state_does_not_go_over_a_newer_one(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine)
    report = sql.load(LateStore(store.url), database.engine)
    assert (report.outcome, report.version) == ("unchanged", 3)
    assert sql.read(database.engine).equals(store.read().tables)


@pytest.mark.parametrize("one_database", ["postgresql"], indirect=True)
def test_rows_that_are_equal_are_not_touched(one_database: Any, store: ae.SnapshotStore) -> None:
    ask = "SELECT string_agg(CAST(xmin AS text), ',' ORDER BY user_profile_id) FROM user_profile"
    sql.load(store, one_database.engine, version=1)
    before = one_database.scalar(ask).split(",")
    sql.load(store, one_database.engine, version=2, compare=True)
    after = one_database.scalar(ask).split(",")
    assert [a == b for a, b in zip(before, after)] == [True, False, True]


HARM = {
    "deleted": "DELETE FROM email WHERE email_id = 1",
    "both_changed": "UPDATE user_profile SET last_name = 'Y' WHERE first_name = 'Bob'",
    "inserted": (
        "INSERT INTO phone_number_type (type, created, created_by) VALUES ('x', '2026-01-01', 'y')"
    ),
}


@pytest.mark.parametrize("kind", HARM)
def test_what_somebody_else_wrote_is_written_over_only_when_that_is_said(
    database: Any, store: ae.SnapshotStore, kind: str
) -> None:
    sql.load(store, database.engine, version=1)
    assert database.execute(HARM[kind]) == 1
    held = sql.read(database.engine)
    with pytest.raises(DatabaseChangedError, match="since version 1") as found:
        sql.load(store, database.engine)
    table = HARM[kind].split()[1 if kind == "both_changed" else 2]
    assert found.value.details["problem"] == "changed"
    assert found.value.details["tables"] == {table: {kind: 1}}
    assert sql.read(database.engine).equals(held)
    report = sql.load(store, database.engine, overwrite=True)
    assert report.outcome == "compared"
    assert sql.read(database.engine).equals(store.read().tables)


def test_a_changed_row_that_no_count_shows_is_found_by_comparing(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine)
    database.execute("UPDATE user_profile SET last_name = 'Y' WHERE first_name = 'Ann'")
    assert sql.load(store, database.engine).outcome == "unchanged"
    with pytest.raises(DatabaseChangedError) as found:
        sql.load(store, database.engine, compare=True)
    assert found.value.details["tables"] == {"user_profile": {"changed": 1}}
    assert found.value.details["columns"] == {"user_profile": {"last_name": 1}}
    assert total(sql.load(store, database.engine, overwrite=True))["updated"] == 1
    assert sql.read(database.engine).equals(store.read().tables)


def test_comparing_tells_null_from_a_value(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine)
    database.execute("UPDATE address SET street = NULL WHERE address_id = 1")
    database.execute("UPDATE address SET updated_by = 'somebody' WHERE address_id = 2")
    with pytest.raises(DatabaseChangedError) as found:
        sql.load(store, database.engine, compare=True)
    assert found.value.details["columns"] == {"address": {"street": 1, "updated_by": 1}}
    assert sql.load(store, database.engine, overwrite=True).tables["address"]["updated"] == 2
    assert sql.read(database.engine).equals(store.read().tables)


def test_where_the_old_version_is_gone_nobody_can_tell_whose_rows_differ(
    database: Any, store: ae.SnapshotStore
) -> None:
    name = sql.load(store, database.engine, version=1).pin
    impatient = ae.SnapshotStore(store.url, attempt_limit=NO_AGE)
    impatient.vacuum(run=RUN, keep_for=-dt.timedelta(days=1_000))
    assert store.read(1).tables  # the pin keeps it
    assert name is not None
    store.unpin(name)
    impatient.vacuum(run=RUN, keep_for=-dt.timedelta(days=1_000))
    with pytest.raises(VersionNotFoundError):
        store.read(1)
    with pytest.raises(DatabaseChangedError, match="no longer kept") as found:
        sql.load(store, database.engine)
    assert found.value.details["problem"] == "base"
    assert sql.load(store, database.engine, overwrite=True).outcome == "compared"
    assert sql.read(database.engine).equals(store.read().tables)


def test_a_purged_borrower_leaves_the_database_too(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine)
    store.purge("100", run=RUN)
    sql.load(store, database.engine)
    assert database.scalar("SELECT count(*) FROM user_profile WHERE user_profile_id = '100'") == 0
    assert sql.read(database.engine).equals(store.read().tables)


def test_another_store_with_other_keys_replaces_all_rows(
    database: Any, store: ae.SnapshotStore, tmp_path: Path
) -> None:
    sql.load(store, database.engine)
    other = ae.SnapshotStore(tmp_path / "other")
    source = write_borrowers(tmp_path / "others", ["Zoe Z", "Yan Y", "Xia X", "Wim W"])
    path = Path(source) / "borrower.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("\n103,", "\n001,"), encoding="utf-8")
    ae.sync(source, other, run=RUN, thresholds=LENIENT)
    with pytest.raises(DatabaseChangedError, match="another store"):
        sql.load(other, database.engine)
    report = sql.load(other, database.engine, overwrite=True)
    assert (report.outcome, report.version) == ("replaced", 1)
    assert sql.read(database.engine).equals(other.read().tables)


def test_a_pinned_version_stays_readable(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine, version=2, pin="reports")
    impatient = ae.SnapshotStore(store.url, attempt_limit=NO_AGE)
    impatient.vacuum(run=RUN, keep_for=-dt.timedelta(days=1_000))
    assert store.find().oldest_readable == 2
    assert sql.load(store, database.engine, pin="reports").outcome == "changed"


def test_what_the_database_numbers_is_far_above_our_keys(
    database: Any, store: ae.SnapshotStore
) -> None:
    add = "INSERT INTO {} (type, created, created_by) VALUES ('new', '2026-01-01', 'app')"
    sql.create(database.engine)
    assert sql.load(store, database.engine, version=1).identities == ()
    database.execute(add.format("role_profile_type"))
    assert database.scalar("SELECT max(role_profile_type_id) FROM role_profile_type") == 2**40


def test_identities_of_a_database_that_is_there_are_moved_once(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine, version=1)
    set_identity(database, "email", 4)
    assert sql.load(store, database.engine, version=2).identities == ("email",)
    assert sql.load(store, database.engine, version=3).identities == ()
    database.execute(
        "INSERT INTO email_type (type, created, created_by) VALUES ('new', '2026-01-01', 'app')"
    )
    database.execute(
        "INSERT INTO email (role_profile_id, email_type_id, value, created, created_by)"
        " VALUES (1, :type, 'a@b.de', '2026-01-01', 'app')",
        type=2**40,
    )
    assert database.scalar("SELECT max(email_id) FROM email") == 2**40


def set_identity(database: Any, table: str, number: int) -> None:
    """Let the database number the rows of a table from somewhere on."""
    statements = {
        "sqlite": f"UPDATE sqlite_sequence SET seq = {number - 1} WHERE name = '{table}'",  # noqa: S608 - fixed
        "postgresql": f"ALTER TABLE {table} ALTER COLUMN {table}_id RESTART WITH {number}",
        "mariadb": f"ALTER TABLE {table} AUTO_INCREMENT = {number}",
    }
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statements[database.name])


# ----------------------------------------------------------------------------- models


class UserProfile(borrower.UserProfile):
    """One more column."""

    nickname: Series[str] = ae.column(nullable=True, length=20, source="borrower.nickname")


class Borrower(borrower.Borrower):
    """... and where it comes from."""

    nickname: Series[str] = ae.column(nullable=True)


class Branch(schema.Table):
    """A table that nothing fills yet."""

    branch_id: Series[int] = ae.column(primary_key=True)
    name: Series[str] = ae.column(natural_key=True, length=10)


class Address(borrower.Address):
    """A reference in a table that is there already."""

    branch_id: Series[pd.Int64Dtype] = ae.column(nullable=True, references="branch")


def test_a_database_of_an_older_model_is_brought_to_the_newer_one(
    database: Any, store: ae.SnapshotStore
) -> None:
    sql.load(store, database.engine)
    newer = ae.BORROWER_MODEL.merge(sources=[Borrower], tables=[UserProfile])
    report = sql.load(ae.SnapshotStore(store.url, model=newer), database.engine)
    assert report.created == ("user_profile.nickname",)
    assert sql.create(database.engine, model=newer) == ()
    with pytest.raises(sa.exc.DBAPIError):
        database.execute("UPDATE user_profile SET nickname = ''")
    with refused("database", match="nickname is gone"):
        sql.load(store, database.engine)


def test_a_new_column_may_refer_to_a_new_table(database: Any, store: ae.SnapshotStore) -> None:
    def branch(borrower: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"name": borrower["city"]})

    sql.load(store, database.engine)
    newer = ae.BORROWER_MODEL.merge(tables=[Branch, Address], builders={"branch": branch})
    made = sql.create(database.engine, model=newer)
    assert made == ("branch", "address.branch_id")
    with pytest.raises(sa.exc.DBAPIError):
        database.execute("UPDATE address SET branch_id = 5")


def test_tables_of_somebody_else_are_refused(database: Any, store: ae.SnapshotStore) -> None:
    database.execute("CREATE TABLE email (id int)")
    with refused("database", match=r"email\.email_id is not there"):
        sql.load(store, database.engine)
    assert not sa.inspect(database.engine).has_table("user_profile")


def test_a_store_brings_its_own_model(database: Any, store: ae.SnapshotStore) -> None:
    with pytest.raises(NotSupportedError, match="brings its own model"):
        sql.load(store, database.engine, model=EXTENDED_MODEL)
    with pytest.raises(NotSupportedError, match="have no version"):
        sql.load(store.read().tables, database.engine, version=1)


def test_an_empty_store_makes_no_table(database: Any, tmp_path: Path) -> None:
    with pytest.raises(VersionNotFoundError):
        sql.load(ae.SnapshotStore(tmp_path / "nothing"), database.engine)
    assert sa.inspect(database.engine).get_table_names() == []


# ----------------------------------------------------------------------------- others, errors


#: For as long as other loaders need, however slow the machine; PostgreSQL waits for ever.
PATIENT: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": 600},
    "mariadb": {"init_command": "SET SESSION innodb_lock_wait_timeout = 600"},
}


def test_two_loaders_at_once_both_end_at_the_newest_version(
    database: Any, store: ae.SnapshotStore
) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        engine = database.another(connect_args=PATIENT.get(database.name, {}))
        try:
            for _ in range(3):
                sql.load(ae.SnapshotStore(store.url), engine)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sql.read(database.engine).equals(store.read().tables)


IMPATIENT: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": 0.2},
    "postgresql": {"options": "-c lock_timeout=200"},
    "mariadb": {"init_command": "SET SESSION innodb_lock_wait_timeout = 1"},
}


def test_who_waits_too_long_gets_a_clear_error(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine, version=1)
    engine = database.another(connect_args=IMPATIENT[database.name])
    with database.engine.connect() as other:
        if database.name == "sqlite":
            other.connection.dbapi_connection.isolation_level = None
            other.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            other.exec_driver_sql("UPDATE aspen_etl_load SET library = 'other'")
        with refused("load", match="load again when the other one is done") as held:
            sql.load(store, engine)
        check_ours(held.value)
        other.rollback()
        if database.name == "sqlite":
            other.connection.dbapi_connection.isolation_level = ""
    assert sql.load(store, engine).outcome == "changed"


def test_an_error_tells_no_cell_and_no_password(database: Any, store: ae.SnapshotStore) -> None:
    sql.load(store, database.engine, version=1)
    # Somebody's own rule of which the model knows nothing.
    if database.name == "sqlite":
        database.execute(
            "CREATE TRIGGER no BEFORE UPDATE ON user_profile BEGIN SELECT RAISE(ABORT, 'Bob'); END"
        )
    else:
        database.execute("ALTER TABLE user_profile ADD CONSTRAINT no CHECK (last_name <> 'X')")
    before = sql.read(database.engine)
    with pytest.raises(DatabaseError) as refused:
        sql.load(store, database.engine, version=2)
    check_ours(refused.value, "Bob", "X'", "'X", "user_profile_id")
    assert "user_profile" in str(refused.value)
    assert sql.read(database.engine).equals(before)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://joe:hush@127.0.0.1:1/db?application_name=hush",
        "mysql+pymysql://joe:hush@127.0.0.1:1/db",
    ],
)
def test_an_unreachable_database_is_named_without_its_password(
    url: str, store: ae.SnapshotStore
) -> None:
    pytest.importorskip("psycopg")
    pytest.importorskip("pymysql")
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:1/db: .*failed") as refused:
        sql.load(store, sa.create_engine(url))
    check_ours(refused.value, "hush", "joe")


def test_a_database_of_another_kind_is_refused() -> None:
    engine = sa.create_mock_engine("oracle://", None)
    with pytest.raises(NotSupportedError, match="no loader for 'oracle'"):
        sql.create(engine)


@pytest.mark.parametrize("one_database", ["postgresql"], indirect=True)
def test_a_schema_may_be_named(one_database: Any) -> None:
    one_database.execute('CREATE SCHEMA "My schema"')
    wanted = ae.normalize(ae.read_extract(SAMPLE), run=RUN).tables
    sql.load(wanted, one_database.engine, schema="My schema")
    assert sql.read(one_database.engine, schema="My schema").equals(wanted)
    assert sql.load(wanted, one_database.engine, schema="My schema").outcome == "compared"
    assert one_database.scalar('SELECT count(*) FROM "My schema"."user"') == len(wanted["user"])
