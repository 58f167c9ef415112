"""Numbers: whole ones, and decimals as the source writes them, by example."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.inference.kind import Kind, text_kind

__all__ = ["number_kind"]

_WHOLE = "-?[0-9]+"
_PLAIN = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_POWER = r"-?[0-9]+(?:\.[0-9]+)?[eE][-+]?[0-9]+"
_LEADING_ZERO = "[^0-9]*0[0-9].*"
#: A number in any form: what stands before its digits, these, and what stands behind them.
_ANY = re.compile(
    r"(?P<lead>[^0-9,.']*)(?P<digits>[0-9](?:[0-9,.' \u2019]*[0-9])?)(?P<tail>[^0-9]*)"
)
_SIGNS = re.compile("[-()]")
_ISO_CURRENCY = re.compile("[A-Z]{3}")
_SYMBOLS = tuple("$\u00a3\u00a5\u20ac\u20b9\u20bd")


class _Body(NamedTuple):
    """How thousands and the fraction are parted."""

    group: str
    point: str

    def example(self, lead: str, tail: str) -> str:
        return f"{lead}1{self.group}234{self.point}50{tail}"


_PLAIN_BODY = _Body("", ".")
_BODIES = (
    *(_Body(",", "."), _Body(".", ","), _Body(" ", ","), _Body(" ", ".")),
    *(_Body("'", "."), _Body("'", ","), _Body("\u2019", "."), _Body("", ",")),
)

#: How many cells are looked at first: what does not fit mostly shows at once.
_GLANCE = 100
#: Room for all digits that a decimal can have.
_ROOM = (("precision", 38), ("scale", 18))
_PRECISIONS = (12, 18, 38)
_LEAST_SCALE, _SPARE, _NOISE_DIGITS = 2, 2, 16

_COMMA = "numbers, but is a comma or point one of thousands? declare the format="
_NOISE = "numbers of 16 digits and more, as floats: declare the type, and a cleaner"
_POWERS = "numbers such as 1e-3: declare the type, and a cleaner that writes them out"


def number_kind(cells: pd.Series, /) -> Optional[Kind]:
    """Give the number that all cells are; text with a note where they may be other ones.

    Args:
        cells: Each text that stands there, once; one at the least.
    """
    if COLUMNS.matches(cells, _WHOLE).all():
        whole = Kind("integer")
        return whole if whole.fits(cells) else None
    if COLUMNS.matches(cells, _PLAIN).all():
        return _sized(cells, _PLAIN_BODY, ())
    if COLUMNS.matches(cells, f"{_PLAIN}|{_POWER}").all():
        return text_kind(cells).noting(_POWERS)
    if COLUMNS.matches(cells, _LEADING_ZERO).any():  # as identifiers have
        return None
    return _by_example(cells)


def _by_example(cells: pd.Series) -> Optional[Kind]:
    """Find how the source writes its decimals; where two ways read them differently, it is text."""
    parts = _around(cells.iloc[:_GLANCE]) and _around(cells)
    if parts is None:
        return None
    lead, tail = parts
    bodies = _BODIES if not (lead or tail) else (*_BODIES, _PLAIN_BODY)
    found = []
    for body in bodies:
        kind = Kind("decimal", (*_ROOM, ("format", body.example(lead, tail))))
        if kind.fits(cells.iloc[:_GLANCE]):
            found.append((kind, body))
    if len(found) > 1:
        found = [(kind, body) for kind, body in found if kind.fits(cells)]
    if not found:
        return None
    (first, body), *others = found
    if others:
        read = first.reads(cells)
        if any(COLUMNS.differ(read, other.reads(cells)).any() for other, _ in others):
            return text_kind(cells).noting(_COMMA)
    out = _sized(cells, body, (("format", body.example(lead, tail)),))
    return out if out.fits(cells) else None


def _around(cells: pd.Series) -> Optional[tuple[str, str]]:
    """Give what stands before and behind the digits of an example, if cells are numbers."""
    parts = [_ANY.fullmatch(text) for text in cells.to_numpy(dtype=object)]
    if not all(parts):
        return None
    around = {(part["lead"], part["tail"]) for part in parts if part}
    bare = {tuple(_SIGNS.sub("", side).strip(" ") for side in pair) for pair in around}
    is_parted = any(not part["digits"].isdigit() for part in parts if part)
    if len(bare) > 1 or not _is_money("".join(*bare), is_parted=is_parted):
        return None
    signed = sorted(pair for pair in around if _SIGNS.search("".join(pair)))
    lead, tail = (signed or sorted(around))[0]
    # A minus before all else is how every number may begin.
    return (lead[1:].lstrip(" ") if lead.startswith("-") else lead), tail


def _is_money(mark: str, *, is_parted: bool) -> bool:
    """Tell whether digits with this mark are numbers; those of nothing but digits are a name."""
    is_word = bool(mark) and _ISO_CURRENCY.fullmatch(mark) is None
    return mark in _SYMBOLS or (is_parted and not is_word)


def _sized(cells: pd.Series, body: _Body, form: Sequence[tuple[str, str]]) -> Kind:
    """Give the decimal with the digits that the cells need, and some to spare."""
    found = [_ANY.fullmatch(text.lstrip("-")) for text in cells.to_numpy(dtype=object)]
    parts = [
        (part["digits"].replace(body.group, "") if body.group else part["digits"]).partition(
            body.point
        )
        for part in found
        if part
    ]
    scale = max(_LEAST_SCALE, *(len(fraction.rstrip("0")) for _, _, fraction in parts))
    whole = max(len(before) for before, _, _ in parts)
    is_noise = any(
        len((before + fraction.rstrip("0")).lstrip("0")) >= _NOISE_DIGITS
        for before, _, fraction in parts
        if fraction
    )
    sizes = [each for each in _PRECISIONS if each >= whole + scale + _SPARE]
    if is_noise or not sizes:
        return text_kind(cells).noting(_NOISE)
    return Kind("decimal", (("precision", sizes[0]), ("scale", scale), *form))
