"""Rules: what stays out, and with what scope. The contract's own table is tested by the oracle."""

from __future__ import annotations

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import borrower
from aspen_etl.columns.rows import sort_rows
from aspen_etl.schema import Source, Table, column
from tests.transform.sheets import ADA, BO, accepted, extract, judged, rows


def faults(given: ae.Extract, model: ae.Model = ae.BORROWER_MODEL) -> list[tuple[object, ...]]:
    return [
        (fault.source, fault.column, fault.rule, fault.scope, fault.positions.tolist())
        for found in judged(given, model).values()
        for fault in found.faults
    ]


def test_accepted_rows_are_in_the_order_of_their_key_and_refer_by_row_number() -> None:
    found = accepted(extract(BO, ADA, roles=(("b", "X"), ("a", "y"), ("a", "X"))))
    assert found["borrower"]["id"].tolist() == ["a", "b"]
    assert rows(found["role_profile"]) == [[0, "x"], [0, "y"], [1, "x"]]


def test_a_fault_of_scope_value_empties_one_cell_and_of_a_table_all_of_its_cells() -> None:
    found = accepted(extract({**ADA, "phone_home": "none", "zip_code": "x"}))["borrower"]
    assert rows(found) == [["a", ADA["full_name"], *[None] * 4, None, "5550101", "a@b"]]


def test_every_rule_that_a_cell_breaks_is_told() -> None:
    assert faults(extract({**ADA, "email": "x" * 254 + "\0"})) == [
        ("borrower", "email", "invalid_email", "value", [0]),
        ("borrower", "email", "invalid_text", "value", [0]),
        ("borrower", "email", "too_long", "value", [0]),
    ]


def test_a_duplicate_comes_after_an_accepted_row() -> None:
    given = extract({**ADA, "full_name": None}, ADA, {**BO, "id": "a"})
    assert faults(given) == [
        ("borrower", "id", "duplicate_id", "row", [2]),
        ("borrower", "full_name", "missing_name", "row", [0]),
    ]


class LoanSheet(Source):
    number: Series[str] = column()
    cents: Series[str] = column(nullable=True)
    kind: Series[str] = column(nullable=True)


class LoanKind(Table):
    loan_kind_id: Series[int] = column(primary_key=True)
    kind: Series[str] = column(natural_key=True, length=5)


class Loan(Table):
    loan_id: Series[int] = column(primary_key=True)
    number: Series[str] = column(natural_key=True, length=12, source="loan.number")
    cents: Series[pd.Int64Dtype] = column(nullable=True, source="loan.cents")
    kind_id: Series[pd.Int64Dtype] = column(
        nullable=True, references="loan_kind", source="loan.kind"
    )


LOANS = ae.BORROWER_MODEL.add(sources=[LoanSheet], tables=[LoanKind, Loan])


def loans(**columns: list[str | None]) -> ae.Extract:
    count = len(next(iter(columns.values())))
    empty: list[str | None] = [None] * count
    frame = pd.DataFrame(
        {"number": [str(i) for i in range(count)], "cents": empty, "kind": empty, **columns},
        dtype=object,
    )
    return ae.Extract(**extract(), loan=frame)


@pytest.mark.parametrize(
    ("cell", "is_number"),
    [
        *[(text, True) for text in ("0", "7", "-7", str(2**63 - 1), str(-(2**63)), " 12 ")],
        *[(text, False) for text in ("-0", "+1", "007", "1.0", "1e5", "٣", "1 2", "x", "--1")],
        *[(text, False) for text in (str(2**63), str(-(2**63) - 1), "1" * 400)],
    ],
)
def test_a_whole_number_is_what_text_gives_back_unchanged_in_64_bits(
    cell: str, *, is_number: bool
) -> None:
    found = faults(loans(cents=[cell, None]), LOANS)
    assert found == ([] if is_number else [("loan", "cents", "invalid_cents", "value", [0])])


def test_text_that_a_lookup_lists_has_the_length_of_the_list() -> None:
    found = faults(loans(kind=["short", "longer", None]), LOANS)
    assert found == [("loan", "kind", "too_long", "value", [1])]


def test_a_cell_emptied_by_a_cleaner_is_told_as_emptied() -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.city": lambda values: values.str[:0]})
    assert faults(extract(ADA), model) == [("borrower", "city", "emptied", "address", [0])]


def test_a_rule_uses_the_label_of_its_column() -> None:
    class Borrower(borrower.Borrower):
        id: Series[str] = column(label="number")

    model = ae.BORROWER_MODEL.replace(sources=[Borrower])
    assert faults(extract({**ADA, "id": None}, BO, BO), model) == [
        ("borrower", "id", "duplicate_number", "row", [2]),
        ("borrower", "id", "missing_number", "row", [0]),
    ]


def test_rows_are_sorted_by_several_columns_and_equal_neighbours_are_told() -> None:
    words = pd.Series(["b", "a", "b", "é", "B", "b"])
    order, same = sort_rows([words])
    assert order.tolist() == [4, 1, 0, 2, 5, 3]
    assert same.tolist() == [False, False, False, True, True, False]
    order, same = sort_rows([pd.Series([1, 0, 1, 0, 1, 1]), words])
    assert order.tolist() == [1, 3, 4, 0, 2, 5]
    assert same.tolist() == [False, False, False, False, True, True]
    order, same = sort_rows([pd.Series([], dtype="int64"), pd.Series([], dtype=object)])
    assert (order.tolist(), same.tolist()) == ([], [])
