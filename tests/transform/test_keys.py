"""Keys in use stand in the table; the retired ones are all that is kept beside them."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.normalization import verify
from aspen_etl.schema import Builder, Source, Table
from aspen_etl.schema.snapshot import KeyState
from aspen_etl.transform.keys import PartedKeys, TableKeys, join_keys, part_keys
from tests.transform.sheets import ADA, BO, RUN, extract

USER = ae.BORROWER_MODEL.tables["user"]


def keys_of(numbers: list[int]) -> pd.DataFrame:
    names = pd.Series([f"borrower {n}" for n in numbers], dtype=object)
    text = names.astype(USER.columns["user_profile_id"].dtype)
    return pd.DataFrame({"user_id": pd.Series(numbers, dtype="int64"), "user_profile_id": text})


@given(st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)))
def test_all_keys_given_are_those_in_use_and_the_retired_ones(
    used: set[int], others: set[int]
) -> None:
    in_use, retired = keys_of(sorted(used)), keys_of(sorted(others - used))
    state = TableKeys(USER, 10, PartedKeys(in_use, retired))
    assert equal_frames(state.given, keys_of(sorted(used | others)))
    assert state.equals(KeyState(10, keys_of(sorted(used | others))))
    for known in (state, KeyState(10, state.given)):
        parts = part_keys(known, in_use.assign(created=0), USER)
        assert equal_frames(parts.in_use, in_use)
        assert equal_frames(parts.retired, retired)
    every = part_keys(state, None, USER)
    assert (len(every.in_use), len(every.retired)) == (0, len(used | others))


def test_keys_of_another_table_than_the_one_given_are_parted_anew() -> None:
    state = TableKeys(USER, 4, PartedKeys(keys_of([1, 2]), keys_of([3])))
    parts = part_keys(state, keys_of([2, 3]), USER)
    assert parts.in_use["user_id"].tolist() == [2, 3]
    assert parts.retired["user_id"].tolist() == [1]
    assert len(join_keys([keys_of([]), keys_of([])], USER)) == 0


def test_a_new_row_comes_after_those_that_have_a_key() -> None:
    first = ae.normalize(extract(BO), run=RUN)
    both = ae.normalize(extract(ADA, BO), run=RUN, previous=first.snapshot)
    assert both.tables["user"]["user_profile_id"].tolist() == ["b", "a"]
    assert both.tables["address"]["role_profile_id"].tolist() == [2]
    gone = ae.normalize(extract(ADA), run=RUN, previous=both.snapshot)
    again = ae.normalize(extract(BO, ADA), run=RUN, previous=gone.snapshot)
    assert again.tables["user"]["user_id"].tolist() == [1, 2]
    assert again.snapshot.keys["user"].given["user_id"].tolist() == [1, 2]


class ThingSheet(Source):
    """Things by their codes."""

    code: Series[str] = ae.column()


class Thing(Table):
    """A thing."""

    thing_id: Series[int] = ae.column(primary_key=True)
    code: Series[str] = ae.column(natural_key=True, length=9, source="thing.code")


def test_a_builder_may_give_rows_in_another_order() -> None:
    turned = Builder(lambda thing: thing.iloc[::-1])
    model = ae.Model.of(sources=[ThingSheet], tables=[Thing], builders={"thing": turned})
    previous = None
    for codes in (["b", "d"], ["a", "b", "c", "d"], ["c", "d", "e"]):
        things = ae.Extract(thing=pd.DataFrame({"code": codes}))
        result = ae.normalize(things, run=RUN, model=model, previous=previous)
        verify(result, things, run=RUN, model=model, previous=previous)
        previous = result.snapshot
    assert result.tables["thing"][["thing_id", "code"]].to_numpy().tolist() == [
        [2, "d"],
        [4, "c"],
        [5, "e"],
    ]
