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
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.text import TEXT
from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    FileFormatError,
    LimitExceededError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.csv_fast import BOM, MAX_TEXT, content_end, try_read_csv, try_read_plain_csv
from aspen_etl.io.header import Header, find_header
from aspen_etl.io.reading import RawSheet, ReadLimits, Request
from aspen_etl.schema.headers import header_text

__all__ = ["gunzip", "read_csv"]


_CHUNK = 16 << 20
_RECORDS = 1 << 13
#: What may stand behind the last line: Ctrl-Z, with which DOS ends a text, and NUL, with which
#: some programs fill up the space of a file.
_END_MARKS = (b"\x1a", b"\0")
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_HEAD = 1 << 13
_SEPARATOR_LINE = re.compile(rb'"?sep=,"?(?:\r\n|\n|\r)', re.IGNORECASE)
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

    def unpack() -> int:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while out.tell() <= most and (chunk := packed.read(_CHUNK)):
                out.write(chunk)
        return out.tell()

    size = instead(
        unpack,
        (OSError, EOFError, zlib.error),
        lambda _: CorruptFileError.at(url, "its gzip data is truncated or changed"),
    )
    if size > most:
        raise LimitExceededError.unpacked(url, size, len(data), limits)
    return out.getvalue()


def read_csv(data: bytes, request: Request) -> RawSheet:
    """Read the text of a CSV file.

    Rows are numbered by record: the first is row 1, and a blank line is a row, too.

    Args:
        data: The file, unpacked.
        request: What to read.

    Raises:
        FileFormatError: The text is not in UTF-8; a record has another number of fields than the
            header, or its quotes do not match; something else than a comma stands between the
            fields.
        HeaderError: There is no header.
        CorruptFileError: It holds nothing but NUL.
        LimitExceededError: There are more records or columns than the limits allow, or a line
            is too long.
    """
    if data.startswith(_UTF_16) or b"\0" in data[: data.find(b"\n") + 1]:
        raise FileFormatError.encoding(request.url, "it begins like UTF-16")
    if data and not data.strip(b"\0"):
        raise CorruptFileError.at(request.url, "it holds nothing but NUL")
    data = _without_marks(data.removeprefix(BOM), request)
    _refuse_long_lines(data, request)
    sheet = try_read_csv(data, request)
    if sheet is None:
        sheet = try_read_plain_csv(data, request)
    if sheet is None:
        sheet = _read_by_record(data, request)
    request.check_columns(len(sheet.headers))
    request.check_rows(len(sheet.rows))
    _refuse_other_separators(data, sheet, request)
    return sheet


def _without_marks(data: bytes, request: Request) -> bytes:
    """Leave out what is no record: Excel's ``sep=`` line, and Ctrl-Z or NUL behind the last line.

    Behind a text that no line break ends, such a character stays: the file may have been cut.
    """
    end = len(data.rstrip(b"".join(_END_MARKS))) if data.endswith(_END_MARKS) else len(data)
    end = end if data[:end].endswith((b"\n", b"\r")) or not end else len(data)
    # NOTE: who named the row of the header counted this line, too.
    mark = _SEPARATOR_LINE.match(data) if request.header_row is None else None
    return data[mark.end() if mark else 0 : end]


def _refuse_long_lines(data: bytes, request: Request) -> None:
    """Bound the memory that the fields of one record can take before they are counted."""
    most = request.limits.max_line_bytes
    for start in range(0, len(data) - most, most):
        end = start + most
        if data.find(b"\n", start, end) < 0 and data.find(b"\r", start, end) < 0:
            raise LimitExceededError.of(
                request.url,
                "it has a line without an end: its bytes are at least",
                limit="max_line_bytes",
                allowed=most - 1,
                found=most,
            )


