"""Gathering cells: each form is compared with the plainest Python that says the same."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.columns.chosen import COLUMNS as CHOSEN
from aspen_etl.columns.plain import neighbours
from aspen_etl.columns.text import TEXT
from tests.columns.forms import COLUMNS, Cells, Form, texts


def test_take_gathers_rows_and_gives_missing_for_minus_one(form: Form) -> None:
    @given(COLUMNS, st.data())
    @example(cells=[], data=None)
    def check(cells: Cells, data: Optional[st.DataObject]) -> None:
        at = [-1, -1]
        if data is not None:
            at = data.draw(st.lists(st.integers(-1, len(cells) - 1), max_size=9))
        found = form.columns.take(form.make(cells).rename("name"), np.array(at, dtype=np.int64))
        assert texts(found) == [None if row < 0 else cells[row] for row in at]
        assert (found.dtype, found.name) == (form.make([]).dtype, "name") or not cells
        assert found.index.equals(pd.RangeIndex(len(at)))

    check()


def test_rows_are_gathered_from_a_column_in_pieces(form: Form) -> None:
    @given(COLUMNS, st.lists(st.integers(0, 8), max_size=3), st.data())
    @example(cells=list("abcd"), cuts=[0, 2, 2, 4], data=None)
    def check(cells: Cells, cuts: list[int], data: Optional[st.DataObject]) -> None:
        rows = st.lists(st.sampled_from(range(len(cells))), max_size=9) if cells else st.just([])
        at = [0, 2, 2, 3] if data is None else data.draw(rows | rows.map(sorted))
        column = form.make_in_pieces(cells, *cuts).rename("name")
        found = form.columns.take(column, np.array(at, dtype=np.int64))
        assert (texts(found), found.name) == ([cells[row] for row in at], "name")
        assert found.index.equals(pd.RangeIndex(len(at)))

    check()


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 2, 3], dtype="Int64"),
        pd.Series(pd.DatetimeIndex(["2026-01-31", "2026-02-01", "2026-02-02"], tz="UTC")),
    ],
    ids=["numbers", "times"],
)
def test_take_gathers_numbers_and_times(form: Form, values: pd.Series) -> None:
    found = form.columns.take(values, np.array([2, -1, 0]))
    assert (found.dtype, found.isna().tolist()) == (values.dtype, [False, True, False])
    assert (found[0], found[2]) == (values[2], values[0])
    nothing = form.columns.take(values.iloc[:0], np.array([-1, -1]))
    assert (nothing.dtype, nothing.isna().tolist()) == (values.dtype, [True, True])


def test_take_gives_minus_one_among_row_numbers(form: Form) -> None:
    numbers = pd.Series([5, 7], name="name")
    found = form.columns.take(numbers, np.array([1, -1, 0]))
    assert (found.tolist(), found.name, str(found.dtype)) == ([7, -1, 5], "name", "int64")
    assert form.columns.take(numbers.iloc[:0], np.array([-1])).tolist() == [-1]


def test_concat_puts_columns_one_after_the_other(form: Form) -> None:
    @given(st.lists(COLUMNS, min_size=1, max_size=3), st.booleans())
    def check(columns: list[Cells], sliced: bool) -> None:  # noqa: FBT001 - drawn
        found = form.columns.concat([form.make(cells, sliced=sliced) for cells in columns])
        assert texts(found) == [cell for cells in columns for cell in cells]
        assert found.index.equals(pd.RangeIndex(len(found)))

    check()


def test_concat_puts_numbers_and_times_one_after_the_other(form: Form) -> None:
    times = pd.Series(pd.DatetimeIndex(["2026-01-31", pd.NaT], tz="UTC"))
    both = [times, times]
    assert form.columns.concat(both).equals(pd.concat(both, ignore_index=True))
    assert form.columns.concat([pd.Series([1]), pd.Series([2])]).tolist() == [1, 2]
    assert form.columns.concat([pd.Series([1], index=[9])]).index.equals(pd.RangeIndex(1))


def test_keep_keeps_the_cells_of_some_rows(form: Form) -> None:
    @given(COLUMNS, st.booleans(), st.data())
    def check(cells: Cells, sliced: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
        rows = data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells)))
        column = form.make(cells, sliced=sliced).set_axis([f"row {i}" for i in range(len(cells))])
        found = form.columns.keep(column, np.array(rows, dtype=bool))
        assert texts(found) == [cell if held else None for cell, held in zip(cells, rows)]
        assert texts(column) == cells
        assert found.index.equals(column.index)

    check()


@pytest.mark.parametrize("text", ["a", "é 😀", None])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_repeat_gives_one_text_throughout(form: Form, text: Optional[str], length: int) -> None:
    found = form.columns.repeat(text, length)
    assert (texts(found), found.dtype) == ([text] * length, TEXT)


@given(st.lists(st.integers(-1, 5), max_size=5))
@example([0, 1, 2])
@example([2, 3])
def test_neighbours_are_a_view_of_what_stands_together(positions: list[int]) -> None:
    found = neighbours(pd.Series(range(6)), np.array(positions, dtype=np.int64))
    together = not positions or positions == list(
        range(positions[0], positions[0] + len(positions))
    )
    if not together or (positions and positions[0] < 0):
        assert found is None
    else:
        assert found is not None
        assert found.tolist() == positions
        assert found.index.equals(pd.RangeIndex(len(positions)))


@pytest.mark.parametrize("dtype", [object, TEXT])
def test_what_is_chosen_takes_text_of_another_form(dtype: Any) -> None:
    values = pd.Series(["b a", None, "a"], dtype=dtype)
    assert texts(CHOSEN.take(values, np.array([2, -1, 0]))) == ["a", None, "b a"]
    assert texts(CHOSEN.concat([values, values.astype(TEXT)])) == [*texts(values), *texts(values)]
    assert CHOSEN.order(values)[0].tolist() == [2, 0, 1]
    assert CHOSEN.find(values, values.dropna().reset_index(drop=True)).tolist() == [0, -1, 1]
    assert CHOSEN.matches(values, "a").tolist() == [False, True, True]
    assert CHOSEN.longer(values, 1).tolist() == [True, False, False]
    assert [texts(part) for part in CHOSEN.first_space(values)] == [
        ["b", None, "a"],
        ["a", None, ""],
    ]
    assert CHOSEN.differ(values, values.astype(TEXT)).tolist() == [False] * 3
