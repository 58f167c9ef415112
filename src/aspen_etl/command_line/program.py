"""The program: its memory; parse, call, report, and tell what went wrong."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import aspen_etl
from aspen_etl.command_line import (
    cutting_over,
    databases,
    dms,
    exchanging,
    extracting,
    initializing,
    landing,
    reconciling,
    storing,
    syncing,
    two_way,
)
from aspen_etl.command_line.interrupts import INTERRUPTED, TOLD
from aspen_etl.command_line.output import print_json
from aspen_etl.command_line.parsing import Parser, UsageError
from aspen_etl.errors import AspenETLError, UnexpectedError
from aspen_etl.io.urls import display_url, is_in_memory

__all__ = ["main", "make_parser", "tune_memory"]

DONE, FAILED, MISUSED = 0, 1, 2

#: Parameters of glibc's ``mallopt``, by their names in its malloc.h, and the values to try in turn.
_MALLOC = {
    -8: (1,),  # M_ARENA_MAX: by itself each thread has an arena; what one has free no other uses
    -3: (1 << 30, 1 << 25),  # M_MMAP_THRESHOLD: what is smaller is used again when it is free
    -1: ((1 << 31) - 1,),  # M_TRIM_THRESHOLD: and is not given back meanwhile
}

#: ``PR_SET_THP_DISABLE`` of Linux's ``prctl``.
_NO_HUGE_PAGES = 41


def main(argv: Sequence[str], /) -> int:
    """Run the command line as ``aspen_etl.__main__.main`` says."""
    debug = "--debug" in argv
    try:
        return _run(_parse(argv))
    except AspenETLError as error:
        if debug:
            raise
        return _fail(argv, error)
    except KeyboardInterrupt:
        print(TOLD, file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read what is printed has enough of it
        return FAILED
    except Exception as error:
        if debug:
            raise
        # The text of a foreign error may hold a cell; its kind and its place do not.
        failure = UnexpectedError.of(error)
    version = f"aspen_etl {aspen_etl.__version__}, Python {platform.python_version()}"
    return _fail(argv, UnexpectedError(f"unexpected {failure} ({version})", **failure.details))


def make_parser() -> Parser:
    """Make the parser of all commands."""
    parser = Parser(
        prog="aspen-etl",
        description="Turn a flat extract into related tables, losing nothing.",
    )
    parser.add_argument("--version", action="version", version=aspen_etl.__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    initializing.add_commands(commands)
    extracting.add_commands(commands)
    syncing.add_commands(commands)
    reconciling.add_commands(commands)
    exchanging.add_commands(commands)
    storing.add_commands(commands)
    two_way.add_commands(commands)
    cutting_over.add_commands(commands)
    databases.add_commands(commands)
    dms.add_commands(commands)
    landing.add_commands(commands)
    parser.commands = commands.choices
    return parser


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    try:
        return make_parser().parse(argv)
    except UsageError as error:
        told = str(error)
    print(f"aspen-etl: {told}", file=sys.stderr)
    if "--json" in argv:
        print_json({"error": UsageError.__name__, "message": told, "details": {}})
    raise SystemExit(MISUSED)


def _fail(argv: Sequence[str], error: AspenETLError) -> int:
    print(f"aspen-etl: {error}", file=sys.stderr)
    if "--json" in argv:
        told = {"error": type(error).__name__, "message": str(error)}
        print_json({**told, "details": _plain(error.details)})
    return FAILED


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.command(arguments) or DONE
    _tell_what_vanishes(arguments)
    return code


def _tell_what_vanishes(arguments: argparse.Namespace) -> None:
    """Say of a place in memory, where it is a mistake, that it ends with the process."""
    places = [getattr(arguments, name, None) for name in ("target", "store", "rejects_url")]
    for url in filter(None, places):
        if is_in_memory(url):
            print(
                f"aspen-etl: {display_url(url)} is in the memory of this process: nothing of it "
                "stays; name a folder or a bucket to keep it",
                file=sys.stderr,
            )


def _plain(value: Any) -> Any:
    """Give the parts of a message as JSON has them; what is no plain value is left out."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        plain = {str(name): _plain(held) for name, held in value.items()}
        return {name: held for name, held in plain.items() if held is not None}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    return None


# ----------------------------------------------------------------------------- memory


def tune_memory() -> None:
    """Let memory that is free be used again, by Arrow, numpy and all threads, where glibc is.

    A library must not choose how memory is managed; a program may, for its own process.
    A new page costs more than what a column's work writes to it. Huge pages, which numpy asks for,
    cost a virtual machine five times more still, if it gives free memory back to its host.
    """
    try:
        system = ctypes.CDLL(None)
        for parameter, values in _MALLOC.items():
            any(system.mallopt(parameter, value) for value in values)  # an old glibc takes less
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return
    system.prctl(_NO_HUGE_PAGES, 1, 0, 0, 0)
    with contextlib.suppress(ImportError):
        import pyarrow as pa

        pa.set_memory_pool(pa.system_memory_pool())
