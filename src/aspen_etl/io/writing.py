"""Put bytes where they belong: one call a file, and our errors for all of theirs."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeVar, Union

from fsspec.implementations.memory import MemoryFileSystem

from aspen_etl.errors import (
    AspenETLError,
    ReadError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location

__all__ = [
    "KNOWN_TO_CREATE",
    "Aside",
    "Counted",
    "Created",
    "Data",
    "create",
    "delete",
    "make_folder",
    "put",
    "put_parts",
    "sync_folder",
    "writing",
]

T = TypeVar("T")

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
    if place.is_local:
        writing(place, lambda: place.filesystem.makedirs(place.path, exist_ok=True))


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
    counted = Counted(parts)
    writing(place, lambda: _put(place, counted), written)
    return counted.size


class Counted:
    """The parts of a file, whose bytes are counted as they go by.

    Attributes:
        size: How many bytes went by.
    """

    def __init__(self, parts: Iterable[Data]) -> None:
        self._parts, self.size = parts, 0

    def __iter__(self) -> Iterator[Data]:
        for part in self._parts:
            self.size += len(part)
            yield part


def delete(place: Location, /) -> None:
    """Delete a file.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed.
    """
    writing(place, lambda: place.filesystem.rm_file(place.path))


def _put(place: Location, parts: Iterable[Data]) -> None:
    if not place.is_local:
        place.filesystem.pipe_file(place.path, b"".join(parts))
        return
    with _written_aside(place.path, parts) as aside:
        aside.publish()
    sync_folder(os.path.dirname(place.path))  # noqa: PTH120 - fsspec's own form of a local path


class Aside:
    """A local file under another name, beside its place, until it is whole.

    Args:
        path: The file's place, in fsspec's own form of a local path.
    """

    def __init__(self, path: str, /) -> None:
        self._path, self.name = path, f"{path}.{secrets.token_hex(4)}.tmp"
        self._opened = contextlib.ExitStack()
        self._file: Any = None

    def write(self, parts: Iterable[Data]) -> None:
        """Write it."""
        self._file = self._opened.enter_context(open(self.name, "xb"))  # noqa: PTH123, SIM115 - as above
        self._file.writelines(parts)
        self._file.flush()

    def sync(self) -> None:
        """Bring what was written to the disk."""
        os.fsync(self._file.fileno())
        self._opened.close()

    def publish(self) -> None:
        """Put it in its place."""
        os.replace(self.name, self._path)  # noqa: PTH105 - as above

    def discard(self) -> None:
        """Take away what has not been put in its place."""
        with contextlib.suppress(OSError):  # a full disk takes no last bytes
            self._opened.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.name)  # noqa: PTH108 - as above


@contextlib.contextmanager
def _written_aside(path: str, parts: Iterable[Data]) -> Iterator[Aside]:
    """Write a file beside its place, whole and on the disk, and take it away afterwards."""
    aside = Aside(path)
    try:
        aside.write(parts)
        aside.sync()
        yield aside
    finally:
        aside.discard()


def sync_folder(path: str, /) -> None:
    """Bring the entries of a local folder to the disk, where the system can."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
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
    if place.is_local:
        with _written_aside(place.path, [data]) as aside:
            named.append(place.path)
            os.link(aside.name, place.path)
        sync_folder(os.path.dirname(place.path))  # noqa: PTH120 - fsspec's own form of a path
        return
    named.append(place.path)
    if isinstance(filesystem, MemoryFileSystem):
        with _MEMORY:
            filesystem.pipe_file(place.path, data, mode="create")
    else:
        filesystem.pipe_file(place.path, data, mode="create")


def writing(place: Location, call: Callable[[], T], written: Sequence[str] = (), /) -> T:
    """Call what writes to a place, and raise ours in the place of whatever it raises.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed; its text names the files that were ``written`` before.
    """

    def ours(error: AspenETLError) -> AspenETLError:
        cause = str(error.details.get("cause", "no such place"))
        return WriteError.at(place.url, cause, written)

    return instead(lambda: attempt(place.url, call), (ReadError, SourceNotFoundError), ours)
