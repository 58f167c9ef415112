"""The real workbook: every count, and each defect that earlier pipelines showed on it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

import aspen_etl as ae

RUN = ae.Run(time=dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc), actor="tests")


pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def extract(workbook: Path) -> ae.Extract:
    return ae.read_extract(str(workbook))


@pytest.fixture(scope="module")
def result(extract: ae.Extract) -> ae.NormalizeResult:
    return ae.normalize(extract, run=RUN)


def test_every_table_has_the_rows_that_the_workbook_gives(result: ae.NormalizeResult) -> None:
    assert {name: len(frame) for name, frame in result.tables.items()} == {
        "user_profile": 1_000,
        "user": 1_000,
        "role_profile_type": 2,
        "role_profile": 1_000,
        "phone_number_type": 2,
        "phone_number": 1_461,
        "email_type": 1,
        "email": 683,
        "address": 1_000,
    }


def test_nothing_is_rejected(result: ae.NormalizeResult) -> None:
    assert result.rejects.empty
    assert {
        name: (source.rows, source.blank, source.accepted, source.rejected)
        for name, source in result.summary.sources.items()
    } == {"borrower": (1_000, 0, 1_000, 0), "role_profile": (1_000, 0, 1_000, 0)}


def test_what_is_read_comes_back(extract: ae.Extract, result: ae.NormalizeResult) -> None:
    back = ae.denormalize(result.tables)
    for name, key in (("borrower", ["id"]), ("role_profile", ["borrower_id", "role_profile"])):
        expected = extract[name].copy()
        if name == "borrower":
            expected["zip_code"] = expected["zip_code"].str.zfill(5)
        else:
            expected["role_profile"] = expected["role_profile"].str.lower()
        expected = expected[list(back[name].columns)].sort_values(key).reset_index(drop=True)
        pd.testing.assert_frame_equal(
            back[name].reset_index(drop=True), expected, check_column_type=False
        )


# ------------------------------------------------------------------- the defects, one by one


def test_all_zip_codes_have_five_digits_and_44_a_leading_zero(result: ae.NormalizeResult) -> None:
    codes = result.tables["address"]["zip_code"].tolist()
    assert [code for code in codes if not re.fullmatch(r"[0-9]{5}", code)] == []
    assert sum(code.startswith("0") for code in codes) == 44
    # 42 of them are text in the workbook; the other two are numbers, which lost their zero.
    assert result.summary.sources["borrower"].repairs == {"zip_code": 2}


def test_surnames_of_several_words_are_whole(
    extract: ae.Extract, result: ae.NormalizeResult
) -> None:
    profiles = result.tables["user_profile"]
    names = profiles["first_name"] + " " + profiles["last_name"]
    read = extract["borrower"].set_index("id")["full_name"]
    assert names.tolist() == read[profiles["user_profile_id"].tolist()].tolist()
    assert profiles["last_name"].str.contains(" ").sum() == 9
    assert "Degli Antoni" in set(profiles["last_name"])


def test_all_nine_tables_are_there_and_no_contact_is_left_inside_another(
    result: ae.NormalizeResult,
) -> None:
    audit = ["created", "created_by", "updated", "updated_by"]
    assert {name: list(frame.columns) for name, frame in result.tables.items()} == {
        "user_profile": ["user_profile_id", "first_name", "last_name", *audit],
        "user": ["user_id", "user_profile_id", *audit],
        "role_profile_type": ["role_profile_type_id", "type", *audit],
        "role_profile": ["role_profile_id", "user_id", "role_profile_type_id", *audit],
        "phone_number_type": ["phone_number_type_id", "type", *audit],
        "phone_number": [
            *("phone_number_id", "role_profile_id", "phone_number_type_id", "value", *audit)
        ],
        "email_type": ["email_type_id", "type", *audit],
        "email": ["email_id", "role_profile_id", "email_type_id", "value", *audit],
        "address": [
            *("address_id", "role_profile_id", "street", "city", "state", "zip_code", *audit)
        ],
    }


def test_the_lookup_tables_list_each_type_once(result: ae.NormalizeResult) -> None:
    listed = {
        name: frame.iloc[:, :2].to_numpy().tolist()
        for name, frame in result.tables.items()
        if name.endswith("_type")
    }
    assert listed == {
        "role_profile_type": [[1, "borrower"], [2, "co-borrower"]],
        "phone_number_type": [[1, "cell"], [2, "home"]],
        "email_type": [[1, "email"]],
    }


def test_another_order_of_rows_gives_every_borrower_the_same_keys(
    extract: ae.Extract, result: ae.NormalizeResult
) -> None:
    shuffled = {name: frame.sample(frac=1, random_state=7) for name, frame in extract.items()}
    other = ae.normalize(ae.Extract(**shuffled), run=RUN)
    assert other.snapshot.equals(result.snapshot)


def test_every_row_is_created_at_the_time_of_the_run_that_was_given(
    result: ae.NormalizeResult,
) -> None:
    for frame in result.tables.values():
        assert set(frame["created"]) == {pd.Timestamp("2026-01-31 12:00", tz="UTC")}
        assert set(frame["created_by"]) == {"tests"}
        assert frame[["updated", "updated_by"]].isna().all(axis=None)


def test_csv_files_have_no_column_without_a_name(
    result: ae.NormalizeResult, tmp_path: Path
) -> None:
    ae.write_tables(result.tables, str(tmp_path), rejects=result.rejects)
    headers = {
        path.stem: path.read_text("utf-8").split("\n", 1)[0] for path in tmp_path.glob("*.csv")
    }
    assert headers == {
        name: ",".join(frame.columns)
        for name, frame in {**result.tables, "rejects": result.rejects}.items()
    }


def test_every_email_address_fits(extract: ae.Extract, result: ae.NormalizeResult) -> None:
    values = result.tables["email"]["value"]
    assert sorted(values) == sorted(extract["borrower"]["email"].dropna())
    assert (values.str.len() > 20).sum() == 420
    assert values.str.len().max() <= 254


def test_the_sheets_hold_what_the_contract_says_of_them(extract: ae.Extract) -> None:
    missing = extract["borrower"].isna().sum()
    assert missing[missing > 0].to_dict() == {
        "street": 317,
        "phone_home": 317,
        "phone_cell": 222,
        "email": 317,
    }
    words = extract["borrower"]["full_name"].str.count(" ") + 1
    assert (words > 2).sum() == 9
