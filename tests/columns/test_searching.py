"""A few keys are found among many that go up, as a look at each of them would tell."""

from __future__ import annotations

from bisect import bisect_left

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns import searching
from aspen_etl.columns.searching import count_below, goes_up
from tests.columns.forms import FORMS, TEXTS, Form

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9)


BOTH = pytest.mark.parametrize("held", FORMS, ids=lambda held: held.storage)


@BOTH
@given(values=st.lists(TEXTS, max_size=6), keys=st.sets(TEXTS, max_size=8))
def test_text_is_found_by_code_point(held: Form, values: list[str], keys: set[str]) -> None:
    known = sorted(keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "COLUMNS", held.columns)
        found = count_below(held.make([*values]), held.make([*known]))
    assert found.tolist() == [bisect_left(known, value) for value in values]


@given(values=st.lists(NUMBERS, max_size=6), keys=st.sets(NUMBERS, max_size=8))
def test_numbers_are_found_by_value(values: list[int], keys: set[int]) -> None:
    known = sorted(keys)
    found = count_below(pd.Series(values, dtype="int64"), pd.Series(known, dtype="int64"))
    assert found.tolist() == [bisect_left(known, value) for value in values]


@pytest.mark.parametrize(
    ("days", "counts"), [([], []), (["2020-01-01", "2020-02-01", "1600-01-01"], [0, 1, 0])]
)
def test_days_are_found_by_value(days: list[str], counts: list[int]) -> None:
    known = pd.Series(["2020-01-02", "9999-12-31"]).astype("datetime64[s]")
    assert count_below(pd.Series(days).astype("datetime64[s]"), known).tolist() == counts


@BOTH
@given(keys=st.lists(TEXTS, max_size=4))
def test_keys_that_go_up_are_told(held: Form, keys: list[str]) -> None:
    assert goes_up(held.make([*keys])) == (keys == sorted(set(keys)))
    assert goes_up(held.make([*sorted(set(keys))], sliced=True))


@given(keys=st.lists(NUMBERS, max_size=4))
def test_numbers_that_go_up_are_told(keys: list[int]) -> None:
    assert goes_up(pd.Series(keys, dtype="int64")) == (keys == sorted(set(keys)))
