"""A place of rejects is one store's: no store writes or deletes among those of another."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import os
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import AspenETLError, CorruptStoreError, RejectsPlaceError
from aspen_etl.schema import Run
from aspen_etl.store import rejects_place
from aspen_etl.store.frames import checksum
from aspen_etl.store.identity import find_identity
from aspen_etl.store.vacuuming import VacuumReport
from tests.support.borrowers import LENIENT, NO_AGE, files_below
from tests.transform.sheets import ADA, extract

_PLACES = itertools.count()
LATER = Run(time=dt.datetime(2027, 1, 1, tzinfo=dt.timezone.utc), actor="keeper")


def run(day: int) -> Run:
    return Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor="me")


@pytest.fixture
def base() -> str:
    return f"memory://places/{next(_PLACES)}"


def person(name: str) -> dict[str, Optional[str]]:
    return {**ADA, "id": name, "email": f"no address of {name}"}


@functools.cache
def results() -> tuple[ae.NormalizeResult, ae.NormalizeResult]:
    """Make two states of a store, each with rejects of its own."""
    first = ae.normalize(extract(person("ida"), person("x")), run=run(1))
    second = extract(person("ida"), person("y"))
    return first, ae.normalize(second, run=run(2), previous=first.snapshot)


def make(url: str, rejects_url: Optional[str], **options: Any) -> ae.SnapshotStore:
    """Commit two versions of a store, or one more."""
    store = ae.SnapshotStore(url, rejects_url=rejects_url, **options)
    newest = store.newest()
    version = newest.version if newest else 0
    for result in results()[: 1 if version else 2]:
        store.commit(
            result.snapshot,
            run=result_run(version),
            parent=version,
            changes=result.changes,
            rejects=result.rejects,
        )
        version += 1
    return store


def result_run(version: int) -> Run:
    return run(min(version + 1, 28))


def keeper(url: str, rejects_url: Optional[str]) -> ae.SnapshotStore:
    """Give a store for a vacuum to which every file is old."""
    return ae.SnapshotStore(url, rejects_url=rejects_url, attempt_limit=NO_AGE)


def clean(url: str, rejects_url: Optional[str]) -> VacuumReport:
    return keeper(url, rejects_url).vacuum(run=LATER, keep_for=dt.timedelta())


def forget_id(place: str) -> None:
    """Take the id of a place away, as where a store of release 0.1 wrote."""
    root = ae.SnapshotStore(place).place.root.child("_aspen/rejects.json")
    root.filesystem.rm_file(root.path)


def shared(base: str) -> tuple[str, str, str]:
    """Make two stores that share a place, as release 0.1 let them."""
    east, west, place = (f"{base}/{name}" for name in ("east", "west", "bin"))
    make(east, place)
    forget_id(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rejects_place, "judge_place", lambda *_: "shared")
        patch.setattr("aspen_etl.store.committing.judge_place", lambda *_: "shared")
        make(west, place)
    return east, west, place


# ----------------------------------------------------------------------------- whose it is


def test_the_id_of_the_store_is_written_with_the_first_rejects(base: str) -> None:
    store = ae.SnapshotStore(f"{base}/s", rejects_url=f"{base}/bin")
    beside = ae.SnapshotStore(f"{base}/bin")
    ae.sync(extract(ADA), store, run=run(1), keep_source=False)
    assert files_below(beside) == {}
    ae.sync(extract(person("x")), store, run=run(2), keep_source=False, thresholds=LENIENT)
    claim = json.loads(files_below(beside)["_aspen/rejects.json"])
    assert claim == {"format": claim["format"], "token": find_identity(store.place.root)}


def test_a_second_store_is_refused_before_anything_is_written(base: str) -> None:
    make(f"{base}/east", f"{base}/bin")
    before = files_below(ae.SnapshotStore(base))
    store = ae.SnapshotStore(f"{base}/west", rejects_url=f"{base}/bin")
    result = ae.normalize(extract(ADA), run=run(1))
    for call in (
        lambda: ae.plan(extract(ADA), store, run=run(1)),
        lambda: ae.sync(extract(ADA), store, run=run(1)),
        lambda: store.commit(result.snapshot, run=run(1), parent=0, changes=result.changes),
        lambda: store.vacuum(run=LATER),
        lambda: store.purge("ida", run=LATER),
    ):
        with pytest.raises(RejectsPlaceError, match=r"bin holds the rejects of another store than"):
            call()
    after = files_below(ae.SnapshotStore(base))
    assert after.keys() - before.keys() == {"west/_aspen/last_failure.json"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("below", ["", "/user", "/_aspen", "/deep/down"])
def test_a_place_in_another_store_is_refused(base: str, below: str) -> None:
    make(f"{base}/west", None)
    before = files_below(ae.SnapshotStore(f"{base}/west"))
    with pytest.raises(RejectsPlaceError, match="outside of other stores"):
        make(f"{base}/east", f"{base}/west{below}")
    assert files_below(ae.SnapshotStore(f"{base}/west")) == before


def test_a_store_does_not_begin_where_another_one_has_its_rejects(base: str) -> None:
    make(f"{base}/east", f"{base}/bin")
    with pytest.raises(RejectsPlaceError, match="choose another folder for this store"):
        make(f"{base}/bin", None)


@pytest.mark.parametrize("below", ["", "/", "/rejects", "/_aspen"])
def test_a_place_in_ones_own_store_is_ones_own(base: str, below: str) -> None:
    url = f"{base}/s"
    store = make(url, url + below)
    assert clean(url, url + below).foreign == 0
    assert store.verify().problems == ()
    assert len(store.read_rejects()) == 2


def test_another_spelling_of_the_url_is_the_same_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make("s", "bin")
    (tmp_path / "link").symlink_to(tmp_path / "s", target_is_directory=True)
    for url, place in (
        (str(tmp_path / "s"), f"{tmp_path}/bin/"),
        (f"file://{tmp_path}/s/", f"{tmp_path}/s/../bin"),
        ("link", "./bin"),
    ):
        store = make(url, place)
        assert store.find().version > 2
        assert store.verify().problems == ()
    make("other", None)
    (tmp_path / "way").symlink_to(tmp_path / "other/user", target_is_directory=True)
    with pytest.raises(RejectsPlaceError, match="outside of other stores"):
        make("third", "way/down")


def test_of_two_stores_that_begin_at_once_one_is_refused(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = rejects_place.create  # type: ignore[attr-defined]
    rivals = iter(["east"])

    def interfere(place: Any, data: bytes) -> Any:
        for rival in rivals:
            make(f"{base}/{rival}", f"{base}/bin")
        return create(place, data)

    monkeypatch.setattr(rejects_place, "create", interfere)
    with pytest.raises(RejectsPlaceError, match="another store"):
        make(f"{base}/west", f"{base}/bin")
    assert ae.SnapshotStore(f"{base}/west").newest() is None
    assert ae.SnapshotStore(f"{base}/east", rejects_url=f"{base}/bin").verify().problems == ()


def test_an_id_that_cannot_be_read_is_damage(base: str) -> None:
    store = make(f"{base}/s", f"{base}/bin")
    place = ae.SnapshotStore(f"{base}/bin").place.root.child("_aspen/rejects.json")
    place.filesystem.pipe_file(place.path, b"{}")
    with pytest.raises(CorruptStoreError, match=r"rejects\.json"):
        store.vacuum(run=LATER)


def test_a_place_that_is_another_now_gets_rejects_that_did_not_change(base: str) -> None:
    make(f"{base}/s", f"{base}/bin")
    moved = ae.SnapshotStore(f"{base}/s", rejects_url=f"{base}/new")
    ae.sync(extract(person("ida"), person("s2"), ADA), moved, run=run(3), thresholds=LENIENT)
    assert len(moved.read_rejects()) == 2


# ----------------------------------------------------------------------------- from before


def test_a_place_from_before_is_claimed_where_all_in_it_is_the_stores(base: str) -> None:
    store = make(f"{base}/s", f"{base}/bin")
    forget_id(f"{base}/bin")
    before = len(files_below(ae.SnapshotStore(f"{base}/bin")))
    assert clean(f"{base}/s", f"{base}/bin").foreign == 0
    left = files_below(ae.SnapshotStore(f"{base}/bin"))
    assert json.loads(left["_aspen/rejects.json"])["token"] == find_identity(store.place.root)
    assert len(left) == before  # one of two files of rejects went, and the id came
    assert store.verify().problems == ()


def test_of_a_shared_place_vacuum_deletes_what_the_store_named_and_counts_the_rest(
    base: str,
) -> None:
    east, west, place = shared(base)
    for url in (east, west):
        before = len(files_below(ae.SnapshotStore(place)))
        report = clean(url, place)
        assert report.foreign == (2 if url == east else 1)
        assert "named by no version of this store" in report.advice
        assert "--rejects-url" in report.advice
        assert len(files_below(ae.SnapshotStore(place))) == before - 1
    for url in (east, west):
        assert keeper(url, place).verify().problems == ()
        assert make(url, place).verify().problems == ()
    assert "_aspen/rejects.json" not in files_below(ae.SnapshotStore(place))


def test_a_shared_place_that_is_split_is_claimed(base: str) -> None:
    east, _, place = shared(base)
    own = f"{base}/own"
    target = ae.SnapshotStore(own).place.root
    for commit in keeper(east, place).history():
        for file in commit.rejects.files if commit.rejects else ():
            source = ae.SnapshotStore(place).place.root.child(file.path)
            target.filesystem.pipe_file(target.child(file.path).path, source.read(1 << 20))
    assert clean(east, own).foreign == 0
    assert "_aspen/rejects.json" in files_below(ae.SnapshotStore(own))
    assert keeper(east, own).verify().problems == ()


def test_a_store_that_named_nothing_in_a_place_from_before_is_refused(base: str) -> None:
    _, _, place = shared(base)
    with pytest.raises(RejectsPlaceError, match="another store"):
        make(f"{base}/third", place)


def test_a_refused_run_leaves_no_rejects_in_a_shared_place(base: str) -> None:
    east, _, place = shared(base)
    with pytest.raises(ae.errors.ThresholdError, match=r"not be kept \(RejectsPlaceError\)"):
        ae.sync(extract(person("x")), keeper(east, place), run=run(9))
    assert not [name for name in files_below(ae.SnapshotStore(place)) if "refused" in name]


def test_a_store_in_another_one_is_refused_before_anything_is_written(base: str) -> None:
    whole = make(f"{base}/a", None)
    held = files_below(whole)
    for inner in ("b", "user/b"):
        with pytest.raises(RejectsPlaceError, match=r"cannot be a store: \S+/a is one"):
            make(f"{base}/a/{inner}", None)
    for inner in ("a/_aspen", "a/_aspen/keys", "_aspen"):
        with pytest.raises(RejectsPlaceError, match="folders called _aspen"):
            make(f"{base}/{inner}", None)
    assert files_below(whole) == held


# ----------------------------------------------------------------------------- any two stores

#: Where a store and its rejects may be, one in the other and below each other among them.
SPOTS = st.sampled_from(
    ["a", "b", "a/b", "bin", "bin/sub", "a/_aspen", "a/_aspen/rejects", "a/user"]
)
STORES = st.tuples(SPOTS, st.none() | SPOTS)
DOES = st.lists(st.tuples(st.booleans(), st.sampled_from(["vacuum", "purge", "sync"])), max_size=3)


def outcome(call: Any) -> Any:
    try:
        return call()
    except AspenETLError as error:
        return error


@settings(deadline=None)
@example(one=("a", None), two=("a/_aspen", None), crossed=False, does=[(False, "vacuum")])
@example(one=("b", "a"), two=("a/_aspen", None), crossed=False, does=[(False, "vacuum")])
@given(one=STORES, two=STORES, crossed=st.booleans(), does=DOES)
def test_whatever_one_store_does_the_other_stays_whole(
    one: tuple[str, Optional[str]],
    two: tuple[str, Optional[str]],
    does: list[tuple[bool, str]],
    *,
    crossed: bool,
) -> None:
    base = f"memory://places/{next(_PLACES)}"
    pairs = [(f"{base}/{url}", place and f"{base}/{place}") for url, place in (one, two)]
    if pairs[0][0] == pairs[1][0]:
        return
    held = {}
    for url, place in pairs:
        outcome(lambda url=url, place=place: make(url, place))
        held[url] = place
    for first, what in does:
        url, place = pairs[0] if first else pairs[1]
        other, others_place = pairs[1] if first else pairs[0]
        # NOTE: a sync may move a store's rejects to where nobody else has any.
        place = others_place if crossed and what != "sync" else place
        before = sight(other, held[other])
        if what == "vacuum":
            outcome(lambda url=url, place=place: clean(url, place))
        elif what == "purge":
            outcome(lambda url=url, place=place: keeper(url, place).purge("ida", run=LATER))
        else:
            outcome(lambda url=url, place=place: make(url, place))
        assert sight(other, held[other]) == before


def sight(url: str, place: Optional[str]) -> list[tuple[int, str, bool]]:
    """Tell which files each version of a store names, and whether they are as they were written."""
    store = ae.SnapshotStore(url, rejects_url=place)
    return [
        (commit.version, file.path, checksum(root.child(file.path).read(1 << 20)) == file.sha256)
        for commit in store.history()
        for stored in commit.stored
        for root in [store.place.root_of(stored)]
        for file in stored.moved(store.find().rewrites).files
    ]


def test_vacuum_deletes_no_temporary_file_of_anybody_else(tmp_path: Path) -> None:
    url, place = tmp_path / "s", tmp_path / "bin"
    make(str(url), str(place))
    others = [
        tmp_path / f"{name}.12345678.tmp"
        for name in ("s/notes", "s/deep/x", "bin/notes", "bin/sub/user/part")
    ]
    ours = [
        tmp_path / f"{name}.12345678.tmp"
        for name in ("s/_aspen/last_run.json", "bin/_aspen/refused/rejects.csv")
    ]
    for path in (*others, *ours):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    clean(str(url), str(place))
    assert [path.exists() for path in (*others, *ours)] == [True] * 4 + [False] * 2
