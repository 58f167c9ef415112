"""Tables are validated by three verbs: raise, ask, split. No message holds a cell."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns.text import HANDED_TEXT
from aspen_etl.errors import ValidationError
from aspen_etl.schema import Tables
from aspen_etl.schema.column_spec import TIMESTAMP
from aspen_etl.schema.validation import find_failures, is_valid, split, validate, validate_columns

MODEL = ae.BORROWER_MODEL
NOW = pd.Timestamp("2026-01-31 12:00", tz="UTC")
AUDIT = {"created": NOW, "created_by": "me", "updated": pd.NaT, "updated_by": None}

ROWS: dict[str, list[dict[str, Any]]] = {
    "user_profile": [
        {"user_profile_id": "a", "first_name": "Ada", "last_name": "Lovelace"},
        {"user_profile_id": "b", "first_name": "Bo", "last_name": ""},
    ],
    "user": [{"user_id": 1, "user_profile_id": "a"}, {"user_id": 2, "user_profile_id": "b"}],
    "role_profile_type": [{"role_profile_type_id": 1, "type": "borrower"}],
    "role_profile": [
        {"role_profile_id": 1, "user_id": 1, "role_profile_type_id": 1},
        {"role_profile_id": 2, "user_id": 2, "role_profile_type_id": None},
    ],
    "phone_number_type": [{"phone_number_type_id": 1, "type": "home"}],
    "phone_number": [
        {
            "phone_number_id": 1,
            "role_profile_id": 1,
            "phone_number_type_id": 1,
            "value": "5550100",
        }
    ],
    "email_type": [],
    "email": [],
    "address": [
        {
            "address_id": 1,
            "role_profile_id": 2,
            "street": None,
            "city": "Turin",
            "state": "MA",
            "zip_code": "02138",
        }
    ],
}


def frames(**changed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give valid tables, others in place of their namesakes."""
    made = {name: table(name, rows) for name, rows in ROWS.items()}
    return {**made, **changed}


def table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {
        column: pd.Series([{**AUDIT, **row}[column] for row in rows], dtype=spec.dtype)
        for column, spec in MODEL.tables[name].columns.items()
    }
    return pd.DataFrame(columns)


def changed(name: str, row: int, column: str, cell: Any) -> dict[str, pd.DataFrame]:
    """Give the tables with one cell changed."""
    frame = frames()[name]
    cells = [cell if at == row else other for at, other in enumerate(frame[column])]
    odd = pd.api.types.is_integer(cell) and MODEL.tables[name].columns[column].type == "text"
    dtype = object if odd else frame[column].dtype
    return frames(**{name: frame.assign(**{column: pd.Series(cells, dtype=dtype)})})


def failures_of(tables: dict[str, pd.DataFrame]) -> list[list[Any]]:
    found = find_failures(tables, model=MODEL)
    return [[None if pd.isna(cell) else cell for cell in row] for row in found.to_numpy().tolist()]


def test_valid_tables_come_back_in_their_one_dtype() -> None:
    tables = validate(frames(), model=MODEL)
    assert list(tables) == list(MODEL.tables)
    assert tables["role_profile"].dtypes.to_dict() == {
        "role_profile_id": np.dtype("int64"),
        "user_id": np.dtype("int64"),
        "role_profile_type_id": pd.Int64Dtype(),
        "created": TIMESTAMP,
        "created_by": HANDED_TEXT,
        "updated": TIMESTAMP,
        "updated_by": HANDED_TEXT,
    }
    assert {name: frame.dtypes.tolist() for name, frame in tables.items()} == {
        name: [spec.dtype for spec in MODEL.tables[name].columns.values()] for name in tables
    }
    assert is_valid(frames(), model=MODEL)


