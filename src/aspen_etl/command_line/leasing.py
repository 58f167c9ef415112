"""The lease of a side on the command line: the run that comes second ends, and says so."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aspen_etl.command_line.options import add_options
from aspen_etl.command_line.output import print_json

if TYPE_CHECKING:
    from aspen_etl.store import SnapshotStore

__all__ = ["add_lease", "leased"]


def add_lease(parser: argparse.ArgumentParser) -> None:
    """Add for how long the side is leased; by default it is not."""
    add_options(parser, "lease", lease=None)


@contextlib.contextmanager
def leased(arguments: argparse.Namespace, store: SnapshotStore, name: str) -> Iterator[bool]:
    """Take the lease of a side, if one is asked for; give whether to go on."""
    if arguments.lease is None:
        yield True
        return
    with store.lease(name, seconds=arguments.lease) as mine:
        if not mine and arguments.json:
            print_json({"outcome": "busy", "side": name})
        elif not mine:
            print(f"busy: another run has the {name} side; nothing was done")
        yield mine
