"""Sources and tables are read once off their pandera models; what cannot be read is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandera.typing import Series

from aspen_etl import borrower
from aspen_etl.columns.dtypes import decimal_dtype
from aspen_etl.columns.text import HANDED_TEXT
from aspen_etl.errors import ModelError
from aspen_etl.schema import ColumnSpec, Source, SourceSpec, Table, TableSpec, TextFormat, column
from aspen_etl.schema.column_spec import TIMESTAMP

# ------------------------------------------------------------------------- what is read


def test_a_table_is_read_whole() -> None:
    spec = TableSpec.of(borrower.RoleProfile)
    assert (spec.name, spec.primary_key, spec.natural_key) == (
        "role_profile",
        "role_profile_id",
        ("user_id", "role_profile_type_id"),
    )
    assert spec.own_columns == (
        ColumnSpec("role_profile_id", "integer", primary_key=True, label="role_profile_id"),
        ColumnSpec(
            "user_id",
            "integer",
            natural_key=True,
            references="user",
            source=("role_profile.borrower_id",),
            label="user_id",
        ),
        ColumnSpec(
            "role_profile_type_id",
            "integer",
            nullable=True,
            natural_key=True,
            references="role_profile_type",
            source=("role_profile.role_profile",),
            label="role_profile_type_id",
        ),
    )
    assert list(spec.columns)[-4:] == ["created", "created_by", "updated", "updated_by"]
    assert dict(spec.references) == {
        "user_id": "user",
        "role_profile_type_id": "role_profile_type",
    }


def test_a_table_without_a_natural_key_is_known_by_its_primary_key() -> None:
    spec = TableSpec.of(borrower.UserProfile)
    assert spec.natural_key == ("user_profile_id",)
    assert not spec.has_surrogate_key
    assert TableSpec.of(borrower.User).has_surrogate_key


def test_a_source_is_read_whole() -> None:
    class LoanSheet(Source):
        number: Series[str] = column(label="loan_number", description="As printed.")
        note: Series[str] = column(nullable=True)

    spec = SourceSpec.of(LoanSheet)
    assert spec.name == "loan"
    assert dict(spec.columns) == {
        "number": ColumnSpec("number", "text", label="loan_number", description="As printed."),
        "note": ColumnSpec("note", "text", nullable=True, label="note"),
    }


def test_a_name_is_the_class_in_snake_case_or_what_is_configured() -> None:
    class HTTPRequestLogSheet(Source):
        a: Series[str] = column()

    class Sheet(Source):
        a: Series[str] = column()

    class Named(Source):
        a: Series[str] = column()

        class Config:
            name = "other"

    class Inherits(Named):
        pass

    found = [SourceSpec.of(s).name for s in (HTTPRequestLogSheet, Sheet, Named, Inherits)]
    assert found == ["http_request_log", "sheet", "other", "other"]


@pytest.mark.parametrize(
    ("spec", "dtype"),
    [
        (ColumnSpec("a", "text"), HANDED_TEXT),
        (ColumnSpec("a", "text", nullable=True), HANDED_TEXT),
        (ColumnSpec("a", "integer"), np.dtype("int64")),
        (ColumnSpec("a", "integer", nullable=True), pd.Int64Dtype()),
        (ColumnSpec("a", "timestamp"), TIMESTAMP),
    ],
)
def test_a_column_has_one_dtype(spec: ColumnSpec, dtype: object) -> None:
    assert spec.dtype == dtype


# ------------------------------------------------------------------------- what is refused


def refused(declared: type[Source | Table]) -> str:
    kind = SourceSpec if issubclass(declared, Source) else TableSpec
    with pytest.raises(ModelError) as caught:
        kind.of(declared)
    return str(caught.value)


def test_a_column_of_a_source_that_is_no_text_is_refused() -> None:
    class Loan(Source):
        cents: Series[int] = column()

    assert refused(Loan) == (
        "source 'loan': column 'cents' is not text; every cell of a source is text: "
        "annotate it as Series[str]"
    )


def test_a_key_in_a_source_is_refused() -> None:
    class Loan(Source):
        number: Series[str] = column(natural_key=True)

    assert refused(Loan) == (
        "source 'loan': column 'number' declares a key, a reference or a source; these belong "
        "to the column of the table that it goes to, as in column(source='loan.number')"
    )


def test_a_column_of_types_in_a_source_is_refused() -> None:
    class Loan(Source):
        kind: Series[str] = column(from_name=("one", "two"))

    assert "column 'kind' declares a key, a reference or a source" in refused(Loan)


def test_a_source_without_a_column_is_refused() -> None:
    class Loan(Source):
        pass

    assert refused(Loan) == "source 'loan' has no column"


def test_a_column_without_column_is_refused() -> None:
    class Loan(Source):
        number: Series[str]

    assert refused(Loan) == (
        "source 'loan'.number is not declared with column(); "
        "write `number: Series[str] = column(...)`"
    )


def test_what_pandera_cannot_read_is_refused_with_a_hint() -> None:
    class Unknown:
        """A type that pandera does not know."""

    class Loan(Table):
        number: Series[Unknown] = column()

    assert "annotate each column as in `name: Series[str] = column()`" in refused(Loan)


def test_a_type_that_a_table_cannot_have_is_refused() -> None:
    class Loan(Table):
        rate: Series[float] = column()

    assert refused(Loan) == (
        "table 'loan'.rate is annotated with a type that a table cannot have; use Series[str], "
        "Series[int], Series[Decimal], Series[dt.date], Series[dt.datetime] or Series[bool]"
    )


@pytest.mark.parametrize(
    ("annotation", "facts", "kind", "dtype"),
    [
        (int, {"nullable": True}, "integer", "Int64"),
        (pd.Int64Dtype, {"nullable": True}, "integer", "Int64"),
        (int, {"minimum": 0}, "integer", "int64"),
        (Decimal, {"precision": 12, "scale": 2}, "decimal", str(decimal_dtype(12, 2))),
        (dt.date, {"format": "%m/%d/%Y"}, "date", "datetime64[s]"),
        (dt.datetime, {}, "datetime", "datetime64[ms]"),
        (dt.datetime, {"zone": "UTC"}, "timestamp", "datetime64[ms, UTC]"),
        (bool, {"words": {"Y": True, "N": False}}, "boolean", "bool"),
        (bool, {"nullable": True}, "boolean", "boolean"),
    ],
)
def test_an_annotation_gives_type_and_dtype(
    annotation: Any, facts: dict[str, Any], kind: str, dtype: str
) -> None:
    class Loan(Table):
        loan_id: Series[int] = column(primary_key=True)
        number: Series[str] = column(natural_key=True, length=20)

    body = {"__annotations__": {"held": Series[annotation]}, "held": column(**facts)}
    spec = TableSpec.of(type("Held", (Loan,), body)).columns["held"]
    assert (spec.type, str(spec.dtype)) == (kind, dtype)


def test_a_decimal_without_digits_is_refused() -> None:
    class Loan(Table):
        amount: Series[Decimal] = column(precision=2, scale=4)

    assert "say how many digits it has" in refused(Loan)


def test_a_length_of_a_number_is_refused() -> None:
    class Loan(Table):
        cents: Series[int] = column(length=3)

    assert refused(Loan) == ("table 'loan'.cents is integer, and length= is for text; take it away")


def test_a_table_that_is_no_table_is_refused() -> None:
    class Loan(Source):
        loan_id: Series[str] = column()

    with pytest.raises(ModelError, match=r"let its class derive from aspen_etl\.schema\.Table"):
        TableSpec.of(Loan)


def test_two_primary_keys_are_refused() -> None:
    class Loan(Table):
        a: Series[str] = column(primary_key=True, length=9)
        b: Series[str] = column(primary_key=True, length=9)

    assert refused(Loan) == (
        "table 'loan' has 2 primary keys; give column(primary_key=True) to exactly one column"
    )


def test_a_table_without_any_key_is_refused() -> None:
    class Loan(Table):
        a: Series[str] = column(length=9)

    assert refused(Loan) == (
        "table 'loan': nothing says what a row is known by; give natural_key=True to the columns "
        "that identify it in the source, or primary_key=True to the only one"
    )


def test_a_number_that_nothing_identifies_is_refused() -> None:
    class Loan(Table):
        loan_id: Series[int] = column(primary_key=True)
        cents: Series[int] = column(source="loan.cents")

    assert refused(Loan) == (
        "table 'loan': nothing says what a row is known by; give natural_key=True to the "
        "columns that identify it in the source"
    )


def test_a_text_key_beside_a_natural_key_is_refused() -> None:
    class Loan(Table):
        loan_id: Series[str] = column(primary_key=True, length=9)
        number: Series[str] = column(natural_key=True, length=9, source="loan.number")

    assert refused(Loan) == (
        "table 'loan': the key 'loan_id' beside a natural key is a number that is given; "
        "annotate it as Series[int] and take natural_key=, source= and references= away from it"
    )


def test_key_text_without_a_length_is_refused() -> None:
    class Loan(Table):
        loan_id: Series[int] = column(primary_key=True)
        number: Series[str] = column(natural_key=True, source="loan.number")

    assert refused(Loan) == (
        "table 'loan': the key column 'number' needs a length, since databases do not index "
        "unlimited text; give length="
    )


def test_a_form_is_anchored_at_the_true_end_of_the_text() -> None:
    assert TextFormat("grade", "A|B").anchored == r"\A(?:A|B)\Z"
