"""Word of the newest commit, left by who made it: by it, one that is lost is missed.

It is no part of a commit and points nowhere: readers find the newest commit by listing. It can be
older than the newest commit, never newer.
"""

from __future__ import annotations

import contextlib

from aspen_etl.errors import (
    CorruptStoreError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import SMALL, read_state
from aspen_etl.io.writing import put
from aspen_etl.store.sealing import sealed

__all__ = ["NEWEST", "read_newest", "write_newest"]

NEWEST = "_aspen/newest.json"


def read_newest(root: Location, /) -> int:
    """Give the version that was the newest when word was left; 0 where there is no such word."""
    from aspen_etl.store.documents import VersionNote, read_if_whole

    try:
        data = read_state(root.child(NEWEST), SMALL)
    except (CorruptStoreError, ReadError, SourceAccessError, SourceNotFoundError):
        return 0
    found = read_if_whole(VersionNote, data)
    return found.version if found and data == sealed({"version": found.version}) else 0


def write_newest(root: Location, version: int, /) -> None:
    """Leave word of a version that was committed; where that fails, nothing happens."""
    with contextlib.suppress(SourceAccessError, WriteError):
        put(root.child(NEWEST), sealed({"version": version}))
