"""A store as its users see it: versions, history, going back, keeping house, other releases."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import shutil
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    CorruptStoreError,
    DeadlineError,
    NotSupportedError,
    StoreFormatError,
    VersionNotFoundError,
)
from aspen_etl.schema import Extract, Run
from aspen_etl.store.attempt import Attempt
from tests.support.borrowers import files_below, put_files
from tests.support.refusals import refused
from tests.transform.sheets import ADA, BO, extract

LENIENT = ae.Thresholds(max_deleted_rows=1, max_rejected_rows=1, max_rejected_cells=1)
CY = {**ADA, "id": "c", "full_name": "Cy Young", "email": "cy@example.org"}
ROLES = (("a", "borrower"), ("c", "borrower"), ("c", "co-borrower"))
WRITTEN = Path(__file__).parent / "written"
_STORES = itertools.count()


def run(day: int) -> Run:
    return Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor=f"day {day}")


@pytest.fixture(params=["memory", "disk"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "disk" else f"memory://store/{next(_STORES)}"


def sync(store: ae.SnapshotStore, given: Extract, day: int) -> ae.SyncReport:
    return ae.sync(given, store, run=run(day), thresholds=LENIENT)


def three_versions(url: str, **options: Any) -> ae.SnapshotStore:
    """Make a store of three versions: two borrowers, one changed, one more and a reject."""
    if options:
        return sync_three(url, **options)
    store = ae.SnapshotStore(url)
    put_files(store, files_of_three())
    return store


@functools.cache
def files_of_three() -> dict[str, bytes]:
    """Make such a store once, and give its files."""
    return files_below(sync_three("memory://store/of-three"))


def sync_three(url: str, **options: Any) -> ae.SnapshotStore:
    store = ae.SnapshotStore(url, **options)
    sync(store, extract(ADA, BO, roles=ROLES[:1]), 1)
    sync(store, extract({**ADA, "city": "Rome"}, BO, roles=ROLES[:1]), 2)
    sync(store, extract({**ADA, "city": "Rome"}, {**CY, "email": "none"}, roles=ROLES), 3)
    return store


def ids(store: ae.SnapshotStore, version: Optional[int] = None) -> list[str]:
    profiles = store.read(version).tables["user_profile"]
    return list(profiles["user_profile_id"])


# ----------------------------------------------------------------------------- reading


def test_each_version_is_read_as_it_was_committed(url: str) -> None:
    store = three_versions(url)
    assert [ids(store, version) for version in (1, 2, 3, None)] == [
        ["a", "b"],
        ["a", "b"],
        ["a", "c"],
        ["a", "c"],
    ]
    assert store.read(1).tables["address"]["city"].tolist() == ["Turin"]
    assert store.read(2).tables["address"]["city"].tolist() == ["Rome"]
    assert store.read().keys["user"].given["user_profile_id"].tolist() == ["a", "b", "c"]
    assert store.read(2).keys["user"].next == 3
    assert store.read_rejects()["rule"].tolist() == ["invalid_email"]
    assert len(store.read_rejects(1)) == 0


def test_the_history_tells_what_each_commit_did(url: str) -> None:
    store = three_versions(url)
    versions = store.history()
    assert [commit.version for commit in versions] == [3, 2, 1]
    assert [commit.actor for commit in versions] == ["day 3", "day 2", "day 1"]
    assert versions[1].changes["address"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert versions[0].reject_counts[0]["rule"] == "invalid_email"
    assert [commit.version for commit in store.history(limit=2)] == [3, 2]
    assert store.history(limit=0) == ()
    assert json.loads(json.dumps(versions[0].to_dict()))["version"] == 3


def test_no_commit_file_holds_a_cell(url: str) -> None:
    store = three_versions(url)
    for commit in store.history():
        text = commit.to_bytes().decode("ascii")
        for cell in ("Antoni", "Turin", "Rome", "5550100", "a@b", "none"):
            assert f'"{cell}' not in text
        assert "Antoni" not in repr(commit)


def test_what_is_not_there_is_an_error_that_says_what_is(url: str) -> None:
    store = ae.SnapshotStore(url)
    with pytest.raises(VersionNotFoundError, match="holds no commit yet; run sync first"):
        store.read()
    assert store.history() == ()
    store = three_versions(url)
    for version in (0, 4):
        with pytest.raises(VersionNotFoundError, match=r"versions 1 to 3 can be read"):
            store.read(version)


def test_a_store_without_rejects_url_does_not_find_rejects_elsewhere(url: str) -> None:
    elsewhere = f"{url}-rejects"
    store = three_versions(url, rejects_url=elsewhere)
    assert len(store.read_rejects()) == 1
    assert store.verify().problems == ()
    files = store.place.root.filesystem.find(store.place.root.path)
    assert not [path for path in files if "rejects" in path.removeprefix(store.place.root.path)]
    with pytest.raises(NotSupportedError, match="give rejects_url="):
        ae.SnapshotStore(url).read_rejects()


def test_a_format_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(NotSupportedError, match="use one of csv, parquet"):
        ae.SnapshotStore(url, format="orc")  # type: ignore[arg-type]


def test_another_format_from_now_on_writes_every_table_anew(url: str) -> None:
    pytest.importorskip("pyarrow")
    store = three_versions(url)
    other = ae.SnapshotStore(url, format="parquet")
    given = extract({**ADA, "city": "Rome"}, {**CY, "email": "none"}, roles=ROLES)
    assert sync(other, given, 4).version == 4
    assert {stored.format for stored in other.find().tables.values()} == {"parquet"}
    assert other.read().tables.equals(store.read(3).tables)


# ----------------------------------------------------------------------------- committing


def test_a_commit_on_an_old_version_is_a_conflict(url: str) -> None:
    store = three_versions(url)
    result = ae.normalize(extract(ADA), run=run(4), previous=store.read(2))
    with refused("commit", match="another writer committed version 3"):
        store.commit(result.snapshot, run=run(4), parent=2, changes=result.changes)


def test_a_commit_by_hand_is_one(url: str) -> None:
    store = three_versions(url)
    result = ae.normalize(extract(ADA), run=run(4), previous=store.read(), missing="keep")
    commit = store.commit(result.snapshot, run=run(4), parent=3, changes=result.changes)
    assert commit.version == 4
    assert ids(store) == ["a", "c"]


def test_an_attempt_that_took_too_long_gives_up(url: str) -> None:
    store = ae.SnapshotStore(url, attempt_limit=dt.timedelta(seconds=-1))
    with pytest.raises(DeadlineError, match="nothing was committed"):
        sync(store, extract(ADA), 1)
    assert store.newest() is None


def test_the_newest_version_is_found_among_many(url: str) -> None:
    store = ae.SnapshotStore(url)
    sync(store, extract(ADA), 1)
    for version in range(2, 12):
        day = version
        if version % 2:
            store.resume(run=run(day))
        else:
            store.restore(1, run=run(day))
        assert store.place.log.newest_version() == version


def test_a_storage_that_is_not_known_needs_a_promise(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aspen_etl.store.commit_log.KNOWN_TO_CREATE", frozenset())
    with pytest.raises(NotSupportedError, match="promise single_writer=True"):
        sync(ae.SnapshotStore(url), extract(ADA), 1)
    alone = ae.SnapshotStore(url, single_writer=True)
    assert sync(alone, extract(ADA), 1).version == 1
    assert sync(alone, extract(ADA, BO), 2).version == 2


def test_a_storage_that_overwrites_is_found_out(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aspen_etl.store.commit_log.create", lambda _place, _data: "made")
    with pytest.raises(NotSupportedError, match="overwrote a file that it was told to create"):
        sync(ae.SnapshotStore(url), extract(ADA), 1)


# ----------------------------------------------------------------------------- going back


def test_restoring_gives_the_old_rows_and_forgets_no_key(url: str) -> None:
    store = three_versions(url)
    commit = store.restore(1, run=run(4))
    assert (commit.version, commit.kind, commit.hold) == (4, "restore", 4)
    assert store.read().tables.equals(store.read(1).tables)
    assert commit.changes["user"] == {"inserted": 1, "updated": 0, "deleted": 1}
    assert store.read().keys["user"].next == 4
    assert store.verify().problems == ()
    store.resume(run=run(5))
    sync(store, extract(ADA, CY, {**BO, "id": "d"}), 6)
    assert store.read().tables["user"]["user_id"].tolist() == [1, 3, 4]


def test_a_restored_version_costs_no_table_file(url: str) -> None:
    store = three_versions(url)
    assert store.restore(1, run=run(4)).tables == store.find(1).tables


# ----------------------------------------------------------------------------- keeping house


def aged(store: ae.SnapshotStore) -> ae.SnapshotStore:
    """Give the store for a vacuum to which every file is old."""
    return ae.SnapshotStore(store.url, attempt_limit=dt.timedelta(seconds=-5))


def test_vacuum_lets_old_versions_go_and_keeps_the_rest(url: str) -> None:
    store = three_versions(url)
    report = aged(store).vacuum(run=run(5), keep_for=dt.timedelta(days=3))
    assert (report.version, report.oldest_readable) == (4, 2)
    assert report.files > 0
    with pytest.raises(VersionNotFoundError, match="versions 2 to 4 can be read"):
        store.read(1)
    for version in (2, 3, 4):
        assert store.verify(version).problems == ()
    assert store.find(4).kind == "vacuum"


def test_vacuum_leaves_young_files_of_unknown_attempts_alone(url: str) -> None:
    store = three_versions(url)
    attempt = Attempt(store.place, 4)
    written = attempt.tables({"user": store.read().tables["user"]}, store.model.tables)
    left = written["user"].files[0].path
    report = store.vacuum(run=run(5))
    assert (report.files, report.young) == (0, 1)
    assert store.place.root.child(left).kind() == "file"
    assert aged(store).vacuum(run=run(5)).files == 1
    assert store.place.root.child(left).kind() == "absent"


def test_vacuum_deletes_nothing_that_is_not_the_stores(url: str) -> None:
    store = three_versions(url)
    for name in ("notes.txt", "user/notes.txt", "user/older/part-00000.csv"):
        place = store.place.root.child(name)
        place.filesystem.makedirs(place.path.rpartition("/")[0], exist_ok=True)
        place.filesystem.pipe_file(place.path, b"mine")
    aged(store).vacuum(run=run(30), keep_for=dt.timedelta())
    assert store.place.root.child("notes.txt").kind() == "file"
    assert store.place.root.child("user/notes.txt").kind() == "file"
    assert store.place.root.child("user/older/part-00000.csv").kind() == "file"


def test_a_pinned_version_stays_until_it_is_let_go(url: str) -> None:
    store = three_versions(url)
    store.pin("loader", 2)
    report = aged(store).vacuum(run=run(30), keep_for=dt.timedelta())
    assert report.oldest_readable == 2
    store.unpin("loader")
    store.unpin("loader")
    report = aged(store).vacuum(run=run(30), keep_for=dt.timedelta())
    assert report.oldest_readable > 2
    with pytest.raises(VersionNotFoundError):
        store.pin("loader", 2)
    with pytest.raises(NotSupportedError, match="is no name for a pin"):
        store.pin("../loader", report.version)


def test_verification_names_what_is_wrong(url: str) -> None:
    store = three_versions(url)
    commit = store.find()
    for name, damage in (("user", (b"day", b"dax")), ("email", (b"\n", b""))):
        place = store.place.root.child(commit.tables[name].files[0].path)
        place.filesystem.pipe_file(place.path, place.read(1 << 20).replace(*damage, 1))
    gone = store.place.root.child(commit.tables["address"].files[0].path)
    gone.filesystem.rm_file(gone.path)
    found = {problem.where: problem.what for problem in store.verify().problems}
    assert set(found) == {"user", "email", "address"}
    assert "not those that were written" in found["user"]
    with pytest.raises(CorruptStoreError, match="aspen-etl verify"):
        store.read()


def test_purge_erases_a_borrower_from_every_version(url: str) -> None:
    store = three_versions(url)
    report = store.purge("c", run=run(4))
    assert report.rows["user_profile"] == 1
    assert report.rows["role_profile"] == 2
    assert [ids(store, version) for version in (1, 2, 3, 4)] == [
        ["a", "b"],
        ["a", "b"],
        ["a"],
        ["a"],
    ]
    assert len(store.read_rejects(3)) == len(store.read_rejects()) == 0
    report = store.purge("b", run=run(5))
    assert store.read().keys["user"].given["user_profile_id"].tolist() == ["a"]
    for version in range(1, report.version + 1):
        assert store.verify(version).problems == ()
        assert "b" not in ids(store, version)
    for path in store.place.root.filesystem.find(store.place.root.path):
        data = store.place.root.filesystem.cat_file(path)
        assert b"Cy" not in data
        assert b"5550101" not in data or b"Ada" not in data
    assert store.purge("nobody", run=run(6)).files == 0
    assert store.newest() == store.find(report.version)


def test_a_purged_borrower_that_the_source_still_has_returns_under_new_keys(url: str) -> None:
    store = three_versions(url)
    store.purge("c", run=run(4))
    sync(store, extract({**ADA, "city": "Rome"}, CY, roles=ROLES), 5)
    assert store.read().tables["user"]["user_id"].tolist() == [1, 4]


def test_the_status_tells_of_commits_and_of_runs_that_only_looked(url: str) -> None:
    store = ae.SnapshotStore(url)
    now = run(10).time
    with pytest.raises(VersionNotFoundError, match="there is no store at"):
        store.status(now=now)
    store = three_versions(url)
    sync(store, extract({**ADA, "city": "Rome"}, {**CY, "email": "none"}, roles=ROLES), 5)
    status = store.status(now=now)
    assert (status.version, status.outcome) == (3, "unchanged")
    assert (status.commit_age, status.look_age) == (7 * 86400.0, 5 * 86400.0)
    store.restore(1, run=run(6))
    assert store.status(now=now).hold == 4
    assert json.dumps(status.to_dict())


def test_a_note_that_cannot_be_read_is_none(url: str) -> None:
    store = three_versions(url)
    place = store.place.root.child("_aspen/last_run.json")
    for data in (b"", b"[]", b'{"time": "yesterday"}'):
        place.filesystem.pipe_file(place.path, data)
        assert store.last_run() == {}
    assert store.status(now=run(9).time).look_age is None


# ----------------------------------------------------------------------------- other releases


def test_a_store_of_a_newer_format_is_refused(url: str) -> None:
    store = three_versions(url)
    place = store.place.log.place(4)
    place.filesystem.pipe_file(place.path, b'{"format": 99}')
    for call in (store.read, store.newest, lambda: sync(store, extract(ADA), 5)):
        with pytest.raises(
            StoreFormatError, match=r"of store format 99.*install a newer aspen_etl"
        ):
            call()


def test_a_commit_file_that_is_none_is_damage(url: str) -> None:
    store = three_versions(url)
    for data in (b"", b"[]", b'{"format": 1}', b'{"format": "x"}', b"\xff"):
        place = store.place.log.place(4)
        place.filesystem.pipe_file(place.path, data)
        with pytest.raises(CorruptStoreError, match="it is no commit file"):
            store.read()


@pytest.mark.parametrize("release", sorted(path.name for path in WRITTEN.iterdir()))
def test_a_store_that_a_release_wrote_is_read_and_continued(release: str, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    shutil.copytree(WRITTEN / release, folder)
    store = ae.SnapshotStore(folder)
    assert [ids(store, version) for version in (1, 2, 3)] == [["a", "b"], ["a", "b"], ["a", "c"]]
    for version in (1, 2, 3):
        assert store.verify(version).problems == ()
    expected = three_versions(str(tmp_path / "now"))
    for version in (1, 2, 3):
        assert store.read(version).equals(expected.read(version))
    following = store.find().version + 1
    assert sync(store, extract(ADA, BO), 4).version == following
    assert store.read().tables["user"]["user_id"].tolist() == [1, 2]
