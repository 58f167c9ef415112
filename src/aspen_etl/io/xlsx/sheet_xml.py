"""Look over the XML of a sheet before calamine reads it: how large, and what its cells are.

Programs write sheets in one plain form, and that is searched here at the speed of ``re`` and
numpy. Whatever departs from it in any way is left to ``sheet_rewrite``, which parses it.

NOTE: no pattern here looks on for more than a tag, or a hostile file would take for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from aspen_etl.errors import CorruptFileError
from aspen_etl.io.reading import CellFault, ReadLimits
from aspen_etl.io.xlsx.assembly import SPREADSHEET
from aspen_etl.io.xlsx.cell import Cells
from aspen_etl.io.xlsx.package import Package
from aspen_etl.io.xlsx.sheet_edits import below, edited

__all__ = ["MAX_COLUMN", "MAX_ROW", "Scan", "scan_plain", "wrapped"]

#: The last row and column of a sheet in the format; XFD is column 16,384.
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384

_BLOCK = 16 << 20
_REFERENCE = 10  # bytes: XFD1048576

_START, _END = re.compile(rb"<sheetData(?:\s[^<>]*)?(?<!/)>"), b"</sheetData>"
_STYLE, _TYPE = rb' s="(?:0|[1-9][0-9]{0,5})"', rb' t="(?:s|n|str|b|e|d|inlineStr)"'
#: A cell's tag, and what may follow it; the attributes beside its format and its type are few.
_CELL = re.compile(
    rb'<c(?=[\s/>])(?: r="([A-Z]{1,3}[0-9]{1,7})"'
    rb'(?: t="s"|' + _STYLE + rb"(?:" + _TYPE + rb")?|" + _TYPE + rb"(?:" + _STYLE + rb")?)?"
    rb'(?: (?:cm|vm|ph)="[0-9a-z]{1,9}"){0,3}(?:>(?=<(?:[vf][\s/>]|is>|/c>))|/>))?'
)
_ROW = re.compile(rb"<row ([^<>]*)>")
_HIDDEN = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true)["']""")

_PREFIXED = re.compile(rb":c[\s/>]")
#: The plain form has no comments, CDATA sections, processing instructions.
_UNUSUAL = (b"<!", b"<?")
#: Nor a value that something other than the end of its cell follows, nor one with entities.
_AFTER_VALUE = re.compile(rb"</(?:v|is)>(?!</c>(?:<c[\s/>]|</row>|\s))")
_ENTITY_IN_VALUE = re.compile(rb"<v(?:\s[^<>]*)?>[^<&]*&")


@dataclass(frozen=True)
class Scan:
    """A sheet in a form that calamine reads right, and what is known of it.

    Attributes:
        xml: The sheet, its cells alone.
        cells: How many cells there are.
        area: How many cells the rectangle around them has.
        faults: The cells that cannot be taken as text; they are empty in ``xml``.
        hidden_rows: How many rows with cells are hidden.
        merged_cells: How many ranges are merged into one cell.
    """

    xml: bytes = field(repr=False)
    cells: int
    area: int
    faults: tuple[CellFault, ...] = ()
    hidden_rows: int = 0
    merged_cells: int = 0

    def fits(self, limits: ReadLimits) -> bool:
        """Tell whether calamine takes no more memory for it than it may."""
        return self.area <= limits.max_cells and self.area - self.cells <= limits.max_empty_cells


def wrapped(rows: bytes) -> bytes:
    """Give a sheet of nothing but rows."""
    head = f'<worksheet xmlns="{SPREADSHEET}"><sheetData>'.encode()
    return b"%b%b%b</worksheet>" % (head, rows, _END)


