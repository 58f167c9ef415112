"""Values are made when they are asked for, and not again while somebody holds them."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import CorruptStoreError
from aspen_etl.io.deferred import Deferred
from aspen_etl.store import reading as reading_module
from aspen_etl.store.frames import read_frame
from tests.store.test_store import sync
from tests.support.refusals import refused
from tests.transform.sheets import ADA, BO, extract


def test_what_is_held_is_not_made_again() -> None:
    made: list[str] = []

    def make(name: str) -> pd.DataFrame:
        made.append(name)
        return pd.DataFrame({name: [1]})

    frames = Deferred(("a", "b"), make)
    assert (list(frames), len(frames), "a" in frames, "c" in frames) == (["a", "b"], 2, True, False)
    assert made == []
    held = frames["a"]
    assert frames["a"] is held
    assert made == ["a"]
    del held
    gc.collect()
    assert frames.get("a") is not None
    assert frames.get("c") is None
    assert made == ["a", "a"]
    tables = ae.Tables.deferred(frames)
    assert pickle.loads(pickle.dumps(tables)).equals(tables)  # noqa: S301 - our own
    assert type(tables["b"]) is pd.DataFrame


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    store = ae.SnapshotStore(tmp_path / "store")
    sync(store, extract(ADA, BO, roles=(("a", "x"), ("b", "x"))), 1)
    return store


@pytest.mark.parametrize("email", ["c@d", "none"], ids=["accepted", "with a reject"])
def test_a_run_reads_each_table_once(
    store: ae.SnapshotStore, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[str] = []

    def reading(root: Any, stored: Any, columns: Any) -> pd.DataFrame:
        files.extend(file.path for file in stored.files)
        return read_frame(root, stored, columns)

    monkeypatch.setattr(reading_module, "read_frame", reading)
    roles = (("a", "x"), ("b", "x"), ("c", "x"))
    sync(store, extract({**ADA, "email": email}, BO, {**BO, "id": "b"}, roles=roles), 2)
    assert len(files) == len(set(files)) == 9


def test_a_file_that_goes_while_a_run_reads_is_damage(store: ae.SnapshotStore) -> None:
    before = store.load(store.find())
    for path in Path(store.url).glob("address/*/*"):
        path.unlink()
    with pytest.raises(CorruptStoreError, match="the file is gone"):
        before.tables["address"]


def test_a_file_that_another_commit_let_go_is_a_conflict(store: ae.SnapshotStore) -> None:
    before = store.load(store.find())
    sync(store, extract({**ADA, "city": "Rome"}, BO, roles=(("a", "x"), ("b", "x"))), 2)
    for path in Path(store.url).glob("address/00000000000000000001-*/*"):
        path.unlink()
    with refused("commit"):
        before.tables["address"]
