"""Frames of a notebook hold text in whatever dtype: what comes of them is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.borrower import builders, join_full_name, pad_zip_code, split_full_name
from aspen_etl.schema import Builder, KeyState, Snapshot, Tables
from tests.transform.sheets import ADA, BO, RUN, extract

GIVEN = extract(ADA, {**BO, "city": None}, {**ADA, "id": "c", "phone_home": None})
RESULT = ae.normalize(GIVEN, run=RUN)

_PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
DTYPES: list[Any] = [object]
if _PANDAS_3:
    DTYPES += ["string[python]", pd.StringDtype("python", na_value=np.nan)]


def in_dtype(frame: pd.DataFrame, dtype: Any) -> pd.DataFrame:
    texts = [name for name in frame if pd.api.types.is_string_dtype(frame[name].dtype)]
    return frame.astype(dict.fromkeys(texts, dtype))


def all_in(frames: Mapping[str, pd.DataFrame], dtype: Any) -> dict[str, pd.DataFrame]:
    return {name: in_dtype(frame, dtype) for name, frame in frames.items()}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tables_of_any_dtype_go_back_and_are_compared(dtype: Any) -> None:
    foreign = all_in(RESULT.snapshot.tables, dtype)
    assert ae.denormalize(foreign).equals(ae.denormalize(RESULT.snapshot.tables))
    assert ae.diff(foreign, RESULT.snapshot.tables).is_empty
    assert ae.diff(RESULT.snapshot.tables, foreign).is_empty


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("missing", ["delete", "keep"])
def test_a_snapshot_before_may_hold_any_dtype(dtype: Any, missing: Any) -> None:
    held = RESULT.snapshot
    keys = {
        name: KeyState(state.next, in_dtype(state.given, dtype))
        for name, state in held.keys.items()
    }
    before = Snapshot(Tables(all_in(held.tables, dtype)), keys, held.time)
    fewer = extract(BO, {**ADA, "zip_code": "no"})
    for given in (GIVEN, fewer):
        found = ae.normalize(given, run=RUN, previous=before, missing=missing)
        plain = ae.normalize(given, run=RUN, previous=held, missing=missing)
        assert found.snapshot.equals(plain.snapshot)
        assert found.changes == plain.changes


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_a_builder_and_its_inverse_give_may_hold_any_dtype(dtype: Any) -> None:
    def build(borrower: pd.DataFrame) -> pd.DataFrame:
        return in_dtype(builders.user_profile(borrower), dtype)

    def invert(rows: pd.DataFrame) -> dict[str, pd.Series]:
        found = builders.invert_user_profile(rows)
        return {name: values.astype(dtype) for name, values in found.items()}

    model = ae.BORROWER_MODEL.replace(builders={"user_profile": Builder(build, invert)})
    long = extract({**ADA, "full_name": f"Ada {'x' * 300}"}, BO)
    for given in (GIVEN, long):
        found = ae.normalize(given, run=RUN, model=model)
        plain = ae.normalize(given, run=RUN)
        assert found.snapshot.equals(plain.snapshot)
        assert found.rejects.equals(plain.rejects)
    assert ae.denormalize(RESULT.snapshot.tables, model=model).equals(
        ae.denormalize(RESULT.snapshot.tables)
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_cleaners_and_builders_take_any_dtype_alone(dtype: Any) -> None:
    zips = pad_zip_code(pd.Series(["6705", None, "02138"], dtype=dtype))
    assert [cell if isinstance(cell, str) else None for cell in zips] == ["06705", None, "02138"]
    names = split_full_name(pd.Series(["Ada Degli Antoni", "Cher"], dtype=dtype))
    joined = join_full_name(names["first_name"], names["last_name"].astype(dtype))
    assert joined.tolist() == ["Ada Degli Antoni", "Cher"]
    rows = in_dtype(pd.DataFrame({"id": ["b", "a"], "email": [None, "a@b.c"]}), dtype)
    roles = builders.role_profile(
        rows, in_dtype(pd.DataFrame({"borrower_id": ["a"], "role_profile": ["x"]}), dtype)
    )
    assert roles["user_id"].tolist() == [1, 0]
    found = builders.email(rows, roles)
    assert found["value"].tolist() == ["a@b.c"]
