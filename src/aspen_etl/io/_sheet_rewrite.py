"""Write a sheet anew in the one form in which calamine reads every cell right.

Unnamed cells are named, prefixes dropped, entities and CDATA sections resolved, cells put in
order; what holds no text is left out and told. It takes a real parser, and so several times as
long as ``_sheet_xml``, which is why only unusual sheets come here.
"""

from __future__ import annotations

import re
from typing import Optional
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np

from aspen_etl.errors import CorruptFileError
from aspen_etl.io._package import parse_xml, xml_parser
from aspen_etl.io._sheet_xml import MAX_COLUMN, MAX_ROW, Scan, fault_value
from aspen_etl.io.raw import CellFault

__all__ = ["rewrite"]

_NAME = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_INDEX = re.compile(r"[0-9]{1,9}")
_TYPES = frozenset({"n", "s", "b", "d", "str", "e", "inlineStr"})
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DEEPEST = 100
#: A raw carriage return would become a line feed.
_RETURN = {"\r": "&#13;"}


def rewrite(data: bytes, url: str, part: str) -> tuple[bytes, Scan]:
    """Write a sheet anew, and say what is known of it.

    Raises:
        CorruptFileError: It is not well-formed, or a cell is there twice, outside of the
            sheet, or of an unknown type.
    """
    parser = xml_parser()
    reader = _Reader(parser, url)
    parse_xml(parser, data, url, part)
    rows, columns = np.array(reader.rows, dtype=int), np.array(reader.columns, dtype=int)
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    same_row = np.diff(rows) == 0
    if (same_row & (np.diff(columns) == 0)).any():
        raise CorruptFileError.at(url, "a cell stands in its sheet twice")
    cells = [reader.cells[i] for i in order.tolist()]
    for i in (np.flatnonzero(~same_row) + 1).tolist():
        cells[i] = f"</row><row>{cells[i]}"
    found = f"<sheetData><row>{''.join(cells)}</row></sheetData>"
    area = int(np.ptp(rows) + 1) * int(np.ptp(columns) + 1) if cells else 0
    scan = Scan(len(cells), area, tuple(reader.faults), reader.hidden_rows, reader.merged_cells)
    return f'<worksheet xmlns="{_SPREADSHEET}">{found}</worksheet>'.encode(), scan


class _Reader:
    """Gather the cells of a sheet from a parser's events, where calamine would see them."""

    def __init__(self, parser: expat.XMLParserType, url: str) -> None:
        # NOTE: three lists of plain values, and no list of tuples: the garbage collector would
        # walk over millions of those again and again.
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.cells: list[str] = []
        self.faults: list[CellFault] = []
        self.hidden_rows = self.merged_cells = 0
        self._url = url
        self._parser = parser
        self._row, self._column = 1, 1
        self._row_is_hidden = False
        self._cell: Optional[dict[str, str]] = None
        self._place = (0, 0)
        self._level = self._depth = self._phonetic = 0
        self._texts: dict[str, list[str]] = {}
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._level += 1
        if self._level > _DEEPEST:
            raise CorruptFileError.at(self._url, "its XML is nested without end")
        if self._cell is not None:
            self._start_inside(name)
        elif name == "c":
            self._cell, self._texts = attributes, {}
            self._place = self._locate(attributes.get("r"))
        elif name == "row":
            number = attributes.get("r")
            self._row = self._number(number) if number is not None else self._row
            self._row_is_hidden = attributes.get("hidden") in {"1", "true"}
        elif name == "mergeCell":
            self.merged_cells += 1

    def _start_inside(self, name: str) -> None:
        """Take the text from here on: of a value, a formula, or a run of inline text."""
        self._depth += 1
        if self._depth == 1 and name in {"v", "f", "is"}:
            self._texts[name] = []
            if name != "is":
                self._parser.CharacterDataHandler = self._texts[name].append
        elif name == "rPh":
            self._phonetic = self._depth
        elif name == "t" and "is" in self._texts and not self._phonetic:
            self._parser.CharacterDataHandler = self._texts["is"].append

    def _end(self, tag: str) -> None:
        self._level -= 1
        if self._cell is None:
            if tag.rpartition(":")[2] == "row":
                self._row, self._column = self._row + 1, 1
                self._row_is_hidden = False
        elif self._depth:
            self._parser.CharacterDataHandler = None
            self._phonetic = 0 if self._phonetic == self._depth else self._phonetic
            self._depth -= 1
        else:
            self._take(self._cell)
            self._cell = None

    def _take(self, cell: dict[str, str]) -> None:
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        inline = texts.get("is")
        value = texts.get("v") if inline is None else inline
        kind = "inlineStr" if inline is not None else cell.get("t", "n")
        if kind not in _TYPES:
            raise CorruptFileError.at(self._url, "a cell is of an unknown type")
        if kind == "s" and value and not _INDEX.fullmatch(value):
            raise CorruptFileError.at(self._url, "a cell names no shared string")
        (row, column), self._column = self._place, self._place[1] + 1
        self.hidden_rows += self._row_is_hidden
        self._row_is_hidden = False
        fault = fault_value(kind, texts.get("f"), value)
        if fault is not None:
            self.faults.append(CellFault(row, column - 1, fault))
        elif value:
            style = cell.get("s", "")
            style = f' s="{style}"' if style.isdecimal() else ""
            text = escape(value, _RETURN)
            text = (
                f'<is><t xml:space="preserve">{text}</t></is>'
                if kind == "inlineStr"
                else f"<v>{text}</v>"
            )
            name = f"{_letters(column)}{row}"
            self.rows.append(row)
            self.columns.append(column)
            self.cells.append(f'<c r="{name}"{style} t="{kind}">{text}</c>')

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
        return CorruptFileError.at(self._url, "a cell lies outside of its sheet")


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
