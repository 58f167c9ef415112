"""A commit that is lost is missed, by name: nobody steps back in silence, nobody writes on."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import CorruptStoreError, VersionNotFoundError
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.snapshot_store import SnapshotStore
from tests.support.borrowers import LENIENT, RUN, files_below, put_files
from tests.support.commits import remove
from tests.transform.sheets import ADA, BO, extract

_STORES = itertools.count()
CITIES = ("Rome", "Bari", "Pisa", "Lucca", "Siena", "Turin", "Como")


def sync(store: SnapshotStore, city: str) -> ae.SyncReport:
    return ae.sync(extract({**ADA, "city": city}, BO), store, run=RUN, thresholds=LENIENT)


@functools.cache
def files_of_seven() -> dict[str, bytes]:
    store = ae.SnapshotStore("memory://missing/of-seven")
    for city in CITIES:
        sync(store, city)
    return files_below(store)


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    """Make a store of seven versions."""
    url = str(tmp_path / "store") if request.param == "disk" else f"memory://gap/{next(_STORES)}"
    made = ae.SnapshotStore(url)
    put_files(made, files_of_seven())
    return made


USES: dict[str, Callable[[SnapshotStore], Any]] = {
    "newest": lambda store: store.newest(),
    "read": lambda store: store.read(),
    "read an older one": lambda store: store.read(2),
    "read rejects": lambda store: store.read_rejects(),
    "history": lambda store: store.history(),
    "diff": lambda store: store.diff(2, 3),
    "status": lambda store: store.status(now=RUN.time),
    "sync": lambda store: sync(store, "Milan"),
    "plan": lambda store: ae.plan(extract(ADA), store, run=RUN),
    "restore": lambda store: store.restore(2, run=RUN),
    "resume": lambda store: store.resume(run=RUN),
    "vacuum": lambda store: store.vacuum(run=RUN),
    "purge": lambda store: store.purge("a", run=RUN),
    "pin": lambda store: store.pin("loader", 2),
}


@pytest.mark.parametrize("use", USES)
def test_every_reader_and_writer_misses_a_commit_by_name(store: SnapshotStore, use: str) -> None:
    remove(store, 6)
    before = files_below(store)
    with pytest.raises(CorruptStoreError, match=r"commit 6 is missing.*version 7 is there"):
        USES[use](store)
    now = files_below(store)
    now.pop("_aspen/last_failure.json", None)  # word of a run that failed
    assert now == before


@pytest.mark.parametrize(
    ("lost", "named"), [((1,), 1), ((4,), 4), ((3, 5), 3), ((1, 2, 3, 4, 5, 6), 1)], ids=str
)
def test_wherever_it_stood(store: SnapshotStore, lost: tuple[int, ...], named: int) -> None:
    remove(store, *lost)
    with pytest.raises(CorruptStoreError, match=rf"commit {named} is missing"):
        store.newest()
    found = store.verify()
    assert [problem.where for problem in found.problems] == [f"commit {n}" for n in lost]
    assert {problem.what for problem in found.problems} == {"is missing"}
    assert found.version == 7


@pytest.mark.parametrize("kind", ["restore", "vacuum"])
def test_also_beside_a_restore_or_a_vacuum(store: SnapshotStore, kind: str) -> None:
    if kind == "restore":
        store.restore(6, run=RUN)
    else:
        store.vacuum(run=ae.Run(time=RUN.time.replace(year=2027), actor="me"))
    assert store.find().kind == kind
    remove(store, 7)
    with pytest.raises(CorruptStoreError, match=r"commit 7 is missing"):
        store.newest()
    assert "commit 7" in [problem.where for problem in store.verify().problems]


def test_a_number_far_away_costs_no_more(store: SnapshotStore) -> None:
    place = store.place.log.place(10**20 - 1)
    place.filesystem.pipe_file(place.path, b"")
    with pytest.raises(CorruptStoreError, match=r"commit 8 is missing"):
        store.newest()
    assert store.verify().problems[0].where == "commit 8"


# ----------------------------------------------------------------------------- the newest


@pytest.mark.parametrize("lost", [(7,), (6, 7), (1, 2, 3, 4, 5, 6, 7)], ids=str)
def test_the_newest_is_missed_by_verify_and_by_who_would_write_it_again(
    store: SnapshotStore, lost: tuple[int, ...]
) -> None:
    remove(store, *lost)
    assert [p.where for p in store.verify().problems] == [f"commit {n}" for n in lost]
    before = {name for name in files_below(store) if name.startswith("_aspen/commits")}
    with pytest.raises(CorruptStoreError, match=rf"commit {lost[0]} is missing"):
        sync(store, "Milan")
    assert {name for name in files_below(store) if name.startswith("_aspen/commits")} == before


@pytest.mark.parametrize("word", ["last_run.json", "a pin", "the folder of an attempt after it"])
def test_verify_takes_any_word_that_is_left_of_it(store: SnapshotStore, word: str) -> None:
    files = store.place.root.filesystem
    if word == "a pin":
        store.pin("loader", 7)
    if word == "the folder of an attempt after it":
        place = store.place.root.child(f"user/{8:020d}-0123456789abcdef/part-00000.csv")
        files.makedirs(place.path.rpartition("/")[0], exist_ok=True)
        files.pipe_file(place.path, b"")
    if word != "last_run.json":
        files.rm_file(store.place.root.child("_aspen/last_run.json").path)
    files.rm_file(store.place.root.child("_aspen/newest.json").path)
    remove(store, 7)
    assert [problem.where for problem in store.verify().problems] == ["commit 7"]


@pytest.mark.parametrize("step", ["restore", "vacuum", "purge"])
def test_a_commit_of_any_kind_leaves_word(store: SnapshotStore, step: str) -> None:
    if step == "restore":
        store.restore(1, run=RUN)
    elif step == "vacuum":
        store.vacuum(run=ae.Run(time=RUN.time.replace(year=2027), actor="me"))
    else:
        store.purge("a", run=RUN)
    assert store.find().version == 8
    remove(store, 8)
    assert store.verify().problems[0].where == "commit 8"


def test_what_a_dead_attempt_left_is_no_missing_commit(store: SnapshotStore) -> None:
    attempt = Attempt(store.place, 8)
    attempt.tables({"user": store.read().tables["user"]}, store.model.tables)
    assert store.verify().problems == ()
    assert sync(store, "Milan").version == 8


def test_words_that_nobody_can_read_are_passed_over(store: SnapshotStore) -> None:
    for name in ("newest", "last_run"):
        for data in (b"", b"[]", b'{"version": "7"}', b'{"version": -1}', b"[" * 60_000):
            place = store.place.root.child(f"_aspen/{name}.json")
            place.filesystem.pipe_file(place.path, data)
            assert store.verify().problems == ()
    assert sync(store, "Milan").version == 8


def test_a_store_without_a_commit_is_none_still(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "none")
    for use in (store.read, store.verify):
        with pytest.raises(VersionNotFoundError, match="holds no commit yet; run sync first"):
            use()


# ----------------------------------------------------------------------------- listings


@pytest.mark.parametrize("hidden", [(7,), (5,), (6, 7), (1, 2, 3, 4, 5, 6, 7)], ids=str)
def test_a_listing_that_comes_late_is_no_proof(
    store: SnapshotStore, hidden: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = store.place.root.filesystem.ls
    late = {store.place.log.place(version).name for version in hidden}

    def ls(path: str, **options: Any) -> list[str]:
        return [each for each in listed(path, **options) if each.rpartition("/")[2] not in late]

    monkeypatch.setattr(store.place.root.filesystem, "ls", ls)
    assert store.find().version == 7
    assert store.verify().problems == ()
    assert sync(store, "Milan").version == 8


def test_each_opening_lists_the_folder_once(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    filesystem = store.place.root.filesystem
    for name in ("ls", "find", "info"):
        method = getattr(filesystem, name)

        def call(path: Any, *, _name: str = name, _method: Any = method, **options: Any) -> Any:
            if isinstance(path, str):  # older versions of fsspec ask for what they have just listed
                calls.append(f"{_name} {path.rpartition('/')[2]}")
            return _method(path, **options)

        monkeypatch.setattr(filesystem, name, call)
    assert store.newest() is not None
    listings = [call for call in calls if "commits" in call and "info" not in call]
    assert listings == ["ls commits"]
    assert [call for call in calls if "json" in call] == [f"info {8:020d}.json"]
