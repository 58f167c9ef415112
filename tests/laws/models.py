"""The models that the laws are tested with: the contract's, and such as a user might make."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import borrower
from aspen_etl.schema import Source, Table, TextFormat
from tests.laws.typed_models import ENTITIES, TYPES_MODEL
from tests.support.clinic_model import MODEL as CLINIC_OF_SEVEN
from tests.support.effort import is_brief, is_thorough

# ----------------------------------------------------------------- what a user adds and swaps

GRADE = TextFormat("grade", "[A-D][+-]?")


class Borrower(borrower.Borrower):
    """Two more columns: one of text, one of whole numbers that may be missing."""

    employer: Series[str] = ae.column(nullable=True)
    dependents: Series[str] = ae.column(nullable=True)


class UserProfile(borrower.UserProfile):
    """... and where they go."""

    employer: Series[str] = ae.column(length=40, nullable=True, source="borrower.employer")
    dependents: Series[pd.Int64Dtype] = ae.column(nullable=True, source="borrower.dependents")


class LoanSheet(Source):
    """A third sheet, whose rows refer to borrowers."""

    number: Series[str] = ae.column(label="loan_number")
    owner: Series[str] = ae.column()
    kind: Series[str] = ae.column(nullable=True)
    cents: Series[str] = ae.column()
    grade: Series[str] = ae.column(nullable=True)


class LoanKind(Table):
    """A lookup that is filled from what refers to it."""

    loan_kind_id: Series[int] = ae.column(primary_key=True)
    kind: Series[str] = ae.column(natural_key=True, length=10)


class Loan(Table):
    """A tenth table, filled from its declaration alone."""

    loan_id: Series[int] = ae.column(primary_key=True)
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


EXTENDED_MODEL = ae.BORROWER_MODEL.replace(
    sources=[Borrower],
    tables=[UserProfile],
    cleaners={"borrower.phone_cell": without_separators},
).add(sources=[LoanSheet], tables=[LoanKind, Loan])

#: All but a thorough run take the one that holds the borrower's.
MODELS = {"extended": EXTENDED_MODEL, "types": TYPES_MODEL, "entities": ENTITIES}
if not is_brief():
    MODELS["clinic"] = CLINIC_OF_SEVEN
if is_thorough():
    MODELS["borrower"] = ae.BORROWER_MODEL

RUN = ae.Run(time=dt.datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=dt.timezone.utc), actor="laws")
