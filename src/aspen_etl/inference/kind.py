"""A type with what must be declared of it, and whether cells are values of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.types import TYPES

__all__ = ["Kind", "text_kind"]

#: What a length may be: 1.5 times the longest text, rounded up to one of these.
_LENGTHS = (10, 20, 40, 80, 128, 254, 500, 1000, 4000)
#: The length of a text that was never seen.
_UNSEEN = 128


@dataclass(frozen=True)
class Kind:
    """The type of a column, and what is declared of it.

    Attributes:
        type: The type.
        facts: What ``column`` is told, by name.
        note: What a reader should look at, or ''.
    """

    type: ColumnType
    facts: tuple[tuple[str, Any], ...] = ()
    note: str = ""

    def noting(self, note: str, /) -> Kind:
        """Give the same with a note."""
        return replace(self, note=note)

    def spec(self) -> ColumnSpec:
        """Give what a type has to know of such a column."""
        facts = {name: value for name, value in self.facts if name != "zone"}
        if "words" in facts:
            facts["words"] = tuple(facts["words"].items())
        return ColumnSpec("", self.type, nullable=True, **facts)

    def faults(self, cells: pd.Series, /) -> set[str]:
        """Give the rules that some of the cells break."""
        return set(TYPES[self.type].canonical(cells, self.spec()).faults)

    def fits(self, cells: pd.Series, /) -> bool:
        """Tell whether it can be declared, and all cells are values of it."""
        return TYPES[self.type].check(self.spec()) is None and not self.faults(cells)

    def reads(self, cells: pd.Series, /) -> pd.Series:
        """Give the canonical text of cells that fit."""
        return TYPES[self.type].canonical(cells, self.spec()).text


def text_kind(cells: pd.Series, /) -> Kind:
    """Give the text of 1.5 times the longest cell; without a length where no key may be as long."""
    if not len(cells):
        return Kind("text", (("length", _UNSEEN),), "always missing")
    longest = max(map(len, cells.to_numpy(dtype=object)))
    lengths = [each for each in _LENGTHS if 2 * each >= 3 * longest]
    return Kind("text", tuple(("length", each) for each in lengths[:1]))