def _refuse_other_separators(data: bytes, sheet: RawSheet, request: Request) -> None:
    """Refuse a file whose header is one field, or whose rows another character parts.

    Above the header, a title that is parted like it is the true one: then commas stand within
    numbers.
    """
    if len(request.expected) == 1 or request.matched(sheet.headers):
        return
    lines = list(filter(str.strip, data[:_HEAD].decode("utf-8", "replace").splitlines()))
    only = header_text(sheet.headers[0]) if len(sheet.headers) == 1 else ""
    titles = sheet.notes.get("title_rows", 0)
    for separator, name in _OTHER_SEPARATORS.items():
        fields = [line.replace('"', "").split(separator) for line in lines]
        found = max((len(request.matched(line)) for line in fields), default=0)
        *above, first = map(len, fields[: titles + 1] or [[]])
        is_parted = first > 1 and first in above
        if separator in only or is_parted or 2 * found > len(request.expected):
            raise FileFormatError.unsupported(
                request.url,
                f"has {name} between its fields",
                "save it with commas (in Excel: 'CSV UTF-8' on an English system)",
            )


# ----------------------------------------------------------------------------- record by record


def _read_by_record(data: bytes, request: Request) -> RawSheet:
    data, stand_in = _hide_nul(data[: content_end(data)])

    def read() -> Optional[tuple[Header, list[list[str]]]]:
        header = find_header(_reader(data), request)
        if header is None:
            return None
        records = _records(islice(_reader(data), header.number, None), request)
        return header, _read_records(records, len(header.cells), header.number, request)

    def ours(error: Exception) -> AspenETLError:
        is_text = isinstance(error, csv.Error)
        return _bad_quotes(data, request) if is_text else _bad_encoding(data, request)

    found = instead(read, (UnicodeDecodeError, csv.Error), ours)
    if found is None:
        return request.without_header()
    header, columns = found
    if stand_in:
        columns = [[text.replace(stand_in, "\0") for text in texts] for texts in columns]
    rows = np.arange(len(columns[0]), dtype=np.int64) + header.number + 1
    return RawSheet(
        header.cells,
        rows,
        lambda position: _text_or_missing(columns[position]),
        notes=header.notes,
    )


def _records(reader: Iterable[list[str]], request: Request) -> Iterator[list[str]]:
    """Give records, none of which has more fields than a sheet may have columns."""
    most = request.limits.max_columns
    for record in reader:
        if len(record) > most:
            request.check_columns(len(record))
        yield record


def _reader(data: bytes) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    records = csv.reader(text, strict=True)
    # The limit of Python's reader is the process's: another library may have raised it.
    return records if csv.field_size_limit() <= MAX_TEXT else map(_within_limit, records)


def _within_limit(record: list[str]) -> list[str]:
    if max(map(len, record), default=0) > MAX_TEXT:
        raise csv.Error("field larger than field limit")
    return record


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
        raise FileFormatError.ragged_rows(
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


def _hide_nul(data: bytes) -> tuple[bytes, str]:
    """Put a character that the text does not hold in the place of NUL, where csv refuses it."""
    if _NUL_IS_TEXT or b"\0" not in data:
        return data, ""
    stand_in = next(chr(code) for code in count(0xE000) if chr(code).encode() not in data)
    return data.replace(b"\0", stand_in.encode()), stand_in


# ----------------------------------------------------------------------------- what is wrong, where


def _bad_encoding(data: bytes, request: Request) -> FileFormatError:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    return FileFormatError.encoding(
        request.url, f"line {line:,} holds a byte that does not belong there"
    )


def _bad_quotes(data: bytes, request: Request) -> AspenETLError:
    number = 0
    try:
        for number, _ in enumerate(_reader(data), 1):  # noqa: B007 - the last one is wanted
            pass
    except UnicodeDecodeError:
        return _bad_encoding(data, request)
    except csv.Error as error:
        if "field limit" in str(error):
            return FileFormatError.long_field(request.url, number + 1)
    return FileFormatError.broken_quotes(request.url, number + 1)
