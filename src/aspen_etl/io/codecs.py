"""Tables as bytes and back, by their declared columns and never by what they hold.

A codec is one entry of ``CODECS``, paired with ``FORMATS``, which says what else is to know of
what others read. Nothing compares a format's name, so that no file is written in another one.

CSV is UTF-8 with line feeds, a header and no index. An empty field is null in a nullable
column and '' in another; the two never meet, since nullable text is never ''. Points in time
are ``YYYY-MM-DD HH:MM:SS.mmm`` in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import IO, Any, Optional, Union

import pandas as pd

from aspen_etl.columns import Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.threads import map_ahead
from aspen_etl.derive.formats import FileFormat, arrow_schema
from aspen_etl.errors import CorruptFileError, MissingDependencyError
from aspen_etl.errors.base import instead, named
from aspen_etl.io.arrow_cells import arrow_cells
from aspen_etl.io.arrow_frames import frame_parts, read_frame_bytes
from aspen_etl.io.csv_cells import csv_cells
from aspen_etl.io.csv_fast import read_typed_csv
from aspen_etl.io.csv_reading import read_csv
from aspen_etl.io.csv_rows import read_leading, row_bounds
from aspen_etl.io.csv_writing import csv_parts
from aspen_etl.io.reading import ReadLimits, Request
from aspen_etl.io.writing import Data
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = [
    "CODECS",
    "Codec",
    "decode",
    "decode_own_csv",
    "decode_verified",
    "encode",
    "encode_ahead",
    "encoders",
]

#: What this library wrote may be larger than what a stranger may send.
_OWN_FILES = ReadLimits(max_rows=2**62, max_columns=2**31)

ColumnSpecs = Mapping[str, ColumnSpec]
Names = Optional[Sequence[str]]
Part = Callable[[], Data]


@dataclass(frozen=True)
class Codec:
    """How the files of a format are written and read.

    Attributes:
        parts: Gives what writes a frame of these columns, as functions whose bytes follow each
            other.
        decode: Reads the bytes of a file, with its url for messages.
        stream: Reads what is known to be as it was written, from bytes or piece by piece, and
            each cell in its type at once, all columns or those named. It gives none where it
            cannot; not each format has it.
        bounds: Gives, of such bytes, the offset of each row and behind the last one, if each row
            stands there for itself, and is read and written alike behind any others. It gives
            none where it cannot; not each format has it.
        leading: Reads the first columns alone, behind which there are others, of bytes and what
            ``bounds`` gave; or none, too.
    """

    parts: Callable[[pd.DataFrame, ColumnSpecs], list[Part]]
    decode: Callable[[bytes, ColumnSpecs, str], pd.DataFrame]
    stream: Optional[
        Callable[[Union[bytes, IO[bytes]], ColumnSpecs, Names], Optional[pd.DataFrame]]
    ]
    bounds: Optional[Callable[[bytes, ColumnSpecs], Optional[Positions]]]
    leading: Optional[Callable[[bytes, Positions, Sequence[ColumnSpec]], Optional[list[pd.Series]]]]


def encode(frame: pd.DataFrame, columns: ColumnSpecs, file_format: FileFormat) -> bytes:
    """Write a table as bytes.

    Args:
        frame: The table, its columns in their declared dtypes.
        columns: What the columns are.
        file_format: ``csv`` or ``parquet``.

    Raises:
        NotSupportedError: There is no such format.
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    return b"".join(make() for make in encoders(frame, columns, file_format))


def encoders(frame: pd.DataFrame, columns: ColumnSpecs, file_format: FileFormat) -> list[Part]:
    """Give functions that each write a part of a table, so that no file is in memory as a whole.

    Returns:
        Functions whose bytes, one after the other, are those of ``encode``.

    Raises:
        NotSupportedError: There is no such format.
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    codec = named(CODECS, file_format, kind="format")
    return codec.parts(frame[list(columns)], columns)


def encode_ahead(
    frames: Mapping[str, pd.DataFrame],
    columns: Mapping[str, ColumnSpecs],
    file_format: FileFormat,
) -> Iterator[tuple[str, Iterator[Data]]]:
    """Write tables as bytes, in parts, some of which are made while others are put away.

    Args:
        frames: The tables by name.
        columns: What their columns are.
        file_format: ``csv`` or ``parquet``.

    Yields:
        The name of each table and its parts, which must be used up before the next table.

    Raises:
        NotSupportedError: There is no such format.
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    jobs = {name: encoders(frame, columns[name], file_format) for name, frame in frames.items()}
    rows = max(map(len, frames.values()), default=0)
    parts = map_ahead(lambda make: make(), chain(*jobs.values()), rows=rows, ahead=2)
    for name in frames:
        yield name, islice(parts, len(jobs[name]))


