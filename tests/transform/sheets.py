"""Small sheets that many tests start from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Optional

import pandas as pd

import aspen_etl as ae
from aspen_etl.transform.cleaning import clean
from aspen_etl.transform.judging import Verdict, gather, judge

RUN = ae.Run(time=dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc), actor="me")

COLUMNS = list(ae.BORROWER_MODEL.sources["borrower"].columns)
ADA: dict[str, Optional[str]] = dict(
    zip(
        COLUMNS,
        ["a", "Ada Degli Antoni", "1 Main St", "Turin", "MA", "2138", "5550100", "5550101", "a@b"],
    )
)
BO: dict[str, Optional[str]] = {**dict.fromkeys(COLUMNS), "id": "b", "full_name": "Bo"}


def extract(
    *borrowers: Mapping[str, Optional[str]], roles: tuple[tuple[Any, Any], ...] = ()
) -> ae.Extract:
    """Make an extract of rows."""
    return ae.Extract(
        borrower=pd.DataFrame(list(borrowers), columns=COLUMNS, dtype=object),
        role_profile=pd.DataFrame(
            list(roles), columns=["borrower_id", "role_profile"], dtype=object
        ),
    )


def judged(given: ae.Extract, model: ae.Model = ae.BORROWER_MODEL) -> dict[str, Verdict]:
    """Clean and judge."""
    return judge(clean(given, model), model)


def accepted(given: ae.Extract, model: ae.Model = ae.BORROWER_MODEL) -> dict[str, pd.DataFrame]:
    """Give the accepted rows of each sheet."""
    return gather(clean(given, model), judged(given, model))


def rows(frame: pd.DataFrame) -> list[list[Any]]:
    """Give the rows of a frame, every missing cell as None."""
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.to_numpy().tolist()]
