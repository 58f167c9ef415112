"""What text is: one dtype, one form of missing, a set of white space."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aspen_etl.columns.text import TEXT, WHITE_SPACE, conform_text, escape, split_unencodable


def texts(values: pd.Series) -> list[Any]:
    return [None if pd.isna(cell) else cell for cell in values.tolist()]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_has_one_form(missing: object) -> None:
    found = conform_text(pd.Series(["a", missing], dtype=object))
    assert found.dtype == TEXT
    assert found.isna().tolist() == [False, True]
    assert found.iloc[1] is None or isinstance(found.iloc[1], float)


def test_white_space_is_the_set_of_the_contract() -> None:
    spaces = {chr(point) for point in range(0x110000) if unicodedata.category(chr(point))[0] == "Z"}
    assert set(WHITE_SPACE) == spaces | set("\t\n\v\f\r")
    assert len(WHITE_SPACE) == len(set(WHITE_SPACE)) == 24


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\0b", "a\\x00b"),
        ("a\ud800", "a\\ud800"),
        ("\U0001f600 \u2028 \x01", "\U0001f600 \u2028 \x01"),
        ("\\", "\\"),
    ],
)
def test_what_text_columns_cannot_hold_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_lone_surrogates_are_parted_from_the_rest() -> None:
    values = pd.Series(["a", "b\ud800", None, "\udfff"], dtype=object, index=[9, 9, 9, 9])
    kept, broken = split_unencodable(values)
    assert texts(kept) == ["a", None, None, None]
    assert broken.to_dict() == {1: "b\ud800", 3: "\udfff"}


def test_lone_surrogates_are_found_however_pandas_holds_text() -> None:
    words = pd.Index(["a", "b\ud800"], dtype=object)
    for values in (
        pd.Series(pd.Categorical.from_codes([0, 1, -1], words)),
        pd.Series([*words, None], dtype="string[python]"),
    ):
        kept, broken = split_unencodable(values)
        assert texts(kept) == ["a", None, None]
        assert broken.to_dict() == {1: "b\ud800"}


def test_cells_that_are_no_text_are_not_parted() -> None:
    values = pd.Series([1, 2.5, None], dtype=object)
    kept, broken = split_unencodable(values)
    assert kept is values
    assert broken.empty
