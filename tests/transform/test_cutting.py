"""Parts of an extract and of what was before: each row is in one, with all that is its own."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ExtractError, ProofError
from aspen_etl.schema import Held, Snapshot, Tables
from aspen_etl.schema.snapshot import KeyState
from aspen_etl.transform.cutting import Cut, cut
from aspen_etl.transform.parting import can_part
from tests.transform.sheets import ADA, BO, RUN, extract

HOW = can_part(ae.BORROWER_MODEL)


def parts_of(given: ae.Extract, *bounds: str, before: Any = None) -> Cut:
    return cut(given, Held(before), bounds, HOW)


def test_rows_go_by_their_clean_key_and_keep_their_number() -> None:
    given = extract(
        {**ADA, "id": "a"},
        {**BO, "id": " c\u00a0"},
        {**BO, "id": None},
        {**BO, "id": "c"},
        roles=(("c ", "x"), ("a", "y"), ("nobody", "z")),
    )
    first, second = (part.extract for part in parts_of(given, "c").parts)
    assert first["borrower"].index.tolist() == [2, 4]
    assert second["borrower"].index.tolist() == [3, 5]
    assert first["role_profile"].index.tolist() == [3]
    assert second["role_profile"].index.tolist() == [2, 4]
    assert {frame.index.name for part in (first, second) for frame in part.values()} == {"row"}


def test_each_fault_goes_with_its_row_and_notes_with_the_first_part() -> None:
    frames = dict(extract({**ADA, "id": "a"}, {**BO, "id": "b"}))
    faults = pd.DataFrame(
        [["borrower", row, "email", "#N/A", "excel_error"] for row in (3, 2)],
        columns=["source", "row", "column", "value", "rule"],
        dtype=object,
    )
    given = ae.Extract.from_frames(frames, faults=faults, notes={"borrower": {"hidden_rows": 1}})
    found = [part.extract for part in parts_of(given, "b", "c").parts]
    assert [each.faults["row"].tolist() for each in found] == [[2], [3], []]
    assert [each.notes for each in found] == [{"borrower": {"hidden_rows": 1}}, {}, {}]


def test_rows_that_share_a_number_are_refused() -> None:
    frames = dict(extract(ADA, BO))
    frames["borrower"].index = pd.Index([2, 2], name="row")
    with pytest.raises(ExtractError, match="1 rows of 'borrower' have the number of another"):
        parts_of(ae.Extract.from_frames(frames), "b")


def test_an_extract_of_another_model_is_refused_as_ever() -> None:
    with pytest.raises(ExtractError, match="the extract has no 'role_profile'"):
        parts_of(ae.Extract(borrower=pd.DataFrame()), "b")


# ----------------------------------------------------------------------------- what was before


def test_what_was_before_goes_with_its_subject_and_so_do_keys_of_who_is_gone() -> None:
    first = ae.normalize(extract(ADA, {**ADA, "id": "b"}, roles=(("a", "x"),)), run=RUN)
    before = ae.normalize(extract(ADA), run=RUN, previous=first.snapshot).snapshot
    found = parts_of(extract(), "b", before=before)
    a, b = (part.previous for part in found.parts)
    assert [len(a.tables[name]) for name in a.tables] == [len(f) for f in before.tables.values()]
    assert {name for name, frame in b.tables.items() if len(frame)} == set(HOW.lookups)
    assert b.keys["role_profile"].given["role_profile_id"].tolist() == [2]
    assert b.keys["address"].given["address_id"].tolist() == [2]
    assert a.keys["phone_number"].given["phone_number_id"].tolist() == [1, 2, 5, 6]
    # Every part numbers what is new from where the whole goes on.
    assert {name: state.next for name, state in a.keys.items()} == found.following
    assert {name: state.next for name, state in b.keys.items()} == found.following
    assert (a.time, b.time) == (before.time, before.time)


def test_nothing_before_is_nothing_in_each_part() -> None:
    found = parts_of(extract(ADA), "b")
    assert [len(part.previous.tables) for part in found.parts] == [0, 0]
    assert set(found.following.values()) == {1}
    assert set(found.following) == {*HOW.numbered, *HOW.lookups}


def test_a_row_of_before_that_leads_to_nobody_is_told_by_table_and_column() -> None:
    before = ae.normalize(extract(ADA), run=RUN).snapshot
    keys: dict[str, KeyState] = {
        name: state for name, state in before.keys.items() if name != "user"
    }
    tables = {**before.tables, "user": before.tables["user"].iloc[:0]}
    with pytest.raises(ProofError, match=r"1 rows of role_profile\.user_id, as it was") as e:
        parts_of(extract(), "b", before=Snapshot(Tables(tables), keys))
    assert e.value.details == {"table": "role_profile", "column": "user_id", "count": 1}
