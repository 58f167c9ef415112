"""Entities in a store: synced, read as the state before, purged with the last that had them."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import aspen_etl as ae
from tests.normalization.wards import CITIES, RUN, plain, visits

_STORES = itertools.count()
LENIENT = ae.Thresholds(
    max_rejected_rows=1, max_rejected_cells=1, max_deleted_rows=1, min_deleted_rows=99
)
FIRST = visits(
    ["1", "C", "One", "Rome", "Lazio", "H", "1", "2"], ["2", "D", "Two", "Oslo"], ["3", "D"]
)
SECOND = visits(
    ["1", "C", "One", "Rome", "Lazio", "H", "1", "2"], ["2", "D", "Dos", "Oslo"], ["4", "E"]
)


def run(day: int) -> ae.Run:
    return replace(RUN, time=RUN.time + dt.timedelta(days=day))


def synced() -> ae.SnapshotStore:
    store = ae.SnapshotStore(f"memory://entities/{next(_STORES)}", model=CITIES)
    for day, given in enumerate((FIRST, SECOND)):
        ae.sync(given, store, run=run(day), thresholds=LENIENT)
    return store


def clinics(store: ae.SnapshotStore, version: int) -> list[list[object]]:
    return plain(store.read(version).tables["clinic"][["clinic_id", "code", "name"]])


def test_a_sync_tells_what_changed_of_entities_and_which_cells_are_filled() -> None:
    store = ae.SnapshotStore(f"memory://entities/{next(_STORES)}", model=CITIES)
    first = ae.sync(FIRST, store, run=run(0))
    assert first.sources["visits"].filled == {"clinic_name": 1, "city_name": 1}
    second = ae.sync(SECOND, store, run=run(1), thresholds=LENIENT)
    found = second.tables["clinic"]
    assert (found.rows, found.inserted, found.updated, found.deleted) == (3, 1, 1, 0)
    assert store.diff(1, 2).counts["clinic"] == {"inserted": 1, "updated": 1, "deleted": 0}
    assert ae.sync(SECOND, store, run=run(2)).outcome == "unchanged"


def test_conflicts_count_for_the_threshold_of_cells() -> None:
    store = ae.SnapshotStore(f"memory://entities/{next(_STORES)}", model=CITIES)
    given = visits(["1", "C", "One"], ["2", "C", "One"], ["3", "C", "Onne"])
    report = ae.plan(given, store, run=run(0))
    assert len(report.refusals) == 1
    assert "max_rejected_cells" in report.refusals[0]


def test_a_purge_takes_the_entities_that_only_the_subject_referred_to() -> None:
    store = synced()
    report = store.purge("1", run=run(2))
    assert (report.rows["clinic"], report.rows["city"], report.rows["ward"]) == (1, 1, 1)
    assert clinics(store, 1) == [[2, "D", "Two"]]
    assert clinics(store, 3) == [[2, "D", "Dos"], [3, "E", None]]
    assert not store.verify().problems
    left = SECOND["visits"].iloc[1:]
    given = ae.Extract.from_frames({**SECOND, "visits": left})
    ae.sync(given, store, run=run(3))
    assert clinics(store, store.find().version) == [[2, "D", "Dos"], [3, "E", None]]


def test_an_entity_that_somebody_else_had_in_another_version_stays() -> None:
    store = synced()
    store.purge("3", run=run(2))
    assert clinics(store, 1) == [[1, "C", "One"], [2, "D", "Two"]]
    assert not store.verify().problems


def test_one_that_nobody_has_any_more_stays_until_the_next_run() -> None:
    store = ae.SnapshotStore(f"memory://entities/{next(_STORES)}", model=CITIES)
    ae.sync(visits(["1", "C", "One"], ["2", "C"]), store, run=run(0), thresholds=LENIENT)
    ae.sync(visits(["1", "C", "Uno"], ["2", "D"]), store, run=run(1), thresholds=LENIENT)
    store.purge("1", run=run(2))
    assert clinics(store, 3) == [[1, "C", "Uno"], [2, "D", None]]
    for version in (1, 2, 3):
        assert not store.verify(version).problems
    ae.sync(visits(["2", "D"]), store, run=run(3), thresholds=LENIENT)
    assert clinics(store, 4) == [[2, "D", None]]


def test_an_entity_that_came_back_has_its_old_key() -> None:
    store = synced()
    gone = visits(["2", "D", "Dos", "Oslo"])
    ae.sync(gone, store, run=run(2), thresholds=LENIENT)
    ae.sync(SECOND, store, run=run(3), thresholds=LENIENT)
    assert clinics(store, 4) == [[1, "C", "One"], [2, "D", "Dos"], [3, "E", None]]