def decode(data: bytes, columns: ColumnSpecs, file_format: FileFormat, *, url: str) -> pd.DataFrame:
    """Read a table that ``encode`` wrote.

    Args:
        data: The bytes.
        columns: What the columns are.
        file_format: ``csv`` or ``parquet``.
        url: The file, for messages.

    Raises:
        CorruptFileError: The bytes are no such table.
        NotSupportedError: There is no such format.
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    return named(CODECS, file_format, kind="format").decode(data, columns, url)


def decode_verified(
    data: bytes, columns: ColumnSpecs, file_format: FileFormat, *, url: str
) -> pd.DataFrame:
    """Read what a checksum tells to be as ``encode`` wrote it, each cell in its type at once.

    It takes what ``decode`` takes, and raises what that raises.
    """
    stream = named(CODECS, file_format, kind="format").stream
    frame = None if stream is None else stream(data, columns, None)
    return decode(data, columns, file_format, url=url) if frame is None else frame


# ----------------------------------------------------------------------------- CSV


def decode_own_csv(
    data: Union[bytes, IO[bytes]], columns: ColumnSpecs, names: Names = None, /
) -> Optional[pd.DataFrame]:
    """Read CSV that ``encode`` wrote, each cell in its type at once.

    Args:
        data: The bytes, or what reads them: then the caller makes sure that they are those.
        columns: What the columns are.
        names: Which of them are read, in this order; by default all.

    Returns:
        The table, its text in the pieces that it was read in; or none where pyarrow is not
        there, or the bytes are not as expected.
    """
    try:
        table = read_typed_csv(data, arrow_schema(columns), names)
    except MissingDependencyError:
        return None
    wanted = columns if names is None else {name: columns[name] for name in names}
    if table is None or any(
        not (spec.nullable or csv_cells(spec).may_be_empty) and table.column(name).null_count
        for name, spec in wanted.items()
    ):
        return None
    held = dict(zip(table.column_names, table.columns))
    del table  # so that each column is let go of as soon as it is another
    return make_frame({name: _from_arrow(held.pop(name), s) for name, s in wanted.items()})


def _from_csv(data: bytes, columns: ColumnSpecs, url: str) -> pd.DataFrame:
    sheet = read_csv(data, Request(url, url, tuple(columns), header_row=1, limits=_OWN_FILES))
    if list(sheet.headers) != list(columns):
        raise CorruptFileError.at(url, "its header is not that of the table")
    return make_frame(
        {
            name: _parsed(sheet.column(position).reset_index(drop=True), spec, url)
            for position, (name, spec) in enumerate(columns.items())
        }
    )


def _parsed(values: pd.Series, spec: ColumnSpec, url: str) -> pd.Series:
    return instead(
        lambda: csv_cells(spec).parse(values, spec),
        (ValueError, TypeError, OverflowError),
        lambda _: CorruptFileError.at(url, f"a cell of {spec.name} is no {spec.type}"),
    )


# ----------------------------------------------------------------------------- Parquet


def _parquet_parts(frame: pd.DataFrame, columns: ColumnSpecs) -> list[Part]:
    # A key stands once in its column, so that a dictionary of them is no shorter.
    repeated = [name for name, spec in columns.items() if not spec.primary_key]
    return [partial(_to_parquet, frame, columns, arrow_schema(columns), repeated)]


def _to_parquet(
    frame: pd.DataFrame, columns: ColumnSpecs, schema: Any, repeated: list[str]
) -> Data:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [
        arrow_cells(spec).array(frame[name]).cast(schema.field(name).type)
        for name, spec in columns.items()
    ]
    table, out = pa.Table.from_arrays(arrays, schema=schema), pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd", use_dictionary=repeated)
    return memoryview(out.getvalue())


def _from_parquet(data: bytes, columns: ColumnSpecs, url: str) -> pd.DataFrame:
    schema = arrow_schema(columns)
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = instead(
        lambda: pq.read_table(pa.BufferReader(data)),
        (pa.ArrowException, OSError, ValueError),
        lambda _: CorruptFileError.at(url, "it is no Parquet file"),
    )
    if not _holds(table.schema, schema):
        raise CorruptFileError.at(url, "its columns are not those of the table")
    table = table.cast(schema)
    return make_frame(
        {name: _from_arrow(table.column(name), spec) for name, spec in columns.items()}
    )


def _holds(found: Any, wanted: Any) -> bool:
    """Tell whether columns are those of a table, or of the narrower one that it was before.

    A column may have had fewer digits at the same scale, or none that is null.
    """
    import pyarrow as pa

    def is_held(was: Any, now: Any) -> bool:
        if pa.types.is_decimal128(was.type) and pa.types.is_decimal128(now.type):
            is_same = was.type.scale == now.type.scale and was.type.precision <= now.type.precision
        else:
            is_same = was.type == now.type
        return is_same and (now.nullable or not was.nullable)

    return found.names == wanted.names and all(map(is_held, found, wanted))


def _from_arrow(values: Any, spec: ColumnSpec) -> pd.Series:
    return arrow_cells(spec).column(values, spec)


# ----------------------------------------------------------------------------- the table

CODECS: Mapping[str, Codec] = {
    "csv": Codec(
        parts=csv_parts,
        decode=_from_csv,
        stream=decode_own_csv,
        bounds=row_bounds,
        leading=read_leading,
    ),
    "parquet": Codec(
        parts=_parquet_parts, decode=_from_parquet, stream=None, bounds=None, leading=None
    ),
    "arrow": Codec(
        parts=frame_parts, decode=read_frame_bytes, stream=None, bounds=None, leading=None
    ),
}
