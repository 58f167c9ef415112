"""Histories of a source, run after run, with every kind of fault; the same ones for ever.

``RandomState`` draws the same numbers with every version of numpy; the newer generators, and
Hypothesis, may draw others with each. Nothing of the package is used but ``Extract``: what a
sheet may hold stands in ``sheets``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

import aspen_etl as ae
from tests.still.sheets import BLANKS, BROKEN, DECORATED, SHEETS, UNREADABLE, Column, Sheet

__all__ = ["RUNS", "make_history"]

#: How many runs a history has.
RUNS = 4

Row = dict[str, Any]


# ----------------------------------------------------------------------------- drawing


class _Draw:
    """Draw, always the same from the same seed."""

    def __init__(self, seed: int) -> None:
        self._state = np.random.RandomState(seed)

    def below(self, count: int) -> int:
        """Give a number from 0 on."""
        return int(self._state.randint(0, count, dtype=np.int64))

    def of(self, some: Sequence[Any]) -> Any:
        """Give one of some."""
        return some[self.below(len(some))]

    def percent(self, share: int) -> bool:
        """Tell whether something happens that does so in so many of a hundred cases."""
        return self.below(100) < share

    def shuffled(self, some: Sequence[Any]) -> list[Any]:
        """Give all of some, in another order."""
        left = list(some)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


def make_history(model: str, seed: int, *, rows: int = 12, faults: bool = True) -> list[ae.Extract]:
    """Make a history: a source that changes from run to run.

    Args:
        model: One of the names of ``SHEETS``.
        seed: Which one.
        rows: About how many rows the first sheet has; the others have more.
        faults: Whether it has faults at all.
    """
    draw = _Draw(seed)
    held: dict[str, list[Row]] = {sheet.name: [] for sheet in SHEETS[model]}
    return [_run(SHEETS[model], held, draw, rows, faults=faults) for _ in range(RUNS)]


def _run(
    sheets: Sequence[Sheet], held: dict[str, list[Row]], draw: _Draw, rows: int, *, faults: bool
) -> ae.Extract:
    """Change what is true, and give it as a run finds it."""
    frames, unreadable = {}, []
    for place, sheet in enumerate(sheets):
        truth = held[sheet.name]
        _change(sheet, truth, held, draw)
        for _ in range(rows + 4 * place - len(truth) if not truth else draw.below(4)):
            truth.append(_new(sheet, len(truth), held, draw))
        found = [dict(row) for row in truth if not draw.percent(10)]
        if faults:
            _spoil(sheet, found, draw)
            found = [] if draw.percent(4) else found
        found = draw.shuffled(found) if draw.percent(30) else found
        numbers = _numbers(len(found), draw)
        if faults:
            unreadable += list(_unread(sheet, found, numbers, draw))
        frames[sheet.name] = _frame(sheet, found, numbers)
    names = ("source", "row", "column", "value", "rule")
    return ae.Extract.from_frames(
        frames,
        faults=pd.DataFrame(unreadable, columns=list(names), dtype=object) if unreadable else None,
        notes={sheets[0].name: {"hidden_rows": 2}} if draw.percent(20) else None,
    )


def _change(sheet: Sheet, truth: list[Row], held: dict[str, list[Row]], draw: _Draw) -> None:
    for row in truth:
        for name, column in sheet.columns.items():
            if name != sheet.key[0] and draw.percent(5):
                row[name] = _cell(sheet, name, column, held, draw)
    if truth and draw.percent(40):  # gone for good
        truth.pop(draw.below(len(truth)))


def _new(sheet: Sheet, number: int, held: dict[str, list[Row]], draw: _Draw) -> Row:
    row = {
        name: _cell(sheet, name, column, held, draw)
        for name, column in sheet.columns.items()
        if name != sheet.key[0]
    }
    key, form = sheet.key
    return {**({key: form.format(number * 7 + draw.below(7))} if key else {}), **row}


def _cell(sheet: Sheet, name: str, column: Column, held: dict[str, list[Row]], draw: _Draw) -> Any:
    if name in sheet.refers:
        return next(iter(draw.of(held[sheet.refers[name]]).values()))  # the key comes first
    if draw.percent(column.blank):
        return draw.of(BLANKS)
    cell = draw.of(column.good)
    return draw.of(DECORATED).format(cell) if isinstance(cell, str) else cell


# ----------------------------------------------------------------------------- faults


def _spoil(sheet: Sheet, rows: list[Row], draw: _Draw) -> None:
    """Put faults in: of cells, of references, and rows that should not be there."""
    for row in rows:
        if draw.percent(25):
            name = draw.of(list(sheet.columns))
            bad = (*sheet.columns[name].bad, *BROKEN, *BLANKS)
            own = len(sheet.columns[name].bad)
            row[name] = draw.of(bad[:own]) if own and draw.percent(60) else draw.of(bad)
        for name in sheet.refers:
            if draw.percent(6):
                row[name] = draw.of(("nobody", "NA", "\u2007ghost ", "\u00c9", None))
    for add in (_duplicate, _duplicate, _blank, _header):
        if rows and draw.percent(60):
            rows.insert(draw.below(len(rows) + 1), add(sheet, rows, draw))


def _duplicate(sheet: Sheet, rows: list[Row], draw: _Draw) -> Row:
    row = dict(draw.of(rows))
    other = draw.of(rows)
    for name in sheet.columns:
        if draw.percent(30) and name != sheet.key[0]:
            row[name] = other[name]
    if sheet.key[0] and isinstance(row[sheet.key[0]], str) and draw.percent(50):
        row[sheet.key[0]] = f"\u2003{row[sheet.key[0]]} "
    return row


def _blank(sheet: Sheet, _: list[Row], draw: _Draw) -> Row:
    return {name: draw.of(BLANKS) for name in sheet.columns}


def _header(sheet: Sheet, _: list[Row], draw: _Draw) -> Row:
    names = list(sheet.columns)
    write: Callable[[str], str] = draw.of((str, str.upper, "\u2003{} ".format))
    names = draw.shuffled(names) if draw.percent(40) else names
    return dict(zip(sheet.columns, map(write, names)))


def _unread(sheet: Sheet, rows: list[Row], numbers: list[int], draw: _Draw) -> Iterator[Any]:
    """Take away cells that a reader could not take, and name them."""
    for row, number in zip(rows, numbers):
        if draw.percent(4):
            name = draw.of(list(sheet.columns))
            row[name] = None
            yield (sheet.name, number, name, *draw.of(UNREADABLE))


# ----------------------------------------------------------------------------- frames


def _numbers(count: int, draw: _Draw) -> list[int]:
    gaps, number, out = draw.percent(50), 1, []
    for _ in range(count):
        number += 1 + (draw.below(3) if gaps else 0)
        out.append(number)
    return out


def _frame(sheet: Sheet, rows: list[Row], numbers: list[int]) -> pd.DataFrame:
    cells = np.full((len(rows), len(sheet.columns)), None, dtype=object)
    for place, row in enumerate(rows):
        cells[place] = [row[name] for name in sheet.columns]
    index = pd.Index(numbers, name="row", dtype="int64")
    return pd.DataFrame(cells, columns=list(sheet.columns), index=index, dtype=object)
