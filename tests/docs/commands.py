"""Runs the commands of a page: plain ones of ours in this process, all others by bash.

What a command of ours prints does not depend on the process, and an interpreter costs a second.
Other tests start ``aspen-etl`` as a user does.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Optional
from unittest import mock

from aspen_etl.__main__ import main

#: What bash would do something about; and a place that lives as long as a process.
_NOT_PLAIN = re.compile(r"[|&;<>$`*?~(){}\\\n]|memory:")
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


def run_command(script: str, *, folder: Path) -> tuple[int, str]:
    """Run a command as a user would who has activated the environment of these tests.

    Returns:
        Its exit status, and what it printed.
    """
    plain = _read_plain(script)
    return _run_here(*plain, folder=folder) if plain else run_shell(script, folder=folder)


def run_shell(script: str, *, folder: Path) -> tuple[int, str]:
    """Run a script by bash."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "PATH": path, "PYTHONWARNINGS": "error", "COLUMNS": "100"},
        timeout=1_800,
    )
    return done.returncode, done.stdout


def _read_plain(script: str) -> Optional[tuple[dict[str, str], list[str]]]:
    """Give the variables and the arguments of a command of ours that needs no shell."""
    if _NOT_PLAIN.search(script):
        return None
    words = shlex.split(script, comments=True)
    environ = {}
    while words and _ASSIGNMENT.match(words[0]):
        name, _, environ[name] = words.pop(0).partition("=")
    return (environ, words[1:]) if words and words[0] == "aspen-etl" else None


def _run_here(environ: dict[str, str], arguments: list[str], *, folder: Path) -> tuple[int, str]:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.ExitStack() as process:  # what a process has of its own
        process.enter_context(mock.patch.dict(os.environ, {**environ, "COLUMNS": "100"}))
        process.enter_context(mock.patch.object(sys, "stdin", io.StringIO()))
        process.enter_context(contextlib.redirect_stdout(printed))
        process.enter_context(contextlib.redirect_stderr(printed))
        process.enter_context(_inside(folder))
        status = _end_of(arguments)
    return status, printed.buffer.getvalue().decode("utf-8")


def _end_of(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder; forget what was imported from there, and the changes of the path."""
    before, path, modules = Path.cwd(), list(sys.path), set(sys.modules)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]
