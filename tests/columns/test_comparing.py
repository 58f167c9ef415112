"""Comparing columns, and telling what holds one value: each form beside plain Python."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.columns.forms import TEXTS, Cells, Form


def test_differ_takes_null_for_equal_to_null_alone(form: Form) -> None:
    @given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=8), st.booleans())
    @example(pairs=[(None, None), (None, ""), ("a", "a"), ("a", "b")], sliced=True)
    def check(pairs: list[tuple[Any, Any]], sliced: bool) -> None:  # noqa: FBT001 - drawn
        one = form.make([pair[0] for pair in pairs], sliced=sliced)
        two = form.make([pair[1] for pair in pairs])
        same = form.make([pair[0] for pair in pairs])
        assert form.columns.differ(one, two).tolist() == [a != b for a, b in pairs]
        assert not form.columns.differ(one, one).any()
        assert form.columns.differ(one, same).tolist() == [False] * len(pairs)

    check()


def test_differ_compares_the_rows_that_it_is_told(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form.storage == "pyarrow":
        from aspen_etl.columns import arrow_arrays

        monkeypatch.setattr(arrow_arrays, "_BLOCK", 2)
    places = st.tuples(st.integers(0, 7), st.integers(0, 7))

    @given(st.lists(st.none() | TEXTS, min_size=8, max_size=8), st.lists(places, max_size=8))
    @example(cells=list("abcdefgh"), pairs=[(at, at) for at in range(8)])
    @example(cells=list("aabbccdd"), pairs=[(at, at + 1) for at in range(7)])
    def check(cells: Cells, pairs: list[tuple[int, int]]) -> None:
        one, two = form.make(cells), form.make_in_pieces(cells, 3)
        rows, at = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        found = form.columns.differ(one, two, rows, at)
        assert found.tolist() == [cells[a] != cells[b] for a, b in pairs]

    check()


def test_differ_compares_nullable_numbers(form: Form) -> None:
    one = pd.Series([1, None, 3, None], dtype="Int64")
    two = pd.Series([1, None, None, 4], dtype="Int64")
    rows = np.array([3, 0])
    assert form.columns.differ(one, two).tolist() == [False, False, True, True]
    assert form.columns.differ(one, two, rows, rows).tolist() == [True, False]


def test_constant_columns_hold_one_value_or_none(form: Form) -> None:
    cells_of = st.lists(st.none() | st.sampled_from(["", "a", "b", "ab", "aa"]), max_size=4)

    @given(cells_of | st.lists(st.sampled_from(["a", "aaa", "aa"]), max_size=4), st.booleans())
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        for values in (form.make(cells, sliced=sliced), form.make_in_pieces(cells, 0, 2)):
            assert form.columns.is_constant(values) == (len(set(cells)) < 2)

    check()


def test_constant_numbers_and_times_hold_one_value_or_none(form: Form) -> None:
    @given(st.lists(st.none() | st.integers(0, 1), max_size=4))
    @example([1, None, 1])
    @example([1, 0, 1])
    def check(cells: list[Optional[int]]) -> None:
        numbers = pd.Series(cells, dtype="Int64")
        ticks = [np.iinfo(np.int64).min if cell is None else cell for cell in cells]
        times = pd.Series(pd.DatetimeIndex(np.array(ticks, dtype="datetime64[ms]"), tz="UTC"))
        for values in (numbers, times):
            assert form.columns.is_constant(values) == (len(set(cells)) < 2)

    check()
