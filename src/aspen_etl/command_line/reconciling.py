"""The command that holds two sides against each other: reconcile."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

from aspen_etl.command_line.database_urls import is_database
from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.options import (
    add_common,
    add_json,
    add_options,
    add_switch,
    add_value,
    add_version,
    new_run,
    settings_of,
)
from aspen_etl.command_line.output import progress
from aspen_etl.command_line.sources import (
    add_source,
    add_target,
    flat_database,
    opened,
    opened_engine,
    opened_tables,
)
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.options import Count, Span
from aspen_etl.schema import Model
from aspen_etl.synchronization.settings import Settings

if TYPE_CHECKING:
    from aspen_etl.store.snapshot_store import SnapshotStore

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
    told = "compare tables as they are, keys and audit columns too: SOURCE is what TARGET may be"
    add_switch(one, "--tables", told)
    told = "a two-way store between two databases: conflicts that wait there explain differences"
    one.add_argument("--explained-by", metavar="STORE", help=told)
    told = "a new file (.csv, .parquet) for each difference, with ids and values, as rejects have"
    one.add_argument("--details", metavar="URL", help=told)
    told = "how long to wait before another look, where something differs (0)"
    add_value(one, "--confirm-after", Span("seconds", _DAY), metavar="SECONDS", help=told)
    told = "how many looks there are at most (2)"
    add_value(one, "--tries", Count(1), default=2, metavar="N", help=told)
    told = "the url of a file with a secret under which the details name subjects"
    one.add_argument("--secret", metavar="URL", help=told)
    add_options(one, "suppress_secret", "rejects_url", "max_memory")
    add_json(one)
    add_common(one)
    one.set_defaults(command=_reconcile)


def _reconcile(arguments: argparse.Namespace) -> int:
    from aspen_etl.synchronization import reconcile

    run, settings = new_run(arguments), settings_of(arguments)
    model = load_model(arguments.model)
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_source(arguments, model, settings))
        target = stack.enter_context(_target(arguments, model, settings))
        stack.enter_context(progress("reconciling"))
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
            tables=arguments.tables,
            explained_by=_open(arguments.explained_by, model, settings),
            max_memory=settings.max_memory and settings.max_memory << 20,
        )
    print(found.to_json() if arguments.json else found)
    return STATUS[found.outcome]


def _open(url: Optional[str], model: Model, settings: Settings) -> Optional[SnapshotStore]:
    if url is None:
        return None
    from aspen_etl.store import SnapshotStore

    rejects = settings.rejects_url
    return SnapshotStore(
        url,
        model=model,
        storage_options=settings.options_for(url),
        rejects_url=rejects,
        rejects_storage_options=settings.options_for(rejects),
    )


@contextlib.contextmanager
def _source(arguments: argparse.Namespace, model: Model, settings: Settings) -> Iterator[Any]:
    """Give files, what reads flat tables, or with --tables a store or what reads its tables."""
    if arguments.tables:
        if arguments.table or settings.reading.keywords().keys() - {"storage_options", "limits"}:
            raise NotSupportedError("--tables reads no flat source; leave out how one is read")
        version = arguments.version if is_database(arguments.target) else None
        url, schema = arguments.source, arguments.schema
        with _tables(url, schema, version, arguments, model, settings) as given:
            yield given
    elif is_database(arguments.source):
        with opened_engine(arguments, settings.reading) as engine:
            yield flat_database(engine, model, arguments, settings.reading)
    else:
        with opened(arguments, model, settings.reading) as found:
            yield settings.open_source(found)


@contextlib.contextmanager
def _target(arguments: argparse.Namespace, model: Model, settings: Settings) -> Iterator[Any]:
    """Give the store, the version of it, or what reads the tables of a database."""
    if arguments.target_schema and not is_database(arguments.target):
        raise NotSupportedError("--target-schema is no option of a store; leave it out")
    version, of_source = arguments.version, arguments.tables and not is_database(arguments.source)
    if is_database(arguments.target) and version is not None and of_source:
        version = None
    url, schema = arguments.target, arguments.target_schema
    with _tables(url, schema, version, arguments, model, settings) as given:
        yield given


@contextlib.contextmanager
def _tables(
    url: str,
    schema: Optional[str],
    version: Optional[int],
    arguments: argparse.Namespace,
    model: Model,
    settings: Settings,
) -> Iterator[Any]:
    """Give a store, a version of one, or what reads the tables of a database."""
    if not is_database(url):
        store = _open(url, model, settings)
        yield store if version is None else (store, version)
        return
    if version is not None:
        raise NotSupportedError("--version is no option of a database; leave it out")
    with opened_tables(arguments, model, url, schema) as tables:
        yield tables
