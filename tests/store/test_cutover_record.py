"""The record of a cut-over in a store: what it names, who erases it, what is no such record."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ConflictError, CorruptStoreError
from tests.store.test_purge import new_store, run, sync, told
from tests.support.borrowers import check_ours
from tests.support.commits import Edit, change, make_format_1
from tests.support.two_way import check_off
from tests.transform.sheets import ADA, BO, extract

_STORES = itertools.count()
CRANE = {**ADA, "id": "qq7", "full_name": "Iva Crane"}


@pytest.fixture(params=[False, True], ids=["inside", "elsewhere"])
def store(request: pytest.FixtureRequest) -> ae.SnapshotStore:
    made = new_store(elsewhere=request.param)
    sync(made, extract(CRANE, BO), 1)
    return made


def test_it_changes_no_table_and_is_kept(store: ae.SnapshotStore) -> None:
    before = store.find()
    done = check_off(store, run(2), "qq7", "b")
    assert (done.kind, done.version, done.tables) == ("cutover", 2, before.tables)
    sync(store, extract({**CRANE, "city": "Bari"}, BO), 3)
    newest = store.find()
    assert (newest.kind, newest.cutover) == ("sync", done.cutover)
    assert store.restore(2, run=run(4)).cutover == done.cutover
    for version in (1, 2, 3, 4):
        assert store.verify(version).problems == ()
    again = check_off(store, run(5), "qq7", "b").cutover
    assert again is not None
    assert done.cutover is not None
    assert again.accepted == done.cutover.accepted  # the file that is there


def test_no_byte_of_a_purged_subject_is_left(store: ae.SnapshotStore) -> None:
    check_off(store, run(2), " QQ7", "b")
    assert told(store, "QQ7")
    report = store.purge("qq7", run=run(3))
    assert report.rejects == 1
    assert told(store, "Crane", "qq7", "QQ7") == []
    record = store.find().cutover
    assert record is not None
    assert record.accepted is not None
    assert record.accepted.rows == 1
    assert store.verify().problems == ()
    store.vacuum(run=ae.Run(time=run(4).time.replace(year=2030), actor="me"))
    assert store.verify().problems == ()
    store.purge("b", run=run(5))
    record = store.find().cutover
    assert record is not None
    assert record.accepted is None


def test_it_is_of_the_newest_commit(store: ae.SnapshotStore) -> None:
    from aspen_etl.store.cutover import commit_cutover

    old = store.find()
    record = check_off(store, run(2)).cutover
    assert record is not None
    assert record.accepted is None
    with pytest.raises(ConflictError):
        commit_cutover(store.place, old, record, accepted=None, run=run(3))


def test_status_tells_it(store: ae.SnapshotStore) -> None:
    assert store.status(now=run(9).time).cutover is None
    check_off(store, run(2), "qq7")
    assert store.status(now=run(9).time).cutover == {
        "version": 1,
        "time": run(2).time.isoformat(),
        "actor": run(2).actor,
        "accepted": {"invalid_email": 1},
    }


def test_a_store_of_format_1_takes_one(store: ae.SnapshotStore) -> None:
    make_format_1(store)
    assert check_off(store, run(2), "b").format == 6
    assert store.verify().problems == ()


def _record(values: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = values["cutover"]
    return record


EDITS: dict[str, tuple[Edit, str]] = {
    "no record": (lambda v: v.update(cutover=None), "was checked, and not how"),
    "a later version": (lambda v: _record(v).update(version=9), "of a cut-over that cannot be"),
    "no version": (lambda v: _record(v).update(version=0), "of a cut-over that cannot be"),
    "another kind": (lambda v: v.update(kind="made up"), "kind cannot be used"),
    "no checksum": (lambda v: _record(v).update(accepted_sha256=None), "have no checksum"),
    "a digest of text": (lambda v: _record(v).update(source="x"), "cutover.source cannot be"),
    "other columns": (lambda v: _record(v)["accepted"]["columns"].pop(), "or other columns"),
    "a path outside": (
        lambda v: _record(v)["accepted"]["files"][0].update(path="../x.csv"),
        "a path that leads out",
    ),
    "a rule that cannot be": (
        lambda v: _record(v).update(accepted_counts={"\n": 1}),
        "rules that cannot be",
    ),
    "of format 5": (lambda v: v.update(format=5), "of a cut-over that cannot be"),
    "a field more": (lambda v: _record(v).update(x=1), "not those that were written"),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_no_commit_says_of_it_is_damage(name: str) -> None:
    store = ae.SnapshotStore(f"memory://cut-over/{next(_STORES)}")
    sync(store, extract(CRANE, BO), 1)
    check_off(store, run(2), "qq7")
    edit, reason = EDITS[name]
    change(store, 2, edit, sealed=True)
    with pytest.raises(CorruptStoreError, match="commit 2 is damaged") as found:
        store.find()
    check_ours(found.value)
    assert reason in str(found.value)
