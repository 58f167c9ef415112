"""`aspen-etl landing` tells how a folder is, and replays it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aspen_etl.__main__ import main
from aspen_etl.aws import dms
from aspen_etl.transform.ledger import LandedCounts
from tests.support.landed import Landed


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landed:
    monkeypatch.chdir(tmp_path)
    made = Landed(tmp_path, heartbeat="dbo.beat")
    made.load("Ada Lee", "Bo Ek")
    made.change(5, ("U", "b1", "Ann Lee"))
    made.put_text("dbo/beat/20260131-120000000.csv", "x")
    assert main(["sync", "landing.json", "store"]) == 0
    made.change(6, ("D", "b2", None))
    return made


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["landing", words[0], "landing.json", "store", *words[1:]])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.usefixtures("landed")
def test_how_it_is_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "status")
    assert (code, err) == (0, "")
    assert "taken             3 files\nwait              1 for a run since " in out
    assert "(2026-01-31 12:00:05.000000)\nheartbeat         " in out
    assert out.endswith(
        "rows taken                    loaded    inserted     updated     deleted\n"
        "  borrower                         2           0           1           0\n"
        "  role_profile                     0           0           0           0\n"
    )
    code, out, _ = run(capsys, "status", "--json")
    told = json.loads(out)
    assert (code, told["taken"], told["ready"], told["differences"]) == (0, 3, 1, [])
    assert told["landed"]["borrower"] == {"loaded": 2, "inserted": 0, "updated": 1, "deleted": 0}


def test_what_is_too_old_ends_in_three(landed: Landed, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "status", "--max-age", "0.0001")
    told = "aspen-etl: files wait for a run for longer than 0.0001 minutes: 1\n"
    assert (code, err) == (3, told)
    assert main(["sync", "landing.json", "store", "--max-deleted-rows", "1"]) == 0
    code, _, err = run(capsys, "status", "--max-age", "60")
    assert (code, "no file of the heartbeat" in err) == (3, True)
    (landed.root / "dbo/beat/20260131-120000001.csv").write_text("x", encoding="utf-8")
    assert run(capsys, "status", "--max-age", "60")[::2] == (0, "")


@pytest.mark.usefixtures("landed")
def test_rows_that_the_task_counted_otherwise_end_in_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = {"dbo.borrower": LandedCounts(2, 0, 1, 1), "dbo.role_profile": LandedCounts()}
    monkeypatch.setattr(dms, "describe_statistics", lambda arn: counted if arn == "arn:x" else {})
    assert run(capsys, "status", "--task-arn", "arn:x")[::2] == (0, "")
    counted["dbo.borrower"] = LandedCounts(2, 0, 4, 1)
    code, out, _ = run(capsys, "status", "--task-arn", "arn:x")
    assert code == 1
    assert "dbo.borrower: updated: 1 landed, the task says 4\n  rows have not landed, or" in out
    code, out, _ = run(capsys, "status", "--task-arn", "arn:x", "--json")
    (told,) = json.loads(out)["differences"]
    assert (code, told["landed"], told["told"], told["kind"]) == (1, 1, 4, "updated")


def test_a_replay_ends_in_one_where_it_differs(
    landed: Landed, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "replay", "--from-start")
    assert (code, err) == (0, "")
    assert out.endswith(
        "  role_profile                     0             0             0           0\n"
        "equal: 3 files, and version 1 of store\n"
    )
    code, out, _ = run(capsys, "replay", "--from-start", "--json")
    assert (code, json.loads(out)["equal"]) == (0, True)
    landed.change(5, ("U", "b1", "hush"))
    code, out, _ = run(capsys, "replay", "--from-start")
    assert (code, "dbo/borrower/20260131-120005000.csv\n" in out, "hush" in out) == (1, True, False)
    (landed.root / "dbo/borrower/20260131-120005000.csv").unlink()
    code, out, _ = run(capsys, "replay", "--from-start")
    assert (code, out.startswith("1 of 3 files that were taken are gone:\n")) == (1, True)


@pytest.mark.usefixtures("landed")
def test_tables_that_differ_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "landing.json", "store", "--max-deleted-rows", "1"]) == 0
    assert main(["restore", "store", "1"]) == 0
    code, out, _ = run(capsys, "replay", "--from-start")
    assert (code, "table user: 0 to insert, 0 to update, 1 to delete\n" in out) == (1, True)
    assert "\nnot equal: 4 files, and version 3 of store\n" in out


@pytest.mark.usefixtures("landed")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status"], "takes the landing and the store"),
        (["replay", "landing.json", "store", "more"], "takes the landing and the store"),
        (["replay", "landing.json", "store"], "say so with --from-start"),
        (["status", "nowhere.json", "store"], "nowhere.json"),
        (["replay", "landing.json", "nowhere", "--from-start"], "nowhere"),
        (["status", "landing.json", "store", "--task-arn", "x"], "no ARN"),
    ],
)
def test_what_cannot_be_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["landing", *words])
    assert (code, told in capsys.readouterr().err) == (1, True)
