"""A two-way store: what it keeps of its sides, what it refuses, what its keeper does with it."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import (
    CorruptStoreError,
    NotSupportedError,
    StoreOnHoldError,
    TwoWayError,
    VersionNotFoundError,
)
from aspen_etl.schema import Model, Source, Table, column
from aspen_etl.schema.side_frames import PRESENT
from aspen_etl.store.committing import commit
from aspen_etl.store.contents import Contents, Whole
from aspen_etl.store.kept import read_kept
from aspen_etl.store.shadows import Sides, SideState, load_sides
from tests.normalization.wards import CITIES
from tests.store.test_entities import synced as of_entities
from tests.support.borrowers import LENIENT, check_ours, files_below, put_files, write_borrowers
from tests.support.commits import Edit, change
from tests.support.two_way import account, conflicts, shadow
from tests.synchronization.test_landing import LATER, Folder
from tests.transform.sheets import ADA, BO, extract, rows

_STORES = itertools.count()
CANARY = "canary"
OLD = SideState(
    1,
    "0123456789abcdef",
    {"borrower": shadow({**ADA, "city": CANARY}, gone=[{"id": "b"}])},
    conflicts(
        {"subject": "a", "was": CANARY, "side": CANARY, "head": "Turin"},
        {"subject": "b", "column": None, "kind": "deleted_and_changed"},
    ),
)


def run(day: int) -> ae.Run:
    return ae.Run(time=LATER + dt.timedelta(days=day), actor="me")


def make(format: Any = None, *, elsewhere: bool = False) -> ae.SnapshotStore:  # noqa: A002
    """Make a two-way store of two borrowers, at its second version."""
    url = f"memory://two-way/{next(_STORES)}"
    rejects = f"{url}-rejects" if elsewhere else None
    store = ae.SnapshotStore(url, format=format, rejects_url=rejects)
    ae.sync(extract(ADA, BO), store, run=run(1), thresholds=LENIENT)
    store.begin_two_way(run=run(2))
    return store


def side_files(store: ae.SnapshotStore) -> list[str]:
    home = store.place.rejects_root
    found = files_below(store if home is None else ae.SnapshotStore(home.url))
    return sorted(name.rpartition("/")[2] for name in found if name.startswith("_aspen/sides/"))


# ----------------------------------------------------------------------------- it begins, it ends


def test_a_side_begins_as_the_tables_are() -> None:
    store = make()
    newest = store.find()
    assert (newest.version, newest.kind, newest.parent) == (2, "two_way", 1)
    assert newest.tables == store.find(1).tables
    (old,) = load_sides(store.place, newest).values()
    assert (old.version, old.token, len(old.conflicts)) == (1, None, 0)  # nothing was written
    assert {name: len(frame) for name, frame in old.shadow.items()} == {
        "borrower": 0,
        "role_profile": 0,
    }
    assert list(old.shadow["role_profile"].columns) == ["borrower_id", "role_profile", PRESENT]
    assert side_files(store) == []
    assert store.begin_two_way(run=run(3)) == newest
    assert load_sides(store.place, store.find(1)) == {}


def test_it_begins_on_a_commit_that_is_not_on_hold_of_a_model_of_subjects() -> None:
    empty = ae.SnapshotStore(f"memory://two-way/{next(_STORES)}")
    with pytest.raises(VersionNotFoundError):
        empty.begin_two_way(run=run(1))
    store = make()
    store.end_two_way(run=run(3))
    store.restore(1, run=run(4))
    with pytest.raises(StoreOnHoldError):
        store.begin_two_way(run=run(5))
    store.resume(run=run(5))
    assert store.begin_two_way(run=run(6)).sides is not None
    assert CITIES.lineage.entities
    with pytest.raises(NotSupportedError, match="entity"):
        of_entities().begin_two_way(run=run(5))


class GuestSheet(Source):
    """Who came."""

    no: Series[str] = column()
    present: Series[str] = column(nullable=True)


class Guest(Table):
    """One row for each guest."""

    guest_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=10, source="guest.no")
    present: Series[str] = column(nullable=True, length=10, source="guest.present")


def test_a_column_with_the_name_of_the_mark_is_refused() -> None:
    model = Model.of(sources=[GuestSheet], tables=[Guest])
    store = ae.SnapshotStore(f"memory://two-way/{next(_STORES)}", model=model)
    sheet = pd.DataFrame({"no": ["1"], "present": ["yes"]}, dtype=object)
    ae.sync(ae.Extract(guest=sheet), store, run=run(1))
    with pytest.raises(NotSupportedError, match="'guest' has a column 'present'") as found:
        store.begin_two_way(run=run(2))
    check_ours(found.value)
    assert store.find().version == 1


REFUSED: dict[str, Callable[[ae.SnapshotStore], Any]] = {
    "sync": lambda store: ae.sync(extract(BO), store, run=run(5), thresholds=LENIENT),
    "restore": lambda store: store.restore(1, run=run(5)),
}


@pytest.mark.parametrize("command", REFUSED)
def test_what_would_leave_a_side_behind_is_refused(command: str) -> None:
    store = make()
    before = files_below(store)
    with pytest.raises(TwoWayError, match=f"so {command} is refused.*use pull and push") as found:
        REFUSED[command](store)
    check_ours(found.value)
    assert found.value.details["command"] == command
    assert "two-way end" in str(found.value)
    after = files_below(store)
    assert {name for name in after if after[name] != before.get(name)} <= {
        "_aspen/last_failure.json"
    }
    with pytest.raises(TwoWayError):  # before the source is judged
        ae.sync(extract(), store, run=run(5))
    store.end_two_way(run=run(6))
    REFUSED[command](store)


def test_so_is_a_landing_and_a_commit_by_hand_and_a_plan_lists_it(folder: Folder) -> None:
    store = ae.SnapshotStore(f"memory://two-way/{next(_STORES)}")
    ae.sync(folder.landing, store, run=run(1), thresholds=LENIENT)
    begun = store.begin_two_way(run=run(2))
    assert begun.landing == store.find(1).landing
    with pytest.raises(TwoWayError):
        ae.sync(folder.landing, store, run=run(3), thresholds=LENIENT)
    (refusal,) = ae.plan(folder.landing, store, run=run(3), thresholds=LENIENT).refusals
    assert "so sync is refused" in refusal
    made = ae.normalize(extract(ADA), run=run(3), previous=store.read())
    with pytest.raises(TwoWayError):
        store.commit(made.snapshot, run=run(3), parent=2, changes=made.changes)
    assert store.find() == begun
    store.end_two_way(run=run(4))
    assert ae.sync(folder.landing, store, run=run(5), thresholds=LENIENT).outcome == "unchanged"


def test_it_ends_not_while_conflicts_wait() -> None:
    store = make()
    account(store, run(3), old=OLD)
    with pytest.raises(TwoWayError, match=r"wait .*\(2 of the old side\)") as found:
        store.end_two_way(run=run(4))
    check_ours(found.value, CANARY)
    assert found.value.details == {
        "problem": "conflicts",
        "url": store.url,
        "waiting": {"old": 2},
    }
    ended = store.end_two_way(run=run(4), discard_conflicts=True)
    assert (ended.version, ended.kind, ended.sides) == (4, "one_way", None)
    assert store.end_two_way(run=run(5)) == ended
    assert store.status(now=run(5).time).sides is None
    assert store.restore(3, run=run(6)).sides is None


def test_after_it_the_source_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    source, names = write_borrowers(tmp_path / "source", ["Ann Ames", "Bob Burns"]), ["Ann Ames"]
    told: dict[str, Any] = {"thresholds": LENIENT, "keep_source": True}
    ae.sync(source, store, run=run(1), **told)
    assert ae.sync(source, store, run=run(1), **told).way is None  # it is known by its files
    kept = read_kept(store.place)
    assert kept is not None
    assert kept.is_at(store.find())
    begun = store.begin_two_way(run=run(2))
    assert not kept.is_at(begun)
    assert begun.source.fingerprint is None
    pulled = account(store, run(3), old=replace(OLD, conflicts=conflicts()))
    assert not kept.is_at(pulled)
    assert store.status(now=run(3).time).proved is None
    store.end_two_way(run=run(4))
    write_borrowers(tmp_path / "source", [*names, "Bob Byrne"])
    report = ae.sync(source, store, run=run(5), **told)
    assert report.way is not None
    assert report.way.kind == "whole"
    assert report.tables["user_profile"].updated == 1


# ----------------------------------------------------------------------------- frames


@pytest.mark.parametrize("elsewhere", [False, True], ids=["inside", "elsewhere"])
@pytest.mark.parametrize("format", ["csv", pytest.param("parquet", marks=())])
def test_what_is_committed_of_the_sides_is_read_back(format: str, *, elsewhere: bool) -> None:  # noqa: A002
    if format == "parquet":
        pytest.importorskip("pyarrow")
    store = make(format, elsewhere=elsewhere)
    done = account(store, run(3), old=OLD, new=SideState(2, "f" * 16))
    assert (done.version, done.kind, done.format) == (3, "push", 6)
    found = load_sides(store.place, store.find())
    assert list(found) == ["old", "new"]
    old, new = found["old"], found["new"]
    assert (old.version, old.token, new.version, new.token) == (1, OLD.token, 2, "f" * 16)
    assert rows(old.shadow["borrower"]) == rows(OLD.shadow["borrower"])
    assert rows(old.conflicts) == rows(OLD.conflicts)
    assert old.shadow["borrower"][PRESENT].dtype == bool
    assert len(new.shadow["borrower"]) == len(new.conflicts) == 0
    assert side_files(store) == [f"conflicts-old.{format}", f"shadow-old-borrower.{format}"]
    assert store.verify().problems == ()
    assert done.sides is not None
    assert all(each.elsewhere == elsewhere for each in done.sides["old"].stored)
    if elsewhere:
        with pytest.raises(NotSupportedError, match="give rejects_url="):
            load_sides(ae.SnapshotStore(store.url).place, done)


def test_a_frame_that_did_not_change_stays_where_it_is() -> None:
    store = make()
    first = account(store, run(3), old=OLD)
    assert account(store, run(4), old=OLD) == first
    assert account(store, run(4), old=load_sides(store.place, first)["old"]) == first
    turned = {name: frame.iloc[::-1] for name, frame in OLD.shadow.items()}
    turned_too = replace(OLD, shadow=turned, conflicts=OLD.conflicts.iloc[::-1])
    assert account(store, run(4), old=turned_too) == first
    second = account(store, run(5), old=replace(OLD, conflicts=conflicts({"subject": "a"})))
    assert first.sides is not None
    assert second.sides is not None
    assert second.sides["old"].shadow == first.sides["old"].shadow
    assert second.sides["old"].waiting == 1
    third = account(store, run(6), old=SideState(5, "f" * 16))
    assert third.sides is not None
    assert third.sides["old"].stored == ()


def test_a_run_commits_tables_and_sides_as_one() -> None:
    store = make()
    made = ae.normalize(extract({**ADA, "city": "Bari"}, BO), run=run(3), previous=store.read())
    contents = Contents(
        Whole(made.snapshot, store.model), made.changes, sides=Sides({"old": OLD}), kind="pull"
    )
    done = commit(store.place, contents, run=run(3), parent=2)
    assert (done.version, done.kind) == (3, "pull")
    assert done.sides is not None
    assert done.tables != store.find(2).tables
    status = store.status(now=run(4).time)
    assert status.good == run(3).time.isoformat()  # a pull is a run
    again = ae.normalize(extract({**ADA, "city": "Bari"}, BO), run=run(4), previous=store.read())
    same = replace(contents, tables=Whole(again.snapshot, store.model), changes=again.changes)
    assert commit(store.place, same, run=run(4), parent=3) == done
    moved = replace(same, sides=Sides({"old": SideState()}))
    after = commit(store.place, moved, run=run(5), parent=3)
    assert (after.version, after.tables) == (4, done.tables)
    assert after.sides != done.sides


def wider() -> Model:
    """Make the model of guests, with a column more, ahead of another one."""

    class OddSheet(Source):
        no: Series[str] = column()
        more: Series[str] = column(nullable=True)
        note: Series[str] = column(nullable=True)

    class Odd(Table):
        guest_id: Series[int] = column(primary_key=True)
        no: Series[str] = column(natural_key=True, length=10, source="odd.no")
        note: Series[str] = column(nullable=True, length=10, source="odd.note")
        more: Series[str] = column(nullable=True, length=10, source="odd.more")

    return Model.of(sources=[OddSheet], tables=[Odd])


class OddSheet(Source):
    """Who came, and what is noted of them."""

    no: Series[str] = column()
    note: Series[str] = column(nullable=True)


class Odd(Table):
    """One row for each."""

    guest_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=10, source="odd.no")
    note: Series[str] = column(nullable=True, length=10, source="odd.note")


def test_a_column_that_the_model_has_since_is_missing_in_a_shadow() -> None:
    narrow = Model.of(sources=[OddSheet], tables=[Odd])
    url = f"memory://two-way/{next(_STORES)}"
    store = ae.SnapshotStore(url, model=narrow)
    sheet = pd.DataFrame({"no": ["1"], "note": ["x"]}, dtype=object)
    ae.sync(ae.Extract(odd=sheet), store, run=run(1))
    store.begin_two_way(run=run(2))
    held = shadow({"no": "1", "note": "y"}, columns=["no", "note"])
    account(store, run(3), old=SideState(0, None, {"odd": held}))
    wide = ae.SnapshotStore(url, model=wider())
    found = load_sides(wide.place, wide.find())["old"].shadow["odd"]
    assert list(found.columns) == ["no", "more", "note", PRESENT]
    assert rows(found) == [["1", None, "y", True]]
    assert wide.verify().problems == ()


def test_nothing_that_is_printed_holds_a_cell() -> None:
    store = make()
    done = account(store, run(3), old=OLD)
    contents = Contents(Whole(store.read(), store.model), {}, sides=Sides({"old": OLD}))
    state = load_sides(store.place, done)
    shown = [repr(done), repr(done.sides), repr(OLD), repr(state), repr(contents.sides)]
    assert CANARY not in "".join([*shown, json.dumps(done.to_dict())])
    assert done.sides is not None
    assert done.sides["old"].conflict_counts == (
        {"kind": "both_changed", "sheet": "borrower", "column": "city", "count": 1},
        {"kind": "deleted_and_changed", "sheet": "borrower", "column": "", "count": 1},
    )


def test_status_tells_of_the_sides() -> None:
    store = make()
    account(store, run(3), old=OLD, new=SideState(2, "f" * 16))
    told = store.status(now=run(4).time)
    assert told.sides == {
        "old": {"version": 1, "conflicts": 2},
        "new": {"version": 2, "conflicts": 0},
    }
    json.dumps(told.to_dict())


# ----------------------------------------------------------------------------- its keeper


def test_vacuum_keeps_what_versions_name_and_takes_the_rest() -> None:
    store = make(elsewhere=True)
    account(store, run(3), old=OLD)
    store.pin("loader", 3)
    account(store, run(4), old=SideState(3, "f" * 16))
    impatient = ae.SnapshotStore(
        store.url,
        rejects_url=f"{store.url}-rejects",
        attempt_limit=dt.timedelta(seconds=-2),
    )
    impatient.vacuum(run=run(100))
    assert len(side_files(store)) == 2
    assert rows(load_sides(store.place, store.find(3))["old"].conflicts) == rows(OLD.conflicts)
    store.unpin("loader")
    report = impatient.vacuum(run=run(100))
    assert report.oldest_readable > 3
    assert side_files(store) == []
    assert store.find().sides is not None
    assert store.verify().problems == ()


def test_verify_finds_a_damaged_frame() -> None:
    store = make()
    done = account(store, run(3), old=OLD)
    assert done.sides is not None
    for where, stored in (
        ("shadow of borrower for the old side", done.sides["old"].shadow["borrower"]),
        ("conflicts of the old side", done.sides["old"].conflicts),
    ):
        assert stored is not None
        place = store.place.root.child(stored.files[0].path)
        held = place.filesystem.cat_file(place.path)
        place.filesystem.pipe_file(place.path, held[:-2] + b"x\n")
        assert [problem.where for problem in store.verify().problems] == [where]
        with pytest.raises(CorruptStoreError) as found:
            load_sides(store.place, done)
        check_ours(found.value, CANARY)
        place.filesystem.pipe_file(place.path, held)
    assert store.verify().problems == ()


def _old(values: dict[str, Any]) -> dict[str, Any]:
    side: dict[str, Any] = values["sides"]["old"]
    return side


def _move(values: dict[str, Any]) -> None:
    """Let a shadow stand where rejects are."""
    (file,) = _old(values)["shadow"]["borrower"]["files"]
    file["path"] = file["path"].replace("_aspen/sides/", "_aspen/rejects/")


EDITS: dict[str, tuple[Edit, str]] = {
    "a version ahead": (lambda v: _old(v).update(version=9), "a version that cannot be"),
    "a token of nothing": (lambda v: _old(v).update(version=0), "a version that cannot be"),
    "another count": (
        lambda v: _old(v)["conflict_counts"][0].update(count=99),
        "counts other conflicts than it has",
    ),
    "no number": (
        lambda v: _old(v)["conflict_counts"][0].update(count="1"),
        "counts other conflicts than it has",
    ),
    "conflicts lost": (lambda v: _old(v).update(conflicts=None), "counts other conflicts"),
    "other conflicts": (lambda v: _old(v)["conflicts"]["columns"].pop(), "of other columns"),
    "no mark": (
        lambda v: _old(v)["shadow"]["borrower"]["columns"].pop(),
        "without the mark of its rows",
    ),
    "among rejects": (_move, "a path that leads out of the folder"),
    "text for a side": (lambda v: v["sides"].update(old="x"), "sides cannot be used"),
    "of format 5": (lambda v: v.update(format=5), "of two sides that cannot be"),
}


@functools.cache
def files_of_three() -> dict[str, bytes]:
    store = make()
    account(store, run(3), old=OLD)
    return files_below(store)


@pytest.mark.parametrize("name", EDITS)
def test_what_no_commit_says_of_sides_is_damage(name: str) -> None:
    store, (edit, reason) = ae.SnapshotStore(f"memory://two-way/{next(_STORES)}"), EDITS[name]
    put_files(store, files_of_three())
    change(store, 3, edit, sealed=True)
    with pytest.raises(CorruptStoreError, match="commit 3 is damaged") as found:
        store.newest()
    assert reason in str(found.value)
    check_ours(found.value, CANARY)
