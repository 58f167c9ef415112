"""Make the environment of a Spark, and run a driver in it: two executors of one core each.

What is beside this module is copied to the driver's folder, where executors find it too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from tests.support import environments
from tests.support.environments import clean_environ
from tests.support.services import require_service

__all__ = ["make_environment", "run_driver"]

_HERE = Path(__file__).parent
_PACKAGE = __name__.rpartition(".")[0]
_MASTER = "local-cluster[2,1,1024]"


def make_environment(home: Path) -> Path:
    """Make the environment that a Spark job of Glue 5.0 has, and give its interpreter.

    ``ASPEN_ETL_SPARK_PYTHON`` names one that is there already.
    """
    require_service("Java", shutil.which("java"), "install a Java runtime, such as default-jre")
    if found := os.environ.get("ASPEN_ETL_SPARK_PYTHON"):
        return Path(found)
    python = environments.make_environment(
        home,
        version="3.11",
        constraints="glue-5.0-spark.txt",
        platform="x86_64-manylinux_2_34",
    )
    environments.install_spark(python, home)
    return python


def run_driver(
    python: Path,
    home: Path,
    driver: str,
    told: Any = None,
    *,
    under: Sequence[str] = (),
    environ: Optional[Mapping[str, str]] = None,
) -> dict[str, Any]:
    """Run a driver of this folder in a Spark of its own; give what it leaves.

    Args:
        python: The interpreter.
        home: A folder for it. Executors find modules in it, and know it as ``SPARK_TEST_HOME``.
        driver: The name of the module.
        told: What it is told, as JSON.
        under: A command that is given the driver's, to run it.
        environ: Variables of the driver and of the executors.
    """
    shutil.copytree(_HERE, home / _PACKAGE.replace(".", "/"))
    shutil.copy(_HERE / "sitecustomize.py", home)
    (home / "told.json").write_text(json.dumps(told), encoding="utf-8")
    shared = {**(environ or {}), "SPARK_TEST_HOME": str(home), "PYTHONPATH": str(home)}
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        **{f"spark.executorEnv.{name}": value for name, value in shared.items()},
    }
    words = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    found = subprocess.run(
        [*under, str(python), "-m", f"{_PACKAGE}.{driver}"],
        env=clean_environ(
            **(environ or {}),
            SPARK_TEST_HOME=str(home),
            PYTHONPATH=str(home),
            SPARK_LOCAL_IP="127.0.0.1",
            PYSPARK_PYTHON=str(python),
            PYSPARK_SUBMIT_ARGS=f"--master {_MASTER} {words} pyspark-shell",
        ),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-3000:]
    left: dict[str, Any] = json.loads((home / "left.json").read_text(encoding="utf-8"))
    return left
