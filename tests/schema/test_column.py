"""A wrong declaration of a column fails when it is made, and the text says how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

from aspen_etl.errors import ModelError
from aspen_etl.schema import column
from aspen_etl.schema.column import METADATA, ColumnFacts, hint


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
