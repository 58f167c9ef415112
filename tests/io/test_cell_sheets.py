"""Rows that are found again hold the same cells, each is found once, and none is missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import CorruptFileError, NotSupportedError

pytest.importorskip("pyarrow")

from aspen_etl.io import cell_sheets, lines

Row = tuple[Optional[str], Optional[str]]
NAMES = ("id", "city")
MANY = settings(max_examples=10 * settings().max_examples)
CELL = st.sampled_from([None, "", "a", "b", "ab", "ba", "\u00e9\n"])
ROWS = st.lists(st.tuples(CELL, CELL), max_size=10)


def sheet(rows: list[Row]) -> cell_sheets.CellSheet:
    """Lay out rows, the columns in pieces."""
    columns = {
        name: conform_text(pd.Series([row[at] for row in rows], dtype=object))
        for at, name in enumerate(NAMES)
    }
    frame = pd.DataFrame(columns).set_axis(pd.RangeIndex(2, 2 + len(rows), name="row"))
    return cell_sheets.cells_of(frame, NAMES, "sheet")


WAYS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "looked up": {"_PATIENCE": -1},
    "gathered": {"_MOST_STRETCHES": 0},
}


@pytest.mark.parametrize("way", WAYS)
def test_equal_rows_are_found_each_once_and_none_is_missed(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setattr(lines if hasattr(lines, name) else cell_sheets, name, value)

    @MANY
    @given(ROWS, st.data())
    def hold(before: list[Row], data: st.DataObject) -> None:
        after = data.draw(st.one_of(st.permutations(before), ROWS))
        for one, two in ((before, after), (before, before + after), (before + after, after)):
            at = cell_sheets.align_cells(sheet(one), sheet(two), "id").tolist()
            pairs = [(one[row], two[place]) for place, row in enumerate(at) if row >= 0]
            assert all(left == right for left, right in pairs)
            assert len({row for row in at if row >= 0}) == len(pairs)
            assert len(pairs) == sum((Counter(one) & Counter(two)).values())

    hold()


@MANY
@given(ROWS, st.data())
def test_what_is_kept_is_what_it_was(rows: list[Row], data: st.DataObject) -> None:
    held = sheet(rows)
    rejected = np.array([data.draw(st.booleans()) for _ in rows], dtype=bool)
    are_clean = data.draw(st.booleans())
    keys = [row[0] if are_clean or not row[0] else "x" for row in rows]
    subjects = conform_text(pd.Series(keys, dtype=object))
    written = cell_sheets.encode_cells(held, "id", subjects, rejected)
    found, whose, flags = cell_sheets.decode_cells(written, NAMES, url="x")
    every = np.arange(len(rows))
    pd.testing.assert_frame_equal(found.frame(every), held.frame(every))
    told = found.column("id") if whose is None else whose
    assert not COLUMNS.differ(told, subjects).any()
    assert flags.tolist() == rejected.tolist()
    assert found.find(found.rows[::-1]).tolist() == every[::-1].tolist()


@pytest.mark.parametrize("data", [b"", b"ARROW1\0\0", b"id,city\n"])
def test_what_holds_no_cells_is_told(data: bytes) -> None:
    with pytest.raises(CorruptFileError, match="it holds no cells"):
        cell_sheets.decode_cells(data, NAMES, url="x")


def test_other_columns_are_told() -> None:
    held = sheet([("a", "b")])
    ours = conform_text(pd.Series(["a"]))
    written = cell_sheets.encode_cells(held, "id", ours, np.zeros(1, dtype=bool))
    with pytest.raises(CorruptFileError, match="it holds no cells"):
        cell_sheets.decode_cells(written, ("id", "street"), url="x")


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        ({"id": ["a", "b"], "CITY": ["x", "y"]}, [2, 3], "columns of 'sheet' are called otherwise"),
        ({"id": ["a", "b"], "city": ["x", "y"]}, [2, 2], "rows of 'sheet' share a number"),
    ],
)
def test_what_cannot_be_compared_is_told(
    columns: Mapping[str, list[str]], rows: list[int], told: str
) -> None:
    frame = pd.DataFrame(columns, index=pd.Index(rows, name="row"))
    with pytest.raises(NotSupportedError, match=told):
        cell_sheets.cells_of(frame, NAMES, "sheet")
