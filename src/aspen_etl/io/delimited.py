"""Read CSV: UTF-8, RFC 4180, every cell text or missing, nothing guessed.

Python's own reader decides what a file means. Files that leave no room for another opinion,
which is nearly all of them, are read by pyarrow, or where it is not installed by pandas, many
times faster; any other file, and every faulty one, goes the long way and gets its exact message
there.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    EncodingError,
    LimitExceededError,
    RaggedRowsError,
    UnsupportedFormatError,
)
from aspen_etl.io._arrow import try_read_csv
from aspen_etl.io._plain_csv import BOM, MAX_TEXT, try_read_plain_csv
from aspen_etl.io.limits import ReadLimits
from aspen_etl.io.raw import RawSheet, Request
from aspen_etl.schema.headers import header_text
from aspen_etl.schema.text import TEXT

__all__ = ["GZIP_MAGIC", "gunzip", "read_csv"]

GZIP_MAGIC = b"\x1f\x8b"

_CHUNK = 16 << 20
_RECORDS = 1 << 13
_LONGEST_LINE = 32 << 20
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NUL_IS_TEXT = sys.version_info >= (3, 11)


def gunzip(data: bytes, url: str, limits: ReadLimits) -> bytes:
    """Unpack a gzip file within the limits.

    Raises:
        CorruptFileError: The file is truncated or changed: its checksum says so.
        LimitExceededError: It becomes too large, or too large for its size.
    """
    by_ratio = max(_CHUNK, limits.max_compression_ratio * len(data))
    most = min(limits.max_uncompressed_bytes, by_ratio)
    out = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while out.tell() <= most and (chunk := packed.read(_CHUNK)):
                out.write(chunk)
    except (OSError, EOFError, zlib.error):
        failure: AspenETLError = CorruptFileError.at(url, "its gzip data is truncated or changed")
    else:
        size = out.tell()
        if size <= most:
            return out.getvalue()
        failure = LimitExceededError.unpacked(url, size, len(data), limits)
    raise failure


def read_csv(data: bytes, request: Request) -> RawSheet:
    """Read the text of a CSV file.

    Rows are numbered by record: the first is row 1, and a blank line is a row, too.

    Args:
        data: The file, unpacked.
        request: What to read.

    Raises:
        EncodingError: The text is not in UTF-8.
        RaggedRowsError: A record has another number of fields than the header, or its quotes
            do not match.
        MissingColumnError: There is no header.
        UnsupportedFormatError: Something else than a comma stands between the fields.
        LimitExceededError: There are more records or columns than the limits allow.
    """
    if data.startswith(_UTF_16) or b"\0" in data[: data.find(b"\n") + 1]:
        raise EncodingError.at(request.url, "it begins like UTF-16")
    data = data.removeprefix(BOM)
    _refuse_long_lines(data, request)
    sheet = try_read_csv(data, request)
    if sheet is None:
        sheet = try_read_plain_csv(data, request)
    if sheet is None:
        sheet = _read_by_record(data, request)
    request.check_columns(len(sheet.headers))
    request.check_rows(len(sheet.rows))
    _refuse_other_separators(sheet.headers, request)
    return sheet


def _refuse_long_lines(data: bytes, request: Request) -> None:
    """Bound the memory that the fields of one record can take before they are counted."""
    for start in range(0, len(data) - _LONGEST_LINE, _LONGEST_LINE):
        end = start + _LONGEST_LINE
        if data.find(b"\n", start, end) < 0 and data.find(b"\r", start, end) < 0:
            raise CorruptFileError.at(request.url, "it has a line of more than 32 million bytes")


def _refuse_other_separators(headers: Sequence[Any], request: Request) -> None:
    fields = [header_text(cell) for cell in headers]
    if len(fields) != 1 or len(request.expected) == 1:
        return
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in fields[0]:
            raise UnsupportedFormatError.at(
                request.url,
                f"has {name} between its fields",
                "save it with commas (in Excel: 'CSV UTF-8' on an English system)",
            )


# ----------------------------------------------------------------------------- record by record


def _read_by_record(data: bytes, request: Request) -> RawSheet:
    data, stand_in = _hide_nul(data[: len(data) - _trailing_breaks(data)])
    reader = _reader(data)
    failure: AspenETLError
    try:
        header, number = _read_header(reader, request)
        columns = _read_records(reader, len(header), number, request)
    except UnicodeDecodeError:
        failure = _bad_encoding(data, request)
    except csv.Error:
        failure = _bad_quotes(data, request)
    else:
        if stand_in:
            columns = [[text.replace(stand_in, "\0") for text in texts] for texts in columns]
        rows = np.arange(len(columns[0]), dtype=np.int64) + number + 1
        return RawSheet(header, rows, lambda position: _text_or_missing(columns[position]))
    raise failure


def _reader(data: bytes) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    records = csv.reader(text, strict=True)
    # The limit of Python's reader is the process's: another library may have raised it.
    return records if csv.field_size_limit() <= MAX_TEXT else map(_within_limit, records)


def _within_limit(record: list[str]) -> list[str]:
    if max(map(len, record), default=0) > MAX_TEXT:
        raise csv.Error("field larger than field limit")
    return record


def _read_header(reader: Iterator[list[str]], request: Request) -> tuple[list[str], int]:
    for number, record in enumerate(reader, 1):
        if request.header_row is None and any(map(header_text, record)):
            return record, number
        if request.header_row == number and record:
            return record, number
    raise request.no_header()


def _read_records(
    reader: Iterator[list[str]], width: int, number: int, request: Request
) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(width)]
    ragged, first = 0, (0, 0)
    for records in iter(lambda: list(islice(reader, _RECORDS)), []):
        if set(map(len, records)) != {width}:
            even = [_fitted(record, width) for record in records]
            odd = [i for i, record in enumerate(even) if len(record) != width]
            if odd and not ragged:
                first = (number + 1 + len(columns[0]) + odd[0], len(even[odd[0]]))
            ragged += len(odd)
            records = even  # noqa: PLW2901 - the same records, made even
        if not ragged:
            for column, texts in zip(columns, zip(*records)):
                column.extend(texts)
            request.check_rows(len(columns[0]))
    if ragged:
        raise RaggedRowsError.of(
            request.url, row=first[0], expected=width, found=first[1], count=ragged
        )
    return columns


def _fitted(record: list[str], width: int) -> list[str]:
    """Fill up a blank line, which is a record without a cell, and cut off blanks at the right."""
    if len(record) < min(width, 2) and not any(map(header_text, record)):
        return [""] * width
    return record if any(map(header_text, record[width:])) else record[:width]


def _text_or_missing(texts: list[str]) -> pd.Series:
    values = np.array(texts, dtype=object)
    values[values == ""] = None
    series: pd.Series = pd.Series(values, dtype=TEXT)
    return series


def _trailing_breaks(data: bytes) -> int:
    end = len(data)
    while end and data[end - 1] in b"\r\n":
        end -= 1
    return len(data) - end


def _hide_nul(data: bytes) -> tuple[bytes, str]:
    """Put a character that the text does not hold in the place of NUL, where csv refuses it."""
    if _NUL_IS_TEXT or b"\0" not in data:
        return data, ""
    stand_in = next(chr(code) for code in count(0xE000) if chr(code).encode() not in data)
    return data.replace(b"\0", stand_in.encode()), stand_in


# ----------------------------------------------------------------------------- what is wrong, where


def _bad_encoding(data: bytes, request: Request) -> EncodingError:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    return EncodingError.at(request.url, f"line {line:,} holds a byte that does not belong there")


def _bad_quotes(data: bytes, request: Request) -> AspenETLError:
    number = 0
    try:
        for number, _ in enumerate(_reader(data), 1):  # noqa: B007 - the last one is wanted
            pass
    except UnicodeDecodeError:
        return _bad_encoding(data, request)
    except csv.Error as error:
        if "field limit" in str(error):
            return RaggedRowsError.long_field(request.url, number + 1)
    return RaggedRowsError.broken_quotes(request.url, number + 1)