def scan_plain(data: bytes, cells: Cells, package: Package) -> Scan | None:
    """Look over a sheet, or give None where its XML is not of the plain form, or too wide.

    Raises:
        CorruptFileError: A cell lies outside of any sheet.
    """
    start, end = _START.search(data), data.rfind(_END)
    if start is None or end < start.end() or data.count(b"<sheetData") != 1:
        return None
    if any(mark in data for mark in _UNUSUAL):
        return None
    rows = data[start.end() : end]
    extent = None if _is_unusual(rows, cells.strings) else _extent(rows, package.url)
    made = None if extent is None else edited(rows, cells)
    if extent is None or made is None:
        return None
    xml, found = made
    lines, columns = _positions(np.array([name for name, _ in found], dtype=f"S{_REFERENCE}"))
    faults = tuple(
        CellFault(line, column - 1, reject.value, reject.rule)
        for line, column, (_, reject) in zip(lines.tolist(), columns.tolist(), found)
    )
    merged = data.count(b"<mergeCell ", end)
    scan = Scan(wrapped(xml), *extent, faults, _hidden_rows(rows), merged)
    return scan if scan.fits(package.limits) else None


def _is_unusual(rows: bytes, strings: int) -> bool:
    return (
        b"='" in rows
        or (b":c" in rows and _PREFIXED.search(rows) is not None)
        or _AFTER_VALUE.search(rows) is not None
        or _odd_string(strings).search(rows) is not None
        or (b"&" in rows and _ENTITY_IN_VALUE.search(rows) is not None)
    )


@lru_cache(maxsize=8)
def _odd_string(strings: int) -> re.Pattern[bytes]:
    """Find the number of a shared string that is none: calamine takes the first, or panics."""
    number = rb"<v>(?:" + below(strings) + rb")</v>"
    return re.compile(rb'"s"(?:[^<>]{65}|[^<>]{0,64}>(?!' + number + rb"))")


def _extent(data: bytes, url: str) -> tuple[int, int] | None:
    """Count the cells and their rectangle; None unless each is plain and they are in order."""
    count, last = 0, -1
    top = left = MAX_ROW
    bottom = right = 0
    for references in _references(data):
        if b"" in references:
            return None
        rows, columns = _positions(np.array(references, dtype=f"S{_REFERENCE}"))
        order = rows * (MAX_COLUMN + 1) + columns
        if order[0] <= last or (np.diff(order) <= 0).any():
            return None
        count, last = count + len(order), int(order[-1])
        top, bottom = min(top, int(rows[0])), max(bottom, int(rows[-1]))
        left, right = min(left, int(columns.min())), max(right, int(columns.max()))
    if not count:
        return 0, 0
    if top < 1 or bottom > MAX_ROW or right > MAX_COLUMN:
        raise CorruptFileError.at(url, "a cell lies outside of its sheet")
    return count, (bottom - top + 1) * (right - left + 1)


def _references(data: bytes) -> Iterator[list[bytes]]:
    """Give the names of the cells, '' for a cell that is not in the plain form, in blocks."""
    start = 0
    while start < len(data):
        end = data.find(b"<c", start + _BLOCK)
        end = len(data) if end < 0 else end
        found = _CELL.findall(data, start, end)
        if found:
            yield found
        start = end


def _positions(references: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Turn names like AB12 into row and column numbers, from 1."""
    codes = references.view(np.uint8).reshape(-1, references.itemsize).T
    rows = np.zeros(len(references), dtype=np.int64)
    columns = np.zeros(len(references), dtype=np.int64)
    for code in codes:
        letter, digit = code >= ord("A"), (code >= ord("0")) & (code <= ord("9"))
        np.copyto(columns, columns * 26 + code - (ord("A") - 1), where=letter)
        np.copyto(rows, rows * 10 + code - ord("0"), where=digit)
    return rows, columns


def _hidden_rows(data: bytes) -> int:
    if b"hidden" not in data:
        return 0
    rows = (row for row in _ROW.findall(data) if b"hidden" in row and not row.endswith(b"/"))
    return sum(_HIDDEN.search(row) is not None for row in rows)
