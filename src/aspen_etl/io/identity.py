"""The id of a store: `_aspen/store.json`, made exclusively with the first write, never changed."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Optional

from aspen_etl.errors import (
    CorruptStoreError,
    LimitExceededError,
    SourceNotFoundError,
    StoreFormatError,
)
from aspen_etl.io.commit import STORE_FORMAT
from aspen_etl.io.filesystem import Location

__all__ = ["find_identity", "identity_place", "new_identity", "read_identity"]

_IDENTITY = re.compile(r"[0-9a-f]{16}\Z")
_MAX_BYTES = 1 << 16


def identity_place(root: Location, /) -> Location:
    """Give the place of the file that holds a store's id."""
    return root.child("_aspen/store.json")


def new_identity() -> bytes:
    """Give what the file of a new store holds: the format, and 64 random bits as its id."""
    words = {"format": STORE_FORMAT, "token": secrets.token_hex(8)}
    return json.dumps(words).encode("ascii") + b"\n"


def find_identity(root: Location, /) -> Optional[str]:
    """Read a store's id; none where nothing was written yet.

    Raises:
        StoreFormatError: The store is of a newer format.
        CorruptStoreError: The file does not hold an id.
    """
    return read_identity(identity_place(root))


def read_identity(place: Location, /) -> Optional[str]:
    """Read a file that holds a store's id; it raises what ``find_identity`` does."""
    values: Any = None
    try:
        values = json.loads(place.read(_MAX_BYTES))
    except SourceNotFoundError:
        return None
    except (ValueError, RecursionError, LimitExceededError):
        pass
    values = values if isinstance(values, dict) else {}
    found, token = values.get("format"), values.get("token")
    if isinstance(found, int) and found > STORE_FORMAT:
        raise StoreFormatError.at(place.url, found, STORE_FORMAT)
    if isinstance(token, str) and _IDENTITY.match(token):
        return token
    raise CorruptStoreError.at(place.url, "it does not hold the store's id")
