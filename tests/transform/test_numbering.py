"""Keys are given in the order of natural keys; audit columns say who wrote a row, and when."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.columns.text import TEXT
from aspen_etl.schema import Table, column
from aspen_etl.schema.column_spec import TIMESTAMP
from aspen_etl.schema.previous import Held
from aspen_etl.transform.assembly import assemble
from aspen_etl.transform.auditing import audit_columns
from aspen_etl.transform.numbering import number
from tests.transform.sheets import ADA, BO, RUN, accepted, extract, rows


def snapshot(given: ae.Extract) -> ae.Snapshot:
    model = ae.BORROWER_MODEL
    return number(assemble(accepted(given), model), model, Held(), RUN).snapshot


def test_numbers_follow_the_natural_keys_by_code_point_and_null_comes_first() -> None:
    ids = ["é", "a", "B", "\U00010000", "\uffff"]
    given = extract(
        *({**BO, "id": i} for i in ids), roles=(("a", "z"), ("a", "b"), ("\uffff", "b"))
    )
    tables = snapshot(given).tables
    assert rows(tables["user"].iloc[:, :2]) == [
        [1, "B"],
        [2, "a"],
        [3, "é"],
        [4, "\uffff"],
        [5, "\U00010000"],
    ]
    assert rows(tables["role_profile_type"].iloc[:, :2]) == [[1, "b"], [2, "z"]]
    assert rows(tables["role_profile"].iloc[:, :3]) == [
        [1, 1, None],
        [2, 2, 1],
        [3, 2, 2],
        [4, 3, None],
        [5, 4, 1],
        [6, 5, None],
    ]


class Tag(Table):
    tag_id: Series[int] = column(primary_key=True)
    role_profile_type_id: Series[pd.Int64Dtype] = column(
        natural_key=True, nullable=True, references="role_profile_type"
    )
    word: Series[str] = column(natural_key=True, length=9)


def test_null_comes_before_every_other_key_also_where_it_stands_first() -> None:
    def tag() -> pd.DataFrame:
        return pd.DataFrame({"role_profile_type_id": ["x", None, None], "word": ["a", "z", "b"]})

    model = ae.BORROWER_MODEL.add(tables=[Tag], builders={"tag": tag})
    given = extract(ADA, roles=(("a", "x"),))
    tables = number(assemble(accepted(given, model), model), model, Held(), RUN).snapshot.tables
    assert rows(tables["tag"].iloc[:, :3]) == [[1, None, "b"], [2, None, "z"], [3, 1, "a"]]


def test_the_key_state_holds_every_key_and_the_next_number() -> None:
    keys = snapshot(extract(ADA, BO)).keys
    assert {name: state.next for name, state in keys.items()} == {
        "user": 3,
        "role_profile_type": 1,
        "role_profile": 3,
        "phone_number_type": 3,
        "phone_number": 3,
        "email_type": 2,
        "email": 2,
        "address": 2,
    }
    assert rows(keys["user"].given) == [[1, "a"], [2, "b"]]
    assert rows(keys["phone_number"].given) == [[1, 1, 1], [2, 1, 2]]
    assert list(keys["role_profile"].given.columns) == [
        "role_profile_id",
        "user_id",
        "role_profile_type_id",
    ]


def test_a_table_known_by_text_is_ordered_by_it_and_has_no_key_state() -> None:
    found = snapshot(extract(BO, ADA))
    assert found.tables["user_profile"]["user_profile_id"].tolist() == ["a", "b"]
    assert "user_profile" not in found.keys


def test_references_hold_the_numbers_of_the_rows_they_mean() -> None:
    tables = snapshot(extract(BO, ADA, roles=(("b", "x"), ("a", "y")))).tables
    assert rows(tables["role_profile"].iloc[:, :3]) == [[1, 1, 2], [2, 2, 1]]
    assert rows(tables["phone_number"].iloc[:, :4]) == [[1, 1, 1, "5550101"], [2, 1, 2, "5550100"]]
    assert rows(tables["address"].iloc[:, :2]) == [[1, 1]]


def test_audit_columns_of_new_rows() -> None:
    run = ae.Run(
        time=dt.datetime(2026, 1, 31, 12, 0, 0, 123_999, tzinfo=dt.timezone.utc), actor="me"
    )
    columns = audit_columns(2, run)
    assert {name: values.dtype for name, values in columns.items()} == {
        "created": TIMESTAMP,
        "created_by": TEXT,
        "updated": TIMESTAMP,
        "updated_by": TEXT,
    }
    assert (
        rows(pd.DataFrame(columns))
        == [[pd.Timestamp("2026-01-31 12:00:00.123", tz="UTC"), "me", None, None]] * 2
    )


def test_audit_columns_reach_beyond_what_nanoseconds_can_hold() -> None:
    run = ae.Run(time=dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.timezone.utc), actor="me")
    (created,) = audit_columns(1, run)["created"].to_numpy(dtype="datetime64[ms]")
    assert created == np.datetime64("9999-12-31T23:59:59.000")


def test_empty_tables_have_the_dtypes_of_full_ones() -> None:
    empty, full = snapshot(extract()).tables, snapshot(extract(ADA, roles=(("a", "x"),))).tables
    for name in full:
        assert len(empty[name]) == 0
        assert empty[name].dtypes.to_dict() == full[name].dtypes.to_dict(), name
