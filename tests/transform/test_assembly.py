"""From accepted rows to the rows of every table, in natural terms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import borrower
from aspen_etl.columns.positions import gather, reverse
from aspen_etl.errors import ModelError
from aspen_etl.schema import Builder, Source, Table, column
from aspen_etl.transform.assembly import assemble
from tests.normalization.wards import CITIES, visits
from tests.transform.sheets import ADA, BO, RUN, accepted, extract, rows


def test_rows_are_in_natural_terms_and_references_are_row_numbers() -> None:
    made = assemble(accepted(extract(BO, ADA, roles=(("b", "x"),))), ae.BORROWER_MODEL)
    assert {name: rows(frame) for name, frame in made.items()} == {
        "user_profile": [["a", "Ada", "Degli Antoni"], ["b", "Bo", ""]],
        "user": [[0], [1]],
        "role_profile_type": [["x"]],
        "role_profile": [[1, "x"], [0, None]],
        "phone_number_type": [["cell"], ["home"]],
        "phone_number": [[1, "cell", "5550101"], [1, "home", "5550100"]],
        "email_type": [["email"]],
        "email": [[1, "email", "a@b"]],
        "address": [[1, "1 Main St", "Turin", "MA", "02138"]],
    }


def test_reverse_and_gather_give_minus_one_where_there_is_nothing() -> None:
    assert reverse(np.array([2, -1, 0]), 4).tolist() == [2, -1, 0, -1]
    assert gather(np.array([7, 8]), np.array([1, -1, 0])).tolist() == [8, -1, 7]
    assert gather(np.array([], dtype=np.int64), np.array([-1, -1])).tolist() == [-1, -1]


# ------------------------------------------------------- a table that a user's builder makes


class NoteSheet(Source):
    owner: Series[str] = column()
    text: Series[str] = column()


class Note(Table):
    note_id: Series[int] = column(primary_key=True)
    user_id: Series[int] = column(natural_key=True, references="user", source="note.owner")
    text: Series[str] = column(natural_key=True, length=20, source="note.text")


class Initial(Table):
    initial_id: Series[int] = column(primary_key=True)
    user_profile_id: Series[str] = column(natural_key=True, references="user_profile")
    letter: Series[str] = column(natural_key=True, length=1)
    position: Series[int] = column()


NOTES = ae.BORROWER_MODEL.add(sources=[NoteSheet], tables=[Note])


def test_a_table_that_follows_a_sheet_row_by_row_needs_no_builder() -> None:
    notes = pd.DataFrame({"owner": ["b", "a", "b"], "text": ["z", "y", "x"]})
    given = ae.Extract(**extract(BO, ADA), note=notes)
    result = ae.normalize(given, model=NOTES, run=RUN)
    assert rows(result.tables["note"].iloc[:, :3]) == [[1, 1, "y"], [2, 2, "x"], [3, 2, "z"]]


def by_text(borrower: pd.DataFrame) -> pd.DataFrame:
    """Refer to a borrower by the text that the table is known by."""
    return pd.DataFrame(
        {"user_profile_id": borrower["id"], "letter": borrower["full_name"].str[0], "position": 0}
    )


def by_row(borrower: pd.DataFrame, user_profile_rows: pd.DataFrame) -> pd.DataFrame:
    """Refer to a borrower by the number of its row."""
    return by_text(borrower).assign(user_profile_id=np.arange(len(user_profile_rows)))


@pytest.mark.parametrize("build", [by_text, by_row])
def test_a_builder_refers_by_row_number_or_by_text(build: object) -> None:
    model = ae.BORROWER_MODEL.add(tables=[Initial], builders={"initial": build})  # type: ignore[dict-item]
    result = ae.normalize(extract(BO, ADA), model=model, run=RUN)
    assert rows(result.tables["initial"].iloc[:, :4]) == [[1, "a", "A", 0], [2, "b", "B", 0]]


def test_text_for_a_table_that_is_not_known_by_one_text_is_refused() -> None:
    class Mark(Table):
        mark_id: Series[int] = column(primary_key=True)
        role_profile_id: Series[int] = column(natural_key=True, references="role_profile")

    def build(borrower: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"role_profile_id": borrower["id"]})

    model = ae.BORROWER_MODEL.add(tables=[Mark], builders={"mark": build})
    with pytest.raises(ModelError) as caught:
        ae.normalize(extract(ADA), model=model, run=RUN)
    assert str(caught.value) == (
        "the builder of 'mark' gives text for 'role_profile_id', and 'role_profile' is not known "
        "by one text; give row numbers of role_profile_rows"
    )


@pytest.mark.parametrize("at", [-1, 2])
def test_what_leads_to_no_row_is_refused(at: int) -> None:
    def build(borrower: pd.DataFrame) -> pd.DataFrame:
        return by_text(borrower).assign(user_profile_id=at)

    model = ae.BORROWER_MODEL.add(tables=[Initial], builders={"initial": build})
    with pytest.raises(ModelError) as caught:
        ae.normalize(extract(BO, ADA), model=model, run=RUN)
    assert str(caught.value) == (
        "the builder of 'initial' gives 2 rows whose 'user_profile_id' leads to no row of "
        "'user_profile'; leave these rows out, or give the column nullable=True and -1 there"
    )


class Letter(Table):
    letter_id: Series[int] = column(primary_key=True)
    visit_id: Series[int] = column(natural_key=True, references="visit")
    clinic_id: Series[int] = column(references="clinic")


def test_text_that_no_row_of_an_entity_is_known_by_is_refused() -> None:
    def build(visits: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"visit_id": visits.index, "clinic_id": visits["city_name"]})

    model = CITIES.add(tables=[Letter], builders={"letter": build})
    with pytest.raises(ModelError) as caught:
        ae.normalize(visits(["1", "C", None, "C"], ["2", "D", None, "E"]), model=model, run=RUN)
    assert str(caught.value) == (
        "the builder of 'letter' gives 1 rows whose 'clinic_id' leads to no row of 'clinic', which "
        "has a row for each key that its sheets hold; leave these rows out, or give the column "
        "nullable=True and -1 there"
    )


def test_a_builder_that_loses_a_cell_is_found_by_the_proof() -> None:
    def email(borrower: pd.DataFrame, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
        build = ae.BORROWER_MODEL.builders["email"].build
        return build(borrower, role_profile_rows).iloc[1:]

    model = ae.BORROWER_MODEL.replace(builders={"email": email})
    with pytest.raises(ae.AspenETLError) as caught:
        ae.normalize(extract(ADA), model=model, run=RUN)
    assert (caught.value.details["table"], caught.value.details["column"]) == ("email", "value")


def test_an_inverse_that_does_not_give_a_cell_back_is_found_by_the_proof() -> None:
    build = ae.BORROWER_MODEL.builders["user_profile"].build
    for invert in (
        lambda rows: {"full_name": rows["first_name"]},
        lambda rows: {},  # noqa: ARG005 - it gives nothing
    ):
        model = ae.BORROWER_MODEL.replace(builders={"user_profile": Builder(build, invert)})
        with pytest.raises(ae.AspenETLError) as caught:
            ae.normalize(extract(ADA), model=model, run=RUN)
        assert caught.value.details["table"] == "user_profile"


def test_a_column_of_another_sheet_is_filled_along_the_references() -> None:
    class RoleProfile(borrower.RoleProfile):
        name: Series[str] = column(length=257, source="borrower.full_name")

    model = ae.BORROWER_MODEL.replace(tables=[RoleProfile])
    result = ae.normalize(extract(BO, ADA, roles=(("b", "x"),)), model=model, run=RUN)
    assert result.tables["role_profile"]["name"].tolist() == ["Ada Degli Antoni", "Bo"]


def test_a_column_is_filled_along_two_references() -> None:
    class Email(borrower.Email):
        name: Series[str] = column(length=257, source="borrower.full_name")

    model = ae.BORROWER_MODEL.replace(tables=[Email])
    result = ae.normalize(
        extract({**BO, "email": "b@c"}, ADA, roles=(("a", "x"),)), model=model, run=RUN
    )
    assert result.tables["email"]["name"].tolist() == ["Ada Degli Antoni", "Bo"]


def test_two_tables_can_follow_one_sheet_of_several_key_columns() -> None:
    class Since(Table):
        since_id: Series[int] = column(primary_key=True)
        owner: Series[str] = column(
            natural_key=True, references="user_profile", source="role_profile.borrower_id"
        )
        role: Series[str] = column(natural_key=True, length=128, source="role_profile.role_profile")

    model = ae.BORROWER_MODEL.add(tables=[Since])
    given = extract(BO, ADA, roles=(("b", "x"), ("a", "y"), ("a", "x")))
    result = ae.normalize(given, model=model, run=RUN)
    assert rows(result.tables["since"].iloc[:, :3]) == [
        [1, "a", "x"],
        [2, "a", "y"],
        [3, "b", "x"],
    ]
    assert rows(ae.denormalize(result.tables, model=model)["role_profile"]) == [
        ["a", "x"],
        ["a", "y"],
        ["b", "x"],
    ]
