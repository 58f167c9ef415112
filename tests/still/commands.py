"""Commands run in this process, and what they print."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Optional

from aspen_etl.__main__ import main
from tests.still.rendering import Masks

__all__ = ["COMMANDS", "run_command"]

COMMANDS = (
    *("normalize", "demo", "sync", "plan", "history", "status", "export", "restore", "resume"),
    *("vacuum", "verify", "purge", "schema", "load"),
)


def run_command(words: Sequence[str], masks: Masks, entered: Optional[str] = None) -> str:
    """Run a command in this process; give what it prints and its exit status."""
    out, err = io.StringIO(), io.StringIO()
    with _environment(COLUMNS="100", NO_COLOR="1"), _standard_input(entered):
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code: object = main(list(words))
        except SystemExit as ended:
            code = ended.code
    parts = [f"$ aspen-etl {' '.join(words)}", out.getvalue().rstrip("\n")]
    if err.getvalue():
        parts.append(f"stderr: {err.getvalue().rstrip()}")
    return masks("\n".join([*parts, f"exit {code}"]))


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.pop("ASPEN_ETL_DATABASE_URL", None)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _standard_input(entered: Optional[str]) -> Iterator[None]:

    before, sys.stdin = sys.stdin, io.StringIO(entered or "")
    try:
        yield
    finally:
        sys.stdin = before
