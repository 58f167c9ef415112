"""Versions that somebody stands on, each under the name of who does."""

from __future__ import annotations

import re

from aspen_etl.errors import CorruptStoreError, NotSupportedError, SourceNotFoundError
from aspen_etl.io.filesystem import Location, attempt
from aspen_etl.io.notes import read_words, write_words
from aspen_etl.io.writing import delete

__all__ = ["pinned_versions", "remove_pin", "set_pin"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


def _place(root: Location, name: str) -> Location:
    if not _NAME.match(name):
        msg = f"{name!r} is no name for a pin: use up to 64 letters, digits, and any of _.-"
        raise NotSupportedError(msg, name=name)
    return root.child(f"_aspen/pins/{name}.json")


def set_pin(root: Location, name: str, version: int, /) -> None:
    """Write down that ``name`` stands on a version."""
    write_words(_place(root, name), {"version": version})


def remove_pin(root: Location, name: str, /) -> None:
    """Forget what ``name`` stood on."""
    place = _place(root, name)
    if place.kind() == "file":
        delete(place)


def pinned_versions(root: Location, /) -> list[int]:
    """Read the versions that somebody stands on.

    Raises:
        CorruptStoreError: A pin names no version, so that nobody knows what has to stay.
    """
    folder = root.child("_aspen/pins")
    try:
        found = attempt(folder.url, lambda: root.filesystem.find(folder.path))
    except SourceNotFoundError:
        return []
    names = [str(path).rpartition("/")[2] for path in found]
    return [_read(folder.child(name)) for name in names if name.endswith(".json")]


def _read(place: Location) -> int:
    version = read_words(place).get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise CorruptStoreError.at(place.url, "it is no pin: it names no version")
    return version
