"""Each form of a declaration, from sheets to tables and back, with nothing but the declaration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.schema import Entity, Model, Series, Table, column, ref
from tests.support import clinic_model
from tests.support.clinic_extracts import COLUMNS, extract, made, shuffled

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="test")
AUDIT = ["created", "created_by", "updated", "updated_by"]


def sheets(**given: dict[str, list[Optional[str]]]) -> ae.Extract:
    return ae.Extract.from_frames(
        {name: pd.DataFrame(cells, dtype=object) for name, cells in given.items()}
    )


def cells(frame: pd.DataFrame) -> list[list[Any]]:
    values = frame.drop(columns=AUDIT, errors="ignore").astype(object).to_numpy().tolist()
    return [[None if pd.isna(cell) else cell for cell in row] for row in values]


def there_and_back(tables: Sequence[type[Table]], given: ae.Extract) -> dict[str, list[list[Any]]]:
    """Normalize, look that nothing is rejected and all comes back, and give the tables."""
    model = Model.of(tables=tables)
    result = ae.normalize(given, model=model, run=RUN)
    assert not len(result.rejects)
    back = ae.denormalize(result.tables, model=model)
    for name in model.sources:
        assert sorted(map(repr, cells(back[name]))) == sorted(map(repr, cells(given[name])))
    again = ae.normalize(back, model=model, run=RUN)
    for name, frame in result.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], frame)
    return {name: cells(frame) for name, frame in result.tables.items()}


# ------------------------------------------------------------------------- the clinic


def test_the_clinic_takes_34_lines() -> None:
    _, *lines = Path(str(clinic_model.__file__)).read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 34
    model = clinic_model.MODEL
    assert {name: tuple(sheet.columns) for name, sheet in model.sources.items()} == COLUMNS
    assert len(model.tables) == 7


@pytest.mark.parametrize("seed", range(3))
def test_a_clinic_without_faults_is_all_in_the_tables(seed: int) -> None:
    result = ae.normalize(made(seed, faults=0), model=clinic_model.MODEL, run=RUN)
    assert not len(result.rejects)
    assert len(result.tables["visit"]) == 12


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_does_not_count(seed: int) -> None:
    given = made(seed, visits=20, faults=0.15)
    one = ae.normalize(given, model=clinic_model.MODEL, run=RUN)
    other = ae.normalize(shuffled(given, seed), model=clinic_model.MODEL, run=RUN)
    assert len(one.rejects)
    for name, frame in one.tables.items():
        if not one.rejects["rule"].str.startswith("duplicate_").any():  # the first row stays
            pd.testing.assert_frame_equal(other.tables[name], frame)


def test_a_clinic_of_typed_cells_is_read_as_its_sheets_write_them() -> None:
    result = ae.normalize(
        extract(
            patients=[["P1", "Ann", "02/29/2000", "Y", "I1", "Acme"]],
            visits=[["V1", "P1", "C1", "North", None, None, None, "2024-01-31", "1234.5"]],
            tests=[["V1", "T1", "Iron", "0.000001"]],
        ),
        model=clinic_model.MODEL,
        run=RUN,
    )
    found = {name: cells(frame) for name, frame in result.tables.items()}
    born = pd.Timestamp("2000-02-29")
    assert found["patient"] == [[1, "P1", "Ann", born, True, 1]]
    assert found["clinic"] == [[1, "C1", "North", None]]
    assert found["doctor"] == []
    visited, fee = pd.Timestamp("2024-01-31"), Decimal("1234.50")
    assert found["visit"] == [[1, "V1", 1, 1, None, visited, fee]]
    assert found["result"] == [[1, 1, 1, Decimal("0.000001")]]


# ------------------------------------------------------------------------- other forms


class Visit(Table, source="visits"):
    """Who came."""

    no: Series[str] = column(natural_key=True, length=9)
    clinic_id: Series[int] = ref("clinic", nullable=True)


class Clinic(Entity, source="visits.clinic_*"):
    """Where."""

    code: Series[str] = column(natural_key=True, length=4)
    name: Series[str] = column(nullable=True)


VISITS: dict[str, list[Optional[str]]] = {
    "no": ["1", "2", "3"],
    "clinic_code": ["B", "A", None],
    "clinic_name": ["x", None, None],
}


def test_an_entity_that_only_references_feed_may_have_two_of_one_sheet() -> None:
    class Airport(Entity):
        code: Series[str] = column(natural_key=True, length=4)

    class Flight(Table, source="flights"):
        no: Series[str] = column(natural_key=True, length=9)
        origin_id: Series[int] = ref("airport", source="origin")
        destination_id: Series[int] = ref("airport", source="destination", nullable=True)

    given = sheets(flights={"no": ["1", "2"], "origin": ["B", "A"], "destination": ["A", None]})
    found = there_and_back([Airport, Flight], given)
    assert found["airport"] == [[1, "A"], [2, "B"]]
    assert found["flight"] == [[1, "1", 2, 1], [2, "2", 1, None]]


def test_a_second_sheet_feeds_the_key_of_an_entity_in_either_form() -> None:
    class Both(Entity, source=("visits.clinic_*", "referrals.to")):
        code: Series[str] = column(natural_key=True, length=4)
        name: Series[str] = column(nullable=True)

        class Config:
            name = "clinic"

    class Implied(Table, source="referrals"):
        no: Series[str] = column(natural_key=True, length=9)
        clinic_id: Series[int] = ref("clinic", nullable=True)

        class Config:
            name = "referral"

    class Named(Table, source="referrals"):
        no: Series[str] = column(natural_key=True, length=9)
        clinic_id: Series[int] = ref("clinic", nullable=True, source="to")

        class Config:
            name = "referral"

    given = sheets(visits=VISITS, referrals={"no": ["8", "9"], "to": ["C", None]})
    found = there_and_back([Both, Visit, Implied], given)
    assert found["clinic"] == [[1, "A", None], [2, "B", "x"], [3, "C", None]]
    assert found["referral"] == [[1, "8", 3], [2, "9", None]]
    assert there_and_back([Clinic, Visit, Named], given) == found


def test_an_entity_may_be_known_by_an_entity() -> None:
    class Room(Entity, source="visits.room_*"):
        no: Series[str] = column(natural_key=True, length=4)
        clinic_id: Series[int] = ref("clinic", natural_key=True)
        beds: Series[int] = column(nullable=True)

    class Visit(Table, source="visits"):
        no: Series[str] = column(natural_key=True, length=9)
        room_id: Series[int] = ref("room", nullable=True)

    given = sheets(
        visits={
            "no": ["1", "2", "3"],
            "room_no": ["1", "1", None],
            "clinic_code": ["B", "A", None],
            "clinic_name": ["x", None, None],
            "room_beds": [None, "2", None],
        }
    )
    found = there_and_back([Clinic, Room, Visit], given)
    assert found["room"] == [[1, "1", 1, 2], [2, "1", 2, None]]
    assert found["visit"] == [[1, "1", 2], [2, "2", 1], [3, "3", None]]


def test_numbers_and_days_may_be_keys_themselves_in_order_of_their_values() -> None:
    class Year(Entity):
        year: Series[int] = column(primary_key=True, source="visits.year")

    class Day(Entity, source="visits.day_*"):
        day: Series[dt.date] = column(primary_key=True, source="day")
        name: Series[str] = column(nullable=True)

    class Visit(Table, source="visits"):
        no: Series[int] = column(primary_key=True)
        year: Series[int] = ref("year", source="year")
        day: Series[dt.date] = ref("day", nullable=True)

    class Note(Table, source="notes"):
        visit: Series[int] = ref("visit", source="visit_no", natural_key=True)
        line: Series[int] = column(natural_key=True)

    given = sheets(
        visits={
            "no": ["10", "9"],
            "year": ["2020", "-5"],
            "day": ["2020-01-31", None],
            "day_name": ["Friday", None],
        },
        notes={"visit_no": ["10", "9", "10"], "line": ["2", "1", "10"]},
    )
    found = there_and_back([Year, Day, Visit, Note], given)
    assert found["year"] == [[-5], [2020]]
    assert found["day"] == [[pd.Timestamp("2020-01-31"), "Friday"]]
    assert found["visit"] == [[9, -5, None], [10, 2020, pd.Timestamp("2020-01-31")]]
    assert found["note"] == [[1, 9, 1], [2, 10, 2], [3, 10, 10]]


def test_columns_become_rows_whose_types_and_values_are_entities() -> None:
    class Rank(Entity):
        rank: Series[str] = column(natural_key=True, length=9)

    class Diagnosis(Entity):
        code: Series[str] = column(natural_key=True, length=9)

    class VisitDiagnosis(Table, source="visits.diagnosis_*"):
        visit_id: Series[int] = ref("visit", natural_key=True)
        rank_id: Series[int] = ref(
            "rank", natural_key=True, from_name={"1": "first", "2": "second"}
        )
        diagnosis_id: Series[int] = ref("diagnosis", source="diagnosis_*")

    given = sheets(
        visits={**VISITS, "diagnosis_1": ["D2", "D1", None], "diagnosis_2": [None, "D2", None]}
    )
    found = there_and_back([Clinic, Visit, Rank, Diagnosis, VisitDiagnosis], given)
    assert found["rank"] == [[1, "first"], [2, "second"]]
    assert found["diagnosis"] == [[1, "D1"], [2, "D2"]]
    assert found["visit_diagnosis"] == [[1, 1, 1, 2], [2, 2, 1, 1], [3, 2, 2, 2]]


def test_a_part_of_a_wide_sheet_is_a_table_of_its_own() -> None:
    class Loan(Table, source="loans"):
        no: Series[str] = column(natural_key=True, length=9)

    class Contract(Table, source="loans.contract_*"):
        loan_id: Series[int] = ref("loan", natural_key=True)
        signed: Series[dt.date] = column()

    given = sheets(loans={"no": ["L2", "L1"], "contract_signed": ["2020-01-31", "2021-12-31"]})
    found = there_and_back([Loan, Contract], given)
    assert found["contract"] == [
        [1, 1, pd.Timestamp("2021-12-31")],
        [2, 2, pd.Timestamp("2020-01-31")],
    ]
