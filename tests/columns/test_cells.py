"""Looking at each cell, and parting it: each form beside plain Python."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.columns import plain
from aspen_etl.columns.text import TEXT, WHITE_SPACE, TextFormat
from tests.columns.forms import COLUMNS, TEXTS, Cells, Form, texts

ZIP_CODE = r"[0-9]{5}(-[0-9]{4})?"
PHONE = r"\+?[0-9 ().-]+"
EMAIL = r"[^@ ]+@[^@ ]+"


@pytest.mark.parametrize("block", [2, 1 << 18])
def test_suspects_miss_nothing_that_cleaning_or_the_rules_must_look_at(
    form: Form, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_CELLS", block)
    if form.storage == "pyarrow":
        from aspen_etl.columns import arrow

        monkeypatch.setattr(arrow, "_BLOCK", block)
    odd = re.compile(f"[{WHITE_SPACE}]|[\x00-\x1f\x7f-\x9f]")

    @given(COLUMNS, st.booleans())
    @example(cells=[None, None], sliced=False)
    @example(cells=["", None], sliced=True)
    @example(cells=["a b", "a  b", " a", "a ", "a"], sliced=True)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        found = set(form.columns.suspects(form.make(cells, sliced=sliced)).tolist())
        expected = {
            at
            for at, cell in enumerate(cells)
            if cell is not None and (not cell or odd.search(re.sub(r"(?<=\S) (?=\S)", "", cell)))
        }
        assert expected <= found <= {at for at, cell in enumerate(cells) if cell is not None}

    check()


@pytest.mark.parametrize("pattern", [ZIP_CODE, PHONE, EMAIL, "a|b c?"])
def test_matches_tells_what_has_the_form_as_a_whole(form: Form, pattern: str) -> None:
    text_format = TextFormat("x", pattern)

    @given(COLUMNS)
    @example(
        ["12345", "12345\n", "x12345", "12345x", "１２３４５", "a@b", "a@b\n", "a", "b", "ab", ""]
    )
    def check(cells: Cells) -> None:
        expected = [cell is None or re.fullmatch(pattern, cell) is not None for cell in cells]
        found = form.columns.matches(form.make_in_pieces(cells, 2), text_format.pattern)
        assert found.tolist() == expected

    check()


@pytest.mark.parametrize("length", [0, 1, 3])
def test_longer_counts_code_points(form: Form, length: int) -> None:
    @given(COLUMNS, st.booleans())
    @example(cells=["😀😀😀", "éé", "e\u0301", "abcd"], sliced=True)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        expected = [cell is not None and len(cell) > length for cell in cells]
        found = form.columns.longer(form.make(cells, sliced=sliced), length)
        assert found.tolist() == expected

    check()


def test_first_space_parts_each_cell_once(form: Form) -> None:
    @given(COLUMNS, st.booleans())
    @example(cells=["Ada Degli Antoni", "Cher", "", None, " x", "a\u00a0b c"], sliced=True)
    @example(cells=[], sliced=False)
    def check(cells: Cells, sliced: bool) -> None:  # noqa: FBT001 - drawn
        before, after = form.columns.first_space(form.make(cells, sliced=sliced))
        assert texts(before) == [None if c is None else c.partition(" ")[0] for c in cells]
        assert texts(after) == [None if c is None else c.partition(" ")[2] for c in cells]
        assert [before.dtype, after.dtype] == [TEXT, TEXT]

    check()


def test_join_words_undoes_first_space(form: Form) -> None:
    @given(st.lists(TEXTS, max_size=8), st.booleans())
    def check(cells: list[str], sliced: bool) -> None:  # noqa: FBT001 - drawn
        clean = [" ".join(cell.split()) for cell in cells]
        column = form.make([*clean], sliced=sliced)
        parts = form.columns.first_space(column)
        assert texts(form.columns.join_words(*parts)) == clean

    check()


def test_join_words_gives_nothing_where_a_part_is_missing(form: Form) -> None:
    found = form.columns.join_words(form.make([None, "a", None]), form.make(["b", None, None]))
    assert texts(found) == [None, None, None]


def test_integers_are_whole_numbers_and_nothing_else(form: Form) -> None:
    made = form.make(["12", None, str(2**63 - 1), str(-(2**63)), "007"])
    assert form.columns.integers(made).tolist() == [12, 0, 2**63 - 1, -(2**63), 7]
    with pytest.raises(ValueError, match="invalid literal"):
        form.columns.integers(form.make(["12", "1.5"]))
    with pytest.raises(OverflowError):
        form.columns.integers(form.make([str(2**63)]))
