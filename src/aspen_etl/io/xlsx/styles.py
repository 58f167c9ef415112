"""Find the formats of a workbook that show a number as a date, a time or a duration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from aspen_etl.errors import CorruptFileError
from aspen_etl.io.xlsx.package import Package
from aspen_etl.io.xlsx.serial import Shown

__all__ = ["Styles", "read_styles"]

#: The formats that every workbook has without naming them (ECMA-376, part 1, 18.8.30).
_BUILT_IN: Mapping[int, Shown] = {
    **dict.fromkeys((14, 15, 16, 17, 22), Shown.DATE),
    **dict.fromkeys((18, 19, 20, 21, 45, 47), Shown.TIME),
    46: Shown.DURATION,
}

#: What stands in a format to be shown as it is: quoted, escaped, padding, and its other sections.
_LITERAL = re.compile(r'"[^"]*(?:"|\Z)|[\\_*].?|;.*|general', re.DOTALL | re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_DAYS, _HOURS, _MONTH = re.compile(r"[yd]|m{3}"), re.compile(r"[hs]"), re.compile(r"m")


#: What begins a list of formats, of which two matter: a format of a cell has the name of others.
_LISTS = frozenset({"numFmts", "cellXfs", "cellStyleXfs", "cellStyles", "dxfs", "extLst"})


@dataclass(frozen=True)
class Styles:
    """The formats of a workbook's cells.

    Attributes:
        count: How many there are.
        dates: What those of dates and times show, by their number.
    """

    count: int = 0
    dates: Mapping[int, Shown] = field(default_factory=dict)


def read_styles(package: Package, part: str) -> Styles:
    """Read which formats show a number as a date or a time.

    Raises:
        CorruptFileError: The part is not well-formed, or a format has no number.
    """
    formats: dict[int, str] = {}
    cells: list[int] = []
    place = ""
    for tag, attributes in package.tags(part, {*_LISTS, "numFmt", "xf"}):
        if tag in _LISTS:
            place = tag
        elif place == "numFmts" and tag == "numFmt":
            formats[_number(attributes, package.url)] = attributes.get("formatCode", "")
        elif place == "cellXfs" and tag == "xf":
            cells.append(_number(attributes, package.url))
    found = {each: _shown(formats.get(each), each) for each in set(cells)}
    shown = ((number, found[each]) for number, each in enumerate(cells))
    return Styles(len(cells), {number: kind for number, kind in shown if kind is not None})


def _number(attributes: Mapping[str, str], url: str) -> int:
    text = attributes.get("numFmtId", "0")
    if not re.fullmatch("[0-9]{1,9}", text):
        raise CorruptFileError.at(url, "a number format of it has no number")
    return int(text)


def _shown(code: Optional[str], number: int) -> Optional[Shown]:
    if code is None:
        return _BUILT_IN.get(number)
    tokens = _LITERAL.sub("", code)
    if _ELAPSED.search(tokens):
        return Shown.DURATION
    tokens = _BRACKETS.sub("", tokens).lower()
    if _DAYS.search(tokens):
        return Shown.DATE
    if _HOURS.search(tokens):
        return Shown.TIME
    return Shown.DATE if _MONTH.search(tokens) else None
