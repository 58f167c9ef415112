"""`normalize` gives tables, rejects and counts; `denormalize` is its inverse; `verify` proves."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns import threads
from aspen_etl.errors import NotSupportedError, ProofError
from aspen_etl.normalization import RejectCount, SourceSummary, Summary
from aspen_etl.schema import Builder, KeyState
from aspen_etl.transform import accepting
from aspen_etl.transform.reporting import list_rejects
from tests.transform.sheets import ADA, BO, COLUMNS, RUN, extract, rows

GIVEN = extract(
    {**BO, "email": "none"},
    dict.fromkeys(COLUMNS),
    {**ADA, "full_name": " Ada  Degli Antoni"},
    {**ADA, "id": None},
    roles=(("a", "X"), ("nobody", "x")),
)


def test_the_summary_counts_by_sheet_rule_and_table() -> None:
    summary = ae.normalize(GIVEN, run=RUN).summary
    every = dict.fromkeys(COLUMNS, 2)
    assert summary == Summary(
        sources={
            "borrower": SourceSummary(
                3,
                1,
                2,
                1,
                {"zip_code": 2},
                {**every, "full_name": 3, "email": 3},
                {**dict.fromkeys(COLUMNS[1:], 1), "email": 2},
            ),
            "role_profile": SourceSummary(
                2,
                0,
                1,
                1,
                {"role_profile": 1},
                {"borrower_id": 2, "role_profile": 2},
                {"borrower_id": 1, "role_profile": 1},
            ),
        },
        rejects=(
            RejectCount("borrower", "id", "missing_id", "row", 1),
            RejectCount("borrower", "email", "invalid_email", "value", 1),
            RejectCount("role_profile", "borrower_id", "unknown_borrower", "row", 1),
        ),
        tables={
            "user_profile": 2,
            "user": 2,
            "role_profile_type": 1,
            "role_profile": 2,
            "phone_number_type": 2,
            "phone_number": 2,
            "email_type": 1,
            "email": 1,
            "address": 1,
        },
    )
    assert json.loads(json.dumps(summary.to_dict()))["sources"]["borrower"]["rows"] == 3


def test_the_notes_of_the_reader_stand_in_the_summary() -> None:
    noted = ae.Extract.from_frames(GIVEN, notes={"borrower": {"hidden_rows": 3}})
    assert ae.normalize(noted, run=RUN).summary.sources["borrower"].notes == {"hidden_rows": 3}


def test_denormalize_gives_the_clean_sheets_less_what_was_rejected() -> None:
    back = ae.denormalize(ae.normalize(GIVEN, run=RUN).tables)
    assert {name: rows(frame) for name, frame in back.items()} == {
        "borrower": [
            [
                *("a", "Ada Degli Antoni", "1 Main St", "Turin", "MA", "02138"),
                *("5550100", "5550101", "a@b"),
            ],
            ["b", "Bo", *[None] * 7],
        ],
        "role_profile": [["a", "x"]],
    }


def test_what_was_given_back_is_normalized_to_the_same() -> None:
    first = ae.normalize(GIVEN, run=RUN)
    again = ae.normalize(ae.denormalize(first.tables), run=RUN)
    assert again.snapshot.equals(first.snapshot)
    assert again.rejects.empty


def test_an_empty_extract_gives_empty_tables() -> None:
    result = ae.normalize(extract(), run=RUN)
    assert {len(frame) for frame in result.tables.values()} == {0}
    assert result.rejects.empty
    assert {name: len(frame) for name, frame in ae.denormalize(result.tables).items()} == {
        "borrower": 0,
        "role_profile": 0,
    }


def test_results_are_equal_by_tables_keys_and_rejects() -> None:
    one = ae.normalize(GIVEN, run=RUN)
    assert one.equals(ae.normalize(GIVEN, run=RUN))
    assert not one.equals(ae.normalize(extract(ADA), run=RUN))
    assert not one.equals(dataclasses.replace(one, rejects=one.rejects.iloc[1:]))


def test_the_type_of_an_email_can_be_given() -> None:
    model = ae.borrower_model(classify_email=lambda emails: emails.str.partition("@")[2])
    result = ae.normalize(extract(ADA, {**BO, "email": "b@a"}), model=model, run=RUN)
    assert result.tables["email_type"]["type"].tolist() == ["a", "b"]
    assert rows(result.tables["email"].iloc[:, 1:4]) == [[1, 2, "a@b"], [2, 1, "b@a"]]


def test_what_becomes_of_absent_rows_has_two_words() -> None:
    with pytest.raises(NotSupportedError, match="use 'delete' or 'keep'"):
        ae.normalize(GIVEN, run=RUN, missing="ignore")  # type: ignore[arg-type]


def test_accounts_that_do_not_add_up_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def list_less(*given: Any) -> pd.DataFrame:
        return list_rejects(*given).iloc[1:]

    monkeypatch.setattr(accepting, "list_rejects", list_less)
    with pytest.raises(ProofError) as caught:
        ae.normalize(extract({**BO, "id": None}), run=RUN)
    assert str(caught.value) == (
        "the accounts of 'borrower' do not add up: 1 rows in, 0 accepted, 1 rejected, 0 listed; "
        "nothing may be committed: this is a fault of the library"
    )


# ------------------------------------------------------------------------- verify


def test_a_result_verifies_and_one_of_another_extract_or_run_does_not() -> None:
    result = ae.normalize(GIVEN, run=RUN)
    ae.verify(result, GIVEN, run=RUN)
    with pytest.raises(ProofError):
        ae.verify(result, extract(ADA), run=RUN)
    with pytest.raises(ProofError) as caught:
        ae.verify(result, GIVEN, run=ae.Run(time=RUN.time, actor="somebody"))
    assert caught.value.details["column"] == "created_by"


def changed(result: ae.NormalizeResult, **parts: Any) -> ae.NormalizeResult:
    return dataclasses.replace(result, **parts)


def test_a_changed_key_state_is_found() -> None:
    result = ae.normalize(GIVEN, run=RUN)
    keys = dict(result.snapshot.keys)
    for other in (
        KeyState(9, keys["user"].given),
        KeyState(keys["user"].next, keys["user"].given.iloc[1:]),
    ):
        snapshot = ae.Snapshot(result.tables, {**keys, "user": other})
        with pytest.raises(ProofError) as caught:
            ae.verify(changed(result, snapshot=snapshot), GIVEN, run=RUN)
        assert caught.value.details["table"] == "user"


def test_changed_rejects_and_counts_are_found() -> None:
    result = ae.normalize(GIVEN, run=RUN)
    for other in (
        changed(result, rejects=result.rejects.iloc[1:]),
        changed(result, rejects=result.rejects.assign(rule="other")),
        changed(result, summary=dataclasses.replace(result.summary, rejects=())),
    ):
        with pytest.raises(ProofError):
            ae.verify(other, GIVEN, run=RUN)


def test_a_table_with_a_column_less_is_found() -> None:
    result = ae.normalize(GIVEN, run=RUN)
    tables = ae.Tables({**result.tables, "user": result.tables["user"].drop(columns="user_id")})
    broken = changed(result, snapshot=ae.Snapshot(tables, result.snapshot.keys))
    with pytest.raises(ProofError) as caught:
        ae.verify(broken, GIVEN, run=RUN)
    assert (caught.value.details["table"], caught.value.details["column"]) == ("user", "user_id")


def test_frames_of_any_dtypes_give_the_same_result() -> None:
    borrower = pd.DataFrame(
        {
            **{name: [None, None] for name in COLUMNS},
            "id": [2, 1],
            "full_name": pd.Categorical(["Bo", "Ada"]),
            "city": ["Turin", None],
            "state": ["MA", None],
            "zip_code": [2138.0, None],
        }
    )
    roles = pd.DataFrame({"borrower_id": [1], "role_profile": [True]})
    result = ae.normalize(ae.Extract(borrower=borrower, role_profile=roles), run=RUN)
    assert result.rejects.empty
    assert rows(result.tables["address"].iloc[:, 2:6]) == [[None, "Turin", "MA", "02138"]]
    assert result.tables["user_profile"]["user_profile_id"].tolist() == ["1", "2"]
    assert result.tables["role_profile_type"]["type"].tolist() == ["true"]


def test_what_does_not_fit_is_told_without_what_the_proof_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(borrower: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {"user_profile_id": borrower["id"], "first_name": "x" * 129, "last_name": ""}
        )

    def prove(*_: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr(threads, "_MANY_ROWS", 0)
    monkeypatch.setattr(threads, "_cores", lambda: 2)
    monkeypatch.setattr(accepting, "prove", prove)
    builders = {"user_profile": Builder(build, lambda rows: {"full_name": rows["first_name"]})}
    model = ae.BORROWER_MODEL.replace(builders=builders)
    with pytest.raises(ae.errors.ValidationError, match="first_name: length") as caught:
        ae.normalize(extract(ADA), model=model, run=RUN)
    assert caught.value.__context__ is None


def test_who_writes_into_a_frame_of_the_result_changes_no_other() -> None:
    given = extract(ADA, BO, roles=(("a", "x"), ("b", "y")))
    plain = ae.normalize(given, run=RUN)
    frames = [("table", name) for name in plain.tables] + [("keys", k) for k in plain.snapshot.keys]
    for kind, name in frames:
        result = ae.normalize(given, run=RUN)
        held = result.tables[name] if kind == "table" else result.snapshot.keys[name].given
        for column in held.columns:
            held.loc[0, column] = held[column].iloc[-1]
        assert _frames(result, but=(kind, name)) == _frames(plain, but=(kind, name))
    assert _frames(ae.normalize(given, run=RUN)) == _frames(plain)


def _frames(result: ae.NormalizeResult, but: tuple[str, str] = ("", "")) -> dict[str, Any]:
    found = {("table", name): frame for name, frame in result.tables.items()}
    found.update({("keys", name): s.given for name, s in result.snapshot.keys.items()})
    for name, each in result.changes.items():
        found[("changes", name)] = each.inserted
    return {str(key): rows(frame) for key, frame in found.items() if key != but}
