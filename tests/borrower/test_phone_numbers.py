"""Phone numbers follow from their declaration: row for row what the builder by hand made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
from hypothesis import given

import aspen_etl as ae
from aspen_etl.schema.builder import Builder
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.testing import extracts
from tests.support.effort import some

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="test")

#: The columns of a borrower's sheet by type, as the builder of 0.3.0 had them.
PHONES = {"cell": "phone_cell", "home": "phone_home"}


def phone_number(borrower: pd.DataFrame, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
    owner = role_profile_rows["user_id"].to_numpy(dtype=np.int64)
    rows = [
        (row, kind, borrower[column].iloc[at])
        for row, at in enumerate(owner)
        for kind, column in PHONES.items()
        if not pd.isna(borrower[column].iloc[at])
    ]
    names = ["role_profile_id", "phone_number_type_id", "value"]
    return pd.DataFrame(rows, columns=names).astype({"role_profile_id": "int64"})


def invert_phone_number(rows: pd.DataFrame) -> Mapping[str, pd.Series]:
    return {
        column: rows["value"].where(rows["phone_number_type_id"] == kind, None)
        for kind, column in PHONES.items()
    }


BY_HAND = ae.BORROWER_MODEL.merge(
    builders={"phone_number": Builder(phone_number, invert_phone_number)}
)


def test_a_builder_by_hand_takes_the_place_of_the_declaration() -> None:
    assert BY_HAND.builders["phone_number"].build is phone_number
    assert describe_tables(BY_HAND) == describe_tables(ae.BORROWER_MODEL)


@given(extract=extracts(ae.BORROWER_MODEL))
@some(4, least=25)
def test_the_declaration_gives_what_the_builder_gave(extract: ae.Extract) -> None:
    old = ae.normalize(extract, model=BY_HAND, run=RUN)
    new = ae.normalize(extract, model=ae.BORROWER_MODEL, run=RUN)
    for name, frame in old.tables.items():
        pd.testing.assert_frame_equal(new.tables[name], frame)
    pd.testing.assert_frame_equal(new.rejects, old.rejects)
