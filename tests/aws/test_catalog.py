"""The catalogue follows the store: idempotent, only what moved, whole again after any failure.

Glue is moto's: it believes everything and takes any ``VersionId``, so that what Glue would
refuse is played by a client of our own around it.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.aws.catalog import catalog_status, publish
from aspen_etl.aws.clients import run_statements
from aspen_etl.aws.lambda_handler import make_handler
from aspen_etl.errors import CatalogError
from tests.aws.events import Context
from tests.support.borrowers import LENIENT, RUN, write_borrowers
from tests.support.refusals import refused
from tests.support.s3 import S3Server, new_client

TABLES = list(ae.BORROWER_MODEL.tables)
CHANGES = ("create_table", "update_table")


class Glue:
    """A client that counts the changes it passes on, and fails at one of them."""

    def __init__(self, client: Any, fail_at: Optional[int] = None, *, after: bool = False) -> None:
        self.client, self.fail_at, self.after = client, fail_at, after
        self.calls: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        if name not in CHANGES:
            return real

        def change(**arguments: Any) -> Any:
            self.calls.append((name, arguments["TableInput"]["Name"]))
            failing = len(self.calls) == self.fail_at
            if failing and not self.after:
                raise refusal("AccessDeniedException")
            answer = real(**arguments)
            if failing:
                raise refusal("InternalServiceException")
            return answer

        return change


class Clock:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def refusal(code: str) -> Exception:
    """Make the error that botocore raises."""
    from botocore.exceptions import ClientError

    error: Exception = ClientError({"Error": {"Code": code, "Message": "canary"}}, "UpdateTable")
    return error


@pytest.fixture
def client(moto_server: S3Server) -> Any:
    """Give a client of Glue."""
    return new_client(moto_server, "glue")


@pytest.fixture
def database(client: Any) -> str:
    """Give a new database."""
    name = f"aspen_{secrets.token_hex(4)}"
    client.create_database(DatabaseInput={"Name": name})
    return name


class Lender:
    """A store on disk that moves on by one borrower a run."""

    def __init__(self, folder: Path, file_format: Any = "parquet") -> None:
        self.folder = folder
        self.store = ae.SnapshotStore(f"file://{folder}/store", format=file_format)
        self.names = ["Ada Ek", "Bo Li"]

    def sync(self) -> int:
        """Commit a version: the next name, and nothing else, is new."""
        self.names[-1] += "a"
        source = write_borrowers(self.folder / "in", self.names)
        return ae.sync(source, self.store, run=RUN, thresholds=LENIENT).version


@pytest.fixture
def lender(tmp_path: Path) -> Lender:
    """Give a store of one version."""
    pytest.importorskip("pyarrow")
    lender = Lender(tmp_path)
    lender.sync()
    return lender


def tables_of(client: Any, database: str) -> dict[str, dict[str, Any]]:
    return {t["Name"]: t for t in client.get_tables(DatabaseName=database)["TableList"]}


def check_current(store: ae.SnapshotStore, client: Any, database: str) -> None:
    """Make sure that every table points at the folder that the newest commit names."""
    commit, held = store.find(), tables_of(client, database)
    for name, stored in commit.tables.items():
        location = held[name]["StorageDescriptor"]["Location"]
        assert location == f"{store.url}/{stored.location or f'{name}/none'}/", name
    assert all(s.current for s in catalog_status(store, client=client, database=database).values())


def pinned(store: ae.SnapshotStore, database: str) -> int:
    place = store.place.root.child(f"_aspen/pins/catalog-{database}.json")
    return int(json.loads(place.read(1000))["version"])


# ----------------------------------------------------------------------------- in step


def test_tables_are_made_then_moved_alone_then_left_alone(
    lender: Lender, client: Any, database: str
) -> None:
    store = lender.store
    first = publish(store, client=client, database=database)
    assert first.tables == dict.fromkeys(TABLES, "created")
    check_current(store, client, database)
    assert pinned(store, database) == 1

    glue = Glue(client)
    assert set(publish(store, client=glue, database=database).tables.values()) == {"unchanged"}
    assert glue.calls == []

    version = lender.sync()
    before = tables_of(client, database)
    status = catalog_status(store, client=client, database=database)
    changed = [n for n, counts in store.find().changes.items() if any(counts.values())]
    assert 0 < len(changed) < len(TABLES)
    assert [name for name, each in status.items() if not each.current] == changed
    moved = publish(store, client=glue, database=database)
    assert glue.calls == [("update_table", name) for name in changed]
    assert [name for name, how in moved.tables.items() if how == "moved"] == changed
    check_current(store, client, database)
    status = catalog_status(store, client=client, database=database)
    assert {n: s.version for n, s in status.items()} == {
        name: version if name in changed else 1 for name in TABLES
    }
    after = tables_of(client, database)
    for name in set(TABLES) - set(changed):
        assert after[name] == before[name]
    assert pinned(store, database) == version


def test_no_old_state_is_archived(lender: Lender, client: Any, database: str) -> None:
    seen = []

    class Watch(Glue):
        def __getattr__(self, name: str) -> Any:
            if name == "update_table":
                return lambda **given: seen.append((given["SkipArchive"], given["VersionId"]))
            return super().__getattr__(name)

    publish(lender.store, client=client, database=database)
    lender.sync()
    publish(lender.store, client=Watch(client), database=database)
    assert seen
    assert all(skip is True and version.isdigit() for skip, version in seen)


def failure_of(store: ae.SnapshotStore, glue: Glue, database: str) -> Optional[CatalogError]:
    try:
        publish(store, client=glue, database=database)
    except CatalogError as error:
        return error
    return None


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_failure_at_any_change_is_repaired_by_the_next_run(
    lender: Lender, client: Any, *, after: bool
) -> None:
    store = lender.store
    for number in range(1, 1000):
        database = f"aspen_{secrets.token_hex(4)}"
        client.create_database(DatabaseInput={"Name": database})
        publish(store, client=client, database=database)
        old = store.find().version
        lender.sync()
        glue = Glue(client, number, after=after)
        error = failure_of(store, glue, database)
        if error is None:
            assert number > len(glue.calls) > 0
            break
        assert "canary" not in str(error)
        assert error.__context__ is None
        assert pinned(store, database) == old  # tables of both commits are kept
        publish(store, client=client, database=database)
        check_current(store, client, database)
        assert pinned(store, database) == store.find().version
    assert number > 1


def test_what_tables_stand_on_is_kept_while_they_move(
    lender: Lender, client: Any, database: str
) -> None:
    store = lender.store
    for _ in range(3):
        publish(store, client=client, database=database)
        version = lender.sync()
    publish(store, client=client, database=database)
    # Tables that never changed were last moved to version 1, which goes now.
    kept = store.vacuum(run=RUN, keep_for=dt.timedelta(days=-1)).oldest_readable
    assert kept == version > 1
    lender.sync()
    assert failure_of(store, Glue(client, 1), database) is not None
    assert pinned(store, database) == kept
    assert store.vacuum(run=RUN, keep_for=dt.timedelta(days=-1)).oldest_readable == kept


def test_who_comes_late_does_not_move_a_table_back(
    lender: Lender, client: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, old = lender.store, lender.store.find()
    new = lender.sync()
    publish(store, client=client, database=database)
    monkeypatch.setattr(ae.SnapshotStore, "find", lambda *_: old)
    late = publish(store, client=client, database=database)
    assert set(late.tables.values()) == {"newer"}
    monkeypatch.undo()
    check_current(store, client, database)
    assert pinned(store, database) == new


def test_an_older_version_is_shown_when_it_is_asked_for(
    lender: Lender, client: Any, database: str
) -> None:
    publish(lender.store, client=client, database=database)
    before = tables_of(client, database)
    lender.sync()
    publish(lender.store, client=client, database=database)
    back = publish(lender.store, client=client, database=database, version=1)
    assert "moved" in back.tables.values()
    held = tables_of(client, database)
    for name in TABLES:
        assert held[name]["StorageDescriptor"] == before[name]["StorageDescriptor"]
    gone = lender.store.vacuum(run=RUN, keep_for=dt.timedelta(days=-1))
    assert gone.oldest_readable == 1  # the catalogue stands on it


def test_another_run_that_comes_between_is_seen(lender: Lender, client: Any, database: str) -> None:
    class Race(Glue):
        def __getattr__(self, name: str) -> Any:
            real = super().__getattr__(name)
            if name != "create_table":
                return real

            def create(**given: Any) -> Any:
                self.client.create_table(**given)  # the other one's
                return real(**given)

            return create

    report = publish(lender.store, client=Race(client), database=database)
    assert set(report.tables.values()) == {"unchanged"}
    check_current(lender.store, client, database)


def test_a_new_column_changes_its_table(lender: Lender, client: Any, database: str) -> None:
    publish(lender.store, client=client, database=database)
    client.update_table(
        DatabaseName=database,
        TableInput={
            **{
                key: value
                for key, value in tables_of(client, database)["user"].items()
                if key in {"Name", "TableType", "Parameters", "PartitionKeys"}
            },
            "StorageDescriptor": {
                **tables_of(client, database)["user"]["StorageDescriptor"],
                "Columns": [{"Name": "user_id", "Type": "string"}],
            },
        },
    )
    report = publish(lender.store, client=client, database=database)
    assert [name for name, how in report.tables.items() if how == "moved"] == ["user"]
    check_current(lender.store, client, database)


# ----------------------------------------------------------------------------- refusals


def test_what_is_not_ours_is_not_touched(
    lender: Lender, client: Any, database: str, tmp_path: Path
) -> None:
    client.create_table(DatabaseName=database, TableInput={"Name": "user", "Parameters": {}})
    with pytest.raises(CatalogError, match=f"{database}.user: a table of that name is there"):
        publish(lender.store, client=client, database=database)
    assert list(tables_of(client, database)) == ["user"]
    client.delete_table(DatabaseName=database, Name="user")
    publish(lender.store, client=client, database=database)
    other = Lender(tmp_path / "other")
    other.folder.mkdir()
    other.sync()
    with pytest.raises(CatalogError, match="belongs to another store"):
        publish(other.store, client=client, database=database)


def test_what_cannot_be_asked_or_named_is_said(lender: Lender, client: Any) -> None:
    with pytest.raises(CatalogError, match=r"catalogue nowhere: listing.*EntityNotFound") as got:
        publish(lender.store, client=client, database="nowhere")
    assert got.value.__context__ is None
    assert set(catalog_or_none(lender.store, client)) == {None}
    memory = ae.SnapshotStore("memory://catalog/store")
    source = write_borrowers(lender.folder / "in", ["Ada Ek"])
    ae.sync(source, memory, run=RUN, thresholds=LENIENT)
    with refused("name", match="no folder that a statement can name"):
        publish(memory, client=client, database="aspen")


def catalog_or_none(store: ae.SnapshotStore, client: Any) -> list[Optional[int]]:
    name = f"aspen_{secrets.token_hex(4)}"
    client.create_database(DatabaseInput={"Name": name})
    status = catalog_status(store, client=client, database=name)
    assert not any(each.current for each in status.values())
    return [each.version for each in status.values()]


# ----------------------------------------------------------------------------- views over CSV


def test_csv_gets_tables_of_text_and_views_that_are_made_once(
    tmp_path: Path, client: Any, database: str
) -> None:
    lender = Lender(tmp_path, "csv")
    lender.sync()
    made: list[str] = []

    def views(statement: str, where: str) -> None:
        assert where == database
        made.append(statement.splitlines()[0])

    def fail(statement: str, where: str) -> None:
        if '"phone_number"' in statement:
            raise CatalogError.at(where, "making a view", "Athena says FAILED")
        views(statement, where)

    with pytest.raises(CatalogError, match="Athena says FAILED"):
        publish(lender.store, client=client, database=database, views=fail)
    assert 0 < len(made) < len(TABLES)
    publish(lender.store, client=client, database=database, views=views)
    assert sorted(made) == sorted(f'CREATE OR REPLACE VIEW "{database}"."{n}" AS' for n in TABLES)
    assert sorted(tables_of(client, database)) == sorted(f"{name}_csv" for name in TABLES)

    lender.sync()
    report = publish(lender.store, client=client, database=database, views=views)
    assert "moved" in report.tables.values()
    assert len(made) == len(TABLES)  # a view names no folder: it stays as it is


def test_a_table_in_the_place_of_a_view_is_refused(
    tmp_path: Path, client: Any, database: str
) -> None:
    lender = Lender(tmp_path, "csv")
    lender.sync()
    client.create_table(DatabaseName=database, TableInput={"Name": "user"})
    with pytest.raises(CatalogError, match="a table stands where the view"):
        publish(lender.store, client=client, database=database, views=lambda *_: None)


def test_athena_runs_the_statements(moto_server: S3Server) -> None:
    athena = new_client(moto_server, "athena")
    run_statements(athena, output="s3://bucket/athena/")("CREATE VIEW x AS SELECT 1", "aspen")
    (identifier,) = athena.list_query_executions()["QueryExecutionIds"][:1]
    execution = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    assert execution["Query"] == "CREATE VIEW x AS SELECT 1"
    assert execution["QueryExecutionContext"]["Database"] == "aspen"


@pytest.mark.parametrize(
    ("states", "match"),
    [
        (["QUEUED", "RUNNING", "SUCCEEDED"], None),
        (["RUNNING", "FAILED"], "Athena says FAILED"),
        (["CANCELLED"], "Athena says CANCELLED"),
        (["RUNNING"] * 3, "Athena says RUNNING"),
    ],
)
def test_a_statement_is_followed_to_its_end(
    states: list[str],
    match: Optional[str],
    moto_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr("aspen_etl.aws.clients.time", clock)
    stub = pytest.importorskip("botocore.stub")
    client = new_client(moto_server, "athena")
    started = {"QueryExecutionId": "q" * 36}
    with stub.Stubber(client) as stubber:
        told = {
            "QueryString": "CREATE VIEW x",
            "QueryExecutionContext": {"Database": "aspen"},
            "ClientRequestToken": stub.ANY,
            "WorkGroup": "nightly",
        }
        stubber.add_response("start_query_execution", started, told)
        for state in states:
            answer = {"QueryExecution": {"Status": {"State": state}}}
            stubber.add_response("get_query_execution", answer, started)
        run = run_statements(client, workgroup="nightly", timeout=0.5)
        if match is None:
            run("CREATE VIEW x", "aspen")
        else:
            with pytest.raises(CatalogError, match=match):
                run("CREATE VIEW x", "aspen")
        stubber.assert_no_pending_responses()
    assert clock.now < 0.5


def test_the_handler_keeps_the_catalogue_in_step(
    tmp_path: Path, database: str, moto_server: S3Server
) -> None:
    settings = {
        "ASPEN_ETL_SOURCE": write_borrowers(tmp_path / "in", ["Ada Ek", "Bo Li"]),
        "ASPEN_ETL_STORE": f"file://{tmp_path}/store",
        "ASPEN_ETL_CATALOG_DATABASE": database,
        "ASPEN_ETL_ATHENA_OUTPUT": "s3://bucket/athena/",
    }
    handler = make_handler(environment=settings, client=lambda name: new_client(moto_server, name))
    answer = handler({}, Context())
    assert json.loads(json.dumps(answer))["catalog"]["tables"] == dict.fromkeys(TABLES, "created")
    assert set(handler({}, Context())["catalog"]["tables"].values()) == {"unchanged"}
