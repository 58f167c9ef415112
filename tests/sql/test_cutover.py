"""The gate of a cut-over: green as a whole, red for each reason, and what it leaves behind."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, ConflictError
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.side_frames import ACCEPTED
from aspen_etl.store.shadows import load_sides
from aspen_etl.synchronization.cutover import CutoverReport, check_cutover
from aspen_etl.synchronization.two_way import pull, push
from tests.support.borrowers import LENIENT, check_ours, files_below
from tests.support.lender import make_lender
from tests.support.two_way import account, conflicts

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl.sql import TableDatabase, load  # noqa: E402 - needs what was just asked for
from aspen_etl.sql.flat import FlatDatabase  # noqa: E402 - likewise
from aspen_etl.sql.flat_tables import FlatNames  # noqa: E402 - likewise
from tests.sql.conftest import Given, make_database  # noqa: E402 - needs what was just asked for

START = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)


def run(minute: int) -> ae.Run:
    return ae.Run(time=START + dt.timedelta(minutes=minute), actor="me")


@dataclass
class Lender:
    """Both sides and the store between them."""

    given: dict[str, Any]
    store: ae.SnapshotStore
    old: FlatDatabase
    new: TableDatabase

    def check(self, **told: Any) -> CutoverReport:
        """Ask the gate; by default nobody writes to the old side."""
        told = {"quiet": 0.01, "accepted": signed(self.store), **told}
        return check_cutover(self.store, self.old, self.new, run=run(100), **told)

    def settle(self) -> None:
        """Let both sides be at the head."""
        for _ in range(2):
            pull(self.new, self.store, run=run(50), thresholds=LENIENT)
            pull(self.old, self.store, run=run(51), thresholds=LENIENT)
            push(self.store, self.new, run=run(52))
            push(self.store, self.old, run=run(53))


def signed(store: ae.SnapshotStore) -> bytes:
    """Sign for all that is rejected."""
    return store.read_rejects()[list(ACCEPTED)].to_csv(index=False).encode()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make both sides and the store once, as files."""
    folder = tmp_path_factory.mktemp("lender")
    (folder / "one").mkdir()
    for lender in opened(folder / "one"):
        make_lender(lender.given["old"])
        fill(lender)
    shutil.copytree(folder / "one", folder / "two")
    for lender in opened(folder / "two"):
        lender.store.begin_two_way(run=run(2))
        lender.settle()
    return folder


def opened(folder: Path) -> Iterator[Lender]:
    """Open such files."""
    given = {}
    for side in ("old", "new"):
        engine = sa.create_engine(f"sqlite:///{folder / side}.db")
        given[side] = Given("sqlite", str(engine.url), engine)
    yield between(given, folder)
    for each in given.values():
        each.engine.dispose()


def between(given: dict[str, Any], folder: Path) -> Lender:
    store = ae.SnapshotStore(folder / "store", rejects_url=folder / "rejects")
    flat = FlatDatabase(given["old"].engine, store.model, FlatNames({}, {}), None)
    return Lender(given, store, flat, TableDatabase(given["new"].engine))


def fill(lender: Lender) -> None:
    ae.sync(lender.old.read, lender.store, run=run(1), thresholds=LENIENT)
    load(lender.store, lender.new.engine)


def make(old: str, new: str, request: Any, folder: Path) -> Iterator[Lender]:
    """Move by runs and loads between two databases."""
    makers = [make_database(name, request) for name in (old, new)]
    given = dict(zip(("old", "new"), (next(maker) for maker in makers)))
    make_lender(given["old"])
    lender = between(given, folder)
    fill(lender)
    yield lender
    for maker in makers:
        next(maker, None)


@pytest.fixture
def lender(made: Path, tmp_path: Path) -> Iterator[Lender]:
    """Move by runs and loads, between two files of SQLite."""
    yield from opened(Path(shutil.copytree(made / "one", tmp_path / "lender")))


@pytest.fixture
def both(made: Path, tmp_path: Path) -> Iterator[Lender]:
    """Keep both sides in step, and let them be so."""
    yield from opened(Path(shutil.copytree(made / "two", tmp_path / "lender")))


def red(report: CutoverReport) -> dict[str, str]:
    assert report.green == (not any(not gate.green for gate in report.gates))
    return {gate.name: gate.figure for gate in report.gates if not gate.green}


# ----------------------------------------------------------------------------- green


