"""The command line as a process: nothing heavy is imported before it can be interrupted."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Optional

from aspen_etl.command_line import interrupts

__all__ = ["main", "run"]

FAILED = 1

#: How many objects are made before Python looks for those that only hold each other. What is
#: imported stays, and columns are no such objects, so each look at all of them finds nothing.
_MANY_OBJECTS = 100_000


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line.

    Returns:
        0 when done, 1 on an error, 3 where ``status`` finds the last run too old, 130 when
        interrupted; wrong usage exits with 2.
    """
    from aspen_etl.command_line import program

    return program.main(sys.argv[1:] if argv is None else argv)


def run() -> NoReturn:
    """Run the command line as a process of its own, and end it at once.

    What a command did is on the disk by then. To take the interpreter down in good order, frames of
    a million rows and all, would take longer than to write a table.
    """
    interrupts.leave_at_once()
    gc.set_threshold(_MANY_OBJECTS)
    from aspen_etl.command_line import output, program

    program.tune_memory()
    output.take_any_text(sys.stdout, sys.stderr)
    interrupts.unwind_first()
    try:
        code = program.main(sys.argv[1:])
    except SystemExit as ended:  # help, the version, wrong usage
        code = ended.code if isinstance(ended.code, int) else FAILED
    interrupts.leave_at_once()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader is gone, or the disk is full
        code = code or FAILED
    os._exit(code)


if __name__ == "__main__":
    run()
