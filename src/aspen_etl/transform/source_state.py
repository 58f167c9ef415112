"""The state of a source that is replayed: a register for each key, with the greatest write."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import equal_frames, make_column, make_frame
from aspen_etl.columns.pieced import Cells, narrow, take_cells
from aspen_etl.columns.rows import number_rows, sort_rows
from aspen_etl.errors import LandingChangedError
from aspen_etl.schema.landing import Fold
from aspen_etl.schema.values import ROW
from aspen_etl.transform.alike import fold_keys

__all__ = ["SourceState", "stored_columns"]

#: The columns of a stored state behind those of the source.
_STORED = ("_row", "_stamp", "_alive")

_ANEW = "load the table anew into a new folder, as the next epoch"


@dataclass(frozen=True, eq=False)
class SourceState:
    """Hold what is known of each key of a source: a value, which is folded on.

    Attributes:
        key: The columns of the primary key in the database.
        cells: The columns of each key's row, text; of what is gone the key alone.
        rows: The number of each key's row, for good.
        stamps: The greatest stamp of each key.
        alive: Whether the key is there, or a tombstone.
        fold: What makes two keys one: ``case``, ``space``, ``both``, or nothing.
    """

    key: tuple[str, ...]
    cells: Cells = field(repr=False)
    rows: Positions = field(repr=False)
    stamps: pd.Series = field(repr=False)
    alive: Mask = field(repr=False)
    fold: Optional[Fold] = None

    @classmethod
    def empty(
        cls, columns: Sequence[str], key: Sequence[str], fold: Optional[Fold] = None
    ) -> SourceState:
        """Begin with no key.

        Args:
            columns: The columns to keep, those of the key among them.
            key: The columns of the key.
            fold: What makes two keys one.
        """
        cells = make_frame({name: COLUMNS.repeat(None, 0) for name in columns}, pd.RangeIndex(0))
        none = np.zeros(0, dtype=np.int64)
        return cls(tuple(key), cells, none, COLUMNS.repeat(None, 0), none.astype(bool), fold)

    @classmethod
    def from_stored(
        cls, frame: pd.DataFrame, key: Sequence[str], fold: Optional[Fold] = None
    ) -> SourceState:
        """Make a state of the frame that ``to_stored`` gives."""
        *names, row, stamp, alive = frame.columns
        cells = {name: frame[name] for name in names}
        return cls(
            tuple(key),
            make_frame(cells, pd.RangeIndex(len(frame))),
            frame[row].to_numpy(dtype=np.int64),
            frame[stamp],
            frame[alive].to_numpy(dtype=bool),
            fold,
        )

    def to_stored(self, at: Optional[Positions] = None) -> pd.DataFrame:
        """Give keys as one frame: cells, and last their number, stamp, and whether each is there.

        Args:
            at: Which keys; by default all.
        """
        part = self if at is None else self.take(at)
        columns: dict[str, Any] = {name: part.cells[name] for name in map(str, part.cells)}
        row, stamp, alive = stored_columns(columns)
        columns = {**columns, row: part.rows, stamp: part.stamps, alive: part.alive}
        return make_frame(columns, pd.RangeIndex(len(part)))

    def take(self, at: Positions, /) -> SourceState:
        """Take some keys, by their places."""
        return replace(
            self,
            cells=take_cells(self.cells, at),
            rows=self.rows[at],
            stamps=COLUMNS.take(self.stamps, at),
            alive=self.alive[at],
        )

    def __len__(self) -> int:
        return len(self.rows)

    def key_columns(self) -> list[pd.Series]:
        """Give the key's columns, as they are compared."""
        return fold_keys([self.cells[name] for name in self.key], self.fold)

    def to_frame(
        self, columns: Optional[Sequence[str]] = None, *, at: Optional[Positions] = None
    ) -> pd.DataFrame:
        """Give the living rows in the order of their keys, each with its number as the index.

        Args:
            columns: Those to give; by default all.
            at: The places of some of the living; by default all.
        """
        living = np.flatnonzero(self.alive) if at is None else at
        order = sort_rows([COLUMNS.take(values, living) for values in self.key_columns()])[0]
        at = living[order]
        names = list(map(str, self.cells)) if columns is None else columns
        index = pd.Index(self.rows[at], name=ROW)
        return take_cells(narrow(self.cells, names), at).set_axis(index)

    def as_declared(
        self, columns: Sequence[str], key: Sequence[str], fold: Optional[Fold] = None
    ) -> SourceState:
        """Give the state with other columns, those that are new missing; or with keys folded.

        Of keys that become one by it the greatest write stays.

        Raises:
            LandingChangedError: The key is another one: no state can be made of this one.
        """
        if tuple(key) != self.key:
            told = ("the key is declared anew, by as many columns", _ANEW)
            raise LandingChangedError.of("declared", "a landed table", list(key), told)
        out = replace(self, cells=narrow(self.cells, columns), fold=fold)
        if fold == self.fold or not len(self):
            return out
        groups = make_column(number_rows(out.key_columns())[0])
        order = sort_rows([groups, self.stamps, make_column(self.alive.astype(np.int64))])[0]
        ordered = groups.to_numpy()[order]
        return out.take(np.sort(order[np.append(ordered[1:] != ordered[:-1], True)]))

    def equals(self, other: SourceState, /, *, numbers: bool = True) -> bool:
        """Tell whether the other knows the same of the same keys.

        Args:
            other: Another state.
            numbers: Whether rows must have the same numbers, too: a state that was folded in
                other steps has others.
        """
        if (self.key, self.fold, len(self)) != (other.key, other.fold, len(other)):
            return False
        return equal_frames(self._sorted(numbers=numbers), other._sorted(numbers=numbers))

    def _sorted(self, *, numbers: bool) -> pd.DataFrame:
        order = sort_rows(self.key_columns())[0]
        out = take_cells(self.cells, order)
        more = {"stamps": COLUMNS.take(self.stamps, order), "alive": self.alive[order]}
        if numbers:
            more["rows"] = self.rows[order]
        return pd.concat([out, pd.DataFrame(more)], axis=1)


def stored_columns(columns: Collection[str], /) -> tuple[str, str, str]:
    """Name the columns that a stored state has behind those of its source, as no other is called.

    Examples:
        >>> stored_columns(["id", "_row"])
        ('__row', '_stamp', '_alive')
    """
    # Each may be longer by as many marks as the longest name has characters, and one more.
    held, longest = set(columns), max(map(len, columns), default=0)
    row, stamp, alive = (
        next(free for count in range(longest + 1) if (free := "_" * count + name) not in held)
        for name in _STORED
    )
    return row, stamp, alive
