"""Types of columns: the one that all cells fit, and text where more than one may be meant."""

from __future__ import annotations

from typing import Optional

import pandas as pd

from aspen_etl.inference.dates import date_kind, moment_kind
from aspen_etl.inference.kind import Kind, text_kind
from aspen_etl.inference.names import is_identifier
from aspen_etl.inference.numbers import number_kind

__all__ = ["infer_kind"]

#: Words that say yes and no, in some languages; the case is that of the source.
_WORDS = tuple(
    {write(yes): True, write(no): False}
    for yes, no in (
        *(("Y", "N"), ("Yes", "No"), ("T", "F"), ("On", "Off")),
        *(("Ja", "Nein"), ("Ja", "Nee"), ("Ja", "Nej"), ("Oui", "Non"), ("Tak", "Nie")),
        *(("Sí", "No"), ("Si", "No"), ("Sì", "No"), ("Sim", "Não")),
    )
    for write in (str, str.lower, str.upper)
)
#: Words that may stand for a missing cell; whether one does, the caller says.
_NOTHING = (
    *("NA", "N/A", "n/a", "na", "NaN", "nan", "null", "NULL", "None"),
    *("-", "--", "?", ".", "\\N"),
)
_WORD = "numbers but for one word: is that a missing cell? then see --na-values"
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
            found = number_kind(cells) or _all_but_a_word(cells)
    return found or text_kind(cells)


def _all_but_a_word(cells: pd.Series) -> Optional[Kind]:
    """Note where numbers stand beside one word that may say that there is none."""
    others = cells[~cells.isin(_NOTHING)]
    if len(others) != len(cells) - 1 or not len(others):
        return None
    return text_kind(cells).noting(_WORD) if number_kind(others) is not None else None


def _boolean(cells: pd.Series) -> Optional[Kind]:
    """Take two words that say yes and no, both of which must be there."""
    if len(cells) > _SPELLINGS:
        return None
    held = set(cells.to_numpy(dtype=object))
    if {word.lower() for word in held} == {"true", "false"}:
        return Kind("boolean")
    found = (words for words in _WORDS if set(words) == held)
    return next((Kind("boolean", (("words", words),)) for words in found), None)
