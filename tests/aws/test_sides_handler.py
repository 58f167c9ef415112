"""Two sides kept in step by the handler: PostgreSQL and MariaDB, leases, metrics, refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.aws.sides_handler import make_sides_handler
from aspen_etl.aws.sides_job import main
from aspen_etl.errors import (
    MergeConflictError,
    SettingsError,
    StaleReadingError,
    TwoWayError,
)
from aspen_etl.schema.landing import Landing
from tests.aws.events import Context, logged
from tests.sql.conftest import (  # noqa: F401 - fixtures
    Given,
    make_database,
    mariadb_server,
    postgresql_server,
)
from tests.support.borrowers import RUN, check_ours
from tests.support.landed import Landed
from tests.support.lender import make_lender

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

ROUND = {"work": "pull push"}
LENIENT = {"ASPEN_ETL_MAX_REJECTED_CELLS": "1", "ASPEN_ETL_MAX_REJECTED_ROWS": "1"}
SECRET = "pa55word"  # noqa: S105 - nobody's


class Secrets:
    """A client that knows one login, of whoever the servers trust."""

    def __init__(self, user: str) -> None:
        self.user, self.asked = user, 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto's word
        """Give the login in the form of RDS."""
        assert SecretId == "lender"
        self.asked += 1
        return {"SecretString": json.dumps({"username": self.user, "password": SECRET})}


def metrics_of(lines: list[dict[str, Any]], name: str) -> list[float]:
    """Give what was measured under a name."""
    return [line[name] for line in lines if "_aws" in line and name in line]


def settings_of(folder: Path, old: Any, new: Any) -> dict[str, str]:
    return {
        "ASPEN_ETL_STORE": str(folder / "store"),
        "ASPEN_ETL_OLD": old.url,
        "ASPEN_ETL_NEW": new.url,
        "ASPEN_ETL_DETAILS": str(folder / "details"),
        "ASPEN_ETL_POLICY": "hold",
        **LENIENT,
    }


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    return ae.SnapshotStore(str(tmp_path / "store"))


def begin(store: ae.SnapshotStore, old: Any) -> None:
    lenient = ae.Thresholds(max_rejected_cells=1, max_rejected_rows=1)
    ae.sync(lambda: ae.read_database(old.engine), store, run=RUN, thresholds=lenient)
    store.begin_two_way(run=RUN)


def databases(request: pytest.FixtureRequest, *names: str) -> Any:
    makers = [make_database(name, request) for name in names]
    yield [next(maker) for maker in makers]
    for maker in makers:
        next(maker, None)


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Any:
    """Give PostgreSQL and MariaDB."""
    yield from databases(request, "postgresql", "mariadb")


def given(folder: Path) -> list[Given]:
    """Give two databases of SQLite in a folder, whose files are there."""
    made = []
    for name in ("old", "new"):
        (folder / f"{name}.db").touch()
        url = f"sqlite:///{folder / name}.db"
        made.append(Given("sqlite", url, sa.create_engine(url, poolclass=sa.NullPool)))
    return made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two sides that are in step, and the store between them, once."""
    folder = tmp_path_factory.mktemp("sides")
    old, new = given(folder)
    make_lender(old)
    begin(ae.SnapshotStore(str(folder / "store")), old)
    told = settings_of(folder, old, new)
    make_sides_handler(environment=told)({"work": "push", "side": "new"}, Context())
    return folder


