"""The vote, against a slow and plain reference, and what becomes of the cells that lose it."""

from __future__ import annotations

import collections
from typing import Any, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.schema import Entity, Model, Series, Table, column, ref
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.transform.voting import Ballot, rank_cells, rank_rows, vote
from tests.normalization.wards import CITIES, RUN, rejects, table, visits

# ------------------------------------------------------------------------------- the vote


def slow(key: list[int], entities: int, value: list[int], late: Optional[list[int]]) -> list[int]:
    """Put one entity after the other to the vote, in plain Python."""
    out = []
    for entity in range(entities):
        rows = [i for i, k in enumerate(key) if k == entity and value[i] >= 0]
        said = collections.Counter(value[i] for i in rows)
        last = {v: max(late[i] for i in rows if value[i] == v) if late else 0 for v in said}
        out.append(min(said, key=lambda v: (-last[v], -said[v], v)) if said else -1)
    return out


rows_of_three = st.lists(
    st.tuples(st.integers(-1, 3), st.integers(-1, 3), st.integers(-1, 3)), max_size=14
)


@given(rows_of_three, st.sampled_from(["dated", "plain"]), st.randoms(use_true_random=False))
def test_the_vote_is_that_of_the_slow_reference_in_any_order_of_rows(
    rows: list[tuple[int, int, int]], kind: str, some: Any
) -> None:
    is_dated = kind == "dated"
    expected = slow(
        [r[0] for r in rows], 4, [r[1] for r in rows], [r[2] for r in rows] if is_dated else None
    )
    for _ in range(2):
        key, value, late = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        latest = (lambda at, late=late: late[at]) if is_dated else None
        found = vote(Ballot(key, 4, value, rank=lambda values: values, latest=latest))
        assert found.tolist() == expected
        some.shuffle(rows)


@given(rows_of_three)
def test_nobody_wins_an_open_vote_but_where_all_agree(rows: list[tuple[int, int, int]]) -> None:
    key, value, _ = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    found = vote(Ballot(key, 4, value, rank=lambda values: values, is_open=True))
    for entity in range(4):
        said = {v for k, v, _ in rows if k == entity and v >= 0}
        assert found[entity] == (said.pop() if len(said) == 1 else -1)


@pytest.mark.parametrize(
    ("spec", "cells", "expected"),
    [
        (ColumnSpec("c", "text"), ["b", None, "B", "é", "b"], [1, -1, 0, 2, 1]),
        (ColumnSpec("c", "integer"), ["10", "9", "-10", None], [2, 1, 0, -1]),
        (ColumnSpec("c", "decimal", precision=9, scale=1), ["10.0", "9.5", "-1.0"], [2, 1, 0]),
        (ColumnSpec("c", "date"), ["2021-01-01", "1999-12-31"], [1, 0]),
        (ColumnSpec("c", "boolean"), ["true", "false", "true"], [1, 0, 1]),
    ],
)
def test_cells_stand_in_the_order_of_their_values(
    spec: ColumnSpec, cells: list[Optional[str]], expected: list[int]
) -> None:
    assert rank_cells(conform_text(pd.Series(cells, dtype=object)), spec).tolist() == expected


def test_rows_stand_in_the_order_of_their_first_column_then_of_the_next() -> None:
    specs = [ColumnSpec("a", "text"), ColumnSpec("b", "integer")]
    cells: list[list[Optional[str]]] = [["b", "a", "a"], ["1", "10", "9"]]
    columns = [conform_text(pd.Series(each, dtype=object)) for each in cells]
    assert rank_rows(list(map(rank_cells, columns, specs))).tolist() == [2, 1, 0]


# ------------------------------------------------------------------------------- the cells


def test_most_rows_win_and_the_loser_is_a_reject_whose_row_stays() -> None:
    given_ = visits(["1", "C", "One"], ["2", "C", "Onne"], ["3", "C", "One"])
    result = ae.normalize(given_, model=CITIES, run=RUN)
    assert table(result, "clinic") == [[1, "C", "One", None]]
    assert rejects(result) == [[3, "clinic_name", "Onne", "conflicting_clinic_name", "value"]]
    assert len(result.tables["visit"]) == 3


def test_of_as_many_rows_each_the_least_value_wins_whatever_comes_first() -> None:
    for first, second in ("ab", "ba"):
        given_ = visits(["1", "C", first], ["2", "C", second])
        assert table(ae.normalize(given_, model=CITIES, run=RUN), "clinic")[0][2] == "a"


class Batch(Table, source="batches"):
    """Rows of another sheet, known by a number."""

    no: Series[int] = column(natural_key=True)


