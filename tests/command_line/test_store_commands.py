"""The commands on a store, end to end, in a folder of one's own."""

from __future__ import annotations

import importlib.resources
import io
import json
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line.extracting import SAMPLE

LENIENT = ("--max-rejected-rows", "0.2", "--max-rejected-cells", "0.5")


@pytest.fixture
def sample() -> str:
    return str(importlib.resources.files("aspen_etl") / SAMPLE)


@pytest.fixture
def store(sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Give a store of one version."""
    url = str(tmp_path / "store")
    assert main(["sync", sample, url, *LENIENT, "--actor", "night"]) == 0
    capsys.readouterr()
    return url


def call(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(list(arguments)) == status
    return capsys.readouterr().out


def call_json(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    return json.loads(call(capsys, *arguments, "--json", status=status))


def test_sync_commits_once(store: str, sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = call(capsys, "sync", sample, store)
    assert f"unchanged: version 1 holds this state: {store}" in out
    report = call_json(capsys, "sync", sample, store)
    assert (report["outcome"], report["source_read"]) == ("unchanged", False)


def test_sync_tells_what_it_did(
    sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = call(capsys, "sync", sample, str(tmp_path / "store"), *LENIENT)
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert "borrower 14 12 2 1" in lines
    assert "address 11 11 0 0" in lines
    assert "borrower.id duplicate_id (row) 1" in lines
    assert any(line.startswith("committed version 1, ") for line in lines)


def test_a_refused_sync_names_the_limit(
    sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "store")
    assert main(["sync", sample, url, "--json"]) == 1
    printed = capsys.readouterr()
    assert "(max_rejected_rows)" in printed.err
    told = json.loads(printed.out)
    assert told["error"] == "ThresholdError"
    assert Path(told["details"]["place"]).is_file()
    assert sum(count["count"] for count in told["details"]["rejects"]) == 9
    assert main(["sync", sample, url, "--max-rejected-rows", "7"]) == 1
    assert "max_rejected_rows=7.0 is no share" in capsys.readouterr().err
    assert main(["sync", sample, url, *LENIENT, "--timeout", "0"]) == 1
    assert "nothing was committed" in capsys.readouterr().err


def test_plan_writes_nothing_and_exits_by_the_limits(
    sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = tmp_path / "store"
    out = call(capsys, "plan", sample, str(url), status=1)
    assert "would be refused: 2 of 14 (14.3%) rows of 'borrower'" in out
    assert call_json(capsys, "plan", sample, str(url), *LENIENT)["refusals"] == []
    assert not url.exists()


def test_history_and_status(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = call(capsys, "history", store)
    assert "sync" in out
    assert "night" in out
    assert [commit["version"] for commit in call_json(capsys, "history", store)] == [1]
    out = call(capsys, "status", store, "--max-age", "5")
    assert "less than a minute ago, committed" in out
    assert call_json(capsys, "status", store)["version"] == 1
    assert call_json(capsys, "status", store, "--max-age", "0", status=3)["outcome"] == "committed"


def test_status_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for name, told in (("none", "nothing"), ("empty", "a folder"), ("file", "a file")):
        found = call_json(capsys, "status", str(tmp_path / name), "--max-age", "5", status=1)
        assert found["error"] == "VersionNotFoundError"
        assert f"there is no store at {tmp_path / name}: {told}" in found["message"]


def test_status_is_an_alarm_while_runs_are_refused_and_says_why(
    sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "store")
    call(capsys, "sync", sample, url, status=1)
    assert main(["status", url, "--max-age", "5"]) == 3
    printed = capsys.readouterr()
    assert "last good run     never" in printed.out
    assert "less than a minute ago, ThresholdError\n  2 of 14 (14.3%) rows of" in printed.out
    assert f"its rejects     {url}/_aspen/refused/rejects.csv" in printed.out
    assert "the last run was not good: ThresholdError: 2 of 14" in printed.err
    assert call_json(capsys, "status", url)["refused"]["sources"]["borrower"]["rejected"] == 2
    call(capsys, "sync", sample, url, *LENIENT)
    call(capsys, "status", url, "--max-age", "5")
    call(capsys, "sync", str(tmp_path / "gone"), url, status=1)
    call(capsys, "status", url, "--max-age", "5", status=3)
    call(capsys, "sync", sample, url)
    out = call(capsys, "status", url, "--max-age", "5")
    assert "SourceNotFoundError\n  there is no file" in out
    assert "its rejects" not in out


def test_restore_puts_on_hold_and_resume_lets_go(
    store: str, sample: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "on hold" in call(capsys, "restore", store, "1")
    assert "on hold           since version 2" in call(capsys, "status", store)
    assert main(["sync", sample, store, *LENIENT]) == 1
    assert "aspen-etl resume" in capsys.readouterr().err
    assert call_json(capsys, "resume", store) == {"version": 3, "kind": "resume", "hold": None}
    assert call_json(capsys, "restore", store, "9", status=1)["error"] == "VersionNotFoundError"


def test_verify_names_what_is_wrong(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "verify", store).endswith("whole\n")
    (table,) = Path(store).glob("user/*/part-00000.csv")
    table.unlink()
    out = call(capsys, "verify", store, "--version", "1", status=1)
    assert "user: there is no file" in out
    assert "1 problems" in out
    assert len(call_json(capsys, "verify", store, status=1)["problems"]) == 1


def test_export_writes_the_tables_of_a_version(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "tables"
    assert "wrote version 1" in call(capsys, "export", store, str(target))
    assert ae.read_tables(target).equals(ae.SnapshotStore(store).read().tables)
    assert (target / "rejects.csv").is_file()
    assert main(["export", store, str(target)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    found = call_json(capsys, "export", store, str(target), "--overwrite", "--version", "1")
    assert len(found["files"]) == 11


def test_vacuum_tells_what_went(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "deleted 0 files" in call(capsys, "vacuum", store, "--keep-for", "0")
    assert call_json(capsys, "vacuum", store)["files"] == 0


def test_purge_takes_the_id_from_standard_input_or_a_file(
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("b-0001\n"))
    out = call(capsys, "purge", store)
    assert "the store is at version 2" in out
    assert "b-0001" not in out
    file = tmp_path / "id"
    file.write_text("b-0002\n", encoding="utf-8")
    assert call_json(capsys, "purge", store, "--id-file", str(file))["rows"]["user_profile"] == 1
    ids = ae.SnapshotStore(store).read().tables["user_profile"]["user_profile_id"]
    assert not {"b-0001", "b-0002"} & set(ids)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["purge", store]) == 1
    assert "no subject's id was given" in capsys.readouterr().err


def test_who_is_suppressed_is_left_out_until_let_back(
    store: str, sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, who = tmp_path / "secret", tmp_path / "id"
    secret.write_text("a secret of many bytes\n", encoding="utf-8")
    who.write_text("b-0002\n", encoding="utf-8")
    known = ["--suppress-secret", str(secret)]
    assert main(["purge", store, "--id-file", str(who), "--suppress"]) == 1
    assert "at least 16 bytes" in capsys.readouterr().err
    call_json(capsys, "purge", store, "--id-file", str(who), "--suppress", *known)
    limits = ["--max-rejected-rows", "1", "--max-rejected-cells", "1"]
    assert main(["sync", sample, store, *limits]) == 1
    assert "give suppress_secret= (--suppress-secret)" in capsys.readouterr().err
    found = call_json(capsys, "sync", sample, store, *limits, *known)
    assert found["suppressed"]["borrower"] == 2  # the sample has a duplicate
    assert main(["unsuppress", store, "--id-file", str(who)]) == 1
    assert "the secret under which" in capsys.readouterr().err
    assert call_json(capsys, "unsuppress", store, "--id-file", str(who), *known)["suppressed"] == 0
    again = call_json(capsys, "sync", sample, store, *limits)
    assert again["tables"]["user_profile"]["inserted"] == 1


def test_no_output_holds_a_cell(
    store: str, sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = set(ae.read_extract(sample)["borrower"]["full_name"].dropna())
    commands = [
        ["sync", sample, store],
        ["plan", sample, store],
        ["history", store],
        ["status", store],
        ["verify", store],
        ["export", store, str(tmp_path / "tables")],
        ["restore", store, "1"],
        ["resume", store],
        ["vacuum", store],
    ]
    for command in commands:
        for more in ([], ["--json"]):
            main([*command, *more])
            printed = capsys.readouterr()
            assert not [cell for cell in cells if cell in printed.out + printed.err]
