"""Types: the one that all cells fit; text where another could be meant, with a note."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given

from aspen_etl.columns.text import conform_text
from aspen_etl.inference.kind import Kind
from aspen_etl.inference.types import infer_kind

DECIMAL = {"precision": 12, "scale": 2}


def infer(*cells: str, name: str = "x", is_key: bool = False) -> Kind:
    return infer_kind(name, conform_text(pd.Series(list(cells), dtype=object)), is_key=is_key)


@pytest.mark.parametrize(
    ("cells", "kind", "facts"),
    [
        (["1", "-2", "0"], "integer", {}),
        (["0", "1"], "integer", {}),
        (["9223372036854775807"], "integer", {}),
        (["9223372036854775808"], "text", {"length": 40}),
        (["1", "02"], "text", {"length": 10}),
        (["Y", "N"], "boolean", {"words": {"Y": True, "N": False}}),
        (["no", "yes"], "boolean", {"words": {"yes": True, "no": False}}),
        (["ja", "nein"], "boolean", {"words": {"ja": True, "nein": False}}),
        (["OUI", "NON"], "boolean", {"words": {"OUI": True, "NON": False}}),
        (["Sí", "No"], "boolean", {"words": {"Sí": True, "No": False}}),
        (["TRUE", "FALSE"], "boolean", {}),
        (["true", "FALSE", "True"], "boolean", {}),
        (["Y"], "text", {"length": 10}),
        (["Y", "n"], "text", {"length": 10}),
        (["M", "F"], "text", {"length": 10}),
        (["1.5", "2"], "decimal", DECIMAL),
        (["1.500", "2"], "decimal", DECIMAL),
        (["-0.12345", "123456"], "decimal", {"precision": 18, "scale": 5}),
        (["12345678901234.5", "0.123456"], "decimal", {"precision": 38, "scale": 6}),
        (["$1,234.50", "$0.5"], "decimal", {**DECIMAL, "format": "$1,234.50"}),
        (["$5", "$6"], "decimal", {**DECIMAL, "format": "$1,234.50"}),
        (["-$5.00", "$6.00"], "decimal", {**DECIMAL, "format": "$1,234.50"}),
        (["(3.00)", "4.00"], "decimal", {**DECIMAL, "format": "(1,234.50)"}),
        (["3.00-", "4.00"], "decimal", {**DECIMAL, "format": "1,234.50-"}),
        (["1.234,50", "3"], "decimal", {**DECIMAL, "format": "1.234,50"}),
        (["1,234,567", "5"], "decimal", {**DECIMAL, "format": "1,234.50"}),
        (["1 234,50", "5,1"], "decimal", {**DECIMAL, "format": "1 234,50"}),
        (["12,50 \u20ac", "1.000 \u20ac"], "decimal", {**DECIMAL, "format": "1.234,50 \u20ac"}),
        (["USD 1.50", "USD 7"], "decimal", {**DECIMAL, "format": "USD 1,234.50"}),
        (["USD 1.50", "EUR 7.00"], "text", {"length": 20}),
        (["Apt 5", "Apt 12"], "text", {"length": 10}),
        (["LOT 5", "LOT 12"], "text", {"length": 10}),
        (["5%", "6.5%"], "text", {"length": 10}),
        (["007.5", "1.5"], "text", {"length": 10}),
        (["2020-01-31"], "date", {}),
        (["01/31/2020", "1/3/2020"], "date", {"format": "%m/%d/%Y"}),
        (["31/01/2020"], "date", {"format": "%d/%m/%Y"}),
        (["2020/01/02"], "date", {"format": "%Y/%m/%d"}),
        (["31.1.2020"], "date", {"format": "%d.%m.%Y"}),
        (["Jan 1 2000", "May 2 2001"], "date", {"format": "%b %d %Y"}),
        (["May 1 2000"], "date", {"format": "%b %d %Y"}),
        (["1 January 2000"], "date", {"format": "%d %B %Y"}),
        (["01/31/20"], "text", {"length": 20}),
        (["2021-02-29"], "text", {"length": 20}),
        (["20200131"], "integer", {}),
        (["2020-01-31 05:06"], "datetime", {}),
        (["2020-01-31", "2020-01-31T05:06:07.123000"], "datetime", {}),
        (["2020-01-31T05:06:07Z"], "timestamp", {"zone": "UTC"}),
        (["2020-01-31 05:06:07+02:00"], "timestamp", {"zone": "UTC"}),
        (["2010/01/01 00:00"], "datetime", {"format": "%Y/%m/%d %H:%M"}),
        (["1/31/2010 5:06 PM"], "datetime", {"format": "%m/%d/%Y %I:%M %p"}),
        (["24:00", "1:00"], "text", {"length": 10}),
        (["a" * 20], "text", {"length": 40}),
        (["a" * 3000], "text", {}),
    ],
)
def test_all_cells_fit_what_is_found(cells: list[str], kind: str, facts: Any) -> None:
    found = infer(*cells)
    assert (found.type, dict(found.facts)) == (kind, facts)
    assert found.fits(conform_text(pd.Series(cells, dtype=object)))
    assert not found.note


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["1/3/2020", "2/3/2020"], "is the month or the day first"),
        (["01/01/2020"], "is the month or the day first"),
        (["1/3/2010 5:06 PM"], "is the month or the day first"),
        (["1,234", "5"], "one of thousands"),
        (["1.234 \u20ac", "5 \u20ac"], "one of thousands"),
        (["0.30000000000000004", "1"], "16 digits"),
        (["1e-3", "2"], "such as 1e-3"),
        (["2020-01-31 05:06:07.1234567"], "finer than a millisecond"),
        (["NA", "1", "2"], "is that a missing cell"),
        (["-", "1.5"], "is that a missing cell"),
        ([], "always missing"),
    ],
)
def test_what_could_be_something_else_is_text_with_a_note(cells: list[str], note: str) -> None:
    found = infer(*cells)
    assert found.type == "text"
    assert note in found.note


def test_moments_of_which_some_have_an_offset_are_utc_with_a_note() -> None:
    found = infer("2020-01-31T05:06:07Z", "2020-01-31T05:06:07")
    assert (found.type, found.facts) == ("timestamp", (("zone", "UTC"),))
    assert "have an offset, others none" in found.note


@pytest.mark.parametrize(
    "name", ["zip_code", "postal", "phone", "fax", "account", "order_no", "id", "sku", "item_code"]
)
def test_numbers_that_nobody_reckons_with_are_text(name: str) -> None:
    assert infer("1", "2", name=name).type == "text"
    assert infer("1.5", "2", name=name).type == "text"
    assert infer("1", "2", name="amount").type == "integer"


def test_a_date_in_eight_digits_is_one_where_the_column_is_called_like_it() -> None:
    assert infer("20200131", name="visit_date").facts == (("format", "%Y%m%d"),)
    assert infer("20201331", name="visit_date").type == "integer"


def test_a_key_is_text_or_a_date() -> None:
    assert infer("1", "2", is_key=True).type == "text"
    assert infer("Y", "N", is_key=True).type == "text"
    assert infer("2020-01-31 05:06", is_key=True).type == "text"
    assert infer("2020-01-31", is_key=True).type == "date"


@given(st.lists(st.text("0123456789.,-/:$TZYN ae", min_size=1, max_size=12), min_size=1))
def test_whatever_stands_there_fits_what_is_found(cells: list[str]) -> None:
    clean = list(dict.fromkeys(filter(None, (" ".join(cell.split()) for cell in cells))))
    found = infer(*clean)
    assert found.fits(conform_text(pd.Series(clean, dtype=object)))
