"""What the constraints files of Glue pin is whole, fits its runtime, and runs the library."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aws.conftest import RUNTIMES
from tests.support.environments import (
    CHECKOUT,
    CONSTRAINTS,
    find_uv,
    install_spark,
    read_pins,
    run,
)

pytestmark = pytest.mark.slow

#: What Glue 5.0 ships too old: s3fs below 2024.12, and a botocore without conditional writes.
REPLACED = {"aiobotocore", "boto3", "botocore", "fsspec", "s3fs", "s3transfer"}

#: What a job in parts replaces beside: text that Arrow holds takes a third of the time.
FASTER = {"numpy", "pandas", "pyarrow"}

USE = """
import datetime as dt, sys
import aspen_etl as ae

source, home = sys.argv[1:]
lenient = ae.Thresholds(max_deleted_rows=1, max_rejected_rows=1, max_rejected_cells=1)
run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
wanted = ae.normalize(ae.read_extract(source), run=run).tables
for form in ("csv", "parquet"):
    store = ae.SnapshotStore(f"{home}/{form}", format=form)
    assert ae.sync(source, store, run=run, thresholds=lenient).outcome == "committed"
    assert store.read().tables.equals(wanted), form
    assert store.verify().problems == ()
    assert ae.sync(source, store, run=run, thresholds=lenient).outcome == "unchanged"
print("both forms")
"""


@pytest.fixture(scope="module", params=RUNTIMES)
def constraints(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def python(constraints: str, environment_of: Callable[[str], Path]) -> Path:
    return environment_of(constraints)


def test_the_file_pins_all_that_is_installed(
    constraints: str, python: Path, tmp_path: Path
) -> None:
    listed = run(
        *(find_uv(), "pip", "list", "--quiet", "--python", python, "--format", "json"), cwd=tmp_path
    )
    installed = {each["name"]: each["version"] for each in json.loads(listed.stdout)}
    assert installed.pop("aspen-etl")
    assert installed == read_pins(constraints)


def test_the_command_that_the_file_names_makes_the_file(constraints: str, tmp_path: Path) -> None:
    place = tmp_path / CONSTRAINTS.relative_to(CHECKOUT)
    shutil.copytree(CONSTRAINTS, place)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    text = (place / constraints).read_text("utf-8")
    command = " ".join(re.findall(r"^#   +(.*)$", text, flags=re.MULTILINE))
    assert command.startswith("echo ")
    done = run("bash", "-c", command.replace("| uv ", f"| {find_uv()} "), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    pinned = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert (place / constraints).read_text("utf-8").splitlines() == pinned


@pytest.mark.parametrize(
    ("constraints", "replaced"),
    [("glue-5.0.txt", REPLACED), ("glue-5.0-spark.txt", REPLACED | FASTER)],
)
def test_what_glue_5_ships_is_kept_where_it_can_be(constraints: str, replaced: set[str]) -> None:
    shipped, pinned = read_pins("glue-5.0-shipped.txt"), read_pins(constraints)
    changed = {name for name in shipped.keys() & pinned.keys() if shipped[name] != pinned[name]}
    assert changed == replaced
    assert (shipped["pandas"], shipped["numpy"], shipped["pyarrow"]) == (
        *("2.2.2", "1.26.4", "17.0.0"),
    )


def test_the_library_runs_there(
    constraints: str, python: Path, workbook: Path, tmp_path: Path
) -> None:
    demo = run(python, "-W", "error", "-m", "aspen_etl", "demo", tmp_path / "demo", cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    assert len(list((tmp_path / "demo").rglob("*.csv"))) >= 10
    if constraints.startswith("glue-5.0"):
        install_spark(python, tmp_path)  # Glue has it, and pandera does other things where it is
    sample = CHECKOUT / "src" / "aspen_etl" / "samples" / "borrowers.xlsx"
    for name, source in (("sample", sample), ("real", workbook)):
        done = run(python, "-c", USE, source, tmp_path / name, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "both forms\n"), done.stderr
