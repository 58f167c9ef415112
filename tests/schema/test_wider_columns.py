"""A column may hold more than before, unless it is of a key; it never holds less."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from aspen_etl import BORROWER_MODEL
from aspen_etl.schema import Model, Series, Table, column
from aspen_etl.schema.evolution import describe_functions, describe_tables, find_conflicts

KEY = {"number": (str, {"natural_key": True, "length": 9})}


def _series(kind: Any) -> Any:
    return Series[kind]


def one_table(**columns: tuple[Any, dict[str, Any]]) -> Model:
    """Make a model of one table; a column is a type and its facts."""
    given = {**KEY, **columns}
    body: dict[str, Any] = {name: column(**facts) for name, (_, facts) in given.items()}
    body["__annotations__"] = {name: _series(kind) for name, (kind, _) in given.items()}
    return Model.of(tables=[type("Visit", (Table,), body, source="visits")])


def conflicts(kind: Any, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name what of a column changed that data cannot follow."""
    stored = describe_tables(one_table(held=(kind, before)))
    written = json.loads(json.dumps(stored))
    return find_conflicts(written, one_table(held=(kind, after)))


DAY = dt.date(1900, 1, 1)


@pytest.mark.parametrize(
    ("kind", "before", "after", "fact"),
    [
        (str, {"length": 9}, {"length": 10}, "length"),
        (str, {"length": 9}, {}, "length"),
        (Decimal, {"precision": 9, "scale": 2}, {"precision": 10, "scale": 2}, "precision"),
        (Decimal, {"precision": 9, "scale": 0}, {"precision": 38, "scale": 0}, "precision"),
        (int, {"minimum": 0}, {"minimum": -1}, "minimum"),
        (int, {"minimum": 1}, {"minimum": 0}, "minimum"),
        (int, {"minimum": 0}, {}, "minimum"),
        (dt.date, {"minimum": DAY}, {"minimum": dt.date(1899, 12, 31)}, "minimum"),
        (dt.date, {"minimum": DAY}, {}, "minimum"),
        (dt.date, {}, {"minimum": dt.date(1, 1, 1)}, "minimum"),
        (bool, {}, {"nullable": True}, "nullable"),
        (dt.datetime, {}, {"nullable": True}, "nullable"),
    ],
)
def test_a_column_may_hold_more_and_never_less(
    kind: Any, before: dict[str, Any], after: dict[str, Any], fact: str
) -> None:
    told = [f"visit.held has another {fact}"]
    assert conflicts(kind, before, after) == []
    assert conflicts(kind, after, before) == told


@pytest.mark.parametrize(
    ("kind", "before", "after", "fact"),
    [
        (Decimal, {"precision": 9, "scale": 2}, {"precision": 9, "scale": 3}, "scale"),
        (Decimal, {"precision": 9, "scale": 0}, {"precision": 9, "scale": 2}, "scale"),
        (dt.datetime, {}, {"zone": "UTC"}, "type"),
    ],
)
def test_another_scale_or_zone_is_refused_both_ways(
    kind: Any, before: dict[str, Any], after: dict[str, Any], fact: str
) -> None:
    told = [f"visit.held has another {fact}"]
    assert conflicts(kind, before, after) == conflicts(kind, after, before) == told


def test_another_type_is_refused() -> None:
    stored = describe_tables(one_table(held=(str, {})))
    assert find_conflicts(stored, one_table(held=(dt.date, {}))) == ["visit.held has another type"]


def test_facts_of_a_damaged_commit_are_differences() -> None:
    stored = describe_tables(one_table(held=(str, {"length": 9})))
    stored["visit"]["columns"]["held"]["length"] = "8"
    assert find_conflicts(stored, one_table(held=(str, {"length": 9}))) == [
        "visit.held has another length"
    ]


def test_wider_in_one_fact_does_not_hide_another() -> None:
    before, after = {"precision": 9, "scale": 2}, {"precision": 12, "scale": 4, "nullable": True}
    assert conflicts(Decimal, before, after) == ["visit.held has another scale"]


@pytest.mark.parametrize("key", ["natural_key", "primary_key"])
def test_the_columns_of_keys_stay_what_they_are(key: str) -> None:
    def model(length: int) -> Model:
        body: dict[str, Any] = {"number": column(length=length, **{key: True})}  # type: ignore[arg-type]
        body["__annotations__"] = {"number": Series[str]}
        return Model.of(tables=[type("Visit", (Table,), body, source="visits")])

    told = ["visit.number has another length"]
    assert find_conflicts(describe_tables(model(9)), model(10)) == told


def test_old_types_are_described_as_before() -> None:
    described = describe_tables(BORROWER_MODEL)["phone_number"]
    assert described["natural_key"] == ["role_profile_id", "phone_number_type_id"]
    assert {name: described["columns"][name] for name in ("phone_number_id", "value")} == {
        "phone_number_id": {"type": "integer", "primary_key": True},
        "value": {
            "type": "text",
            "length": 20,
            "text_format": BORROWER_MODEL.tables["phone_number"]
            .columns["value"]
            .text_format.pattern,  # type: ignore[union-attr]
        },
    }


# ------------------------------------------------------------------------- how it is read


def test_a_cell_that_may_be_missing_and_a_label_are_part_of_how_a_source_is_read() -> None:
    seen = [
        describe_functions(one_table(held=(str, facts)))
        for facts in ({}, {"nullable": True}, {"label": "other"})
    ]
    assert None not in seen
    assert seen[0] != seen[1] != seen[2] != seen[0]
