"""The laws of a type: a text is canonical, repaired to the same value, or a reject."""

from __future__ import annotations

from decimal import Decimal
from typing import Optional

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_series_equal

from aspen_etl.columns.text import conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.testing._cells import tidy
from aspen_etl.testing._types import PLAIN, RULES, column_of, odd_texts, spellings
from tests.laws.specs import SPECS, canonical_texts, cells

pytestmark = pytest.mark.smoke

EACH_SPEC = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def column(texts: list[Optional[str]]) -> pd.Series:
    return conform_text(pd.Series(texts, dtype=object))


def held(values: pd.Series) -> list[Optional[str]]:
    return [None if pd.isna(cell) else cell for cell in values.tolist()]


def test_every_type_has_its_laws() -> None:
    assert list(PLAIN) == list(TYPES)
    assert {spec.type for spec in SPECS.values()} == set(TYPES)


@EACH_SPEC
def test_a_declaration_of_the_laws_is_one(spec: ColumnSpec) -> None:
    assert TYPES[spec.type].check(spec) is None


def check(given_cells: list[Optional[str]], spec: ColumnSpec) -> None:
    """Compare what becomes of cells with what the contract says, cell by cell."""
    found = TYPES[spec.type].canonical(column(given_cells), spec)
    expected = [(None, None) if c is None else PLAIN[spec.type].judge(c, spec) for c in given_cells]
    texts = held(found.text)
    assert texts == [text for text, _ in expected]
    assert list(found.repaired) == [t is not None and t != c for t, c in zip(texts, given_cells)]
    assert set(found.faults) == {rule for _, rule in expected if rule} <= set(RULES)
    for rule, mask in found.faults.items():
        assert list(mask) == [rule == broken for _, broken in expected]


@EACH_SPEC
def test_a_text_is_canonical_or_repaired_to_the_same_value_or_a_reject(spec: ColumnSpec) -> None:
    @given(st.lists(st.none() | cells(spec), max_size=8))
    def is_one_of_three(given_cells: list[Optional[str]]) -> None:
        check(given_cells, spec)

    is_one_of_three()


@EACH_SPEC
def test_odd_texts_and_every_spelling_of_a_value_are_judged_rightly(spec: ColumnSpec) -> None:
    drawn = [PLAIN[spec.type].canonical(number, spec) for number in range(60)]
    check([tidy(text) for text in odd_texts(spec)], spec)
    check([spelt for text in dict.fromkeys(drawn) for spelt in spellings(text, spec)], spec)


@EACH_SPEC
def test_canonical_text_is_its_own_canonical_text(spec: ColumnSpec) -> None:
    @given(st.lists(st.none() | cells(spec), max_size=8))
    def stays(given_cells: list[Optional[str]]) -> None:
        once = TYPES[spec.type].canonical(column(given_cells), spec)
        twice = TYPES[spec.type].canonical(once.text, spec)
        assert held(twice.text) == held(once.text)
        assert not twice.faults
        assert not any(twice.repaired)

    stays()


@EACH_SPEC
def test_the_text_of_a_value_is_read_as_that_value(spec: ColumnSpec) -> None:
    @given(st.lists(st.none() | canonical_texts(spec), max_size=8))
    def is_read(texts: list[Optional[str]]) -> None:
        values = TYPES[spec.type].parse(column(texts), spec)
        assert values.dtype == spec.held_dtype
        assert held(TYPES[spec.type].text(values, spec)) == texts
        made = column_of(texts, spec).astype(spec.held_dtype)
        assert_series_equal(values, made)
        again = TYPES[spec.type].parse(TYPES[spec.type].text(made, spec), spec)
        assert_series_equal(again, made)

    is_read()


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.type == "decimal"])
def test_a_plain_decimal_is_the_same_number_digit_for_digit(name: str) -> None:
    spec = SPECS[name]
    plain = st.from_regex(r"\A-?[0-9]{1,40}(\.[0-9]{1,40})?\Z")

    @given(st.lists(plain, max_size=4))
    def is_the_same(numbers: list[str]) -> None:
        if spec.format is not None and spec.format.startswith("1.234"):
            return  # there a point is none
        found = TYPES["decimal"].canonical(column(list(numbers)), spec)
        for number, text in zip(numbers, held(found.text)):
            assert text is None or Decimal(text) == Decimal(number)

    is_the_same()
