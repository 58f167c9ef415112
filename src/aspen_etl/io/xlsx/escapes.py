"""Resolve ``_x000D_`` in the text of cells, where calamine does not (before 0.5 or so).

A workbook writes characters that XML cannot hold, and most carriage returns, in this form
(ECMA-376, part 1, 22.9.2.19, ST_Xstring).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from python_calamine import load_workbook

from aspen_etl.io.xlsx.assembly import assemble

__all__ = ["resolve"]

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PROBE = (
    b'<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>_x0041_</v></c></row></sheetData>'
    b"</worksheet>"
)


def resolve(values: np.ndarray[Any, Any]) -> None:
    """Resolve the escapes in an array of cells, in place, unless calamine has done it."""
    if _calamine_resolves():
        return
    held = [i for i, value in enumerate(values) if isinstance(value, str) and "_x" in value]
    for i in held:
        values[i] = _ESCAPE.sub(_character, values[i])


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)  # noqa: PLR2004 - the surrogates


@lru_cache(maxsize=1)
def _calamine_resolves() -> bool:
    sheet = load_workbook(assemble([_PROBE], None)).get_sheet_by_index(0)
    return bool(sheet.to_python() == [["A"]])
