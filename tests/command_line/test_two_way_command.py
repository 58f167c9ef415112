"""two-way on the command line: a store begins and ends it, and status tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.store.shadows import SideState
from tests.command_line.test_store_commands import call, call_json
from tests.support.borrowers import RUN, write_borrowers
from tests.support.two_way import account, conflicts


@pytest.fixture
def url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Make a two-way store of one version more than its first."""
    source, url = write_borrowers(tmp_path / "source", ["Ann Ames"]), str(tmp_path / "store")
    call(capsys, "sync", source, url)
    out = call(capsys, "two-way", "begin", url, "--actor", "night")
    assert out == (
        "version 2 is kept in step with two sides by pull and push; sync and restore refuse until "
        "aspen-etl two-way end\n"
    )
    return url


def test_a_store_begins_and_ends_it(
    capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    source = str(tmp_path / "source")
    assert call_json(capsys, "two-way", "begin", url) == {"version": 2, "two_way": True}
    commit = ae.SnapshotStore(url).find()
    assert (commit.kind, commit.actor) == ("two_way", "night")
    for words in (["sync", source, url], ["restore", url, "1"]):
        assert main(words) == 1
        err = capsys.readouterr().err
        assert err.startswith(f"aspen-etl: the store {url} is kept in step with two sides")
        assert "aspen-etl two-way end" in err
    assert "would be refused: the store" in call(capsys, "plan", source, url, status=1)
    out = call(capsys, "two-way", "end", url)
    assert out == "version 3: sync may go on\n"
    assert "two_way" in call(capsys, "history", url)
    call(capsys, "sync", source, url)


def test_status_tells_what_each_side_was_given_and_how_many_conflicts_wait(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    held = conflicts({"subject": "100", "side": "canary"})
    account(ae.SnapshotStore(url), RUN, old=SideState(conflicts=held), new=SideState(1, "0" * 16))
    out = call(capsys, "status", url)
    assert "old side          nothing was written to it, 1 conflicts wait\n" in out
    assert "new side          version 1 was written to it, 0 conflicts wait\n" in out
    assert "canary" not in out
    assert call_json(capsys, "status", url)["sides"]["old"] == {"version": 0, "conflicts": 1}


def test_conflicts_are_let_go_only_when_that_is_said(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    account(ae.SnapshotStore(url), RUN, old=SideState(conflicts=conflicts({"subject": "100"})))
    assert main(["two-way", "end", url, "--json"]) == 1
    out, err = capsys.readouterr()
    assert "TwoWayError" in out
    assert "--discard-conflicts" in err
    told = call_json(capsys, "two-way", "end", url, "--discard-conflicts")
    assert told == {"version": 4, "two_way": False}
