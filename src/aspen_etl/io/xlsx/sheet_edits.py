"""Find the cells of a sheet that calamine would guess at, and write text in their place.

Those are numbers that a double may not hold, dates, booleans, errors and formulas: few in most
sheets, and each is looked at alone. All other cells are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Optional
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from aspen_etl.io.xlsx.cell import CellError, Cells
from aspen_etl.io.xlsx.number import Reject

__all__ = ["below", "edited"]

#: A number of which a double holds each digit: up to 15 of them.
_SURE = rb"-?(?:[0-9]{1,15}|(?=[0-9.]{3,16}<)[0-9]+\.[0-9]+)</v>"
#: A value that calamine may take for another number; NaN, infinity and 1.#QNAN are none.
_NUMBER = re.compile(rb"<v(?:[\s/]|>(?!" + _SURE + rb")(?=[-+.#0-9a-fA-FiInNqQsStTyY\s]+</v))")
#: A formula that no value follows.
_FORMULA = re.compile(rb"<f(?=[\s/>])(?![^<>]*>(?:[^<]*</f>)?<v>[^<]+</v></c>)")
#: An error, a date in ISO 8601, or a boolean that is none.
_KIND = re.compile(rb' t="(?:[ed]"|b"[^<>]{0,64}>(?!<v>[01]</v>))')
_STYLE = re.compile(rb' s="([0-9]{1,6})"')
#: So many formats of dates are searched for at once.
_MOST_STYLES = 64

_PLAIN = re.compile(
    rb'<c r="([A-Z0-9]+)"(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?(?:/>|>'
    rb"(?:(<f)(?:\s[^<>]*)?(?:(?<=/)>|>([^<]*)</f>))?(?:<v>([^<]*)</v>|<v/>)?</c>)"
)


class _Cell(NamedTuple):
    """One cell as it is written."""

    end: int
    name: bytes
    kind: Optional[str]
    style: Optional[str]
    formula: Optional[str]
    value: Optional[str]


def edited(rows: bytes, cells: Cells) -> Optional[tuple[bytes, list[tuple[bytes, Reject]]]]:
    """Write text where calamine would guess, and empty the cells that hold none.

    Args:
        rows: The rows of a sheet in plain form.
        cells: How to read them.

    Returns:
        The rows, and the cells that cannot be taken by name; None where the form of one of
        them is not plain, or it is wrong.
    """
    styles = _style_pattern(rows, cells)
    if styles is None:
        return None
    patterns = (_NUMBER, _FORMULA, _KIND, styles)
    places = sorted({found.start() for pattern in patterns for found in pattern.finditer(rows)})

    pieces, rejects, done = [], [], 0
    try:
        for start, cell in _at(rows, places):
            text = cells.text(cell.kind, cell.style, cell.formula, cell.value)
            if text is None:
                continue
            if isinstance(text, Reject):
                rejects.append((cell.name, text))
                made = b'<c r="%b"/>' % cell.name
            else:
                made = b'<c r="%b" t="str"><v>%b</v></c>' % (cell.name, escape(text).encode())
            pieces += [rows[done:start], made]
            done = cell.end
    except (CellError, ET.ParseError):
        return None
    return b"".join([*pieces, rows[done:]]) if pieces else rows, rejects


def _at(rows: bytes, places: list[int]) -> Iterator[tuple[int, _Cell]]:
    """Give the cells around some places, each once, and where they begin."""
    done = 0
    for place in places:
        # Each byte is searched once: what lies before `done` is never looked at again.
        start = rows.rfind(b"<c ", done, place) if place >= done else -1
        if start < 0:
            done = max(done, place)
            continue
        cell = _cell(rows, start)
        done = cell.end
        yield start, cell


def _cell(rows: bytes, start: int) -> _Cell:
    found = _PLAIN.match(rows, start)
    if found is None or b"&" in found[0]:
        return _parsed(rows, start)
    name, style, kind, formula, written, value = found.groups()
    return _Cell(
        found.end(),
        name,
        None if kind is None else kind.decode(),
        None if style is None else style.decode(),
        None if formula is None else (written or b"").decode(),
        None if value is None else value.decode(),
    )


def _parsed(rows: bytes, start: int) -> _Cell:
    end = rows.find(b"</c>", start) + len(b"</c>")
    cell = ET.fromstring(rows[start:end])  # noqa: S314 - no entities here
    inline = cell.find("is")
    value = cell.findtext("v") if inline is None else "".join(inline.itertext())
    name = cell.get("r", "").encode()
    return _Cell(end, name, cell.get("t"), cell.get("s"), cell.findtext("f"), value)


# ----------------------------------------------------------------------------- patterns


def _style_pattern(rows: bytes, cells: Cells) -> Optional[re.Pattern[bytes]]:
    dates = frozenset(cells.styles.dates)
    if len(dates) > _MOST_STYLES:
        dates &= {int(number) for number in set(_STYLE.findall(rows))}
    return None if len(dates) > _MOST_STYLES else _date_or_none(dates, cells.styles.count)


@lru_cache(maxsize=8)
def _date_or_none(dates: frozenset[int], count: int) -> re.Pattern[bytes]:
    """Find the number of a date's format, or of a format that is not there."""
    listed = rb"".join(rb"%d\"|" % number for number in sorted(dates))
    return re.compile(rb' s="(?:' + listed + rb"(?!(?:" + below(max(count, 1)) + rb')"))')


def below(count: int) -> bytes:
    """Give a pattern of the whole numbers that are less than ``count``."""
    digits = str(count)
    shorter = [rb"[0-9]{1,%d}" % (len(digits) - 1)] if len(digits) > 1 else []
    as_long = [
        b"%b[0-%d][0-9]{%d}" % (digits[:i].encode(), int(digit) - 1, len(digits) - i - 1)
        for i, digit in enumerate(digits)
        if digit != "0"
    ]
    return b"|".join([*shorter, *as_long]) or b"(?!)"
