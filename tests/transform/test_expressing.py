"""Tables that somebody else wrote into: whose rows are flat still, and whose are not."""

from __future__ import annotations

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ModelFunctionError
from aspen_etl.schema import Builder
from aspen_etl.transform import expressing
from aspen_etl.transform.expressing import express
from aspen_etl.transform.parting import can_part
from tests.transform.sheets import BO, RUN, extract

IDS = ["a", "b", "c", "d", "e"]
HOW = can_part(ae.BORROWER_MODEL)


def tables() -> dict[str, pd.DataFrame]:
    rows = [{**BO, "id": each, "phone_home": "617-555-0100"} for each in IDS]
    given = extract(*rows, roles=tuple((each, "Borrower") for each in IDS))
    return dict(ae.normalize(given, run=RUN).tables)


def without_users(*ids: str) -> dict[str, pd.DataFrame]:
    held = tables()
    user = held["user"]
    return {**held, "user": user[~user["user_profile_id"].isin(ids)]}


def test_whoever_has_no_flat_row_is_found_and_the_others_have_theirs() -> None:
    rows, notes = express(without_users("b", "d"), HOW)
    assert rows["borrower"]["id"].tolist() == ["a", "c", "e"]
    assert rows["role_profile"]["borrower_id"].tolist() == ["a", "c", "e"]
    told = notes[["subject", "column", "kind"]].to_numpy().tolist()
    assert [each[1:] for each in told if each[0] is None] == [
        ["role_profile.user_id", "inexpressible"]
    ] * 2
    assert {each[0]: each[2] for each in told if each[0] is not None} == {
        "b": "inexpressible",
        "d": "inexpressible",
    }


def test_tables_of_nobody_else_have_no_rows() -> None:
    rows, notes = express(without_users(*IDS), HOW)
    assert {name: len(frame) for name, frame in rows.items()} == {"borrower": 0, "role_profile": 0}
    assert set(notes["subject"].dropna()) == set(IDS)


def test_beyond_a_number_nobody_is_looked_at_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressing, "_MOST", 0)
    _, notes = express(without_users("b"), HOW)
    assert set(notes["subject"].dropna()) == set(IDS)


def test_an_inverse_that_fails_for_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: pd.DataFrame) -> dict[str, pd.Series]:
        raise ValueError("no")

    monkeypatch.setattr(expressing, "_MOST", 0)
    build = ae.BORROWER_MODEL.builders["phone_number"].build
    model = ae.BORROWER_MODEL.replace(builders={"phone_number": Builder(build, invert=fail)})
    with pytest.raises(ModelFunctionError, match="phone_number"):
        express(tables(), can_part(model))
