"""What pyarrow does for the readers, where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import IO, Any

import numpy as np
import pandas as pd

from aspen_etl.io._plain_csv import MAX_TEXT, content_end, plain_header
from aspen_etl.io.raw import RawSheet, Request
from aspen_etl.schema.text import TEXT

__all__ = ["counts_fields", "csv_blocks", "read_typed_csv", "text_series", "try_read_csv"]

_BLOCK = 64 << 20
_ROWS = 1 << 16
_NEEDS_QUOTES = '[,"\\r\\n]'
_COMMA, _LINE_FEED = ord(","), ord("\n")
_QUOTE, _BEFORE, _AFTER = ord('"'), tuple(b',\n"'), tuple(b',\r\n"')


def text_series(values: Any, /) -> pd.Series:
    """Give an Arrow column of text as pandas text, without a copy where pandas can."""
    if not hasattr(TEXT, "__from_arrow__"):
        return pd.Series(values.to_pandas(), dtype=object)
    import pyarrow as pa

    return pd.Series(TEXT.__from_arrow__(values.cast(pa.large_string())))


def _in_one_piece(pieces: list[Any], position: int) -> pd.Series:
    """Give a column in one piece, and let go of those that it was read in.

    They are many and of all sizes: what lies free between them, no column fits in.
    """
    if pieces[position].num_chunks > 1:
        pieces[position] = pieces[position].combine_chunks()
    return text_series(pieces[position])


def try_read_csv(data: bytes, request: Request) -> RawSheet | None:
    """Read a CSV file, or give None where anything about it is not plain.

    Plain is: pyarrow is there, rows end in line feeds, quotes are as RFC 4180 has them, and
    every record has the fields of the header. Then there is only one way to read the file.
    """
    try:
        import pyarrow  # noqa: F401, ICN001 - asked for only
    except ImportError:
        return None
    found = plain_header(data, request)
    if found is None or not _has_plain_quotes(data):
        return None
    (header, start), end = found, content_end(data)
    if end <= start:
        return RawSheet(
            header.cells,
            np.empty(0, dtype=np.int64),
            lambda _: pd.Series([], dtype=TEXT),
            notes=header.notes,
        )
    table = _parse_text(data, start, end, len(header.cells))
    if table is None:
        return None
    rows = np.arange(table.num_rows, dtype=np.int64) + header.number + 1
    column = partial(_in_one_piece, table.columns)
    return RawSheet(header.cells, rows, column, notes=header.notes)


def _parse_text(data: bytes, start: int, end: int, fields: int) -> Any:
    """Give an Arrow table of text, or None where a record or a field is not plain."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (counts_fields() or _has_whole_records(data, start, end, fields)):
        return None
    names = [str(position) for position in range(fields)]
    try:
        source = pa.BufferReader(pa.py_buffer(data).slice(start, end - start))
        types = dict.fromkeys(names, pa.large_string())
        table = _parse(source, types, block=8, broken_lines=b'"' in data)
    except pa.ArrowException:
        return None
    longest = [pc.max(pc.binary_length(column)).as_py() or 0 for column in table.itercolumns()]
    return table if max(longest) <= MAX_TEXT else None


def read_typed_csv(data: bytes | IO[bytes], schema: Any) -> Any:
    """Read a CSV file that is known to be as this library wrote it, its cells in their types.

    Args:
        data: The file, or what reads it.
        schema: The names and Arrow types of its columns.

    Returns:
        An Arrow table in which an empty field is null, or None where it is not as expected; the
        header of a file that is read piece by piece is not looked at.
    """
    import pyarrow as pa

    header = ",".join(schema.names).encode() + b"\n"
    if isinstance(data, bytes) and not data.startswith(header):
        return None
    if not (isinstance(data, bytes) or counts_fields()):
        return None
    # Text as pandas holds it.
    types = [pa.large_string() if pa.types.is_string(kind) else kind for kind in schema.types]
    source = pa.BufferReader(data) if isinstance(data, bytes) else pa.PythonFile(data, mode="r")
    # What is not seen as a whole is taken to have no line feed in a cell: Arrow tells if it has.
    broken = isinstance(data, bytes) and b'"' in data
    try:
        named = dict(zip(schema.names, types))
        return _parse(source, named, block=2, broken_lines=broken, skip_rows=1)
    except (pa.ArrowException, OSError, ValueError):  # such as one without a row
        return None


