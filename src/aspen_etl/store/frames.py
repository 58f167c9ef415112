"""Frames in files that are written once: checked as they are written and as they are read."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, Optional, cast

import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import sort_rows, take_rows
from aspen_etl.derive.formats import FileFormat
from aspen_etl.errors import (
    CorruptFileError,
    CorruptStoreError,
    ReadError,
    WriteError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.batch import Batch
from aspen_etl.io.calling import attempt, retry
from aspen_etl.io.codecs import CODECS, decode_verified
from aspen_etl.io.filesystem import Location
from aspen_etl.io.regular import open_regular
from aspen_etl.io.small_files import read_state
from aspen_etl.io.writing import Data, make_folder
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.store.stored import Stored, StoredFile

__all__ = [
    "check_sizes",
    "checksum",
    "decode_checked",
    "empty",
    "read_bytes",
    "read_frame",
    "send_file",
]

#: How often a file is read that does not come as it was written.
_TRIES = 3


def checksum(data: Data, /) -> str:
    """Give the SHA-256 of bytes, as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def send_file(
    batch: Batch, root: Location, path: str, parts: Iterable[Data], rows: int
) -> StoredFile:
    """Write the bytes of a frame as one file, which is there when the batch ends.

    Args:
        batch: The files that it belongs to.
        root: The store's place, or that of the rejects.
        path: The file's path below it.
        parts: The bytes, in parts.
        rows: The rows of the frame.

    Raises:
        WriteError: The storage failed.
    """
    digest = hashlib.sha256()

    def digested() -> Iterator[Data]:
        for part in parts:
            digest.update(part)
            yield part

    make_folder(root.child(path.rpartition("/")[0]))
    sent = batch.put(root.child(path), digested())
    return StoredFile(path, sent, rows, digest.hexdigest())


def check_sizes(root: Location, stored: Stored) -> None:
    """Make sure that files are as large as what was sent.

    Raises:
        WriteError: The storage fails, or holds another size.
    """
    for file in stored.files:
        place = root.child(file.path)
        size = attempt(place.url, partial(place.filesystem.info, place.path))["size"]
        if size != file.bytes:
            raise WriteError.at(place.url, f"{size} bytes are there, {file.bytes} were sent")


def read_bytes(place: Location, file: StoredFile) -> bytes:
    """Read a file, never more than it should have, and check that it is what was written.

    Raises:
        SourceNotFoundError: It is not there.
        SourceAccessError: The storage refuses.
        ReadError: The storage fails.
        CorruptStoreError: It holds other bytes.
    """

    def read() -> bytes:
        data = read_state(place, file.bytes)
        if len(data) != file.bytes or checksum(data) != file.sha256:
            reason = "its bytes are not those that were written"
            raise CorruptStoreError.at(place.url, reason)
        return data

    may_pass = (ReadError, CorruptStoreError)
    return retry(read, tries=_TRIES, again=lambda error: isinstance(error, may_pass))


def read_frame(root: Location, stored: Stored, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Read a frame, every file checked; rows of several files come in the order of their key.

    Args:
        root: The store's place, or that of the rejects.
        stored: Where it is.
        columns: What its columns are; those that it does not have are passed over.

    Raises:
        SourceNotFoundError: A file is not there.
        CorruptStoreError: A file is not what was written.
    """
    held = {name: columns[name] for name in stored.columns if name in columns}
    if len(held) != len(stored.columns):
        raise CorruptStoreError.at(root.child(stored.location).url, "it has columns of no table")
    parts = [_read_part(root.child(file.path), file, held, stored.format) for file in stored.files]
    if not parts:
        return empty(held)
    return parts[0] if len(parts) == 1 else _join(parts, held)


def _join(parts: Sequence[pd.DataFrame], columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Join the rows of files, each in the order of its key, if there is one."""
    frame = make_frame({name: COLUMNS.concat([part[name] for part in parts]) for name in columns})
    for name, spec in columns.items():
        if spec.primary_key and not frame[name].is_monotonic_increasing:
            return take_rows(frame, sort_rows([frame[name]])[0])
    return frame


def _read_part(
    place: Location, file: StoredFile, columns: Mapping[str, ColumnSpec], file_format: FileFormat
) -> pd.DataFrame:
    stream = CODECS[file_format].stream
    if stream is not None and place.is_local:
        frame = _read_streamed(place, file, columns, stream)
        if frame is not None:
            return frame
    return decode_checked(read_bytes(place, file), columns, file_format, url=place.url)


def decode_checked(
    data: bytes, columns: Mapping[str, ColumnSpec], file_format: FileFormat, *, url: str
) -> pd.DataFrame:
    """Read a frame of bytes whose checksum is right.

    Raises:
        CorruptStoreError: They are no such frame all the same.
    """
    return instead(
        lambda: decode_verified(data, columns, file_format, url=url),
        CorruptFileError,
        lambda error: CorruptStoreError.at(url, str(error)),
    )


def _read_streamed(
    place: Location,
    file: StoredFile,
    columns: Mapping[str, ColumnSpec],
    parse: Callable[[IO[bytes], Mapping[str, ColumnSpec], None], Optional[pd.DataFrame]],
) -> Optional[pd.DataFrame]:
    """Parse a file while it is read, so that its bytes are never in memory as a whole.

    Returns:
        The table; none where anything is not as expected, which ``read_bytes`` then tells.
    """
    try:
        with open_regular(place.path, place.url) as opened:
            if os.fstat(opened.fileno()).st_size != file.bytes:
                return None
            stream = _Digesting(opened)
            frame = parse(cast("IO[bytes]", stream), columns, None)
            whole = frame is not None and not stream.read()
    except OSError:
        return None
    expected = (file.bytes, file.sha256, file.rows)
    if frame is None or not whole or (*stream.found(), len(frame)) != expected:
        return None
    header = ",".join(columns).encode() + b"\n"
    return frame if stream.head.startswith(header) else None


class _Digesting(io.RawIOBase):
    """Read a file to its end, and know the size, the checksum and the head of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._size, self._digest = file, 0, hashlib.sha256()
        self.head = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size) or b""
        self.head = self.head or data
        self._size += len(data)
        self._digest.update(data)
        return data

    def found(self) -> tuple[int, str]:
        return self._size, self._digest.hexdigest()


def empty(columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Make a frame without rows."""
    return pd.DataFrame(
        {name: pd.Series(dtype=object).astype(spec.held_dtype) for name, spec in columns.items()}
    )