def test_all_gates_are_green_and_a_commit_says_so(lender: Lender) -> None:
    check_green(lender)


def test_so_they_are_of_a_two_way_store(both: Lender) -> None:
    check_green(both)


def test_so_they_are_of_other_databases(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    for lender in make("postgresql", "mariadb", request, tmp_path):
        lender.store.begin_two_way(run=run(2))
        lender.settle()
        check_green(lender)


def check_green(lender: Lender) -> None:
    before = lender.store.find()
    report = lender.check()
    assert red(report) == {}
    newest = lender.store.find()
    assert (report.version, report.committed) == (before.version, newest.version)
    assert (newest.kind, newest.tables) == ("cutover", before.tables)
    record = newest.cutover
    assert record is not None
    assert (record.version, record.actor) == (before.version, "me")
    assert record.report == report.report_sha256
    assert (record.source, record.target) == (
        report.reconciliation.source.digest,
        report.reconciliation.target.digest,
    )
    assert record.accepted_counts == {"invalid_phone": 1}
    assert record.unused == 0
    # It is kept by what follows, and the gate is green again.
    assert red(lender.check()) == {}
    status = lender.store.status(now=run(101).time)
    assert status.cutover is not None
    assert status.cutover["version"] == newest.version
    assert lender.store.verify().problems == ()


def test_the_record_and_the_report_hold_no_id_and_no_value(both: Lender) -> None:
    report = both.check()
    text = json.dumps(both.store.find().to_dict()) + report.to_json() + str(report)
    for secret in ("Dee Day", '"b4"', "n/a", "@x.org", "512-555"):
        assert secret not in text
    assert "green: version" in str(report)
    assert [gate.name for gate in report.gates] == [
        *("source", "landing", "head", "conflicts", "rejects", "reconcile", "keys", "constraints")
    ]


def test_the_list_lies_beside_the_rejects_and_a_purge_reaches_it(lender: Lender) -> None:
    lender.check()
    record = lender.store.find().cutover
    assert record is not None
    assert record.accepted is not None
    assert record.accepted.elsewhere
    root = lender.store.place.rejects_root
    assert root is not None
    (file,) = record.accepted.files
    assert b"b4," in root.child(file.path).read(1000)
    assert [name for name in files_below(lender.store) if "accepted" in name] == []
    report = lender.store.purge("b4", run=run(101))
    assert report.rejects == 2  # the reject and what was signed for it
    record = lender.store.find().cutover
    assert record is not None
    assert record.accepted is None
    held = ae.SnapshotStore(root.url)
    assert [name for name, data in files_below(held).items() if b"b4," in data] == []
    assert lender.store.verify().problems == ()
    lender.store.vacuum(run=ae.Run(time=START.replace(year=2030), actor="me"))
    assert lender.store.find().cutover == record


def test_a_vacuum_keeps_the_list(lender: Lender) -> None:
    lender.check()
    later = ae.Run(time=START.replace(year=2030), actor="me")
    lender.store.vacuum(run=later)
    assert lender.store.verify().problems == ()
    record = lender.store.find().cutover
    assert record is not None
    assert record.accepted is not None


# ----------------------------------------------------------------------------- red


def reject_more(lender: Lender) -> dict[str, Any]:
    lender.given["old"].execute("UPDATE borrower SET email = 'none' WHERE id = 'b2'")
    return {}


def edit_old(lender: Lender) -> dict[str, Any]:
    lender.given["old"].execute("UPDATE borrower SET city = 'Rome' WHERE id = 'b2'")
    return {}


def edit_new(lender: Lender) -> dict[str, Any]:
    lender.given["new"].execute("UPDATE user_profile SET last_name = 'X' WHERE last_name = 'Fox'")
    return {}


def run_again(lender: Lender) -> dict[str, Any]:
    edit_old(lender)
    ae.sync(lender.old.read, lender.store, run=run(9), thresholds=LENIENT)
    return {}


def pull_alone(lender: Lender) -> dict[str, Any]:
    edit_old(lender)
    pull(lender.old, lender.store, run=run(60), thresholds=LENIENT)
    return {}


def wait(lender: Lender) -> dict[str, Any]:
    newest = lender.store.find()
    sides = load_sides(lender.store.place, newest)
    held = conflicts({"subject": "b2", "side": "Rome"})
    account(lender.store, run(60), **{**sides, "old": replace(sides["old"], conflicts=held)})
    return {}


def forget_new(lender: Lender) -> dict[str, Any]:
    sides = load_sides(lender.store.place, lender.store.find())
    account(lender.store, run(60), old=sides["old"])
    return {}


def plan_alone(lender: Lender) -> dict[str, Any]:
    sides = load_sides(lender.store.place, lender.store.find())
    account(lender.store, run(60), **{**sides, "old": replace(sides["old"], plan={})})
    return {}


def set_back(lender: Lender) -> dict[str, Any]:
    lender.given["new"].execute("UPDATE aspen_etl_load SET version = version - 1")
    return {}


def load_other(lender: Lender) -> dict[str, Any]:
    lender.given["new"].execute("UPDATE aspen_etl_load SET token = 'ffffffffffffffff'")
    return {}


def unload(lender: Lender) -> dict[str, Any]:
    lender.given["new"].execute("DELETE FROM aspen_etl_load")
    return {}


def restore(lender: Lender) -> dict[str, Any]:
    lender.store.restore(1, run=run(9))
    return {}


def lower(lender: Lender) -> dict[str, Any]:
    lender.given["new"].execute("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'email'")
    return {}


def orphan(lender: Lender) -> dict[str, Any]:
    with lender.given["new"].engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO email (role_profile_id, email_type_id, value, created, created_by) "
            "VALUES (4711, 1, 'x@x.org', '2026-01-01', 'me')"
        )
    return {}


