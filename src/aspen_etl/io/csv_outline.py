"""What must be known of a CSV file to read a part of it: its header, and where records begin."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Optional

from aspen_etl.errors import ExtractError, NotSupportedError
from aspen_etl.errors.base import instead
from aspen_etl.io.counting import record_ends
from aspen_etl.io.csv_fast import BOM
from aspen_etl.io.csv_reading import UTF_16, text_end, text_start
from aspen_etl.io.csv_records import csv_rows
from aspen_etl.io.header import Header, find_header
from aspen_etl.io.reading import Request

__all__ = ["Outline", "outline_of", "refused"]

#: How many bytes are looked at for the header: at first, and at most.
_HEADS = (1 << 20, 16 << 20)


@dataclass(frozen=True)
class Outline:
    """What the reader of a part of a file knows of it.

    Attributes:
        request: What to read.
        size: How many bytes the file has.
        origin: The offset of the first record, behind a mark of the encoding and ``sep=``.
        header: The record that holds the header, a line feed at its end.
        header_number: The row number of the header.
        notes: What a reader of the sheet should know of.
        start: The offset behind the header.
    """

    request: Request
    size: int
    origin: int
    header: bytes = field(repr=False)
    header_number: int
    notes: Mapping[str, int]
    start: int


def refused(request: Request, reason: str, /) -> NotSupportedError:
    """Say why no part of a file is read alone."""
    told = f"{request.url} is not read in parts: {reason}; read it as a whole"
    return NotSupportedError(told, url=request.url, reason=reason)


def outline_of(read: Callable[[int], bytes], size: int, request: Request, /) -> Outline:
    """Look at the beginning of a file.

    Args:
        read: Gives so many of its first bytes.
        size: How many there are.
        request: What to read.

    Raises:
        NotSupportedError: Parts of it cannot be read, for the reason named.
    """
    for most in _HEADS:
        head = read(min(size, most))
        _refuse_other_forms(head, request)
        found = _find(head, size, request)
        if found is not None:
            return found
    raise refused(request, "its header does not stand in its first 16 MiB")


def _refuse_other_forms(head: bytes, request: Request) -> None:
    if head.startswith(UTF_16) or b"\0" in head[: head.find(b"\n") + 1]:
        raise refused(request, "it begins like UTF-16")
    if b"\n" not in head:
        raise refused(request, "its first line has no end")


def _find(head: bytes, size: int, request: Request) -> Optional[Outline]:
    """Give the outline; none where the header may stand behind these bytes."""
    is_whole = len(head) == size
    origin = len(BOM) if head.startswith(BOM) else 0
    origin += text_start(head[origin:], request)
    text = head[origin : text_end(head) if is_whole else size]
    ends, is_plain = record_ends(text)
    if not is_plain:
        raise refused(request, "a quote stands within a field, or behind one")
    rows = _Rows(text if is_whole else text[: int(ends[-1]) if len(ends) else 0])
    header = instead(
        lambda: find_header(rows, request),
        (csv.Error, UnicodeDecodeError, ExtractError),
        lambda _: refused(request, "what stands above its records is faulty"),
    )
    # NOTE: the last end may be the first half of one, where it is not the end of the file.
    if not is_whole and (rows.are_over or header is None or header.number >= len(ends)):
        return None
    if header is None:
        raise refused(request, "it has no header")
    number = header.number
    marks = [0, *ends[:number].tolist(), len(text)]
    first, last = marks[number - 1], marks[number]
    record = _without_break(text[first:last])
    _refuse_odd_headers(record, header, request)
    if max(map(len, text[:last].splitlines())) >= request.limits.max_line_bytes:
        raise refused(request, "a line above its records is too long")
    start = origin + last if number <= len(ends) else size
    return Outline(request, size, origin, record + b"\n", number, header.notes, start)


class _Rows:
    """Give the rows of a text, and know whether there were no more."""

    def __init__(self, text: bytes) -> None:
        self._text, self.are_over = text, False

    def __iter__(self) -> Iterator[list[str]]:
        yield from csv_rows(io.BytesIO(self._text))
        self.are_over = True


def _without_break(record: bytes) -> bytes:
    for line_break in (b"\r\n", b"\n", b"\r"):
        if record.endswith(line_break):
            return record[: -len(line_break)]
    return record


def _refuse_odd_headers(record: bytes, header: Header, request: Request) -> None:
    """Refuse a header that would be another one if it were the first line, or that is none."""
    if record.startswith((BOM, *UTF_16)) or b"\0" in record:
        raise refused(request, "its header holds a mark of an encoding")
    if not (len(request.expected) == 1 or request.matched(header.cells)):
        raise refused(request, "its header names no column that is expected")
