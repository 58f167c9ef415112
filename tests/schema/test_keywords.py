"""A class says which sheets it is made of; columns and keys follow, and mistakes are named."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any, Optional

import pytest

from aspen_etl.errors import ModelError
from aspen_etl.schema import Entity, EntityFacts, Series, Table, TableSpec, column, ref


class Clinic(Entity, source="visits.clinic_*"):
    """Where a visit was."""

    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True)


class Visit(Table, source="visits"):
    """Who came when."""

    visit_no: Series[str] = column(natural_key=True, length=12)
    patient_id: Series[int] = ref("patient", source="patient_no")
    clinic_id: Series[int] = ref("clinic", nullable=True)
    fee: Series[Decimal] = column(precision=12, scale=2, source="price")
    paid: Series[dt.date] = column(source="payments.paid")


def sources(schema: type[Table]) -> dict[str, tuple[str, ...]]:
    """Give the sources of the columns of a table."""
    return {spec.name: spec.source for spec in TableSpec.of(schema).own_columns}


# ------------------------------------------------------------------------- what follows


def test_columns_follow_from_the_sheet_of_the_class() -> None:
    assert sources(Visit) == {
        "visit_id": (),
        "visit_no": ("visits.visit_no",),
        "patient_id": ("visits.patient_no",),
        "clinic_id": (),
        "fee": ("visits.price",),
        "paid": ("payments.paid",),
    }
    spec = TableSpec.of(Visit)
    assert (spec.entity, spec.sheets, spec.followed) == (None, ("visits",), ("clinic_id",))


def test_a_key_that_nobody_declares_is_a_number_by_the_name_of_the_table() -> None:
    spec = TableSpec.of(Visit)
    key = spec.columns["visit_id"]
    assert (spec.primary_key, key.type, key.primary_key, key.label) == (
        *("visit_id", "integer"),
        *(True, "visit_id"),
    )
    assert spec.natural_key == ("visit_no",)
    assert "visit_id" in Visit.to_schema().columns


def test_an_entity_takes_the_columns_of_a_prefix() -> None:
    spec = TableSpec.of(Clinic)
    assert spec.entity == EntityFacts("majority", None)
    assert sources(Clinic) == {
        "clinic_id": (),
        "code": ("visits.clinic_code",),
        "name": ("visits.clinic_name",),
    }


def test_several_sheets_feed_an_entity_in_one_order() -> None:
    class Clinic(Entity, source=("visits.clinic_*", "referrals.clinic", "staff.*_of_clinic")):
        code: Series[str] = column(natural_key=True, length=10)
        name: Series[str] = column(source=("staff.clinic_name", "visits.clinic_name"))
        city: Series[str] = column()

    assert TableSpec.of(Clinic).sheets == ("visits", "referrals", "staff")
    assert sources(Clinic) == {
        "clinic_id": (),
        "code": ("visits.clinic_code", "referrals.clinic", "staff.code_of_clinic"),
        "name": ("visits.clinic_name", "staff.clinic_name"),
        "city": ("visits.clinic_city", "staff.city_of_clinic"),
    }


def test_the_sheets_of_an_entity_follow_from_its_key_where_the_class_names_none() -> None:
    class Clinic(Entity):
        code: Series[str] = column(
            natural_key=True, length=10, source=("visits.clinic_code", "referrals.clinic")
        )

    assert TableSpec.of(Clinic).sheets == ("visits", "referrals")


def test_keywords_are_inherited_and_overruled_one_by_one() -> None:
    class First(Entity, source="visits.clinic_*", conflict="reject"):
        code: Series[str] = column(natural_key=True, length=10)

    class Second(First):
        name: Series[str] = column(nullable=True)

    class Third(First, source="referrals.clinic_*"):
        pass

    for schema, sheet in ((First, "visits"), (Second, "visits"), (Third, "referrals")):
        spec = TableSpec.of(schema)
        assert (spec.entity, spec.sheets) == (EntityFacts("reject"), (sheet,))
    assert sources(Second)["name"] == ("visits.clinic_name",)


@pytest.mark.parametrize("newest", ["visited", "visits.visited"])
def test_the_newest_value_is_told_by_a_column_of_the_sheet(newest: str) -> None:
    class Clinic(Entity, source="visits.clinic_*", newest=newest):
        code: Series[str] = column(natural_key=True, length=10)

    assert TableSpec.of(Clinic).entity == EntityFacts("majority", "visits.visited")


@pytest.mark.parametrize(
    ("annotation", "facts"),
    [(str, {"length": 9}), (int, {}), (dt.date, {"format": "%d.%m.%Y"})],
)
def test_a_column_of_the_sheet_may_be_the_primary_key(
    annotation: Any, facts: dict[str, Any]
) -> None:
    body = {
        "__annotations__": {"number": _series(annotation)},
        "number": column(primary_key=True, **facts),
    }
    spec = TableSpec.of(type("Day", (Table,), body, source="days"))
    assert (spec.primary_key, spec.natural_key) == ("number", ("number",))
    assert spec.columns["number"].source == ("days.number",)
    assert not spec.has_surrogate_key


def test_a_table_travels() -> None:
    for schema in (Visit, Clinic):
        spec = TableSpec.of(schema)
        assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 - our own bytes


# ------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("base", "keywords", "text"),
    [
        (
            Table,
            {"source": "Visits"},
            (
                "class Wrong: source='Visits' names no sheet; write it as in source='visits', or "
                "source='visits.clinic_*' where its columns have a prefix there"
            ),
        ),
        (
            Table,
            {"sources": "visits"},
            "class Wrong: there is no keyword 'sources'; did you mean 'source'?",
        ),
        (Entity, {"source": "visits.*_*"}, "names no sheet"),
        (Entity, {"source": "visits."}, "names no sheet"),
        (
            Table,
            {"source": "visits.clinic"},
            (
                "class Wrong: source='visits.clinic' is one column, and a table takes the rows of "
                "a sheet; write source='visits', or derive the class from "
                "aspen_etl.schema.Entity, which has one row for each distinct value"
            ),
        ),
        (
            Table,
            {"source": ("visits", "referrals")},
            (
                "class Wrong: a table has the rows of one sheet, and source= names 2; derive the "
                "class from aspen_etl.schema.Entity, which several may feed, or name one"
            ),
        ),
        (Entity, {"source": ()}, "source= names 0"),
        (
            Entity,
            {"source": ("visits.a_*", "visits.b_*")},
            "class Wrong: source= names the sheet 'visits' twice; name each sheet once",
        ),
        (
            Table,
            {"source": "visits", "conflict": "reject"},
            (
                "class Wrong: conflict= and newest= are for an Entity, whose rows are voted on; "
                "derive the class from aspen_etl.schema.Entity, or take them away"
            ),
        ),
        (
            Entity,
            {"source": "visits.a_*", "conflict": "first"},
            (
                "class Wrong: conflict='first' is not known; write one of majority, reject "
                "(newest= takes the latest value)"
            ),
        ),
        (
            Entity,
            {"source": "visits.a_*", "newest": "visit.day"},
            (
                "class Wrong: newest='visit.day' is no column of a sheet that feeds the entity; "
                "did you mean 'visits'?"
            ),
        ),
        (
            Entity,
            {"source": ("visits.a_*", "tests.a_*"), "newest": "day"},
            (
                "class Wrong: newest='day' names no source column; write it as in "
                "newest='visits.visited'"
            ),
        ),
        (
            Entity,
            {"source": "visits.a_*", "newest": "visits.day", "conflict": "reject"},
            (
                "class Wrong: with conflict='reject' nobody wins, so newest= says nothing; take "
                "one of them away"
            ),
        ),
    ],
)
def test_wrong_keywords_are_refused(base: Any, keywords: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        type("Wrong", (base,), {}, **keywords)
    assert text in str(caught.value)


def _series(kind: Any) -> Any:
    return Series[kind]


def refused(
    base: Any, columns: dict[str, tuple[Any, Any]], source: Optional[Any] = "visits"
) -> str:
    """Give the text with which a table is refused."""
    kinds: dict[str, Any] = {name: kind for name, (kind, _) in columns.items()}
    body: dict[str, Any] = {name: held for name, (_, held) in columns.items()}
    body["__annotations__"] = {name: _series(kinds[name]) for name in kinds}
    with pytest.raises(ModelError) as caught:
        TableSpec.of(type("Visit", (base,), body, source=source))
    return str(caught.value)


def test_a_column_of_no_sheet_is_refused() -> None:
    wrong = {"number": (str, column(natural_key=True, length=9, source="no"))}
    assert refused(Table, wrong, source=None) == (
        "table 'visit': number has source='no', and its class names no sheet; write it as in "
        "source='sheet.no', or name the sheet of the class, as in source='sheet'"
    )
    assert refused(Entity, wrong, source=("a", "b")) == (
        "table 'visit': number has source='no', and its class names several sheets; write it as "
        "in source='sheet.no'"
    )


def test_a_column_of_another_sheet_feeds_no_entity() -> None:
    wrong = {"number": (str, column(natural_key=True, length=9, source="visit.no"))}
    assert refused(Entity, wrong) == (
        "table 'visit': number comes from 'visit.no', and its class names no sheet 'visit'; "
        "did you mean 'visits'?"
    )


def test_two_columns_of_one_sheet_feed_no_entity() -> None:
    wrong = {"number": (str, column(natural_key=True, length=9, source=("visits.a", "visits.b")))}
    assert refused(Entity, wrong) == (
        "table 'visit': number takes several columns of one sheet; an entity takes one column of "
        "each sheet"
    )


def test_a_column_by_the_name_of_the_key_that_follows_is_refused() -> None:
    wrong = {"visit_id": (str, column(natural_key=True, length=9))}
    assert refused(Table, wrong) == (
        "table 'visit': the key that follows would be called visit_id, as a column is that is "
        "there; call the column otherwise, as in visit_no: ... = column(source='visit_id'), or "
        "declare a key with column(primary_key=True)"
    )


@pytest.mark.parametrize(
    ("kind", "facts", "name"),
    [
        (Decimal, {"precision": 9, "scale": 0}, "decimal"),
        (bool, {}, "boolean"),
        (dt.datetime, {}, "datetime"),
        (dt.datetime, {"zone": "UTC"}, "timestamp"),
    ],
)
@pytest.mark.parametrize("key", ["primary_key", "natural_key"])
def test_what_has_more_than_one_text_is_no_key(
    kind: Any, facts: dict[str, Any], name: str, key: str
) -> None:
    facts = {**facts, key: True}
    assert refused(Table, {"number": (kind, column(**facts))}) == (
        f"table 'visit': the key column 'number' is {name}, which can be no key; annotate it as "
        "Series[str] or Series[int] or Series[dt.date]"
    )


def test_a_key_that_is_a_number_of_no_sheet_is_refused() -> None:
    assert "nothing says what a row is known by" in refused(
        Table, {"number": (int, column(primary_key=True))}, source=None
    )


def test_an_entity_is_known_by_what_is_never_missing() -> None:
    wrong = {
        "no": (str, column(natural_key=True, length=9)),
        "city_id": (int, ref("city", natural_key=True, nullable=True)),
    }
    assert refused(Entity, wrong) == (
        "table 'visit': 'city_id' is part of what an entity is known by, and may be missing; "
        "take nullable=True away, or natural_key=True"
    )


def test_a_column_of_an_entity_that_nothing_fills_is_refused() -> None:
    wrong = {
        "code": (str, column(natural_key=True, length=9)),
        "name": (str, column(nullable=True)),
    }
    for source in (None, "visits.clinic"):
        assert refused(Entity, wrong, source=source) == (
            "table 'visit': nothing fills 'name'; name the sheet of the class and what its columns "
            "begin with there, as in source='visits.clinic_*', or give it source="
        )


def test_a_sheet_that_lacks_part_of_the_key_feeds_no_entity() -> None:
    wrong = {
        "code": (str, column(natural_key=True, length=9, source="visits.clinic_code")),
        "area": (str, column(natural_key=True, length=9)),
    }
    assert refused(Entity, wrong, source=("visits.clinic_*", "tests.*")) == (
        "table 'visit': 'code' is part of what an entity is known by, and nothing says which "
        "column of 'tests' holds it; give it source=, with one column of each sheet"
    )
