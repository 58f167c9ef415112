"""The Glue job, for Python shell and for Spark: arguments in, a log out.

The script of the job is two lines, since Glue runs a file and not a module::

    from aspen_etl.aws.glue_job import main

    main()
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Optional

from aspen_etl import BORROWER_MODEL, Model
from aspen_etl.aws.clients import Client, new_client
from aspen_etl.aws.running import Log, Work, guarded
from aspen_etl.aws.settings import from_arguments
from aspen_etl.errors import SettingsError

__all__ = ["find_argument", "main", "name_of_job"]

_DIMENSION = "JobName"


def main(
    argv: Optional[Sequence[str]] = None,
    *,
    model: Model = BORROWER_MODEL,
    client: Client = new_client,
) -> dict[str, Any]:
    """Run ``sync`` as the arguments of a Glue job say.

    Args:
        argv: The arguments as Glue passes them: ours as ``--name value``, and its own among
            them; by default those of the process.
        model: The model.
        client: What makes the clients of Glue and Athena.

    Returns:
        The report.

    Raises:
        SettingsError: An argument is missing, misspelt, or its value cannot be used.
        AspenETLError: The run failed, and with it the job.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    name = name_of_job(given)
    log = Log({"job_run_id": find_argument(given, "JOB_RUN_ID") or ""})

    def run() -> dict[str, Any]:
        settings = from_arguments(given)
        if settings.source is None:
            raise SettingsError.of("--source", "is missing; give the url to read")
        return Work(settings, model, log, _DIMENSION, name, client).sync(settings.source)

    return guarded(log, _DIMENSION, name, run)


def name_of_job(argv: Sequence[str], /) -> str:
    """Give the name of the job."""
    # Python shell does not always tell the job its name.
    names = [find_argument(argv, option) for option in ("JOB_NAME", "job-name", "actor")]
    return next((each for each in names if each), "aspen_etl")


def find_argument(argv: Sequence[str], name: str, /) -> Optional[str]:
    """Give the value of an argument of Glue's own."""
    for word, value in zip(argv, argv[1:]):
        if word == f"--{name}":
            return value
    return None
