"""`aspen-etl landing demo` shows a replay that equals SQLite, and would say if it did not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.__main__ import main
from aspen_etl.borrower import landing_history
from tests.support.environments import clean_environ

#: The demo where what only tests have is not there.
WITHOUT = """
import sys
sys.modules["hypothesis"] = None
from aspen_etl.__main__ import main
sys.exit(main(["landing", "demo", "shown"]))
"""


def test_it_needs_nothing_that_only_tests_have(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environ(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    *runs, equal, empty, said, status, replay, sync = done.stdout.splitlines()
    assert [line for line in runs if line.startswith("run ")] == [
        "run 1   version 1    13 files,  44 rows   changed keys: borrower 15, role_profile 21",
        "run 2   version 2    15 files,  18 rows   changed keys: borrower 10, role_profile 8",
        "run 3   version 3    11 files,  12 rows   changed keys: borrower 7, role_profile 4",
        "run 4   version 3     0 files,   0 rows   changed keys: -",
    ]
    assert equal == "the state equals SQLite: borrower 12 rows, role_profile 18 rows"
    assert (empty, said) == ("", "Go on from here:")
    assert status.split() == ["aspen-etl", "landing", "status", "shown/landing.json", "shown/store"]
    assert replay.split()[2:] == ["replay", "shown/landing.json", "shown/store", "--from-start"]
    assert sync.split() == ["aspen-etl", "sync", "shown/landing.json", "shown/store"]


def test_what_it_prints_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["landing", "demo", "shown"]) == 0
    printed = capsys.readouterr().out.splitlines()
    commands = [line.split()[1:] for line in printed if line.startswith("  aspen-etl ")]
    assert len(commands) == 3
    assert [main(words) for words in commands] == [0, 0, 0]
    assert "\nunchanged: version 3 holds this state" in capsys.readouterr().out
    assert main(["landing", "demo", "shown"]) == 1
    assert "shown holds something; nothing was written" in capsys.readouterr().err


def test_a_change_that_never_comes_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = landing_history.deliver

    def lose(*told: Any) -> Any:
        *runs, last = whole(*told)
        kept = [file for file in last if f"{file.modified:%H%M}" != "0123"]  # a borrower moved
        assert len(last) - len(kept) == 1
        return [*runs, kept]

    monkeypatch.setattr(landing_history, "deliver", lose)
    monkeypatch.chdir(tmp_path)
    code = main(["landing", "demo", "shown", "--json"])
    assert (code, json.loads(capsys.readouterr().out)["equal"]) == (1, False)


@pytest.mark.parametrize("words", [[], ["a", "b"]])
def test_it_takes_one_folder(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["landing", "demo", *words]) == 1
    assert "takes a folder to write to" in capsys.readouterr().err


def test_a_history_is_that_of_its_seed() -> None:
    landing = landing_history.landing_of("dms")
    made = [landing_history.make_history(landing, seed) for seed in (1, 1, 2)]
    assert made[0] == made[1]
    assert made[0] != made[2]
