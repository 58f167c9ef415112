"""Say what text a cell of a workbook is, from what its XML says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional, Union

from aspen_etl.io.xlsx.number import XML_SPACE, Reject, number_text
from aspen_etl.io.xlsx.serial import serial_text
from aspen_etl.io.xlsx.styles import Styles

__all__ = ["CellError", "Cells"]

_BOOLEANS = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}
_ISO = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?P<fraction>\.[0-9]{1,6})?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_MIDNIGHT = "00:00:00"


class CellError(Exception):
    """A cell is not what the format allows; the text says how, and not what it holds."""


@dataclass(frozen=True)
class Cells:
    """What one must know of a workbook to read its cells.

    Attributes:
        styles: Its formats.
        is_1904: Whether its calendar begins in 1904.
        strings: How many shared strings it has.
    """

    styles: Styles = field(default_factory=Styles)
    is_1904: bool = False
    strings: int = 0

    def text(
        self,
        kind: Optional[str],
        style: Optional[str],
        formula: Optional[str],
        value: Optional[str],
    ) -> Union[str, Reject, None]:
        """Say what a cell holds.

        Args:
            kind: Its type, None where it has none.
            style: The number of its format, None where it has none.
            formula: Its formula, '' where it is shared, None where it has none.
            value: Its stored value, None where it has none.

        Returns:
            The text; what it holds in place of text; or None where it is empty, or its value
            is the text or the number of a shared string.

        Raises:
            CellError: It is not what the format allows.
        """
        if kind == "e":
            return Reject(value or "#ERROR!", "excel_error")
        # A formula whose result is the empty text stores just that.
        if formula is not None and not value and not (kind == "str" and value == ""):
            return Reject(f"={formula}", "excel_error")
        if not value:
            return None
        if kind == "b":
            return _BOOLEANS.get(value.strip(XML_SPACE), value)
        if kind == "d":
            return _iso_text(value.strip(XML_SPACE))
        return self._number(kind, style, value) if kind in {None, "n"} else None

    def _number(self, kind: Optional[str], style: Optional[str], value: str) -> Union[str, Reject]:
        number = int(style) if style is not None and style.isdecimal() else 0
        if number >= max(self.styles.count, 1):
            raise CellError("names a format that is not there")
        shown = self.styles.dates.get(number)
        if shown is None:
            text = number_text(value)
        else:
            text = serial_text(value, shown, is_1904=self.is_1904)
        if text is None and kind is not None:
            raise CellError("is marked as a number and holds none")
        return value if text is None else text


def _iso_text(value: str) -> str:
    """Give a point in time as other cells give it, and anything else as it is."""
    match = _ISO.fullmatch(value)
    if match is None:
        return value
    fraction, zone = match["fraction"], match["zone"] or ""
    tail = f".{fraction[1:]:0<6}" if fraction and fraction.strip(".0") else ""
    if match["time"] == _MIDNIGHT and not tail and not zone:
        return match["date"]
    return f"{match['date']} {match['time']}{tail}{'+00:00' if zone == 'Z' else zone}"