def test_frames_of_a_notebook_are_brought_to_their_dtype_where_no_value_changes() -> None:
    made = frames()
    user = made["user"].astype({"user_id": "int32", "user_profile_id": object})
    user["created"] = pd.Series([NOW, NOW]).dt.tz_convert("Asia/Tokyo")
    user["updated"] = [None, None]
    roles = made["role_profile"].astype({"role_profile_type_id": object})
    tables = validate({**made, "user": user, "role_profile": roles}, model=MODEL)
    assert Tables(tables).equals(Tables(made))
    assert tables["user"]["created"].dtype == TIMESTAMP


def test_a_time_that_is_finer_than_a_millisecond_is_refused() -> None:
    user = frames()["user"].astype({"created": "datetime64[us, UTC]"})
    user["created"] += pd.Timedelta(microseconds=1)
    assert failures_of(frames(user=user)) == [["user", None, "created", "type"]]


def test_columns_in_another_order_are_put_in_theirs() -> None:
    user = frames()["user"]
    tables = validate(frames(user=user[user.columns[::-1]]), model=MODEL)
    assert list(tables["user"].columns) == list(user.columns)


@pytest.mark.parametrize(
    ("tables", "failure"),
    [
        (changed("user_profile", 1, "first_name", None), ["user_profile", 1, "first_name", "null"]),
        (
            changed("user_profile", 1, "first_name", "x" * 129),
            ["user_profile", 1, "first_name", "length"],
        ),
        (changed("address", 0, "street", ""), ["address", 0, "street", "length"]),
        (
            changed("address", 0, "zip_code", "02138\n"),
            ["address", 0, "zip_code", "invalid_zip_code"],
        ),
        (
            changed("address", 0, "zip_code", "٠٢١٣٨"),
            ["address", 0, "zip_code", "invalid_zip_code"],
        ),
        (
            changed("phone_number", 0, "value", "none"),
            ["phone_number", 0, "value", "invalid_phone"],
        ),
        (changed("user", 1, "user_id", 1), ["user", 1, "user_id", "primary_key"]),
        (changed("user", 1, "user_profile_id", "c"), ["user", 1, "user_profile_id", "reference"]),
        (changed("user", 1, "user_profile_id", "a"), ["user", 1, "user_profile_id", "natural_key"]),
        (
            changed("role_profile", 0, "role_profile_type_id", 9),
            ["role_profile", 0, "role_profile_type_id", "reference"],
        ),
        (changed("user", 0, "created", None), ["user", 0, "created", "null"]),
        (changed("user", 0, "created_by", None), ["user", 0, "created_by", "null"]),
        (changed("user", 0, "created_by", "x" * 129), ["user", 0, "created_by", "length"]),
        (changed("user", 0, "user_profile_id", 7), ["user", 0, "user_profile_id", "type"]),
        (frames(user=frames()["user"].assign(user_id="x")), ["user", None, "user_id", "type"]),
        (
            frames(user=frames()["user"].astype({"user_id": float})),
            ["user", None, "user_id", "type"],
        ),
        (
            frames(user=frames()["user"].drop(columns="user_id")),
            ["user", None, "user_id", "missing_column"],
        ),
        (frames(user=frames()["user"].assign(x=1)), ["user", None, "x", "unknown_column"]),
        (frames(loan=pd.DataFrame()), ["loan", None, "", "unknown_table"]),
    ],
    ids=lambda given: "-".join(map(str, given)) if isinstance(given, list) else "",
)
def test_each_broken_rule_is_named_by_table_row_and_column(
    tables: dict[str, pd.DataFrame], failure: list[Any]
) -> None:
    assert failure in failures_of(tables)
    assert not is_valid(tables, model=MODEL)
    with pytest.raises(ValidationError):
        validate(tables, model=MODEL)


def test_a_missing_table_is_named() -> None:
    tables = frames()
    del tables["email"]
    assert failures_of(tables) == [["email", None, "", "missing_table"]]


def test_nothing_else_is_found_than_what_is_wrong() -> None:
    assert failures_of(changed("address", 0, "zip_code", "x")) == [
        ["address", 0, "zip_code", "invalid_zip_code"]
    ]


