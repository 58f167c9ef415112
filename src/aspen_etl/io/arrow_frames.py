"""Frames as Arrow lays them out in memory: nothing is parsed, and only this library reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from aspen_etl.columns.frames import make_frame
from aspen_etl.derive.formats import arrow_schema
from aspen_etl.errors import CorruptFileError
from aspen_etl.errors.base import instead
from aspen_etl.io.arrow_cells import arrow_cells
from aspen_etl.io.writing import Data
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["frame_parts", "read_frame_bytes"]


def frame_parts(
    frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], /
) -> list[Callable[[], Data]]:
    """Give what writes a frame, each column as a stream of Arrow, one behind the other.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    fields = _fields(columns)
    return [partial(_write, frame[name], spec, fields[name]) for name, spec in columns.items()]


def _fields(columns: Mapping[str, ColumnSpec]) -> dict[str, Any]:
    """Give the schema of each column, with text as pandas holds it."""
    schema = arrow_schema(columns)
    import pyarrow as pa

    return {
        each.name: pa.schema(
            [each.with_type(pa.large_string()) if pa.types.is_string(each.type) else each]
        )
        for each in schema
    }


def _write(values: pd.Series, spec: ColumnSpec, schema: Any) -> Data:
    import pyarrow as pa

    found = arrow_cells(spec).array(values)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    found = found.cast(schema.field(0).type)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([found], schema=schema))
    return memoryview(out.getvalue())


def read_frame_bytes(data: bytes, columns: Mapping[str, ColumnSpec], url: str, /) -> pd.DataFrame:
    """Read what ``frame_parts`` wrote; its text stays where it is.

    Args:
        data: The bytes.
        columns: What the columns are.
        url: The file, for messages.

    Raises:
        CorruptFileError: The bytes are no such frame.
        MissingDependencyError: pyarrow is not installed.
    """
    fields = _fields(columns)
    import pyarrow as pa

    def read() -> list[Any]:
        stream = pa.BufferReader(data)
        tables = [pa.ipc.open_stream(stream).read_all() for _ in fields]
        for table in tables:
            table.validate(full=True)
        if stream.tell() != len(data):
            msg = "more than the frame"
            raise ValueError(msg)
        return tables

    tables = instead(
        read,
        (pa.ArrowException, OSError, ValueError),
        lambda _: CorruptFileError.at(url, "it is no frame of Arrow"),
    )
    held = {name: table.column(0) for name, table in zip(fields, tables) if table.num_columns == 1}
    if (
        any(table.schema != schema for table, schema in zip(tables, fields.values()))
        or any(not spec.nullable and held[name].null_count for name, spec in columns.items())
        or len({len(each) for each in held.values()}) > 1
    ):
        raise CorruptFileError.at(url, "its columns are not those of the frame")
    return make_frame(
        {name: arrow_cells(spec).column(held[name], spec) for name, spec in columns.items()}
    )
