"""A store is a value that travels, over functions; what were its inner methods still answers."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.store.place import Place
from tests.support.borrowers import LENIENT, RUN
from tests.transform.sheets import ADA, BO, extract


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    """Make a store of one version, with rejects elsewhere."""
    made = ae.SnapshotStore(
        tmp_path / "store",
        rejects_url=tmp_path / "rejects",
        format="csv",
        attempt_limit=dt.timedelta(minutes=5),
    )
    ae.sync(extract(ADA, {**BO, "email": "none"}), made, run=RUN, thresholds=LENIENT)
    return made


def test_a_store_that_travelled_reads_and_commits(store: ae.SnapshotStore) -> None:
    there = pickle.loads(pickle.dumps(store))  # noqa: S301 - our own bytes
    assert there.read().equals(store.read())
    assert there.read_rejects().equals(store.read_rejects())
    report = ae.sync(extract(ADA), there, run=RUN, thresholds=LENIENT, model=there.model)
    assert (report.version, store.find().version) == (2, 2)


def test_a_place_that_travelled_says_the_same(store: ae.SnapshotStore) -> None:
    here = store.place
    there: Place = pickle.loads(pickle.dumps(here))  # noqa: S301 - our own bytes
    assert there.url == here.url
    assert there.rejects_root is not None
    assert here.rejects_root is not None
    assert there.rejects_root.url == here.rejects_root.url
    assert (there.format, there.attempt_limit) == ("csv", dt.timedelta(minutes=5))
    assert there.model.tables == here.model.tables
    assert there.model.lineage == here.model.lineage


def test_what_a_store_says_of_itself_cannot_be_set(store: ae.SnapshotStore) -> None:
    for name in ("url", "root", "rejects_root", "log", "model", "format", "attempt_limit"):
        with pytest.raises(AttributeError):
            setattr(store, name, getattr(store.place, name))
