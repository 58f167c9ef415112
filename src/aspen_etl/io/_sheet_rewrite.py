"""Write a sheet anew in the one form in which calamine reads every cell right.

Unnamed cells are named, prefixes dropped, entities and CDATA sections resolved, cells put in
order; what holds no text is left out and told. It takes a real parser, and so several times as
long as ``_sheet_xml``, which is why only unusual sheets come here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Optional
from xml.parsers import expat
from xml.sax.saxutils import escape

from aspen_etl.errors import CorruptFileError
from aspen_etl.io._package import parse_xml, xml_parser
from aspen_etl.io._sheet_xml import MAX_COLUMN, MAX_ROW, Scan, fault_value
from aspen_etl.io.raw import CellFault

__all__ = ["rewrite"]

_NAME = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_INDEX = re.compile(r"[0-9]{1,9}")
_TYPES = frozenset({"n", "s", "b", "d", "str", "e", "inlineStr"})
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
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
    cells = sorted(reader.cells, key=itemgetter(0, 1))
    places = [cell[:2] for cell in cells]
    if any(one == two for one, two in zip(places, places[1:])):
        raise CorruptFileError.at(url, "a cell stands in its sheet twice")
    rows = "".join(
        f'<row r="{row}">{"".join(map(itemgetter(2), group))}</row>'
        for row, group in groupby(cells, key=itemgetter(0))
    )
    xml = f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>{rows}</sheetData></worksheet>'
    scan = Scan(
        len(cells), _area(places), tuple(reader.faults), reader.hidden_rows, reader.merged_cells
    )
    return xml.encode(), scan


def _area(places: list[tuple[int, int]]) -> int:
    if not places:
        return 0
    columns = [column for _, column in places]
    return (places[-1][0] - places[0][0] + 1) * (max(columns) - min(columns) + 1)


class _Reader:
    """Gather the cells of a sheet from a parser's events, where calamine would see them."""

    def __init__(self, parser: expat.XMLParserType, url: str) -> None:
        self.cells: list[tuple[int, int, str]] = []
        self.faults: list[CellFault] = []
        self.hidden_rows = self.merged_cells = 0
        self._url = url
        self._parser = parser
        self._row, self._column = 1, 1
        self._row_is_hidden = False
        self._cell: Optional[dict[str, str]] = None
        self._place = (0, 0)
        self._path: list[str] = []
        self._texts: dict[str, list[str]] = {}
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if self._cell is not None:
            self._path.append(name)
            if name in {"v", "f", "is"} and len(self._path) == 1:
                self._texts[name] = []
            self._parser.CharacterDataHandler = self._collector()
        elif name == "c":
            self._cell, self._texts = attributes, {}
            self._place = self._locate(attributes.get("r"))
        elif name == "row":
            number = attributes.get("r")
            self._row = self._number(number) if number is not None else self._row
            self._row_is_hidden = attributes.get("hidden") in {"1", "true"}
        elif name == "mergeCell":
            self.merged_cells += 1

    def _collector(self) -> Optional[Callable[[str], None]]:
        """Give what takes the text here: of a value, a formula, or a run of inline text."""
        path = self._path
        if path in (["v"], ["f"]) or (path[0] == "is" and path[-1] == "t" and "rPh" not in path):
            return self._texts[path[0]].append
        return None

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if self._cell is not None:
            self._parser.CharacterDataHandler = None
            if self._path:
                self._path.pop()
            else:
                self._take(self._cell)
                self._cell = None
        elif name == "row":
            self._row, self._column = self._row + 1, 1
            self._row_is_hidden = False

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
            self.cells.append((row, column, f'<c r="{name}"{style} t="{kind}">{text}</c>'))

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
