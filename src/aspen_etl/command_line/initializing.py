"""The command that begins: init writes a first model of a source, and a test of it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from keyword import iskeyword
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Union

from aspen_etl.command_line.database_urls import is_database
from aspen_etl.command_line.options import (
    add_debug,
    add_json,
    add_storage_options,
    add_value,
    settings_of,
)
from aspen_etl.command_line.output import print_json, progress
from aspen_etl.command_line.sources import OF_DATABASES, add_source, check_options, opened_engine
from aspen_etl.errors import NotSupportedError, TargetExistsError, WriteError
from aspen_etl.errors.base import instead, listing
from aspen_etl.io.options import Names
from aspen_etl.io.urls import local_path
from aspen_etl.synchronization.settings import OPTIONS, Settings

if TYPE_CHECKING:
    from aspen_etl.inference import Proposal

__all__ = ["add_commands"]

_MODEL = "model.py"


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    init = commands.add_parser("init", help="write a first model of a source, and a test of it")
    add_source(init)
    init.add_argument(
        "-o",
        metavar="FILE",
        dest="target",
        default=_MODEL,
        help=f"the module to write ({_MODEL}); its test is written beside it",
    )
    told = "the key of a sheet, its columns parted by commas; may be repeated"
    add_value(init, "--key", Names(), metavar="SHEET=COLUMN", dest="keys", default={}, help=told)
    add_json(init)
    add_storage_options(init)
    add_debug(init)
    init.set_defaults(command=_init)


def _init(arguments: argparse.Namespace) -> None:
    model = _module(arguments.target)
    test = model.with_name(f"test_{model.stem}.py")
    _check(arguments.source, model, test)
    proposal = _propose(arguments, settings_of(arguments))
    source = _as_seen_from(model.parent, arguments.source)
    for path, text in ((model, proposal.model), (test, proposal.test(model.stem, source))):
        _write(path, text)
    command = _next(arguments, proposal.options)
    if arguments.json:
        written = {"model": str(model), "test": str(test), "normalize": command}
        print_json({**written, "tables": dict(proposal.tables), "notes": dict(proposal.notes)})
        return
    _tell(proposal, model, test, command)


def _propose(arguments: argparse.Namespace, settings: Settings) -> Proposal:
    """Propose a model by the cells of files, or by the catalogue of a database."""
    from aspen_etl.inference import propose_model

    keys = {sheet: columns.split(",") for sheet, columns in arguments.keys.items()}
    reading = settings.reading_of(arguments.source)
    if not is_database(arguments.source):
        check_options(arguments, reading)
        with progress("looking at every cell"):
            return propose_model(arguments.source, keys=keys, read_options=reading.keywords())
    if reading.columns:
        msg = "--column is no option of init for a database; give columns other names in the model"
        raise NotSupportedError(msg)
    with opened_engine(arguments, reading) as engine, progress("looking at the catalogue"):
        from aspen_etl import sql

        return sql.propose_model(engine, tables=arguments.table, schema=arguments.schema, keys=keys)


def _module(target: str) -> Path:
    """Give the path of the module; refuse what could not be imported."""
    model = Path(target)
    name = model.stem
    if "://" in target:
        fault = "is no path of this machine"
    elif model.suffix != ".py" or not name.isidentifier() or iskeyword(name):
        fault = "can be no module"
    elif _is_installed(name, model.parent):
        fault = "would hide a module that is installed here, and its test would import that one"
    else:
        return model
    msg = f"{target or 'an empty name'} {fault}; give a name such as model.py"
    raise NotSupportedError(msg, path=target)


def _is_installed(name: str, folder: Path) -> bool:
    """Tell whether a module of this name is found elsewhere than in a folder, or here."""
    own = {folder.resolve(), Path.cwd()}
    elsewhere = [path for path in sys.path if path and Path(path).resolve() not in own]
    is_found = PathFinder.find_spec(name, elsewhere) is not None
    return is_found or name in sys.builtin_module_names


def _check(source: str, *paths: Path) -> None:
    """Refuse what could not be written or read again, before a file is read."""
    model = paths[0]
    if source == "-":
        msg = "init takes no standard input, for the test reads the source again; give it a file"
        raise NotSupportedError(msg, path=source)
    if not model.parent.is_dir():
        msg = f"there is no folder {model.parent}; make it, or name another file with -o"
        raise WriteError(msg, url=str(model))
    found = [str(path) for path in paths if path.exists()]
    if found:
        msg = f"{listing(found)} is there already; nothing was written; name another file with -o"
        raise TargetExistsError(msg, url=str(model), found=tuple(found))


def _write(path: Path, text: str) -> None:
    """Write a file that was not there."""

    def write() -> None:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)

    instead(write, OSError, lambda error: WriteError.at(str(path), type(error).__name__))


def _as_seen_from(folder: Path, source: str) -> Union[str, PurePath]:
    """Give a path as a module in a folder finds it, and a url as it is."""
    path = local_path(source)
    if path is None:
        return source
    try:
        return PurePath(os.path.relpath(path, folder))
    except ValueError:  # on another disk of Windows
        return PurePath(path)


# ----------------------------------------------------------------------------- telling


def _next(arguments: argparse.Namespace, options: Mapping[str, Any]) -> str:
    """Give the command that normalizes the source with the model."""
    words = ["aspen-etl", "normalize", arguments.source, "tables"]
    words += ["--model", f"{PurePath(arguments.target).as_posix()}:MODEL"]
    for name, value in options.items():
        flag = OPTIONS[name].flag if name in OPTIONS else None
        if flag is not None and name != "storage_options":
            words += [word for each in _spelt(value) for word in (flag, each)]
    for name, flag in OF_DATABASES.items():
        words += [word for each in _spelt(getattr(arguments, name) or ()) for word in (flag, each)]
    if arguments.storage_options:
        words += ["--storage-options", arguments.storage_options]
    return shlex.join(words)


def _spelt(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}={held}" for name, held in value.items()]
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]


def _tell(proposal: Proposal, model: Path, test: Path, command: str) -> None:
    print(f"{'written':24}{'columns':>12}")
    for name, count in proposal.tables.items():
        print(f"  {name:22}{count:12,}")
    if proposal.notes:
        print(f"\nto look at, as comments in {model}")
        for note, places in proposal.notes.items():
            print(f"  {note}\n    {', '.join(places)}")
    print(f"\nThe model is {model}, its test {test}. Read them; then, as a README may say:\n")
    print(f"    {command}")
    print(f"    python -m pytest {shlex.quote(str(test))}")
