"""One test for both twins of every kernel: text held by Arrow, and text held by Python.

Each is compared with the plainest Python that says the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.borrower.tables import EMAIL, PHONE, ZIP_CODE
from aspen_etl.columns import kernels, scanning
from aspen_etl.columns.text import TEXT, WHITE_SPACE, TextFormat, conform_text
from tests.columns.columns import (
    BOTH,
    COLUMNS,
    STORAGES,
    TEXTS,
    Cells,
    make,
    make_in_pieces,
    texts,
)


@BOTH
def test_take_gathers_rows_and_gives_missing_for_minus_one(storage: str) -> None:
    @given(COLUMNS, st.data())
    def check(cells: Cells, data: st.DataObject) -> None:
        positions = data.draw(st.lists(st.integers(-1, len(cells) - 1), max_size=9))
        found = kernels.take(make(cells, storage), np.array(positions, dtype=np.int64))
        assert texts(found) == [None if at < 0 else cells[at] for at in positions]
        assert found.index.equals(pd.RangeIndex(len(positions)))

    check()


@BOTH
@pytest.mark.parametrize("gather", [kernels.take, kernels.select])
def test_rows_are_gathered_from_a_column_in_pieces(
    storage: str, gather: Callable[[pd.Series, Any], pd.Series]
) -> None:
    @given(COLUMNS, st.lists(st.integers(0, 8), max_size=3), st.data())
    @example(cells=list("abcd"), cuts=[0, 2, 2, 4], data=None)
    def check(cells: Cells, cuts: list[int], data: Optional[st.DataObject]) -> None:
        rows = st.lists(st.sampled_from(range(len(cells))), max_size=9) if cells else st.just([])
        positions = [0, 2, 2, 3] if data is None else data.draw(rows | rows.map(sorted))
        column = make_in_pieces(cells, storage, *cuts).rename("name")
        found = gather(column, np.array(positions, dtype=np.int64))
        assert (texts(found), found.name) == ([cells[at] for at in positions], "name")
        assert found.index.equals(pd.RangeIndex(len(positions)))

    check()


@BOTH
@pytest.mark.parametrize("block", [2, 1 << 18])
def test_suspects_miss_nothing_that_cleaning_or_the_rules_must_look_at(
    storage: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_BLOCK", block)
    monkeypatch.setattr(scanning, "_CELLS", block)
    odd = re.compile(f"[{WHITE_SPACE}]|[\x00-\x1f\x7f-\x9f]")

    @given(COLUMNS, st.booleans())
    @example(cells=[None, None], sliced=False)
    @example(cells=["", None], sliced=True)
    @example(cells=["a b", "a  b", " a", "a ", "a"], sliced=True)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        found = set(scanning.suspects(make(cells, storage, sliced=sliced)).tolist())
        plain = {
            at
            for at, cell in enumerate(cells)
            if cell is not None and (not cell or odd.search(re.sub(r"(?<=\S) (?=\S)", "", cell)))
        }
        assert plain <= found <= {at for at, cell in enumerate(cells) if cell is not None}

    check()


@BOTH
@pytest.mark.parametrize("text_format", [ZIP_CODE, PHONE, EMAIL, TextFormat("x", "a|b c?")])
def test_matches_tells_what_has_the_form_as_a_whole(storage: str, text_format: TextFormat) -> None:
    @given(COLUMNS)
    @example(
        ["12345", "12345\n", "x12345", "12345x", "１２３４５", "a@b", "a@b\n", "a", "b", "ab", ""]
    )
    def check(cells: Cells) -> None:
        plain = [c is None or re.fullmatch(text_format.pattern, c) is not None for c in cells]
        assert scanning.matches(make(cells, storage), text_format).tolist() == plain

    check()


@BOTH
@pytest.mark.parametrize("length", [0, 1, 3])
def test_longer_than_counts_code_points(storage: str, length: int) -> None:
    @given(COLUMNS, st.booleans())
    @example(cells=["😀😀😀", "éé", "e\u0301", "abcd"], sliced=True)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        plain = [c is not None and len(c) > length for c in cells]
        assert scanning.longer_than(make(cells, storage, sliced=sliced), length).tolist() == plain

    check()


@BOTH
def test_first_space_parts_each_cell_once(storage: str) -> None:
    @given(COLUMNS, st.booleans())
    @example(cells=["Ada Degli Antoni", "Cher", "", None, " x", "a\u00a0b c"], sliced=True)
    @example(cells=[], sliced=False)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        before, after = scanning.first_space(make(cells, storage, sliced=sliced))
        assert texts(before) == [None if c is None else c.partition(" ")[0] for c in cells]
        assert texts(after) == [None if c is None else c.partition(" ")[2] for c in cells]

    check()


@BOTH
def test_join_words_undoes_first_space(storage: str) -> None:
    @given(st.lists(TEXTS, max_size=8), st.booleans())
    def check(cells: list[str], sliced: bool) -> None:  # noqa: FBT001 - drawn
        plain = [" ".join(cell.split()) for cell in cells]
        column = make(list(plain), storage, sliced=sliced)
        assert texts(scanning.join_words(*scanning.first_space(column))) == plain

    check()


@BOTH
def test_only_keeps_the_cells_of_some_rows(storage: str) -> None:
    @given(COLUMNS, st.booleans(), st.data())
    def check(cells: Cells, sliced: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
        rows = data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells)))
        column = make(cells, storage, sliced=sliced)
        found = kernels.only(column, np.array(rows, dtype=bool))
        assert texts(found) == [cell if held else None for cell, held in zip(cells, rows)]
        assert texts(column) == cells

    check()


@BOTH
def test_concat_puts_columns_one_after_the_other(storage: str) -> None:
    @given(st.lists(COLUMNS, min_size=1, max_size=3), st.booleans())
    def check(columns: list[Cells], sliced: bool) -> None:  # noqa: FBT001 - drawn
        found = kernels.concat([make(cells, storage, sliced=sliced) for cells in columns])
        assert texts(found) == [cell for cells in columns for cell in cells]
        assert found.index.equals(pd.RangeIndex(len(found)))

    check()


def test_concat_puts_numbers_and_times_one_after_the_other() -> None:
    times = pd.Series(pd.DatetimeIndex(["2026-01-31", pd.NaT], tz="UTC"))
    assert kernels.concat([times, times]).equals(pd.concat([times, times], ignore_index=True))
    assert kernels.concat([pd.Series([1]), pd.Series([2])]).tolist() == [1, 2]


@BOTH
def test_differ_takes_null_for_equal_to_null_alone(storage: str) -> None:
    @given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=8), st.booleans())
    @example(pairs=[(None, None), (None, ""), ("a", "a"), ("a", "b")], sliced=True)
    def check(pairs: list[tuple[Any, Any]], sliced: bool) -> None:  # noqa: FBT001 - drawn
        one = make([pair[0] for pair in pairs], storage, sliced=sliced)
        two = make([pair[1] for pair in pairs], storage)
        assert kernels.differ(one, two).tolist() == [a != b for a, b in pairs]
        assert not kernels.differ(one, one).any()

    check()


@BOTH
def test_differ_at_compares_the_rows_that_it_is_told(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_BLOCK", 2)
    places = st.tuples(st.integers(0, 7), st.integers(0, 7))

    @given(st.lists(st.none() | TEXTS, min_size=8, max_size=8), st.lists(places, max_size=8))
    @example(cells=list("abcdefgh"), pairs=[(at, at) for at in range(8)])
    @example(cells=list("aabbccdd"), pairs=[(at, at + 1) for at in range(7)])
    def check(cells: Cells, pairs: list[tuple[int, int]]) -> None:
        one, two = make(cells, storage), make_in_pieces(cells, storage, 3)
        rows, at = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        found = kernels.differ_at(one, rows, two, at)
        assert found.tolist() == [cells[a] != cells[b] for a, b in pairs]

    check()


def test_differ_compares_nullable_numbers() -> None:
    one = pd.Series([1, None, 3, None], dtype="Int64")
    two = pd.Series([1, None, None, 4], dtype="Int64")
    assert kernels.differ(one, two).tolist() == [False, False, True, True]


@BOTH
def test_same_text_says_yes_only_of_the_same_cells(storage: str) -> None:
    @given(COLUMNS, COLUMNS)
    def check(one: Cells, two: Cells) -> None:
        found = kernels.same_text(make(one, storage), make(two, storage))
        assert found is (one == two) if storage == "pyarrow" else not found

    check()


@given(st.lists(st.integers(-1, 5), max_size=5), st.integers(0, 3))
@example([0, 1, 2], 0)
@example([2, 3], 2)
def test_is_range_and_neighbours_know_what_stands_together(
    positions: list[int], first: int
) -> None:
    at = np.array(positions, dtype=np.int64)
    expected = positions == list(range(first, first + len(positions)))
    assert kernels.is_range(at, first) is expected
    found = kernels.neighbours(pd.Series(range(6)), at)
    together = not positions or positions == list(range(positions[0], positions[0] + len(at)))
    if not together or (positions and positions[0] < 0):
        assert found is None
    else:
        assert found is not None
        assert found.tolist() == positions
        assert found.index.equals(pd.RangeIndex(len(at)))


def test_is_range_looks_at_every_block() -> None:
    numbers = np.arange(100_000)
    assert kernels.is_range(numbers)
    for place in (0, 16_384, 99_999):
        changed = numbers.copy()
        changed[place] += 1
        assert not kernels.is_range(changed)


@pytest.mark.parametrize("text", ["a", "é 😀", None])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_repeat_gives_one_text_throughout(text: Optional[str], length: int) -> None:
    found = kernels.repeat(text, length)
    assert (texts(found), found.dtype) == ([text] * length, TEXT)


def test_what_arrow_gives_back_has_the_dtype_of_the_column_it_came_from() -> None:
    if "pyarrow" not in STORAGES:
        pytest.skip("text is not held by Arrow here")
    values = conform_text(pd.Series(["a b", None]))
    assert [found.dtype for found in scanning.first_space(values)] == [TEXT, TEXT]


@BOTH
def test_constant_columns_hold_one_value_or_none(storage: str) -> None:
    cells_of = st.lists(st.none() | st.sampled_from(["", "a", "b", "ab", "aa"]), max_size=4)

    @given(cells_of | st.lists(st.sampled_from(["a", "aaa", "aa"]), max_size=4), st.booleans())
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        for values in (make(cells, storage, sliced=sliced), make_in_pieces(cells, storage, 0, 2)):
            assert kernels.is_constant(values) == (len(set(cells)) < 2)

    check()


@given(st.lists(st.none() | st.integers(0, 1), max_size=4))
@example([1, None, 1])
@example([1, 0, 1])
def test_constant_numbers_and_times_hold_one_value_or_none(cells: list[Optional[int]]) -> None:
    numbers = pd.Series(cells, dtype="Int64")
    ticks = [np.iinfo(np.int64).min if cell is None else cell for cell in cells]
    times = pd.Series(pd.DatetimeIndex(np.array(ticks, dtype="datetime64[ms]"), tz="UTC"))
    for values in (numbers, times):
        assert kernels.is_constant(values) == (len(set(cells)) < 2)


@BOTH
def test_a_categorical_holds_the_same_cells(storage: str) -> None:
    @given(COLUMNS)
    def check(cells: Cells) -> None:
        values = make(cells, storage)
        found = kernels.categorize(values)
        assert texts(found.astype(object)) == cells
        assert found.cat.categories.dtype == values.dtype
        assert set(found.cat.categories) == set(cells) - {None}

    check()
