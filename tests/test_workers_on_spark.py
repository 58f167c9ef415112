"""Spark does parts as tasks, and one again whose executor is lost: all as in one piece."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.services import require_service

pytestmark = pytest.mark.slow

#: What the driver does; its module is also what executors import functions from.
JOB = """
import datetime as dt, json, os, sys
import pandas as pd
import aspen_etl as ae
from aspen_etl.errors import AspenETLError, ExtractError, NotSupportedError, UnexpectedError
from aspen_etl.normalization.parted import normalize_parted
from aspen_etl.workers import Spark

MARK = os.environ["SPARK_TEST_MARK"]


def die_once(number):
    try:
        os.close(os.open(f"{MARK}-{number}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return 2 * number
    if number == 1:
        os.kill(os.getppid(), 9)
        os._exit(1)
    return 2 * number


def refuse(number):
    raise ExtractError("two rows are wrong", count=number)


def end(number):
    os._exit(number)


class Dying:
    \"\"\"Let the worker of the second part be lost in its first try.\"\"\"

    def __init__(self, spark):
        self.spark = spark

    def map(self, function, items):
        jobs = [(function, place, item) for place, item in enumerate(items)]
        return self.spark.map(first_die, jobs)


def first_die(job):
    function, place, item = job
    try:
        os.close(os.open(f"{MARK}-part-{place}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return function(item)
    if place == 1:
        os._exit(1)
    return function(item)


def main(out):
    from pyspark import SparkConf, SparkContext

    import driver  # functions are found by the name of the module, which this is not when it runs

    conf = SparkConf().setMaster("local-cluster[2,1,1024]")
    for name, value in {
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false", "spark.executorEnv.PYTHONPATH": os.path.dirname(__file__),
        "spark.executorEnv.SPARK_TEST_MARK": MARK,
    }.items():
        conf = conf.set(name, value)
    context = SparkContext(conf=conf)
    context.setLogLevel("OFF")
    spark, told = Spark(context), {"pandas": pd.__version__}
    told["order"] = spark.map(driver.die_once, iter([3, 1, 2]))
    told["nothing"] = spark.map(driver.die_once, [])
    for name, function in (("refuse", driver.refuse), ("end", driver.end), ("stuck", lambda n: n)):
        try:
            spark.map(function, [2])
        except AspenETLError as error:
            told[name] = [type(error).__name__, str(error)]
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    ids = [f"b{number:03d}" for number in range(200)]
    rows = pd.DataFrame({"id": ids, "full_name": [f"Ada {i}" for i in ids], "email": "x"})
    roles = pd.DataFrame({"borrower_id": ids[::-1], "role_profile": "Borrower"})
    extract = ae.Extract(borrower=rows.reindex(columns=columns), role_profile=roles)
    run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="spark")
    whole = ae.normalize(extract, run=run)
    bounds = ["b050", "b100", "b150"]
    for name, workers in (("equal", spark), ("equal, one lost", driver.Dying(spark))):
        parted = normalize_parted(extract, bounds=bounds, run=run, workers=workers)
        told[name] = parted.equals(whole) and parted.summary == whole.summary
    context.stop()
    json.dump(told, open(out, "w"))


if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run all of it in one Spark, which takes its time to start, in an environment of its own."""
    require_service("Java", shutil.which("java"), "install a Java runtime, such as default-jre")
    uv = shutil.which("uv")
    require_service("uv", uv, "it makes the environment of Spark; run: pip install uv")
    home = tmp_path_factory.mktemp("workers")
    python, script, out = home / "env/bin/python", home / "driver.py", home / "told.json"
    package = Path(__file__).parents[1]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, home / "env"],
        [uv, "pip", "install", "--quiet", "--python", python, "pyspark==3.5.*", "setuptools<81"],
        [uv, "pip", "install", "--quiet", "--python", python, f"{package}[parquet]"],
    ):
        subprocess.run([str(part) for part in command], check=True)
    script.write_text(JOB, encoding="utf-8")
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": str(python),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_TEST_MARK": str(home / "mark"),
    }
    done = subprocess.run(
        [str(python), str(script), str(out)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_results_come_in_order_though_an_executor_is_lost(told: dict[str, Any]) -> None:
    assert told["order"] == [6, 2, 4]
    assert told["nothing"] == []


def test_an_error_of_an_item_comes_as_it_is(told: dict[str, Any]) -> None:
    assert told["refuse"] == ["ExtractError", "two rows are wrong"]


def test_a_task_that_is_lost_in_each_try_is_told(told: dict[str, Any]) -> None:
    assert told["end"][0] == "UnexpectedError"
    assert told["end"][1].startswith("Spark gave up on a part")


def test_what_does_not_pickle_is_refused(told: dict[str, Any]) -> None:
    assert told["stuck"][0] == "NotSupportedError"


def test_parts_on_spark_give_what_one_piece_gives(told: dict[str, Any]) -> None:
    assert told["equal"]
    assert told["equal, one lost"]
