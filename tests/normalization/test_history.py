"""Runs after runs: keys for good, honest audit columns, bad rows that delete nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.schema import Extract, Run, Snapshot, Tables
from tests.transform.sheets import ADA, BO, extract, rows


def run(day: int) -> Run:
    return Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor=f"day {day}")


def go_on(*extracts: Extract, missing: Any = "delete") -> list[ae.NormalizeResult]:
    """Normalize extracts one after the other, a day apart, and verify each."""
    out: list[ae.NormalizeResult] = []
    previous: Snapshot | None = None
    for day, given in enumerate(extracts, 1):
        history: Any = {"previous": previous, "missing": missing}
        out.append(ae.normalize(given, run=run(day), **history))
        ae.verify(out[-1], given, run=run(day), **history)
        previous = out[-1].snapshot
    return out


CY = {**BO, "id": "c", "full_name": "Cy"}
AA = {**BO, "id": "aa", "full_name": "Aa"}


def test_new_rows_get_the_next_numbers_and_old_ones_keep_theirs() -> None:
    *_, last = go_on(extract(ADA, BO), extract(AA, CY, BO, ADA))
    keys = rows(last.tables["user"].iloc[:, :2])
    assert keys == [[1, "a"], [2, "b"], [3, "aa"], [4, "c"]]
    assert last.snapshot.keys["user"].next == 5


def test_a_key_is_never_given_twice_and_a_row_that_returns_gets_its_old_one() -> None:
    _, gone, back = go_on(extract(ADA, BO), extract(ADA, CY), extract(ADA, BO))
    assert rows(gone.tables["user"].iloc[:, :2]) == [[1, "a"], [3, "c"]]
    assert rows(back.tables["user"].iloc[:, :2]) == [[1, "a"], [2, "b"]]
    created = back.tables["user"]["created_by"].tolist()
    assert created == ["day 1", "day 3"]
    assert back.snapshot.keys["user"].given["user_profile_id"].tolist() == ["a", "b", "c"]


def test_a_row_of_before_that_stays_is_validated_too() -> None:
    before = go_on(extract(ADA, BO))[0].snapshot
    address = before.tables["address"].assign(city="x" * 129)
    wrong = Snapshot(Tables({**before.tables, "address": address}), before.keys, before.time)
    rejected = {**ADA, "full_name": None}
    with pytest.raises(ae.errors.ValidationError, match=r"address\.city: length"):
        ae.normalize(extract(rejected, BO), run=run(2), previous=wrong)


def test_updated_moves_on_changed_rows_alone() -> None:
    _, second, third = go_on(
        extract(ADA, BO), extract({**ADA, "city": "Rome"}, BO), extract({**ADA, "city": "Rome"}, BO)
    )
    address = second.tables["address"]
    assert address["updated_by"].tolist() == ["day 2"]
    assert address["created_by"].tolist() == ["day 1"]
    assert second.tables["user_profile"]["updated"].isna().all()
    assert second.changes.counts["address"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert third.changes.is_empty
    assert third.snapshot.equals(second.snapshot)


def test_a_rejected_row_keeps_its_last_good_state_with_its_roles() -> None:
    role = (("a", "borrower"),)
    _, second = go_on(
        extract(ADA, BO, roles=role),
        extract({**ADA, "full_name": None}, BO, roles=(*role, ("a", "other"))),
    )
    assert second.changes.is_empty
    assert second.summary.sources["borrower"].kept == 1
    assert second.summary.sources["role_profile"].kept == 1
    assert second.rejects["rule"].tolist() == [
        "missing_name",
        "unknown_borrower",
        "unknown_borrower",
    ]


def test_absent_borrowers_go_or_stay_as_asked() -> None:
    before, after = extract(ADA, BO, roles=(("a", "borrower"),)), extract(BO)
    *_, gone = go_on(before, after)
    *_, stayed = go_on(before, after, missing="keep")
    assert gone.tables["user_profile"]["user_profile_id"].tolist() == ["b"]
    assert len(gone.tables["address"]) == 0
    assert stayed.changes.is_empty
    assert stayed.summary.sources["borrower"].stayed == 1
    assert stayed.summary.sources["role_profile"].stayed == 1


def test_lookup_rows_stay_when_nothing_refers_to_them() -> None:
    *_, last = go_on(extract(ADA, roles=(("a", "borrower"),)), extract(BO))
    assert rows(last.tables["role_profile_type"].iloc[:, :2]) == [[1, "borrower"]]
    assert last.tables["phone_number_type"]["type"].tolist() == ["cell", "home"]


def test_another_role_is_another_role_profile() -> None:
    _, second = go_on(extract(ADA), extract(ADA, roles=(("a", "borrower"),)))
    assert rows(second.tables["role_profile"].iloc[:, :3]) == [[2, 1, 1]]
    assert second.tables["address"]["address_id"].tolist() == [2]


def test_the_time_of_a_run_is_never_earlier_than_that_of_the_one_before() -> None:
    first = ae.normalize(extract(ADA), run=run(9))
    second = ae.normalize(extract(ADA, BO), run=run(1), previous=first.snapshot)
    assert second.tables["user"]["created"].nunique() == 1
    assert second.snapshot.time == run(9).time


@pytest.mark.parametrize("missing", ["delete", "keep"])
def test_another_order_of_rows_changes_nothing(missing: Any) -> None:
    given = extract(ADA, BO, CY, roles=(("a", "borrower"), ("b", "other")))
    turned = Extract.from_frames({name: frame.iloc[::-1] for name, frame in given.items()})
    _, second = go_on(given, turned, missing=missing)
    assert second.changes.is_empty
