"""Types of columns: the one that all cells fit, and text where more than one may be meant."""

from __future__ import annotations

from typing import Optional

import pandas as pd

from aspen_etl.inference.dates import date_kind, moment_kind
from aspen_etl.inference.kind import Kind, text_kind
from aspen_etl.inference.names import is_identifier
from aspen_etl.inference.numbers import number_kind

__all__ = ["infer_kind"]

#: Words that say yes and no; the case is that of the source.
_WORDS = tuple(
    {write(yes): True, write(no): False}
    for yes, no in (("Y", "N"), ("Yes", "No"), ("T", "F"))
    for write in (str, str.lower, str.upper)
)
#: In how many ways true and false may be written with large letters and small ones.
_SPELLINGS = 6


def infer_kind(name: str, cells: pd.Series, /, *, is_key: bool = False) -> Kind:
    """Find the type that all cells of a column fit.

    A number that nobody reckons with, such as a key, a ZIP code or a phone, is text.

    Args:
        name: The column.
        cells: Each text that stands there, once.
        is_key: Whether rows are known by it: then it is text, or a date.

    Returns:
        The type, which no cell breaks a rule of.
    """
    if not len(cells):
        return text_kind(cells)
    found = date_kind(name, cells)
    if found is None and not is_key:
        found = _boolean(cells) or moment_kind(cells)
        if found is None and not is_identifier(name):
            found = number_kind(cells)
    return found or text_kind(cells)


def _boolean(cells: pd.Series) -> Optional[Kind]:
    """Take two words that say yes and no, both of which must be there."""
    if len(cells) > _SPELLINGS:
        return None
    held = set(cells.to_numpy(dtype=object))
    if {word.lower() for word in held} == {"true", "false"}:
        return Kind("boolean")
    found = (words for words in _WORDS if set(words) == held)
    return next((Kind("boolean", (("words", words),)) for words in found), None)
