"""The commands around databases: schema prints what follows from a model, load fills one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional

from aspen_etl import derive
from aspen_etl.command_line.database_urls import DATABASE_URL, engine_of, read_url
from aspen_etl.command_line.leasing import add_lease, leased
from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.options import (
    add_common,
    add_debug,
    add_json,
    add_model,
    add_storage_options,
    add_switch,
    add_value,
    add_version,
    settings_of,
)
from aspen_etl.command_line.output import print_json, progress
from aspen_etl.derive.dialects import DIALECTS
from aspen_etl.derive.formats import FORMATS
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.filesystem import display_url
from aspen_etl.io.options import Span, Word
from aspen_etl.io.tables import read_tables
from aspen_etl.schema import Model
from aspen_etl.schema.policy import Policy

if TYPE_CHECKING:
    from aspen_etl.sql import LoadReport
    from aspen_etl.store.stored import Stored

__all__ = ["add_commands"]

_DAY = 86_400

#: What a load can do about rows that somebody else wrote.
POLICIES = ("refuse", "hold", "old", "new")


def add_commands(commands: Any) -> None:
    """Add the commands."""
    _add_schema(
        commands.add_parser("schema", help="print what follows from a model for other systems")
    )
    _add_load(
        commands.add_parser(
            "load", help="bring a database to the state of a store or a folder of tables"
        )
    )


def _add_schema(schema: argparse.ArgumentParser) -> None:
    add_value(schema, "form", Word(tuple(FORMS)), metavar="FORM", help=f"one of {', '.join(FORMS)}")
    add_model(schema)
    schema.add_argument("--database", metavar="NAME", help="athena: the database of the catalogue")
    schema.add_argument(
        "--store", metavar="STORE", help="athena: the store whose newest commit is to be queried"
    )
    schema.add_argument(
        "--location",
        metavar="URL",
        help="athena: a folder with a folder for each table; with --store, where Athena sees it",
    )
    add_storage_options(schema)
    told = "athena (parquet), datapackage (csv): the format of the files"
    add_value(schema, "--format", Word(tuple(FORMATS)), help=told)
    schema.add_argument("--schema", metavar="NAME", help="SQL: the schema of the database")
    add_debug(schema)
    schema.set_defaults(command=_schema)


def _add_load(load: argparse.ArgumentParser) -> None:
    load.add_argument("source", metavar="SOURCE", help="a store, or a folder of tables")
    load.add_argument(
        "--database-url-file",
        metavar="FILE",
        help=f"a file that holds the database's url (the variable {DATABASE_URL} does)",
    )
    add_version(load)
    load.add_argument(
        "--schema", metavar="NAME", help="the schema of the database, which must be there"
    )
    add_switch(load, "--compare", "compare every row, whatever the database says that it holds")
    add_switch(load, "--overwrite", "compare every row, and write over what somebody else wrote")
    told = f"what becomes of rows that somebody else wrote: {', '.join(POLICIES)} (refuse)"
    add_value(load, "--policy", Word(POLICIES), metavar="WORD", help=told)
    load.add_argument(
        "--pin",
        metavar="NAME",
        help="the name under which the store keeps the loaded version (made of the url)",
    )
    told = "how long to wait for a lock (as the database is set; 60 if for ever)"
    add_value(load, "--lock-timeout", Span("seconds", _DAY), metavar="SECONDS", help=told)
    add_lease(load)
    add_json(load)
    add_common(load)
    load.set_defaults(command=_load)


# ----------------------------------------------------------------------------- schema


def _athena(model: Model, arguments: argparse.Namespace) -> str:
    if not (arguments.database and (arguments.location or arguments.store)):
        msg = (
            "schema athena needs --database NAME, and --store URL for the files of a store, or "
            "--location s3://bucket/prefix/ for files in a folder for each table"
        )
        raise NotSupportedError(msg)
    location: Any = arguments.location
    file_format: Any = arguments.format or "parquet"
    if arguments.store:
        file_format, location = _stored(model, arguments)
    return derive.athena_ddl(
        model, database=arguments.database, location=location, format=file_format
    )


def _stored(model: Model, arguments: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """Give the format of a store's newest commit, and the folder of each table's files."""
    from aspen_etl.store import SnapshotStore

    options = settings_of(arguments).options_for(arguments.store)
    store = SnapshotStore(arguments.store, model=model, storage_options=options)
    commit = store.find()
    store.place.check_model(commit)
    held = {name: commit.tables[name].moved(commit.rewrites) for name in model.tables}
    formats = sorted({each.format for each in held.values()})
    if len(formats) > 1 or arguments.format not in {None, *formats}:
        msg = f"the tables of {store.url} are {' and '.join(formats)}; leave --format out"
        raise NotSupportedError(f"{msg}, and sync a store of two formats once more")
    root = (arguments.location or store.url).rstrip("/")
    return formats[0], {name: f"{root}/{_folder(name, each)}" for name, each in held.items()}


def _folder(name: str, held: Stored) -> str:
    """Give the folder of a table's files; one that is never written to where it has none."""
    folder = held.folder(name)
    if folder is None:
        msg = f"the files of {name} stand in several folders since a subject was erased"
        raise NotSupportedError(f"{msg}; after the next change of {name} they stand in one")
    return folder


