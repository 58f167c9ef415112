"""Frames and columns: made without a copy where pandas can, and compared by value."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.handing import handed

__all__ = ["Frames", "equal_frames", "held_frames", "make_column", "make_frame"]

#: Whether a frame made of columns keeps its own values when somebody writes into another's.
_COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3  # noqa: PLR2004 - pandas 3


def make_frame(columns: Mapping[Any, pd.Series], index: Optional[pd.Index] = None) -> pd.DataFrame:
    """Make a frame of columns, which are copied only where pandas would not do so on writing."""
    return pd.DataFrame(columns, index=index, copy=False if _COPIES_ON_WRITE else None)


def make_column(values: Any) -> pd.Series:
    """Make a column of an array that nobody writes into any more, without a copy."""
    return pd.Series(values, copy=False)


def equal_frames(left: pd.DataFrame, right: pd.DataFrame, /) -> bool:
    """Tell whether two frames hold the same columns and values, whatever their index."""
    if list(left.columns) != list(right.columns) or len(left) != len(right):
        return False
    return all(_equal_columns(left.iloc[:, i], right.iloc[:, i]) for i in range(left.shape[1]))


def _equal_columns(left: pd.Series, right: pd.Series) -> bool:
    absent = left.isna().to_numpy(dtype=bool)
    if not np.array_equal(absent, right.isna().to_numpy(dtype=bool)):
        return False
    if left.dtype != right.dtype:  # one of them may have been handed out
        left, right = handed(left), handed(right)
    return bool(np.asarray(left.array[~absent] == right.array[~absent], dtype=bool).all())


class Frames(Mapping[str, pd.DataFrame]):
    """Frames by name, which show counts and never a cell.

    A frame is handed out with text as the caller's pandas holds it, and is from then on as its
    owner left it. ``held_frames`` gives all of them as they are held.
    """

    __slots__ = ("_frames",)

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = dict(held_frames(frames))

    def __getitem__(self, name: str) -> pd.DataFrame:
        found = self._frames[name] = handed(self._frames[name])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._frames

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._frames,))

    # Frames have no truth of their own, so a comparison by == would mislead.
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.equals(other)

    def equals(self, other: Any, /) -> bool:
        """Tell whether the other holds the same frames, by value."""
        others = held_frames(other)
        return self.keys() == others.keys() and all(
            equal_frames(frame, others[name]) for name, frame in self._frames.items()
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}: {len(frame):,}" for name, frame in self._frames.items())
        return f"<{type(self).__name__} {counts}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{len(frame):,}</td><td>{frame.shape[1]}</td></tr>"
            for name, frame in self._frames.items()
        )
        head = f"<tr><th>{type(self).__name__}</th><th>rows</th><th>columns</th></tr>"
        return f"<table>{head}{rows}</table>"


def held_frames(frames: Mapping[str, pd.DataFrame], /) -> Mapping[str, pd.DataFrame]:
    """Give frames by name as they are held inside; nobody may change them."""
    return MappingProxyType(frames._frames) if isinstance(frames, Frames) else frames  # noqa: SLF001
