"""`aspen-etl cutover check STORE OLD NEW`: three ways to end, and what it leaves behind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from tests.support.borrowers import LENIENT, RUN, write_borrowers

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl.sql import load  # noqa: E402 - needs what was just asked for

NEW = "sqlite:///new.db"
CHECK = ("cutover", "check", "store", "in", NEW)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work where files are the old side, and a database is loaded from a store of them."""
    monkeypatch.chdir(tmp_path)
    ae.sync(write_borrowers(tmp_path / "in", ["Ann Lee", "Bo Ek"]), "store", run=RUN)
    engine = sa.create_engine(NEW)
    load(ae.SnapshotStore("store"), engine)
    engine.dispose()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main([*CHECK, *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_it_ends_with_4_where_a_gate_is_not_green(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (4, "")
    assert "source        NO      nobody looked\n" in out
    assert out.endswith("\nnot green: 1 of 8 gates; nothing was recorded\n")
    write_borrowers(place / "in", ["Ann Roe", "Bo Ek"])
    code, out, _ = run(capsys, "--quiet", "0.01", "--json")
    told = json.loads(out)
    assert (code, told["green"], told["committed"]) == (4, False, None)
    assert [each["name"] for each in told["gates"] if not each["green"]] == ["reconcile"]
    assert not [text for text in ("Ann", "Lee", "Roe", '"100"') if text in out]


def test_it_ends_with_0_where_all_are_and_keeps_the_report(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "--quiet", "0.01", "--report", "step.json", "--actor", "night")
    assert (code, err) == (0, "")
    assert out.endswith("\ngreen: version 1; recorded as version 2\n")
    record = ae.SnapshotStore("store").find().cutover
    assert record is not None
    assert record.actor == "night"
    assert record.report == hashlib.sha256((place / "step.json").read_bytes()).hexdigest()
    assert main(["status", "store"]) == 0
    assert "cut-over          version 1 was green at " in capsys.readouterr().out
    assert main(["history", "store"]) == 0
    assert "cutover" in capsys.readouterr().out
    assert main(["verify", "store"]) == 0
    capsys.readouterr()
    code, _, err = run(capsys, "--quiet", "0.01", "--report", "step.json")
    assert code == 1
    assert "is there already" in err


def test_a_stopped_task_is_asked_at_aws(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from aspen_etl.aws import dms

    for word, code in (("running", 4), ("stopped", 0)):
        told = {"arn:x": word}
        monkeypatch.setattr(dms, "describe_status", told.__getitem__)
        assert run(capsys, "--task-arn", "arn:x")[0] == code


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("cutover", "check", "store", "in", "folder"), "give its url as NEW"),
        (("cutover", "check", "nowhere", "in", NEW), "nowhere"),
        (("cutover", "check", "store", "in", "sqlite:///none.db"), "none.db"),
        ((*CHECK, "--accepted", "none.csv"), "none.csv"),
        ((*CHECK, "--landing", "none.json"), "none.json"),
        ((*CHECK, "--table", "borrower=x"), "--table is no option of files"),
    ],
)
def test_it_ends_with_1_where_it_cannot_look(
    place: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert main(list(words)) == 1
    assert told in capsys.readouterr().err
    assert not (place / "none.db").exists()
    assert ae.SnapshotStore("store").find().version == 1


def test_it_is_another_thing_to_sync_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record is no run: the next one goes on, and the record stays."""
    assert run(capsys, "--quiet", "0.01")[0] == 0
    write_borrowers(place / "in", ["Ann Lee", "Bo Ek", "Cy Fox"])
    assert ae.sync("in", "store", run=RUN, thresholds=LENIENT).version == 3
    newest = ae.SnapshotStore("store").find()
    assert (newest.kind, newest.cutover is not None) == ("sync", True)
    assert run(capsys, "--quiet", "0.01")[0] == 4
