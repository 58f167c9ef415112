"""The command that asks whether the new side can go on alone: cutover."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

from aspen_etl.command_line.database_urls import is_database
from aspen_etl.command_line.options import (
    add_options,
    add_store,
    add_value,
    new_run,
    open_store,
    settings_of,
)
from aspen_etl.command_line.output import Steps
from aspen_etl.command_line.sources import (
    add_source,
    add_target,
    flat_database,
    opened,
    opened_engine,
    opened_tables,
)
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.details import absent_place
from aspen_etl.io.filesystem import locate
from aspen_etl.io.landing_declared import read_declared
from aspen_etl.io.options import Span, Word
from aspen_etl.io.small_files import write_file
from aspen_etl.schema import Model
from aspen_etl.schema.landing import Landing
from aspen_etl.synchronization.settings import Settings

__all__ = ["add_commands"]

#: The exit status where a gate is not green.
NOT_GREEN = 4

#: The most that a list of accepted rejects may have, and how long a quiet time may be.
_MAX_BYTES, _DAY = 1 << 26, 86_400


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    cutover = commands.add_parser(
        "cutover", help="tell whether the new side can go on alone, and record it in the store"
    )
    told = f"one of {', '.join(WORK)}"
    add_value(cutover, "form", Word(tuple(WORK)), metavar="WORK", help=told)
    add_store(cutover, _cutover)
    add_source(cutover, "the old side: files, a landing, or the url of a flat database", "OLD")
    add_target(cutover, "the url of the database that holds the tables of the model", "NEW")
    told = "a signed list of rejects that are accepted: CSV with source, subject, column and rule"
    cutover.add_argument("--accepted", metavar="URL", help=told)
    told = "the landing (JSON or TOML) that feeds the store, of which no file may wait"
    cutover.add_argument("--landing", metavar="FILE", help=told)
    told = "the task at AWS, which must be stopped"
    cutover.add_argument("--task-arn", metavar="ARN", help=told)
    told = "how long the old side must stay as it is, between two looks"
    add_value(cutover, "--quiet", Span("seconds", _DAY), metavar="SECONDS", help=told)
    told = "a new file for the report of the comparison, whose checksum is recorded"
    cutover.add_argument("--report", metavar="URL", help=told)
    told = "the url of a file with a secret, without which nobody can guess at the digests"
    cutover.add_argument("--secret", metavar="URL", help=told)
    add_options(cutover, "suppress_secret")


def _cutover(arguments: argparse.Namespace) -> int:
    return WORK[arguments.form](arguments)


def _check(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization.cutover import check_cutover

    run, settings, store = new_run(arguments), settings_of(arguments), open_store(arguments)
    if not is_database(arguments.target):
        msg = "cutover check looks at a database with the tables of the model; give its url as NEW"
        raise NotSupportedError(msg)
    report = None
    if arguments.report is not None:
        report = absent_place(arguments.report, settings.options_for(arguments.report))
    landing = _landing(arguments, settings)
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(_old(arguments, store.model, settings))
        new = stack.enter_context(opened_tables(arguments, store.model))
        steps = stack.enter_context(Steps())
        told = old if landing is None else landing
        found = check_cutover(
            *(store, old, new),
            run=run,
            accepted=_read(arguments.accepted, settings),
            landing=landing,
            task_status=_status(arguments.task_arn),
            quiet=arguments.quiet,
            secret=settings.read_bytes(arguments.secret),
            suppress_secret=settings.read_secret(),
            read_options=settings.reading_of(told).keywords(),
            on_step=steps,
        )
    if report is not None:
        write_file(report, found.reconciliation.to_json().encode("ascii"))
    print(found.to_json() if arguments.json else found)
    return 0 if found.green else NOT_GREEN


def _read(url: Optional[str], settings: Settings) -> Optional[bytes]:
    """Read the signed list, if one is named."""
    return None if url is None else locate(url, settings.options_for(url)).read(_MAX_BYTES)


def _landing(arguments: argparse.Namespace, settings: Settings) -> Optional[Landing]:
    file: Optional[str] = arguments.landing
    return None if file is None else read_declared(file, settings.options_for(file))


def _status(arn: Optional[str]) -> Optional[str]:
    if arn is None:
        return None
    from aspen_etl.aws.dms import describe_status

    return describe_status(arn)


@contextlib.contextmanager
def _old(arguments: argparse.Namespace, model: Model, settings: Settings) -> Iterator[Any]:
    """Give the old side: flat tables that know what was written to them, or files."""
    if is_database(arguments.source):
        with opened_engine(arguments, settings.reading) as engine:
            yield flat_database(engine, model, arguments, settings.reading)
        return
    with opened(arguments, model, settings.reading) as given:
        yield settings.open_source(given)


#: What the command does, by the word for it.
WORK: Mapping[str, Callable[[argparse.Namespace], int]] = {"check": _check}
