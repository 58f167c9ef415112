"""A lender's own model: one more column and where it goes, another cleaner, a tenth table."""

import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import borrower, schema


class Borrower(borrower.Borrower):
    employer: Series[str] = ae.column(nullable=True)


class UserProfile(borrower.UserProfile):
    employer: Series[str] = ae.column(length=128, nullable=True, source="borrower.employer")


class LoanSheet(schema.Source):
    number: Series[str] = ae.column()
    borrower_id: Series[str] = ae.column()


class Loan(schema.Table):
    loan_id: Series[int] = ae.column(primary_key=True)
    number: Series[str] = ae.column(natural_key=True, length=20, source="loan.number")
    user_id: Series[int] = ae.column(references="user", source="loan.borrower_id")


def with_dots(phones: pd.Series) -> pd.Series:
    return phones.str.replace(r"[-() ]+", ".", regex=True).str.strip(".")


MODEL = ae.BORROWER_MODEL.replace(sources=[Borrower], tables=[UserProfile])
MODEL = MODEL.replace(cleaners={"borrower.phone_cell": with_dots})
MODEL = MODEL.add(sources=[LoanSheet], tables=[Loan])
