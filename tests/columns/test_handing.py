"""Text is handed out as the caller's pandas holds it, whatever holds it inside."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl import borrower, transform
from aspen_etl.columns.frames import held_frames
from aspen_etl.columns.handing import as_given, handed, takes_held
from aspen_etl.columns.text import HANDED_TEXT, TEXT, conform_text
from aspen_etl.schema import Rule
from tests.transform.sheets import ADA, BO, extract

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")


def dtypes_of(frame: pd.DataFrame) -> Iterator[Any]:
    return (dtype for dtype in frame.dtypes if dtype in (TEXT, HANDED_TEXT, "string"))


def text(*cells: Any) -> pd.Series:
    return conform_text(pd.Series(cells, dtype=object))


HOME = {"street": "1 Main St", "city": "Ames", "state": "IA", "zip_code": "50010"}


def given() -> ae.Extract:
    return extract({**ADA, **HOME, "email": "ada@example.org"}, {**BO, "email": "x"})


def test_a_run_hands_out_text_of_the_callers_pandas() -> None:
    result = ae.normalize(given(), run=RUN)
    again = pickle.loads(pickle.dumps(result.snapshot))  # noqa: S301 - our own
    handed_out = [
        result.rejects,
        *given().values(),
        *result.tables.values(),
        *again.tables.values(),
        *(state.given for state in result.snapshot.keys.values()),
        *(state.given for state in again.keys.values()),
        *(getattr(found, name) for found in result.changes.values() for name in found.counts),
        *ae.denormalize(result.tables).values(),
        *ae.validate(result.tables, model=ae.BORROWER_MODEL).values(),
        *ae.split(result.tables, model=ae.BORROWER_MODEL).valid.values(),
    ]
    found = {dtype for frame in handed_out for dtype in dtypes_of(frame)}
    assert found == {HANDED_TEXT}


def test_what_is_handed_out_is_its_owners() -> None:
    tables = ae.normalize(given(), run=RUN).tables
    before = pickle.loads(pickle.dumps(tables))  # noqa: S301 - our own
    tables["address"].loc[0, "city"] = "Rome"
    assert tables["address"].loc[0, "city"] == "Rome"
    assert held_frames(tables)["address"] is tables["address"]
    assert not tables.equals(before)


def test_whether_it_was_handed_out_makes_no_difference() -> None:
    one, two = ae.normalize(given(), run=RUN), ae.normalize(given(), run=RUN)
    assert len(two.tables["address"]) == len(list(two.changes["email"].inserted.index))
    assert list(two.snapshot.keys["email"].given) == list(one.snapshot.keys["email"].given)
    assert one.equals(two)
    assert two.equals(one)
    assert ae.diff(one.tables, two.tables).is_empty
    later = ae.normalize(given(), run=RUN, previous=two.snapshot)
    assert later.equals(one)


def test_functions_of_a_model_take_text_of_its_writers_pandas() -> None:
    seen: list[Any] = []

    def clean(values: pd.Series) -> pd.Series:
        seen.append(values.dtype)
        return values.str.upper()

    def look(sheet: transform.Sheet) -> pd.Series:
        seen.extend(dtypes_of(sheet.clean))
        seen.extend(dtypes_of(sheet.raw))
        return sheet.clean["city"] == "Nowhere"

    def address(borrower: pd.DataFrame, role_profile_rows: pd.DataFrame) -> pd.DataFrame:
        seen.extend(dtypes_of(borrower))
        seen.extend(dtypes_of(role_profile_rows))
        parts = borrower[list(HOME)][borrower["street"].notna()]
        return parts.assign(role_profile_id=parts.index)

    def classify(emails: pd.Series) -> pd.Series:
        seen.append(emails.dtype)
        return emails.str.partition("@")[2]

    model = ae.borrower_model(classify_email=classify).replace(
        cleaners={"borrower.city": clean},
        builders={"address": address},
        rules={"borrower": [Rule("own", "row", ("city",), look)]},
    )
    result = ae.normalize(given(), run=RUN, model=model)
    assert result.tables["address"]["city"].str.isupper().all()
    assert len(seen) > len(HOME)
    assert set(seen) == {HANDED_TEXT}


@pytest.mark.parametrize(
    "clean",
    [
        borrower.lower_case,
        borrower.pad_zip_code,
        borrower.split_full_name,
        transform.clean_white_space,
        transform.cut_fraction,
        transform.drop_float_noise,
    ],
)
def test_a_function_of_ours_gives_text_as_it_got_it(clean: Any) -> None:
    cells = ["Ada  Lovelace", "6705", "0.30000000000000004", None]
    for values in (text(*cells), handed(text(*cells))):
        found = clean(values)
        kinds = {found.dtype} if isinstance(found, pd.Series) else set(found.dtypes)
        assert kinds == {values.dtype}


def test_steps_taken_one_by_one_hand_out_text_of_the_callers_pandas() -> None:
    model = ae.BORROWER_MODEL
    sheets = transform.clean(given(), model)
    verdicts = transform.judge(sheets, model)
    accepted = transform.gather(sheets, verdicts)
    rows = transform.assemble(accepted, model)
    frames = [*accepted.values(), *rows.values(), *(sheet.clean for sheet in sheets.values())]
    frames += [sheet.raw for sheet in sheets.values()]
    frames.append(transform.list_rejects(sheets, verdicts, model))
    assert {dtype for frame in frames for dtype in dtypes_of(frame)} == {HANDED_TEXT}
    settled = transform.settle(given(), model, ae.schema.Held(), "delete")
    assert set(dtypes_of(settled.accepted["borrower"])) == {HANDED_TEXT}


def test_only_marked_functions_take_what_is_held() -> None:
    values = text("a", None)
    assert as_given(len, values).dtype == HANDED_TEXT
    assert as_given(takes_held(lambda column: column), values).dtype == TEXT
    assert as_given(len, values).tolist()[0] == "a"
