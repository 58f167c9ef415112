"""The small files in which a store keeps its state: read within bounds, and never trusted."""

from __future__ import annotations

import json
from typing import Any

from aspen_etl.errors import CorruptStoreError, LimitExceededError, ReadError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.regular import NO_FILES

__all__ = ["SMALL", "json_object", "read_state"]

#: The most that a file of a few words may have.
SMALL = 1 << 16


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


def json_object(data: bytes, /) -> dict[str, Any]:
    """Give what a JSON object says; nothing where the bytes are none, or none that can be taken."""
    try:
        found = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
