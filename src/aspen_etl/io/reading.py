"""How a source is read, within which limits, and the sheet that a reader gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import pandas as pd

from aspen_etl.errors import ArgumentError, HeaderError, LimitExceededError
from aspen_etl.io.options import Names, Rows, Texts, option
from aspen_etl.schema.column import hint
from aspen_etl.schema.headers import (
    blank_columns,
    known_headers,
    matched_columns,
    spell_headers,
)

if TYPE_CHECKING:
    from aspen_etl.schema.spec import SourceSpec

__all__ = ["CellFault", "RawSheet", "ReadLimits", "Reading", "Request"]

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
                msg = f"{each.name} must be a whole number of at least 1"
                raise ArgumentError(msg, problem="limit", argument=each.name)


# ----------------------------------------------------------------------------- sheets


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
        implied: Whether nobody wrote the headers and names of sheets down, so that they match as
            identifiers, too. Then nothing may be expected: the header is what stands there.
    """

    url: str
    sheet: str
    expected: Sequence[str]
    header_row: Optional[int] = None
    limits: ReadLimits = field(default_factory=ReadLimits)
    rename: Mapping[str, str] = field(default_factory=dict)
    implied: bool = False

    @cached_property
    def known(self) -> Mapping[str, str]:
        """The model's name of a column by each header that stands for it."""
        return known_headers(self.expected, self.rename)

    @property
    def takes_any(self) -> bool:
        """Whether any header will do: none is expected yet."""
        return self.implied and not self.expected

    def spell(self, headers: Sequence[Any]) -> Sequence[Any]:
        """Give headers as they match."""
        if not self.implied:
            return headers
        return spell_headers(headers, self.expected, rename=self.rename)

    def matched(self, cells: Sequence[Any]) -> set[str]:
        """Give the columns of the model whose header is among these cells."""
        return matched_columns(self.spell(cells), self.known)

    def without_header(self) -> RawSheet:
        """Give a sheet without a column, where any will do.

        Raises:
            HeaderError: Columns are expected.
        """
        if not self.takes_any:
            raise HeaderError.no_header(self.sheet, list(self.expected), 0)
        return RawSheet((), np.empty(0, dtype=np.int64), lambda _: pd.Series(dtype=object))

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
class Reading:
    """Hold what ``read_extract`` is told beside the source and the model, under the same names.

    Attributes:
        storage_options: What the filesystem of the source takes.
        limits: How much to take in.
    """

    na_values: Collection[str] = field(
        default=(),
        metadata=option(Texts(), "a text that means missing; may be repeated", "--na-values", "T"),
    )
    sheets: Mapping[str, str] = field(
        default_factory=dict,
        metadata=option(
            Names(),
            "the name of a source's sheet, or of its file in a folder; may be repeated",
            "--sheet",
            "SOURCE=SHEET",
        ),
    )
    columns: Mapping[str, str] = field(
        default_factory=dict,
        metadata=option(
            Names(),
            "which column of the model a header stands for; may be repeated",
            "--column",
            "HEADER=COLUMN",
        ),
    )
    ignore_columns: Collection[str] = field(
        default=(),
        metadata=option(
            Texts(),
            "the header of a column to leave out; may be repeated",
            "--ignore-column",
            "HEADER",
        ),
    )
    header_row: Union[int, Mapping[str, int], None] = field(
        default=None,
        metadata=option(
            Rows(),
            "the row of the header, as a spreadsheet numbers it: of every sheet, or of one",
            "--header-row",
            "[SOURCE=]N",
        ),
    )
    storage_options: Optional[Mapping[str, Any]] = field(default=None, repr=False)
    limits: ReadLimits = field(default_factory=ReadLimits)

    def __post_init__(self) -> None:
        """Keep what can be gone through once only, and nothing that the caller may change."""
        kept: dict[str, Any] = {
            "na_values": tuple(self.na_values),
            "sheets": dict(self.sheets or {}),
            "columns": dict(self.columns or {}),
        }
        if not isinstance(self.ignore_columns, str):  # that is refused by who reads
            kept["ignore_columns"] = tuple(self.ignore_columns)
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, options: Optional[Mapping[str, Any]], /) -> Reading:
        """Make one of the keywords of ``read_extract``.

        Raises:
            TypeError: It has no such keyword.
        """
        known = [each.name for each in fields(cls)]
        for name in options or {}:
            if name not in known:
                raise TypeError(f"read_extract takes no {name!r}; {hint(str(name), known)}")
        return cls(**(options or {}))

    def sheet(self, source: str, /) -> str:
        """Give the name of a source's sheet, or of its file in a folder."""
        return self.sheets.get(source, source)

    def request(self, url: str, spec: SourceSpec, /) -> Request:
        """Say what is wanted of a sheet in a file."""
        row = self.header_row
        return Request(
            url,
            self.sheet(spec.name),
            list(spec.columns),
            row.get(spec.name) if isinstance(row, Mapping) else row,
            self.limits,
            self.columns,
            spec.implied,
        )

    def keywords(self) -> dict[str, Any]:
        """Give what differs from the defaults, as ``read_extract`` takes it."""
        usual = Reading()
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in told.items() if value != getattr(usual, name)}


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
