"""Lose an executor at a place that a test names, once: its Java process and Python's are killed.

Executors import this before anything of ours (``sitecustomize``). A test asks by a file of the
place's name in ``SPARK_TEST_HOME``; who takes the file away is lost.
"""

from __future__ import annotations

import functools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["PLACES", "ask", "install", "was_lost"]

#: The places: the module, the function, and which of its calls in a process; after it, or before.
PLACES = {
    "reading": ("aspen_etl.synchronization.scattering", "_scatter", 1, "after"),
    "normalizing": ("aspen_etl.synchronization.part_work", "conclude", 1, "before"),
    "normalized": ("aspen_etl.synchronization.part_work", "normalize_part", 1, "after"),
    "writing": ("aspen_etl.store.parted", "_write_file", 3, "before"),
    "written": ("aspen_etl.store.parted", "_write_part", 1, "after"),
}

_HOME = Path(os.environ.get("SPARK_TEST_HOME", "."))


def ask(place: str) -> None:
    """Ask for an executor to be lost at a place."""
    (_HOME / f"lose-{place}").touch()


def was_lost(place: str) -> Any:
    """Give what the try that was lost had made, as JSON; fail where none was lost."""
    return json.loads((_HOME / f"lost-{place}").read_text(encoding="utf-8"))


def install() -> None:
    """Let each place look whether it is asked for."""
    import importlib

    for place, (module, name, call, when) in PLACES.items():
        home = importlib.import_module(module)
        setattr(home, name, _losing(getattr(home, name), place, call, when))


def _losing(function: Callable[..., Any], place: str, wanted: int, when: str) -> Callable[..., Any]:
    seen = 0

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        asked = _HOME / f"lose-{place}"
        seen += asked.exists()
        mine = seen == wanted and asked.exists()
        if mine and when == "before":
            _lose(asked, place, None)
        found = function(*args, **kwargs)
        if mine and when == "after":
            _lose(asked, place, found)
        return found

    return called


def _lose(asked: Path, place: str, found: Any) -> None:
    try:
        asked.unlink()
    except FileNotFoundError:  # another one was first
        return
    files = [*found.tables.values(), *found.retired.values()] if place == "written" else []
    made = {file.path: file.sha256 for file in files}
    (_HOME / f"lost-{place}").write_text(json.dumps(made), encoding="utf-8")
    status = Path(f"/proc/{os.getppid()}/stat").read_text(encoding="ascii")
    os.kill(int(status.rpartition(")")[2].split()[1]), signal.SIGKILL)  # Spark's own process
    os._exit(1)
