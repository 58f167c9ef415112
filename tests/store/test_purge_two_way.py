"""A purge reaches what a store knows of the sides that it is kept in step with."""

from __future__ import annotations

import pytest

import aspen_etl as ae
from aspen_etl.store.committing import commit
from aspen_etl.store.contents import Contents, Whole
from aspen_etl.store.shadows import Sides, SideState, load_sides
from tests.store.test_purge import new_store, run, sync, told
from tests.support.borrowers import LENIENT
from tests.support.two_way import account, conflicts, shadow
from tests.transform.sheets import ADA, BO, extract

CRANE = {**ADA, "id": "qq7", "full_name": "Iva Crane", "city": "Cranesville"}
WREN = {**BO, "id": "b1", "full_name": "Bo Wren"}


@pytest.fixture(params=[False, True], ids=["inside", "elsewhere"])
def store(request: pytest.FixtureRequest) -> ae.SnapshotStore:
    made = new_store(elsewhere=request.param)
    sync(made, extract(CRANE, WREN, roles=(("qq7", "Lender"),)), 1)
    made.begin_two_way(run=run(2))
    return made


def side(city: str, *, present: bool = True) -> SideState:
    row, role = {**CRANE, "city": city}, {"borrower_id": " QQ7", "role_profile": city}
    frames = {
        "borrower": shadow(row, {**WREN, "city": "Wrenham"})
        if present
        else shadow({**WREN, "city": "Wrenham"}, gone=[{"id": "qq7"}]),
        "role_profile": shadow(role, columns=["borrower_id", "role_profile"]),
    }
    held = conflicts(
        {"subject": "qq7", "was": city, "side": "Crane City", "head": "Cranesville"},
        {"subject": "Qq7", "kind": "parent_deleted", "sheet": "role_profile", "column": None},
        {"subject": "b1", "side": "Wrenham"},
    )
    return SideState(1, "0" * 16, frames, held)


def test_no_byte_of_a_purged_subject_is_left(store: ae.SnapshotStore) -> None:
    account(store, run(3), old=side("Craneton"))
    account(store, run(4), old=side("Cranefield", present=False), new=side("Cranewell"))
    assert told(store, "Crane", "qq7,", "QQ7,", "Qq7")
    report = store.purge("qq7", run=run(5))
    # Of each frame that a version names: a borrower, a role, two conflicts; the new side's twice.
    assert report.sides == 4 + 4 + 4
    assert "rows of sides, and conflicts, erased: 12" in report.left
    assert told(store, "Crane", "qq7", "QQ7", "Qq7") == []
    newest = store.find()
    assert newest.sides is not None
    for name in ("old", "new"):
        assert [each["count"] for each in newest.sides[name].conflict_counts] == [1]
        assert "role_profile" not in newest.sides[name].shadow  # no row is left
        found = load_sides(store.place, newest)[name]
        assert found.conflicts["subject"].tolist() == ["b1"]
        assert found.shadow["borrower"]["city"].tolist() == ["Wrenham"]
        assert len(found.shadow["role_profile"]) == 0
    for version in range(1, newest.version + 1):
        assert store.verify(version).problems == ()
    assert account(store, run(6), **load_sides(store.place, newest)) == newest
    assert store.purge("qq7", run=run(7)).sides == 0


def test_who_has_a_like_id_in_the_tables_stays(store: ae.SnapshotStore) -> None:
    twin = {**CRANE, "id": "QQ7", "full_name": "Una Crake", "city": "Crakeby"}
    made = ae.normalize(extract(CRANE, twin, WREN), run=run(3), previous=store.read())
    state = SideState(
        0,
        None,
        {"borrower": shadow({**twin, "city": "Crakeham"}, {**CRANE, "city": "Craneton"})},
        conflicts({"subject": "QQ7", "side": "Crakeby"}, {"subject": "qq7", "side": "Craneton"}),
    )
    sides = Sides({"old": state})
    contents = Contents(Whole(made.snapshot, store.model), made.changes, sides=sides, kind="pull")
    commit(store.place, contents, run=run(3), parent=2)
    store.purge("qq7", run=run(4))
    assert told(store, "Crane", "qq7") == []
    found = load_sides(store.place, store.find())["old"]
    assert found.shadow["borrower"]["city"].tolist() == ["Crakeham"]
    assert found.conflicts["subject"].tolist() == ["QQ7"]


def test_where_all_conflicts_go_none_wait(store: ae.SnapshotStore) -> None:
    account(store, run(3), old=SideState(conflicts=conflicts({"subject": "qq7"})))
    store.purge("qq7", run=run(4))
    newest = store.find()
    assert newest.sides is not None
    assert newest.sides["old"].stored == ()
    assert store.end_two_way(run=run(5)).sides is None
    assert ae.sync(extract(WREN), store, run=run(6), thresholds=LENIENT).outcome == "unchanged"
