"""What the rules find: faults, and the sheets parted by them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from aspen_etl.columns import Mask, Positions

__all__ = ["Fault", "Judged"]


@dataclass(frozen=True)
class Fault:
    """Name the rows of one column that break one rule.

    Attributes:
        source: The sheet.
        column: The column.
        rule: The rule's name.
        scope: What stays out: the ``row``, the one ``value``, or the row of a table.
        positions: The rows, from 0, blank rows not counted.
    """

    source: str
    column: str
    rule: str
    scope: str
    positions: Positions


@dataclass(frozen=True)
class Judged:
    """One sheet, parted into what is accepted and what is not.

    Attributes:
        accepted: The accepted rows, clean, in the order of their key; rejected cells are missing; a
            column that refers to another sheet holds the row number there.
        faults: What is not accepted.
        rejected_rows: Which rows stay out as a whole.
    """

    accepted: pd.DataFrame = field(repr=False)
    faults: tuple[Fault, ...]
    rejected_rows: Mask = field(repr=False)
