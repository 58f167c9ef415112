"""Models that can be parted, for the laws: natural keys of all beginnings, keys of each type."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.schema import Builder, Model, Source, Table, column, ref

__all__ = ["LOANS", "METERS", "TERMS"]

# ----------------------------------------------------------------- natural keys of other rows


class LoanSheet(Source):
    """A third sheet, whose rows are known within those of a borrower."""

    owner: Series[str] = ae.column()
    number: Series[str] = ae.column(label="loan_number")
    kind: Series[str] = ae.column(nullable=True)


class LoanKind(Table):
    """A lookup that is filled from what refers to it."""

    loan_kind_id: Series[int] = ae.column(primary_key=True)
    kind: Series[str] = ae.column(natural_key=True, length=10)


class Loan(Table):
    """Known by a text and then its owner, so that new loans of all parts are between each other."""

    loan_id: Series[int] = ae.column(primary_key=True)
    number: Series[str] = ae.column(natural_key=True, length=12, source="loan.number")
    user_id: Series[int] = ae.column(natural_key=True, references="user", source="loan.owner")
    loan_kind_id: Series[pd.Int64Dtype] = ae.column(
        nullable=True, references="loan_kind", source="loan.kind"
    )


class Term(Table):
    """Known by a loan, and by a kind that may be missing: the mixed rows of mixed rows."""

    term_id: Series[int] = ae.column(primary_key=True)
    loan_id: Series[int] = ae.column(natural_key=True, references="loan")
    loan_kind_id: Series[pd.Int64Dtype] = ae.column(
        natural_key=True, nullable=True, references="loan_kind"
    )


def terms(loan_rows: pd.DataFrame) -> pd.DataFrame:
    """Make two terms of each loan that has a kind: one of the kind, and one of none."""
    kinds = loan_rows["loan_kind_id"].reset_index(drop=True).astype(object)
    held = np.flatnonzero(kinds.notna().to_numpy(dtype=bool))
    words = [kinds.iloc[held], pd.Series([None] * len(loan_rows), dtype=object)]
    loans = np.concatenate([held, np.arange(len(loan_rows))])
    return pd.DataFrame({"loan_id": loans, "loan_kind_id": pd.concat(words, ignore_index=True)})


LOANS = ae.BORROWER_MODEL.add(
    sources=[LoanSheet], tables=[LoanKind, Loan, Term], builders={"term": Builder(terms)}
)

# ----------------------------------------------------------------- subjects known by a number


class Station(Table, source="stations"):
    """Known by a number that is its key."""

    station_no: Series[int] = column(primary_key=True)
    name: Series[str] = column(length=20, nullable=True)
    opened: Series[dt.date] = column(nullable=True, format="%m/%d/%Y")


class Meter(Table, source="stations.meter_*"):
    """Columns that become rows, of a subject whose own key they hold."""

    station_no: Series[int] = ref("station", natural_key=True)
    kind: Series[str] = column(natural_key=True, length=8, from_name=("main", "spare"))
    value: Series[str] = column(length=10)


class Unit(Table):
    """A lookup."""

    unit: Series[str] = column(natural_key=True, length=8)


class Reading(Table, source="readings"):
    """Known by a day, within a station, and of every other type."""

    station_no: Series[int] = ref("station", source="station", natural_key=True)
    day: Series[dt.date] = column(natural_key=True, format="%d.%m.%Y")
    at: Series[dt.datetime] = column(nullable=True, zone="UTC")
    amount: Series[Decimal] = column(precision=12, scale=4, nullable=True)
    is_good: Series[bool] = column(nullable=True, words={"1": True, "0": False})
    unit_id: Series[int] = ref("unit", source="unit", nullable=True)


METERS = Model.of(tables=[Station, Meter, Unit, Reading])

# ----------------------------------------------------------------- subjects known by a day


class Period(Table, source="periods"):
    """Known by its first day, under a number that is given."""

    first_day: Series[dt.date] = column(natural_key=True, format="%d.%m.%Y")
    budget: Series[Decimal] = column(precision=18, scale=0, nullable=True)


class Batch(Table, source="batches"):
    """Known by a number, and by a period: all new ones are between each other."""

    batch_no: Series[int] = column(natural_key=True)
    period_id: Series[int] = ref("period", source="period", natural_key=True)
    checked: Series[dt.datetime] = column(nullable=True)


TERMS = Model.of(tables=[Period, Batch])
