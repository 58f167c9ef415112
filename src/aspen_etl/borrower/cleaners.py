"""Cleaners: verbs on one column, from text as it was read to text as it is kept.

Each takes a Series of text and gives one of the same index; a missing cell stays missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.handing import takes_held
from aspen_etl.columns.text import conform_text

__all__ = ["join_full_name", "lower_case", "pad_zip_code", "split_full_name"]

_DIGITS = re.compile("[0-9]+")
_SHORT, _LONG = 5, 9


@takes_held
def pad_zip_code(values: pd.Series, /) -> pd.Series:
    """Give a ZIP code back the zeros that a number format took (USPS: 12345 or 12345-6789).

    A trailing ``.0`` goes; three or four digits are padded to five; seven to nine digits
    become ``12345-6789``. Everything else stays as it is, for the rules to judge.

    Examples:
        >>> pad_zip_code(pd.Series(["6705", "2138.0", "12345678", "K1A 0B1"])).tolist()
        ['06705', '02138', '01234-5678', 'K1A 0B1']
    """
    return _map_distinct(values, _padded)


def _padded(text: str) -> str:
    digits = text.removesuffix(".0") or text  # ".0" alone is no number, and not nothing
    if not _DIGITS.fullmatch(digits):
        return digits
    if len(digits) in {3, 4}:
        return digits.zfill(_SHORT)
    if len(digits) in {7, 8, 9}:
        digits = digits.zfill(_LONG)
        return f"{digits[:_SHORT]}-{digits[_SHORT:]}"
    return digits


@takes_held
def lower_case(values: pd.Series, /) -> pd.Series:
    """Lower the case of each cell as Python does (Unicode), with and without Arrow alike.

    Examples:
        >>> lower_case(pd.Series(["Co-Borrower"])).tolist()
        ['co-borrower']
    """
    return _map_distinct(values, str.lower)


@takes_held
def split_full_name(values: pd.Series, /) -> pd.DataFrame:
    """Split a name: the first word is ``first_name``, the rest ``last_name``, '' where none.

    Examples:
        >>> split_full_name(pd.Series(["Ada Degli Antoni", "Cher"])).to_numpy().tolist()
        [['Ada', 'Degli Antoni'], ['Cher', '']]
    """
    first, last = COLUMNS.first_space(values)
    return make_frame({"first_name": first, "last_name": last}, values.index)


@takes_held
def join_full_name(first_name: pd.Series, last_name: pd.Series, /) -> pd.Series:
    """Undo ``split_full_name``.

    Examples:
        >>> join_full_name(pd.Series(["Ada", "Cher"]), pd.Series(["Degli Antoni", ""])).tolist()
        ['Ada Degli Antoni', 'Cher']
    """
    return COLUMNS.join_words(first_name, last_name)


# ----------------------------------------------------------------------------- helpers


def _map_distinct(values: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Change each distinct cell once, and leave the column alone where nothing changes."""
    codes, distinct = pd.factorize(values)
    before = list(distinct)
    after = [change(text) for text in before]
    if before == after:
        return values
    table = conform_text(pd.Series(after, dtype=object))
    changed = COLUMNS.take(table, np.asarray(codes, dtype=np.int64))
    changed.index = values.index
    return changed
