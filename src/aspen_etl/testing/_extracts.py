"""Strategies for extracts of any model: valid, or with faults of chosen kinds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np
import pandas as pd
from hypothesis import currently_in_test_context, note, reject
from hypothesis import strategies as st

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import FAULT_COLUMNS, FIRST_ROW, ROW, Extract
from aspen_etl.testing import _cells
from aspen_etl.testing._entities import Agreement
from aspen_etl.testing._faults import CONFLICT, Fault, Row, Sheet, find_faults
from aspen_etl.testing._plan import ColumnPlan, SheetPlan, plan
from aspen_etl.testing._types import PLAIN, spell
from aspen_etl.testing._valid import Drawn, Valid

__all__ = ["extracts"]

#: The most faults of one extract.
_FAULTS = 4


def extracts(
    model: Model = BORROWER_MODEL,
    *,
    faults: Union[str, Collection[str]] = (),
    min_rows: int = 0,
    max_rows: int = 5,
) -> st.SearchStrategy[Extract]:
    """Generate extracts of a model: valid ones, or such with up to four faults each.

    A valid extract has no reject. Its cells range over white space of every kind, all scripts,
    emoji, text at its limit, and words that programs take for something else; its rows have
    the sheet's own numbers, with gaps. A failing test prints the sheets in full.

    Args:
        model: What the sheets are, and what they become: lengths, forms, keys and references
            are taken from it. Text of a form of your own is made from its pattern.
        faults: The kinds of faults that may occur, of ``FAULT_KINDS``, or ``"all"``.
        min_rows: The fewest rows of a sheet, faults aside; a sheet that refers to another has
            none where there is nothing to refer to.
        max_rows: The most rows of a sheet, faults aside.

    Raises:
        ArgumentError: A kind of fault is not known, or the numbers of rows contradict each other.

    Examples:
        >>> import hypothesis
        >>> @hypothesis.given(extracts(faults=["duplicate"], min_rows=1))
        ... def test_no_id_stands_twice(extract): ...
    """
    if not 0 <= min_rows <= max_rows:
        raise ArgumentError(
            f"min_rows={min_rows} and max_rows={max_rows} leave no number of rows; "
            "give 0 <= min_rows <= max_rows",
            problem="count",
        )
    found = find_faults(model, faults)
    spoiled = [
        st.tuples(st.sampled_from(some), st.integers(0, 99), st.integers(0, 99))
        for some in found.values()
    ]
    return st.builds(
        _Assembly(plan(model), min_rows, disagreeing=CONFLICT in found),
        st.tuples(*(_rows(sheet, min_rows, max_rows) for sheet in plan(model))),
        st.lists(st.one_of(spoiled), max_size=_FAULTS) if spoiled else st.just(()),
        st.just(0) | st.integers(0, 2**16),
    )


# ----------------------------------------------------------------------------- cells and rows


def _rows(sheet: SheetPlan, min_rows: int, max_rows: int) -> st.SearchStrategy[list[Drawn]]:
    """Give rows whose cells are valid one by one; a reference is a number still."""
    names = [column.name for column in sheet.columns]
    groups = list(dict.fromkeys(column.group for column in sheet.columns if column.group))
    members = [
        [column.name for column in sheet.columns if column.group == group] for group in groups
    ]

    def row(cells: Sequence[Any]) -> Drawn:
        made = dict(zip(names, cells))
        for there, group in zip(cells[len(names) :], members):
            if not there:
                made.update(dict.fromkeys(group))
        return Drawn(made, tuple(cells[len(names) + len(groups) :]))

    drawn = [_cell(column) for column in sheet.columns] + [st.integers(0, 2)] * len(groups)
    drawn += [_NUMBERS] * len(sheet.entities)
    return st.lists(st.tuples(*drawn).map(row), min_size=min_rows, max_size=max_rows)


_NUMBERS = st.integers(0, 2**24 - 1)


def _cell(column: ColumnPlan) -> st.SearchStrategy[Any]:
    if column.reference is not None:
        return _NUMBERS
    needed = column.mandatory and (column.told or column.group is not None)
    optional = not column.required and not needed
    decode = _decoder(column)
    if decode is not None:
        return _cells.raw_cells(decode, optional=optional)
    found = st.builds(_cells.decorate, _cells.from_pattern(column.formats[0]), st.integers(0, 99))
    return st.one_of(st.none(), found) if optional else found


def _decoder(column: ColumnPlan) -> Optional[_cells.Decoder]:
    typed = column.typed
    if typed is None:
        return _cells.decoder(
            column.limit,
            column.formats,
            parts=column.parts if column.splits_words else 1,
            raw=column.cleaner is not None,
        )
    make = PLAIN[typed.type].canonical
    return lambda number: spell(make(number >> 6, typed), number & 63, typed)


# ----------------------------------------------------------------------------- whole extracts


class _Assembly:
    """Join generated rows to an extract: resolve references, keep keys unique, put faults in."""

    def __init__(self, sheets: Sequence[SheetPlan], min_rows: int, *, disagreeing: bool) -> None:
        self.sheets, self.min_rows, self.disagreeing = sheets, min_rows, disagreeing

    def __call__(
        self,
        generated: Sequence[Sequence[Drawn]],
        faults: Sequence[tuple[Fault, int, int]],
        gaps: int,
    ) -> Extract:
        made: dict[str, Sheet] = {}
        keys: dict[str, list[str]] = {}
        entities = Agreement({}, {}, self.disagreeing)
        for sheet, rows in zip(self.sheets, generated):
            made[sheet.name] = Sheet(Valid(sheet, keys, entities).select(rows))
            if len(made[sheet.name].rows) < self.min_rows and all(
                keys[c.reference] for c in sheet.columns if c.reference
            ):
                reject()
        for fault, at, number in faults:
            fault.spoil(made[fault.sheet], at, number)
        return _extract(self.sheets, made, gaps)


def _extract(sheets: Sequence[SheetPlan], made: Mapping[str, Sheet], gaps: int) -> Extract:
    frames, faults = {}, []
    for sheet in sheets:
        rows, unreadable = made[sheet.name].rows, made[sheet.name].unreadable
        numbers, number = [], FIRST_ROW - 1
        for place, row in enumerate(rows):
            number += 1 + ((gaps >> place) & 1)
            numbers.append(number)
            faults += [
                (sheet.name, number, c.name, *unreadable[id(row), c.name])
                for c in sheet.columns
                if (id(row), c.name) in unreadable
            ]
        frames[sheet.name] = _frame([c.name for c in sheet.columns], rows)
        if gaps:
            frames[sheet.name].index = pd.Index(numbers, name=ROW, dtype="int64")
        if currently_in_test_context():
            note(f"{sheet.name}: {[(n, *row.values()) for n, row in zip(numbers, rows)]!a}")
    if currently_in_test_context() and faults:
        note(f"cells without text: {faults!a}")
    return Extract.from_frames(
        frames,
        faults=pd.DataFrame(faults, columns=list(FAULT_COLUMNS), dtype=object) if faults else None,
    )


def _frame(names: Sequence[str], rows: Sequence[Row]) -> pd.DataFrame:
    cells = np.full((len(rows), len(names)), None, dtype=object)
    for place, row in enumerate(rows):
        cells[place] = [row[name] for name in names]
    return pd.DataFrame(cells, columns=list(names), dtype=object)