def _parse(
    source: Any, types: dict[str, Any], *, block: int, broken_lines: bool, skip_rows: int = 0
) -> Any:
    from pyarrow import csv as pa_csv

    return pa_csv.read_csv(
        source,
        read_options=pa_csv.ReadOptions(
            column_names=list(types), block_size=block << 20, skip_rows=skip_rows
        ),
        parse_options=pa_csv.ParseOptions(
            newlines_in_values=broken_lines, ignore_empty_lines=False
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def counts_fields() -> bool:
    """Tell whether Arrow refuses a record of too many fields.

    Before version 20, one may be written past the end of Arrow's memory: apache/arrow, 45497.
    """
    import pyarrow as pa

    return int(pa.__version__.partition(".")[0]) >= 20  # noqa: PLR2004 - the first that does


def _has_whole_records(data: bytes, start: int, end: int, fields: int) -> bool:
    """Tell whether every record has so many fields, none of which holds a comma or a line feed.

    The last one ends where the text does.
    """
    text = np.frombuffer(data, dtype=np.uint8)[start:end]
    seen = 0
    for first in range(0, len(text), _BLOCK):
        block = text[first : first + _BLOCK]
        ends = block[(block == _COMMA) | (block == _LINE_FEED)] == _LINE_FEED
        places = np.arange(seen + 1, seen + 1 + len(ends)) % fields == 0
        if not np.array_equal(ends, places):
            return False
        seen += len(ends)
    return (seen + 1) % fields == 0


def _has_plain_quotes(data: bytes) -> bool:
    """Tell whether every quote opens a field, closes one or stands twice inside of one.

    Counted from the start, quotes then take turns: one that opens stands behind a
    separator or a quote, one that closes stands before one.
    """
    if b'"' not in data:
        return True
    text = np.frombuffer(data, dtype=np.uint8)
    opens = True
    for start in range(0, len(text), _BLOCK):
        quotes = np.flatnonzero(text[start : start + _BLOCK] == _QUOTE) + start
        openers, closers = (quotes[::2], quotes[1::2]) if opens else (quotes[1::2], quotes[::2])
        before = text[openers[openers > 0] - 1]
        after = text[closers[closers < len(text) - 1] + 1]
        if not (np.isin(before, _BEFORE).all() and np.isin(after, _AFTER).all()):
            return False
        opens ^= len(quotes) % 2 == 1
    return opens


def csv_blocks(frame: pd.DataFrame, /) -> list[Callable[[], Any]] | None:
    """Give what writes text, whole numbers and times as CSV, or None where pyarrow is not there.

    A field is quoted where it must be (RFC 4180), a missing one is empty, a line ends in a line
    feed: the same bytes as Python's own writer gives.

    Returns:
        Functions that each give the bytes of some lines, in their order; the header is not one.
    """
    try:
        import pyarrow as pa
    except ImportError:
        return None
    if frame.shape[1] == 1:  # a lone empty field is quoted, else its line would be blank
        return None
    columns = [_plain_column(pa, frame[name]) for name in frame.columns]
    return [
        partial(_lines_of, columns, start, min(_ROWS, len(frame) - start))
        for start in range(0, len(frame), _ROWS)
    ]


def _plain_column(pa: Any, values: pd.Series) -> Any:
    """Give a column as Arrow has it, a time without its zone."""
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(values, from_pandas=True)
    return pa.array(values.to_numpy(dtype="datetime64[ms]"))


def _written(pa: Any, values: Any) -> Any:
    """Write each moment once: rows mostly share theirs, and to write one takes long."""
    if not pa.types.is_timestamp(values.type):
        return values
    ticks = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset :][: len(values)]
    if not values.null_count and (ticks == ticks[0]).all():
        return pa.repeat(values[0].cast(pa.large_string()), len(values))
    if values.null_count == len(values):
        return pa.nulls(len(values), pa.large_string())
    found = values.dictionary_encode()
    texts = found.dictionary.cast(pa.large_string())
    return pa.DictionaryArray.from_arrays(found.indices, texts).dictionary_decode()


def _lines_of(columns: list[Any], start: int, length: int) -> Any:
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    arrays = [_written(pa, column.slice(start, length)) for column in columns]
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none", batch_size=_ROWS)
    out = pa.BufferOutputStream()
    try:
        names = [str(place) for place in range(len(arrays))]
        pa_csv.write_csv(pa.Table.from_arrays(arrays, names), out, options)
    except pa.ArrowInvalid:  # a field must be quoted
        return b"".join(_quoted_lines(arrays))
    return out.getvalue()


def _quoted_lines(columns: list[Any]) -> list[bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = [_fields(column) for column in columns]
    last = pc.binary_join_element_wise(fields[-1], _scalar(""), _scalar("\n"))
    lines = pc.binary_join_element_wise(*fields[:-1], last, _scalar(","))
    chunks = lines.chunks if isinstance(lines, pa.ChunkedArray) else [lines]
    return [_bytes_of(chunk) for chunk in chunks]


def _fields(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = values.cast(pa.large_string())
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        special = pc.match_substring_regex(texts, _NEEDS_QUOTES)
        if pc.any(special).as_py():
            doubled = pc.replace_substring(texts, '"', '""')
            quote = _scalar('"')
            quoted = pc.binary_join_element_wise(quote, doubled, quote, _scalar(""))
            texts = pc.if_else(special, quoted, texts)
    return texts.fill_null("")


def _scalar(text: str) -> Any:
    import pyarrow as pa

    return pa.scalar(text, pa.large_string())


def _bytes_of(lines: Any) -> bytes:
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)
    return bytes(
        data.slice(ends[lines.offset], ends[lines.offset + len(lines)] - ends[lines.offset])
    )
