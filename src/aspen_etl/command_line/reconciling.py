"""The command that holds two sides against each other: reconcile."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

from aspen_etl.command_line.database_urls import is_database
from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.options import (
    add_common,
    add_json,
    add_options,
    add_value,
    add_version,
    new_run,
    settings_of,
)
from aspen_etl.command_line.output import progress
from aspen_etl.command_line.sources import add_source, add_target, opened, opened_tables
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.options import Count, Span
from aspen_etl.schema import Model
from aspen_etl.synchronization.settings import Settings

__all__ = ["add_commands"]

#: The exit status by outcome. What could not run ends with 1, as any command.
STATUS = {"in_step": 0, "unexplained": 4, "undecided": 5}

_DAY = 60 * 60 * 24


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    one = commands.add_parser(
        "reconcile",
        help="tell whether a source and a store, or a database with its tables, are in step",
    )
    add_source(one)
    add_target(one, "a store, or the url of a database that holds the tables of the model")
    add_version(one)
    told = "a new file (.csv, .parquet) for each difference, with ids and values, as rejects have"
    one.add_argument("--details", metavar="URL", help=told)
    told = "how long to wait before another look, where something differs (0)"
    add_value(one, "--confirm-after", Span("seconds", _DAY), metavar="SECONDS", help=told)
    told = "how many looks there are at most (2)"
    add_value(one, "--tries", Count(1), default=2, metavar="N", help=told)
    told = "the url of a file with a secret under which the details name subjects"
    one.add_argument("--secret", metavar="URL", help=told)
    add_options(one, "suppress_secret")
    add_json(one)
    add_common(one)
    one.set_defaults(command=_reconcile)


def _reconcile(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization import reconcile

    run, settings = new_run(arguments), settings_of(arguments)
    model = load_model(arguments.model)
    with contextlib.ExitStack() as stack:
        given = stack.enter_context(opened(arguments, model, settings.reading))
        target = stack.enter_context(_target(arguments, model, settings))
        stack.enter_context(progress("reconciling"))
        source = settings.open_source(given)
        found = reconcile(
            source,
            target,
            run=run,
            model=model,
            confirm_after=arguments.confirm_after or 0,
            tries=arguments.tries,
            details=arguments.details,
            details_storage_options=settings.options_for(arguments.details),
            secret=settings.read_bytes(arguments.secret),
            suppress_secret=settings.read_secret(),
            read_options=settings.reading_of(source).keywords(),
        )
    print(found.to_json() if arguments.json else found)
    return STATUS[found.outcome]


@contextlib.contextmanager
def _target(arguments: argparse.Namespace, model: Model, settings: Settings) -> Iterator[Any]:
    """Give the store, the version of it, or what reads the tables of a database."""
    if not is_database(arguments.target):
        from aspen_etl.store import SnapshotStore

        if arguments.target_schema:
            raise NotSupportedError("--target-schema is no option of a store; leave it out")
        options = settings.options_for(arguments.target)
        store = SnapshotStore(arguments.target, model=model, storage_options=options)
        yield store if arguments.version is None else (store, arguments.version)
        return
    if arguments.version is not None:
        raise NotSupportedError("--version is no option of a database; leave it out")
    with opened_tables(arguments, model) as tables:
        yield tables
