"""The rejects are one tidy frame that any text column can hold."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.schema.snapshot import REJECTS, UNREADABLE
from aspen_etl.transform.cleaning import clean
from aspen_etl.transform.judging import judge
from aspen_etl.transform.reporting import list_rejects
from tests.transform.sheets import ADA, BO, extract, rows


def rejects(given: ae.Extract) -> pd.DataFrame:
    sheets = clean(given, ae.BORROWER_MODEL)
    return list_rejects(sheets, judge(sheets, ae.BORROWER_MODEL), ae.BORROWER_MODEL)


def test_there_are_the_same_columns_and_dtypes_with_and_without_rejects() -> None:
    none, one = rejects(extract(ADA)), rejects(extract({**ADA, "email": "x"}))
    assert list(none.columns) == list(one.columns) == list(REJECTS)
    assert (
        none.dtypes.tolist()
        == one.dtypes.tolist()
        == [spec.held_dtype for spec in REJECTS.values()]
    )
    assert (len(none), len(one)) == (0, 1)


def test_they_are_ordered_by_sheet_row_column_and_rule() -> None:
    given = extract(
        {**BO, "email": "x\0", "phone_cell": "x", "phone_home": "x"},
        {**BO, "id": None, "full_name": None, "phone_cell": "5550100"},
        roles=(("nobody", None),),
    )
    assert rows(rejects(given)[["source", "row", "column", "rule"]]) == [
        ["borrower", 2, "phone_home", "invalid_phone"],
        ["borrower", 2, "phone_cell", "invalid_phone"],
        ["borrower", 2, "email", "invalid_email"],
        ["borrower", 2, "email", "invalid_text"],
        ["borrower", 3, "id", "missing_id"],
        ["borrower", 3, "full_name", "missing_name"],
        ["role_profile", 2, "borrower_id", "unknown_borrower"],
        ["role_profile", 2, "role_profile", "missing_role"],
    ]


def test_a_reject_holds_the_cell_and_the_row_as_they_were_read() -> None:
    given = extract({**BO, "id": " b ", "email": " é\u2028\0/\\ "}, roles=((" b ", None),))
    found = rejects(given)
    assert rows(found[["subject", "value"]]) == [
        ["b", " é\u2028\\x00/\\ "],
        ["b", " é\u2028\\x00/\\ "],
        ["b", None],
    ]
    assert json.loads(found["record"].iloc[0]) == {**BO, "id": " b ", "email": " é\u2028\0/\\ "}
    assert json.loads(found["record"].iloc[2]) == {"borrower_id": " b ", "role_profile": None}
    assert found["record"].map(str.isascii).all()


def test_a_cell_that_holds_no_text_stands_in_value_and_record() -> None:
    faults = pd.DataFrame(
        [("borrower", 2, "city", "#N/A", "excel_error")],
        columns=["source", "row", "column", "value", "rule"],
    )
    given = extract({**ADA, "city": None, "street": "\ud800"})
    both = ae.Extract.from_frames(given, faults=pd.concat([faults, given.faults]))
    found = rejects(both)
    assert rows(found[["column", "value", "rule", "scope"]]) == [
        ["street", "\\ud800", "invalid_text", "address"],
        ["city", "#N/A", "excel_error", "address"],
    ]
    record = json.loads(found["record"].iloc[0])
    assert record == {**ADA, "city": "#N/A", "street": "\ud800"}


@pytest.mark.parametrize("rule", UNREADABLE)
@pytest.mark.parametrize(
    ("column", "scope"), [("id", "row"), ("city", "address"), ("email", "value")]
)
def test_an_unreadable_cell_is_rejected_in_the_scope_of_its_cell(
    rule: str, column: str, scope: str
) -> None:
    faults = pd.DataFrame(
        [("borrower", 2, column, "1e400", rule)],
        columns=["source", "row", "column", "value", "rule"],
    )
    found = rejects(ae.Extract.from_frames(extract({**ADA, column: None}), faults=faults))
    assert rows(found[["row", "column", "value", "rule", "scope"]]) == [
        [2, column, "1e400", rule, scope]
    ]


def test_the_rules_of_unreadable_cells_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/rejects.md").read_text()
    assert [rule for rule in UNREADABLE if f"| `{rule}` (" in page] == list(UNREADABLE)


def test_an_id_that_holds_no_text_is_told_escaped() -> None:
    found = rejects(extract({**BO, "id": "b\ud800"}))
    assert rows(found[["subject", "value"]]) == [["b\\ud800", "b\\ud800"]]


def test_an_empty_cell_has_no_value_and_stands_in_the_record_as_it_was_read() -> None:
    found = rejects(extract({**ADA, "id": ""}))
    assert found["value"].isna().all()
    assert json.loads(found["record"].iloc[0])["id"] == ""
