"""The Lambda function that keeps two sides in step: a schedule in, a report out.

The handler to configure is ``aspen_etl.aws.sides_handler.handler``. What it does is told by the
variable ``ASPEN_ETL_WORK``, or by the event, as in ``{"work": "pull push"}``. With a model of your
own, write a module of two lines, as for ``lambda_handler``, with ``make_sides_handler``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional

from aspen_etl import BORROWER_MODEL, Model
from aspen_etl.aws.clients import Client, new_client
from aspen_etl.aws.lambda_handler import Handler, log_of, time_left
from aspen_etl.aws.running import guarded
from aspen_etl.aws.settings import sides_from_environment
from aspen_etl.aws.sides import works_of
from aspen_etl.aws.sides_work import SidesWork

__all__ = ["handler", "make_sides_handler"]

_DIMENSION = "FunctionName"


def make_sides_handler(
    *,
    model: Model = BORROWER_MODEL,
    environment: Optional[Mapping[str, str]] = None,
    client: Client = new_client,
) -> Handler:
    """Make a handler for a model.

    The handler reads its settings from the environment (``ASPEN_ETL_...``) at each event. Each
    work goes under the lease of its side; where another run has it, the work ends as ``busy``. A
    push that finds the side changed since the pull ends as ``overtaken``: the next run pulls first.

    Args:
        model: The model.
        environment: Where the settings are; by default the process's environment.
        client: What makes the client of Secrets Manager.

    Returns:
        A function of event and context. Its answer has ``outcome``, ``done`` or ``busy``, and
        ``work``, the report of each work.

    Raises:
        AspenETLError: From the handler: a work failed or was refused; those before it are done.
    """
    _ = model.tables  # made now: while a function starts, it has a whole core

    def handle(event: Any, context: Any) -> dict[str, Any]:
        log, name = log_of(context), context.function_name

        def answer() -> dict[str, Any]:
            told = sides_from_environment(os.environ if environment is None else environment)
            works, side = works_of(event, told[1])
            left = lambda: time_left(context)  # noqa: E731 - asked anew for each work
            work = SidesWork(*told, model, log, _DIMENSION, name, left, client)
            return work.do(works, side)

        return guarded(log, _DIMENSION, name, answer)

    return handle


handler = make_sides_handler()
