"""The command that lets a store be kept in step with two sides, or ends it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from aspen_etl.command_line.options import (
    add_store,
    add_switch,
    add_value,
    new_run,
    open_store,
)
from aspen_etl.command_line.output import print_json
from aspen_etl.io.options import Word

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    two_way = commands.add_parser(
        "two-way", help="let a store be kept in step with two sides, or end it"
    )
    add_value(two_way, "work", Word(tuple(WORK)), metavar="WORK", help=f"one of {', '.join(WORK)}")
    add_store(two_way, _two_way)
    add_switch(two_way, "--discard-conflicts", "end: also where conflicts wait; they are forgotten")


def _two_way(arguments: argparse.Namespace) -> None:
    WORK[arguments.work](arguments)


def _begin(arguments: argparse.Namespace) -> None:
    commit = open_store(arguments).begin_two_way(run=new_run(arguments))
    told = (
        f"version {commit.version} is kept in step with two sides by pull and push; sync and "
        "restore refuse until aspen-etl two-way end"
    )
    _tell(arguments, commit.version, told, two_way=True)


def _end(arguments: argparse.Namespace) -> None:
    commit = open_store(arguments).end_two_way(
        run=new_run(arguments), discard_conflicts=arguments.discard_conflicts
    )
    told = f"version {commit.version}: sync may go on"
    _tell(arguments, commit.version, told, two_way=False)


def _tell(arguments: argparse.Namespace, version: int, told: str, *, two_way: bool) -> None:
    if arguments.json:
        print_json({"version": version, "two_way": two_way})
    else:
        print(told)


#: What is done, by the word for it.
WORK: Mapping[str, Callable[[argparse.Namespace], None]] = {"begin": _begin, "end": _end}
