"""Tables as bytes and back, by their declared columns and never by what they hold.

CSV is UTF-8 with line feeds, a header and no index. An empty field is null in a nullable
column and '' in another; the two never meet, since nullable text is never ''. Points in time
are ``YYYY-MM-DD HH:MM:SS.mmm`` in UTC.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice, repeat
from typing import IO, Any, Literal, Optional, Union

import numpy as np
import pandas as pd

from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.kernels import is_constant
from aspen_etl.columns.text import conform_text, parse_integers
from aspen_etl.columns.threads import map_ahead
from aspen_etl.derive.formats import arrow_schema
from aspen_etl.errors import AspenETLError, CorruptFileError, MissingDependencyError
from aspen_etl.io.csv_fast import read_typed_csv, text_series
from aspen_etl.io.csv_reading import read_csv
from aspen_etl.io.csv_writing import csv_blocks
from aspen_etl.io.reading import ReadLimits, Request
from aspen_etl.io.writing import Data
from aspen_etl.schema.spec import TIMESTAMP, ColumnSpec

__all__ = [
    "FORMATS",
    "Format",
    "decode",
    "decode_own_csv",
    "decode_verified",
    "encode",
    "encode_ahead",
    "encoders",
]

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "parquet")

#: What this library wrote may be larger than what a stranger may send.
_OWN_FILES = ReadLimits(max_rows=2**62, max_columns=2**31)


def encode(frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], file_format: Format) -> bytes:
    """Write a table as bytes.

    Args:
        frame: The table, its columns in their declared dtypes.
        columns: What the columns are.
        file_format: ``csv`` or ``parquet``.

    Raises:
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    return b"".join(make() for make in encoders(frame, columns, file_format))


def encoders(
    frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], file_format: Format
) -> list[Callable[[], Data]]:
    """Give functions that each write a part of a table, so that no file is in memory as a whole.

    Returns:
        Functions whose bytes, one after the other, are those of ``encode``.

    Raises:
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    frame = frame[list(columns)]
    if file_format == "parquet":
        # A key stands once in its column, so that a dictionary of them is no shorter.
        repeated = [name for name, spec in columns.items() if not spec.primary_key]
        return [partial(_to_parquet, frame, arrow_schema(columns), repeated)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(frame.columns)
    header: Data = buffer.getvalue().encode("utf-8")
    blocks = csv_blocks(frame)
    return [lambda: header, *([partial(_csv_lines, frame, columns)] if blocks is None else blocks)]


def encode_ahead(
    frames: Mapping[str, pd.DataFrame],
    columns: Mapping[str, Mapping[str, ColumnSpec]],
    file_format: Format,
) -> Iterator[tuple[str, Iterator[Data]]]:
    """Write tables as bytes, in parts, some of which are made while others are put away.

    Args:
        frames: The tables by name.
        columns: What their columns are.
        file_format: ``csv`` or ``parquet``.

    Yields:
        The name of each table and its parts, which must be used up before the next table.

    Raises:
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    jobs = {name: encoders(frame, columns[name], file_format) for name, frame in frames.items()}
    rows = max(map(len, frames.values()), default=0)
    parts = map_ahead(lambda make: make(), chain(*jobs.values()), rows=rows, ahead=2)
    for name in frames:
        yield name, islice(parts, len(jobs[name]))


def decode(
    data: bytes, columns: Mapping[str, ColumnSpec], file_format: Format, *, url: str
) -> pd.DataFrame:
    """Read a table that ``encode`` wrote.

    Args:
        data: The bytes.
        columns: What the columns are.
        file_format: ``csv`` or ``parquet``.
        url: The file, for messages.

    Raises:
        CorruptFileError: The bytes are no such table.
        MissingDependencyError: Parquet is asked for and pyarrow is not installed.
    """
    if file_format == "parquet":
        return _from_parquet(data, columns, url)
    return _from_csv(data, columns, url)


def decode_verified(
    data: bytes, columns: Mapping[str, ColumnSpec], file_format: Format, *, url: str
) -> pd.DataFrame:
    """Read what a checksum tells to be as ``encode`` wrote it, each cell in its type at once.

    It takes what ``decode`` takes, and raises what that raises.
    """
    frame = decode_own_csv(data, columns) if file_format == "csv" else None
    return decode(data, columns, file_format, url=url) if frame is None else frame


def decode_own_csv(
    data: Union[bytes, IO[bytes]], columns: Mapping[str, ColumnSpec]
) -> Optional[pd.DataFrame]:
    """Read CSV that ``encode`` wrote, each cell in its type at once.

    Args:
        data: The bytes, or what reads them: then the caller makes sure that they are those.
        columns: What the columns are.

    Returns:
        The table, its text in the pieces that it was read in; or none where pyarrow is not
        there, or the bytes are not as expected.
    """
    try:
        table = read_typed_csv(data, arrow_schema(columns))
    except MissingDependencyError:
        return None
    if table is None or any(
        spec.type != "text" and not spec.nullable and table.column(name).null_count
        for name, spec in columns.items()
    ):
        return None
    held = dict(zip(table.column_names, table.columns))
    del table  # so that each column is let go of as soon as it is another
    return make_frame({name: _from_arrow(held.pop(name), s) for name, s in columns.items()})


