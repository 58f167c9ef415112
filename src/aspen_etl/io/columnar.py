"""Read Parquet into text, with no number on the way through a float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    EncodingError,
    LimitExceededError,
    MissingDependencyError,
    UnsupportedFormatError,
)
from aspen_etl.io._arrow import text_series
from aspen_etl.io.raw import RawSheet, Request

__all__ = ["PARQUET_MAGIC", "read_parquet"]

PARQUET_MAGIC = b"PAR1"

_FIRST_ROW = 2
_BYTES_PER_CELL = 4


def read_parquet(data: bytes, request: Request) -> RawSheet:
    """Read a Parquet file; its records are numbered from 2, as if the header were row 1.

    Args:
        data: The file.
        request: What to read.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        CorruptFileError: The file is truncated, changed or no Parquet.
        EncodingError: A text is not in UTF-8.
        UnsupportedFormatError: A column is of a type that is not a value: a list, a struct.
        LimitExceededError: It holds more than the limits allow.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet as pq
    except ImportError:
        pa = None
    if pa is None:
        raise MissingDependencyError.for_extra("pyarrow", "parquet", f"reading {request.url}")

    failure: AspenETLError
    try:
        with _open(pa, pq, data) as file:
            _check(file.metadata, len(data), request)
            table = file.read()
        _check_text(pa, table, request)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, AspenETLError):
            raise
        failure = CorruptFileError.at(request.url, "it cannot be read to its end as Parquet")
    else:
        rows = np.arange(table.num_rows, dtype=np.int64) + _FIRST_ROW
        names = table.column_names
        return RawSheet(
            names,
            rows,
            lambda position: _column(pa, table.column(position), names[position], request),
        )
    raise failure


def _open(pa: Any, pq: Any, data: bytes) -> Any:
    """Open a file so that repeated text stays as it is stored until it is measured."""
    schema = pq.read_schema(pa.BufferReader(data))
    return pq.ParquetFile(
        pa.BufferReader(data),
        page_checksum_verification=True,
        read_dictionary=[each.name for each in schema if _is_text(pa, each.type)],
    )


def _check(metadata: Any, size: int, request: Request) -> None:
    """Hold the limits against what the file says of itself, before it is unpacked."""
    request.check_columns(metadata.num_columns)
    request.check_rows(metadata.num_rows)
    groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
    stored = sum(group.total_byte_size for group in groups)
    least = metadata.num_rows * metadata.num_columns * _BYTES_PER_CELL
    _refuse_large(max(stored, least), size, request)


def _check_text(pa: Any, table: Any, request: Request) -> None:
    """Hold the limits against the text of all cells, each repetition counted."""
    import pyarrow.compute as pc

    chunks = [
        (pc.cast(pc.binary_length(chunk.dictionary), pa.int64()), chunk.indices)
        for column in table.itercolumns()
        if pa.types.is_dictionary(column.type) and _is_text(pa, column.type.value_type)
        for chunk in column.chunks
    ]
    size = sum((pc.max(lengths).as_py() or 0) * len(rows) for lengths, rows in chunks)
    if size > request.limits.max_uncompressed_bytes:  # if all were as long as the longest
        size = sum(pc.sum(lengths.take(rows)).as_py() or 0 for lengths, rows in chunks)
    _refuse_large(size, table.nbytes, request)


def _refuse_large(unpacked: int, size: int, request: Request) -> None:
    if unpacked > request.limits.max_uncompressed_bytes:
        raise LimitExceededError.unpacked(request.url, unpacked, size, request.limits)


def _is_text(pa: Any, kind: Any) -> bool:
    names = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    tests = (getattr(pa.types, f"is_{name}", None) for name in names)
    return any(test(kind) for test in tests if test)


# ----------------------------------------------------------------------------- cells


def _column(pa: Any, values: Any, name: str, request: Request) -> pd.Series:
    """Give a column as pandas text, or as Python's own dates, decimals and numbers."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    failure: AspenETLError
    try:
        if _is_text(pa, kind):
            failure = EncodingError.at(request.url, f"column {name!r} holds other bytes")
            return text_series(_valid_text(pa, values))
        failure = UnsupportedFormatError.at(
            request.url,
            f"has a column of type {kind} ({name!r})",
            "turn it into columns of text, numbers or dates, or leave it out with ignore_columns=",
        )
        if not pa.types.is_nested(kind):
            return _plain_values(pa, values.cast(kind), kind)
    except (pa.ArrowException, ValueError, OverflowError):
        pass
    raise failure


def _valid_text(pa: Any, values: Any) -> Any:
    chunks = []
    for chunk in values.chunks:
        if pa.types.is_dictionary(chunk.type):
            # What a dictionary holds is checked once, however often it is repeated.
            known = chunk.dictionary.cast(pa.large_string())
            known.validate(full=True)
            chunks.append(pa.DictionaryArray.from_arrays(chunk.indices, known).dictionary_decode())
        else:
            chunks.append(chunk.cast(pa.large_string()))
            chunks[-1].validate(full=True)
    return pa.chunked_array(chunks, pa.large_string())


def _plain_values(pa: Any, values: Any, kind: Any) -> pd.Series:
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        return text_series(values.cast(pa.large_string()))
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        # Through text, or 0.1 would become 0.10000000149011612.
        values = values.cast(pa.string()).cast(pa.float64())
    return pd.Series(values.to_pylist(), dtype=object)
