"""What is recorded as text: each case by name, and where it can be shown at all."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NEWEST", "Case", "Cases", "Need", "needs"]

#: Gives why something cannot be shown here, or nothing.
Need = Callable[[], str]

_EXTRAS = ("pyarrow", "sqlalchemy", "s3fs", "hypothesis")


def needs(*packages: str) -> Need:
    """Make what asks whether packages are there."""

    def missing() -> str:
        absent = [name for name in packages if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""

    return missing


def NEWEST() -> str:  # noqa: N802 - used as a value
    """Ask for what writes the record: the newest Python, and all extras."""
    if sys.version_info < (3, 13):
        return "its text differs between versions of Python; it is recorded on the newest"
    return needs(*_EXTRAS)()


@dataclass(frozen=True)
class Case:
    """One text that is recorded.

    Attributes:
        name: Its topic, which is its file, and its own name.
        show: Makes the text; takes an empty folder.
        need: What it needs.
    """

    name: str
    show: Callable[[Path], str]
    need: Need

    @property
    def topic(self) -> str:
        """The file that it is recorded in."""
        return self.name.partition("/")[0]


class Cases(dict[str, Case]):
    """The cases of a topic, in order."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self.topic = topic

    def add(self, name: str, show: Callable[[Path], str], need: Need = needs()) -> None:  # noqa: B008
        """Add one."""
        full = f"{self.topic}/{name}"
        if full in self:
            raise ValueError(f"{full} is there twice")
        self[full] = Case(full, show, need)