@pytest.fixture
def files(filled: Path, tmp_path: Path) -> list[Given]:
    """Give a copy of them."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return given(tmp_path)


def test_a_round_and_a_proof_between_postgresql_and_mariadb(
    servers: Any, store: ae.SnapshotStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = servers
    make_lender(old)
    begin(store, old)
    user = old.engine.url.username
    secrets = Secrets(user)
    url = old.engine.url.set(username=None)
    told = {
        **settings_of(tmp_path, old, new),
        "ASPEN_ETL_OLD": str(url),
        "ASPEN_ETL_OLD_SECRET": "lender",
    }
    handler = make_sides_handler(environment=told, client=lambda _: secrets)
    first = handler(ROUND, Context())
    lines = logged(capsys.readouterr().out)
    # Nothing was ever written to the new side: the push fills it.
    assert [(each["work"], each["side"], each["outcome"]) for each in first["work"]] == [
        *(("pull", "old", "unchanged"), ("pull", "new", "overtaken")),
        *(("push", "old", "unchanged"), ("push", "new", "pushed")),
    ]
    assert metrics_of(lines, "Pulls") == [1]
    assert metrics_of(lines, "Pushes") == [1, 1]
    assert metrics_of(lines, "Busy") == [0]
    old.execute("UPDATE borrower SET full_name = 'Cid Foxe' WHERE id = 'b3'")
    new.execute("UPDATE user_profile SET first_name = 'Roberta' WHERE user_profile_id = 'b2'")
    second = handler({"work": "pull push reconcile"}, Context())
    printed = capsys.readouterr().out
    lines = logged(printed)
    assert second["outcome"] == "done"
    assert metrics_of(lines, "RowsTaken") == [1, 1]
    assert metrics_of(lines, "Proofs") == [1]
    assert (metrics_of(lines, "Unexplained"), metrics_of(lines, "Runs")) == ([0], [1])
    assert old.scalar("SELECT full_name FROM borrower WHERE id = 'b2'") == "Roberta Ray"
    assert new.scalar("SELECT last_name FROM user_profile WHERE user_profile_id = 'b3'") == "Foxe"
    assert secrets.asked
    for text in (SECRET, "Roberta", "Foxe"):
        assert text not in printed + json.dumps([first, second])
    assert len(list((tmp_path / "details").iterdir())) == 1


def test_who_finds_the_lease_ends_as_busy(
    files: Any, store: ae.SnapshotStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = settings_of(tmp_path, *files)
    handler = make_sides_handler(environment={**told, "ASPEN_ETL_WORK": "pull"})
    capsys.readouterr()
    with store.lease("old", seconds=900):
        found = handler({}, Context())
        alone = handler({"side": "old"}, Context())
        proof = handler({"work": "reconcile"}, Context())
    assert [each["outcome"] for each in found["work"]] == ["busy", "unchanged"]
    assert (found["outcome"], alone["outcome"], proof["outcome"]) == ("done", "busy", "busy")
    lines = logged(capsys.readouterr().out)
    assert metrics_of(lines, "Busy") == [1, 1, 1]
    assert metrics_of(lines, "Failures") == [0, 0, 0]
    again = handler({}, Context())
    assert [each["outcome"] for each in again["work"]] == ["unchanged", "unchanged"]


def test_a_conflict_is_held_and_measured_or_refused(
    files: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = files
    told = settings_of(tmp_path, *files)
    old.execute("UPDATE borrower SET full_name = 'Dee Canary' WHERE id = 'b4'")
    new.execute("UPDATE user_profile SET last_name = 'Canary2' WHERE user_profile_id = 'b4'")
    capsys.readouterr()
    handler = make_sides_handler(environment={**told, "ASPEN_ETL_POLICY": "refuse"})
    with pytest.raises(MergeConflictError) as caught:
        handler(ROUND, Context())
    check_ours(caught.value, "Canary")
    lines = logged(capsys.readouterr().out)
    assert (metrics_of(lines, "Refused"), metrics_of(lines, "Failures")) == ([1], [1])
    (told_of,) = [line for line in lines if line.get("level") == "ERROR"]
    assert (told_of["step"], told_of["error"]) == ("pull new: merging", "MergeConflictError")
    handler = make_sides_handler(environment=told)
    handler(ROUND, Context())
    lines = logged(capsys.readouterr().out)
    assert max(metrics_of(lines, "Held")) == 1
    proof = handler({"work": "reconcile"}, Context())
    assert proof["work"][0]["outcome"] == "in_step"  # the store explains it: it waits there
    lines = logged(capsys.readouterr().out)
    assert (metrics_of(lines, "Proofs"), metrics_of(lines, "Unexplained")) == ([1], [0])
    new.execute("UPDATE user_profile SET last_name = 'Canary3' WHERE user_profile_id = 'b3'")
    proof = handler({"work": "reconcile"}, Context())
    assert proof["work"][0]["outcome"] == "unexplained"
    printed = capsys.readouterr().out
    assert "Canary" not in printed
    assert metrics_of(logged(printed), "Proofs") == [0]
    assert metrics_of(logged(printed), "Unexplained") == [1]


def test_a_push_that_comes_too_early_is_left_to_the_next_run(
    files: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = files
    told = settings_of(tmp_path, *files)
    handler = make_sides_handler(environment=told)
    new.execute("UPDATE user_profile SET last_name = 'Late' WHERE user_profile_id = 'b4'")
    handler({"work": "pull"}, Context())
    old.execute("UPDATE borrower SET phone_home = '512-555-0177' WHERE id = 'b4'")
    capsys.readouterr()
    early = handler({"work": "push", "side": "old"}, Context())
    assert early["work"] == [{"work": "push", "side": "old", "outcome": "overtaken"}]
    lines = logged(capsys.readouterr().out)
    assert (metrics_of(lines, "Overtaken"), metrics_of(lines, "Failures")) == ([1], [0])
    assert handler(ROUND, Context())["outcome"] == "done"
    assert old.scalar("SELECT full_name FROM borrower WHERE id = 'b4'") == "Dee Late"


def test_a_load_by_the_job(
    tmp_path: Path, store: ae.SnapshotStore, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = given(tmp_path)
    make_lender(old)
    lenient = ae.Thresholds(max_rejected_cells=1, max_rejected_rows=1)
    ae.sync(lambda: ae.read_database(old.engine), store, run=RUN, thresholds=lenient)
    words = ["--JOB_NAME", "sides", "--store", str(tmp_path / "store"), "--new", new.url]
    found = main([*words, "--work", "load"])
    assert [each["outcome"] for each in found["work"]] == ["filled"]
    (line,) = [line for line in logged(capsys.readouterr().out) if "Loads" in line]
    assert (line["JobName"], line["Held"]) == ("sides", 0)
    assert line["RowsWritten"] == sum(len(table) for table in store.read().tables.values())
    with pytest.raises(TwoWayError):
        main([*words, "--work", "pull"])


def test_the_status_of_a_landing_is_measured(
    tmp_path: Path, store: ae.SnapshotStore, capsys: pytest.CaptureFixture[str]
) -> None:
    landed = Landed(tmp_path / "landed", heartbeat="dbo.beat")
    landed.load("Ada Ek")
    told = {"ASPEN_ETL_STORE": store.url, "ASPEN_ETL_LANDING": str(landed.file)}
    landed.put_text("dbo/beat/20260131-120000000.csv", "x")
    found = make_sides_handler(environment=told)({"work": "landing_status"}, Context())
    assert found["work"][0]["outcome"] == "told"
    lines = logged(capsys.readouterr().out)
    (line,) = [line for line in lines if "Statuses" in line]
    assert line["LandingPending"] == 2
    assert "LandingAgeSeconds" in line
    assert not [line for line in lines if "Busy" in line]  # it would say that no run was busy


@pytest.mark.parametrize(
    ("event", "more", "match"),
    [
        ({}, {}, "^work is missing"),
        ({"work": "dance"}, {}, "^work is none of load, pull"),
        ({"work": "pull", "side": "left"}, {}, "^side is none of old, new"),
        ({"work": "pull"}, {}, "^old, new name no side for pull"),
        ({"work": "load"}, {}, "^new is no url of a database"),
        ({"work": "load"}, {"ASPEN_ETL_NEW": "s3://bucket"}, "^new is no url of a database"),
        (
            {"work": "pull"},
            {"ASPEN_ETL_NEW": "postgresql://a:b@c/d"},
            "^new holds a password.*new_",
        ),
        ({"work": "reconcile"}, {}, "^old, new are missing"),
        ({"work": "landing_status"}, {}, "^landing is none"),
        ({}, {"ASPEN_ETL_WORK": "pull dance"}, "^ASPEN_ETL_WORK is none of load"),
        ({}, {"ASPEN_ETL_LEASE": "-1"}, "^ASPEN_ETL_LEASE is no number of seconds"),
        ({}, {"ASPEN_ETL_POLISY": "x"}, "^ASPEN_ETL_POLISY is no setting; .* ASPEN_ETL_POLICY"),
    ],
)
def test_what_cannot_be_done_is_said(
    event: dict[str, str], more: dict[str, str], match: str, store: ae.SnapshotStore
) -> None:
    handler = make_sides_handler(environment={"ASPEN_ETL_STORE": store.url, **more})
    with pytest.raises(SettingsError, match=match):
        handler(event, Context())


def test_a_landing_that_is_behind_the_last_push_is_left_to_the_next_run(
    files: Any,
    store: ae.SnapshotStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(side: Any, *_: Any, **__: Any) -> None:
        assert isinstance(side, Landing)
        raise StaleReadingError.of("old", "it has not landed")

    monkeypatch.setattr("aspen_etl.aws.sides_work.pull", late)
    landed = Landed(tmp_path / "landed")
    landed.load("Ada Ek")
    told = {**settings_of(tmp_path, *files), "ASPEN_ETL_LANDING": str(landed.file)}
    handler = make_sides_handler(environment=told)
    found = handler({"work": "pull", "side": "old"}, Context())
    assert found["work"] == [{"work": "pull", "side": "old", "outcome": "overtaken"}]
    assert metrics_of(logged(capsys.readouterr().out), "Overtaken") == [1]
    assert store.find().version
    monkeypatch.setattr("aspen_etl.aws.sides_work.pull", stale)
    handler = make_sides_handler(environment=settings_of(tmp_path, *files))
    with pytest.raises(StaleReadingError):  # a file that is too old stays so
        handler({"work": "pull"}, Context())
    assert metrics_of(logged(capsys.readouterr().out), "Refused") == [1]


def stale(*_: Any, **__: Any) -> None:
    raise StaleReadingError.of("old", "it is too old")
