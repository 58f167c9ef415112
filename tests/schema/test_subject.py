"""Whose the rows are: one table, and the way to it from the rows of each sheet."""

from __future__ import annotations

import pickle

import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelError
from aspen_etl.schema import Model, Source, Table, column
from aspen_etl.schema.subject import Way, find_roots, find_ways
from tests.support.clinic import CLINIC


class DoctorSheet(Source):
    """A sheet that nothing leads to or from."""

    no: Series[str] = column()


class Doctor(Table):
    """Its table."""

    doctor_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=9, source="doctor.no")


TWO = CLINIC.add(sources=[DoctorSheet], tables=[Doctor])


def ways(model: Model) -> dict[str, Way]:
    return find_ways(model.subject, model.tables, model.lineage)


def test_the_only_table_of_rows_that_refers_to_no_other_is_the_subject() -> None:
    assert CLINIC.subject == "patient"
    assert CLINIC.declared_subject is None


def test_tables_of_distinct_values_are_no_roots() -> None:
    assert find_roots(ae.BORROWER_MODEL.tables, ae.BORROWER_MODEL.lineage) == ("user_profile",)
    assert ae.BORROWER_MODEL.subject == "user_profile"


def test_of_several_none_is_the_subject_until_one_is_named() -> None:
    assert TWO.subject is None
    assert find_roots(TWO.tables, TWO.lineage) == ("patient", "doctor")
    assert TWO.replace(subject="doctor").subject == "doctor"
    assert TWO.merge(subject="patient").subject == "patient"


def test_a_subject_that_is_named_stays_when_the_model_grows() -> None:
    named = CLINIC.replace(subject="patient").add(sources=[DoctorSheet], tables=[Doctor])
    assert named.subject == "patient"
    assert named.replace(tables=[Doctor]).subject == "patient"
    grown = ae.BORROWER_MODEL.add(sources=[DoctorSheet], tables=[Doctor])
    assert grown.subject == "user_profile"


def test_one_that_was_found_does_not_stay() -> None:
    assert CLINIC.merge(sources=[DoctorSheet], tables=[Doctor]).subject is None


def test_it_may_refer_to_others() -> None:
    model = CLINIC.replace(subject="visit")
    assert ways(model)["result"] == Way("visit", ("visit_no",), ("visit_no",))
    assert ways(model)["patient"] == Way(None, (), ("patient_no",))


@pytest.mark.parametrize("model", [CLINIC, TWO, TWO.replace(subject="doctor")])
def test_it_travels_with_the_model(model: Model) -> None:
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    assert (again.subject, again.declared_subject) == (model.subject, model.declared_subject)


@pytest.mark.parametrize("name", ["patients", "unit"])
def test_what_is_no_table_of_rows_is_no_subject(name: str) -> None:
    with pytest.raises(ModelError, match="names no table that has one row for each row") as caught:
        CLINIC.merge(subject=name)
    assert "patient" in str(caught.value)


def test_the_rows_of_each_sheet_lead_to_the_subject_over_others() -> None:
    assert ways(CLINIC) == {
        "patient": Way("patient", (), ("patient_no",)),
        "visit": Way("patient", ("patient_no",), ("patient_no",)),
        "result": Way("patient", ("visit_no", "patient_no"), ("patient_no",)),
    }


def test_of_several_roots_rows_lead_to_the_one_that_they_can_reach() -> None:
    found = ways(TWO)
    assert found["doctor"] == Way("doctor", (), ("no",))
    assert found["result"].table == "patient"
    found = ways(TWO.replace(subject="doctor"))
    assert found["result"] == Way(None, (), ("visit_no", "test"))
