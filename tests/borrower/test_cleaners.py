"""Cleaners: one Series to one Series, what is missing stays missing, no input is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import pandas as pd
import pytest
from hypothesis import given

from aspen_etl.borrower import join_full_name, lower_case, pad_zip_code, split_full_name
from aspen_etl.columns.text import TEXT, WHITE_SPACE, conform_text
from aspen_etl.transform import clean_white_space
from tests.columns.forms import COLUMNS, Cells, texts


def column(*cells: Optional[str]) -> pd.Series:
    return conform_text(pd.Series(list(cells), dtype=object))


@pytest.mark.parametrize(
    ("cell", "clean"),
    [
        ("a", "a"),
        (" a ", "a"),
        ("a  b\t\nc", "a b c"),
        ("", None),
        (" ", None),
        (WHITE_SPACE, None),
        (f"{WHITE_SPACE}a{WHITE_SPACE}b{WHITE_SPACE}", "a b"),
        ("a\u200bb", "a\u200bb"),
        ("\ufeffa", "\ufeffa"),
        ("\x85a\x1c", "\x85a\x1c"),
        ("NA", "NA"),
        (None, None),
    ],
)
def test_white_space_is_cleaned_as_the_contract_says(
    cell: Optional[str], clean: Optional[str]
) -> None:
    assert texts(clean_white_space(column(cell, "x"))) == [clean, "x"]


@pytest.mark.parametrize("space", WHITE_SPACE, ids=lambda space: f"U+{ord(space):04X}")
def test_every_white_space_becomes_one_space_inside_and_none_at_the_ends(space: str) -> None:
    assert texts(clean_white_space(column(f"{space}a{space}{space}b{space}"))) == ["a b"]


@pytest.mark.parametrize(
    ("code", "padded"),
    [
        ("6705", "06705"),
        ("705", "00705"),
        ("05", "05"),
        ("02138", "02138"),
        ("2138.0", "02138"),
        ("02138.0", "02138"),
        ("123456", "123456"),
        ("1234567", "00123-4567"),
        ("12345678", "01234-5678"),
        ("123456789", "12345-6789"),
        ("1234567890", "1234567890"),
        ("12345-6789", "12345-6789"),
        ("2138.00", "2138.00"),
        (".0", ".0"),
        ("-2138", "-2138"),
        ("٠٢١٣", "٠٢١٣"),
        ("K1A 0B1", "K1A 0B1"),
        (None, None),
    ],
)
def test_a_zip_code_gets_its_zeros_back(code: Optional[str], padded: Optional[str]) -> None:
    assert texts(pad_zip_code(column(code, "02139"))) == [padded, "02139"]


@pytest.mark.parametrize(
    ("text", "lower"), [("Co-Borrower", "co-borrower"), ("İ", "i̇"), ("ΣΑΣ", "σας"), ("ẞ", "ß")]
)
def test_case_is_lowered_as_python_does(text: str, lower: str) -> None:
    assert texts(lower_case(column(text, None, text))) == [lower, None, lower]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Degli Antoni", "Ada", "Degli Antoni"),
        ("Cher", "Cher", ""),
        ("O'Brien Smith-Jones", "O'Brien", "Smith-Jones"),
        ("محمد علي", "محمد", "علي"),
        ("👩‍👩‍👧 x", "👩‍👩‍👧", "x"),
    ],
)
def test_the_first_word_is_the_first_name_and_the_rest_the_last(
    name: str, first: str, last: str
) -> None:
    parts = split_full_name(column(name))
    assert list(parts.columns) == ["first_name", "last_name"]
    assert parts.to_numpy().tolist() == [[first, last]]
    assert texts(join_full_name(parts["first_name"], parts["last_name"])) == [name]


@given(COLUMNS)
def test_clean_names_are_joined_as_they_were_split(cells: Cells) -> None:
    names = clean_white_space(column(*cells))
    parts = split_full_name(names)
    assert texts(join_full_name(parts["first_name"], parts["last_name"])) == texts(names)


@pytest.mark.parametrize("clean", [clean_white_space, lower_case, pad_zip_code])
def test_a_cleaner_changes_no_input_and_keeps_index_and_dtype(
    clean: Callable[[pd.Series], pd.Series],
) -> None:
    @given(COLUMNS)
    def check(cells: Cells) -> None:
        values = column(*cells).set_axis(pd.Index(range(7, 7 + len(cells)), name="row"))
        before = values.copy(deep=True)
        after = clean(values)
        pd.testing.assert_series_equal(values, before)
        assert after.index.equals(values.index)
        assert after.dtype == TEXT
        assert texts(clean(after)) == texts(after) or clean is not clean_white_space

    check()


@given(COLUMNS)
def test_cleaning_twice_changes_nothing_more(cells: Cells) -> None:
    once = clean_white_space(column(*cells))
    assert texts(clean_white_space(once)) == texts(once)
