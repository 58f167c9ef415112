"""Sources of the commands: files, standard input, or a database that is read at each attempt."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Optional, Union

from aspen_etl.command_line.database_urls import (
    DATABASE_PASSWORD,
    TARGET_PASSWORD,
    is_database,
    source_engine,
)
from aspen_etl.command_line.options import READING, add_options, add_value
from aspen_etl.command_line.standard_input import source_url
from aspen_etl.databases import read_database
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.options import Names
from aspen_etl.io.reading import Reading
from aspen_etl.schema import Extract, Model
from aspen_etl.synchronization.settings import OPTIONS

__all__ = [
    "OF_DATABASES",
    "add_source",
    "add_target",
    "check_options",
    "flat_database",
    "opened",
    "opened_engine",
    "opened_tables",
]

#: The options that a database takes: what files alone know is refused there.
_OF_BOTH = ("columns", "storage_options", "limits")
#: The options of databases alone, by what argparse calls them.
OF_DATABASES = {"table": "--table", "schema": "--schema", "database_secret": "--database-secret"}


def add_source(
    parser: argparse.ArgumentParser, told: Optional[str] = None, metavar: str = "SOURCE"
) -> None:
    """Add a source, and how it is read; what is told of it is what it is by default."""
    told = told or f"{OPTIONS['source'].told}; or a database"
    parser.add_argument("source", metavar=metavar, help=told)
    add_options(parser, *READING)
    told = "of a database: the table of a source, [SCHEMA.]TABLE; may be repeated"
    add_value(parser, "--table", Names(), metavar="SOURCE=TABLE", default={}, help=told)
    told = "of a database: the schema of the tables (that of the connection)"
    parser.add_argument("--schema", metavar="NAME", help=told)
    told = (
        "of a database: the secret of AWS that holds the password (the variable "
        "ASPEN_ETL_DATABASE_PASSWORD may)"
    )
    parser.add_argument("--database-secret", metavar="ID", help=told)


def add_target(parser: argparse.ArgumentParser, told: str, metavar: str = "TARGET") -> None:
    """Add the other side, which may be a database with the tables of the model."""
    parser.add_argument("target", metavar=metavar, help=told)
    told = "of a database as the target: the schema of its tables (that of the connection)"
    parser.add_argument("--target-schema", metavar="NAME", help=told)
    told = (
        "of a database as the target: the secret of AWS that holds its password (the variable "
        "ASPEN_ETL_TARGET_PASSWORD may); by default that of the source"
    )
    parser.add_argument("--target-secret", metavar="ID", help=told)


@contextlib.contextmanager
def opened(
    arguments: argparse.Namespace, model: Model, reading: Reading
) -> Iterator[Union[str, Callable[[], Extract]]]:
    """Give the source of a command: a url, or what reads a database each time.

    Args:
        arguments: The words of the command.
        model: What to read.
        reading: How.

    Raises:
        NotSupportedError: An option is given that such a source does not have.
    """
    if not is_database(arguments.source):
        check_options(arguments, reading)
        yield source_url(arguments.source)
        return
    with opened_engine(arguments, reading) as engine:
        yield partial(read_database, engine, model=model, **_keywords(arguments, reading))


@contextlib.contextmanager
def opened_engine(arguments: argparse.Namespace, reading: Reading) -> Iterator[Any]:
    """Give the engine of a source that is a database."""
    check_options(arguments, reading)
    engine = source_engine(arguments.source, arguments.database_secret, "a database as a source")
    try:
        yield engine
    finally:
        engine.dispose()


def flat_database(
    engine: Any, model: Model, arguments: argparse.Namespace, reading: Reading
) -> Any:
    """Give the flat tables of a database as a side."""
    from aspen_etl.sql.flat import FlatDatabase
    from aspen_etl.sql.flat_tables import FlatNames

    names = FlatNames(arguments.table, dict(reading.columns))
    return FlatDatabase(engine, model, names, arguments.schema)


@contextlib.contextmanager
def opened_tables(
    arguments: argparse.Namespace,
    model: Model,
    url: Optional[str] = None,
    schema: Optional[str] = None,
) -> Iterator[Any]:
    """Give the tables of a database: of the target, or of the source by its url and schema."""
    is_target = url in (None, arguments.target)
    secret, variable = arguments.target_secret if is_target else None, TARGET_PASSWORD
    if secret is None and not (is_target and variable in os.environ):
        secret, variable = arguments.database_secret, DATABASE_PASSWORD
    purpose = "a database as the target" if is_target else "a database as a source"
    word = arguments.target if is_target else str(url)
    engine = source_engine(word, secret, purpose, variable=variable)
    from aspen_etl.sql.table_database import TableDatabase

    try:
        yield TableDatabase(engine, model, arguments.target_schema if is_target else schema)
    finally:
        engine.dispose()


def _keywords(arguments: argparse.Namespace, reading: Reading) -> dict[str, Any]:
    """Give what ``read_database`` takes beside the database and the model."""
    return {
        "tables": arguments.table,
        "columns": dict(reading.columns),
        "schema": arguments.schema,
    }


def check_options(arguments: argparse.Namespace, reading: Reading) -> None:
    """Refuse options that the kind of source would pass over without a word.

    Raises:
        NotSupportedError: One is given.
    """
    if is_database(arguments.source):
        told = [OPTIONS[name].flag for name in reading.keywords() if name not in _OF_BOTH]
        kind, hint = "a database", "name its tables with --table, or let a view prepare the cells"
    else:
        told = [flag for name, flag in OF_DATABASES.items() if getattr(arguments, name)]
        kind, hint = "files", "leave it out, or name a database as the source"
    if told:
        raise NotSupportedError(f"{', '.join(map(str, told))} is no option of {kind}; {hint}")
