"""`aspen-etl sync landing.json STORE`: a landing folder is a source like any other."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.__main__ import main
from tests.support.landed import Landed


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landed:
    monkeypatch.chdir(tmp_path)
    made = Landed(tmp_path, heartbeat="dbo.beat")
    made.load("Ada Lee", "Bo Ek")
    return made


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main([*words, "landing.json", "store", "--max-deleted-rows", "1"])
    told = capsys.readouterr()
    return code, told.out, told.err


def landing_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code, out, err = run(capsys, *words, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)["landing"]
    return found


def test_what_was_taken_is_told(landed: Landed, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "sync")
    assert (code, err) == (0, "")
    assert out.startswith(
        "taken             2 files, 2 rows\nchanged keys      borrower 2\nwatermark         -\n\n"
    )
    assert "committed version 1" in out
    landed.change(5, ("U", "b1", "Ann Lee"))
    late = landed.change(9, ("D", "b2", None))
    os.utime(late, (time.time() + 60, time.time() + 60))  # younger than the lag
    landed.put_text("dbo/beat/20260131-120000000.csv", "x")
    assert landing_of(capsys, "sync") == {
        "epoch": 1,
        "watermark": "2026-01-31 12:00:05.000000",
        "files": 1,
        "rows": 1,
        "pending": 1,
        "changed": {"borrower": 1},
        "findings": {},
        "unknown": 0,
        "others": 0,
        "heard": "2026-01-31T12:00:00+00:00",
    }
    (landed.root / "notes.txt").write_text("x", encoding="utf-8")
    code, out, _ = run(capsys, "sync")
    assert code == 0
    assert out.startswith(
        "taken             0 files, 0 rows; 1 wait\n"
        "changed keys      -\n"
        "watermark         2026-01-31 12:00:05.000000\n"
        "heartbeat         2026-01-31T12:00:00+00:00\n"
        "unknown names     1 files\n"
    )
    assert "unchanged: version 2" in out


def test_a_plan_takes_nothing(landed: Landed, capsys: pytest.CaptureFixture[str]) -> None:
    assert landing_of(capsys, "plan")["files"] == 2
    assert not Path("store").exists()
    assert landing_of(capsys, "sync")["files"] == 2
    landed.change(5, ("U", "b1", "Ann Lee"))
    told = landing_of(capsys, "plan")
    assert (told["files"], told["changed"]) == (1, {"borrower": 1})
    assert landing_of(capsys, "sync") == told


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_a_gap_refuses_or_is_counted(
    command: str, landed: Landed, capsys: pytest.CaptureFixture[str]
) -> None:
    landed.change(5, ("D", "b2", None))
    landed.change(6, ("U", "b2", "Bo Lost"))
    code, _, err = run(capsys, command)
    assert (code, "Bo" in err, "borrower: " in err) == (1, False, True)
    code, out, _ = run(capsys, command, "--on-gap", "report")
    assert (code, "counted           borrower: gap 1\n" in out) == (0, True)


@pytest.mark.usefixtures("landed")
def test_a_file_that_is_no_landing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("landing.json").write_text("[1]", encoding="utf-8")
    code, _, err = run(capsys, "sync")
    assert (code, "landing.json: landing: the file is no object" in err) == (1, True)
    assert not Path("store").exists()
