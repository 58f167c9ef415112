"""Keys that an application drew are adopted, or told as a mismatch; audit columns are kept."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.schema.snapshot import ADOPTED_FROM, KeyState, Snapshot
from aspen_etl.transform.adopting import adopt, keep_audit
from aspen_etl.transform.keys import check_numbers
from tests.laws.typed_models import ENTITIES
from tests.support.adopted import Application, Frames, keys_of
from tests.transform.sheets import ADA, BO, RUN, extract, rows

MODEL = ae.BORROWER_MODEL
LATER = ae.Run(time=RUN.time + dt.timedelta(days=1), actor="application")
ROLES = (("a", "lender"), ("b", "lender"))


def first() -> Snapshot:
    return ae.normalize(extract(ADA, BO, roles=ROLES), run=RUN).snapshot


def tables_of(snapshot: Snapshot) -> Frames:
    return {name: frame.copy() for name, frame in snapshot.tables.items()}


def with_row(frame: pd.DataFrame, **cells: Any) -> pd.DataFrame:
    """Give a frame whose last row stands there again, with other cells."""
    more = frame.iloc[[-1]].assign(**cells).astype(frame.dtypes)
    return pd.concat([frame, more], ignore_index=True)


def mismatches(before: Snapshot, side: Frames) -> list[list[Any]]:
    return rows(adopt(before, side, MODEL).mismatches.astype(object))


# ----------------------------------------------------------------------------- adopted


def test_keys_of_new_rows_are_adopted_with_all_that_refers_to_them() -> None:
    before = first()
    new = {**BO, "id": "c", "phone_home": "5550103"}
    roles = (*ROLES, ("b", "broker"), ("c", "broker"))
    found = Application(MODEL, Random(1)).take(extract(ADA, BO, new, roles=roles), before, LATER)  # noqa: S311
    given = {name: state.given.iloc[:, 0] for name, state in found.previous.keys.items()}
    adopted = {name: int((keys >= ADOPTED_FROM).sum()) for name, keys in given.items()}
    assert {name: count for name, count in adopted.items() if count} == {
        "user": 1,
        "role_profile_type": 1,
        "role_profile": 2,
        "phone_number": 1,
    }
    later = ae.normalize(extract(ADA, BO, new, roles=roles), run=LATER, previous=found.previous)
    for name, frame in later.tables.items():
        key = MODEL.tables[name].primary_key
        assert frame[key].tolist() == found.tables[name][key].sort_values().tolist()


def test_who_says_nothing_new_leaves_the_very_same_snapshot() -> None:
    before = first()
    found = adopt(before, tables_of(before), MODEL)
    assert found.previous is before
    assert found.mismatches.empty
    assert adopt(before, {}, MODEL).previous is before


def test_an_adopted_key_is_there_for_good_also_before_anybody_takes_its_row() -> None:
    before, application = first(), Application(MODEL, Random(2))  # noqa: S311
    new = {**BO, "id": "c"}
    found = application.take(extract(ADA, BO, new, roles=ROLES), before, LATER)
    gone = ae.normalize(extract(ADA, BO, roles=ROLES), run=LATER, previous=found.previous)
    assert gone.changes.is_empty
    assert keys_of(gone.snapshot.keys["user"].given) == keys_of(found.previous.keys["user"].given)
    back = ae.normalize(extract(ADA, BO, new), run=LATER, previous=gone.snapshot)
    assert back.tables["user"]["user_id"].tolist() == [1, 2, ADOPTED_FROM]
    assert back.snapshot.keys["user"].next == 3


def test_keys_are_adopted_where_nothing_was_before() -> None:
    tables = Application(MODEL, Random(3)).write(extract(ADA, roles=ROLES[:1]), None, LATER)  # noqa: S311
    found = adopt(Snapshot(ae.Tables({}), {}), tables, MODEL)
    assert found.mismatches.empty
    assert {state.next for state in found.previous.keys.values()} == {1}
    made = ae.normalize(extract(ADA, roles=ROLES[:1]), run=RUN, previous=found.previous).snapshot
    assert made.tables["email"]["email_id"].tolist() == tables["email"]["email_id"].tolist()


# ----------------------------------------------------------------------------- mismatches


def test_a_row_that_was_inserted_again_under_a_new_key_is_a_mismatch_and_nothing_below_it() -> None:
    before = first()
    side = tables_of(before)
    for name in ("user", "role_profile"):
        side[name] = side[name].replace({"user_id": {1: ADOPTED_FROM + 7}})
    assert mismatches(before, side) == [["user", "a", 1, ADOPTED_FROM + 7]]
    assert adopt(before, side, MODEL).previous is before


def test_a_new_row_below_a_mismatch_is_adopted_under_our_key() -> None:
    before = first()
    side = tables_of(before)
    for name in ("user", "role_profile"):
        side[name] = side[name].replace({"user_id": {1: ADOPTED_FROM}})
    new = {"role_profile_id": ADOPTED_FROM, "user_id": ADOPTED_FROM, "role_profile_type_id": pd.NA}
    side["role_profile"] = with_row(side["role_profile"], **new)
    found = adopt(before, side, MODEL)
    assert len(found.mismatches) == 1
    assert keys_of(found.previous.keys["role_profile"].given)[1, None] == ADOPTED_FROM


def unknown(number: int, subject: str = "c") -> dict[str, Any]:
    return {"user_id": number, "user_profile_id": subject}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([unknown(3)], [["c", None, 3]]),  # below 2^40, and not ours
        (
            [unknown(ADOPTED_FROM), unknown(ADOPTED_FROM + 1)],
            [["c", None, ADOPTED_FROM], ["c", None, ADOPTED_FROM + 1]],
        ),
        (
            [unknown(ADOPTED_FROM), unknown(ADOPTED_FROM, "d")],
            [["c", None, ADOPTED_FROM], ["d", None, ADOPTED_FROM]],
        ),
        ([unknown(ADOPTED_FROM, " c")], [[" c", None, ADOPTED_FROM]]),
        ([unknown(ADOPTED_FROM, "c" * 129)], [["c" * 129, None, ADOPTED_FROM]]),
    ],
    ids=["below", "two of one", "one of two", "not clean", "too long"],
)
def test_what_cannot_be_adopted_is_a_mismatch(
    more: list[dict[str, Any]], expected: list[list[Any]]
) -> None:
    before = first()
    side = tables_of(before)
    for cells in more:
        side["user"] = with_row(side["user"], **cells)
    assert mismatches(before, side) == [["user", *each] for each in expected]
    assert adopt(before, side, MODEL).previous is before


def test_a_natural_key_that_was_changed_under_its_key_is_a_mismatch() -> None:
    before = first()
    side = tables_of(before)
    side["user"] = side["user"].replace({"user_profile_id": {"b": "c"}})
    assert mismatches(before, side) == [["user", "c", None, 2], ["role_profile", "c", None, 2]]


def test_a_key_given_to_another_natural_key_before_is_none_of_a_new_one() -> None:
    before, application = first(), Application(MODEL, Random(2))  # noqa: S311
    new = {**BO, "id": "c"}
    found = application.take(extract(ADA, BO, new, roles=ROLES), before, LATER)
    side = {**found.tables, "user": found.tables["user"].replace({"user_profile_id": {"c": "d"}})}
    side["role_profile"] = side["role_profile"].loc[side["role_profile"]["user_id"] < ADOPTED_FROM]
    assert mismatches(found.previous, side) == [["user", "d", None, ADOPTED_FROM]]


def test_what_hangs_on_what_has_no_key_of_ours_is_a_mismatch_of_the_same_subject() -> None:
    before = first()
    side = tables_of(before)
    side["user"] = with_row(side["user"], **unknown(3))
    new = {"role_profile_id": ADOPTED_FROM, "user_id": 3, "role_profile_type_id": pd.NA}
    side["role_profile"] = with_row(side["role_profile"], **new)
    expected = [["user", "c", None, 3], ["role_profile", "c", None, ADOPTED_FROM]]
    assert mismatches(before, side) == expected


def test_a_word_of_nobody_is_a_mismatch_of_nobody() -> None:
    before = first()
    side = tables_of(before)
    side["email_type"] = side["email_type"].replace({"email_type_id": {1: ADOPTED_FROM}})
    side["email"] = side["email"].replace({"email_type_id": {1: ADOPTED_FROM}})
    assert mismatches(before, side) == [["email_type", None, 1, ADOPTED_FROM]]


def test_a_side_whose_keys_are_no_numbers_is_refused() -> None:
    side = tables_of(first())
    side["user"] = side["user"].astype({"user_id": object}).replace({"user_id": {1: "secret"}})
    with pytest.raises(ArgumentError, match=r"user\.user_id of a side is not integer") as error:
        adopt(first(), side, MODEL)
    assert "secret" not in str(error.value)


def test_a_model_with_entities_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="cannot be parted"):
        adopt(Snapshot(ae.Tables({}), {}), {}, ENTITIES)


# ----------------------------------------------------------------------------- no new row


def test_no_new_row_gets_a_key_that_an_application_may_draw() -> None:
    before = first()
    keys = dict(before.keys)
    keys["user"] = KeyState(ADOPTED_FROM - 1, keys["user"].given)
    near = Snapshot(before.tables, keys, before.time)
    one = ae.normalize(extract(ADA, BO, {**BO, "id": "c"}, roles=ROLES), run=LATER, previous=near)
    assert one.snapshot.keys["user"].next == ADOPTED_FROM
    ae.normalize(extract(ADA, BO, {**BO, "id": "c"}), run=LATER, previous=one.snapshot)
    with pytest.raises(NotSupportedError, match="1 new rows of 'user' would get keys from 2\\^40"):
        ae.normalize(extract({**BO, "id": "d"}), run=LATER, previous=one.snapshot)
    check_numbers(MODEL.tables["user"], ADOPTED_FROM + 5, 0)


def test_parts_that_together_have_too_many_new_rows_are_refused() -> None:
    from aspen_etl.normalization.parted import normalize_parted

    before = first()
    keys = {**before.keys, "user": KeyState(ADOPTED_FROM - 1, before.keys["user"].given)}
    near = Snapshot(before.tables, keys, before.time)
    more = extract(ADA, {**BO, "id": "aa"}, BO, {**BO, "id": "c"}, roles=ROLES)
    with pytest.raises(NotSupportedError, match="2 new rows of 'user'"):
        normalize_parted(more, bounds=["b"], run=LATER, previous=near)


# ----------------------------------------------------------------------------- audit columns

THEIR_TIME = pd.Timestamp("2026-03-01T10:00:00.123456Z")


def changed_by(**cells: Any) -> tuple[Snapshot, Frames]:
    """Give a snapshot, and a side that has other audit columns of its first user."""
    snapshot = first()
    side = tables_of(snapshot)
    frame = side["user"].astype({"updated": "datetime64[us, UTC]", "created": object})
    for name, cell in cells.items():
        values = frame[name].astype(object)
        values.iloc[0] = cell
        frame[name] = values if name.endswith("_by") else pd.to_datetime(values, utc=True)
    frame["created"] = pd.to_datetime(frame["created"], utc=True)
    side["user"] = frame
    return snapshot, side


def test_a_row_that_is_as_the_side_has_it_keeps_its_audit_columns_in_milliseconds() -> None:
    snapshot, side = changed_by(updated=THEIR_TIME, updated_by="clerk")
    kept = keep_audit(snapshot, side, MODEL)
    user = kept.tables["user"]
    assert user["updated"].tolist()[0] == THEIR_TIME.floor("ms")
    assert rows(user[["updated", "updated_by"]])[1:] == [[None, None]]
    assert user["updated_by"].tolist()[0] == "clerk"
    assert user.dtypes.equals(snapshot.tables["user"].dtypes)
    assert equal_frames(user.iloc[:, :4], snapshot.tables["user"].iloc[:, :4])
    assert kept.keys is snapshot.keys
    assert kept.tables["email"] is snapshot.tables["email"]
    assert keep_audit(kept, side, MODEL) is kept


@pytest.mark.parametrize(
    "cells",
    [
        {"created": None},
        {"created_by": None},
        {"created_by": "x" * 129, "created": THEIR_TIME},
        {"updated_by": "", "updated": THEIR_TIME},
    ],
    ids=["no time", "nobody", "too long", "empty"],
)
def test_what_the_model_does_not_allow_is_not_taken(cells: dict[str, Optional[Any]]) -> None:
    snapshot, side = changed_by(**cells)
    assert keep_audit(snapshot, side, MODEL) is snapshot


def test_a_row_that_differs_keeps_what_it_was_stamped_with() -> None:
    snapshot, side = changed_by(updated=THEIR_TIME, updated_by="clerk")
    side["user"]["user_profile_id"] = side["user"]["user_profile_id"].replace({"a": "z"})
    side["email"] = side["email"].assign(created_by="clerk", value="z@b")
    side["address"] = side["address"].assign(created_by="clerk").iloc[:0]
    assert keep_audit(snapshot, side, MODEL) is snapshot
    assert keep_audit(snapshot, {"user": side["user"][["user_id"]]}, MODEL) is snapshot
    assert keep_audit(snapshot, {}, MODEL) is snapshot
