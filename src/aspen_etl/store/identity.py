"""The id of a store: `_aspen/store.json`, made exclusively with the first write, never changed."""

from __future__ import annotations

import json
import re
import secrets
from typing import Optional

from aspen_etl.errors import CorruptStoreError, SourceNotFoundError, StoreFormatError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import SMALL, read_state
from aspen_etl.store.commit import STORE_FORMAT

__all__ = ["find_identity", "identity_place", "new_identity", "read_identity"]

#: How such a file of any format begins.
_FORMAT = re.compile(rb'\s*\{\s*"format"\s*:\s*([0-9]{1,9})\s*[,}]')


def identity_place(root: Location, /) -> Location:
    """Give the place of the file that holds a store's id."""
    return root.child("_aspen/store.json")


def new_identity(token: Optional[str] = None, /) -> bytes:
    """Give what the file holds: the format, and an id, by default 64 random bits."""
    return _words(STORE_FORMAT, secrets.token_hex(8) if token is None else token)


def _words(store_format: int, token: str) -> bytes:
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
    from aspen_etl.store.documents import StoreId, read_if_whole

    try:
        data = read_state(place, SMALL)
    except SourceNotFoundError:
        return None
    newer = _FORMAT.match(data)
    if newer and int(newer[1]) > STORE_FORMAT:
        raise StoreFormatError.at(place.url, int(newer[1]), STORE_FORMAT)
    found = read_if_whole(StoreId, data)
    if found is not None and data == _words(found.format, found.token):
        return found.token
    raise CorruptStoreError.at(place.url, "it does not hold the store's id")
