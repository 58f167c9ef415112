"""What is described of a model: what is stored depends on it, or what is read does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

import aspen_etl as ae
from aspen_etl.schema import Model
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.evolution import describe_functions, describe_tables, find_conflicts
from aspen_etl.schema.keywords import EntityFacts
from aspen_etl.store.commit import TableFacts
from tests.support.clinic import CLINIC

WRITTEN = sorted((Path(__file__).parents[1] / "store/written").glob("*/_aspen/commits/*1.json"))


@pytest.mark.parametrize("commit", WRITTEN, ids=lambda path: str(path.parts[-4]))
def test_old_types_are_described_as_they_were(commit: Path) -> None:
    stored = json.loads(commit.read_text("utf-8"))["model"]
    assert describe_tables(ae.BORROWER_MODEL) == stored


def with_value(**facts: Any) -> Model:
    """Give the clinic with another column of values."""
    table = CLINIC.tables["result"]
    spec = ColumnSpec("value", nullable=True, source=("result.value",), **facts)
    return CLINIC.merge(tables=[replace(table, columns={**table.columns, "value": spec})])


def described(**facts: Any) -> dict[str, Any]:
    found: dict[str, Any] = describe_tables(with_value(**facts))["result"]["columns"]["value"]
    return found


def test_what_stored_values_depend_on_is_described() -> None:
    assert described(type="decimal", precision=12, scale=0) == {
        "type": "decimal",
        "nullable": True,
        "precision": 12,
        "scale": 0,
    }
    day = dt.date(1900, 1, 1)
    assert described(type="date", minimum=day)["minimum"] == "1900-01-01"
    assert described(type="integer", minimum=0)["minimum"] == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"type": "decimal", "precision": 12, "scale": 0},
        {"type": "date", "minimum": dt.date(1900, 1, 1)},
        {"type": "integer", "minimum": -1},
        {"type": "boolean"},
    ],
    ids=lambda facts: str(facts["type"]),
)
def test_every_description_can_stand_in_a_commit(facts: dict[str, Any]) -> None:
    found = describe_tables(with_value(**facts))
    kind: TypeAdapter[Any] = TypeAdapter(Mapping[str, TableFacts])
    assert kind.validate_json(json.dumps(found), strict=True) == found


def test_a_difference_of_a_fact_is_told() -> None:
    stored = describe_tables(with_value(type="decimal", precision=12, scale=2))
    wider = with_value(type="decimal", precision=12, scale=4)
    assert find_conflicts(stored, wider) == ["result.value has another scale"]


@pytest.mark.parametrize(
    "facts",
    [
        {"type": "decimal", "precision": 9, "scale": 2, "format": "1.234,50"},
        {"type": "boolean", "words": (("Y", True), ("N", False))},
        {"type": "date", "format": "%m/%d/%Y"},
    ],
)
def test_how_cells_are_read_is_of_no_store_but_of_the_source(facts: dict[str, Any]) -> None:
    plain = {name: fact for name, fact in facts.items() if name not in {"format", "words"}}
    with_, without = with_value(**facts), with_value(**plain)
    assert describe_tables(with_) == describe_tables(without)
    assert describe_functions(with_) != describe_functions(without)


def test_how_a_vote_ends_and_whose_rows_are_is_of_no_store_either() -> None:
    unit = CLINIC.tables["unit"]
    voted = CLINIC.merge(tables=[replace(unit, entity=EntityFacts(conflict="reject"))])
    named = CLINIC.merge(subject="visit")
    for other in (voted, named):
        assert describe_tables(other) == describe_tables(CLINIC)
        assert describe_functions(other) != describe_functions(CLINIC)
