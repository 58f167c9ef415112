"""Order and lookup: one test for both forms, by first bytes and whole."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.columns import plain, positions
from aspen_etl.columns.rows import codes, find_keys, find_rows, sort_rows
from tests.columns.forms import COLUMNS, TEXTS, Cells, Form, texts


@pytest.fixture(params=["whole", "by first bytes", "as if mostly in order"], autouse=True)
def _way(request: pytest.FixtureRequest, form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the ways of long columns with short ones, too."""
    monkeypatch.setattr(plain, "_FIRST", 2)
    if request.param != "whole" and form.storage == "pyarrow":
        from aspen_etl.columns import arrow_sorting

        monkeypatch.setattr(arrow_sorting, "_MANY", 1)
    if request.param == "as if mostly in order":
        monkeypatch.setattr(positions, "_FEW_FALLS", 1)


#: Texts of one length, and texts that share their first bytes, as ids do.
ALIKE = st.sampled_from(["id-00000000", "id-00000001", "id-000000010", "id-0000000", "id-9", "id-"])
ONE_LENGTH = st.text("ab\u00e9\0", min_size=9, max_size=9)
MANY_TEXTS = st.one_of(TEXTS, ALIKE, ONE_LENGTH, st.text("ab", max_size=12))
FEW_RIVALS = ["c1", "c2", "c3", "c4", "c5", "c6"]  # beside which two keys share a head
WIDE = st.lists(st.none() | MANY_TEXTS, max_size=12)


def test_order_is_stable_by_code_point_and_puts_missing_last(form: Form) -> None:
    @given(WIDE | WIDE.map(lambda cells: sorted({cell for cell in cells if cell is not None})))
    @example(["\uffff", "\U00010000", "é", "z", "a", "B", None, "", "a"])
    @example(["a", "b"])
    @example(["a", "b", "b"])
    def check(cells: Cells) -> None:
        expected = sorted(range(len(cells)), key=lambda at: (cells[at] is None, cells[at] or ""))
        order, no_twins = form.columns.order(form.make(cells))
        assert order.tolist() == expected
        assert not no_twins or len(set(cells)) == len(cells)

    check()


def test_order_knows_that_no_cell_of_an_ascending_column_stands_twice(form: Form) -> None:
    assert form.columns.order(form.make(["", "a", "b"]))[1]
    assert not form.columns.order(form.make(["a", "b", "b"]))[1]
    assert not form.columns.order(form.make(["a", "b", None, None]))[1]


def test_find_gives_the_row_of_each_key_or_minus_one(form: Form) -> None:
    known = st.lists(MANY_TEXTS, unique=True, max_size=8)
    hits = known.filter(bool).flatmap(
        lambda keys: st.tuples(st.lists(st.sampled_from(keys), max_size=12), st.just(keys))
    )

    @given(st.tuples(WIDE, known) | hits)
    @example((["id-00000001", "id-000000010", "id-x"], ["id-000000010", "id-00000001", "id-9"]))
    @example((["a\0b", "a"], ["a", "a\0", "a\0b"]))
    @example((["b", "c", "a"], ["a", "b", "c"]))
    @example((["a", "b"], ["a", "b"]))
    @example((["a", None], []))
    @example((["aaaaaaaaA", "c1", "aaaaaaaaC"], [*FEW_RIVALS, "aaaaaaaaB", "aaaaaaaaA"]))
    def check(drawn: tuple[Cells, list[str]]) -> None:
        cells, keys = drawn
        expected = [keys.index(cell) if cell in keys else -1 for cell in cells]
        assert form.columns.find(form.make(cells), form.make([*keys])).tolist() == expected

    check()


def test_find_keys_finds_one_of_those_given_twice(form: Form) -> None:
    values, keys = form.make(["b", "a", None, "c"]), form.make(["b", "a", "b", "d"])
    assert find_keys(values, keys).tolist() == [0, 1, -1, -1]
    numbers = pd.Series([7, 5, None], dtype="Int64")
    assert find_keys(numbers, pd.Series([5, 7, 5])).tolist() == [1, 2, -1]
    assert find_keys(numbers, pd.Series([], dtype="int64")).tolist() == [-1, -1, -1]
    assert find_keys(pd.Series([2**62, 1]), pd.Series([-(2**62), 2**62])).tolist() == [1, -1]


