"""What a reader is asked for, within which limits, and the sheet that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.errors import LimitExceededError, MissingColumnError
from aspen_etl.schema.headers import (
    blank_columns,
    header_text,
    known_headers,
    matched_columns,
)

__all__ = ["CellFault", "Header", "RawSheet", "ReadLimits", "Request", "find_header"]

_GIB = 1 << 30


@dataclass(frozen=True)
class ReadLimits:
    """Bound the memory and the time that a file, hostile or not, can cost.

    The defaults let through ten million records of CSV and every workbook that a
    spreadsheet program can show. A single cell of a CSV file may hold 131,072 characters (Excel
    stops at 32,767); this bound is fixed, since a longer one is a quote that was never closed.

    Attributes:
        max_file_bytes: The size of one file as it lies in the storage.
        max_uncompressed_bytes: The size of what is read from it once unpacked; for a
            workbook also the text of its cells, each repetition counted.
        max_compression_ratio: How many times larger a packed part may become.
        max_cells: The cells of the rectangle that a workbook's sheet spans: its reader takes
            memory for all of them, also for the empty ones.
        max_empty_cells: Those of them that are empty.
        max_cell_bytes: The text of one cell of a workbook, as its XML writes it; Excel's 32,767
            characters are less, however they are escaped.
        max_parts: The members of a zip file; of a workbook also its sheets and its formats.
        max_depth: The tags of a workbook's XML that are open at once.
        max_rows: The records of a file.
        max_columns: The columns of a sheet.
        max_line_bytes: The bytes between two line breaks of a CSV file: more than that is
            mostly a file without line breaks.

    Examples:
        >>> ReadLimits(max_rows=1_000).max_rows
        1000
    """

    max_file_bytes: int = 2 * _GIB
    max_uncompressed_bytes: int = 2 * _GIB
    max_compression_ratio: int = 200
    max_cells: int = 50_000_000
    max_empty_cells: int = 10_000_000
    max_cell_bytes: int = 262_144
    max_parts: int = 100_000
    max_depth: int = 100
    max_rows: int = 20_000_000
    max_columns: int = 16_384
    max_line_bytes: int = 32 << 20

    def __post_init__(self) -> None:
        """Refuse a limit that nothing could pass."""
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{each.name} must be a whole number of at least 1")


# ----------------------------------------------------------------------------- sheets

#: How many rows that are not blank are looked at for the header.
_TOP_ROWS = 20


@dataclass(frozen=True)
class CellFault:
    """A cell that holds no text.

    Attributes:
        row: The sheet's own row number, from 1.
        position: The column, from 0.
        value: What stands there instead: ``#N/A``, ``=`` and the formula, or the number or
            date as far as the source tells it.
        rule: The rule of the reject that it becomes, one of ``UNREADABLE``.
    """

    row: int
    position: int
    value: str = field(repr=False)
    rule: str = "excel_error"


@dataclass(frozen=True)
class Request:
    """What a reader is asked for.

    Attributes:
        url: The file, as messages show it.
        sheet: The sheet, as messages show it.
        expected: The columns of the model, for the message about a sheet without a header.
        header_row: The row number of the header; where there is none, it is looked for.
        limits: How much to take in.
        rename: The model's name of a column by its header, where they differ.
    """

    url: str
    sheet: str
    expected: Sequence[str]
    header_row: Optional[int] = None
    limits: ReadLimits = field(default_factory=ReadLimits)
    rename: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def known(self) -> Mapping[str, str]:
        """The model's name of a column by each header that stands for it."""
        return known_headers(self.expected, self.rename)

    def no_header(self) -> MissingColumnError:
        """Say that there is no header at all."""
        return MissingColumnError.no_header(self.sheet, list(self.expected), 0)

    def check_rows(self, count: int) -> None:
        """Refuse more records than the limits allow."""
        self._check("the records are", "max_rows", count)

    def check_columns(self, count: int) -> None:
        """Refuse more columns than the limits allow."""
        self._check("the columns are", "max_columns", count)

    def _check(self, what: str, limit: str, found: int) -> None:
        allowed = getattr(self.limits, limit)
        if found > allowed:
            raise LimitExceededError.of(self.url, what, limit=limit, allowed=allowed, found=found)


@dataclass(frozen=True)
class RawSheet:
    """A sheet by position: nothing renamed, nothing cleaned, nothing guessed.

    Attributes:
        headers: The header cells, from left to right.
        rows: The sheet's own number of each record.
        column: The cells of the column at a position (from 0), in the order of ``rows``: each
            missing, text, or a value of the type that the file gives it. A column that nobody
            asks for is never made.
        faults: The cells below the header that hold no text; they are missing in the columns.
        notes: Counts of what a reader of the sheet should know of.
    """

    headers: Sequence[Any] = field(repr=False)
    rows: np.ndarray[Any, np.dtype[np.int64]] = field(repr=False)
    column: Callable[[int], pd.Series] = field(repr=False)
    faults: Sequence[CellFault] = ()
    notes: Mapping[str, int] = field(default_factory=dict)

    def empty(self) -> set[int]:
        """Give the positions of columns without a header that hold no cell, or blank ones alone."""
        faulty = {fault.position for fault in self.faults}
        return blank_columns(self.headers, self.column) - faulty


@dataclass(frozen=True)
class Header:
    """The row that holds the headers of a sheet.

    Attributes:
        number: The sheet's own number of the row, from 1.
        cells: Its cells, from left to right.
        titles: How many rows above it were taken as titles.
    """

    number: int
    cells: Sequence[Any] = field(repr=False)
    titles: int = 0

    @property
    def notes(self) -> dict[str, int]:
        """What a reader of the sheet should know of."""
        return {"title_rows": self.titles} if self.titles else {}


def find_header(rows: Iterable[Sequence[Any]], request: Request) -> Optional[Header]:
    """Find the row that holds the headers: the one that is named, or the first that is not blank.

    Below titles it is the first row with a header for each expected column. A title is a row
    with one cell: no row of a table of several columns, for none could be accepted. Rows of
    more cells may be records, so that nobody but the caller can say that they are titles.

    Args:
        rows: Rows of cells from the top of the sheet; no more are taken than are looked at.
        request: What to read.

    Raises:
        LimitExceededError: There are more rows above the header than the limits allow records,
            or a row has more cells than they allow columns.
        MissingColumnError: Below rows that may be records there is one with all headers.
    """
    top: list[Header] = []
    for number, row in enumerate(rows, 1):
        request.check_rows(number - 1)
        request.check_columns(len(row))
        if request.header_row is not None:
            if number == request.header_row:
                return Header(number, row) if row else None
        elif any(map(header_text, row)):
            top.append(Header(number, row, titles=len(top)))
            if len(top) == _TOP_ROWS or _is_whole(top[-1], request):
                break
    return _choose(top, request) if top else None


def _is_whole(header: Header, request: Request) -> bool:
    return len(matched_columns(header.cells, request.known)) == len(set(request.expected))


def _choose(top: Sequence[Header], request: Request) -> Header:
    """Choose the header among the first rows, the last of which may hold all that is expected."""
    first, last = top[0], top[-1]
    body = next((row for row in top if not _is_title(row, request)), first)
    if not _is_whole(last, request):
        # Not whole, but more than half: what is missing can be said.
        found = len(matched_columns(body.cells, request.known))
        return body if 2 * found > len(request.expected) else first
    if last.number > body.number:
        raise MissingColumnError.below(request.sheet, first.number, last.number)
    return last


def _is_title(row: Header, request: Request) -> bool:
    return len(request.expected) > 1 and sum(1 for cell in row.cells if header_text(cell)) == 1
