"""What becomes of a conflict: declared by unit, kind, or for all."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.policy import KINDS, Policy


def test_a_unit_goes_before_its_kind_and_that_before_the_default() -> None:
    policy = Policy(
        "hold",
        units={"borrower.city": "old", "borrower": "new"},
        kinds={"both_changed": "newest"},
    )
    assert policy.decide("both_changed", "borrower", "city") == "old"
    assert policy.decide("both_changed", "borrower", ("street", "city")) == "old"
    assert policy.decide("both_changed", "borrower", "email") == "newest"
    assert policy.decide("both_inserted", "borrower", "email") == "hold"
    assert policy.decide("parent_deleted", "borrower") == "new"
    assert policy.decide("parent_deleted", "role_profile") == "hold"


def test_where_nothing_is_declared_it_is_refused() -> None:
    assert {Policy().decide(kind, "borrower") for kind in KINDS} == {"refuse"}


@pytest.mark.parametrize(
    "given",
    [
        {"default": "mine"},
        {"units": {"borrower.city": "mine"}},
        {"kinds": {"both_changed": "mine"}},
        {"kinds": {"changed": "hold"}},
    ],
)
def test_what_is_unknown_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        Policy(**given)
    assert caught.value.details["problem"] == "policy"


@pytest.mark.parametrize("unit", ["borrower.town", "lender", "lender.city", "city"])
def test_a_unit_must_be_of_the_model(unit: str) -> None:
    policy = Policy(units={unit: "hold", "borrower.city": "hold", "role_profile": "hold"})
    with pytest.raises(ArgumentError, match=f"{unit!r}") as caught:
        policy.check(ae.BORROWER_MODEL)
    assert caught.value.details["units"] == (unit,)


def test_it_is_a_value() -> None:
    policy = Policy("hold", units={"borrower.city": "old"})
    assert copy.deepcopy(policy) == policy
    with pytest.raises(TypeError):
        policy.units["borrower.city"] = "new"  # type: ignore[index]
