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

#: What spells a column at once, and tells which of its cells are canonical text now.
_Spell = Callable[[pd.Series], tuple[pd.Series, Mask]]


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
        convert: Do the same with text that is known to be canonical, whose form is not judged.
        text: Turn values of the dtype into canonical text. The index is new.
        check: Say in a sentence what is wrong with a declaration, or nothing.
        rules: Name the rules that a cell can break; none of a type that takes any text.
    """

    name: str
    dtype: Callable[[Facts], Any]
    canonical: Callable[[pd.Series, Facts], Canonical]
    parse: Callable[[pd.Series, Facts], pd.Series]
    convert: Callable[[pd.Series, Facts], pd.Series]
    text: Callable[[pd.Series, Facts], pd.Series]
    check: Callable[[Facts], Optional[str]]
    rules: Callable[[Facts], tuple[str, ...]]


def always(*rules: str) -> Callable[[Facts], tuple[str, ...]]:
    """Name the same rules whatever is declared."""
    return lambda _: rules


# ----------------------------------------------------------------------------- canonical text


def read_cells(
    values: pd.Series,
    read: Callable[[str], Finding],
    many: Optional[_Spell] = None,
    /,
) -> Canonical:
    """Spell each distinct cell anew, whatever it is.

    Args:
        values: Text.
        read: Give what becomes of a text.
        many: Spell many distinct texts at once, as of ``judged``.
    """
    values = conform_text(values.reset_index(drop=True))
    work = _Work(values)
    work.read(np.arange(len(values)), values, read, many)
    return work.done()


def judged(
    values: pd.Series,
    sure: str,
    read: Callable[[str], Finding],
    many: Optional[_Spell] = None,
    /,
) -> Canonical:
    """Leave the cells of a form as they are, and spell each other distinct cell anew.

    Args:
        values: Text.
        sure: A form, as of ``Columns.matches``, that only canonical text has.
        read: Give what becomes of any other text, canonical text among it.
        many: Spell a long column at once, and tell which of its cells are canonical text now and
            break no rule; it says the same as ``read`` of those.
    """
    values = conform_text(values.reset_index(drop=True))
    work = _Work(values)
    rows = np.flatnonzero(~COLUMNS.matches(values, sure))
    odd = COLUMNS.take(values, rows)
    if many is not None and len(rows) >= _MANY:
        texts, hit = many(odd)
        work.put(rows, odd, texts, hit)
        rows, odd = rows[~hit], COLUMNS.take(odd, np.flatnonzero(~hit))
    work.read(rows, odd, read)
    return work.done()


#: From how many cells on it pays to look at whole columns instead of at distinct cells.
_MANY = 1_000


class _Work:
    """A column of text on its way: which cells stay, and where the others come from."""

    def __init__(self, values: pd.Series) -> None:
        self._pieces = [values]
        self._at = np.arange(len(values), dtype=np.int64)
        self._faults: dict[str, Mask] = {}
        self._repaired = np.zeros(len(values), dtype=bool)

    def put(self, rows: Positions, before: pd.Series, after: pd.Series, hit: Mask) -> None:
        """Take other text for some rows, where it is told that it counts."""
        self._repaired[rows] = COLUMNS.differ(before, after) & hit
        self._add(rows[hit], np.flatnonzero(hit), after)

    def read(
        self,
        rows: Positions,
        cells: pd.Series,
        read: Callable[[str], Finding],
        many: Optional[_Spell] = None,
    ) -> None:
        """Read each distinct cell of some rows."""
        found, distinct = codes(cells)
        texts: list[str] = distinct.tolist()
        if many is not None and len(texts) >= _MANY:
            spelt, hit = many(distinct)
            known = zip(texts, spelt.tolist(), hit.tolist())
            answers = [(new, "") if is_hit else read(old) for old, new, is_hit in known]
        else:
            answers = [read(text) for text in texts]
        for rule in (INVALID, TOO_PRECISE, OUT_OF_RANGE):
            broken = [each == rule for _, each in answers]
            if any(broken):
                self._faults[rule] = np.zeros(len(self._at), dtype=bool)
                self._faults[rule][rows] = np.array([*broken, False])[found]
        changed = [not rule and new != old for old, (new, rule) in zip(texts, answers)]
        if any(changed):
            self._repaired[rows] = np.array([*changed, False])[found]
        if any(changed) or self._faults:
            held = found >= 0
            after = pd.Series([text or None for text, _ in answers], dtype=object)
            self._add(rows[held], found[held], conform_text(after))

    def _add(self, rows: Positions, places: Positions, texts: pd.Series) -> None:
        if len(rows):
            self._at[rows] = places + sum(map(len, self._pieces))
            self._pieces.append(texts)

    def done(self) -> Canonical:
        """Give the column."""
        text = self._pieces[0]
        if len(self._pieces) > 1:
            text = COLUMNS.take(COLUMNS.concat(self._pieces), self._at)
        return Canonical(text, self._faults, self._repaired)


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
