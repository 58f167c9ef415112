"""A cell with an Excel error, or a formula without a stored value, is a reject and not missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aspen_etl.schema import Extract
from tests.support.workbooks import BORROWER, row, sheet, table


def faults(extract: Extract) -> list[tuple[Any, ...]]:
    return list(extract.faults.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="e"><v>#SPILL!</v></c>', "#SPILL!"),
        ("<c t='e'><v>#REF!</v></c>", "#REF!"),
        ('<c t="e"><v>Err:502</v></c>', "Err:502"),
        ("<c><f>B2&amp;C2</f></c>", "=B2&C2"),
        ("<c><f>1+1</f><v/></c>", "=1+1"),
        ("<c><f>1+1</f><v></v></c>", "=1+1"),
        ('<c><f t="shared" si="0"/></c>', "="),
        ('<c><f t="shared" ref="B2:B3" si="0">A2</f><v></v></c>', "=A2"),
        ('<c t="str"><f>TODAY()</f></c>', "=TODAY()"),
        ("<c><v></v><f>2+2</f></c>", "=2+2"),
    ],
)
def test_a_cell_without_text_is_a_fault(
    read: Callable[..., Extract], cell: str, value: str
) -> None:
    extract = read({"borrower": table(["1", "Ann"], ["2", cell, "street"])})
    assert faults(extract) == [("borrower", 3, "full_name", value, "excel_error")]
    assert extract["borrower"]["full_name"].isna().tolist() == [False, True]


@pytest.mark.parametrize("text", ['say "e" and <f>', '"e"', "<f>", "#N/A", "=1+1"])
def test_text_that_looks_like_a_fault_is_text(read: Callable[..., Extract], text: str) -> None:
    extract = read({"borrower": table(["1", text])})
    assert faults(extract) == []
    assert extract["borrower"]["full_name"].tolist() == [text]


def test_a_row_of_nothing_but_a_fault_is_a_row(read: Callable[..., Extract]) -> None:
    rows = row(1, BORROWER) + row(2, ["1"]) + row(7, [None, "<c><f>A2</f></c>"])
    extract = read({"borrower": sheet(rows)})
    assert extract["borrower"].index.tolist() == [2, 3, 4, 5, 6, 7]
    assert faults(extract) == [("borrower", 7, "full_name", "=A2", "excel_error")]


def test_a_fault_in_a_column_left_out_is_left_out(read: Callable[..., Extract]) -> None:
    xml = table(["1"] + [None] * 8 + ['<c t="e"><v>#N/A</v></c>'], header=[*BORROWER, "note"])
    assert faults(read({"borrower": xml}, ignore_columns=["note"])) == []


def test_a_fault_keeps_its_place_where_cells_go_without_names(read: Callable[..., Extract]) -> None:
    cells = "".join(f'<c t="str"><v>{name}</v></c>' for name in BORROWER)
    rows = f'<row>{cells}</row><row/><row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row>'
    extract = read({"borrower": sheet(rows)})
    assert faults(extract) == [("borrower", 3, "full_name", "#N/A", "excel_error")]


def test_hidden_rows_and_merged_cells_are_counted(read: Callable[..., Extract]) -> None:
    rows = (
        row(1, BORROWER)
        + row(2, ["1"], ' hidden="1"')
        + row(3, ["2"])
        + row(4, ["3"], " hidden='true'")
    )
    merged = '<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="A5:B5"/></mergeCells>'
    plain = rows.replace("'", '"')
    for each in (rows, plain):
        extract = read({"borrower": sheet(each + '<row r="9" hidden="1"/>', merged)})
        assert extract.notes == {"borrower": {"hidden_rows": 2, "merged_cells": 2}}
