"""A store that is fed by a landing folder holds what it would hold of the database's own rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Optional
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import LandingOrderError
from aspen_etl.store.landed import load_ledger, load_sources
from aspen_etl.synchronization.landing import LandingRead, LandingState
from aspen_etl.transform import growing
from tests.laws.test_landing import FAR, MODEL, Case, Folder, cases, held, wanted
from tests.support.borrowers import LENIENT
from tests.support.effort import some


def run(day: int) -> ae.Run:
    return ae.Run(time=FAR + dt.timedelta(days=day), actor="me")


def stored_state(store: ae.SnapshotStore) -> Optional[LandingState]:
    """Give what the newest commit knows of the landing folder."""
    newest = store.newest()
    if newest is None or newest.landing is None:
        return None
    sources, ledger = load_sources(store.place, newest), load_ledger(store.place, newest)
    return LandingState(newest.landing.epoch, sources, ledger, newest.landing.watermark)


def read_on(folder: Folder, store: ae.SnapshotStore, on_gap: str) -> Optional[LandingRead]:
    """Read what came, from what the store knows; nothing where a change is missing as yet."""
    try:
        return folder.read(stored_state(store), on_gap=on_gap)
    except LandingOrderError as error:
        if error.details["problem"] != "gap":
            raise
        return None


def assert_holds(store: ae.SnapshotStore, other: ae.SnapshotStore) -> None:
    """Make sure that two stores hold the same tables, keys and rejects."""
    assert store.read().equals(other.read())
    assert store.read_rejects().equals(other.read_rejects())


@some(1, 8)
@given(cases(), st.sampled_from([0, 1, 96]), st.sampled_from([0.0, 0.2, 1e9]))
def test_a_landing_gives_the_store_that_the_rows_themselves_give(
    case: Case, whole_every: int, most: float
) -> None:
    url = f"memory://landing-store-{uuid4().hex}"
    landed, plain = (ae.SnapshotStore(f"{url}/{name}", model=MODEL) for name in ("a", "b"))
    before, growing._MOST = growing._MOST, most
    try:
        with Folder(case.landing) as folder:
            for day, files in enumerate([*case.runs, []]):
                folder.put(files)
                _step(folder, landed, plain, run(day), (case, whole_every))
            assert landed.verify().problems == ()
            assert held(folder.read(stored_state(landed)).extract) == wanted(case.history.truth)
    finally:
        growing._MOST = before


def _step(
    folder: Folder,
    landed: ae.SnapshotStore,
    plain: ae.SnapshotStore,
    now: ae.Run,
    told: tuple[Case, int],
) -> None:
    """Sync what came, and its rows; or see that both refuse."""
    case, whole_every = told
    options: dict[str, Any] = {"run": now, "thresholds": replace(LENIENT, allow_empty=True)}
    options_landed = {**options, "whole_every": whole_every, "on_gap": case.on_gap}
    read = read_on(folder, landed, case.on_gap)
    if read is None:
        return
    report = ae.sync(folder.landing, landed, **options_landed)
    ae.sync(read.extract, plain, keep_source=False, **options)
    assert_holds(landed, plain)
    known = stored_state(landed)
    assert known is not None
    if report.outcome == "committed":
        assert known.equals(read.state)
        assert known.ledger.digest() == read.ledger.digest()
        assert known.watermark == read.watermark
