"""Look over the XML of a sheet before calamine reads it: how large, which cells hold no text.

Programs write sheets in one plain form, and that is searched here at the speed of ``re`` and
numpy. Whatever departs from it in any way is left to ``_sheet_rewrite``, which parses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from aspen_etl.errors import CorruptFileError
from aspen_etl.io.limits import ReadLimits
from aspen_etl.io.raw import CellFault

__all__ = ["CALAMINE_ERRORS", "MAX_COLUMN", "MAX_ROW", "Scan", "fault_value", "scan_plain"]

#: The last row and column of a sheet in the format; XFD is column 16,384.
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384

#: The errors that calamine knows; it gives up a sheet with any other.
CALAMINE_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})

_BLOCK = 16 << 20
_REFERENCE = 10  # bytes: XFD1048576

_CELL = re.compile(rb'<c(?=[\s/>])(?: r="([A-Z]{1,3}[0-9]{1,7})")?')
#: A formula with a value, which is most of them.
_SOUND_FORMULA = re.compile(
    rb'<c r="[A-Z0-9]+"(?: s="[0-9]+")?(?: t="(?:n|b|s|str)")?><f[^<>]*>[^<]*</f><v>[^<]+</v></c>'
)
_FORMULA, _SUSPECT = re.compile(rb"<f[\s/>]"), re.compile(rb'<f[\s/>]|"e"')
_ROW = re.compile(rb"<row ([^<>]*)>")
_HIDDEN = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true)["']""")

_PREFIXED = re.compile(rb":c[\s/>]")
#: The plain form has no comments, CDATA sections, processing instructions, single quotes.
_UNUSUAL = (b"<!", b"<?", b"='")
#: Nor a value that something other than the end of its cell follows, nor one with entities.
_AFTER_VALUE = re.compile(rb"</(?:v|is)>(?!</c>)")
#: Nor the number of a shared string that is none: calamine would take the first string.
#: (NOTE: no pattern here looks on for more than a tag, or a hostile file would take for ever.)
_ODD_STRING = re.compile(rb'"s"(?:[^<>]{65}|[^<>]{0,64}>(?!<v>[0-9]{1,9}</v>))')
_ENTITY_IN_VALUE = re.compile(rb"<v(?:\s[^<>]*)?>[^<&]*&")


@dataclass(frozen=True)
class Scan:
    """What is known of a sheet before it is read.

    Attributes:
        cells: How many cells there are.
        area: How many cells the rectangle around them has.
        faults: The cells that hold no text.
        hidden_rows: How many rows with cells are hidden.
        merged_cells: How many ranges are merged into one cell.
    """

    cells: int
    area: int
    faults: tuple[CellFault, ...] = ()
    hidden_rows: int = 0
    merged_cells: int = 0


def fault_value(kind: str | None, formula: str | None, value: str | None) -> str | None:
    """Say what stands in a cell instead of text, or None where it holds text or nothing.

    Args:
        kind: The cell's type, ``e`` for an error.
        formula: Its formula, '' where it is shared, None where it has none.
        value: Its stored value, None where it has none.
    """
    if kind == "e":
        return value or "#ERROR!"
    # A formula whose result is the empty text stores just that.
    if formula is not None and not value and not (kind == "str" and value == ""):
        return f"={formula}"
    return None


def scan_plain(data: bytes, url: str, limits: ReadLimits) -> Scan | None:
    """Look over a sheet, or give None where its XML is not of the plain form.

    Raises:
        CorruptFileError: A cell lies outside of any sheet.
    """
    extent = None if _is_unusual(data) else _extent(data, url)
    if extent is None or extent[1] > limits.max_cells:
        return None
    faults = _faults(data)
    if faults is None:
        return None
    return Scan(*extent, faults, _hidden_rows(data), data.count(b"<mergeCell "))


def _is_unusual(data: bytes) -> bool:
    return (
        any(data.find(mark, 1) > 0 for mark in _UNUSUAL)
        or (b":c" in data and _PREFIXED.search(data) is not None)
        or _AFTER_VALUE.search(data) is not None
        or _ODD_STRING.search(data) is not None
        or (b"&" in data and _ENTITY_IN_VALUE.search(data) is not None)
    )


def _extent(data: bytes, url: str) -> tuple[int, int] | None:
    """Count the cells and their rectangle; None unless each is named and they are in order."""
    count, last = 0, -1
    top = left = MAX_ROW
    bottom = right = 0
    for references in _references(data):
        if b"" in references:
            return None
        rows, columns = positions(np.array(references, dtype=f"S{_REFERENCE}"))
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


def positions(references: np.ndarray[Any, Any]) -> tuple[Any, Any]:
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


def _faults(data: bytes) -> tuple[CellFault, ...] | None:
    """Find the cells that hold no text; None where one of them cannot be told for sure."""
    if b'"e"' not in data and not _FORMULA.search(data):
        return ()
    names, values, done = [], [], 0
    while match := _SUSPECT.search(data, done):
        # Each byte is searched once: what lies before `done` is never looked at again.
        start = data.rfind(b"<c ", done, match.start())
        done = match.end()
        if start < 0:
            continue
        done = data.find(b"</c>", done)
        if done < 0:
            break
        sound = _SOUND_FORMULA.match(data, start)
        if sound:
            done = sound.end()
            continue
        try:
            cell = ET.fromstring(data[start : done + len(b"</c>")])  # noqa: S314 - no entities here
        except ET.ParseError:
            return None
        value = fault_value(cell.get("t"), _child_text(cell, "f"), _cell_value(cell))
        if value is None:
            continue
        if cell.get("t") == "e" and value not in CALAMINE_ERRORS:
            return None
        names.append(cell.get("r", "").encode())
        values.append(value)
    rows, columns = positions(np.array(names, dtype=f"S{_REFERENCE}"))
    return tuple(map(CellFault, rows.tolist(), (columns - 1).tolist(), values))


def _cell_value(cell: ET.Element) -> str | None:
    inline = cell.find("is")
    return _child_text(cell, "v") if inline is None else "".join(inline.itertext())


def _child_text(cell: ET.Element, name: str) -> str | None:
    child = cell.find(name)
    return None if child is None else child.text or ""
