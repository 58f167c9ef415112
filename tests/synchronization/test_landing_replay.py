"""A landing folder is replayed from its start, and held against what a store has of it."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aspen_etl as ae
from aspen_etl.columns.pieced import whole
from aspen_etl.errors import ArgumentError, VersionNotFoundError
from aspen_etl.store import landed as stored_landed
from aspen_etl.synchronization import landing_replay
from aspen_etl.synchronization.landing_replay import (
    LandingReplay,
    StateDifference,
    replay_landing,
)
from aspen_etl.synchronization.report import TableReport
from tests.support.landed import NOON, Landed

LATER = NOON + dt.timedelta(hours=1)
RUN = ae.Run(time=LATER, actor="me")
LENIENT = ae.Thresholds(max_deleted_rows=1, max_rejected_rows=1, max_rejected_cells=1)


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    made = Landed(tmp_path)
    made.load("Ada Lee", "Bo Ek", "Cy Fox")
    sync(made)
    made.change(5, ("U", "b1", "Ann Lee"), ("D", "b2", None))
    made.change(6, ("I", "b4", ""), ("D", "b4", None))
    sync(made)
    return made


def store_of(landed: Landed) -> ae.SnapshotStore:
    return ae.SnapshotStore(str(landed.root.parent / "store"))


def sync(landed: Landed, **told: Any) -> ae.SyncReport:
    return ae.sync(landed.landing, store_of(landed), run=RUN, thresholds=LENIENT, **told)


def replay(landed: Landed, **told: Any) -> LandingReplay:
    return replay_landing(landed.landing, store_of(landed), run=RUN, **told)


def test_a_replay_gives_what_the_store_has(landed: Landed) -> None:
    found = replay(landed)
    assert found.is_equal
    assert found == LandingReplay(
        version=2, files=4, keys={"borrower": 4, "role_profile": 0}, sources={}, tables={}
    )
    assert found.to_dict()["equal"]


def test_it_goes_batch_by_batch(landed: Landed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing_replay, "ReadLimits", lambda: ae.ReadLimits(max_rows=3))
    assert replay(landed).is_equal


def test_what_landed_since_is_of_no_concern(landed: Landed) -> None:
    landed.change(9, ("D", "b1", None))
    landed.change(4, ("U", "b3", "Cyd Fox"))  # late: it is below the watermark
    assert replay(landed).is_equal


def test_what_was_taken_of_a_file_in_part_counts(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.load("Ada Lee")
    young = landed.change(6, ("I", "b3", "Cy Fox"))
    os.utime(young, (LATER.timestamp(), LATER.timestamp()))
    landed.put("20260131-120004000", ("U", "b1", "Ann Lee", 5), ("U", "b1", "Al Lee", 6))
    assert sync(landed).landing is not None
    assert "Ann" in set(store_of(landed).read().tables["user_profile"]["first_name"])
    assert replay(landed).is_equal


def test_files_that_expired_make_it_impossible(landed: Landed) -> None:
    gone = landed.root / "dbo/borrower/20260131-120005000.csv"
    gone.unlink()
    found = replay(landed)
    assert found == LandingReplay(2, 4, ("dbo/borrower/20260131-120005000.csv",), 1)
    assert not found.is_equal


def test_another_content_is_named(landed: Landed) -> None:
    landed.change(5, ("U", "b1", "hush"), ("D", "b2", None))
    found = replay(landed)
    assert (found.changed, found.is_equal) == (("dbo/borrower/20260131-120005000.csv",), False)
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("stamp", StateDifference(other=1)),
        ("cell", StateDifference(other=1)),
        ("life", StateDifference(other=1)),
        ("lost", StateDifference(replayed=1)),
        ("key", StateDifference(stored=1, replayed=1)),
    ],
)
def test_a_state_that_is_another_is_told(
    spoil: str, expected: StateDifference, landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = stored_landed.load_sources

    def spoilt(*told: Any) -> Any:
        sources = dict(read(*told))
        state = sources["borrower"]
        cells, stamps, alive = whole(state.cells).copy(), state.stamps.copy(), state.alive.copy()
        if spoil == "stamp":
            stamps.iloc[0] = "9"
        elif spoil == "life":
            alive[1] = True
        else:
            name = {"cell": "city", "key": "id", "lost": "id"}[spoil]
            cells.loc[0, name] = "hush"
        state = replace(state, cells=cells, stamps=stamps, alive=alive)
        sources["borrower"] = state.take(np.arange(1, len(state))) if spoil == "lost" else state
        return sources

    monkeypatch.setattr(landing_replay, "load_sources", spoilt)
    found = replay(landed)
    assert found.sources == {"borrower": expected}
    assert found.tables == {}  # they are as the files say
    assert not found.is_equal
    assert "hush" not in repr(found)


def test_tables_that_are_others_are_told(landed: Landed) -> None:
    store = store_of(landed)
    snapshot = store.read(1)
    store.restore(1, run=RUN)
    found = replay_landing(landed.landing, store, run=RUN)
    assert len(snapshot.tables["user"]) == 3
    assert found.sources == {}
    assert found.tables["user"] == TableReport(rows=2, deleted=1)
    assert found.tables["user_profile"].updated + found.tables["user_profile"].inserted == 1
    assert not found.is_equal


def test_a_store_that_knows_nothing_of_it_is_refused(landed: Landed, tmp_path: Path) -> None:
    with pytest.raises(VersionNotFoundError, match="no commit yet"):
        replay_landing(landed.landing, ae.SnapshotStore(str(tmp_path / "none")), run=RUN)
    newer = Landed(tmp_path / "newer", epoch=2)
    with pytest.raises(VersionNotFoundError, match="took nothing of epoch 2"):
        replay_landing(newer.landing, store_of(landed), run=RUN)


def test_who_was_purged_comes_back_by_a_replay_unless_he_is_suppressed(landed: Landed) -> None:
    store_of(landed).purge("b3", run=RUN)
    found = replay(landed)
    assert found.sources == {"borrower": StateDifference(replayed=1)}
    assert found.tables["user"] == TableReport(rows=2, inserted=1)


def test_who_is_suppressed_is_left_out(landed: Landed) -> None:
    secret = b"a secret of many bytes"
    store_of(landed).purge("b3", run=RUN, suppress=True, suppress_secret=secret)
    landed.change(4, ("U", "b3", "Cyd Fox"))  # it waits, and may have been taken in part
    assert replay(landed, suppress_secret=secret).is_equal
    with pytest.raises(ArgumentError, match="the secret was not given"):
        replay(landed)
