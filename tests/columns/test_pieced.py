"""Frames that are put together column by column hold what they would hold as a whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aspen_etl.columns.frames import equal_frames, make_frame
from aspen_etl.columns.pieced import Pieced, narrow, put_over, take_cells, whole
from aspen_etl.columns.text import conform_text


def frame(count: int, mark: str) -> pd.DataFrame:
    """Make rows whose key is the same whatever the mark, and whose words have it."""
    words = [None if at % 3 == 2 else f"{mark}{at}" for at in range(count)]
    columns = {"key": [f"k{at}" for at in range(count)], "word": words}
    return make_frame({n: conform_text(pd.Series(v, dtype=object)) for n, v in columns.items()})


def as_whole(pieced: Pieced) -> pd.DataFrame:
    """Do the same with frames that are there as a whole."""
    held = pd.concat(pieced.frames, ignore_index=True)
    return held.iloc[pieced.at].reset_index(drop=True)


@pytest.mark.parametrize(
    "over",
    [[], [3], [39, 0], [3, 17, -1], [-1, -1], list(range(30)), [*range(30), -1]],
    ids=["none", "one", "two", "one behind", "behind alone", "many", "many and one behind"],
)
def test_columns_and_rows_are_those_of_the_frames_put_together(over: list[int]) -> None:
    before, at = frame(40, "a"), np.arange(40, dtype=np.int64)
    rows = take_cells(frame(40, "b"), np.array([max(place, 0) for place in over], dtype=np.int64))
    for number, place in enumerate(over):
        at = np.append(at, 40 + number) if place < 0 else at
        at[place] = 40 + number if place >= 0 else at[place]
    once = put_over(before, rows, at)
    twice = put_over(once, frame(2, "c"), np.append(np.arange(1, len(at)), [len(at) + 1]))
    for found in (once, twice):
        assert isinstance(found, Pieced)
        expected = as_whole(found)
        assert [*found] == [*expected]
        assert equal_frames(make_frame({name: found[name] for name in found}), expected)
        assert equal_frames(whole(found), expected)
        for some in ([], [2, 0], [len(found) - 1, 3]):
            picked = np.array(some, dtype=np.int64)
            assert equal_frames(found.take(picked), take_cells(expected, picked))


def test_a_column_in_which_nothing_is_other_is_no_copy() -> None:
    before, at = frame(40, "a"), np.arange(40, dtype=np.int64)
    at[3] = 40
    found = put_over(before, frame(4, "b").iloc[3:].reset_index(drop=True), at)
    found.frames[1].loc[0, "word"] = "b"
    assert isinstance(found, Pieced)
    assert found["key"] is found.frames[0]["key"] or found["key"].equals(before["key"])
    assert found["word"][3] == "b"


def test_other_columns_are_missing_and_no_cell_is_shown() -> None:
    found = put_over(frame(3, "a"), frame(1, "b"), np.array([0, 3, 2]))
    narrowed = narrow(found, ["word", "more"])
    assert [*narrowed] == ["word", "more"]
    assert narrowed["more"].isna().all()
    assert "a0" not in repr(found)
