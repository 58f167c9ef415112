"""Small files of words beside the commits: no truth, so what cannot be read is nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aspen_etl.errors import (
    LimitExceededError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import delete, make_folder, put

__all__ = ["read_words", "take_away", "write_words"]

_MAX_BYTES = 1 << 20

#: Why a file of words is as good as none.
_UNREADABLE = (
    SourceNotFoundError, SourceAccessError, ReadError, LimitExceededError, ValueError,
    RecursionError,
)  # fmt: skip


def read_words(place: Location, /) -> Mapping[str, Any]:
    """Read a file of words; nothing where there is none, or none that can be read."""
    try:
        words = json.loads(place.read(_MAX_BYTES))
    except _UNREADABLE:
        return {}
    return words if isinstance(words, dict) else {}


def write_words(place: Location, words: Mapping[str, Any], /) -> None:
    """Write a file of words, whole.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: The storage failed; the file is as it was.
    """
    folder, _, _ = place.path.rpartition("/")
    make_folder(Location(place.url, folder, place.filesystem))
    put(place, json.dumps(words, ensure_ascii=True).encode("ascii"))


def take_away(place: Location, /) -> None:
    """Delete a file; where nothing may be deleted, leave it without a byte.

    Raises:
        SourceAccessError: The storage refuses both.
        WriteError: The storage failed.
    """
    try:
        delete(place)
    except (SourceAccessError, WriteError):
        if place.kind() != "absent":
            put(place, b"")
