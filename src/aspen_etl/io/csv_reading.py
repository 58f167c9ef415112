"""Read CSV: UTF-8, RFC 4180, every cell text or missing, nothing guessed.

Python's own reader decides what a file means. Files that leave no room for another opinion,
which is nearly all of them, are read by pyarrow, or where it is not installed by pandas, many
times faster; any other file, and every faulty one, goes the long way and gets its exact message
there.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import replace

from aspen_etl.errors import CorruptFileError, FileFormatError, LimitExceededError
from aspen_etl.errors.base import instead
from aspen_etl.io.counting import END_MARKS
from aspen_etl.io.csv_fast import BOM, try_read_csv, try_read_plain_csv
from aspen_etl.io.csv_records import read_by_record
from aspen_etl.io.reading import RawSheet, ReadLimits, Request
from aspen_etl.schema.headers import header_text

__all__ = ["UTF_16", "gunzip", "long_line", "read_csv", "read_records", "text_end", "text_start"]

_CHUNK = 16 << 20
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_HEAD = 1 << 13
_SEPARATOR_LINE = re.compile(rb'"?sep=,"?(?:\r\n|\n|\r)', re.IGNORECASE)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


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
    if data.startswith(UTF_16) or b"\0" in data[: data.find(b"\n") + 1]:
        raise FileFormatError.encoding(request.url, "it begins like UTF-16")
    if data and not data.strip(b"\0"):
        raise CorruptFileError.at(request.url, "it holds nothing but NUL")
    data = data.removeprefix(BOM)
    data = data[text_start(data, request) : text_end(data)]
    _refuse_long_lines(data, request)
    sheet = try_read_csv(data, request)
    if sheet is None:
        sheet = try_read_plain_csv(data, request)
    if sheet is None:
        sheet = read_by_record(data, request)
    request.check_columns(len(sheet.headers))
    request.check_rows(len(sheet.rows))
    _refuse_other_separators(data, sheet, request)
    return sheet


def read_records(header: bytes, records: bytes, request: Request, /) -> RawSheet:
    """Read records of a file whose lines were measured, below its header.

    Args:
        header: The record that holds the header, a line feed at its end.
        records: Whole records; the last is not blank.
        request: What to read of the file.

    Returns:
        The sheet, its rows numbered from 0 on.

    Raises:
        ExtractError: What ``read_csv`` raises; row numbers in it are those of these bytes.
    """
    data = header + records
    # The lines of a file are measured from its beginning on.
    limits = replace(request.limits, max_line_bytes=len(data) + 1)
    sheet = read_csv(data, replace(request, header_row=1, limits=limits))
    return replace(sheet, rows=sheet.rows - 2)


def text_start(data: bytes, request: Request, /) -> int:
    """Give the offset behind Excel's ``sep=`` line, which is no record."""
    # NOTE: who named the row of the header counted this line, too.
    mark = _SEPARATOR_LINE.match(data) if request.header_row is None else None
    return mark.end() if mark else 0


def text_end(data: bytes, /) -> int:
    """Give the offset before Ctrl-Z or NUL behind the last line.

    Behind a text that no line break ends, such a character stays: the file may have been cut.
    """
    end = len(data.rstrip(b"".join(END_MARKS))) if data.endswith(END_MARKS) else len(data)
    return end if not end or data.endswith((b"\n", b"\r"), 0, end) else len(data)


def _refuse_long_lines(data: bytes, request: Request) -> None:
    """Bound the memory that the fields of one record can take before they are counted."""
    most = request.limits.max_line_bytes
    for start in range(0, len(data) - most, most):
        end = start + most
        if data.find(b"\n", start, end) < 0 and data.find(b"\r", start, end) < 0:
            raise long_line(request)


def long_line(request: Request, /) -> LimitExceededError:
    """Say that a line is too long."""
    most = request.limits.max_line_bytes
    return LimitExceededError.of(
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
