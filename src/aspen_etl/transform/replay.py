"""Replay: fold landed changes into the state of a source, in whatever order they come.

The state has a register for each key: the write with the greatest stamp. A maximum does not
depend on the order of what it is taken of, nor on how often each comes, so neither does the state.
A key that is gone stays as a tombstone: else an older write that comes late would bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import equal_frames, make_column, make_frame
from aspen_etl.columns.rows import find_rows, number_rows, sort_rows, take_rows
from aspen_etl.errors import LandingChangedError
from aspen_etl.schema.values import FIRST_ROW, ROW
from aspen_etl.transform.alike import count_alike, fold_keys
from aspen_etl.transform.changing import ANY, SourceChanges, Writes, list_writes
from aspen_etl.transform.losses import Finding, Registers, find_losses
from aspen_etl.transform.suspects import find_cut_cells

__all__ = ["Folded", "SourceState", "fold"]

#: The columns of a stored state beside those of the source.
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
    cells: pd.DataFrame = field(repr=False)
    rows: Positions = field(repr=False)
    stamps: pd.Series = field(repr=False)
    alive: Mask = field(repr=False)
    fold: Optional[str] = None

    @classmethod
    def empty(
        cls, columns: Sequence[str], key: Sequence[str], fold: Optional[str] = None
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
        cls, frame: pd.DataFrame, key: Sequence[str], fold: Optional[str] = None
    ) -> SourceState:
        """Make a state of the frame that ``to_stored`` gives."""
        row, stamp, alive = _STORED
        cells = {name: frame[name] for name in frame if name not in _STORED}
        return cls(
            tuple(key),
            make_frame(cells, pd.RangeIndex(len(frame))),
            frame[row].to_numpy(dtype=np.int64),
            frame[stamp],
            frame[alive].to_numpy(dtype=bool),
            fold,
        )

    def to_stored(self) -> pd.DataFrame:
        """Give all of it as one frame: cells, number, stamp, and whether the key is there."""
        more: dict[str, Any] = dict(zip(_STORED, (self.rows, self.stamps, self.alive)))
        return self.cells.assign(**more)

    def __len__(self) -> int:
        return len(self.rows)

    def key_columns(self) -> list[pd.Series]:
        """Give the key's columns, as they are compared."""
        return fold_keys([self.cells[name] for name in self.key], self.fold)

    def to_frame(self, columns: Optional[Sequence[str]] = None) -> pd.DataFrame:
        """Give the living rows in the order of their keys, each with its number as the index.

        Args:
            columns: Those to give; by default all.
        """
        living = np.flatnonzero(self.alive)
        order = sort_rows([COLUMNS.take(values, living) for values in self.key_columns()])[0]
        at = living[order]
        names = list(self.cells) if columns is None else columns
        index = pd.Index(self.rows[at], name=ROW)
        return take_rows(self.cells[list(names)], at).set_axis(index)

    def as_declared(
        self, columns: Sequence[str], key: Sequence[str], fold: Optional[str] = None
    ) -> SourceState:
        """Give the state with other columns, those that are new missing; or with keys folded.

        Of keys that become one by it the greatest write stays.

        Raises:
            LandingChangedError: The key is another one: no state can be made of this one.
        """
        if tuple(key) != self.key:
            told = ("the key is declared anew, by as many columns", _ANEW)
            raise LandingChangedError.of("declared", "a landed table", list(key), told)
        absent = COLUMNS.repeat(None, len(self))
        cells = {name: self.cells.get(name, absent) for name in columns}
        out = replace(self, cells=make_frame(cells, pd.RangeIndex(len(self))), fold=fold)
        if fold == self.fold or not len(self):
            return out
        groups = make_column(number_rows(out.key_columns())[0])
        order = sort_rows([groups, self.stamps, make_column(self.alive.astype(np.int64))])[0]
        ordered = groups.to_numpy()[order]
        at = np.sort(order[np.append(ordered[1:] != ordered[:-1], True)])
        return replace(
            out,
            cells=take_rows(out.cells, at),
            rows=self.rows[at],
            stamps=COLUMNS.take(self.stamps, at),
            alive=self.alive[at],
        )

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
        out = take_rows(self.cells, order)
        more = {"stamps": COLUMNS.take(self.stamps, order), "alive": self.alive[order]}
        if numbers:
            more["rows"] = self.rows[order]
        return pd.concat([out, pd.DataFrame(more)], axis=1)


@dataclass(frozen=True)
class Folded:
    """What a fold gives.

    Attributes:
        state: The state afterwards.
        findings: What speaks against it: a change that is missing, an order that is not sure.
        changed: How many keys have another row, came, or went.
    """

    state: SourceState
    findings: tuple[Finding, ...]
    changed: int


