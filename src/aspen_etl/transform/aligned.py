"""Three states of one sheet side by side: shadow, side and head, a place for each key."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import sort_rows, take_rows
from aspen_etl.transform.keyed_sheets import Sheets, find_in, key_columns, units_of
from aspen_etl.transform.parting import Partitioning

__all__ = ["Aligned", "align"]


@dataclass(frozen=True, eq=False)
class Aligned:
    """Hold the three states of a sheet, each with a row at the place of each key.

    Attributes:
        name: The sheet.
        keys: The key of each place, in order.
        units: The units of its rows, each by its columns.
        shadow: What the side was known to have; where it has no row, its cells are missing.
        side: What the side has.
        head: What the head has.
        in_shadow: At which places the shadow has a row.
        in_side: ... the side.
        in_head: ... the head.
    """

    name: str
    keys: pd.DataFrame = field(repr=False)
    units: list[tuple[str, ...]]
    shadow: pd.DataFrame = field(repr=False)
    side: pd.DataFrame = field(repr=False)
    head: pd.DataFrame = field(repr=False)
    in_shadow: Mask = field(repr=False)
    in_side: Mask = field(repr=False)
    in_head: Mask = field(repr=False)

    def __len__(self) -> int:
        return len(self.in_head)

    def side_differs(self, unit: tuple[str, ...], /) -> Mask:
        """Tell at which places a unit of the side is other than in the shadow."""
        return _differ(self.side, self.shadow, unit)

    def head_differs(self, unit: tuple[str, ...], /) -> Mask:
        """Tell at which places a unit of the head is other than in the shadow."""
        return _differ(self.head, self.shadow, unit)

    def apart(self, unit: tuple[str, ...], /) -> Mask:
        """Tell at which places a unit of the side is other than in the head."""
        return _differ(self.side, self.head, unit)


def _differ(one: pd.DataFrame, two: pd.DataFrame, unit: tuple[str, ...]) -> Mask:
    out = np.zeros(len(one), dtype=bool)
    for column in unit:
        out |= COLUMNS.differ(one[column], two[column])
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
    at: list[Positions] = [find_in(keys, frame, name, how) for frame in frames]
    held = [
        make_frame({column: COLUMNS.take(values, rows) for column, values in frame.items()})
        for frame, rows in zip(frames, at)
    ]
    masks = [rows >= 0 for rows in at]
    return Aligned(name, keys, units_of(name, how), *held, *masks)
