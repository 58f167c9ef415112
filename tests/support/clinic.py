"""A clinic of three sheets: results lead to visits, visits lead to patients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.schema import Model, Source, Table, column

__all__ = [
    "CLINIC",
    "Patient",
    "PatientSheet",
    "Result",
    "ResultSheet",
    "Unit",
    "Visit",
    "VisitSheet",
    "clinic_extract",
]


class PatientSheet(Source):
    """Who is treated."""

    patient_no: Series[str] = column()
    name: Series[str] = column(nullable=True)


class VisitSheet(Source):
    """Who came, and who came along."""

    visit_no: Series[str] = column()
    patient_no: Series[str] = column()
    unit: Series[str] = column(nullable=True)
    guardian: Series[str] = column(nullable=True)


class ResultSheet(Source):
    """What was found at a visit."""

    visit_no: Series[str] = column()
    test: Series[str] = column()
    value: Series[str] = column(nullable=True)


class Patient(Table):
    """One row for each patient."""

    patient_id: Series[int] = column(primary_key=True)
    patient_no: Series[str] = column(natural_key=True, length=20, source="patient.patient_no")
    name: Series[str] = column(nullable=True, length=20, source="patient.name")


class Unit(Table):
    """One row for each unit that a visit names."""

    unit_id: Series[int] = column(primary_key=True)
    code: Series[str] = column(natural_key=True, length=20)


class Visit(Table):
    """One row for each visit."""

    visit_id: Series[int] = column(primary_key=True)
    visit_no: Series[str] = column(natural_key=True, length=20, source="visit.visit_no")
    patient_id: Series[int] = column(references="patient", source="visit.patient_no")
    unit_id: Series[pd.Int64Dtype] = column(nullable=True, references="unit", source="visit.unit")
    guardian_id: Series[pd.Int64Dtype] = column(
        nullable=True, references="patient", source="visit.guardian"
    )


class Result(Table):
    """One row for each result."""

    result_id: Series[int] = column(primary_key=True)
    visit_id: Series[int] = column(natural_key=True, references="visit", source="result.visit_no")
    test: Series[str] = column(natural_key=True, length=20, source="result.test")
    value: Series[pd.Int64Dtype] = column(nullable=True, source="result.value")


CLINIC = Model.of(
    sources=[PatientSheet, VisitSheet, ResultSheet], tables=[Patient, Unit, Visit, Result]
)


def clinic_extract(
    patients: Iterable[Any], visits: Iterable[Any] = (), results: Iterable[Any] = ()
) -> ae.Extract:
    """Make an extract of rows, each cell by its place."""
    given = {"patient": patients, "visit": visits, "result": results}
    return ae.Extract.from_frames(
        {
            name: pd.DataFrame(
                [list(row) for row in rows],
                columns=list(CLINIC.sources[name].columns),
                dtype=object,
            )
            for name, rows in given.items()
        }
    )
