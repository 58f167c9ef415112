"""The options of the commands: those of a run as it declares them, and what commands add."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.parsing import typed
from aspen_etl.derive.formats import FORMATS
from aspen_etl.errors import NotSupportedError, SettingsError
from aspen_etl.io.options import (
    ByProtocol,
    Count,
    CountOr,
    Either,
    Flag,
    Kind,
    Names,
    Rows,
    Share,
    Span,
    Text,
    Texts,
    Word,
)
from aspen_etl.schema import Run
from aspen_etl.synchronization.settings import OPTIONS, Settings
from aspen_etl.synchronization.side_settings import SIDE_OPTIONS

if TYPE_CHECKING:
    from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = [
    "LIMITS",
    "PARTED",
    "READING",
    "SHORT",
    "add_common",
    "add_debug",
    "add_format",
    "add_json",
    "add_model",
    "add_options",
    "add_overwrite",
    "add_storage_options",
    "add_store",
    "add_switch",
    "add_value",
    "add_version",
    "new_run",
    "open_store",
    "settings_of",
]

#: The options that say how a source is read, and those that say what a run may do to a store.
READING = ("na_values", "sheets", "columns", "ignore_columns", "header_row")
LIMITS = (
    *("missing", "on_gap", "suppress_secret", "timeout", "model_version"),
    *("max_rejected_rows", "max_rejected_cells", "max_deleted_rows", "min_deleted_rows"),
    *("allow_empty", "allow_older"),
)

#: Those that say whether a run may look at what changed alone, or goes in parts.
SHORT = ("keep_source", "whole_every")
PARTED = ("parts", "max_memory", "workers")

#: Who a run is by, where nothing is told.
_ACTOR = "aspen-etl"


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
            number = typed(Count(1))(text)
        except argparse.ArgumentTypeError as error:
            parser.error(f"argument {option}: {error}")
        given = getattr(namespace, self.dest)
        if given is not None and bool(name) != isinstance(given, dict):
            parser.error(f"argument {option}: give one number, or SOURCE=N for each sheet")
        setattr(namespace, self.dest, {**(given or {}), name: number} if name else number)


#: How argparse takes the values of a kind.
_SHAPES: Mapping[type, Callable[[Any], Mapping[str, Any]]] = {
    Text: lambda _: {},
    ByProtocol: lambda _: {},  # the name of a file that holds them
    Word: lambda kind: {"type": typed(kind), "metavar": f"{{{','.join(kind.words)}}}"},
    Count: lambda kind: {"type": typed(kind)},
    CountOr: lambda kind: {"type": typed(kind)},
    Span: lambda kind: {"type": typed(kind)},
    Share: lambda _: {"type": float},  # what is no share is refused by Thresholds, with its name
    Flag: lambda _: {"action": "store_true"},
    Either: lambda _: {"action": argparse.BooleanOptionalAction},
    Texts: lambda _: {"action": "append"},
    Names: lambda _: {"action": _Pairs},
    Rows: lambda _: {"action": _HeaderRow},
}


# ----------------------------------------------------------------------------- adding


def add_options(parser: argparse.ArgumentParser, *names: str, **defaults: Any) -> None:
    """Add options of a run by their names; the help ends in what they are where nothing is told.

    Args:
        parser: The parser of a command.
        names: Which ones.
        defaults: What this command line takes where nothing is told, if it is not the run's.
    """
    for name in names:
        option = OPTIONS[name] if name in OPTIONS else SIDE_OPTIONS[name]
        flag = option.flag or name
        default = defaults.get(name, option.default)
        more: dict[str, Any] = {"default": list(default) if default == () else default}
        if flag.startswith("--"):
            more["dest"] = name
        if option.metavar is not None:
            more["metavar"] = option.metavar
        told = f"{option.told} ({default})" if default else option.told
        add_value(parser, flag, option.kind, help=told, **more)


def add_value(parser: argparse.ArgumentParser, flag: str, kind: Kind, **more: Any) -> None:
    """Add what takes a value of a kind; the rest is what argparse takes."""
    shape = _SHAPES[type(kind)](kind)
    parser.add_argument(flag, **{**shape, **more})


def add_switch(parser: argparse.ArgumentParser, flag: str, told: str) -> None:
    """Add what is on or off."""
    parser.add_argument(flag, action="store_true", help=told)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command that touches a storage takes."""
    add_options(parser, "actor", actor=_ACTOR)
    add_model(parser)
    add_storage_options(parser)
    add_debug(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model."""
    parser.add_argument(
        "--model",
        metavar="MODULE:NAME",
        help="a model of your own, as in acme.loans:MODEL; the working folder is looked in, too",
    )


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Add what filesystems take, which no argument may hold: it is the name of a file."""
    add_options(parser, "storage_options", storage_options=None)


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Add whether an error shows its traceback."""
    add_switch(parser, "--debug", "show where an error arose; it may show cells")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add how a report is printed."""
    add_switch(parser, "--json", "print one JSON value, for machines")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the format of tables in a folder."""
    told = "the format of the files written (csv)"
    add_value(parser, "--format", Word(tuple(FORMATS)), default="csv", help=told)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add whether tables in a folder may be written over."""
    add_switch(parser, "--overwrite", "replace the tables that the folder holds")


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add which version of a store is meant."""
    add_value(parser, "--version", Count(1), metavar="N", help="the version (the newest)")


def add_store(
    parser: argparse.ArgumentParser, call: Callable[..., Any], *, writes: bool = False
) -> None:
    """Add a store, and what every command on one takes."""
    add_options(parser, "store", "rejects_url")
    add_json(parser)
    if writes:
        add_options(parser, "format")
    add_common(parser)
    parser.set_defaults(command=call)


# ----------------------------------------------------------------------------- taking


def new_run(arguments: argparse.Namespace) -> Run:
    """Read the clock: this is the one place that does."""
    return Run(time=dt.datetime.now(dt.timezone.utc), actor=arguments.actor)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Give what the words of a command say of a run.

    Raises:
        NotSupportedError: A limit cannot be one.
        SettingsError: The file of storage options cannot be used.
    """
    told = {name: getattr(arguments, name) for name in OPTIONS if hasattr(arguments, name)}
    told["storage_options"] = _read_storage_options(arguments.storage_options)
    try:
        return Settings.of(told)
    except ValueError as error:
        reason = str(error)
    raise NotSupportedError(reason)


def open_store(arguments: argparse.Namespace) -> SnapshotStore:
    """Open the store that a command names."""
    return settings_of(arguments).open_store(load_model(arguments.model))


def _read_storage_options(path: Optional[str]) -> dict[str, dict[str, Any]]:
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
    raise SettingsError.storage_options(path, reason)
