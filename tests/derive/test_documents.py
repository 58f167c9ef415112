"""What is derived from a model is what the documentation shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import derive
from tests.docs.markdown import read_blocks
from tests.support.ends import ENDS_MODEL

CHECKOUT = Path(__file__).parents[2]


class Shop(ae.schema.Source):
    name: Series[str] = ae.column()
    kind: Series[str] = ae.column(nullable=True)


class Kind(ae.schema.Table):
    """What a store sells."""

    kind_id: Series[int] = ae.column(primary_key=True)
    name: Series[str] = ae.column(natural_key=True, length=9)


class Store(ae.schema.Table):
    store_id: Series[int] = ae.column(primary_key=True)
    name: Series[str] = ae.column(natural_key=True, length=20, source="shop.name")
    kind_id: Series[pd.Int64Dtype] = ae.column(nullable=True, references="kind", source="shop.kind")


SHOPS = ae.Model.of(sources=[Shop], tables=[Store, Kind])


def test_the_readme_shows_the_diagram_of_the_model() -> None:
    shown = [
        block.text for block in read_blocks(CHECKOUT / "README.md") if block.format == "mermaid"
    ]
    assert shown == [derive.mermaid(ae.BORROWER_MODEL)]


def test_the_data_dictionary_is_that_of_the_model() -> None:
    page = (CHECKOUT / "docs" / "reference" / "tables.md").read_text(encoding="utf-8")
    assert page.rstrip().endswith(derive.markdown(ae.BORROWER_MODEL).rstrip())


def test_a_diagram_names_tables_references_and_keys() -> None:
    assert derive.mermaid(SHOPS) == (
        "erDiagram\n"
        "    kind |o--o{ store : kind_id\n"
        "    kind {\n"
        "        integer kind_id PK\n"
        "        text name UK\n"
        "    }\n"
        "    store {\n"
        "        integer store_id PK\n"
        "        text name UK\n"
        "        integer kind_id FK\n"
        "    }\n"
    )


def test_a_dictionary_describes_each_column() -> None:
    lines = derive.markdown(SHOPS).splitlines()
    assert lines[:3] == ["## kind", "", "What a store sells."]
    assert "| `kind_id` | integer | yes | -> `kind` | `shop.kind` |" in lines
    assert "| `name` | text 20 | no |  | `shop.name` |" in lines


def test_a_dictionary_and_a_diagram_tell_each_type() -> None:
    lines = derive.markdown(ENDS_MODEL).splitlines()
    for line in (
        "| `price` | decimal(12, 2) | no |  | `ends.price` |",
        "| `least` | integer, at least -7 | yes |  | `ends.least` |",
        "| `day` | date | no |  | `ends.day` |",
        "| `first` | date, from 0001-01-01 | no |  | `old.first` |",
        "| `maybe_moment` | datetime | yes |  | `ends.maybe_moment` |",
        "| `truth` | boolean | no |  | `ends.truth` |",
    ):
        assert line in lines
    drawn = derive.mermaid(ENDS_MODEL).splitlines()
    for kind, name in (("decimal", "price"), ("date", "day"), ("datetime", "moment")):
        assert f"        {kind} {name}" in drawn


def test_an_arrow_schema_follows_the_declaration() -> None:
    pytest.importorskip("pyarrow")
    schema = derive.arrow_schema(SHOPS.tables["store"].columns)
    assert [(field.name, str(field.type), field.nullable) for field in schema] == [
        ("store_id", "int64", False),
        ("name", "string", False),
        ("kind_id", "int64", True),
        ("created", "timestamp[ms]", False),
        ("created_by", "string", False),
        ("updated", "timestamp[ms]", True),
        ("updated_by", "string", True),
    ]