def moving(lender: Lender) -> dict[str, Any]:
    """Let somebody write between both looks, and take it back after."""
    read, looks = lender.old.read, []

    def slow() -> ae.Extract:
        extract = read()
        looks.append(1)
        if len(looks) == 1:
            edit_old(lender)
        return extract

    lender.old.read = slow  # type: ignore[method-assign, assignment]
    return {}


Harm = Callable[[Lender], dict[str, Any]]

#: By what was done: which gates are red, and a part of what each says.
ONE_WAY: dict[str, tuple[Harm, dict[str, str]]] = {
    "nobody looked": (lambda _: {"quiet": None}, {"source": "nobody looked"}),
    "a running task": (
        lambda _: {"task_status": "running"},
        {"source": "the task is running"},
    ),
    "a moving source": (
        moving,
        {"source": "other rows after", "reconcile": "1 unexplained"},
    ),
    "a run not loaded": (
        run_again,
        {"head": "the database is at version 1, the store at 2", "reconcile": ""},
    ),
    "another store's": (load_other, {"head": "none of this store's"}),
    "nothing loaded": (unload, {"head": "nothing was loaded"}),
    "on hold": (restore, {"head": "put the store on hold"}),
    "no list": (lambda _: {"accepted": None}, {"rejects": "not accepted: invalid_phone 1"}),
    "a short list": (
        lambda _: {"accepted": b"source,subject,column,rule\n"},
        {"rejects": "1 rejects are not accepted"},
    ),
    "another row's list": (
        lambda _: {"accepted": b"source,subject,column,rule\nborrower,b9,phone_home,x\n"},
        {"rejects": "1 rejects are not accepted"},
    ),
    "a reject that no run saw": (
        reject_more,
        {"rejects": "1 more are in the old side now", "reconcile": "1 unexplained"},
    ),
    "an edit of the old side": (edit_old, {"reconcile": "unexplained: 1 unexplained"}),
    "an edit of the new side": (edit_new, {"reconcile": "unexplained: 1 unexplained"}),
    "a low key": (lower, {"keys": "too low: 'email'"}),
    "a row without its parent": (
        orphan,
        {"constraints": "not trusted: 'email.", "reconcile": ""},
    ),
}
TWO_WAY: dict[str, tuple[Harm, dict[str, str]]] = {
    "an edit not pushed": (
        pull_alone,
        {"head": "the new side differs from the newest commit in 1 rows", "reconcile": ""},
    ),
    "a conflict": (wait, {"conflicts": "1 wait (old side)"}),
    "a side not known": (forget_new, {"head": "new side was never pulled from"}),
    "a push that died": (plan_alone, {"head": "old side was being pushed to"}),
    "a side set back": (set_back, {"head": "the new side says version"}),
}


@pytest.mark.parametrize("name", ONE_WAY)
def test_each_reason_makes_its_gate_red(lender: Lender, name: str) -> None:
    check_red(lender, *ONE_WAY[name])


