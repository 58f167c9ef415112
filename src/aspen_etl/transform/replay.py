"""Replay: fold landed changes into the state of a source, in whatever order they come.

The state has a register for each key: the write with the greatest stamp. A maximum does not
depend on the order of what it is taken of, nor on how often each comes, so neither does the state.
A key that is gone stays as a tombstone: else an older write that comes late would bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.pieced import put_over, take_cells
from aspen_etl.columns.rows import find_rows, number_rows, sort_rows
from aspen_etl.schema.values import FIRST_ROW
from aspen_etl.transform.alike import count_alike
from aspen_etl.transform.changing import ANY, SourceChanges, Writes, list_writes
from aspen_etl.transform.losses import Finding, Registers, find_losses
from aspen_etl.transform.source_state import SourceState
from aspen_etl.transform.suspects import find_cut_cells

__all__ = ["Folded", "fold"]


@dataclass(frozen=True)
class Folded:
    """What a fold gives.

    Attributes:
        state: The state afterwards.
        findings: What speaks against it: a change that is missing, an order that is not sure.
        at: The places in it of the keys that have another row, came, or went.
    """

    state: SourceState
    findings: tuple[Finding, ...]
    at: Positions = field(repr=False)


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
        return Folded(state, (), np.zeros(0, dtype=np.int64))
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
    old = known[won][known[won] >= 0]
    return Folded(after, findings, np.append(old, np.arange(len(state), len(after))))


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
    names = list(map(str, state.cells))
    held_cells = take_cells(state.cells, at)
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
    for name in map(str, state.cells):
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
    return replace(
        state,
        cells=put_over(state.cells, written.cells, at),
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
