"""The Glue job that keeps two sides in step: arguments in, a log out.

The script of the job is two lines, since Glue runs a file and not a module::

    from aspen_etl.aws.sides_job import main

    main()
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Optional

from aspen_etl import BORROWER_MODEL, Model
from aspen_etl.aws.clients import Client, new_client
from aspen_etl.aws.glue_job import find_argument, name_of_job
from aspen_etl.aws.running import Log, guarded
from aspen_etl.aws.settings import sides_from_arguments
from aspen_etl.aws.sides import works_of
from aspen_etl.aws.sides_work import SidesWork

__all__ = ["main"]

_DIMENSION = "JobName"


def main(
    argv: Optional[Sequence[str]] = None,
    *,
    model: Model = BORROWER_MODEL,
    client: Client = new_client,
) -> dict[str, Any]:
    """Do what the argument ``work`` of a Glue job says.

    Args:
        argv: The arguments as Glue passes them: ours as ``--name value``, and its own among
            them; by default those of the process.
        model: The model.
        client: What makes the client of Secrets Manager.

    Returns:
        The report, as of ``sides_handler``.

    Raises:
        SettingsError: An argument is missing, misspelt, or its value cannot be used.
        AspenETLError: A work failed, and with it the job.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    name = name_of_job(given)
    log = Log({"job_run_id": find_argument(given, "JOB_RUN_ID") or ""})

    def run() -> dict[str, Any]:
        told = sides_from_arguments(given)
        works, _ = works_of({}, told[1])
        work = SidesWork(*told, model, log, _DIMENSION, name, client=client)
        return work.do(works)

    return guarded(log, _DIMENSION, name, run)
