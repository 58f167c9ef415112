"""A sheet as it was read, before its headers are matched with a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.errors import LimitExceededError, MissingColumnError
from aspen_etl.io.limits import ReadLimits
from aspen_etl.schema.headers import blank_columns, header_text

__all__ = ["CellFault", "RawSheet", "Request", "find_header"]


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
        header_row: The row number of the header, or the first row that is not blank.
        limits: How much to take in.
    """

    url: str
    sheet: str
    expected: Sequence[str]
    header_row: Optional[int] = None
    limits: ReadLimits = field(default_factory=ReadLimits)

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


def find_header(rows: Sequence[Sequence[Any]], first: int, header_row: int | None) -> int | None:
    """Give the position of the header among ``rows``, the first of which is numbered ``first``.

    Args:
        rows: Rows of cells from the top of the sheet.
        first: The number of the first of them.
        header_row: The number of the header, or the first row that is not blank.
    """
    if header_row is not None:
        position = header_row - first
        return position if 0 <= position < len(rows) else None
    return next((i for i, row in enumerate(rows) if any(map(header_text, row))), None)
