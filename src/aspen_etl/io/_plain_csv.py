"""CSV files that leave no room for another opinion, read by pandas where pyarrow is not there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
import pandas as pd

from aspen_etl.io.raw import RawSheet, Request, find_header
from aspen_etl.schema.text import TEXT, conform_text

__all__ = ["BOM", "MAX_TEXT", "plain_header", "try_read_plain_csv"]

#: The most characters of one cell: the limit of Python's reader, and four times Excel's.
MAX_TEXT = 131_072

BOM = b"\xef\xbb\xbf"


def plain_header(data: bytes, request: Request) -> tuple[list[str], int, int] | None:
    """Give the header's fields, its row number and the offset behind it."""
    if b"\0" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return None
    buffer = io.BytesIO(data)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(_lines(buffer), strict=True):
            rows.append(row)
            position = find_header(rows, 1, request.header_row)
            if position is not None:
                start = buffer.tell()
                # NOTE: the readers that are given what follows would pass over this mark.
                return None if data.startswith(BOM, start) else (row, len(rows), start)
    except (csv.Error, UnicodeDecodeError):
        return None
    return None


def _lines(buffer: io.BytesIO) -> Iterator[str]:
    for line in buffer:
        yield line.decode("utf-8")


def try_read_plain_csv(data: bytes, request: Request) -> RawSheet | None:
    """Read a CSV file, or give None where anything about it is not plain.

    Plain is: no quote stands behind the header, rows end in line feeds, with or without carriage
    returns, and every record has the fields of the header.
    """
    header = plain_header(data, request)
    if header is None:
        return None
    fields, number, start = header
    body = data[start:].rstrip(b"\r\n")
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
    records = np.arange(rows, dtype=np.int64) + number + 1
    return RawSheet(fields, records, lambda position: conform_text(frame.iloc[:, position]))


def _longest(body: bytes) -> int:
    """Count the bytes of the longest line."""
    ends = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == ord("\n"))
    return int(np.diff(ends, prepend=-1, append=len(body)).max())
