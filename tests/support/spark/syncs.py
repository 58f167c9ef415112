"""A driver that runs the Glue job several times in one Spark, as it is told to.

The bytes of a ``block`` of the source may be told, so that several tasks read even a small one.
Each of the ``runs`` is told ``arguments``, the ``day`` on which it is, and the place at which an
executor is to be ``lost``, if one is.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import aspen_etl as ae
from aspen_etl.aws import glue_job
from aspen_etl.aws.running import Work
from aspen_etl.errors import AspenETLError
from aspen_etl.synchronization import units
from tests.support.spark import losing

HOME = Path(os.environ["SPARK_TEST_HOME"])


def do(job: dict[str, Any]) -> dict[str, Any]:
    """Run the job once."""
    moment = dt.datetime(2026, 1, job["day"], tzinfo=dt.timezone.utc)
    setattr(Work, "run", lambda _: ae.Run(time=moment, actor="spark"))  # noqa: B010 - no clock
    if job.get("lost"):
        losing.ask(job["lost"])
    try:
        report = glue_job.main(job["arguments"])
    except AspenETLError as error:
        return {"error": type(error).__name__, "text": str(error)}
    made = losing.was_lost(job["lost"]) if job.get("lost") else None
    return {"report": report, "made": made}


def main() -> None:
    """Do what the file says, and leave what came of it."""
    told = json.loads((HOME / "told.json").read_text(encoding="utf-8"))
    units.BLOCK = told.get("block", units.BLOCK)
    left = {name: do(job) for name, job in told["runs"].items()}
    (HOME / "left.json").write_text(json.dumps(left), encoding="utf-8")


if __name__ == "__main__":
    main()