# ----------------------------------------------------------------------------- CSV


def _csv_lines(frame: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> Data:
    if not len(frame):
        return b""
    fields: list[Union[str, list[str]]] = []
    for name, spec in columns.items():
        values = frame[name]
        if not is_constant(values):
            fields.append(_fields(values, spec))
            continue
        (text,) = _fields(values.iloc[:1], spec)
        if fields and isinstance(fields[-1], str):  # neighbours of one value, as who made a row
            fields[-1] += f",{text}"
        else:
            fields.append(text)
    if len(columns) == 1:  # a lone empty field is quoted, else its line would be blank
        fields = [[text or '""' for text in _each(fields[0], len(frame))]]
    lines = map(",".join, zip(*(_each(field, len(frame)) for field in fields)))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _each(field: Union[str, list[str]], rows: int) -> Iterable[str]:
    return repeat(field, rows) if isinstance(field, str) else field


#: What makes a field need quotes (RFC 4180).
_SPECIALS = ',"\r\n'
_SPECIAL = re.compile(f"[{_SPECIALS}]")


def _fields(values: pd.Series, spec: ColumnSpec) -> list[str]:
    """Write the cells of a column as fields; a missing one is empty."""
    if spec.type == "timestamp":
        return _time_fields(values)
    absent = values.isna().to_numpy(dtype=bool)
    if spec.type == "integer":
        numbers = values.fillna(0).to_numpy(dtype=np.int64).tolist()
        if not absent.any():
            return list(map(str, numbers))
        return ["" if none else str(n) for n, none in zip(numbers, absent)]
    cells = values.to_numpy(dtype=object, copy=True)
    cells[absent] = ""
    texts: list[str] = cells.tolist()
    joined = "".join(texts)
    if not any(character in joined for character in _SPECIALS):  # faster than a pattern
        return texts
    return [
        '"{}"'.format(text.replace('"', '""')) if _SPECIAL.search(text) else text for text in texts
    ]


def _time_fields(values: pd.Series) -> list[str]:
    codes, distinct = pd.factorize(values)
    moments = pd.DatetimeIndex(distinct)
    texts = [f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}" for moment in moments]
    fields: list[str] = np.array([*texts, ""], dtype=object)[codes].tolist()
    return fields


def _from_csv(data: bytes, columns: Mapping[str, ColumnSpec], url: str) -> pd.DataFrame:
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
    if spec.type == "text":
        whole = spec.nullable or not values.hasnans
        return values if whole else conform_text(values.fillna(""))
    failure: AspenETLError
    try:
        if spec.type == "integer":
            return parse_integers(values, nullable=spec.nullable)
        codes, distinct = pd.factorize(values)
        moments = pd.to_datetime(pd.Series(distinct, dtype=object), format="%Y-%m-%d %H:%M:%S.%f")
        times = np.append(moments.to_numpy(dtype="datetime64[ms]"), np.datetime64("NaT", "ms"))
        return make_column(pd.DatetimeIndex(times[codes], tz="UTC")).astype(TIMESTAMP)
    except (ValueError, TypeError, OverflowError):
        failure = CorruptFileError.at(url, f"a cell of {spec.name} is no {spec.type}")
    raise failure


# ----------------------------------------------------------------------------- Parquet


def _to_parquet(frame: pd.DataFrame, schema: Any, repeated: list[str]) -> Data:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_to_arrow(frame[field.name], field.type) for field in schema]
    table, out = pa.Table.from_arrays(arrays, schema=schema), pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd", use_dictionary=repeated)
    return memoryview(out.getvalue())


def _to_arrow(values: pd.Series, kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        values = values.dt.tz_localize(None)
    array = pa.array(values, from_pandas=True)
    return array.cast(kind)


def _from_parquet(data: bytes, columns: Mapping[str, ColumnSpec], url: str) -> pd.DataFrame:
    schema = arrow_schema(columns)
    import pyarrow as pa
    import pyarrow.parquet as pq

    failure: AspenETLError
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError, ValueError):
        failure = CorruptFileError.at(url, "it is no Parquet file")
    else:
        if table.schema.equals(schema):
            return make_frame(
                {name: _from_arrow(table.column(name), spec) for name, spec in columns.items()}
            )
        failure = CorruptFileError.at(url, "its columns are not those of the table")
    raise failure


def _from_arrow(values: Any, spec: ColumnSpec) -> pd.Series:
    if spec.type == "text":
        texts = values if spec.nullable else values.fill_null("")
        return text_series(texts)
    if spec.type == "timestamp":
        return make_column(pd.DatetimeIndex(values.to_numpy(), tz="UTC")).astype(TIMESTAMP)
    if not spec.nullable:
        return make_column(values.to_numpy()).astype("int64")
    absent = values.is_null().to_numpy()
    return make_column(pd.arrays.IntegerArray(values.fill_null(0).to_numpy().copy(), absent.copy()))