@pytest.mark.parametrize("name", TWO_WAY)
def test_each_reason_of_two_sides_makes_its_gate_red(both: Lender, name: str) -> None:
    check_red(both, *TWO_WAY[name])


def check_red(lender: Lender, harm: Harm, wanted: dict[str, str]) -> None:
    told = harm(lender)
    before = lender.store.find()
    report = lender.check(**told)
    found = red(report)
    assert found.keys() == wanted.keys(), found
    assert all(part in found[gate] for gate, part in wanted.items()), found
    assert all(gate.todo for gate in report.gates if not gate.green)
    assert report.committed is None
    assert lender.store.find() == before
    assert f"not green: {len(wanted)} of 8 gates" in str(report)


def test_a_stopped_task_is_enough(lender: Lender) -> None:
    assert red(lender.check(task_status="stopped", quiet=None)) == {}


def test_without_rejects_no_list_is_needed(lender: Lender) -> None:
    lender.given["old"].execute("UPDATE borrower SET phone_home = NULL WHERE id = 'b4'")
    ae.sync(lender.old.read, lender.store, run=run(9), thresholds=LENIENT)
    assert red(lender.check(accepted=None)) == {}
    record = lender.store.find().cutover
    assert record is not None
    assert (record.accepted_sha256, record.accepted, record.accepted_counts) == (None, None, {})


def test_a_conflict_decided_in_the_policy_is_no_obstacle(both: Lender) -> None:
    edit_old(both)
    pull(both.old, both.store, run=run(60), thresholds=LENIENT, policy=Policy("old"))
    push(both.store, both.new, run=run(61))
    push(both.store, both.old, run=run(62))
    assert red(both.check()) == {}


def test_who_is_left_out_is_no_difference(lender: Lender) -> None:
    secret = b"0123456789abcdef"
    lender.store.purge("b3", run=run(9), suppress=True, suppress_secret=secret)
    load(lender.store, lender.new.engine)
    assert red(lender.check(suppress_secret=secret)) == {}


def test_with_a_secret_the_digests_are_others(lender: Lender) -> None:
    plain = lender.check().reconciliation.source.digest
    report = lender.check(secret=b"0123456789abcdef")
    assert red(report) == {}
    assert report.reconciliation.source.digest != plain


def test_another_writer_ends_the_check(lender: Lender) -> None:
    def step(name: str) -> None:
        if name == "recording":
            run_again(lender)

    with pytest.raises(ConflictError):
        lender.check(on_step=step)
    assert lender.store.find().cutover is None


# ----------------------------------------------------------------------------- the signed list


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"source,subject,column\n",
        b"source,subject,column,rule,rule\n",
        b"source,subject,column,rule\nhush,hush\n",
        b'source,subject,column,rule\n"hush',
        b"\0",
    ],
)
def test_what_is_no_list_is_refused_without_a_cell(lender: Lender, data: bytes) -> None:
    with pytest.raises(ArgumentError, match="accepted=") as found:
        lender.check(accepted=data)
    check_ours(found.value)
    assert "hush" not in str(found.value)


def test_rows_that_accept_nothing_are_counted_and_told_by_no_name(lender: Lender) -> None:
    rows = [*csv.reader(io.StringIO(signed(lender.store).decode()))]
    rows += [["hush", "hush", "hush", "hush"], rows[1]]
    text = "\ufeff" + "\n".join(",".join(row) for row in rows)
    lender.check(accepted=text.encode())
    record = lender.store.find().cutover
    assert record is not None
    assert (record.accepted_counts, record.unused) == ({"invalid_phone": 1}, 1)
    assert "hush" not in json.dumps(lender.store.find().to_dict())


def test_rejects_as_they_are_exported_are_a_list(lender: Lender) -> None:
    rejects = lender.store.read_rejects()
    assert isinstance(rejects, pd.DataFrame)
    assert red(lender.check(accepted=rejects.to_csv(index=False).encode())) == {}


def test_a_list_that_is_gone_is_found_by_verify(lender: Lender) -> None:
    lender.check()
    record = lender.store.find().cutover
    assert record is not None
    assert record.accepted is not None
    root = lender.store.place.rejects_root
    assert root is not None
    Path(root.child(record.accepted.files[0].path).path).unlink()
    assert [each.where for each in lender.store.verify().problems] == ["accepted rejects"]
