"""What is known of a landing folder is a base and what was put over it: nothing of it is lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.store import attempt
from aspen_etl.store.commit_rules import find_contradiction
from aspen_etl.store.landed import load_ledger, load_sources
from aspen_etl.transform import growing
from tests.support.borrowers import LENIENT
from tests.synchronization.test_landing import LATER, Folder, change


def test_what_is_put_over_a_base_is_joined_and_none_of_it_lost(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "_MOST", 1e9)  # the base is never written anew
    store, frames = ae.SnapshotStore(tmp_path / "store"), []
    names = {f"qq{i}": f"Wren{i}" for i in range(1, 31)}
    paths = {"dbo/borrower/LOAD00000001.csv"}
    for day in range(6):
        if day:
            names[f"qq{day}"] = f"Crane{day}"
            row = ("U", f"qq{day}", f"Iva Crane{day}", day, f"qq{day}")
            paths.add(folder.put(change(day), row))
        now = ae.Run(time=LATER + dt.timedelta(days=day), actor="me")
        ae.sync(folder.landing, store, run=now, thresholds=LENIENT)
        newest = store.find()
        assert newest.landing is not None
        assert load_ledger(store.place, newest).entries.keys() == paths
        cells = load_sources(store.place, newest)["borrower"].cells
        found = dict(zip(cells["id"], cells["full_name"]))
        assert found == {key: f"Iva {name}" for key, name in names.items()}
        held = newest.landing
        frames.append((len(held.sources["borrower"].frames), len(held.ledger)))
    # Each takes in those behind it that are at most twice as large.
    assert frames == [(1, 1), (2, 2), (2, 2), (2, 2), (3, 3), (2, 2)]


@pytest.mark.parametrize(
    ("order", "formats"),
    [
        ([False, True, True], [["csv"], ["csv", "csv"], ["csv", "csv"]]),
        ([True, True, False], [["arrow"], ["arrow", "arrow"], ["arrow", "csv"]]),
    ],
)
def test_a_state_is_as_arrow_lays_it_out_unless_it_was_begun_without_pyarrow(
    order: list[bool],
    formats: list[list[str]],
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("pyarrow")
    store = ae.SnapshotStore(tmp_path / "store")
    known = []
    for day, has_arrow in enumerate(order):
        monkeypatch.setattr(attempt, "HAS_ARROW", has_arrow)
        if day:
            folder.put(change(day), ("U", f"qq{day}", f"Iva Crane{day}", day, f"qq{day}"))
        now = ae.Run(time=LATER + dt.timedelta(days=day), actor="me")
        ae.sync(folder.landing, store, run=now, thresholds=LENIENT)
        newest = store.find()
        assert newest.landing is not None
        known.append([each.format for each in newest.landing.sources["borrower"].frames])
        cells = load_sources(store.place, newest)["borrower"].cells
        names = dict(zip(cells["id"], cells["full_name"]))
        assert [names[f"qq{i}"] for i in range(1, day + 1)] == [
            f"Iva Crane{i}" for i in range(1, day + 1)
        ]
    assert known == formats
    assert store.find().format_of_tables == "csv"
    assert store.verify().problems == ()


def test_a_table_in_the_format_of_a_state_is_damage(folder: Folder, tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    ae.sync(folder.landing, store, run=ae.Run(time=LATER, actor="me"), thresholds=LENIENT)
    commit = store.find()
    assert find_contradiction(commit, commit.version) == ""
    name, stored = next(iter(commit.tables.items()))
    files = tuple(replace(each, path=each.path[:-3] + "arrow") for each in stored.files)
    other = replace(stored, format="arrow", files=files)
    spoilt = replace(commit, tables={**commit.tables, name: other})
    assert "format of a state" in find_contradiction(spoilt, commit.version)
