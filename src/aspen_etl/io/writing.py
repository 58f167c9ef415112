"""Put bytes where they belong: one call a file, and our errors for all of theirs."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, Union

from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from aspen_etl.errors import (
    AspenETLError,
    ReadError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.io.filesystem import Location, attempt

__all__ = [
    "KNOWN_TO_CREATE",
    "Created",
    "Data",
    "create",
    "delete",
    "make_folder",
    "put",
    "put_parts",
]

#: The protocols of filesystems that are known to create a file exclusively.
KNOWN_TO_CREATE = frozenset({"file", "local", "memory", "s3", "s3a"})

#: What a file holds.
Data = Union[bytes, memoryview]

#: What became of a file that was to be made exclusively: it is made; another is there; or the
#: storage did not say, so that it must be read back.
Created = Literal["made", "exists", "unknown"]

#: The codes by which storages say that a file is there already.
_EXISTS = frozenset({"PreconditionFailed", "412"})

#: Exclusive creation in memory is a look and a write: one at a time.
_MEMORY = threading.Lock()


def make_folder(place: Location, /) -> None:
    """Make a local folder; an object store has none to make.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It cannot be made.
    """
    if isinstance(place.filesystem, LocalFileSystem):
        _writing(place, lambda: place.filesystem.makedirs(place.path, exist_ok=True))


def put(place: Location, data: Data, /, *, written: Sequence[str] = ()) -> None:
    """Put a file whole, in one call; on disk, under another name until it is whole.

    Args:
        place: Where.
        data: What.
        written: The files that were put before, for the message.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed; the file is as it was before, or whole.
    """
    put_parts(place, [data], written=written)


def put_parts(place: Location, parts: Iterable[Data], /, *, written: Sequence[str] = ()) -> int:
    """Put a file whole, as ``put`` does, from its parts; on disk, no more than one is in memory.

    Args:
        place: Where.
        parts: What, one after the other.
        written: The files that were put before, for the message.

    Returns:
        How many bytes they were.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed; the file is as it was before, or whole.
    """
    sizes: list[int] = []

    def counted() -> Iterator[Data]:
        for part in parts:
            sizes.append(len(part))
            yield part

    _writing(place, lambda: _put(place, counted()), written)
    return sum(sizes)


def delete(place: Location, /) -> None:
    """Delete a file.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed.
    """
    _writing(place, lambda: place.filesystem.rm_file(place.path))


def _put(place: Location, parts: Iterable[Data]) -> None:
    if not isinstance(place.filesystem, LocalFileSystem):
        place.filesystem.pipe_file(place.path, b"".join(parts))
        return
    with _aside(place.path, parts) as aside:
        os.replace(aside, place.path)  # noqa: PTH105 - fsspec's own form of a local path
    _sync_folder(place.path)


@contextlib.contextmanager
def _aside(path: str, parts: Iterable[Data]) -> Iterator[str]:
    """Write a file beside its place, whole and on the disk, and take it away afterwards."""
    aside = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        with open(aside, "xb") as file:  # noqa: PTH123 - fsspec's own form of a local path
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        yield aside
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)  # noqa: PTH108 - likewise


def _sync_folder(path: str) -> None:
    """Bring a folder's entries to the disk, where the system can."""
    if os.name == "nt":
        return
    folder = os.open(os.path.dirname(path), os.O_RDONLY)  # noqa: PTH120 - likewise
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ----------------------------------------------------------------------------- exclusively


def create(place: Location, data: bytes, /) -> Created:
    """Make a file that is not there yet: whole or not at all, by one writer alone.

    Returns:
        What became of it; after ``unknown`` the file must be read back.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: The bucket is not there, or a local disk failed; the file was not made.
    """
    failure: AspenETLError
    named: list[str] = []
    try:
        attempt(place.url, lambda: _create(place, data, named))
    except SourceNotFoundError:
        failure = WriteError.at(place.url, "no such place")
    except ReadError as error:
        code = str(error.details.get("cause", ""))
        if code == "FileExistsError" or code in _EXISTS:
            return "exists"
        if named:
            return "unknown"
        failure = WriteError.at(place.url, code)
    else:
        return "made"
    raise failure


def _create(place: Location, data: bytes, named: list[str]) -> None:
    """Make a file, and note its name before it may be there: what fails later is undecided."""
    filesystem = place.filesystem
    if isinstance(filesystem, LocalFileSystem):
        with _aside(place.path, [data]) as aside:
            named.append(place.path)
            os.link(aside, place.path)
        _sync_folder(place.path)
        return
    named.append(place.path)
    if isinstance(filesystem, MemoryFileSystem):
        with _MEMORY:
            filesystem.pipe_file(place.path, data, mode="create")
    else:
        filesystem.pipe_file(place.path, data, mode="create")


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