def fold(state: SourceState, changes: SourceChanges, /, *, by_time: bool = False) -> Folded:
    """Fold changes into a state.

    Args:
        state: What is known so far; it stays as it is.
        changes: SourceChanges in any order, some of them perhaps known already.
        by_time: Whether stamps are made of times, so that one time may stand in two files.

    Returns:
        The state afterwards. Whoever takes it looks at the findings first.
    """
    if not len(changes):
        return Folded(state, (), 0)
    writes = list_writes(changes, state.key, state.fold)
    groups, count = number_rows(writes.keys)
    first = np.zeros(count, dtype=np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    keys = [COLUMNS.take(values, first) for values in writes.keys]
    known = (
        find_rows(keys, state.key_columns()) if len(state) else np.full(count, -1, dtype=np.int64)
    )
    registers = _sort(state, changes, (writes, groups), known)
    findings = find_losses(registers, changes, by_time=by_time)
    last = registers.last
    won = np.flatnonzero(registers.origins[last] >= 0)  # the others are as they were
    after = _put(state, _written(registers, changes, last[won], state), known[won], keys, won)
    news = np.zeros(len(after), dtype=bool)
    news[: len(state)] = after.alive[: len(state)] & ~state.alive
    news[len(state) :] = after.alive[len(state) :]
    findings += _find_alike(after, news)
    written = last[won][registers.alive[last[won]]]
    findings += find_cut_cells(changes, registers.origins[written], state.key)
    return Folded(after, findings, len(won))


def _sort(
    state: SourceState, changes: SourceChanges, told: tuple[Writes, Positions], known: Positions
) -> Registers:
    """Order what is written, and what was there before, by key and stamp."""
    writes, groups = told
    held = np.flatnonzero(known >= 0)
    at = known[held]
    stamps = COLUMNS.concat([COLUMNS.take(state.stamps, at), writes.stamps])
    alive = np.concatenate([state.alive[at], writes.alive])
    group = np.concatenate([held, groups])
    order, same = sort_rows([make_column(group), stamps, make_column(alive.astype(np.int64))])
    asks = np.concatenate([np.full(len(held), ANY, dtype=np.int8), writes.asks])
    source = np.concatenate([np.full(len(held), -1, dtype=np.int64), writes.at])
    is_before = np.concatenate([np.zeros(len(held), dtype=bool), writes.is_before])
    names = list(state.cells)
    held_cells = take_rows(state.cells, at)
    cells = {name: COLUMNS.concat([held_cells[name], changes.cells[name]]) for name in names}
    place = np.concatenate([np.arange(len(held)), len(held) + writes.at])
    return Registers(
        groups=group[order],
        stamps=COLUMNS.take(stamps, order),
        alive=alive[order],
        asks=asks[order],
        origins=source[order],
        is_before=is_before[order],
        same=same,
        cells=make_frame(cells),
        places=place[order],
    )


def _written(
    registers: Registers, changes: SourceChanges, places: Positions, state: SourceState
) -> SourceState:
    """Give the registers that were written, as a state of their own without numbers."""
    alive = registers.alive[places]
    at = registers.origins[places]
    columns = {}
    for name in state.cells:
        cells = COLUMNS.take(changes.cells[name], at)
        if name in state.key and changes.before is not None:
            pool = COLUMNS.concat([changes.cells[name], changes.before[name]])
            cells = COLUMNS.take(pool, at + len(changes) * registers.is_before[places])
        columns[name] = cells if name in state.key else COLUMNS.keep(cells, alive)
    none = np.full(len(places), -1, dtype=np.int64)
    cells_of = make_frame(columns, pd.RangeIndex(len(places)))
    return replace(
        state, cells=cells_of, rows=none, stamps=COLUMNS.take(registers.stamps, places), alive=alive
    )


def _put(
    state: SourceState,
    written: SourceState,
    known: Positions,
    keys: Sequence[pd.Series],
    won: Positions,
) -> SourceState:
    """Put registers in the places of their keys, and new ones behind, in the order of keys."""
    length = len(state)
    old, new = np.flatnonzero(known >= 0), np.flatnonzero(known < 0)
    new = new[sort_rows([COLUMNS.take(values, won[new]) for values in keys])[0]]
    at = np.arange(length + len(new), dtype=np.int64)
    at[known[old]] = length + old
    at[length:] = length + new
    start = int(state.rows.max(initial=FIRST_ROW - 1)) + 1
    numbers = np.concatenate([state.rows, np.arange(start, start + len(new), dtype=np.int64)])
    cells = {
        name: COLUMNS.take(COLUMNS.concat([state.cells[name], written.cells[name]]), at)
        for name in state.cells
    }
    return replace(
        state,
        cells=make_frame(cells, pd.RangeIndex(len(at))),
        rows=numbers,
        stamps=COLUMNS.take(COLUMNS.concat([state.stamps, written.stamps]), at),
        alive=np.concatenate([state.alive, written.alive])[at],
    )


def _find_alike(state: SourceState, news: Mask) -> tuple[Finding, ...]:
    if not news.any():
        return ()
    living = np.flatnonzero(state.alive)
    keys = [COLUMNS.take(values, living) for values in state.key_columns()]
    count = count_alike(keys, news[living])
    return (Finding("alike_keys", count),) if count else ()
