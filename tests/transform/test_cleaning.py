"""Sheets are brought to the model's columns, blank rows are counted, cells are clean."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ExtractError
from aspen_etl.transform.cleaning import clean
from tests.support.refusals import Kind, refused
from tests.transform.sheets import ADA, BO, COLUMNS, extract, rows

MODEL = ae.BORROWER_MODEL


def with_cleaner(column: str, cleaner: Callable[[pd.Series], Any]) -> ae.Model:
    return MODEL.replace(cleaners={column: cleaner})


def test_cells_are_clean_and_stay_as_read_beside() -> None:
    found = clean(extract({**ADA, "full_name": " Ada \u00a0 Bo ", "zip_code": "2138.0"}), MODEL)
    borrower = found["borrower"]
    assert rows(borrower.raw[["full_name", "zip_code"]]) == [[" Ada \u00a0 Bo ", "2138.0"]]
    assert rows(borrower.clean[["full_name", "zip_code"]]) == [["Ada Bo", "02138"]]
    assert borrower.repairs == {"zip_code": 1}


def test_blank_rows_are_counted_and_the_numbers_of_the_others_stay() -> None:
    blank: dict[str, Any] = dict.fromkeys(COLUMNS)
    given = extract(blank, ADA, {**blank, "city": " \t\u3000"}, BO)
    found = clean(given, MODEL)["borrower"]
    assert (found.blank, found.rows.tolist()) == (2, [3, 5])
    assert found.clean["id"].tolist() == ["a", "b"]


def test_a_row_with_nothing_but_a_cell_that_holds_no_text_is_not_blank() -> None:
    blank: dict[str, Any] = dict.fromkeys(COLUMNS)
    found = clean(extract({**blank, "city": "\ud800"}), MODEL)["borrower"]
    assert (found.blank, len(found.clean)) == (0, 1)
    assert (found.present("city") & ~found.usable["city"]).tolist() == [True]
    assert found.present("state").tolist() == [False]


def test_headers_match_whatever_their_case_order_and_white_space() -> None:
    given = extract(ADA)
    turned = given["borrower"].iloc[:, ::-1].rename(columns=lambda name: f" {name.upper()}\u00a0")
    found = clean(ae.Extract(borrower=turned, role_profile=given["role_profile"]), MODEL)
    assert list(found["borrower"].clean.columns) == COLUMNS
    assert rows(found["borrower"].raw) == [list(ADA.values())]


def test_a_fault_is_found_under_the_header_that_was_read() -> None:
    given = extract({**ADA, "city": "\ud800"})
    turned = extract({**ADA, "city": "\ud800"})["borrower"]
    assert turned["city"].isna().all()
    frames = {
        "borrower": pd.DataFrame([{**ADA, "city": "\ud800"}], dtype=object).rename(
            columns={"city": " City "}
        ),
        "role_profile": given["role_profile"],
    }
    found = clean(ae.Extract(**frames), MODEL)["borrower"]
    assert (found.present("city") & ~found.usable["city"]).tolist() == [True]


@pytest.mark.parametrize(
    ("frames", "error", "text"),
    [
        ({"borrower": None}, ExtractError, "the extract has no 'borrower'; it has: role_profile"),
        (
            {"borower": pd.DataFrame()},
            ExtractError,
            (
                "the extract has 'borower', which is no source of the model and would be lost; "
                "did you mean 'borrower'?"
            ),
        ),
        (
            {"role_profile": pd.DataFrame({"borrower_id": []})},
            "missing_column",
            "no column 'role_profile'",
        ),
        (
            {"role_profile": pd.DataFrame({"borrower_id": [], "role_profile": [], "x": []})},
            "unknown_column",
            "the model has no column 'x'",
        ),
        (
            {
                "role_profile": pd.DataFrame(
                    [["a", "b", "c"]], columns=["borrower_id", "role_profile", "Role_Profile"]
                )
            },
            "duplicate_column",
            "role_profile stands there 2 times",
        ),
    ],
    ids=["missing", "unknown", "missing column", "unknown column", "column twice"],
)
def test_an_extract_of_another_form_is_refused(
    frames: dict[str, Any], error: Kind, text: str
) -> None:
    given = {k: v for k, v in {**extract(ADA), **frames}.items() if v is not None}
    with refused(error) as caught:
        clean(ae.Extract(**given), MODEL)
    assert text in str(caught.value)


def test_a_cleaner_gets_clean_cells_and_what_it_gives_is_cleaned_again() -> None:
    seen = []

    def cleaner(values: pd.Series) -> pd.Series:
        seen.extend(values.tolist())
        return values + "  x "

    found = clean(extract({**ADA, "city": "  New   York "}), with_cleaner("borrower.city", cleaner))
    assert seen == ["New York"]
    assert found["borrower"].clean["city"].tolist() == ["New York x"]


def test_a_cell_that_a_cleaner_empties_is_a_fault_and_not_missing() -> None:
    model = with_cleaner("borrower.city", lambda values: values.where(values != "Turin", ""))
    found = clean(extract(ADA, BO), model)["borrower"]
    assert (found.present("city") & ~found.usable["city"]).tolist() == [True, False]
    assert rows(found.clean[["city"]]) == [[None], [None]]


def test_a_cleaner_cannot_change_its_input() -> None:
    def cleaner(values: pd.Series) -> pd.Series:
        values.iloc[:] = "changed"
        return values

    given = extract(ADA)
    found = clean(given, with_cleaner("borrower.city", cleaner))["borrower"]
    assert (found.clean["city"].tolist(), found.raw["city"].tolist()) == (["changed"], ["Turin"])
    assert given["borrower"]["city"].tolist() == ["Turin"]


def test_a_cleaner_may_give_other_types_than_text() -> None:
    model = with_cleaner("borrower.city", lambda values: pd.Series(np.arange(len(values)) + 7))
    assert clean(extract(ADA), model)["borrower"].clean["city"].tolist() == ["7"]


def raising(values: pd.Series) -> pd.Series:
    raise ValueError(values.tolist())


@pytest.mark.parametrize(
    ("cleaner", "text"),
    [
        (
            raising,
            "the cleaner of borrower.city raised ValueError; run it alone to see why",
        ),
        (
            lambda values: values.tolist(),
            "the cleaner of borrower.city must give back a Series with the index that it got",
        ),
        (
            lambda values: values.iloc[:0],
            "the cleaner of borrower.city must give back a Series with the index that it got",
        ),
    ],
    ids=["raises", "no series", "fewer rows"],
)
def test_a_cleaner_that_fails_is_named_and_no_cell_is_shown(
    cleaner: Callable[[pd.Series], Any], text: str
) -> None:
    with refused("cleaner") as caught:
        clean(extract(ADA), with_cleaner("borrower.city", cleaner))
    assert str(caught.value) == text
    told = traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__)
    assert "Turin" not in "".join(told)
