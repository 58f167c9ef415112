"""The Lambda function: a schedule or a new object in, a report out.

The handler to configure is ``aspen_etl.aws.lambda_handler.handler``; ``vacuum_handler`` is the
one of a function of its own, which alone may delete. With a model of your own, write a module
of two lines and configure that::

    from aspen_etl.aws.lambda_handler import make_handler

    handler = make_handler(model=MODEL)
"""

from __future__ import annotations

import datetime as dt
import gc
import os
from collections.abc import Callable, Mapping
from typing import Any, Optional

from aspen_etl import BORROWER_MODEL, Model
from aspen_etl.aws.clients import Client, new_client
from aspen_etl.aws.events import find_source
from aspen_etl.aws.running import Log, Work, guarded
from aspen_etl.aws.settings import from_environment
from aspen_etl.errors import OutdatedSourceError
from aspen_etl.io.filesystem import locate

__all__ = [
    "Handler",
    "handler",
    "log_of",
    "make_handler",
    "make_vacuum_handler",
    "time_left",
    "vacuum_handler",
]

#: What Lambda calls: the event, and its context object.
Handler = Callable[[Any, Any], dict[str, Any]]

_DIMENSION = "FunctionName"


def make_handler(
    *,
    model: Model = BORROWER_MODEL,
    environment: Optional[Mapping[str, str]] = None,
    client: Client = new_client,
) -> Handler:
    """Make a handler for a model.

    The handler reads its settings from the environment (``ASPEN_ETL_...``) at each event. It
    answers a schedule, ``{}``, and an object-created event of S3 through EventBridge; it gives
    up before its time is over, logs a line a step, and returns the report. Errors fail the
    invocation, so that retries and the dead-letter queue see them; an object that is older
    than what the store holds is none: its event came late.

    Args:
        model: The model.
        environment: Where the settings are; by default the process's environment.
        client: What makes the clients of Glue and Athena.

    Returns:
        A function of event and context. Its answer has ``outcome``: ``committed``,
        ``unchanged``, ``outdated``, or ``ignored`` for an object that is of no concern.

    Raises:
        AspenETLError: From the handler: the run failed; nothing was committed, unless the
            error says otherwise.
    """
    _ = model.tables  # the default one is made now: while a function starts, it has a whole core

    def answer(event: Any, context: Any, log: Log) -> dict[str, Any]:
        settings = from_environment(os.environ if environment is None else environment)

        def exists(url: str) -> bool:
            return locate(url, settings.options_for(url)).kind() != "absent"

        source = find_source(event, settings, model, exists=exists)
        if source is None:
            log.write("INFO", "ignored: the new object is no source")
            return {"outcome": "ignored"}
        work = Work(settings, model, log, _DIMENSION, context.function_name, client)
        try:
            return work.sync(source, time_left(context))
        except OutdatedSourceError as error:
            if event.get("detail-type") != "Object Created":
                raise
            log.write("WARNING", str(error))
        work.measure(Runs=1, Failures=0, Outdated=1)
        return {"outcome": "outdated"}

    def handle(event: Any, context: Any) -> dict[str, Any]:
        log, name = log_of(context), context.function_name
        return guarded(log, _DIMENSION, name, lambda: answer(event, context, log))

    return handle


def make_vacuum_handler(
    *, model: Model = BORROWER_MODEL, environment: Optional[Mapping[str, str]] = None
) -> Handler:
    """Make the handler that lets old versions of the store go, for a schedule of its own.

    Args:
        model: The model.
        environment: Where the settings are; by default the process's environment.
    """

    def handle(event: Any, context: Any) -> dict[str, Any]:
        del event  # whatever it is, there is one thing to do
        log, name = log_of(context), context.function_name

        def answer() -> dict[str, Any]:
            settings = from_environment(os.environ if environment is None else environment)
            return Work(settings, model, log, _DIMENSION, name).vacuum()

        return guarded(log, _DIMENSION, name, answer)

    return handle


def log_of(context: Any, /) -> Log:
    """Make the log of one invocation."""
    # NOTE: a client of S3 is some 25 MB in a cycle of references, which Python would let
    # stand through many runs of a warm instance.
    gc.collect()
    return Log({"request_id": context.aws_request_id})


def time_left(context: Any, /) -> dt.timedelta:
    """Give the time until a run gives up: some is kept for the answer and the catalogue."""
    left = context.get_remaining_time_in_millis() / 1000
    return dt.timedelta(seconds=left - min(30.0, 0.15 * left))


handler = make_handler()
vacuum_handler = make_vacuum_handler()
