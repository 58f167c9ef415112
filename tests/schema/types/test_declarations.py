"""What may be declared of a type: each mistake is told in a sentence, when the model is read."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Optional

import pytest
from pandera.typing import Series

from aspen_etl.errors import ModelError
from aspen_etl.schema import Table, TableSpec, column
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES
from tests.schema.types.kernels import a_column


def fault(kind: Any, **facts: Any) -> Optional[str]:
    return TYPES[kind].check(ColumnSpec("amount", kind, **facts))


def number(example: str, scale: int = 2) -> Optional[str]:
    return fault("decimal", precision=12, scale=scale, format=example)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, "precision= and scale="),
        ({"precision": 12}, "precision= and scale="),
        ({"scale": 2}, "precision= and scale="),
        ({"precision": 39, "scale": 2}, "1 to 38"),
        ({"precision": 0, "scale": 0}, "1 to 38"),
        ({"precision": 2, "scale": 3}, "from 0 to the precision"),
        ({"precision": 2, "scale": -1}, "from 0 to the precision"),
        ({"precision": 38, "scale": 38}, None),
        ({"precision": 1, "scale": 0}, None),
    ],
)
def test_a_decimal_has_a_size(facts: dict[str, int], told: Optional[str]) -> None:
    found = fault("decimal", **facts)
    assert found is None if told is None else found is not None and told in found


@pytest.mark.parametrize(
    "example",
    [
        *("1,234.50", "1.234,50", "1 234,50", "1'234.50", "1\u2019234.50", "1234,50", "1234.50"),
        *("$1,234.50", "$ 1,234.50", "1.234,50 €", "USD 1,234.50", "Rs. 1,234.50", "kr1.234,5"),
        *("(1,234.50)", "($1,234.50)", "$(1,234.50)", "1234.50-", "1,234.50 -", "-$1,234.50"),
        *("$-1,234.50", "-1,234.50", "1.234,50- €", "1,234", "1234", "1234,5", "¥1,234"),
    ],
)
def test_a_number_is_spelt_by_example(example: str) -> None:
    assert number(example) is None


@pytest.mark.parametrize(
    "example",
    [
        *("", "x", "1", "9,999.99", "1,234.56", "1,234.500", "1,234,50", "1.234.50", "12,34.50"),
        *("+1,234.50", "1,234.50%", "--1234.50", "(1,234.50", "1,234.50)", "-(1,234.50)", ")1234("),
        *(
            "1,234.50-$-",
            " 1,234.50",
            "1,234.50 ",
            "1_234.50",
            "1\u202f234,50",
            "１,234.50",
            "1234.5e0",
        ),
        *("-1234.50-", "\u22121,234.50", "1,234.", ".1234", "#,##0.00", "%d"),
    ],
)
def test_what_is_no_example_is_told(example: str) -> None:
    if example == "1234.5e0":  # the 0 is a digit; letters behind the number are a currency
        assert number("1234.5e") is None
    found = number(example)
    assert found is not None
    assert "no example of a number" in found
    assert "'(1,234.50)'" in found


@pytest.mark.parametrize("example", ["1.234,50", "1.234", "-1.234,50", "1.234,50-", "(1.234,50)"])
def test_an_example_that_reads_canonical_text_otherwise_is_told(example: str) -> None:
    found = number(example, scale=3)
    assert found is not None
    assert "reads plain numbers of 3 places as other ones" in found
    assert number(example, scale=2) is number(example, scale=4) is number(example, scale=0) is None
    assert number(f"{example} €", scale=3) is None  # which no canonical text has
    assert number("1,234.50", scale=3) is number("1234,50", scale=3) is None


PATTERNS = {
    "%m/%d/%y": "two digits",
    "%m/%d/%Y %H:%M:%S %y": "two digits",
    "%m/%Y": "a year and a month and day",
    "%d": "a year and a month and day",
    "": "a year and a month and day",
    "%Y-%j-%m": "a year and a month and day",
    "%Y %m %b %d": "a year and a month and day",
    "%Y-%m-%d %Y": "stands twice",
    "%Y-%m-%d %c": "%c is not known; use %Y, %m",
    "%Y-%m-%d %": "% is not known",
    "%-m/%d/%Y": "%- is not known",
    "%Y-%m-%d ": "white space",
    "%Y-%m-%d  %a": "white space",
    "%Y-%m-%d\t%a": "white space",
    "%Y-%d-%m": "another",
}
CLOCKS = {
    "%m/%d/%Y %I:%M": "%I with %p",
    "%m/%d/%Y %H:%M %p": "%I with %p",
    "%m/%d/%Y %I:%M %p %H": "%I with %p",
    "%m/%d/%Y %M": "begins with its hour",
    "%m/%d/%Y %H %S": "down to its smallest",
    "%m/%d/%Y %H:%M.%f": "down to its smallest",
    "%Y-%d-%m %H:%M:%S": "another",
    "%Y-%d-%mT%H:%M:%S.%f": "another",
    "%Y-%d-%m %H:%M": "another",
}


@pytest.mark.parametrize(("pattern", "told"), PATTERNS.items())
def test_a_pattern_that_names_no_date_is_told(pattern: str, told: str) -> None:
    for kind in ("date", "datetime", "timestamp"):
        found = fault(kind, format=pattern)
        assert found is not None
        assert told in found
        assert repr(pattern) in found


@pytest.mark.parametrize(("pattern", "told"), CLOCKS.items())
def test_a_pattern_that_names_no_time_is_told(pattern: str, told: str) -> None:
    for kind in ("datetime", "timestamp"):
        found = fault(kind, format=pattern)
        assert found is not None
        assert told in found


def test_a_date_has_no_time_and_a_datetime_no_offset() -> None:
    assert "a time of day" in str(fault("date", format="%Y-%m-%d %H:%M"))
    assert "zone='UTC'" in str(fault("datetime", format="%Y-%m-%d %H:%M%z"))
    assert fault("timestamp", format="%Y-%m-%d %H:%M%z") is None


@pytest.mark.parametrize(
    "pattern",
    [
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%Y%m%d",
        "%Y-%m-%d",
        "%d-%b-%Y",
        "%A, %B %d, %Y",
        "%Y%j",
        "%% %Y%m%d",
    ],
)
def test_patterns_of_dates_are_for_moments_too(pattern: str) -> None:
    assert [fault(kind, format=pattern) for kind in ("date", "datetime", "timestamp")] == [None] * 3
    assert fault("datetime", format=f"{pattern} %H:%M:%S.%f") is None
    assert fault("datetime", format=f"%I:%M %p {pattern}") is None


@pytest.mark.parametrize(
    ("kind", "minimum", "told"),
    [
        ("integer", 0, None),
        ("integer", -(2**63), None),
        ("integer", 2**63, "64 bits"),
        ("integer", dt.date(2020, 1, 1), "a whole number"),
        ("integer", True, "a whole number"),
        ("date", dt.date(1, 1, 1), None),
        ("date", 5, "datetime.date"),
        ("date", dt.datetime(2020, 1, 1), "datetime.date"),  # noqa: DTZ001 - what is refused
    ],
)
def test_a_minimum_is_a_value_of_its_type(kind: str, minimum: Any, told: Optional[str]) -> None:
    found = fault(kind, minimum=minimum)
    assert found is None if told is None else found is not None and told in found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((("Y", True), ("N", False)), None),
        ((("true", True), ("FALSE", False)), None),
        ((("Y", True),), None),
        ((("true", False),), "turn true and false around"),
        ((("TRUE", False),), "turn true and false around"),
        ((("False", True),), "turn true and false around"),
        ((("Y", True), ("Y", False)), "both True and False"),
        ((("", True),), "is empty"),
        (((" Y", True),), "white space"),
        ((("a  b", True),), "white space"),
        ((("a\tb", True),), "white space"),
        (((1, True),), "are texts"),
        ((("Y", 1),), "True or False"),
    ],
)
def test_words_say_true_or_false(words: Any, told: Optional[str]) -> None:
    found = fault("boolean", words=words)
    assert found is None if told is None else found is not None and told in found


def test_the_model_tells_which_column_it_is() -> None:
    class Fee(Table):
        amount: Series[Decimal] = column(precision=12, scale=3, format="1.234,50")

    told = "table 'fee'.amount: format='1.234,50' reads plain numbers of 3 places as other ones"
    with pytest.raises(ModelError, match=re.escape(told)) as caught:
        TableSpec.of(Fee)
    assert caught.value.details["column"] == "amount"


def test_no_type_has_a_fault_without_facts_but_decimals() -> None:
    found = {kind: TYPES[kind].check(a_column(kind)) for kind in TYPES}
    assert {kind for kind, told in found.items() if told is not None} == {"decimal"}
