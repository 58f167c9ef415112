"""Three states of a sheet side by side, shadow, side and head, with a place for each key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import sort_rows, take_rows
from aspen_etl.transform.keyed_sheets import Sheets, find_in, key_columns, units_of
from aspen_etl.transform.parting import Partitioning

__all__ = ["Aligned", "State", "align"]


class State(NamedTuple):
    """Hold one state of a sheet, with a row for each place.

    Attributes:
        rows: The rows; where there is none, all cells but those of the key are missing.
        there: At which places there is one.
    """

    rows: pd.DataFrame
    there: Mask

    def bare(self) -> pd.DataFrame:
        """Give the rows that are there."""
        return take_rows(self.rows, np.flatnonzero(self.there))


@dataclass(frozen=True, eq=False)
class Aligned:
    """Hold the three states of a sheet.

    Attributes:
        name: The sheet.
        keys: The key of each place, in order.
        units: The units of its rows, each by its columns.
        shadow: What the side was known to have.
        side: What the side has.
        head: What the head has.
    """

    name: str
    keys: pd.DataFrame = field(repr=False)
    units: list[tuple[str, ...]]
    shadow: State = field(repr=False)
    side: State = field(repr=False)
    head: State = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def side_differs(self, unit: tuple[str, ...], /) -> Mask:
        """Tell at which places a unit of the side is other than in the shadow."""
        return _differ(self.side, self.shadow, unit)

    def head_differs(self, unit: tuple[str, ...], /) -> Mask:
        """Tell at which places a unit of the head is other than in the shadow."""
        return _differ(self.head, self.shadow, unit)

    def apart(self, unit: tuple[str, ...], /) -> Mask:
        """Tell at which places a unit of the side is other than in the head."""
        return _differ(self.side, self.head, unit)


def _differ(one: State, two: State, unit: tuple[str, ...]) -> Mask:
    out = np.zeros(len(one.there), dtype=bool)
    for column in unit:
        out |= COLUMNS.differ(one.rows[column], two.rows[column])
    return out


def align(name: str, states: tuple[Sheets, Sheets, Sheets], how: Partitioning, /) -> Aligned:
    """Put three states of a sheet side by side.

    Args:
        name: The sheet.
        states: The shadow, the side and the head, as ``conform_sheets`` gives them.
        how: Whose the rows are.
    """
    frames = [state[name] for state in states]
    columns = how.model.lineage.sources[name].key
    every = make_frame(
        {column: COLUMNS.concat([frame[column] for frame in frames]) for column in columns}
    )
    order, same = sort_rows(key_columns(every, name, how))
    keys = take_rows(every, order[~same])
    shadow, side, head = (_place(keys, frame, name, how) for frame in frames)
    return Aligned(name, keys, units_of(name, how), shadow, side, head)


def _place(keys: pd.DataFrame, frame: pd.DataFrame, name: str, how: Partitioning) -> State:
    at = find_in(keys, frame, name, how)
    columns = {
        column: keys[column] if column in keys.columns else COLUMNS.take(values, at)
        for column, values in frame.items()
    }
    return State(make_frame(columns), at >= 0)
