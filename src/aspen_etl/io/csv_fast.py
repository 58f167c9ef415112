"""CSV files that leave no room for another opinion: read by pyarrow, without it by pandas."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator, MutableSequence
from functools import partial
from typing import IO, Any

import numpy as np
import pandas as pd

from aspen_etl.columns.text import TEXT, conform_text
from aspen_etl.io.csv_source import stream_of_bytes, stream_of_records
from aspen_etl.io.header import Header, find_header
from aspen_etl.io.reading import RawSheet, Request

__all__ = [
    "BOM",
    "MAX_TEXT",
    "content_end",
    "counts_fields",
    "plain_header",
    "read_typed_csv",
    "text_series",
    "try_read_csv",
    "try_read_plain_csv",
]

#: The most characters of one cell: the limit of Python's reader, and four times Excel's.
MAX_TEXT = 131_072

BOM = b"\xef\xbb\xbf"

_CHUNK = 1 << 20


def plain_header(data: bytes, request: Request) -> tuple[Header, int] | None:
    """Give the header and the offset behind it."""
    if b"\0" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    ends = array("q")
    try:
        header = find_header(_rows(io.BytesIO(data), ends), request)
    except (csv.Error, UnicodeDecodeError):
        return None
    if header is None:
        return None
    start = ends[header.number - 1]
    # NOTE: the readers that are given what follows would pass over this mark.
    return None if data.startswith(BOM, start) else (header, start)


def _rows(buffer: io.BytesIO, ends: MutableSequence[int]) -> Iterator[list[str]]:
    """Give rows, and take down the offset behind each of them."""
    lines = (line.decode("utf-8") for line in buffer)
    for row in csv.reader(lines, strict=True):
        ends.append(buffer.tell())
        yield row


def content_end(data: bytes) -> int:
    """Give the offset behind the last byte that is no line break."""
    end = len(data)
    while end and data[end - 1] in b"\r\n":
        tail = data[max(0, end - _CHUNK) : end]
        end -= len(tail) - len(tail.rstrip(b"\r\n"))
    return end


def try_read_plain_csv(data: bytes, request: Request) -> RawSheet | None:
    """Read a CSV file, or give None where anything about it is not plain.

    Plain is: no quote stands behind the header, rows end in line feeds, with or without carriage
    returns, and every record has the fields of the header.
    """
    found = plain_header(data, request)
    if found is None:
        return None
    header, start = found
    fields, body = header.cells, data[start : content_end(data)]
    rows = body.count(b"\n") + 1
    # As many separators as there must be altogether, and, as pandas sees, no record with more.
    whole = body.count(b",") == rows * (len(fields) - 1)
    if not body or not whole or b'"' in body or _longest(body) > MAX_TEXT:
        return None
    try:
        frame = pd.read_csv(
            io.BytesIO(body),
            header=None,
            dtype=TEXT,
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            quoting=csv.QUOTE_NONE,
            encoding_errors="strict",
            low_memory=False,
        )
    except ValueError:  # of a record with more fields, or a byte that is not UTF-8
        return None
    if frame.shape != (rows, len(fields)):
        return None
    return RawSheet(
        fields,
        np.arange(rows, dtype=np.int64) + header.number + 1,
        lambda position: conform_text(frame.iloc[:, position]),
        notes=header.notes,
    )


def _longest(body: bytes) -> int:
    """Count the bytes of the longest line."""
    ends = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == ord("\n"))
    return int(np.diff(ends, prepend=-1, append=len(body)).max())


# ----------------------------------------------------------------------------- pyarrow

_BLOCK = 64 << 20

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
        source = stream_of_bytes(data, start, end)
        table = _parse(source, dict.fromkeys(names, pa.large_string()), block=8)
    except (pa.ArrowException, ValueError):
        return None
    longest = [pc.max(pc.binary_length(column)).as_py() or 0 for column in table.itercolumns()]
    return table if max(longest) <= MAX_TEXT else None


def read_typed_csv(data: bytes | IO[bytes], schema: Any, names: Iterable[str] | None = None) -> Any:
    """Read a CSV file that is known to be as this library wrote it, its cells in their types.

    Args:
        data: The file, or what reads it.
        schema: The names and Arrow types of its columns.
        names: Which of them are read, in this order; by default all.

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
    if isinstance(data, bytes):
        source = stream_of_bytes(data, 0, len(data))
    else:
        source = stream_of_records(data)
    try:
        named = dict(zip(schema.names, types))
        return _parse(source, named, block=2, skip_rows=1, names=names)
    except (pa.ArrowException, OSError, ValueError):  # such as one without a row
        return None


def _parse(
    source: Any,
    types: dict[str, Any],
    *,
    block: int,
    skip_rows: int = 0,
    names: Iterable[str] | None = None,
) -> Any:
    from pyarrow import csv as pa_csv

    return pa_csv.read_csv(
        source,
        read_options=pa_csv.ReadOptions(
            column_names=list(types), block_size=block << 20, skip_rows=skip_rows
        ),
        parse_options=pa_csv.ParseOptions(ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            true_values=["true"],
            false_values=["false"],
            include_columns=None if names is None else list(names),
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
