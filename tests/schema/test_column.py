"""A wrong declaration of a column fails when it is made, and the text says how to mend it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from aspen_etl.errors import ModelError
from aspen_etl.schema import column
from aspen_etl.schema.column import METADATA, hint
from aspen_etl.schema.column_facts import ColumnFacts


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (
            {"length": 0},
            "length=0 leaves no room for text; give a positive number of characters, or none",
        ),
        (
            {"primary_key": True, "nullable": True},
            "a primary key cannot be null; take nullable=True away",
        ),
        (
            {"references": "user", "minimum": 0},
            "a reference holds what the key may that it refers to; take minimum= away",
        ),
        (
            {"natural_key": True, "nullable": True},
            (
                "a natural key may be null only where it refers to another table; "
                "take nullable=True away"
            ),
        ),
        (
            {"references": "user.user_id"},
            (
                "references='user.user_id' is not the name of a table; "
                "write it as in references='user'"
            ),
        ),
        (
            {"source": "borrower.Email"},
            (
                "source='borrower.Email' names no source column; "
                "write it as in source='sheet.column'"
            ),
        ),
        (
            {"source": ("borrower.email", "borrower.")},
            "source='borrower.' names no source column; write it as in source='sheet.column'",
        ),
        (
            {"label": "Full name"},
            (
                "label='Full name' cannot be part of a rule's name; "
                "use lower-case letters, digits and _"
            ),
        ),
    ],
)
def test_facts_that_contradict_each_other_are_refused(declared: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        column(**declared)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"length": "3"}, "length='3' is not a whole number, as in length=20"),
        ({"length": 2.5}, "length=2.5 is not a whole number, as in length=20"),
        ({"length": True}, "length=True is not a whole number, as in length=20"),
        ({"precision": 5.0, "scale": 2}, "precision=5.0 is not a whole number"),
        ({"precision": 5, "scale": "2"}, "scale='2' is not a whole number"),
        ({"precision": True, "scale": 0}, "precision=True is not a whole number"),
        ({"format": 5}, "format=5 is not text"),
        ({"format": b"%Y"}, "format=b'%Y' is not text"),
        ({"minimum": "x"}, "minimum='x' is neither a whole number nor a datetime.date"),
        ({"minimum": "2020-01-01"}, "is neither a whole number nor a datetime.date"),
        ({"minimum": Decimal(0)}, "is neither a whole number nor a datetime.date"),
        ({"minimum": 1.5}, "is neither a whole number nor a datetime.date"),
        ({"minimum": True}, "is neither a whole number nor a datetime.date"),
        ({"text_format": "x"}, "text_format='x' is not a TextFormat"),
        ({"label": 5}, "label=5 is not text"),
        ({"references": 5}, "references=5 is not text"),
        ({"description": 5}, "description=5 is not text"),
        ({"nullable": "no"}, "nullable='no' is not True or False"),
        ({"primary_key": 1}, "primary_key=1 is not True or False"),
        ({"source": 5}, "source=5 names no source column"),
        ({"source": ["a.b", 5]}, "source=5 names no source column"),
        ({"words": ["Y"]}, "words=['Y'] does not say which is true"),
        ({"words": "Y"}, "words='Y' does not say which is true"),
        ({"from_name": 5}, "from_name=5 names no columns"),
        ({"zone": "Europe/Berlin"}, "zone='Europe/Berlin' is not known"),
        ({"zone": "utc"}, "zone='utc' is not known"),
        ({"zone": ""}, "zone='' is not known"),
        ({"zone": dt.timezone.utc}, "is not known"),
    ],
)
def test_facts_of_another_kind_are_refused(declared: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        column(**declared)
    assert text in str(caught.value)


def test_a_natural_key_that_refers_may_be_null() -> None:
    column(natural_key=True, nullable=True, references="role_profile_type")


def test_one_source_is_the_same_as_a_list_of_one() -> None:
    (one, two) = (column(source=given) for given in ("a.b", ["a.b"]))
    assert one.properties["metadata"] == two.properties["metadata"]


def test_the_facts_stand_in_the_metadata_of_the_field() -> None:
    found = column(length=20, source="borrower.email", label="mail")
    assert found.properties["metadata"] == {
        METADATA: ColumnFacts(length=20, source=("borrower.email",), label="mail")
    }


def test_a_hint_names_what_is_near_or_what_there_is() -> None:
    assert hint("borower", ["borrower", "role"]) == "did you mean 'borrower'?"
    assert hint("x", ["borrower", "role"]) == "known: borrower, role"
    assert hint("x", []) == "known: none"
