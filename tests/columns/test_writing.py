"""Cells written from numbers, moments and other cells: each form gives the same text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.columns.forms import COLUMNS, TEXTS, Cells, Form, texts

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999  # milliseconds of the years 1 and 9999
NUMBERS = st.lists(st.none() | st.integers(-(2**63) + 1, 2**63 - 1), max_size=6)
TIMES = st.lists(
    st.none() | st.integers(FIRST, LAST) | st.sampled_from([FIRST, -1, 0, LAST]), max_size=6
)


def held(cells: list[Any]) -> tuple[Any, Any]:
    absent = np.array([cell is None for cell in cells], dtype=bool)
    return np.array([cell or 0 for cell in cells], dtype=np.int64), absent


def test_numbers_are_written_as_python_writes_them_and_read_again(form: Form) -> None:
    @given(NUMBERS, st.sampled_from(["", ".00"]))
    def check(cells: list[Any], end: str) -> None:
        numbers, absent = held(cells)
        found = form.columns.spell(numbers, absent, end=end)
        assert texts(found) == [None if cell is None else f"{cell}{end}" for cell in cells]
        if not end:
            assert form.columns.integers(found).tolist() == numbers.tolist()

    check()


def test_moments_are_written_and_read_again(form: Form) -> None:
    @given(TIMES, st.sampled_from(["", "Z"]))
    def check(cells: list[Any], end: str) -> None:
        numbers, absent = held(cells)
        moments = numbers.view("datetime64[ms]")
        found = form.columns.spell(moments, absent, end=end)
        expected = [str(moment).replace("T", " ") + end for moment in moments]
        assert texts(found) == [None if gone else text for text, gone in zip(expected, absent)]
        again = form.columns.moments(found)
        assert again.dtype == np.dtype("datetime64[ms]")
        assert np.array_equal(again[~absent], moments[~absent])
        assert np.isnat(again[absent]).all()

    check()


def test_cells_of_a_form_are_written_anew_and_others_stay(form: Form) -> None:
    @given(COLUMNS)
    def check(cells: Cells) -> None:
        values = form.make(["ab", "ab\n", "xab", *cells])
        found = form.columns.replace(values, "(a)(x)?(b)", r"\g<3>0\g<2>\g<1>")
        assert texts(found) == ["b0a", "ab\n", "xab", *("b0a" if c == "ab" else c for c in cells)]
        assert found.index.equals(pd.RangeIndex(len(values)))

    check()


def test_rows_are_packed_alike_in_each_form(form: Form) -> None:
    @given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=6), st.booleans())
    def check(rows: list[tuple[Any, Any]], sliced: bool) -> None:  # noqa: FBT001 - drawn
        columns = [form.make([row[place] for row in rows], sliced=sliced) for place in (0, 1)]
        edges, data = form.columns.pack(columns)
        wanted = [
            "".join("-" if cell is None else f"{len(cell)}:{cell}" for cell in row).encode()
            for row in rows
        ]
        found = [bytes(data[low:high]) for low, high in zip(edges.tolist(), edges.tolist()[1:])]
        assert (found, edges[0], edges.dtype) == (wanted, 0, np.dtype("int64"))

    check()
