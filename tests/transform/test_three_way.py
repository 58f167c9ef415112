"""What a merge says, in cases that somebody would ask about; its laws are in tests/laws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.policy import Policy
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.three_way import CONFLICTS, Merged, Times, merge
from tests.transform.sheets import COLUMNS, rows

HOW = can_part(ae.BORROWER_MODEL)

Sheets = dict[str, pd.DataFrame]


def sheets(
    *borrowers: Mapping[str, Optional[str]], roles: tuple[tuple[str, str], ...] = ()
) -> Sheets:
    filled = [{"full_name": "Bo", **each} for each in borrowers]
    return {
        "borrower": pd.DataFrame(filled, columns=COLUMNS, dtype=object),
        "role_profile": pd.DataFrame(
            list(roles), columns=["borrower_id", "role_profile"], dtype=object
        ),
    }


def merged(shadow: Sheets, side: Sheets, head: Sheets, **given: Any) -> Merged:
    return merge(shadow, side, head, HOW, **{"policy": Policy("hold"), "name": "old", **given})


def told(found: Merged, *columns: str) -> list[list[Any]]:
    return rows(found.conflicts[list(columns)])


def cells(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    return rows(frame[list(columns)])


# ----------------------------------------------------------------------------- units


def test_two_changes_of_one_row_are_both_there() -> None:
    was = sheets({"id": "a", "email": "a@b", "phone_home": "1"})
    side = sheets({"id": "a", "email": "x@b", "phone_home": "1"})
    head = sheets({"id": "a", "email": "a@b", "phone_home": "2"})
    found = merged(was, side, head)
    assert cells(found.rows["borrower"], "email", "phone_home") == [["x@b", "2"]]
    assert cells(found.shadow["borrower"], "email", "phone_home") == [["x@b", "1"]]
    assert found.taken["borrower"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert found.conflicts.empty
    assert list(found.conflicts.columns) == list(CONFLICTS)


def test_an_address_is_one_unit() -> None:
    was = sheets({"id": "a", "street": "1 Main", "city": "Rome"})
    side = sheets({"id": "a", "street": "2 Main", "city": "Rome"})
    head = sheets({"id": "a", "street": "1 Main", "city": "Turin"})
    found = merged(was, side, head)
    assert told(found, "kind", "column", "key") == [["both_changed", "street", None]]
    (value,) = found.conflicts["side"]
    assert json.loads(value) == {
        "street": "2 Main",
        "city": "Rome",
        "state": None,
        "zip_code": None,
    }
    by_city = merged(was, side, head, policy=Policy(units={"borrower.city": "old"}))
    assert cells(by_city.rows["borrower"], "street", "city") == [["2 Main", "Rome"]]
    assert told(by_city, "decision") == [["old"]]


def test_a_cell_that_becomes_missing_is_a_change() -> None:
    was, side = sheets({"id": "a", "email": "a@b"}), sheets({"id": "a"})
    assert cells(merged(was, side, was).rows["borrower"], "email") == [[None]]
    found = merged(was, side, sheets({"id": "a", "email": "x@b"}))
    assert told(found, "was", "side", "head") == [["a@b", None, "x@b"]]


def test_one_conflict_holds_all_of_a_subject_and_nobody_else() -> None:
    was = sheets({"id": "a", "email": "1"}, {"id": "b", "email": "1"})
    side = sheets({"id": "a", "email": "2"}, {"id": "b", "email": "2"}, roles=(("a", "r"),))
    head = sheets({"id": "a", "email": "3"}, {"id": "b", "email": "1"}, roles=(("a", "q"),))
    found = merged(was, side, head)
    assert found.held == ("a",)
    assert cells(found.rows["borrower"], "id", "email") == [["a", "3"], ["b", "2"]]
    assert rows(found.rows["role_profile"]) == [["a", "q"]]
    assert cells(found.shadow["borrower"], "id", "email") == [["a", "1"], ["b", "2"]]
    assert rows(found.shadow["role_profile"]) == []
    assert not found.is_refused
    assert merged(was, side, head, policy=Policy()).is_refused


@pytest.mark.parametrize(("name", "email"), [("old", "2"), ("new", "3")])
def test_old_and_new_are_sides_whichever_is_merged(name: str, email: str) -> None:
    was, one, two = (sheets({"id": "a", "email": each}) for each in "123")
    policy = Policy(name)  # type: ignore[arg-type]
    from_old = merged(was, one, two, policy=policy, name="old")
    from_new = merged(was, two, one, policy=policy, name="new")
    for found, side in ((from_old, "2"), (from_new, "3")):
        assert cells(found.rows["borrower"], "email") == [[email]]
        assert cells(found.shadow["borrower"], "email") == [[side]]
        assert not found.held


# ----------------------------------------------------------------------------- rows


def test_a_borrower_that_goes_takes_what_is_unchanged_along() -> None:
    was = sheets({"id": "a"}, {"id": "b"}, roles=(("a", "r"), ("b", "r")))
    side = sheets({"id": "b"}, roles=(("b", "r"),))
    found = merged(was, side, was)
    assert rows(found.rows["role_profile"]) == [["b", "r"]]
    assert found.taken["role_profile"] == {"inserted": 0, "updated": 0, "deleted": 1}
    assert found.conflicts.empty


@pytest.mark.parametrize(("name", "stays"), [("old", []), ("new", [["a", "q"], ["a", "r"]])])
def test_a_borrower_that_goes_while_another_gets_a_role(name: str, stays: list[Any]) -> None:
    was = sheets({"id": "a"}, roles=(("a", "r"),))
    head = sheets({"id": "a"}, roles=(("a", "r"), ("a", "q")))
    held = merged(was, sheets(), head)
    assert told(held, "kind", "sheet", "subject", "key") == [
        ["parent_deleted", "role_profile", "a", "q"]
    ]
    assert json.loads(held.conflicts["head"][0]) == {"borrower_id": "a", "role_profile": "q"}
    assert rows(held.rows["role_profile"]) == [["a", "q"], ["a", "r"]]
    decided = merged(was, sheets(), head, policy=Policy(name))  # type: ignore[arg-type]
    assert rows(decided.rows["role_profile"]) == stays
    assert len(decided.rows["borrower"]) == bool(stays)
    assert decided.shadow["borrower"].empty


def test_a_role_is_in_a_set() -> None:
    was = sheets({"id": "a"}, roles=(("a", "r"), ("a", "s")))
    side = sheets({"id": "a"}, roles=(("a", "r"), ("a", "t")))
    head = sheets({"id": "a"}, roles=(("a", "s"), ("a", "t")))
    found = merged(was, side, head)
    assert rows(found.rows["role_profile"]) == [["a", "t"]]
    assert found.conflicts.empty


def test_what_both_inserted_passes_where_it_is_equal() -> None:
    side = sheets({"id": "a", "email": "1"}, {"id": "b", "email": "1"})
    head = sheets({"id": "a", "email": "1"}, {"id": "b"})
    found = merged(sheets(), side, head)
    assert told(found, "kind", "subject", "column", "was", "side", "head") == [
        ["both_inserted", "b", "email", None, "1", None]
    ]
    assert cells(found.shadow["borrower"], "id") == [["a"]]


# ----------------------------------------------------------------------------- also, times


def also(*conflicts: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(conflicts), columns=["kind", "sheet", "subject"], dtype=object)


def test_what_the_caller_found_is_of_the_whole_subject() -> None:
    was = sheets({"id": "a", "email": "1", "phone_home": "1"})
    side = sheets({"id": "a", "email": "2", "phone_home": "1"})
    head = sheets({"id": "a", "email": "1", "phone_home": "2"})
    invalid = also(("invalid", "borrower", "a"))
    held = merged(was, side, head, also=invalid)
    assert held.held == ("a",)
    assert told(held, "kind", "subject", "decision") == [["invalid", "a", "hold"]]
    for name, cell in (("old", [["2", "1"]]), ("new", [["1", "2"]])):
        policy = Policy(kinds={"invalid": name})  # type: ignore[dict-item]
        found = merged(was, side, head, also=invalid, policy=policy)
        assert cells(found.rows["borrower"], "email", "phone_home") == cell
        assert cells(found.shadow["borrower"], "email", "phone_home") == [["2", "1"]]


def test_what_has_no_flat_row_is_not_taken() -> None:
    was = sheets({"id": "a"})
    broken = also(("inexpressible", "borrower", "a"), ("inexpressible", "borrower", "z"))
    for name, held in (("old", ()), ("new", ("a", "z"))):
        policy = Policy(name)  # type: ignore[arg-type]
        found = merged(was, was, was, also=broken, policy=policy, name="new")
        assert found.held == held
        assert cells(found.rows["borrower"], "id") == [["a"]]


def test_who_is_to_be_as_both_have_them_is_held() -> None:
    was = sheets({"id": "a"})
    both = also(("invalid", "borrower", "a"), ("key_mismatch", "borrower", "a"))
    policy = Policy(kinds={"invalid": "old", "key_mismatch": "new"})
    found = merged(was, was, was, also=both, policy=policy)
    assert found.held == ("a",)
    assert told(found, "decision") == [["hold"], ["hold"]]


def times(side: dict[str, Any], head: dict[str, Any]) -> Times:
    frames = [
        pd.DataFrame({"id": list(each), "time": pd.to_datetime(list(each.values()), utc=True)})
        for each in (side, head)
    ]
    return Times({"borrower": frames[0]}, {"borrower": frames[1]})


def test_the_newest_wins_where_both_tell_when() -> None:
    ids = "abcde"
    was, side, head = (sheets(*({"id": i, "email": n} for i in ids)) for n in "123")
    days = [f"2026-01-0{day}" for day in (1, 2)]
    told_times = times(
        {"a": days[1], "b": days[0], "c": days[0], "d": days[0]},
        {"a": days[0], "b": days[1], "c": days[0], "e": days[0]},
    )
    found = merged(was, side, head, policy=Policy("newest"), times=told_times)
    emails = [["a", "2"], ["b", "3"], ["c", "3"], ["d", "3"], ["e", "3"]]
    assert cells(found.rows["borrower"], "id", "email") == emails
    assert found.held == ("c", "d", "e")
    assert told(found, "decision") == [["old"], ["new"], ["hold"], ["hold"], ["hold"]]
    assert merged(was, side, head, policy=Policy("newest")).held == tuple(ids)
    no_times = Times({}, {})
    assert merged(was, side, head, policy=Policy("newest"), times=no_times).held == tuple(ids)


def test_a_deletion_has_no_time() -> None:
    was, head = sheets({"id": "a", "email": "1"}), sheets({"id": "a", "email": "2"})
    known = times({"a": "2026-01-02"}, {"a": "2026-01-01"})
    assert merged(was, sheets(), head, policy=Policy("newest"), times=known).held == ("a",)


# ----------------------------------------------------------------------------- arguments


def test_arguments_are_checked() -> None:
    nothing = sheets()
    with pytest.raises(ArgumentError, match="side of that name"):
        merged(nothing, nothing, nothing, name="flat")
    with pytest.raises(ArgumentError, match="town"):
        merged(nothing, nothing, nothing, policy=Policy(units={"borrower.town": "old"}))
    for wrong in (("broken", "borrower", "a"), ("invalid", "lender", "a")):
        with pytest.raises(ArgumentError, match="are not known"):
            merged(nothing, nothing, nothing, also=also(wrong))


def test_sheets_that_are_not_there_have_no_rows() -> None:
    found = merge({}, sheets({"id": "a"}), {}, HOW, policy=Policy(), name="old")
    assert cells(found.rows["borrower"], "id") == [["a"]]
    assert found.rows["role_profile"].empty


def test_nothing_shows_a_cell() -> None:
    was, one, two = (sheets({"id": "secret", "email": each}) for each in "123")
    assert "secret" not in repr(merged(was, one, two))
