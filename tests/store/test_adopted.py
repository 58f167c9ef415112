"""A store whose rows have keys that an application drew, from 2^40 on."""

from __future__ import annotations

import datetime as dt
import secrets
from random import Random

import pytest

import aspen_etl as ae
from aspen_etl.changes import diff
from aspen_etl.schema.snapshot import ADOPTED_FROM, KeyState, Snapshot
from aspen_etl.store.verifying import Problem
from aspen_etl.synchronization import touching
from tests.laws.test_short_way import write
from tests.support.adopted import Application, keys_of
from tests.support.borrowers import LENIENT, files_below
from tests.transform.sheets import ADA, BO, extract

MODEL = ae.BORROWER_MODEL
ZOE = {**BO, "id": "zoe", "phone_home": "5550107"}


def run(day: int) -> ae.Run:
    return ae.Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor="me")


def store_with_zoe() -> ae.SnapshotStore:
    """Give a store that has Ada and Bo by a run, and Zoe from an application."""
    store = ae.SnapshotStore(f"memory://adopted/{secrets.token_hex(8)}", format="csv")
    ae.sync(extract(ADA, BO), store, run=run(1), thresholds=LENIENT)
    commit(store, extract(ADA, BO, ZOE), 2)
    return store


def commit(store: ae.SnapshotStore, given: ae.Extract, day: int) -> Snapshot:
    """Commit what an application wrote."""
    before, application = store.read(), Application(MODEL, Random(4))  # noqa: S311
    taken = application.take(given, before, run(day))
    made = ae.normalize(given, previous=taken.previous, run=run(day)).snapshot
    kept = application.keep(made, taken.tables)
    changes = diff(before.tables, kept.tables)
    store.commit(kept, run=run(day), parent=store.find().version, changes=changes)
    return kept


def users(store: ae.SnapshotStore) -> list[int]:
    return [int(key) for key in store.read().tables["user"]["user_id"]]


def test_a_run_after_it_goes_on_below() -> None:
    store = store_with_zoe()
    assert users(store) == [1, 2, ADOPTED_FROM]
    more = extract(ADA, {**BO, "id": "c", "phone_cell": "5550108"}, BO, ZOE)
    ae.sync(more, store, run=run(3), thresholds=LENIENT)
    assert users(store) == [1, 2, 3, ADOPTED_FROM]
    assert store.read().keys["user"].next == 4
    assert store.verify().problems == ()


def test_verify_tells_of_a_key_of_ours_that_is_not_below_the_next_number() -> None:
    store = store_with_zoe()
    held = store.read()
    keys = {**held.keys, "user": KeyState(2, held.keys["user"].given)}
    damaged = Snapshot(held.tables, keys, held.time)
    none = diff(held.tables, held.tables)
    store.commit(damaged, run=run(3), parent=store.find().version, changes=none)
    expected = Problem("keys of user", "are not below the next number", 1)
    assert store.verify().problems == (expected,)


def test_restore_goes_back_before_it_and_forward_again() -> None:
    store = store_with_zoe()
    known = keys_of(store.read().keys["phone_number"].given)
    store.restore(1, run=run(3))
    assert users(store) == [1, 2]
    assert keys_of(store.read().keys["phone_number"].given) == known
    assert store.read().keys["user"].next == 3
    assert store.verify().problems == ()
    store.resume(run=run(4))
    more = extract(ADA, BO, {**BO, "id": "c"}, ZOE)
    ae.sync(more, store, run=run(5), thresholds=LENIENT)
    assert users(store) == [1, 2, 3, ADOPTED_FROM]
    assert store.verify().problems == ()
    store.restore(2, run=run(6))
    assert users(store) == [1, 2, ADOPTED_FROM]
    assert store.read().keys["user"].next == 4
    assert store.verify().problems == ()


@pytest.mark.parametrize("is_gone", [False, True], ids=["there", "gone"])
def test_purge_erases_who_has_adopted_keys(*, is_gone: bool) -> None:
    store = store_with_zoe()
    if is_gone:
        ae.sync(extract(ADA, BO), store, run=run(3), thresholds=LENIENT)
    assert any(b"zoe" in data or b"5550107" in data for data in files_below(store).values())
    report = store.purge("zoe", run=run(4))
    assert report.similar == 0
    assert users(store) == [1, 2]
    given = store.read().keys
    assert not any((state.given.iloc[:, 0] >= ADOPTED_FROM).any() for state in (given["user"],))
    assert keys_of(given["phone_number"].given).keys() == {(1, 1), (1, 2)}
    assert not any(b"zoe" in data or b"5550107" in data for data in files_below(store).values())
    assert store.verify().problems == ()


def test_a_row_that_an_application_deleted_gets_its_key_back() -> None:
    store = store_with_zoe()
    commit(store, extract(ADA, BO), 3)
    assert users(store) == [1, 2]
    ae.sync(extract(BO, ADA, ZOE, {**BO, "id": "c"}), store, run=run(4), thresholds=LENIENT)
    assert users(store) == [1, 2, 3, ADOPTED_FROM]
    assert store.verify().problems == ()


def test_new_rows_are_spliced_in_ahead_of_adopted_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(touching, "_MOST_TOUCHED", 100)
    stores = store_with_zoe(), store_with_zoe()
    folder = f"memory://adopted/{secrets.token_hex(8)}"
    for day, more in ((3, []), (4, [{**BO, "id": "c", "phone_cell": "5550108"}])):
        write(extract(ADA, BO, ZOE, *more), folder)
        ways = [
            ae.sync(folder, store, run=run(day), thresholds=LENIENT, keep_source=is_short).way
            for store, is_short in zip(stores, (False, True))
        ]
    assert ways[1] is not None
    assert ways[1].kind == "short"
    assert users(stores[1]) == [1, 2, 3, ADOPTED_FROM]
    files = [
        [file.sha256 for held in store.find().tables.values() for file in held.files]
        for store in stores
    ]
    assert files[0] == files[1]
    assert stores[1].verify().problems == ()
