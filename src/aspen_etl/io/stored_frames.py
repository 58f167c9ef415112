"""Frames in files that are written once: checked as they are written and as they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Optional

import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    CorruptStoreError,
    ReadError,
    WriteError,
)
from aspen_etl.io.batch import Batch
from aspen_etl.io.codec import Format, decode_verified, encoders
from aspen_etl.io.commit import Stored, StoredFile
from aspen_etl.io.filesystem import Location, attempt
from aspen_etl.io.writing import Data, make_folder
from aspen_etl.schema.spec import ColumnSpec

__all__ = ["check_sizes", "checksum", "empty", "read_bytes", "read_frame", "send_frame"]

_NO_LIMIT = 2**62

#: How often a file is read that does not come as it was written.
_TRIES = 3


def checksum(data: Data, /) -> str:
    """Give the SHA-256 of bytes, as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def send_frame(
    batch: Batch,
    root: Location,
    path: str,
    frame: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    file_format: Format,
    *,
    parts: Optional[Iterable[Data]] = None,
) -> Stored:
    """Write a frame as one file, which is there when the batch ends.

    Args:
        batch: The files that it belongs to.
        root: The store's place, or that of the rejects.
        path: The file's path below it, without an ending.
        frame: The frame.
        columns: What its columns are.
        file_format: ``csv`` or ``parquet``.
        parts: The frame as bytes, in parts, if they are known already.

    Raises:
        WriteError: The storage failed.
    """
    if parts is None:
        parts = (make() for make in encoders(frame, columns, file_format))
    digest = hashlib.sha256()

    def digested() -> Iterator[Data]:
        for part in parts:
            digest.update(part)
            yield part

    name = f"{path}.{file_format}"
    make_folder(root.child(name.rpartition("/")[0]))
    sent = batch.put(root.child(name), digested())
    file = StoredFile(name, sent, len(frame), digest.hexdigest())
    return Stored(file_format, tuple(columns), (file,))


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


def read_bytes(root: Location, file: StoredFile) -> bytes:
    """Read a file and check that it is what was written.

    Raises:
        SourceNotFoundError: It is not there.
        SourceAccessError: The storage refuses.
        ReadError: The storage fails.
        CorruptStoreError: It holds other bytes.
    """
    place = root.child(file.path)
    failure: AspenETLError
    for _ in range(_TRIES):
        try:
            data = place.read(_NO_LIMIT)
        except ReadError as error:
            failure = error
            continue
        if len(data) == file.bytes and checksum(data) == file.sha256:
            return data
        failure = CorruptStoreError.at(place.url, "its bytes are not those that were written")
    raise failure


def read_frame(root: Location, stored: Stored, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Read a frame, every file checked.

    Args:
        root: The store's place, or that of the rejects.
        stored: Where it is.
        columns: What its columns are; those that it does not have are passed over.

    Raises:
        SourceNotFoundError: A file is not there.
        CorruptStoreError: A file is not what was written.
    """
    held = {name: columns[name] for name in stored.columns}
    parts = []
    for file in stored.files:
        data = read_bytes(root, file)
        failure: AspenETLError
        try:
            url = root.child(file.path).url
            parts.append(decode_verified(data, held, stored.format, url=url))
        except CorruptFileError as error:
            failure = CorruptStoreError.at(root.child(file.path).url, str(error))
        else:
            continue
        raise failure
    if not parts:
        return empty(held)
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def empty(columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Make a frame without rows."""
    return pd.DataFrame(
        {name: pd.Series(dtype=object).astype(spec.dtype) for name, spec in columns.items()}
    )
