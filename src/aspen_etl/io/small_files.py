"""Small JSON files, such as a store keeps its state in: read within bounds, and never trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from aspen_etl.errors import (
    CorruptStoreError,
    LimitExceededError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.io.filesystem import Location
from aspen_etl.io.regular import NO_FILES
from aspen_etl.io.writing import delete, make_folder, put

__all__ = [
    "SMALL",
    "read_small",
    "read_state",
    "read_words",
    "take_away",
    "write_file",
    "write_words",
]

#: The most that a file of a few words may have.
SMALL = 1 << 16
_MAX_BYTES = 1 << 20

#: Why a file of words is as good as none.
_UNREADABLE = (
    SourceNotFoundError, SourceAccessError, ReadError, LimitExceededError,
)  # fmt: skip


def read_state(place: Location, max_bytes: int, /) -> bytes:
    """Read such a file whole.

    Raises:
        SourceNotFoundError: It is not there.
        SourceAccessError: The storage refuses.
        ReadError: The storage fails.
        CorruptStoreError: What is there is too large, or no file.
    """
    try:
        return place.read(max_bytes)
    except LimitExceededError:
        reason = f"it has more than {max_bytes} bytes"
    except ReadError as error:
        if error.details.get("cause") not in NO_FILES:
            raise
        reason = f"it is {error.details['cause']} and no file"
    raise CorruptStoreError.at(place.url, reason)


def read_small(place: Location, /) -> Optional[bytes]:
    """Read a file that is no truth; nothing where there is none, or none that can be read."""
    try:
        return place.read(_MAX_BYTES)
    except _UNREADABLE:
        return None


def read_words(place: Location, /) -> Mapping[str, Any]:
    """Read a file of words; nothing where there is none, or none that can be read."""
    try:
        words = json.loads(read_small(place) or b"")
    except (ValueError, RecursionError):
        return {}
    return words if isinstance(words, dict) else {}


def write_words(place: Location, words: Mapping[str, Any], /) -> None:
    """Write a file of words, whole.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: The storage failed; the file is as it was.
    """
    write_file(place, json.dumps(words, ensure_ascii=True).encode("ascii"))


def write_file(place: Location, data: bytes, /) -> None:
    """Write a file whole; on disk, into a folder that is made for it.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: The storage failed; the file is as it was.
    """
    folder, _, _ = place.path.rpartition("/")
    make_folder(Location(place.url, folder, place.filesystem))
    put(place, data)


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
