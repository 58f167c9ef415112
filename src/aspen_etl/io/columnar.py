"""Read Parquet into text, with no number on the way through a float."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional

import numpy as np

from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    FileFormatError,
    LimitExceededError,
    MissingDependencyError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.parquet.cells import ParquetColumn, is_nested, is_text, list_columns
from aspen_etl.io.parquet.layout import (
    DELTA_LENGTHS,
    DELTA_PREFIXES,
    PLAIN_DICTIONARY,
    RLE_DICTIONARY,
    Layout,
    read_layout,
)
from aspen_etl.io.reading import CellFault, RawSheet, Request

__all__ = ["read_parquet"]

_FIRST_ROW = 2
_BATCH_BYTES = 32 << 20

#: Text of these is not read as a dictionary by pyarrow.
_NO_DICTIONARY = frozenset((DELTA_LENGTHS, DELTA_PREFIXES))
#: Of these, text may be of any size however small its pages are.
_GROWING = frozenset((PLAIN_DICTIONARY, RLE_DICTIONARY, DELTA_PREFIXES))


def read_parquet(data: bytes, request: Request) -> RawSheet:
    """Read a Parquet file; its records are numbered from 2, as if the header were row 1.

    Args:
        data: The file.
        request: What to read.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        CorruptFileError: The file is truncated, changed or no Parquet.
        FileFormatError: A text is not in UTF-8; it is encrypted, or a column is of a type that is
            not a value: a list, a struct.
        LimitExceededError: It holds more than the limits allow.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet as pq
    except ImportError:
        pa = None
    if pa is None:
        raise MissingDependencyError.for_extra("pyarrow", "parquet", f"reading {request.url}")

    layout = read_layout(data, request)

    def read() -> RawSheet:
        with _open(pa, pq, data, layout) as (file, columns):
            _check_growth(file, columns, layout, request)
            table = _read(file, columns)
        _check_text(pa, table, request)
        return _sheet(columns, table, request)

    foreign = (pa.ArrowException, OSError, ValueError, LookupError, TypeError)
    return instead(read, foreign, lambda error: _failure(error, request))


def _failure(error: Exception, request: Request) -> Optional[AspenETLError]:
    """Tell what pyarrow does not read from what is damaged; ours, and no memory, go through."""
    if isinstance(error, (AspenETLError, MemoryError)):
        return None
    if "not yet implemented" not in str(error).lower():
        return CorruptFileError.at(request.url, "it cannot be read to its end as Parquet")
    return FileFormatError.unsupported(
        request.url,
        "is written in a way that this pyarrow does not read",
        "install a newer pyarrow, or write the file with its usual encodings",
    )


def _sheet(columns: list[ParquetColumn], table: Any, request: Request) -> RawSheet:
    flat = [position for position, column in enumerate(columns) if column.leaf is not None]
    values = dict(zip(flat, table.columns))
    faults = [
        CellFault(row + _FIRST_ROW, position, found.value, found.rule)
        for position in flat
        for row, found in columns[position].faults(values[position]).items()
    ]
    return RawSheet(
        [column.name for column in columns],
        np.arange(table.num_rows, dtype=np.int64) + _FIRST_ROW,
        lambda position: columns[position].texts(values.get(position), request),
        faults,
    )


# ----------------------------------------------------------------------------- the file


@contextmanager
def _open(
    pa: Any, pq: Any, data: bytes, layout: Layout
) -> Iterator[tuple[Any, list[ParquetColumn]]]:
    """Open a file so that repeated text stays as it is stored until it is measured."""
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        columns, metadata = list_columns(file, layout), file.metadata
    with pq.ParquetFile(
        pa.BufferReader(data),
        metadata=metadata,
        page_checksum_verification=True,
        coerce_int96_timestamp_unit="us",  # of nanoseconds, the year 9999 would be 1816
        read_dictionary=[
            column.name
            for column in columns
            if column.is_text and not _is_written(column, layout, _NO_DICTIONARY)
        ],
    ) as file:
        yield file, columns


def _read(file: Any, columns: list[ParquetColumn]) -> Any:
    """Read all columns but those that hold other columns: they may be of any size."""
    flat = [column.name for column in columns if column.leaf is not None]
    if len(flat) == len(columns):
        return file.read()
    table = file.read(columns=flat)  # "a.b" names a column, and one in a column
    return table.select([i for i, kind in enumerate(table.schema.types) if not is_nested(kind)])


def _is_written(column: ParquetColumn, layout: Layout, encodings: frozenset[int]) -> bool:
    """Tell whether a column is written in one of these encodings, if only in part."""
    return any(
        chunk.column == column.leaf and chunk.encodings & encodings for chunk in layout.chunks
    )


def _check_growth(
    file: Any, columns: list[ParquetColumn], layout: Layout, request: Request
) -> None:
    """Hold the limits against text that is made of what stands before it, without keeping it."""
    size = 0
    for column in columns:
        grows = column.is_text and _is_written(column, layout, _GROWING)
        kept = not _is_written(column, layout, _NO_DICTIONARY) and column.stored is column.kind
        if not grows or kept:
            continue
        largest = max(chunk.largest for chunk in layout.chunks if chunk.column == column.leaf)
        rows = max(_BATCH_BYTES // max(largest, 1), 1)  # no text is longer than its page
        for batch in file.iter_batches(rows, columns=[column.name], use_threads=False):
            size += batch.nbytes
            _refuse_large(size, len(batch), request)


def _check_text(pa: Any, table: Any, request: Request) -> None:
    """Hold the limits against the text of all cells, each repetition counted."""
    import pyarrow.compute as pc

    chunks = [
        (pc.cast(pc.binary_length(chunk.dictionary), pa.int64()), chunk.indices)
        for column in table.itercolumns()
        if pa.types.is_dictionary(column.type) and is_text(column.type.value_type)
        for chunk in column.chunks
    ]
    size = sum((pc.max(lengths).as_py() or 0) * len(rows) for lengths, rows in chunks)
    if size > request.limits.max_uncompressed_bytes:  # if all were as long as the longest
        size = sum(pc.sum(lengths.take(rows)).as_py() or 0 for lengths, rows in chunks)
    _refuse_large(size, table.nbytes, request)


def _refuse_large(unpacked: int, size: int, request: Request) -> None:
    if unpacked > request.limits.max_uncompressed_bytes:
        raise LimitExceededError.unpacked(request.url, unpacked, size, request.limits)
