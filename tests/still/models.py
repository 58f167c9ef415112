"""Three models: the borrower's, one extended, and one of seven tables that knows no borrower.

They are declared from ``Source`` and ``Table`` alone, so that no move of a class touches them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import schema

__all__ = ["MODELS"]

# ----------------------------------------------------------------------------- extended

GRADE = schema.TextFormat("grade", "[A-D][+-]?")


class Borrower(schema.Source):
    """One row for each borrower, with two columns more."""

    id: Series[str] = ae.column()
    full_name: Series[str] = ae.column(label="name")
    street: Series[str] = ae.column(nullable=True)
    city: Series[str] = ae.column(nullable=True)
    state: Series[str] = ae.column(nullable=True)
    zip_code: Series[str] = ae.column(nullable=True)
    phone_home: Series[str] = ae.column(nullable=True)
    phone_cell: Series[str] = ae.column(nullable=True)
    email: Series[str] = ae.column(nullable=True)
    employer: Series[str] = ae.column(nullable=True)
    dependents: Series[str] = ae.column(nullable=True)


class UserProfile(schema.Table):
    """Who a borrower is, and where they work."""

    user_profile_id: Series[str] = ae.column(primary_key=True, length=128, source="borrower.id")
    first_name: Series[str] = ae.column(length=128, source="borrower.full_name")
    last_name: Series[str] = ae.column(length=128, source="borrower.full_name")
    employer: Series[str] = ae.column(length=40, nullable=True, source="borrower.employer")
    dependents: Series[pd.Int64Dtype] = ae.column(nullable=True, source="borrower.dependents")


class LoanSheet(schema.Source):
    """Loans, whose rows refer to borrowers."""

    number: Series[str] = ae.column(label="loan_number")
    owner: Series[str] = ae.column()
    kind: Series[str] = ae.column(nullable=True)
    cents: Series[str] = ae.column()
    grade: Series[str] = ae.column(nullable=True)


class LoanKind(schema.Table):
    """A lookup that is filled from what refers to it."""

    loan_kind_id: Series[int] = ae.column(primary_key=True)
    kind: Series[str] = ae.column(natural_key=True, length=10)


class Loan(schema.Table):
    """A loan."""

    loan_id: Series[int] = ae.column(primary_key=True, description="The number of the loan's row.")
    number: Series[str] = ae.column(natural_key=True, length=12, source="loan.number")
    user_id: Series[int] = ae.column(references="user", source="loan.owner")
    loan_kind_id: Series[pd.Int64Dtype] = ae.column(
        nullable=True, references="loan_kind", source="loan.kind"
    )
    cents: Series[int] = ae.column(source="loan.cents")
    grade: Series[str] = ae.column(nullable=True, text_format=GRADE, source="loan.grade")


def without_separators(values: pd.Series) -> pd.Series:
    """Take the separators out of phone numbers."""
    return values.str.replace(r"[-. ()]", "", regex=True)


EXTENDED = ae.BORROWER_MODEL.replace(
    sources=[Borrower],
    tables=[UserProfile],
    cleaners={"borrower.phone_cell": without_separators},
).add(sources=[LoanSheet], tables=[LoanKind, Loan])

# ----------------------------------------------------------------------------- seven tables

PHONE = schema.TextFormat("line", r"\+?[0-9]{3,9}")


class PatientSheet(schema.Source):
    """Patients, with two ways to call them."""

    number: Series[str] = ae.column(label="patient_number")
    name: Series[str] = ae.column()
    insurer: Series[str] = ae.column(nullable=True)
    day_line: Series[str] = ae.column(nullable=True)
    night_line: Series[str] = ae.column(nullable=True)


class VisitSheet(schema.Source):
    """Visits of patients."""

    number: Series[str] = ae.column(label="visit_number")
    patient: Series[str] = ae.column()
    clinic: Series[str] = ae.column()
    fee: Series[str] = ae.column(nullable=True)


class ResultSheet(schema.Source):
    """Results of tests, known by the visit and the test."""

    visit: Series[str] = ae.column()
    test: Series[str] = ae.column()
    value: Series[str] = ae.column(nullable=True)


class Insurer(schema.Table):
    """Who pays."""

    insurer_id: Series[int] = ae.column(primary_key=True)
    code: Series[str] = ae.column(natural_key=True, length=10)


class Patient(schema.Table):
    """A patient."""

    patient_id: Series[int] = ae.column(primary_key=True)
    number: Series[str] = ae.column(natural_key=True, length=10, source="patient.number")
    name: Series[str] = ae.column(length=30, source="patient.name")
    insurer_id: Series[pd.Int64Dtype] = ae.column(
        nullable=True, references="insurer", source="patient.insurer"
    )


class ContactType(schema.Table):
    """When a line may be called."""

    contact_type_id: Series[int] = ae.column(primary_key=True)
    type: Series[str] = ae.column(natural_key=True, length=10)


class Contact(schema.Table):
    """A line to a patient."""

    contact_id: Series[int] = ae.column(primary_key=True)
    patient_id: Series[int] = ae.column(natural_key=True, references="patient")
    contact_type_id: Series[int] = ae.column(natural_key=True, references="contact_type")
    line: Series[str] = ae.column(
        length=9, text_format=PHONE, source=("patient.day_line", "patient.night_line")
    )


class Clinic(schema.Table):
    """Where a visit was."""

    clinic_id: Series[int] = ae.column(primary_key=True)
    code: Series[str] = ae.column(natural_key=True, length=10)


class Visit(schema.Table):
    """A visit."""

    visit_id: Series[int] = ae.column(primary_key=True)
    number: Series[str] = ae.column(natural_key=True, length=12, source="visit.number")
    patient_id: Series[int] = ae.column(references="patient", source="visit.patient")
    clinic_id: Series[int] = ae.column(references="clinic", source="visit.clinic")
    fee: Series[pd.Int64Dtype] = ae.column(nullable=True, source="visit.fee")


class Result(schema.Table):
    """A result."""

    result_id: Series[int] = ae.column(primary_key=True)
    visit_id: Series[int] = ae.column(natural_key=True, references="visit", source="result.visit")
    test: Series[str] = ae.column(natural_key=True, length=10, source="result.test")
    value: Series[str] = ae.column(length=12, nullable=True, source="result.value")


def contact(patient: pd.DataFrame) -> pd.DataFrame:
    """Make a row for each line."""
    parts = [
        pd.DataFrame(
            {
                "patient_id": np.arange(len(patient)),
                "contact_type_id": kind,
                "line": patient[f"{kind}_line"],
            }
        )
        for kind in ("day", "night")
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["line"])


def invert_contact(rows: pd.DataFrame) -> Mapping[str, pd.Series]:
    """Give the lines back to their columns."""
    return {
        f"{kind}_line": rows["line"].where(rows["contact_type_id"] == kind)
        for kind in ("day", "night")
    }


def upper_case(values: pd.Series) -> pd.Series:
    """Write codes in capitals; none of what is no code."""
    upper = values.str.upper()
    return upper.mask(upper == "N/A")


SEVEN = ae.Model.of(
    sources=[PatientSheet, VisitSheet, ResultSheet],
    tables=[Insurer, Patient, ContactType, Contact, Clinic, Visit, Result],
    cleaners={"visit.clinic": upper_case, "patient.insurer": upper_case},
    builders={"contact": schema.Builder(contact, invert_contact)},
)

MODELS = {"borrower": ae.BORROWER_MODEL, "extended": EXTENDED, "seven": SEVEN}
