"""Write a sheet anew in the one form in which calamine reads every cell right.

Unnamed cells are named, prefixes dropped, entities and CDATA sections resolved, cells put in
order; what holds no text is left out and told. It takes a real parser, and so several times as
long as ``sheet_xml``, which is why only unusual sheets come here.
"""

from __future__ import annotations

import re
from typing import Optional, Union
from xml.sax.saxutils import escape

import numpy as np

from aspen_etl.errors import CorruptFileError, LimitExceededError
from aspen_etl.io.reading import CellFault
from aspen_etl.io.xlsx.cell import CellError, Cells
from aspen_etl.io.xlsx.number import Reject
from aspen_etl.io.xlsx.package import Package
from aspen_etl.io.xlsx.sheet_xml import MAX_COLUMN, MAX_ROW, Scan, wrapped
from aspen_etl.io.xlsx.strings import RETURN
from aspen_etl.io.xlsx.xml import XmlParser

__all__ = ["rewrite"]

_NAME = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_INDEX = re.compile(r"[0-9]{1,9}")
_TYPES = frozenset({None, "n", "s", "b", "d", "str", "e", "inlineStr"})


def rewrite(data: bytes, part: str, cells: Cells, package: Package) -> Scan:
    """Write a sheet anew, and say what is known of it.

    Raises:
        CorruptFileError: It is not well-formed, or a cell is there twice, outside of the
            sheet, or not what the format allows.
        LimitExceededError: It has more cells than the limits allow, or is nested too deep.
    """
    reader = _Reader(part, cells, package)
    reader.parser.parse([data])
    rows, columns = np.array(reader.rows, dtype=int), np.array(reader.columns, dtype=int)
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    same_row = np.diff(rows) == 0
    if (same_row & (np.diff(columns) == 0)).any():
        raise CorruptFileError.at(package.url, f"a cell stands in its part {part!r} twice")
    written = [reader.cells[i] for i in order.tolist()]
    for i in (np.flatnonzero(~same_row) + 1).tolist():
        written[i] = f"</row><row>{written[i]}"
    area = int(np.ptp(rows) + 1) * int(np.ptp(columns) + 1) if written else 0
    return Scan(
        wrapped(f"<row>{''.join(written)}</row>".encode()),
        len(written),
        area,
        tuple(reader.faults),
        reader.hidden_rows,
        reader.merged_cells,
    )


class _Reader:
    """Gather the cells of a sheet from a parser's events, where calamine would see them."""

    def __init__(self, part: str, cells: Cells, package: Package) -> None:
        # NOTE: three lists of plain values, and no list of tuples: the garbage collector would
        # walk over millions of those again and again.
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.cells: list[str] = []
        self.faults: list[CellFault] = []
        self.hidden_rows = self.merged_cells = 0
        self.parser = XmlParser(package.url, part, package.limits)
        self.parser.start, self.parser.end = self._start, self._end
        self._part, self._package, self._known = part, package, cells
        self._row, self._column = 1, 1
        self._is_among_rows = self._row_is_hidden = False
        self._cell: Optional[dict[str, str]] = None
        self._place = (0, 0)
        self._depth = self._phonetic = 0
        self._texts: dict[str, list[str]] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._cell is not None:
            self._start_inside(name)
        elif name == "sheetData":
            self._is_among_rows = True
        elif name == "mergeCell":
            self.merged_cells += 1
        elif self._is_among_rows and name == "c":
            self._cell, self._texts = attributes, {}
            self._place = self._locate(attributes.get("r"))
        elif self._is_among_rows and name == "row":
            number = attributes.get("r")
            self._row = self._number(number) if number is not None else self._row
            self._row_is_hidden = attributes.get("hidden") in {"1", "true"}

    def _start_inside(self, name: str) -> None:
        """Take the text from here on: of a value, a formula, or a run of inline text."""
        self._depth += 1
        if self._depth == 1 and name in {"v", "f", "is"}:
            if name in self._texts:
                raise self._wrong("holds two values")
            self._texts[name] = []
            if name != "is":
                self.parser.text_goes_to(self._texts[name].append)
        elif name == "rPh":
            self._phonetic = self._phonetic or self._depth
        elif name == "t" and "is" in self._texts and not self._phonetic:
            self.parser.text_goes_to(self._texts["is"].append)

    def _end(self, name: str) -> None:
        if self._cell is None:
            if name == "row":
                self._row, self._column = self._row + 1, 1
                self._row_is_hidden = False
            elif name == "sheetData":
                self._is_among_rows = False
        elif self._depth:
            self.parser.text_goes_to(None)
            self._phonetic = 0 if self._phonetic == self._depth else self._phonetic
            self._depth -= 1
        else:
            self._take(self._cell)
            self._cell = None

    def _take(self, cell: dict[str, str]) -> None:
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        inline = texts.get("is")
        value = texts.get("v") if inline is None else inline
        kind = "inlineStr" if inline is not None else cell.get("t")
        (row, column), self._column = self._place, self._place[1] + 1
        self.hidden_rows += self._row_is_hidden
        self._row_is_hidden = False
        text = self._text(kind, cell.get("s"), texts.get("f"), value)
        if isinstance(text, Reject):
            self.faults.append(CellFault(row, column - 1, text.value, text.rule))
        elif text or value:
            self._write(row, column, "s" if kind == "s" else "str", text or value or "")

    def _text(
        self,
        kind: Optional[str],
        style: Optional[str],
        formula: Optional[str],
        value: Optional[str],
    ) -> Union[str, Reject, None]:
        if kind not in _TYPES:
            raise self._wrong("is of an unknown type")
        if kind == "s" and value and not self._is_shared(value):
            raise self._wrong("names no shared string")
        failure = ""
        try:
            return self._known.text(kind, style, formula, value)
        except CellError as error:
            failure = str(error)
        raise self._wrong(failure)

    def _is_shared(self, value: str) -> bool:
        return _INDEX.fullmatch(value) is not None and int(value) < self._known.strings

    def _write(self, row: int, column: int, kind: str, text: str) -> None:
        limits = self._package.limits
        if len(self.cells) >= limits.max_cells:
            raise LimitExceededError.of(
                self._package.url,
                "the cells of a sheet are",
                limit="max_cells",
                allowed=limits.max_cells,
                found=len(self.cells) + 1,
            )
        self.rows.append(row)
        self.columns.append(column)
        name = f"{_letters(column)}{row}"
        self.cells.append(f'<c r="{name}" t="{kind}"><v>{escape(text, RETURN)}</v></c>')

    def _locate(self, name: str | None) -> tuple[int, int]:
        if name is None:
            row, column = self._row, self._column
        else:
            match = _NAME.fullmatch(name)
            if match is None:
                raise self._outside()
            column = 0
            for letter in match[1].upper():
                column = column * 26 + ord(letter) - ord("A") + 1
            row = int(match[2])
        if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
            raise self._outside()
        return row, column

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,7}", text):
            raise self._outside()
        return int(text)

    def _outside(self) -> CorruptFileError:
        return CorruptFileError.at(self._package.url, "a cell lies outside of its sheet")

    def _wrong(self, what: str) -> CorruptFileError:
        row, column = self._place
        return CorruptFileError.at(
            self._package.url, f"the cell {_letters(column)}{row} of its part {self._part!r} {what}"
        )


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
