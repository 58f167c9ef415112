"""The id of a store: `_aspen/store.json`, made exclusively with the first write, never changed."""

from __future__ import annotations

import json
import secrets
from typing import Any, Optional

from aspen_etl.errors import CorruptStoreError, SourceNotFoundError, StoreFormatError
from aspen_etl.io.filesystem import Location
from aspen_etl.store.commit import STORE_FORMAT, is_token
from aspen_etl.store.state_files import SMALL, json_object, read_state

__all__ = ["find_identity", "identity_place", "new_identity", "read_identity"]

#: No format's number is as high as this.
_FORMATS = 10**9


def identity_place(root: Location, /) -> Location:
    """Give the place of the file that holds a store's id."""
    return root.child("_aspen/store.json")


def new_identity(token: Optional[str] = None, /) -> bytes:
    """Give what the file holds: the format, and an id, by default 64 random bits."""
    return _words(STORE_FORMAT, secrets.token_hex(8) if token is None else token)


def _words(store_format: Any, token: str) -> bytes:
    return json.dumps({"format": store_format, "token": token}).encode("ascii") + b"\n"


def find_identity(root: Location, /) -> Optional[str]:
    """Read a store's id; none where nothing was written yet.

    Raises:
        StoreFormatError: The store is of a newer format.
        CorruptStoreError: The file does not hold an id.
    """
    return read_identity(identity_place(root))


def read_identity(place: Location, /) -> Optional[str]:
    """Read a file that holds a store's id; it raises what ``find_identity`` does."""
    try:
        data = read_state(place, SMALL)
    except SourceNotFoundError:
        return None
    values = json_object(data)
    found, token = values.get("format"), values.get("token")
    if type(found) is int and STORE_FORMAT < found < _FORMATS:
        raise StoreFormatError.at(place.url, found, STORE_FORMAT)
    known = type(found) is int and 0 < found <= STORE_FORMAT
    if known and isinstance(token, str) and is_token(token) and data == _words(found, token):
        return token
    raise CorruptStoreError.at(place.url, "it does not hold the store's id")
