"""Whose a row is, for any model: what rejects say of it, and what a purge of one takes."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.schema import Model, Source, Table, column
from tests.store.test_store import LENIENT
from tests.support.borrowers import files_below
from tests.support.clinic import (
    CLINIC,
    Patient,
    Result,
    ResultSheet,
    VisitSheet,
    clinic_extract,
)

_STORES = itertools.count()


def at(day: int) -> ae.Run:
    return ae.Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor="me")


def store_of(model: Model, *given: ae.Extract) -> ae.SnapshotStore:
    store = ae.SnapshotStore(f"memory://subjects/{next(_STORES)}", model=model)
    for day, each in enumerate(given, start=1):
        ae.sync(each, store, run=at(day), thresholds=LENIENT)
    return store


def holding(store: ae.SnapshotStore, *words: str) -> list[str]:
    return [
        name
        for name, data in files_below(store).items()
        if any(word.encode() in data for word in words)
    ]


def subjects(rejects: pd.DataFrame, *columns: str) -> list[list[Optional[str]]]:
    cells = rejects[["source", "row", *columns, "subject"]].astype(object)
    return [[None if pd.isna(cell) else cell for cell in row] for row in cells.to_numpy()]


# ----------------------------------------------------------------------------- rejects


def test_a_reject_names_the_subject_that_its_row_leads_to_over_others() -> None:
    found = ae.normalize(
        clinic_extract(
            [(" P1 ", "Ada"), ("P2", "x" * 21), (None, "Cy")],
            [("V1", "P1", "u" * 21, None), ("V2", "P9", None, None), ("V3", None, None, "P1")],
            [("V1", "T1", "x"), ("V2", "T1", "x"), ("V3", "T1", "1"), ("V9", "T1", "1")],
        ),
        model=CLINIC,
        run=at(1),
    ).rejects
    assert subjects(found, "rule") == [
        ["patient", 3, "too_long", "P2"],
        ["patient", 4, "missing_patient_no", None],
        ["visit", 2, "too_long", "P1"],
        ["visit", 3, "unknown_patient", "P9"],
        ["visit", 4, "missing_patient_no", None],
        ["result", 2, "invalid_value", "P1"],
        ["result", 3, "unknown_visit", "P9"],  # a visit that is rejected leads on all the same
        ["result", 3, "invalid_value", "P9"],
        ["result", 4, "unknown_visit", None],
        ["result", 5, "unknown_visit", "V9"],  # it leads to nobody: its own key
    ]


def test_a_row_of_no_subject_is_known_by_its_own_key() -> None:
    model = CLINIC.replace(subject="visit")
    given = clinic_extract([("P1", "x" * 21)], [("V1", "P1", None, None)], [("V1", "T1", "x")])
    found = ae.normalize(given, model=model, run=at(1)).rejects
    assert subjects(found) == [["patient", 2, "P1"], ["result", 2, "V1"]]


CELLS = st.sampled_from(["1", "2", "3", None])
LONG = st.sampled_from([None, "x" * 21])


@given(
    st.lists(st.tuples(CELLS, LONG), max_size=4),
    st.lists(st.tuples(CELLS, CELLS, LONG, CELLS), max_size=5),
    st.lists(st.tuples(CELLS, CELLS, st.sampled_from(["1", "x"])), max_size=6),
)
def test_the_subject_is_what_a_walk_from_row_to_row_finds(
    patients: list[Any], visits: list[Any], results: list[Any]
) -> None:
    found = ae.normalize(clinic_extract(patients, visits, results), model=CLINIC, run=at(1)).rejects
    owner: dict[Any, Any] = {}
    for number, patient, *_ in visits:
        owner.setdefault(number, patient)
    expected = {
        "patient": [row[0] for row in patients],
        "visit": [row[1] for row in visits],
        "result": [owner.get(row[0], row[0]) if row[0] else None for row in results],
    }
    for source, row, subject in subjects(found):
        assert subject == expected[str(source)][int(str(row)) - 2]


# ----------------------------------------------------------------------------- purging


BIRD, SECRET = "Qq4", "hush"


def bird_extract(*more: Any) -> ae.Extract:
    return clinic_extract(
        [("P1", "Ada"), (BIRD, SECRET), *more],
        [
            ("V1", BIRD, SECRET + "u" * 21, None),
            ("V2", "P1", "unit", BIRD),
            ("V3", "P1", "unit", None),
            ("V4", "P1", SECRET + "u" * 21, "qQ4"),  # rejected, and it names the subject
        ],
        [
            ("V1", SECRET, "7"),
            ("V1", SECRET + "t" * 21, "7"),
            ("V2", SECRET, "8"),
            ("V3", "T1", "9"),
        ],
    )


def test_all_that_leads_to_the_subject_goes_from_every_version() -> None:
    store = store_of(CLINIC, bird_extract(), bird_extract(("P2", None)))
    report = store.purge(BIRD, run=at(3))
    assert holding(store, BIRD, "qQ4", SECRET) == []
    assert report.rows == {"patient": 1, "unit": 0, "visit": 2, "result": 2}
    assert report.rejects == 4  # both versions have them, in one file
    tables = store.read().tables
    assert tables["visit"]["visit_no"].tolist() == ["V3", "V4"]
    assert [store.verify(each.version).problems for each in store.history()] == [(), (), ()]


def test_the_model_names_the_subject_of_a_purge_and_a_caller_may() -> None:
    store = store_of(CLINIC, bird_extract())
    report = store.purge("V3", run=at(3), subject="visit")
    assert report.rows == {"patient": 0, "unit": 0, "visit": 1, "result": 1}
    assert holding(store, "V3") == []
    assert store.verify().problems == ()


def test_a_purge_under_another_subject_reaches_the_rejects_that_name_it() -> None:
    given = clinic_extract(
        [("P1", "Ada")],
        [("V1", "P1", "u" * 21, None), ("V2", "P1", None, None)],
        [("V1", "T1", "x"), ("V2", "T1", "x")],
    )
    store = store_of(CLINIC, given)
    assert store.purge(" V1", run=at(3), subject="visit").rejects == 2
    assert holding(store, "V1") == []
    assert subjects(store.read_rejects()) == [["result", 3, "P1"]]


class DoctorSheet(Source):
    """A sheet of its own."""

    no: Series[str] = column()
    name: Series[str] = column(nullable=True)


class Doctor(Table):
    """Its table."""

    doctor_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=9, source="doctor.no")
    name: Series[str] = column(nullable=True, length=9, source="doctor.name")


TWO = CLINIC.add(sources=[DoctorSheet], tables=[Doctor])


def of_two() -> ae.Extract:
    given = clinic_extract([("7", "x" * 21)], [("7", "7", None, None)])
    doctors = pd.DataFrame({"no": ["7"], "name": ["Cy Young, MD"]}, dtype=object)
    return ae.Extract.from_frames({**given, "doctor": doctors})


def test_of_several_roots_purge_asks() -> None:
    store = store_of(TWO, of_two())
    with pytest.raises(
        ArgumentError, match=r"patient, doctor refer to no other.*--subject"
    ) as told:
        store.purge("7", run=at(2))
    assert told.value.details["tables"] == ("patient", "doctor")
    with pytest.raises(ArgumentError, match="did you mean 'doctor'"):
        store.purge("7", run=at(2), subject="doctors")
    with pytest.raises(ArgumentError, match="'unit' names no table of rows"):
        store.purge("7", run=at(2), subject="unit")


def test_one_id_of_two_roots_is_two_subjects() -> None:
    store = store_of(TWO, of_two())
    report = store.purge("7", run=at(2), subject="doctor")
    assert report.rows == {"patient": 0, "unit": 0, "visit": 0, "result": 0, "doctor": 1}
    assert subjects(store.read_rejects()) == [["patient", 2, "7"]]
    report = store.purge("7", run=at(3), subject="patient")
    assert (report.rows["patient"], report.rows["visit"], report.rejects) == (1, 1, 1)


def test_what_is_known_by_a_reference_alone_is_no_subject() -> None:
    store = store_of(CLINIC, bird_extract())
    with pytest.raises(NotSupportedError, match="known by a reference"):
        store.purge("V1", run=at(2), subject="result")


class NumberedPatient(Patient):
    """Known by a whole number."""

    patient_no: Series[int] = column(natural_key=True, source="patient.patient_no")

    class Config:
        """The same table."""

        name = "patient"


@pytest.mark.parametrize("spelt", ["41", " 41\n"])
def test_an_id_of_a_type_is_found_as_the_tables_spell_it(spelt: str) -> None:
    model = CLINIC.replace(tables=[NumberedPatient])
    store = store_of(
        model, clinic_extract([("41", "Ada"), ("410", "Bo")], [("V1", "41", None, None)])
    )
    report = store.purge(spelt, run=at(2))
    assert report.rows == {"patient": 1, "unit": 0, "visit": 1, "result": 0}
    assert store.read().tables["patient"]["patient_no"].tolist() == [410]
    assert store.purge("x", run=at(2)).rows == {}


class BranchSheet(Source):
    """Members, who are known by two columns."""

    branch: Series[str] = column()
    number: Series[str] = column()
    name: Series[str] = column(nullable=True)


class Member(Table):
    """Their table."""

    member_id: Series[int] = column(primary_key=True)
    branch: Series[str] = column(natural_key=True, length=9, source="branch.branch")
    number: Series[str] = column(natural_key=True, length=9, source="branch.number")
    name: Series[str] = column(nullable=True, length=9, source="branch.name")


BRANCHES = Model.of(sources=[BranchSheet], tables=[Member])


def test_a_subject_known_by_several_columns_is_a_list_of_texts() -> None:
    members = [("B1", "1", "x" * 10), ("B1", "2", "Bo"), ("B2", "1", "x" * 10), ("b1", "1 ", None)]
    frame = pd.DataFrame(members, columns=["branch", "number", "name"], dtype=object)
    store = store_of(BRANCHES, ae.Extract(branch=frame))
    assert store.read_rejects()["subject"].tolist() == ['["B1", "1"]', '["B2", "1"]']
    with pytest.raises(ArgumentError, match="known by branch and number; give the id as a JSON"):
        store.purge("B1", run=at(2))
    report = store.purge('["B1","1"]', run=at(2))
    assert (report.rows["member"], report.rejects, report.similar) == (1, 1, 1)
    left = store.read().tables["member"]
    assert left[["branch", "number"]].to_numpy().tolist() == [["B1", "2"], ["B2", "1"], ["b1", "1"]]
    assert store.read_rejects()["subject"].tolist() == ['["B2", "1"]']


def test_a_reject_whose_key_lacks_a_part_is_found_by_its_cells() -> None:
    frame = pd.DataFrame(
        [("B1", None, SECRET), ("B1", "2", "Bo"), (None, "2", "Cy")],
        columns=["branch", "number", "name"],
        dtype=object,
    )
    store = store_of(BRANCHES, ae.Extract(branch=frame))
    assert store.read_rejects()["subject"].isna().all()
    assert store.purge('["B1", "hush"]', run=at(2)).rejects == 1
    assert holding(store, SECRET) == []


def test_a_model_whose_results_refer_to_visits_alone_is_purged_whole() -> None:
    class Visit(Table):
        visit_no: Series[str] = column(primary_key=True, length=9, source="visit.visit_no")
        patient_no: Series[str] = column(length=9, source="visit.patient_no")
        unit: Series[str] = column(nullable=True, length=9, source="visit.unit")
        guardian: Series[str] = column(nullable=True, length=9, source="visit.guardian")

    class Test(Result):
        visit_id: Series[str] = column(
            natural_key=True, references="visit", source="result.visit_no"
        )

        class Config:
            name = "result"

    model = Model.of(sources=[VisitSheet, ResultSheet], tables=[Visit, Test])
    assert model.subject == "visit"
    frames = {
        "visit": pd.DataFrame(
            [["V1", "a", None, None]], columns=list(model.sources["visit"].columns)
        ),
        "result": pd.DataFrame([["V1", "T1", "1"]], columns=list(model.sources["result"].columns)),
    }
    store = store_of(model, ae.Extract.from_frames(frames))
    assert store.purge("V1", run=at(2)).rows == {"visit": 1, "result": 1}
