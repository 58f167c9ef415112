"""Builders alone, on small frames of clean text, as a notebook would use them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.borrower import BORROWER_MODEL, builders, phone_number
from aspen_etl.columns.text import conform_text

BORROWER = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "full_name": ["Ada Degli Antoni", "Bo", "Cy Li"],
        "street": ["1 Main St", None, None],
        "city": ["Turin", None, "Rome"],
        "state": ["MA", None, None],
        "zip_code": ["02138", None, None],
        "phone_home": ["5550100", None, None],
        "phone_cell": ["5550101", "5550102", None],
        "email": ["a@b", None, "c@d"],
    },
    dtype=object,
).apply(conform_text)

ROLES = pd.DataFrame(
    {"borrower_id": ["c", "a", "a"], "role_profile": ["borrower", "borrower", "co-borrower"]}
).apply(conform_text)


def rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.to_numpy().tolist()]


def test_user_profile_splits_the_name() -> None:
    built = builders.user_profile(BORROWER)
    assert built[["user_profile_id", "first_name", "last_name"]].to_numpy().tolist() == [
        ["a", "Ada", "Degli Antoni"],
        ["b", "Bo", ""],
        ["c", "Cy", "Li"],
    ]
    assert builders.invert_user_profile(built)["full_name"].tolist() == [*BORROWER["full_name"]]


def test_role_profile_gives_one_row_for_each_role_and_one_for_who_has_none() -> None:
    built = builders.role_profile(BORROWER, ROLES)
    assert rows(built) == [[2, "borrower"], [0, "borrower"], [0, "co-borrower"], [1, None]]
    assert built.index.tolist() == [0, 1, 2, -1]


def test_role_profile_takes_row_numbers_too() -> None:
    numbered = ROLES.assign(borrower_id=np.array([2, 0, 0], dtype=np.int64))
    pd.testing.assert_frame_equal(
        builders.role_profile(BORROWER, numbered), builders.role_profile(BORROWER, ROLES)
    )


def test_every_role_has_each_phone_and_no_row_is_without_one() -> None:
    built = phone_number(BORROWER, builders.role_profile(BORROWER, ROLES))
    columns = ["role_profile_id", "phone_number_type_id", "value"]
    assert sorted(built[columns].to_numpy().tolist()) == [
        [1, "cell", "5550101"],
        [1, "home", "5550100"],
        [2, "cell", "5550101"],
        [2, "home", "5550100"],
        [3, "cell", "5550102"],
    ]
    invert = BORROWER_MODEL.builders["phone_number"].invert
    assert invert is not None
    back = invert(built)
    assert set(back) == {"phone_home", "phone_cell"}
    assert back["phone_home"].dropna().tolist() == ["5550100", "5550100"]
    assert back["phone_cell"].dropna().tolist() == ["5550101", "5550101", "5550102"]


def test_the_type_of_an_email_is_a_parameter() -> None:
    role_profile_rows = builders.role_profile(BORROWER, ROLES)
    columns = ["role_profile_id", "email_type_id", "value"]
    built = builders.email(BORROWER, role_profile_rows)
    assert built[columns].to_numpy().tolist() == [
        [0, "email", "c@d"],
        [1, "email", "a@b"],
        [2, "email", "a@b"],
    ]
    by_domain = builders.email(
        BORROWER, role_profile_rows, classify_email=lambda values: values.str[-1]
    )
    assert by_domain["email_type_id"].tolist() == ["d", "b", "b"]


def test_an_address_needs_one_part_and_keeps_the_others_missing() -> None:
    role_profile_rows = builders.role_profile(BORROWER, ROLES)
    assert rows(builders.address(BORROWER, role_profile_rows)) == [
        [0, None, "Rome", None, None],
        [1, "1 Main St", "Turin", "MA", "02138"],
        [2, "1 Main St", "Turin", "MA", "02138"],
    ]


def test_row_numbers_are_found_by_text_or_stay_what_they_are() -> None:
    keys = BORROWER["id"]
    found = builders.row_numbers(conform_text(pd.Series(["b", "x", None])), keys)
    assert found.tolist() == [1, -1, -1]
    assert builders.row_numbers(pd.Series([2, 0]), keys).tolist() == [2, 0]


def test_builders_change_no_input_and_take_no_rows() -> None:
    before, roles_before = BORROWER.copy(deep=True), ROLES.copy(deep=True)
    empty = builders.role_profile(BORROWER.iloc[:0], ROLES.iloc[:0])
    assert empty.empty
    for build in (phone_number, builders.email, builders.address):
        assert build(BORROWER.iloc[:0], empty).empty
    pd.testing.assert_frame_equal(BORROWER, before)
    pd.testing.assert_frame_equal(ROLES, roles_before)
