"""What was there before a run is read table by table: nothing twice, and nothing is held behind."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns import threads
from aspen_etl.errors import CorruptStoreError
from aspen_etl.schema.previous import Held, Previous
from aspen_etl.store import reading
from aspen_etl.store.frames import read_frame
from tests.store.test_store import sync
from tests.support.refusals import refused
from tests.transform.sheets import ADA, BO, RUN, extract

ROLES = (("a", "x"), ("b", "x"))


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    store = ae.SnapshotStore(tmp_path / "store")
    sync(store, extract(ADA, BO, roles=(("a", "x"), ("b", "x"))), 1)
    return store


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    found: list[str] = []

    def noting(root: Any, stored: Any, columns: Any) -> pd.DataFrame:
        found.extend(file.path for file in stored.files)
        return read_frame(root, stored, columns)

    monkeypatch.setattr(reading, "read_frame", noting)
    return found


@pytest.mark.parametrize("email", ["c@d", "none"], ids=["accepted", "with a reject"])
def test_a_run_reads_each_table_once(store: ae.SnapshotStore, email: str, files: list[str]) -> None:
    roles = (*ROLES, ("c", "x"))
    sync(store, extract({**ADA, "email": email}, BO, {**BO, "id": "b"}, roles=roles), 2)
    assert len(files) == len(set(files)) == 9


@pytest.mark.parametrize("rows", [0, 10**9], ids=["ahead", "in turn"])
def test_a_walk_reads_nothing_twice_and_lets_go_of_what_is_behind(
    store: ae.SnapshotStore, files: list[str], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_MANY_ROWS", rows)
    before = store.load(store.find())
    assert isinstance(before, Previous)
    assert files == []
    asked = before.table("user")
    assert before.table("user") is asked
    seen: list[weakref.ref[pd.DataFrame]] = []
    for name, then in before.walk([*before.names, "loan"]):
        assert (then.frame is None) == (name == "loan")
        if then.frame is not None:
            seen.append(weakref.ref(then.frame))
    assert len(files) == len(set(files)) == 9
    del asked, then
    gc.collect()
    assert [ref() for ref in seen] == [None] * len(store.model.tables)
    before.table("user")
    assert len(files) == 10


def test_a_commit_gives_what_its_snapshot_gives(store: ae.SnapshotStore) -> None:
    before, held = store.load(store.find()), Held(store.read())
    assert (before.names, before.time) == (held.names, held.time)
    for (name, then), (_, expected) in zip(before.walk(before.names), held.walk(held.names)):
        assert then.frame is not None
        assert expected.frame is not None
        assert ae.Tables({name: then.frame}).equals(ae.Tables({name: expected.frame}))
        if then.state is None:  # the key of a user profile comes from the source
            assert name == "user_profile"
        else:
            assert expected.state is not None
            assert then.state.equals(expected.state)


@pytest.mark.parametrize("missing", ["delete", "keep"])
def test_a_run_after_a_commit_is_one_after_its_snapshot(
    store: ae.SnapshotStore, missing: Literal["delete", "keep"]
) -> None:
    given = extract({**ADA, "email": "none"}, roles=ROLES)
    one, two = (
        ae.normalize(given, run=RUN, previous=previous, missing=missing)
        for previous in (store.load(store.find()), store.read())
    )
    assert one.equals(two)
    assert one.changes.equals(two.changes)
    ae.verify(one, given, run=RUN, previous=store.load(store.find()), missing=missing)


def test_a_file_that_goes_while_a_run_reads_is_damage(store: ae.SnapshotStore) -> None:
    before = store.load(store.find())
    for path in Path(store.url).glob("address/*/*"):
        path.unlink()
    with pytest.raises(CorruptStoreError, match="the file is gone"):
        before.table("address")


def test_a_file_that_another_commit_let_go_is_a_conflict(store: ae.SnapshotStore) -> None:
    before = store.load(store.find())
    sync(store, extract({**ADA, "city": "Rome"}, BO, roles=ROLES), 2)
    for path in Path(store.url).glob("address/00000000000000000001-*/*"):
        path.unlink()
    with refused("commit"):
        before.table("address")
