"""A driver that calls functions of all kinds as tasks, and normalizes in parts."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

import aspen_etl as ae
from aspen_etl.columns import threads
from aspen_etl.errors import AspenETLError, ExtractError
from aspen_etl.normalization.parted import normalize_parted
from aspen_etl.workers import Spark

HOME = Path(os.environ["SPARK_TEST_HOME"])


def is_first(name: str) -> bool:
    """Tell whether nobody asked before."""
    try:
        (HOME / f"mark-{name}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def die_once(number: int) -> int:
    """Give twice a number; of the first, in its second try."""
    if is_first(f"{number}") and number == 1:
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(1)
    return 2 * number


def refuse(number: int) -> None:
    """Refuse with an error of ours."""
    raise ExtractError("two rows are wrong", count=number)


def fail(number: int) -> None:
    """Fail as a fault of ours does, whose text may hold a cell."""
    raise ValueError("Ada Lee" * number)


def interrupt(number: int) -> None:
    """Fail in each try, as a task does that cannot begin."""
    raise KeyboardInterrupt("Ada Lee" * number)


def cores(number: int) -> int:
    """Tell on how many cores a task works."""
    return number and threads._cores()


def end(number: int) -> None:
    """End in each try."""
    os._exit(number)


class Dying:
    """Let the worker of the second part be lost in its first try."""

    def __init__(self, spark: Spark) -> None:
        self.spark = spark

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> list[Any]:
        """Give what the function gives for each item."""
        jobs = [(function, place, item) for place, item in enumerate(items)]
        return self.spark.map(first_die, jobs)


def first_die(job: tuple[Callable[[Any], Any], int, Any]) -> Any:
    """Do a part."""
    function, place, item = job
    if is_first(f"part-{place}") and place == 1:
        os._exit(1)
    return function(item)


def error_of(spark: Spark, function: Callable[[int], Any]) -> list[str]:
    """Give the class and the text of the error of a task."""
    try:
        spark.map(function, [2])
    except AspenETLError as error:
        return [type(error).__name__, str(error)]
    return []


def in_parts(spark: Spark) -> dict[str, bool]:
    """Tell whether parts give what one piece gives."""
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    ids = [f"b{number:03d}" for number in range(200)]
    rows = pd.DataFrame({"id": ids, "full_name": [f"Ada {i}" for i in ids], "email": "x"})
    roles = pd.DataFrame({"borrower_id": ids[::-1], "role_profile": "Borrower"})
    extract = ae.Extract(borrower=rows.reindex(columns=columns), role_profile=roles)
    run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="spark")
    whole = ae.normalize(extract, run=run)
    bounds, told = ["b050", "b100", "b150"], {}
    for name, workers in (("equal", spark), ("equal, one lost", Dying(spark))):
        parted = normalize_parted(extract, bounds=bounds, run=run, workers=workers)
        told[name] = parted.equals(whole) and parted.summary == whole.summary
    return told


def main() -> None:
    """Do all of it, and leave what came of it."""
    # Functions are found by the name of the module, which this is not when it runs.
    from tests.support.spark import tasks  # noqa: PLW0406

    context = SparkSession.builder.getOrCreate().sparkContext
    context.setLogLevel("OFF")
    spark, told = Spark(context), dict[str, Any]()
    told["order"] = spark.map(tasks.die_once, iter([3, 1, 2]))
    told["cores"] = spark.map(tasks.cores, [1, 2])
    told["nothing"] = spark.map(tasks.die_once, [])
    calls: dict[str, Callable[[int], Any]] = {
        "refuse": tasks.refuse,
        "fail": tasks.fail,
        "end": tasks.end,
        "interrupt": tasks.interrupt,
        "stuck": lambda number: number,
    }
    told |= {name: error_of(spark, function) for name, function in calls.items()}
    told |= tasks.in_parts(spark)
    context.stop()
    (HOME / "left.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