def _sql(dialect: Any) -> Callable[[Model, argparse.Namespace], str]:
    return lambda model, arguments: derive.sql_ddl(model, dialect=dialect, schema=arguments.schema)


def _data_package(model: Model, arguments: argparse.Namespace) -> str:
    return json.dumps(derive.data_package(model, format=arguments.format or "csv"), indent=2)


FORMS: Mapping[str, Callable[[Model, argparse.Namespace], str]] = {
    "athena": _athena,
    **{dialect: _sql(dialect) for dialect in DIALECTS},
    "dbml": lambda model, _: derive.dbml(model),
    "mermaid": lambda model, _: derive.mermaid(model),
    "datapackage": _data_package,
    "markdown": lambda model, _: derive.markdown(model),
    "arrow": lambda model, _: derive.arrow_text(model),
}


def _schema(arguments: argparse.Namespace) -> None:
    print(FORMS[arguments.form](load_model(arguments.model), arguments).rstrip("\n"))


# ----------------------------------------------------------------------------- load


def _load(arguments: argparse.Namespace) -> None:
    engine = engine_of(read_url(arguments.database_url_file), "aspen-etl load")
    try:
        report = _fill(engine, arguments)
    finally:
        engine.dispose()
    if report is None:
        return
    if arguments.json:
        print_json(report.to_dict())
        return
    print(f"{'tables':24}{'inserted':>12}{'updated':>12}{'deleted':>12}")
    for name, counts in report.tables.items():
        print(f"  {name:22}" + "".join(f"{count:12,}" for count in counts.values()))
    for line in _remarks(report):
        print(line)
    at = "" if report.version is None else f" version {report.version} of"
    print(f"\n{report.outcome}: the database holds{at} {display_url(arguments.source)}")


def _remarks(report: LoadReport) -> Iterator[str]:
    """Tell what a load left, and what it set up for the next one."""
    for name, kinds in report.conflicts.items():
        told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())
        left = report.held.get(name, 0)
        yield f"  {name}: written by somebody else: {told}; left as they are: {left:,}"
    for name in (each for each in report.held if each not in report.conflicts):
        yield f"  {name}: left as they are, with those: {report.held[name]:,}"
    if report.identities:
        yield f"  the database now numbers from 2^40 on: {', '.join(report.identities)}"
    if report.unpinned is not None:
        yield f"  the store cannot be written to ({report.unpinned}): nothing keeps this version"


def _fill(engine: Any, arguments: argparse.Namespace) -> Optional[LoadReport]:
    """Load a store, or a folder of tables where there is none; nothing where others do."""
    from aspen_etl import sql
    from aspen_etl.store import SnapshotStore

    model = load_model(arguments.model)
    options = settings_of(arguments).options_for(arguments.source)
    store = SnapshotStore(arguments.source, model=model, storage_options=options)
    told = {
        "version": arguments.version,
        "schema": arguments.schema,
        "pin": arguments.pin,
        "lock_timeout": arguments.lock_timeout,
        "overwrite": arguments.overwrite,
        "policy": None if arguments.policy is None else Policy(arguments.policy),
    }
    if store.newest() is not None:
        with leased(arguments, store, arguments.pin or "new") as mine:
            if not mine:
                return None
            with progress("loading"):
                return sql.load(store, engine, compare=arguments.compare, **told)
    if arguments.lease is not None:
        raise NotSupportedError("--lease is no option of a folder of tables; leave it out")
    with progress("loading"):
        tables = read_tables(arguments.source, model=model, storage_options=options)
        return sql.load(tables, engine, model=model, **told)
