"""What the rules look for in the cells of a column of text."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from aspen_etl.columns.chosen import COLUMNS
from aspen_etl.columns.protocol import Mask, Positions

__all__ = ["control_characters", "no_integers"]

#: A whole number that text gives back unchanged, and how large one of 64 bits may be.
_INTEGER = "0|-?[1-9][0-9]{0,18}"
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1

#: Control characters (category Cc) that are no white space of the contract.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def control_characters(values: pd.Series, rows: Positions, /) -> Mask:
    """Tell which cells hold a control character; all that may do so are among the rows."""
    out = np.zeros(len(values), dtype=bool)
    texts = COLUMNS.take(values, rows).to_numpy(dtype=object)
    out[rows] = [_CONTROL.search(text) is not None for text in texts]
    return out


def no_integers(values: pd.Series, /) -> Mask:
    """Tell which cells are no whole number of 64 bits that text gives back unchanged."""
    out = ~COLUMNS.matches(values, _INTEGER)
    rows = np.flatnonzero(COLUMNS.longer(values, len(str(_HIGHEST)) - 1) & ~out)
    texts = COLUMNS.take(values, rows).to_numpy(dtype=object)
    out[rows] = [not _LOWEST <= int(text) <= _HIGHEST for text in texts]
    return out
