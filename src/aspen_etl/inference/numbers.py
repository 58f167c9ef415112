"""Decimals: how the source writes them, by example, and how many digits they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.inference.kind import Kind, text_kind

__all__ = ["decimal_kind"]

_PLAIN = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_SCIENTIFIC = r"-?[0-9]+(?:\.[0-9]+)?[eE][-+]?[0-9]+"
#: A number in any form: what stands before its digits, these, and what stands behind them.
_ANY = re.compile(
    r"(?P<lead>[^0-9,.']*)(?P<digits>[0-9](?:[0-9,.' \u2019]*[0-9])?)(?P<tail>[^0-9]*)"
)
_SIGNS = re.compile("[-()]")
_ISO_CURRENCY = re.compile("[A-Z]{3}")
_SYMBOLS = tuple("$\u00a3\u00a5\u20ac\u20b9\u20bd")
_LEADING_ZERO = "[^0-9]*0[0-9].*"
#: How thousands and the fraction may be parted.
_BODIES = ("1,234.50", "1.234,50", "1 234,50", "1 234.50", "1'234.50", "1'234,50", "1234,50")
_PLAIN_BODY = "1234.50"

#: Room for all digits that a decimal can have, while they are counted.
_ROOM = (("precision", 38), ("scale", 18))
_PRECISIONS = (12, 18, 38)
_LEAST_SCALE, _SPARE, _NOISE_DIGITS = 2, 2, 16

_COMMA = "numbers, but a comma or point may part thousands or the fraction: declare a format="
_NOISE = "numbers of 16 digits and more: declare the type, and a cleaner that cuts a float's noise"
_POWERS = "numbers such as 1e-3: declare the type, and a cleaner that writes them out"


def decimal_kind(cells: pd.Series, /) -> Optional[Kind]:
    """Give the decimal that all cells are; text with a note where they may be other numbers.

    Args:
        cells: Each text that stands there, once; one at the least, and not all whole numbers.
    """
    if COLUMNS.matches(cells, _PLAIN).all():
        is_whole = COLUMNS.matches(cells, "-?[0-9]+").all()  # beyond 64 bits
        return None if is_whole else _sized(Kind("decimal", _ROOM), cells)
    if not (~COLUMNS.matches(cells, _LEADING_ZERO)).all():  # as identifiers have
        return None
    if COLUMNS.matches(cells, f"{_PLAIN}|{_SCIENTIFIC}").all():
        return text_kind(cells).noting(_POWERS)
    found = [kind for kind in _formats(cells) if kind.fits(cells)]
    if not found:
        return None
    first = found[0].reads(cells)
    if any(COLUMNS.differ(first, other.reads(cells)).any() for other in found[1:]):
        return text_kind(cells).noting(_COMMA)
    return _sized(found[0], cells)


def _formats(cells: pd.Series) -> Iterator[Kind]:
    """Give the forms that the cells may have, by what stands around their digits."""
    parts = [_ANY.fullmatch(text) for text in cells.to_numpy(dtype=object)]
    if not all(parts):
        return
    around = {(part["lead"], part["tail"]) for part in parts if part}
    bare = {tuple(_SIGNS.sub("", side).strip(" ") for side in pair) for pair in around}
    is_parted = any(not part["digits"].isdigit() for part in parts if part)
    if len(bare) > 1 or not _is_money("".join(*bare), is_parted=is_parted):
        return
    signed = sorted(pair for pair in around if _SIGNS.search("".join(pair)))
    lead, tail = (signed or sorted(around))[0]
    if lead.startswith("-"):  # as every number may begin
        lead = lead[1:].lstrip(" ")
    bodies = _BODIES if not (lead or tail) else (*_BODIES, _PLAIN_BODY)
    for body in bodies:
        yield Kind("decimal", (*_ROOM, ("format", f"{lead}{body}{tail}")))


def _is_money(mark: str, *, is_parted: bool) -> bool:
    """Tell whether digits with this mark are numbers; those of nothing but digits are a name."""
    return mark in _SYMBOLS or (
        is_parted and (not mark or _ISO_CURRENCY.fullmatch(mark) is not None)
    )


def _sized(kind: Kind, cells: pd.Series) -> Kind:
    """Give the same with the digits that the cells need, and some to spare."""
    if kind.faults(cells):
        return text_kind(cells).noting(_NOISE)
    texts = [text.lstrip("-") for text in kind.reads(cells).to_numpy(dtype=object)]
    parts = [text.rstrip("0").partition(".") for text in texts]
    scale = max(_LEAST_SCALE, *(len(fraction) for _, _, fraction in parts))
    whole = max(len(before) for before, _, _ in parts)
    noisy = any(
        len((before + fraction).lstrip("0")) >= _NOISE_DIGITS and fraction
        for before, _, fraction in parts
    )
    sizes = [each for each in _PRECISIONS if each >= whole + scale + _SPARE]
    if noisy or not sizes:
        return text_kind(cells).noting(_NOISE)
    told = {"precision": sizes[0], "scale": scale}
    return Kind("decimal", tuple({**dict(kind.facts), **told}.items()))
