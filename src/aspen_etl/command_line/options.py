"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Optional

from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.parsing import count, one_of
from aspen_etl.errors import StorageOptionsError
from aspen_etl.io.codec import FORMATS
from aspen_etl.schema import Run
from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = [
    "MAX_DAYS",
    "add_common",
    "add_format",
    "add_json",
    "add_model",
    "add_reading",
    "add_storage_options",
    "add_store",
    "new_run",
    "open_store",
    "options_for",
    "read_options",
    "reading_options",
]

#: The longest time in days that an option takes: a hundred years.
MAX_DAYS = 36_525


class _Pairs(argparse.Action):
    """Collect NAME=VALUE arguments."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        name, separator, value = str(values).partition("=")
        if not (name and separator and value):
            parser.error(f"argument {option}: write it as {self.metavar}")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), name: value})


class _HeaderRow(argparse.Action):
    """Take one row number for every sheet, or collect SOURCE=N arguments."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        name, separator, text = str(values).rpartition("=")
        if bool(name) != bool(separator):
            parser.error(f"argument {option}: write it as {self.metavar}")
        try:
            number = count(1)(text)
        except argparse.ArgumentTypeError as error:
            parser.error(f"argument {option}: {error}")
        given = getattr(namespace, self.dest)
        if given is not None and bool(name) != isinstance(given, dict):
            parser.error(f"argument {option}: give one number, or SOURCE=N for each sheet")
        setattr(namespace, self.dest, {**(given or {}), name: number} if name else number)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command that touches a storage takes."""
    parser.add_argument(
        "--actor",
        metavar="NAME",
        default="aspen-etl",
        help="who stands in created_by and in the commit (aspen-etl)",
    )
    add_model(parser)
    add_storage_options(parser)
    parser.add_argument(
        "--debug", action="store_true", help="show where an error arose; it may show cells"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model."""
    parser.add_argument(
        "--model",
        metavar="MODULE:NAME",
        help="a model of your own, as in acme.loans:MODEL; the working folder is looked in, too",
    )


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Add what filesystems take, which no argument may hold."""
    parser.add_argument(
        "--storage-options",
        metavar="FILE",
        help="a file of JSON by protocol with credentials, endpoint, encryption",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the format of what is written."""
    add_choice(
        parser, "--format", FORMATS, default="csv", help="the format of the files written (csv)"
    )


def _add_store_format(parser: argparse.ArgumentParser) -> None:
    """Add the format of a store's tables, which it keeps unless another one is asked for."""
    add_choice(
        parser,
        "--format",
        FORMATS,
        help="the format of the tables (the store's own, csv in a new one); another one than its "
        "own writes all of them anew",
    )


def add_choice(
    parser: argparse.ArgumentParser, name: str, words: Collection[str], **more: Any
) -> None:
    """Add what is one of some words; another one is refused with what may have been meant."""
    parser.add_argument(name, type=one_of(words), metavar=f"{{{','.join(words)}}}", **more)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add how a report is printed."""
    parser.add_argument("--json", action="store_true", help="print one JSON value, for machines")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add how a source is read."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a workbook (- for standard input), or a folder with a file for each sheet",
    )
    parser.add_argument(
        "--na-values",
        metavar="T",
        action="append",
        default=[],
        help="a text that means missing; may be repeated",
    )
    parser.add_argument(
        "--sheet",
        metavar="SOURCE=SHEET",
        action=_Pairs,
        default={},
        help="the name of a source's sheet, or of its file in a folder; may be repeated",
    )
    parser.add_argument(
        "--column",
        metavar="HEADER=COLUMN",
        action=_Pairs,
        default={},
        help="which column of the model a header stands for; may be repeated",
    )
    parser.add_argument(
        "--ignore-column",
        metavar="HEADER",
        action="append",
        default=[],
        help="the header of a column to leave out; may be repeated",
    )
    parser.add_argument(
        "--header-row",
        metavar="[SOURCE=]N",
        action=_HeaderRow,
        help="the row of the header, as a spreadsheet numbers it: of every sheet, or of one",
    )


def reading_options(
    arguments: argparse.Namespace, options: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Give what ``read_extract`` takes beside source and model."""
    return {
        "storage_options": options_for(arguments.source, options),
        "na_values": arguments.na_values,
        "sheets": arguments.sheet,
        "columns": arguments.column,
        "header_row": arguments.header_row,
        "ignore_columns": arguments.ignore_column,
    }


def add_store(
    one: argparse.ArgumentParser, call: Callable[..., Any], *, writes: bool = False
) -> None:
    """Add a store, and what every command on one takes."""
    one.add_argument("store", metavar="STORE", help="the store's url or folder")
    one.add_argument(
        "--rejects-url", metavar="URL", help="where the rejects are, if not in the store"
    )
    add_json(one)
    if writes:
        _add_store_format(one)
    add_common(one)
    one.set_defaults(command=call)


def new_run(arguments: argparse.Namespace) -> Run:
    """Read the clock: this is the one place that does."""
    return Run(time=dt.datetime.now(dt.timezone.utc), actor=arguments.actor)


def open_store(arguments: argparse.Namespace) -> SnapshotStore:
    """Open the store that a command names."""
    options = read_options(arguments.storage_options)
    rejects = getattr(arguments, "rejects_url", None)
    return SnapshotStore(
        arguments.store,
        model=load_model(arguments.model),
        format=getattr(arguments, "format", None),
        storage_options=options_for(arguments.store, options),
        rejects_url=rejects,
        rejects_storage_options=None if rejects is None else options_for(rejects, options),
    )


def read_options(path: Optional[str]) -> dict[str, dict[str, Any]]:
    """Read storage options by protocol; they hold secrets, so no message shows their text."""
    if path is None:
        return {}
    try:
        options = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = type(error).__name__
    except (ValueError, RecursionError):
        reason = "it is no JSON"
    else:
        if isinstance(options, dict) and all(isinstance(held, dict) for held in options.values()):
            return options
        reason = "it is no object of objects"
    raise StorageOptionsError.at(path, reason)


def options_for(url: str, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Give the storage options of the protocol of a url."""
    return options.get(url.partition("://")[0] if "://" in url else "file", {})
