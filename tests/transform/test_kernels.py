"""One test for both twins of every kernel: text held by Arrow, and text held by Python.

Each is compared with the plainest Python that says the same.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.schema.borrower import EMAIL, PHONE, ZIP_CODE
from aspen_etl.schema.text import TEXT, WHITE_SPACE, TextFormat, conform_text
from aspen_etl.transform import kernels, ordering

Cells = list[Optional[str]]

_PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
STORAGES = ["python", "pyarrow"] if _PANDAS_3 else ["object"]
if _PANDAS_3 and importlib.util.find_spec("pyarrow") is None:
    STORAGES.remove("pyarrow")


def make(cells: Cells, storage: str, *, sliced: bool = False) -> pd.Series:
    """Make a column as this storage holds it; a slice does not start where its buffer does."""
    dtype: Any = object if storage == "object" else pd.StringDtype(storage, na_value=np.nan)
    if not sliced:
        return pd.Series(cells, dtype=dtype)
    return pd.Series(["é ", None, *cells, "x"], dtype=dtype).iloc[2:-1].reset_index(drop=True)


def texts(values: pd.Series) -> Cells:
    return [cell if isinstance(cell, str) else None for cell in values.tolist()]


BOTH = pytest.mark.parametrize("storage", STORAGES)

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "a", "A", "ab", "a b", "a  b c", " a", "é", "e\u0301", "😀", "\uffff"]
    ),
    st.sampled_from(
        ["12345", "12345\n", "12345-6789", "a@b", "555-0100", "٠٢١٣٨", "\u2003", "\0", "a\0b"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
COLUMNS = st.lists(st.none() | TEXTS, max_size=8)


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
def test_suspects_miss_nothing_that_cleaning_or_the_rules_must_look_at(storage: str) -> None:
    odd = re.compile(f"[{WHITE_SPACE}]|[\x00-\x1f\x7f-\x9f]")

    @given(COLUMNS, st.booleans())
    @example(cells=[None, None], sliced=False)
    @example(cells=["", None], sliced=True)
    @example(cells=["a b", "a  b", " a", "a ", "a"], sliced=True)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        found = set(kernels.suspects(make(cells, storage, sliced=sliced)).tolist())
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
        assert kernels.matches(make(cells, storage), text_format).tolist() == plain

    check()


@BOTH
@pytest.mark.parametrize("length", [0, 1, 3])
def test_longer_than_counts_code_points(storage: str, length: int) -> None:
    @given(COLUMNS, st.booleans())
    @example(cells=["😀😀😀", "éé", "e\u0301", "abcd"], sliced=True)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        plain = [c is not None and len(c) > length for c in cells]
        assert kernels.longer_than(make(cells, storage, sliced=sliced), length).tolist() == plain

    check()


@BOTH
def test_argsort_is_stable_by_code_point_and_puts_missing_last(storage: str) -> None:
    @given(COLUMNS)
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
    @given(COLUMNS, st.lists(TEXTS, unique=True, max_size=6))
    @example(["a\0b", "a"], ["a", "a\0", "a\0b"])
    @example(["a", "b"], ["a", "b"])
    @example(["a", None], [])
    def check(cells: Cells, keys: list[str]) -> None:
        plain = [keys.index(cell) if cell in keys else -1 for cell in cells]
        found = ordering.find(make(cells, storage), make([*keys], storage))
        assert found.tolist() == plain

    check()


@BOTH
def test_first_space_parts_each_cell_once(storage: str) -> None:
    @given(COLUMNS, st.booleans())
    @example(cells=["Ada Degli Antoni", "Cher", "", None, " x", "a\u00a0b c"], sliced=True)
    @example(cells=[], sliced=False)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        before, after = kernels.first_space(make(cells, storage, sliced=sliced))
        assert texts(before) == [None if c is None else c.partition(" ")[0] for c in cells]
        assert texts(after) == [None if c is None else c.partition(" ")[2] for c in cells]

    check()


@pytest.mark.parametrize("text", ["a", "é 😀", None])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_repeat_gives_one_text_throughout(text: Optional[str], length: int) -> None:
    found = kernels.repeat(text, length)
    assert (texts(found), found.dtype) == ([text] * length, TEXT)


def test_what_arrow_gives_back_has_the_dtype_of_the_column_it_came_from() -> None:
    if "pyarrow" not in STORAGES:
        pytest.skip("text is not held by Arrow here")
    values = conform_text(pd.Series(["a b", None]))
    assert [found.dtype for found in kernels.first_space(values)] == [TEXT, TEXT]
