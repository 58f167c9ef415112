"""Columns of frames that are put together, each of them made when it is asked for.

Of many columns most are never looked at as a whole: a few rows are taken, and all others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Union

import numpy as np
import pandas as pd

from aspen_etl.columns.chosen import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.protocol import Positions
from aspen_etl.columns.rows import take_rows

__all__ = ["Cells", "Pieced", "narrow", "put_over", "take_cells", "whole"]

#: The share of all rows from which on they are taken of whole columns.
_MANY = 0.1


class Pieced:
    """Rows of frames as one frame that is never there as a whole; ``put_over`` makes it.

    Args:
        frames: Frames of the same columns.
        at: Where each row stands, counted through all frames.
    """

    def __init__(self, frames: Sequence[pd.DataFrame], at: Positions) -> None:
        self.frames, self.at = tuple(frames), at
        self._made: dict[str, pd.Series] = {}

    def __len__(self) -> int:
        return len(self.at)

    def __iter__(self) -> Iterator[str]:
        return map(str, self.frames[0])

    def __repr__(self) -> str:
        return f"<Pieced: {len(self):,} rows of {len(self.frames)} frames>"

    def __getitem__(self, name: str) -> pd.Series:
        """Give a column; it is made once."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> pd.Series:
        """Make a column of the first frame's, where the rows that were put over it have the same.

        A key has, mostly.
        """
        first = self.frames[0][name]
        head, count = self.at[: len(first)], len(first)
        moved = np.flatnonzero(head != np.arange(len(head)))
        if len(head) < count or len(moved) + len(self.at) - count > _MANY * count:
            return self._gather(name, self.at)
        if len(moved) and COLUMNS.differ(self._pick(name, head[moved]), first, *_same(moved)).any():
            return self._gather(name, self.at)
        if len(self.at) == count:
            return first
        return COLUMNS.concat([first, self._pick(name, self.at[count:])])

    def _gather(self, name: str, at: Positions) -> pd.Series:
        return COLUMNS.take(COLUMNS.concat([frame[name] for frame in self.frames]), at)

    def _pick(self, name: str, at: Positions) -> pd.Series:
        """Take a few rows, from each frame by itself."""
        ends = np.cumsum([0, *map(len, self.frames)])
        which = np.searchsorted(ends, at, side="right") - 1
        order = np.argsort(which, kind="stable")
        found = [
            COLUMNS.take(frame[name], at[which == number] - ends[number])
            for number, frame in enumerate(self.frames)
        ]
        back = np.empty(len(at), dtype=np.int64)
        back[order] = np.arange(len(at))
        return COLUMNS.take(COLUMNS.concat(found), back)

    def take(self, rows: Positions) -> pd.DataFrame:
        """Take some rows; the index is new."""
        take = self._gather if len(rows) > _MANY * len(self) else self._pick
        at = self.at[rows]
        return make_frame({name: take(name, at) for name in self}, pd.RangeIndex(len(at)))


#: Rows that are there as a whole, or put together.
Cells = Union[pd.DataFrame, Pieced]


def _same(rows: Positions) -> tuple[Positions, Positions]:
    return np.arange(len(rows), dtype=np.int64), rows


def put_over(before: Cells, over: Cells, at: Positions, /) -> Cells:
    """Put rows in the place of others, and behind them.

    Args:
        before: A frame.
        over: Other rows, of the same columns.
        at: Where each row comes from: from ``before``, or, counted on, from ``over``.
    """
    behind = whole(over)
    if not len(before):
        return take_rows(behind, at)
    if isinstance(before, pd.DataFrame):
        return Pieced([before, behind], at)
    count = sum(map(len, before.frames))
    places = np.concatenate([before.at, np.arange(count, count + len(over))])
    return Pieced([*before.frames, behind], places[at])


def take_cells(cells: Cells, rows: Positions, /) -> pd.DataFrame:
    """Take some rows of a frame, by their places; the index is new."""
    return cells.take(rows) if isinstance(cells, Pieced) else take_rows(cells, rows)


def whole(cells: Cells, /) -> pd.DataFrame:
    """Give all rows as one frame."""
    return cells if isinstance(cells, pd.DataFrame) else cells.take(np.arange(len(cells)))


def narrow(cells: Cells, names: Sequence[str], /) -> Cells:
    """Give other columns of text: those that are there, and new ones in which all is missing."""
    if isinstance(cells, Pieced):
        return Pieced([_narrow(frame, names) for frame in cells.frames], cells.at)
    return _narrow(cells, names)


def _narrow(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    absent = COLUMNS.repeat(None, len(frame))
    held = {name: frame.get(name, absent) for name in names}
    return make_frame(held, pd.RangeIndex(len(frame)))
