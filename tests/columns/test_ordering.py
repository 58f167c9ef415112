"""Order and lookup: one test for text held by Arrow and by Python, by first bytes and whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.columns import ordering
from tests.columns.columns import BOTH, TEXTS, Cells, make


@pytest.fixture(params=["whole", "by first bytes", "as if mostly in order"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the ways of long columns with short ones, too."""
    if request.param != "whole":
        monkeypatch.setattr(ordering, "_MANY", 1)
    if request.param == "as if mostly in order":
        monkeypatch.setattr(ordering, "_FEW_FALLS", 1)


#: Texts of one length, and texts that share their first bytes, as ids do.
ALIKE = st.sampled_from(["id-00000000", "id-00000001", "id-000000010", "id-0000000", "id-9", "id-"])
ONE_LENGTH = st.text("ab\u00e9\0", min_size=9, max_size=9)
MANY_TEXTS = st.one_of(TEXTS, ALIKE, ONE_LENGTH, st.text("ab", max_size=12))
WIDE = st.lists(st.none() | MANY_TEXTS, max_size=12)


@BOTH
def test_argsort_is_stable_by_code_point_and_puts_missing_last(storage: str) -> None:
    @given(WIDE)
    @example(["\uffff", "\U00010000", "é", "z", "a", "B", None, "", "a"])
    def check(cells: Cells) -> None:
        plain = sorted(range(len(cells)), key=lambda at: (cells[at] is None, cells[at] or ""))
        assert ordering.argsort(make(cells, storage)).tolist() == plain

    check()


@BOTH
def test_is_ascending_compares_each_cell_with_the_one_before(storage: str) -> None:
    @given(cells=st.lists(TEXTS, max_size=4), in_order=st.booleans(), sliced=st.booleans())
    @example(cells=["a", "a"], in_order=True, sliced=False)
    @example(cells=["\uffff", "😀"], in_order=False, sliced=True)
    def check(cells: list[str], *, in_order: bool, sliced: bool) -> None:
        given_cells = sorted(set(cells)) if in_order else cells
        column = make(list(given_cells), storage, sliced=sliced)
        expected = all(one < two for one, two in zip(given_cells, given_cells[1:]))
        assert ordering.is_ascending(column) is expected

    check()
    assert not ordering.is_ascending(make(["a", None], storage))
    assert not ordering.is_ascending(make([None, "a"], storage))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4))
def test_is_ascending_knows_whole_numbers(numbers: list[int]) -> None:
    expected = all(one < two for one, two in zip(numbers, numbers[1:]))
    assert ordering.is_ascending(pd.Series(numbers, dtype="int64")) is expected


@BOTH
def test_find_gives_the_row_of_each_key_or_minus_one(storage: str) -> None:
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
    def check(drawn: tuple[Cells, list[str]]) -> None:
        cells, keys = drawn
        plain = [keys.index(cell) if cell in keys else -1 for cell in cells]
        found = ordering.find(make(cells, storage), make([*keys], storage))
        assert found.tolist() == plain

    check()


@BOTH
def test_sort_rows_tells_which_rows_are_equal(storage: str) -> None:
    @given(st.lists(st.tuples(MANY_TEXTS, st.integers(-3, 3)), max_size=8), st.booleans())
    def check(rows: list[tuple[str, int]], two: bool) -> None:  # noqa: FBT001 - drawn
        columns = [make([row[0] for row in rows], storage)]
        columns += [pd.Series([row[1] for row in rows], dtype="int64")] if two else []
        keys: list[Any] = rows if two else [row[0] for row in rows]
        plain = sorted(range(len(rows)), key=lambda at: keys[at])
        order, same = ordering.sort_rows(columns)
        assert order.tolist() == plain
        assert same.tolist() == [
            place > 0 and keys[at] == keys[plain[place - 1]] for place, at in enumerate(plain)
        ]

    check()


def test_sort_rows_orders_by_numbers_that_no_one_code_holds() -> None:
    big = 2**62
    one = pd.Series([big, -big, big, 0], dtype="int64")
    two = pd.Series([2, big, 1, -big], dtype="int64")
    order, same = ordering.sort_rows([one, two, one])
    assert order.tolist() == [1, 3, 2, 0]
    assert not same.any()


@given(st.lists(st.integers(-5, 9) | st.integers(-(2**63), 2**63 - 1), max_size=9))
@example([3, 1, 2])
@example([2**63 - 1, -(2**63), 0, 0])
def test_argsort_numbers_is_stable(numbers: list[int]) -> None:
    found = ordering.argsort_numbers(np.array(numbers, dtype=np.int64))
    assert found.tolist() == sorted(range(len(numbers)), key=lambda at: numbers[at])