def test_two_null_references_are_one_natural_key() -> None:
    role_profile = frames()["role_profile"]
    doubled = pd.concat([role_profile, role_profile.iloc[[1]].assign(role_profile_id=3)])
    assert failures_of(frames(role_profile=doubled)) == [
        ["role_profile", 2, "role_profile_type_id", "natural_key"]
    ]


def test_the_error_counts_by_table_column_and_rule_and_holds_no_cell() -> None:
    profile = frames()["user_profile"].assign(first_name="CANARY" * 30)
    with pytest.raises(ValidationError) as caught:
        validate(frames(user_profile=profile), model=MODEL)
    error = caught.value
    assert str(error) == "the tables do not fit the model: user_profile.first_name: length (2)"
    assert error.failures.to_dict("records") == [
        {"table": "user_profile", "row": row, "column": "first_name", "rule": "length"}
        for row in (0, 1)
    ]
    told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert "CANARY" not in told


def test_split_parts_the_valid_rows_from_the_others_and_what_refers_to_them() -> None:
    tables = changed("user_profile", 1, "first_name", None)
    valid, failures = split(tables, model=MODEL)
    assert {name: len(frame) for name, frame in valid.items()} == {
        "user_profile": 1,
        "user": 1,
        "role_profile_type": 1,
        "role_profile": 1,
        "phone_number_type": 1,
        "phone_number": 1,
        "email_type": 0,
        "email": 0,
        "address": 0,
    }
    assert failures.to_numpy().tolist() == [
        ["user_profile", 1, "first_name", "null"],
        ["user", 1, "user_profile_id", "reference"],
        ["role_profile", 1, "user_id", "reference"],
        ["address", 0, "role_profile_id", "reference"],
    ]
    assert is_valid(valid, model=MODEL)


def test_split_keeps_the_first_of_the_rows_with_one_key_whatever_their_index_is() -> None:
    user = frames()["user"]
    doubled = pd.concat([user, user])  # the index repeats
    valid, failures = split(frames(user=doubled), model=MODEL)
    assert valid["user"]["user_id"].tolist() == [1, 2]
    assert failures[["row", "rule"]].drop_duplicates().to_numpy().tolist() == [
        [2, "primary_key"],
        [3, "primary_key"],
        [2, "natural_key"],
        [3, "natural_key"],
    ]


@pytest.mark.parametrize(
    "tables",
    [
        frames(loan=pd.DataFrame()),
        frames(user=frames()["user"].drop(columns="user_id")),
        frames(user=frames()["user"].astype({"user_id": float})),
    ],
    ids=["unknown table", "missing column", "another type"],
)
def test_split_refuses_what_is_wrong_as_a_whole(tables: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(ValidationError):
        split(tables, model=MODEL)


def test_empty_tables_are_valid_whatever_dtype_their_columns_have() -> None:
    empty = {
        name: pd.DataFrame({column: [] for column in spec.columns})
        for name, spec in MODEL.tables.items()
    }
    tables = validate(empty, model=MODEL)
    assert tables["user"].dtypes.tolist() == [
        spec.dtype for spec in MODEL.tables["user"].columns.values()
    ]


def test_one_table_can_be_validated_alone() -> None:
    validate_columns(validate(frames(), model=MODEL)["address"], MODEL.tables["address"])
    with pytest.raises(ValidationError, match=r"address\.zip_code: invalid_zip_code \(1\)"):
        validate_columns(changed("address", 0, "zip_code", "x")["address"], MODEL.tables["address"])


def test_validation_changes_no_input() -> None:
    tables = frames()
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    validate(tables, model=MODEL)
    split(tables, model=MODEL)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_frame_whose_header_is_a_row_of_cells_is_not_quoted() -> None:
    tables = dict(frames())
    tables["user"] = pd.DataFrame([["x"]], columns=["Ada Degli Antoni"])
    with pytest.raises(ValidationError) as found:
        validate(tables, model=MODEL)
    assert "Ada" not in str(found.value)
