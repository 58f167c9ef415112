"""--lease: the run that comes second ends as busy, and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from tests.command_line.test_store_commands import call, call_json
from tests.support.borrowers import write_borrowers

pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")


@pytest.fixture
def url(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a store of one borrower, and name a database."""
    monkeypatch.setenv("ASPEN_ETL_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    source, url = write_borrowers(tmp_path / "source", ["Ann Ames"]), str(tmp_path / "store")
    call(capsys, "sync", source, url)
    return url


def test_a_load_waits_for_no_other(
    capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    store = ae.SnapshotStore(url)
    with store.lease("new", seconds=900):
        told = call(capsys, "load", url, "--lease", "900")
        assert told == "busy: another run has the new side; nothing was done\n"
        assert call_json(capsys, "load", url, "--lease", "900") == {
            "outcome": "busy",
            "side": "new",
        }
        assert not (tmp_path / "new.db").exists()
        # Another database has another pin, and with it another lease.
        assert "filled" in call(capsys, "load", url, "--lease", "900", "--pin", "other")
    assert "unchanged" in call(capsys, "load", url, "--lease", "900")
    call(capsys, "export", url, str(tmp_path / "tables"))
    assert main(["load", str(tmp_path / "tables"), "--lease", "900"]) == 1
    assert "--lease is no option of a folder of tables" in capsys.readouterr().err


def test_a_pull_and_a_push_wait_for_no_other(
    capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    store, database = ae.SnapshotStore(url), f"sqlite:///{tmp_path / 'new.db'}"
    call(capsys, "load", url)
    call(capsys, "two-way", "begin", url)
    version = store.find().version
    pull = ["pull", database, url, "--side", "new", "--lease", "900"]
    push = ["push", url, database, "--side", "new", "--lease", "900"]
    with store.lease("new", seconds=900):
        for words in (pull, push):
            told = call(capsys, *words)
            assert told == "busy: another run has the new side; nothing was done\n"
            assert call_json(capsys, *words) == {"outcome": "busy", "side": "new"}
        # The other side is another's.
        call(capsys, "pull", str(tmp_path / "source"), url, "--lease", "900")
        assert store.find().version == version
    assert "(the new side)" in call(capsys, *pull)
    assert "nothing to write" in call(capsys, *push)
    with pytest.raises(SystemExit):
        main([*pull[:-1], "soon"])
    assert "is no number of seconds" in capsys.readouterr().err
