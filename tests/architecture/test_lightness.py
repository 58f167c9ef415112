"""What `import aspen_etl` costs: an optional feature costs nothing until it is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

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
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
packages = sorted({{name.partition(".")[0] for name in sys.modules}})
print(json.dumps({{"packages": packages, "seconds": round(seconds, 3)}}))
"""


def packages_after(statement: str) -> set[str]:
    """Run a statement in a fresh interpreter and give the top-level packages it loaded."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _REPORT.format(statement=statement)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    print(f"{statement}: {report['seconds']} s, {len(report['packages'])} packages")
    return set(report["packages"])


def test_importing_the_package_loads_only_what_pandas_loads_by_itself() -> None:
    by_pandas = packages_after("import pandas")
    by_us = packages_after("from aspen_etl import *; import aspen_etl.command_line.program")
    assert "pandas" in by_us
    assert (by_us - by_pandas) & OPTIONAL == set()


def test_a_name_is_imported_when_it_is_asked_for() -> None:
    # Until then the command line could not say that it was interrupted.
    by_us = packages_after("import aspen_etl.__main__; aspen_etl.__version__")
    assert by_us & {"pandas", "numpy", "fsspec", "pandera"} == set()


def test_the_packages_that_must_not_be_loaded_would_be_seen() -> None:
    # Guards the test above: a name that is spelt wrongly could never be found.
    assert packages_after("import hypothesis") & OPTIONAL == {"hypothesis"}


def test_importing_the_package_writes_nothing_and_warns_of_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from aspen_etl import *"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
