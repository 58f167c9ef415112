"""The command line: parse, call, report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import NoReturn, Optional

from aspen_etl.command_line import databases, extracting, storing
from aspen_etl.command_line.memory import tune_memory
from aspen_etl.command_line.output import print_json
from aspen_etl.errors import AspenETLError

__all__ = ["main", "run"]

DONE, FAILED, INTERRUPTED = 0, 1, 130


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line.

    Returns:
        0 when done, 1 on an error, 3 where ``status`` finds the last run too old, 130 when
        interrupted; wrong usage exits with 2.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments) or DONE
    except AspenETLError as error:
        if arguments.debug:
            raise
        return _fail(arguments, type(error).__name__, str(error))
    except KeyboardInterrupt:
        print("aspen-etl: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if arguments.debug:
            raise
        # The text of a foreign error may hold a cell; its kind does not.
        kind = type(error).__name__
        return _fail(arguments, kind, f"unexpected {kind}; --debug shows where")


def run() -> NoReturn:
    """Run the command line as a process of its own, and end it at once.

    What a command did is on the disk by then. To take the interpreter down in good order, frames of
    a million rows and all, would take longer than to write a table.
    """
    tune_memory()
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader is gone, or the disk is full
        code = code or FAILED
    os._exit(code)


def _fail(arguments: argparse.Namespace, kind: str, message: str) -> int:
    print(f"aspen-etl: {message}", file=sys.stderr)
    if getattr(arguments, "json", False):
        print_json({"error": kind, "message": message})
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aspen-etl",
        description="Turn a flat borrower extract into nine related tables, losing nothing.",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    extracting.add_commands(commands)
    storing.add_commands(commands)
    databases.add_commands(commands)
    return parser


def _version() -> str:
    try:
        return metadata.version("aspen-etl")
    except metadata.PackageNotFoundError:
        return "not installed: run from its sources"


if __name__ == "__main__":
    run()
