"""What a type of column is: what its text may be, and how text becomes a value and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Protocol

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import codes
from aspen_etl.columns.text import conform_text

__all__ = [
    "INVALID",
    "OUT_OF_RANGE",
    "TOO_PRECISE",
    "Canonical",
    "Facts",
    "Finding",
    "Type",
    "always",
    "by_distinct",
    "judged",
    "read_cells",
]

#: The rules that a cell of a type may break, each cell one at the most.
INVALID, TOO_PRECISE, OUT_OF_RANGE = "invalid", "too_precise", "out_of_range"

#: What became of one cell: its canonical text and '', or '' and the rule that it breaks.
Finding = tuple[str, str]


class Facts(Protocol):
    """What a type has to know of a column; a ``ColumnSpec`` knows it."""

    @property
    def nullable(self) -> bool:
        """Whether a row may be without it."""

    @property
    def precision(self) -> Optional[int]:
        """The most digits of a decimal."""

    @property
    def scale(self) -> Optional[int]:
        """The digits of a decimal behind its point."""

    @property
    def format(self) -> Optional[str]:
        """How a source spells its values, beside the canonical text."""

    @property
    def words(self) -> tuple[tuple[str, bool], ...]:
        """The words of a boolean, and what each says."""

    @property
    def minimum(self) -> Any:
        """The least value: a whole number, or a date."""


class Canonical(NamedTuple):
    """A column of text as its type spells it.

    Attributes:
        text: The canonical text, missing where the cell was, or breaks a rule; its index is new.
        faults: Which cells break which rule: ``invalid``, ``too_precise`` or ``out_of_range``. No
            cell breaks two, and a rule that none breaks is not there.
        repaired: Which cells are now spelt otherwise.
    """

    text: pd.Series
    faults: Mapping[str, Mask]
    repaired: Mask


@dataclass(frozen=True)
class Type:
    """One type of column: functions of a column and what is declared of it.

    Attributes:
        name: What the type is called.
        dtype: Give the dtype of its values in frames.
        canonical: Spell clean text of any form that is declared in the one way of the type.
        parse: Turn canonical text into values. The form is judged, the ``minimum`` not; what is not
            canonical, or missing where no row may be without it, raises a ``ValueError`` that shows
            no cell. The index is new.
        text: Turn values of the dtype into canonical text. The index is new.
        check: Say in a sentence what is wrong with a declaration, or nothing.
        rules: Name the rules that a cell can break; none of a type that takes any text.
    """

    name: str
    dtype: Callable[[Facts], Any]
    canonical: Callable[[pd.Series, Facts], Canonical]
    parse: Callable[[pd.Series, Facts], pd.Series]
    text: Callable[[pd.Series, Facts], pd.Series]
    check: Callable[[Facts], Optional[str]]
    rules: Callable[[Facts], tuple[str, ...]]


def always(*rules: str) -> Callable[[Facts], tuple[str, ...]]:
    """Name the same rules whatever is declared."""
    return lambda _: rules


# ----------------------------------------------------------------------------- canonical text


def read_cells(values: pd.Series, read: Callable[[str], Finding], /) -> Canonical:
    """Spell each distinct cell anew, whatever it is."""
    found, distinct = codes(values)
    return _placed(values, np.arange(len(values)), found, _read(distinct, read))


def judged(values: pd.Series, pattern: str, read: Callable[[str], Finding], /) -> Canonical:
    """Leave the cells of a form as they are, and spell each other distinct cell anew.

    Args:
        values: Text.
        pattern: A form, as of ``Columns.matches``, that only canonical text has.
        read: Give what becomes of any other text, canonical text among it.
    """
    rows = np.flatnonzero(~COLUMNS.matches(values, pattern))
    found, distinct = codes(COLUMNS.take(values, rows))
    return _placed(values, rows, found, _read(distinct, read))


def _read(distinct: pd.Series, read: Callable[[str], Finding]) -> list[tuple[str, Finding]]:
    return [(text, read(text)) for text in distinct.to_numpy(dtype=object)]


def _placed(
    values: pd.Series, rows: Positions, found: Positions, read: list[tuple[str, Finding]]
) -> Canonical:
    """Put what became of distinct cells in their places among the others."""
    values = values.reset_index(drop=True)
    rules = np.array([rule for _, (_, rule) in read] + [""], dtype=object)[found]
    faults = {}
    for rule in (INVALID, TOO_PRECISE, OUT_OF_RANGE):
        hit = rows[rules == rule]
        if len(hit):
            faults[rule] = np.zeros(len(values), dtype=bool)
            faults[rule][hit] = True
    repaired = np.zeros(len(values), dtype=bool)
    changed = np.array([not rule and text != cell for cell, (text, rule) in read] + [False])
    repaired[rows] = changed[found]
    if not (faults or repaired.any()):
        return Canonical(values, {}, repaired)
    texts = conform_text(pd.Series([text or None for _, (text, _) in read], dtype=object))
    at = np.arange(len(values), dtype=np.int64)
    at[rows] = np.where(found < 0, rows, len(values) + found)
    return Canonical(COLUMNS.take(COLUMNS.concat([values, texts]), at), faults, repaired)


# ----------------------------------------------------------------------------- values


def by_distinct(values: pd.Series, convert: Callable[[pd.Series], pd.Series], /) -> pd.Series:
    """Convert each distinct cell once.

    Args:
        values: A column.
        convert: Turn a column without a missing cell, and without two that are the same.

    Returns:
        What it gave for each cell, missing where the cell is; the index is new.
    """
    found, distinct = pd.factorize(values)
    converted = convert(pd.Series(distinct))
    at = found.astype(np.int64, copy=False)
    return COLUMNS.take(converted, at)
