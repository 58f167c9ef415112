"""Row numbers: whole numbers, and -1 for no row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.columns import positions


@pytest.fixture(params=["by bits", "as if mostly in order"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "_FIRST", 2)
    if request.param == "as if mostly in order":
        monkeypatch.setattr(positions, "_FEW_FALLS", 1)


def test_argsort_numbers_is_stable() -> None:
    @given(st.lists(st.integers(-5, 9) | st.integers(-(2**63), 2**63 - 1), max_size=9))
    @example([3, 1, 2])
    @example([2**63 - 1, -(2**63), 0, 0])
    def check(numbers: list[int]) -> None:
        found = positions.argsort_numbers(np.array(numbers, dtype=np.int64))
        assert found.tolist() == sorted(range(len(numbers)), key=lambda at: numbers[at])

    check()


def test_is_range_knows_what_stands_together() -> None:
    @given(st.lists(st.integers(-1, 5), max_size=5), st.integers(0, 3))
    @example([0, 1, 2], 0)
    @example([2, 3], 2)
    def check(numbers: list[int], first: int) -> None:
        expected = numbers == list(range(first, first + len(numbers)))
        assert positions.is_range(np.array(numbers, dtype=np.int64), first) is expected

    check()


def test_is_range_looks_at_every_block() -> None:
    numbers = np.arange(100_000)
    assert positions.is_range(numbers)
    for place in (0, 16_384, 99_999):
        changed = numbers.copy()
        changed[place] += 1
        assert not positions.is_range(changed)


def test_gather_leads_on_and_nowhere() -> None:
    nowhere = np.array([-1, -1])
    assert positions.gather(np.array([7, 8, -1]), np.array([2, -1, 0])).tolist() == [-1, -1, 7]
    assert positions.gather(np.array([], dtype=np.int64), nowhere).tolist() == [-1, -1]


def test_reverse_leads_back() -> None:
    assert positions.reverse(np.array([2, -1, 0]), 4).tolist() == [2, -1, 0, -1]


def test_rows_without_are_those_to_which_nothing_leads() -> None:
    assert positions.rows_without(np.array([2, -1, 0]), 4).tolist() == [1, 3]
