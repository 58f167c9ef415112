"""Which models can be parted, and in which part a subject is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError, NotSupportedError, ProofError
from aspen_etl.schema import Builder, Entity, Model, Series, Table, column, ref
from aspen_etl.transform.parting import (
    Owner,
    can_part,
    check_range,
    number_parts,
    read_bounds,
    split_positions,
)

BORROWERS = can_part(ae.BORROWER_MODEL)


class Site(Table, source="sites"):
    site_no: Series[int] = column(natural_key=True)


class Visit(Table, source="visits"):
    site_id: Series[int] = ref("site", source="site_no", natural_key=True)
    day: Series[dt.date] = column(natural_key=True)


class Person(Table, source="persons"):
    code: Series[str] = column(natural_key=True, length=8)


class Guest(Table, source="guests"):
    site_id: Series[int] = ref("site", source="site_no", natural_key=True)
    other_id: Series[int] = ref("site", source="other_no", natural_key=True)


class Note(Table, source="notes"):
    note_no: Series[int] = column(natural_key=True)
    site_id: Series[int] = ref("site", source="site_no")


class Room(Table, source="rooms"):
    floor: Series[int] = column(natural_key=True)
    door: Series[int] = column(natural_key=True)


class City(Entity, source="towns.city_*"):
    name: Series[str] = column(natural_key=True, length=9)
    region: Series[str] = column(nullable=True)


class Town(Table, source="towns"):
    code: Series[str] = column(natural_key=True, length=8)
    city_id: Series[int] = ref("city")


class Word(Table):
    word: Series[str] = column(natural_key=True, length=9)
    size: Series[int] = column()


class Color(Table):
    color: Series[str] = column(natural_key=True, length=9)


class Flag(Table, source="flags"):
    color_id: Series[int] = ref("color", source="color", natural_key=True)


def words(sites: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"word": ["a"], "size": [len(sites)]})


def test_the_subject_of_each_row_is_found_by_the_natural_keys() -> None:
    assert BORROWERS.root == "borrower"
    assert BORROWERS.columns == {"borrower": "id", "role_profile": "borrower_id"}
    assert BORROWERS.owners == {
        "user_profile": Owner("user_profile_id"),
        "user": Owner("user_profile_id"),
        "role_profile": Owner("user_id", "user"),
        "phone_number": Owner("role_profile_id", "role_profile"),
        "email": Owner("role_profile_id", "role_profile"),
        "address": Owner("role_profile_id", "role_profile"),
    }
    assert set(BORROWERS.lookups) == {"role_profile_type", "phone_number_type", "email_type"}
    assert BORROWERS.numbered == tuple(name for name in BORROWERS.owners if name != "user_profile")
    assert can_part(Model.of(tables=[Site, Visit])).key.type == "integer"


@pytest.mark.parametrize(
    ("tables", "what", "why"),
    [
        ([Town, City], "the entity 'city'", "is settled among the rows of all parts"),
        ([Site, Person], "the sheet 'persons'", "it refers to no other sheet, as 'sites'"),
        ([Site, Guest], "the sheet 'guests'", "other rows than one of 'sites', by site_no, other"),
        ([Site, Note], "the sheet 'notes'", "its rows are known without 'site_no'"),
        ([Room], "the sheet 'rooms'", "its rows are known by floor and door"),
        ([Site, Word], "the table 'word'", "no column of its natural key leads each"),
        ([Flag, Color], "the table 'flag'", "no column of its natural key leads each"),
    ],
)
def test_what_cannot_be_parted_is_refused_by_name(tables: Any, what: str, why: str) -> None:
    builders = {"word": Builder(words)} if Word in tables else {}
    model = Model.of(tables=tables, builders=builders)
    with pytest.raises(NotSupportedError) as caught:
        can_part(model)
    assert str(caught.value).startswith(f"the model cannot be parted by {what}: ")
    assert why in str(caught.value)
    assert str(caught.value).endswith("; normalize it whole")


# ------------------------------------------------------------------------------------- ranges


def parts_of(texts: list[Any], bounds: list[str]) -> list[int]:
    keys = conform_text(pd.Series(texts, dtype=object))
    return list(number_parts(keys, read_bounds(bounds, BORROWERS)))


def test_a_key_is_in_the_part_of_the_last_bound_that_is_not_above_it() -> None:
    assert parts_of(["a", "b", "bb", "c", None, "B"], ["b", "c"]) == [0, 1, 1, 2, 0, 0]
    assert parts_of(["a", "b", "c"], ["b", "b"]) == [0, 2, 2]
    assert parts_of(["a", None], []) == [0, 0]


def test_text_is_ordered_by_code_point() -> None:
    assert parts_of(["\uffff", "\U00010000", "é", "z"], ["é", "\U00010000"]) == [1, 2, 1, 0]


def test_numbers_and_dates_are_ordered_by_value() -> None:
    numbers = can_part(Model.of(tables=[Site]))
    keys = pd.Series([-1, 9, 10, None], dtype="Int64")
    assert number_parts(keys, read_bounds(["9", "10"], numbers)).tolist() == [0, 1, 2, 0]


def test_bounds_rise_and_are_keys() -> None:
    numbers = can_part(Model.of(tables=[Site]))
    with pytest.raises(ArgumentError, match="bound 3 of 3 is below the one before") as caught:
        read_bounds(["9", "10", "2"], numbers)
    assert caught.value.details == {"problem": "bounds"}
    with pytest.raises(ArgumentError, match="a bound of parts is no integer; give keys of 'sites'"):
        read_bounds(["secret"], numbers)
    assert len(read_bounds(["2", "2", "10"], numbers)) == 3


def test_rows_are_split_in_their_order() -> None:
    found = split_positions(np.array([1, 0, 1, 3]), 5)
    assert [rows.tolist() for rows in found] == [[1], [0, 2], [], [3], []]
    assert [len(rows) for rows in split_positions(np.array([], dtype=np.int64), 2)] == [0, 0]


def test_what_is_made_of_subjects_of_another_part_is_told() -> None:
    ids = conform_text(pd.Series(["a", "b"], dtype=object))
    tables = dict.fromkeys(("user_profile", "user"), pd.DataFrame({"user_profile_id": ids}))
    bounds = read_bounds(["b"], BORROWERS)
    check_range(tables, 0, read_bounds([], BORROWERS), BORROWERS)
    with pytest.raises(ProofError, match="1 rows of 'user_profile' belong to another part"):
        check_range(tables, 1, bounds, BORROWERS)