class Lot(Entity, source="visits.lot_*", newest="visits.batch"):
    """Of what is told of it the latest batch counts."""

    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True)


class First(Entity, source="visits.first_*"):
    """It refers to a batch."""

    code: Series[str] = column(natural_key=True, length=10)
    batch_id: Series[int] = ref("batch", nullable=True, source="visits.first_batch")


class Taken(Table, source="visits"):
    """A row of the sheet."""

    visit_no: Series[str] = column(natural_key=True, length=10)
    lot_id: Series[int] = ref("lot")
    first_id: Series[int] = ref("first")
    batch_id: Series[int] = ref("batch", source="batch")


class Copied(Table, source="visits"):
    """Another table of the same rows, that has the number itself."""

    visit_no: Series[str] = column(natural_key=True, length=10)
    batch_no: Series[int] = column(source="batch")


BATCHES = Model.of(tables=[Batch, Lot, First, Taken, Copied], subject="taken")


def test_what_refers_to_rows_known_by_a_number_goes_by_its_value() -> None:
    """Of as many batches the least wins, of two the later one is the newest: 9 is before 10."""
    cells = [["1", "L", "old", "F", "9", "9"], ["2", "L", "new", "F", "10", "10"]]
    columns = ["visit_no", "lot_code", "lot_name", "first_code", "first_batch", "batch"]
    frames = {
        "batches": pd.DataFrame({"no": ["9", "10"]}, dtype=object),
        "visits": pd.DataFrame(cells, columns=columns, dtype=object),
    }
    result = ae.normalize(ae.Extract.from_frames(frames), model=BATCHES, run=RUN)
    assert table(result, "batch") == [[1, 9], [2, 10]]
    assert table(result, "first") == [[1, "F", 1]]
    assert table(result, "lot") == [[1, "L", "new"]]


def test_a_loser_of_a_reference_takes_the_cells_beyond_with_it() -> None:
    given_ = visits(
        ["1", "C", None, "Rome", "Lazio"],
        ["2", "C", None, "Rome", "Lazio"],
        ["3", "C", None, "Turin", "Piedmont"],
    )
    result = ae.normalize(given_, model=CITIES, run=RUN)
    assert table(result, "city") == [[1, "Rome", "Lazio"]]
    assert rejects(result) == [
        [4, "city_name", "Turin", "conflicting_city_name", "value"],
        [4, "city_region", "Piedmont", "conflicting_city_name", "value"],
    ]


def test_the_vote_goes_downward() -> None:
    """What a row says of a city counts for the city that its clinic is in."""
    given_ = visits(
        ["1", "C", None, "Rome", "Lazio"],
        ["2", "C", None, "Rome", None],
        ["3", "C", None, "Oslo", "Lazio"],  # loses Oslo, and has no say on it
        ["4", "D", None, "Oslo", "Viken"],
    )
    result = ae.normalize(given_, model=CITIES, run=RUN)
    assert table(result, "city") == [[1, "Oslo", "Viken"], [2, "Rome", "Lazio"]]


def test_a_missing_cell_is_filled_and_counted() -> None:
    given_ = visits(["1", "C", "One", "Rome", None], ["2", "C", None, None, "Lazio"])
    result = ae.normalize(given_, model=CITIES, run=RUN)
    assert not len(result.rejects)
    filled = {"clinic_name": 1, "city_name": 1, "city_region": 1}
    assert result.summary.sources["visits"].filled == filled
    back = ae.denormalize(result.tables, model=CITIES)["visits"]
    assert back.iloc[:, 1:5].to_numpy().tolist() == [["C", "One", "Rome", "Lazio"]] * 2


def test_cells_without_the_whole_key_are_rejects_of_the_entity() -> None:
    given_ = visits(["1", "C", None, None, "Lazio", "H", None, "3"])
    result = ae.normalize(given_, model=CITIES, run=RUN)
    assert rejects(result) == [
        [2, "city_region", "Lazio", "incomplete_city", "city"],
        [2, "ward_house", "H", "incomplete_ward", "ward"],
        [2, "ward_floor", "3", "incomplete_ward", "ward"],
    ]


def test_a_rejected_cell_has_no_say() -> None:
    long = "x" * 99
    given_ = visits(["1", "C", long], ["2", "C", long], ["3", "C", "One"])
    result = ae.normalize(given_, model=CITIES, run=RUN)
    assert table(result, "clinic")[0][2] == "One"
    assert {rule for _, _, _, rule, _ in rejects(result)} == {"too_long"}
