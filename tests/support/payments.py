"""A model with a column of each type, and sheets of it, written as people write them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Optional

import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.schema import Model, Source, Table, column

RUN = ae.Run(time=dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc), actor="me")


class PaymentSheet(Source):
    """What somebody paid."""

    no: Series[str] = column()
    amount: Series[str] = column()
    rate: Series[str] = column(nullable=True)
    paid: Series[str] = column()
    due: Series[str] = column(nullable=True)
    booked: Series[str] = column(nullable=True)
    seen: Series[str] = column(nullable=True)
    settled: Series[str] = column()
    disputed: Series[str] = column(nullable=True)
    parts: Series[str] = column(nullable=True)


class Payment(Table):
    """One row for each payment."""

    payment_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=10, source="payment.no")
    amount: Series[Decimal] = column(
        precision=12, scale=2, format="1,234.50", source="payment.amount"
    )
    rate: Series[Decimal] = column(precision=9, scale=6, nullable=True, source="payment.rate")
    paid: Series[dt.date] = column(format="%m/%d/%Y", source="payment.paid")
    due: Series[dt.date] = column(nullable=True, minimum=dt.date(2000, 1, 1), source="payment.due")
    booked: Series[dt.datetime] = column(nullable=True, source="payment.booked")
    seen: Series[dt.datetime] = column(nullable=True, zone="UTC", source="payment.seen")
    settled: Series[bool] = column(words={"Y": True, "N": False}, source="payment.settled")
    disputed: Series[bool] = column(nullable=True, source="payment.disputed")
    parts: Series[int] = column(nullable=True, minimum=0, source="payment.parts")


MODEL = Model.of(sources=[PaymentSheet], tables=[Payment])
COLUMNS = list(MODEL.sources["payment"].columns)

#: What must be there; the rest is missing.
PLAIN: dict[str, Optional[str]] = {
    **dict.fromkeys(COLUMNS),
    "no": "a",
    "amount": "1.00",
    "paid": "2020-01-31",
    "settled": "true",
}


def extract(*rows: Mapping[str, Any]) -> ae.Extract:
    """Make an extract of rows; each says what is other than plain."""
    held = [{**PLAIN, "no": f"{number:05}", **row} for number, row in enumerate(rows)]
    return ae.Extract(payment=pd.DataFrame(held, columns=COLUMNS, dtype=object))


def normalize(*rows: Mapping[str, Any], **options: Any) -> ae.NormalizeResult:
    """Normalize rows, and prove what comes of them."""
    given = extract(*rows)
    result = ae.normalize(given, run=RUN, model=MODEL, **options)
    ae.verify(result, given, run=RUN, model=MODEL, **options)
    return result


def told(result: ae.NormalizeResult) -> list[tuple[Any, ...]]:
    """Give the rejects: row, column, rule and scope."""
    return [
        tuple(row) for row in result.rejects[["row", "column", "rule", "scope"]].to_numpy().tolist()
    ]
