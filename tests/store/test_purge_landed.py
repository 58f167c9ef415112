"""A purge reaches what a store knows of a landing folder: state and tombstones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.store.landed import load_sources
from tests.store.test_purge import told
from tests.support.borrowers import LENIENT
from tests.synchronization.test_landing import LATER, Folder, change


def run(day: int) -> ae.Run:
    return ae.Run(time=LATER + dt.timedelta(days=day), actor="me")


@pytest.fixture(params=["inside", "elsewhere"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> ae.SnapshotStore:
    elsewhere = tmp_path / "rejects" if request.param == "elsewhere" else None
    return ae.SnapshotStore(tmp_path / "store", rejects_url=elsewhere)


def go(folder: Folder, store: ae.SnapshotStore, day: int, **options: Any) -> ae.SyncReport:
    return ae.sync(folder.landing, store, run=run(day), thresholds=LENIENT, **options)


def test_no_byte_of_a_purged_subject_is_left(folder: Folder, store: ae.SnapshotStore) -> None:
    go(folder, store, 1)
    folder.put(change(5), ("U", "qq7", "Iva Crane", 5, "qq7"), ("U", "qq8", "", 6, "qq8"))
    go(folder, store, 2)
    folder.put(change(9), ("D", "qq7", None, 9), ("I", "QQ 7", "Iva Crake", 10))
    assert go(folder, store, 3).outcome == "committed"
    assert told(store, "Crane", "qq7,")
    report = store.purge("qq7", run=run(4))
    # The first row, the change, and the tombstone; who has another id of this form stays.
    assert report.landed == 3
    assert "landed rows erased: 3" in report.left
    assert told(store, "Crane", "Wren7", "qq7,") == []
    assert told(store, "Crake")
    for version in range(1, store.find().version + 1):
        assert store.verify(version).problems == ()
    newest = store.find()
    assert len(load_sources(store.place, newest)["borrower"]) == 30
    folder.put(change(20), ("U", "qq9", "Iva Finch", 20, "qq9"))
    assert go(folder, store, 5).tables["user_profile"].updated == 1
    assert store.verify().problems == ()


def test_a_change_at_the_source_brings_a_purged_subject_back(
    folder: Folder, store: ae.SnapshotStore
) -> None:
    go(folder, store, 1)
    store.purge("qq7", run=run(2))
    assert go(folder, store, 3).outcome == "unchanged"
    folder.put(change(5), ("U", "qq7", "Iva Crane", 5, "qq7"))
    assert go(folder, store, 4).tables["user_profile"].inserted == 1


def test_vacuum_takes_what_no_version_names(folder: Folder, store: ae.SnapshotStore) -> None:
    go(folder, store, 1)
    folder.put(change(5), *(("U", f"qq{i}", "Iva Crane", 5 + i, f"qq{i}") for i in range(1, 31)))
    go(folder, store, 2)
    store.vacuum(run=run(100))
    newest = store.find()
    assert newest.landing is not None
    known = {file.path for each in newest.landing.stored for file in each.files}
    home = store.place.rejects_root or store.place.root
    found = {str(path) for path in home.filesystem.find(home.child("_aspen/landing").path)}
    young = {name.partition("_aspen/")[2] for name in found}
    assert {name.partition("_aspen/")[2] for name in known} <= young
    assert go(folder, store, 101).outcome == "unchanged"


def test_after_a_restore_the_landing_brings_its_rows_back(
    folder: Folder, store: ae.SnapshotStore
) -> None:
    go(folder, store, 1)
    folder.put(change(5), ("U", "qq7", "Iva Crane", 5, "qq7"))
    go(folder, store, 2)
    after = store.read()
    store.restore(1, run=run(3))
    store.resume(run=run(4))
    report = go(folder, store, 5)
    assert report.tables["user_profile"].updated == 1
    names = [snapshot.tables["user_profile"]["last_name"] for snapshot in (store.read(), after)]
    assert names[0].equals(names[1])
