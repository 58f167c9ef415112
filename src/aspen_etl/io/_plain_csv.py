"""CSV files that leave no room for another opinion, read by pandas where pyarrow is not there."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, MutableSequence

import numpy as np
import pandas as pd

from aspen_etl.io.raw import Header, RawSheet, Request, find_header
from aspen_etl.schema.text import TEXT, conform_text

__all__ = ["BOM", "MAX_TEXT", "content_end", "plain_header", "try_read_plain_csv"]

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
