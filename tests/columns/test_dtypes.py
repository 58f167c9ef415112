"""The verbs on columns of every dtype that a table may have, not of text alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns.dtypes import HAS_ARROW, decimal_dtype
from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.rows import find_keys, find_rows, sort_rows
from tests.columns.forms import Form

LONG = "12345678901234567890123456789012345678"
DECIMALS = [Decimal(f"-{LONG[:36]}.12"), Decimal("0.00"), Decimal("1.50")]
DAYS = ["1582-10-15", "2020-02-29", "9999-12-31"]


def column(dtype: Any, cells: list[Any]) -> pd.Series:
    return pd.Series(cells, dtype=object).astype(dtype)


#: By dtype: three values in their order, and whether the dtype knows a missing one.
KINDS: dict[str, tuple[Any, list[Any], bool]] = {
    "objects": (np.dtype(object), DECIMALS, True),
    "whole": (np.dtype("int64"), [-(2**63), -1, 2**63 - 1], False),
    "nullable whole": (pd.Int64Dtype(), [-(2**63), -1, 2**63 - 1], True),
    "days": (np.dtype("datetime64[s]"), [np.datetime64(day) for day in DAYS], True),
    "moments": (
        np.dtype("datetime64[ms]"),
        [np.datetime64(f"{d}T00:00:00.001") for d in DAYS],
        True,
    ),
    "of UTC": (
        pd.DatetimeTZDtype(unit="ms", tz="UTC"),
        [dt.datetime(year, 1, 2, tzinfo=dt.timezone.utc) for year in (1900, 1970, 2100)],
        True,
    ),
    "booleans": (np.dtype(bool), [False, True], False),
    "nullable booleans": (pd.BooleanDtype(), [False, True], True),
}
if HAS_ARROW:
    KINDS["decimals"] = (decimal_dtype(38, 2), DECIMALS, True)


@pytest.fixture(params=KINDS, ids=lambda name: name.replace(" ", "_"))
def kind(request: pytest.FixtureRequest) -> tuple[Any, list[Any], bool]:
    return KINDS[request.param]


def cells_of(values: pd.Series) -> list[Any]:
    return [None if pd.isna(cell) else cell for cell in values.tolist()]


def drawn(kind: tuple[Any, list[Any], bool], **sizes: Any) -> Any:
    _, values, has_missing = kind
    cell = st.sampled_from(values)
    return st.lists(st.none() | cell if has_missing else cell, **sizes)


def test_take_gives_each_row_and_missing_where_the_dtype_knows_it(form: Form, kind: Any) -> None:
    dtype, _, has_missing = kind

    @given(drawn(kind, max_size=4), st.data())
    def check(cells: list[Any], data: st.DataObject) -> None:
        values = column(dtype, cells).rename("name")
        rows = range(-1 if has_missing else 0, len(cells))
        at = data.draw(st.lists(st.sampled_from(rows), max_size=6) if rows else st.just([]))
        found = form.columns.take(values, np.array(at, dtype=np.int64))
        there = cells_of(values)
        assert cells_of(found) == [None if row < 0 else there[row] for row in at]
        assert (found.dtype, found.name) == (dtype, "name")
        assert found.index.equals(pd.RangeIndex(len(at)))

    check()


def test_take_makes_no_boolean_up(form: Form) -> None:
    found = form.columns.take(pd.Series([True, False]), np.array([1, -1, 0]))
    assert (cells_of(found), found.dtype) == ([False, None, True], pd.BooleanDtype())
    nothing = form.columns.take(pd.Series([], dtype=bool), np.array([-1]))
    assert (cells_of(nothing), nothing.dtype) == ([None], pd.BooleanDtype())


def test_concat_keeps_cells_and_dtype(form: Form, kind: Any) -> None:
    dtype = kind[0]

    @given(st.lists(drawn(kind, max_size=3), min_size=1, max_size=3))
    def check(columns: list[list[Any]]) -> None:
        parts = [column(dtype, cells) for cells in columns]
        found = form.columns.concat(parts)
        assert cells_of(found) == [cell for part in parts for cell in cells_of(part)]
        assert found.dtype == dtype
        assert found.index.equals(pd.RangeIndex(len(found)))

    check()


def test_differ_and_equal_frames_take_missing_for_equal_to_missing(form: Form, kind: Any) -> None:
    dtype = kind[0]

    @given(
        st.integers(0, 4).flatmap(lambda n: st.tuples(*[drawn(kind, min_size=n, max_size=n)] * 2))
    )
    def check(pair: tuple[list[Any], list[Any]]) -> None:
        one, two = (column(dtype, cells) for cells in pair)
        expected = [a != b for a, b in zip(*pair)]
        assert form.columns.differ(one, two).tolist() == expected
        rows = np.arange(len(one))[::-1].copy()
        assert form.columns.differ(one, two, rows, rows).tolist() == expected[::-1]
        assert equal_frames(one.to_frame("a"), two.to_frame("a")) == (not any(expected))

    check()


def test_equal_decimals_are_equal_however_they_were_made(form: Form) -> None:
    one, two = pd.Series([Decimal("1.50"), None]), pd.Series([Decimal("1.5"), None])
    assert form.columns.differ(one, two).tolist() == [False, False]


def test_a_constant_column_is_known(form: Form, kind: Any) -> None:
    dtype = kind[0]

    @given(drawn(kind, max_size=4))
    def check(cells: list[Any]) -> None:
        assert form.columns.is_constant(column(dtype, cells)) == (len(set(cells)) < 2)

    check()


# ----------------------------------------------------------------------------- keys

KEYS = ["whole", "nullable whole", "days", "moments", "of UTC"]


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", KEYS)
def test_rows_are_put_in_the_order_of_their_values(name: str) -> None:
    dtype, values, _ = KINDS[name]

    @given(st.lists(st.tuples(*[st.sampled_from(values)] * 2), max_size=6), st.booleans())
    def check(rows: list[Any], two: bool) -> None:  # noqa: FBT001 - drawn
        columns = [column(dtype, [row[place] for row in rows]) for place in range(1 + two)]
        keys = [row[: 1 + two] for row in rows]
        order, same = sort_rows(columns)
        expected = sorted(range(len(rows)), key=lambda at: keys[at])
        assert order.tolist() == expected
        assert same.tolist() == [
            place > 0 and keys[at] == keys[expected[place - 1]] for place, at in enumerate(expected)
        ]

    check()


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", KEYS)
def test_rows_are_found_by_their_values_and_null_is_one(name: str) -> None:
    kind = KINDS[name]
    dtype, values, has_missing = kind
    cell = st.none() | st.sampled_from(values) if has_missing else st.sampled_from(values)
    row = st.tuples(cell, cell)

    @given(st.lists(row, max_size=6), st.lists(row, unique=True, max_size=6))
    def check(wanted: list[Any], known: list[Any]) -> None:
        expected = [known.index(one) if one in known else -1 for one in wanted]
        columns = [
            [column(dtype, [one[place] for one in rows]) for place in (0, 1)]
            for rows in (wanted, known)
        ]
        assert find_rows(*columns).tolist() == expected
        firsts = list(dict.fromkeys(one[0] for one in known))
        found = find_rows([columns[0][0]], [column(dtype, firsts)])
        assert found.tolist() == [
            firsts.index(one[0]) if one[0] in firsts else -1 for one in wanted
        ]

    check()


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", KEYS)
def test_a_missing_value_refers_to_no_key(name: str) -> None:
    dtype, values, has_missing = KINDS[name]
    cells = [*values, *([None] if has_missing else [])]
    found = find_keys(column(dtype, cells), column(dtype, values[::-1]))
    assert found.tolist() == [2, 1, 0, -1][: len(cells)]
    assert find_keys(column(dtype, cells), column(dtype, [])).tolist() == [-1] * len(cells)
    if has_missing:
        gap = column(dtype, [None, values[1]])
        assert find_keys(column(dtype, cells), gap).tolist() == [-1, 1, -1, -1]


@pytest.mark.usefixtures("form")
def test_numbers_that_count_something_else_are_found_nowhere() -> None:
    days = column(*KINDS["days"][:2])
    numbers = pd.Series(days.to_numpy().astype("int64"))
    assert find_keys(numbers, days).tolist() == find_keys(days, numbers).tolist() == [-1] * 3
    assert find_rows([days, days], [numbers, numbers]).tolist() == [-1] * 3


@pytest.mark.usefixtures("form")
def test_keys_of_two_large_numbers_are_not_taken_for_others() -> None:
    # 2**37 * 2**38 is 0 in 64 bits, where the first known number is, too.
    wanted = [pd.Series([2**37]), pd.Series([2**38 - 1])]
    known = [pd.Series([0, 1]), pd.Series([2**38 - 1, 0])]
    assert find_rows(wanted, known).tolist() == [-1]
