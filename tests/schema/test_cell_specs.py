"""The cells of a source column are of one type, that of the columns that they go to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelError
from aspen_etl.schema import Model, Source, Table, column


class Sheet(Source):
    no: Series[str] = column()
    cell: Series[str] = column(nullable=True)


class One(Table):
    one_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=5, source="sheet.no")
    cell: Series[Decimal] = column(precision=6, scale=2, nullable=True, source="sheet.cell")


def second(annotation: Any, **facts: Any) -> Model:
    """Make a model in which a cell goes to one more table."""
    return Model.of(
        sources=[Sheet],
        tables=[One, type("Two", (Table,), {**body(annotation, facts)})],
    )


def body(annotation: Any, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "__module__": __name__,
        "__annotations__": {
            "two_id": Series[int],
            "no": Series[str],
            "cell": annotation,
        },
        "two_id": column(primary_key=True),
        "no": column(natural_key=True, length=5, source="sheet.no"),
        "cell": column(nullable=True, source="sheet.cell", **facts),
    }


def test_columns_of_one_type_with_equal_facts_share_a_cell() -> None:
    model = second(Series[Decimal], precision=6, scale=2)
    assert model.lineage.cells["sheet.cell"].type == "decimal"
    assert model.lineage.cells["sheet.no"].type == "text"


@pytest.mark.parametrize(
    ("annotation", "facts", "other"),
    [
        (Series[str], {}, "type"),
        (Series[int], {}, "type"),
        (Series[Decimal], {"precision": 7, "scale": 2}, "precision="),
        (Series[Decimal], {"precision": 6, "scale": 3}, "scale="),
        (Series[Decimal], {"precision": 6, "scale": 2, "format": "1,234.50"}, "format="),
    ],
)
def test_columns_of_two_types_or_other_facts_do_not(
    annotation: Any, facts: dict[str, Any], other: str
) -> None:
    with pytest.raises(ModelError) as caught:
        second(annotation, **facts)
    assert str(caught.value) == (
        "the source column sheet.cell goes to one.cell and to two.cell, which have another "
        f"{other}, and a cell is read in one way; declare both alike, or let a builder make one "
        "of them"
    )


class Day(Source):
    day: Series[str] = column()
    name: Series[str] = column()


class Visit(Source):
    no: Series[str] = column()
    day: Series[str] = column()


class DayTable(Table):
    """Known by a date, which another sheet writes otherwise."""

    day_id: Series[int] = column(primary_key=True)
    day: Series[dt.date] = column(natural_key=True, format="%m/%d/%Y", source="day.day")
    name: Series[str] = column(source="day.name")

    class Config:
        name = "days"


class VisitTable(Table):
    visit_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=5, source="visit.no")
    day_id: Series[int] = column(references="days", source="visit.day")

    class Config:
        name = "visits"


def test_a_reference_has_the_type_of_the_key_that_it_holds_in_the_source() -> None:
    model = Model.of(sources=[Day, Visit], tables=[DayTable, VisitTable])
    spec = model.lineage.cells["visit.day"]
    assert (spec.type, spec.format) == ("date", "%m/%d/%Y")


def test_the_model_of_the_package_is_of_text_alone() -> None:
    assert {spec.type for spec in ae.BORROWER_MODEL.lineage.cells.values()} == {"text"}
    assert ae.BORROWER_MODEL.lineage.cells["role_profile.role_profile"].length == 128
