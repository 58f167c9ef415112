"""The Glue job: arguments in, a report out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.aws.glue_job import main
from aspen_etl.errors import (
    ArgumentError,
    LandingOrderError,
    SettingsError,
    SourceNotFoundError,
)
from tests.aws.events import logged
from tests.support.borrowers import write_borrowers
from tests.support.environments import CHECKOUT, clean_environ
from tests.support.landed import Landed

GLUE = ["--job-name", "nightly", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_7", "--library-set", "none"]


def test_a_job_does_what_its_arguments_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Ek", "Bo Li"])
    argv = [*GLUE, "--source", source, "--store", str(tmp_path / "store")]
    assert main(argv)["outcome"] == "committed"
    lines = logged(capsys.readouterr().out)
    assert {line["job_run_id"] for line in lines} == {"jr_7"}
    assert lines[-1]["JobName"] == "nightly"
    assert ae.SnapshotStore(str(tmp_path / "store")).find().actor == "nightly"
    assert main(argv)["outcome"] == "unchanged"


def test_the_arguments_of_the_process_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Ek"])
    argv = ["job.py", *GLUE, f"--source={source}", f"--store={tmp_path / 'store'}"]
    monkeypatch.setattr("sys.argv", argv)
    assert main()["version"] == 1


def test_a_job_that_is_not_told_its_name_goes_by_its_actor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Ek"])
    main(["--source", source, "--store", str(tmp_path / "store"), "--actor", "stack"])
    assert logged(capsys.readouterr().out)[-1]["JobName"] == "stack"


def test_a_landing_is_read_by_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    landed = Landed(tmp_path / "landed")
    landed.load("Ada Ek", "Bo Li")
    argv = [*GLUE, "--source", str(landed.file), "--store", str(tmp_path / "store")]
    assert main(argv)["outcome"] == "committed"
    landed.change(5, ("D", "b2", None))
    landed.change(6, ("U", "b2", "Cy Ito"))
    with pytest.raises(LandingOrderError):
        main(argv)
    capsys.readouterr()
    assert main([*argv, "--on_gap", "report"])["landing"]["findings"] == {"borrower": {"gap": 1}}
    assert logged(capsys.readouterr().out)[-1]["LandingGaps"] == 1
    landed.file.write_text("{}", encoding="utf-8")
    with pytest.raises(ArgumentError, match="lacks 'url'"):
        main(argv)


def test_what_is_wrong_fails_the_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path / "store")]
    with pytest.raises(SettingsError, match="--source is missing"):
        main([*GLUE, *store])
    with pytest.raises(SourceNotFoundError):
        main([*GLUE, *store, "--source", str(tmp_path / "nothing")])
    errors = [line["error"] for line in logged(capsys.readouterr().out) if "error" in line]
    assert errors == ["SettingsError", "SourceNotFoundError"]


#: Glue runs a script by a script of its own, so that workers take ours for the main module.
LAUNCHER = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"


@pytest.mark.slow
def test_the_script_runs_once_though_workers_import_it(tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Ek", "Bo Li", "Cy Ito", "Di Oz"])
    script, store = CHECKOUT / "docs/deploy/glue/job.py", str(tmp_path / "store")
    given = ["--source", source, "--store", store, "--parts", "2", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(script), *GLUE, *given],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environ(),
    )
    assert done.returncode == 0, done.stderr
    lines = logged(done.stdout)
    assert [line["Runs"] for line in lines if "Runs" in line] == [1]
    assert ae.SnapshotStore(store).find().parts == 2
