"""Read CSV record by record, as Python's own reader does: the long way, and what is wrong where."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import IO, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.text import TEXT
from aspen_etl.errors import AspenETLError, FileFormatError
from aspen_etl.errors.base import instead
from aspen_etl.io.csv_fast import MAX_TEXT, content_end
from aspen_etl.io.header import Header, find_header
from aspen_etl.io.reading import RawSheet, Request
from aspen_etl.schema.headers import header_text

__all__ = ["Opener", "csv_rows", "find_fault", "hide_nul", "read_by_record"]

#: Opens a text in UTF-8, anew each time.
Opener = Callable[[], IO[bytes]]

_CHUNK = 1 << 20
_RECORDS = 1 << 13
_NUL_IS_TEXT = sys.version_info >= (3, 11)


def read_by_record(data: bytes, request: Request, /) -> RawSheet:
    """Read the text of a CSV file; line breaks at its end are no records.

    Raises:
        AspenETLError: What ``read_csv`` says of a faulty file.
    """
    data, stand_in = hide_nul(data[: content_end(data)])
    found = _read(lambda: io.BytesIO(data), request, keep=True)
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


def find_fault(text: Opener, request: Request, /) -> None:
    """Raise what ``read_by_record`` raises, of a text that is too large to be held.

    Args:
        text: The text.
        request: What to read.
    """
    if _read(text, request, keep=False) is None:
        request.without_header()


def hide_nul(data: bytes, /) -> tuple[bytes, str]:
    """Put a character that the text does not hold in the place of NUL, where csv refuses it."""
    if _NUL_IS_TEXT or b"\0" not in data:
        return data, ""
    stand_in = next(chr(code) for code in count(0xE000) if chr(code).encode() not in data)
    return data.replace(b"\0", stand_in.encode()), stand_in


def csv_rows(text: IO[bytes], /) -> Iterator[list[str]]:
    """Give the records of a text.

    Raises:
        UnicodeDecodeError: It is not in UTF-8.
        csv.Error: Its quotes do not match, or a field is too long.
    """
    lines: Iterable[str] = io.TextIOWrapper(text, encoding="utf-8", newline="")
    if not _NUL_IS_TEXT:
        lines = (line.replace("\0", "\ue000") for line in lines)
    records = csv.reader(lines, strict=True)
    # The limit of Python's reader is the process's: another library may have raised it.
    return records if csv.field_size_limit() <= MAX_TEXT else map(_within_limit, records)


def _within_limit(record: list[str]) -> list[str]:
    if max(map(len, record), default=0) > MAX_TEXT:
        raise csv.Error("field larger than field limit")
    return record


def _read(
    text: Opener, request: Request, *, keep: bool
) -> Optional[tuple[Header, list[list[str]]]]:
    def read() -> Optional[tuple[Header, list[list[str]]]]:
        header = find_header(csv_rows(text()), request)
        if header is None:
            return None
        records = _records(islice(csv_rows(text()), header.number, None), request)
        return header, _read_records(records, header, request, keep=keep)

    def ours(error: Exception) -> AspenETLError:
        is_text = isinstance(error, csv.Error)
        return _bad_quotes(text, request) if is_text else _bad_encoding(text, request)

    return instead(read, (UnicodeDecodeError, csv.Error), ours)


def _records(reader: Iterable[list[str]], request: Request) -> Iterator[list[str]]:
    """Give records, none of which has more fields than a sheet may have columns."""
    most = request.limits.max_columns
    for record in reader:
        if len(record) > most:
            request.check_columns(len(record))
        yield record


def _read_records(
    reader: Iterator[list[str]], header: Header, request: Request, *, keep: bool
) -> list[list[str]]:
    width = len(header.cells)
    columns: list[list[str]] = [[] for _ in range(width)]
    rows, ragged, first = 0, 0, (0, 0)
    for records in iter(lambda: list(islice(reader, _RECORDS)), []):
        if set(map(len, records)) != {width}:
            even = [_fitted(record, width) for record in records]
            odd = [i for i, record in enumerate(even) if len(record) != width]
            if odd and not ragged:
                first = (header.number + 1 + rows + odd[0], len(even[odd[0]]))
            ragged += len(odd)
            records = even  # noqa: PLW2901 - the same records, made even
        if not ragged:
            rows += len(records)
            if keep:
                for column, texts in zip(columns, zip(*records)):
                    column.extend(texts)
            request.check_rows(rows)
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


# ----------------------------------------------------------------------------- what is wrong, where


def _bad_encoding(text: Opener, request: Request) -> FileFormatError:
    decoder, file, line = codecs.getincrementaldecoder("utf-8")(), text(), 1
    try:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            decoder.decode(chunk)
            line += chunk.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
    return FileFormatError.encoding(
        request.url, f"line {line:,} holds a byte that does not belong there"
    )


def _bad_quotes(text: Opener, request: Request) -> AspenETLError:
    number = 0
    try:
        for number, _ in enumerate(csv_rows(text()), 1):  # noqa: B007 - the last one is wanted
            pass
    except UnicodeDecodeError:
        return _bad_encoding(text, request)
    except csv.Error as error:
        if "field limit" in str(error):
            return FileFormatError.long_field(request.url, number + 1)
    return FileFormatError.broken_quotes(request.url, number + 1)