def test_text_and_numbers_find_each_other_nowhere(form: Form) -> None:
    cells, numbers = form.make(["1", "2"]), pd.Series([1, 2])
    assert find_keys(numbers, cells).tolist() == [-1, -1]
    assert find_rows([numbers], [cells]).tolist() == [-1, -1]
    assert find_rows([cells], [numbers]).tolist() == [-1, -1]


def test_find_rows_takes_null_for_a_value(form: Form) -> None:
    values = st.tuples(st.none() | st.sampled_from("abc"), st.none() | st.integers(0, 3))

    @given(st.lists(values, max_size=8), st.lists(values, unique=True, max_size=8))
    def check(wanted: list[Any], known: list[Any]) -> None:
        def columns(rows: list[Any]) -> list[pd.Series]:
            numbers = pd.Series([row[1] for row in rows], dtype="Int64")
            return [form.make([row[0] for row in rows]), numbers]

        expected = [known.index(row) if row in known else -1 for row in wanted]
        assert find_rows(columns(wanted), columns(known)).tolist() == expected

    check()


def test_sort_rows_tells_which_rows_are_equal(form: Form) -> None:
    @given(st.lists(st.tuples(MANY_TEXTS, st.integers(-3, 3)), max_size=8), st.booleans())
    @example(rows=[("b", 0), ("a", 0), ("b", 1)], two=False)
    @example(rows=[("b", 1), ("a", 0), ("b", 1)], two=True)
    def check(rows: list[tuple[str, int]], two: bool) -> None:  # noqa: FBT001 - drawn
        columns = [form.make([row[0] for row in rows])]
        columns += [pd.Series([row[1] for row in rows], dtype="int64")] if two else []
        keys: list[Any] = rows if two else [row[0] for row in rows]
        expected = sorted(range(len(rows)), key=lambda at: keys[at])
        order, same = sort_rows(columns)
        assert order.tolist() == expected
        assert same.tolist() == [
            place > 0 and keys[at] == keys[expected[place - 1]] for place, at in enumerate(expected)
        ]

    check()


def test_sort_rows_puts_what_is_missing_first_and_takes_it_for_equal(form: Form) -> None:
    cells = st.tuples(st.none() | MANY_TEXTS, st.none() | st.integers(-3, 3))

    @given(st.lists(cells, max_size=8), st.sampled_from([[0], [1], [0, 1], [1, 0]]))
    @example(rows=[("b", 0), (None, 0), ("a", 0), (None, 0)], by=[0])
    @example(rows=[("b", -1), (None, None), ("a", 0)], by=[1, 0])
    def check(rows: list[tuple[Optional[str], Optional[int]]], by: list[int]) -> None:
        columns = [
            form.make([row[0] for row in rows]),
            pd.Series([row[1] for row in rows], dtype="Int64"),
        ]
        keys = [[(row[place] is not None, row[place]) for place in by] for row in rows]
        expected = sorted(range(len(rows)), key=lambda at: keys[at])
        order, same = sort_rows([columns[place] for place in by])
        assert order.tolist() == expected
        assert same.tolist() == [
            place > 0 and keys[at] == keys[expected[place - 1]] for place, at in enumerate(expected)
        ]

    check()


@pytest.mark.usefixtures("form")
def test_sort_rows_orders_by_numbers_that_no_one_code_holds() -> None:
    big = 2**62
    one = pd.Series([big, -big, big, 0], dtype="int64")
    two = pd.Series([2, big, 1, -big], dtype="int64")
    order, same = sort_rows([one, two, one])
    assert order.tolist() == [1, 3, 2, 0]
    assert not same.any()


def test_codes_give_each_text_once(form: Form) -> None:
    @given(COLUMNS)
    def check(cells: Cells) -> None:
        found, distinct = codes(form.make(cells))
        assert texts(form.columns.take(distinct, found)) == cells
        assert sorted(texts(distinct)) == sorted({cell for cell in cells if cell is not None})  # type: ignore[type-var]
        assert found.dtype == np.int64

    check()
