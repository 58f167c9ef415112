"""Put bytes where they belong: one call a file, and our errors for all of theirs."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from aspen_etl.errors import AspenETLError, ReadError, SourceNotFoundError, WriteError
from aspen_etl.io.filesystem import Location, attempt

__all__ = ["delete", "make_folder", "put"]


def make_folder(place: Location, /) -> None:
    """Make a local folder; an object store has none to make.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It cannot be made.
    """
    if isinstance(place.filesystem, LocalFileSystem):
        _writing(place, lambda: place.filesystem.makedirs(place.path, exist_ok=True))


def put(place: Location, data: bytes, /, *, written: Sequence[str] = ()) -> None:
    """Put a file whole, in one call; on disk, under another name until it is whole.

    Args:
        place: Where.
        data: What.
        written: The files that were put before, for the message.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed; the file is as it was before, or whole.
    """
    _writing(place, lambda: _put(place, data), written)


def delete(place: Location, /) -> None:
    """Delete a file.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed.
    """
    _writing(place, lambda: place.filesystem.rm_file(place.path))


def _put(place: Location, data: bytes) -> None:
    if not isinstance(place.filesystem, LocalFileSystem):
        place.filesystem.pipe_file(place.path, data)
        return
    aside = f"{place.path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(aside, "xb") as file:  # noqa: PTH123 - fsspec's own form of a local path
            file.write(data)
        os.replace(aside, place.path)  # noqa: PTH105 - likewise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)  # noqa: PTH108 - likewise


def _writing(place: Location, call: Callable[[], Any], written: Sequence[str] = ()) -> None:
    failure: AspenETLError
    try:
        attempt(place.url, call)
    except (ReadError, SourceNotFoundError) as error:
        failure = WriteError.at(
            place.url, str(error.details.get("cause", "no such place")), written
        )
    else:
        return
    raise failure
