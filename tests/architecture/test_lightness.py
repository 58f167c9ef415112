"""What `import aspen_etl` costs: an optional feature costs nothing until it is used."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.house import MODULES, nodes

pytestmark = pytest.mark.smoke

OPTIONAL = {
    "aiobotocore",
    "aiohttp",
    "boto3",
    "botocore",
    "hypothesis",
    "openpyxl",
    "polars",
    "pyarrow",
    "pyspark",
    "s3fs",
    "sqlalchemy",
}

_REPORT = """
import json, sys, time
def report(statement):
    start = time.perf_counter()
    exec(statement)
    seconds = round(time.perf_counter() - start, 3)
    packages = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps({"statement": statement, "packages": packages, "seconds": seconds}))
for statement in sys.argv[1:]:
    report(statement)
"""


def packages_after(*statements: str) -> list[set[str]]:
    """Run statements in a fresh interpreter; give the top-level packages loaded after each.

    What writes to its outputs, or warns, is an error.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _REPORT, *statements],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    print(done.stdout)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["statement"] for report in reports] == [*statements]
    return [set(report["packages"]) for report in reports]


#: To name what is public, in each way.
NAMED = (
    "from aspen_etl import BORROWER_MODEL, normalize, read_extract, sync",
    "from aspen_etl import *",
    "import aspen_etl.schema, aspen_etl.borrower, aspen_etl.command_line.program",
)


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """Give what is loaded after each statement beyond what pandas loads: one process runs all.

    What a statement loads stays, so that none loads what is not there at the end.
    """
    first, *others = packages_after("import pandas", "import aspen_etl", *NAMED)
    return {
        statement: packages - first
        for statement, packages in zip(("import aspen_etl", *NAMED), others)
    }


def test_importing_the_package_loads_only_what_pandas_loads_and_writes_and_warns_nothing(
    loaded: dict[str, set[str]],
) -> None:
    assert loaded["import aspen_etl"] & OPTIONAL == set()


def test_the_packages_that_must_not_be_loaded_would_be_seen() -> None:
    # Guards the test above: a name that is spelt wrongly could never be found.
    assert packages_after("import hypothesis")[0] & OPTIONAL == {"hypothesis"}


def test_a_command_loads_only_the_readers_and_the_housekeeping_that_it_needs(
    tmp_path: Path,
) -> None:
    # A folder of CSV needs no workbook and no Parquet reader, and no run of a store its vacuum.
    (tmp_path / "borrower.csv").write_text("id,full_name\n", "utf-8")
    (tmp_path / "role_profile.csv").write_text("borrower_id,role_profile\n", "utf-8")
    loaded = modules_after(
        "from aspen_etl.command_line.program import main",
        f"ended = main(['normalize', {str(tmp_path)!r}, {str(tmp_path / 'out')!r}])",
    )
    assert "aspen_etl.io.csv_reading" in loaded
    needless = {f"aspen_etl.store.{each}" for each in ("purging", "restoring", "vacuuming")}
    needless |= {"aspen_etl.store.verifying", "aspen_etl.io.columnar"}
    assert not {name for name in loaded if name in needless or ".io.xlsx" in name}


def modules_after(*statements: str, begin: str = "aspen_etl") -> set[str]:
    """Run statements in a fresh interpreter; give the modules loaded then that begin so."""
    code = "\n".join([*statements, "import sys", "print('\\n'.join(sorted(sys.modules)))"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    )
    return {name for name in done.stdout.split("\n") if name.startswith(begin)}


# ----------------------------------------------------------------------------- what comes late

#: What a model is made with and a store read with, and what pandera checks with.
HEAVY = {"hypothesis", "pandera", "pydantic", "sqlalchemy", "typeguard"}


@pytest.mark.parametrize("statement", NAMED)
def test_to_name_what_is_public_loads_nothing_that_only_its_use_needs(
    loaded: dict[str, set[str]], statement: str
) -> None:
    assert loaded[statement] & HEAVY == set()


def test_what_comes_late_would_be_seen() -> None:
    # Guards the test above: who looks at the model, or reads a store, loads these.
    look = "from aspen_etl import BORROWER_MODEL; BORROWER_MODEL.tables"
    read = "from aspen_etl.store.documents import read_as"
    by_store, by_model = packages_after(read, look)
    assert "pandera" in by_model
    assert by_store & HEAVY == {"pydantic"}


def test_normalize_of_sound_tables_loads_nothing_that_pandera_checks_with(tmp_path: Path) -> None:
    # pandera's checks load its strategies, and these hypothesis, where it is installed.
    workbook = "str(importlib.resources.files('aspen_etl') / 'samples/borrowers.xlsx')"
    loaded = modules_after(
        "import importlib.resources",
        "from aspen_etl.command_line.program import main",
        f"ended = main(['normalize', {workbook}, {str(tmp_path / 'out')!r}])",
        begin="",
    )
    assert "pandera" in loaded
    assert not {name for name in loaded if name.startswith(("hypothesis", "pandera.strategies"))}
    rooms = ("aspen_etl.inference", "aspen_etl.sql", "aspen_etl.store")
    assert not {name for name in loaded if name.startswith((*rooms, "aspen_etl.schema.asking"))}


@pytest.mark.parametrize("room", ["", ".borrower", ".schema", ".synchronization"])
def test_a_name_that_comes_late_is_shown_and_known_to_type_checkers(room: str) -> None:
    module = import_module(f"aspen_etl{room}")
    assert set(module.__all__) <= set(dir(module))
    tree = MODULES[module.__name__]
    imported = {
        alias.asname or alias.name
        for node in nodes(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(module.__all__) <= imported
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module.nothing
