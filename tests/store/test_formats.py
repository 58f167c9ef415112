"""Formats of the store: lower ones are read under today's names, raised, and refuse higher ones."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, StoreFormatError, ThresholdError
from aspen_etl.io.small_files import write_words
from aspen_etl.schema.rejects import WRITTEN
from aspen_etl.schema.snapshot import REJECTS
from aspen_etl.store.commit import STORE_FORMAT
from aspen_etl.store.frames import checksum
from aspen_etl.store.landed import load_ledger, load_sources
from aspen_etl.store.refused import read_refused
from aspen_etl.store.shadows import load_sides
from tests.store.test_store import CY, LENIENT, ROLES, run
from tests.store.test_store import WRITTEN as STORES
from tests.support.borrowers import files_below
from tests.transform.sheets import ADA, extract

NOW, THEN = ((",".join(names) + "\n").encode() for names in WRITTEN)
RELEASES = sorted(path.name for path in STORES.iterdir())
OLD = [name for name in RELEASES if name < "0.4"]

#: What the newest version of these stores was made of.
LAST = extract({**ADA, "city": "Rome"}, {**CY, "email": "none"}, roles=ROLES)


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> ae.SnapshotStore:
    """Give a store of three versions that a release before wrote."""
    shutil.copytree(STORES / request.param, tmp_path / "store")
    return ae.SnapshotStore(tmp_path / "store")


def sync(store: ae.SnapshotStore, given: ae.Extract) -> ae.SyncReport:
    return ae.sync(given, store, run=run(4), thresholds=LENIENT)


def rejects_files(store: ae.SnapshotStore) -> list[bytes]:
    return [data for name, data in files_below(store).items() if name.endswith("rejects.csv")]


# ----------------------------------------------------------------------------- lower formats


def test_rejects_are_read_under_the_name_of_today(old: ae.SnapshotStore) -> None:
    for version in (1, 2, 3):
        assert list(old.read_rejects(version).columns) == list(REJECTS)
    assert old.read_rejects()["subject"].tolist() == ["c"]
    assert rejects_files(old)[0].startswith(THEN)


def test_a_name_alone_makes_no_commit(old: ae.SnapshotStore) -> None:
    before = files_below(old)
    assert sync(old, LAST).outcome == "unchanged"
    after = files_below(old)
    assert {name: after[name] for name in before if "last_run" not in name} == {
        name: data for name, data in before.items() if "last_run" not in name
    }


def test_the_next_commit_has_the_new_name_and_the_new_format(old: ae.SnapshotStore) -> None:
    changed = extract({**ADA, "city": "Bari"}, {**CY, "email": "none"}, roles=ROLES)
    assert sync(old, changed).version == 4
    newest = old.find()
    assert newest.format == STORE_FORMAT
    assert newest.rejects is not None
    assert newest.rejects.columns == tuple(REJECTS)
    assert sorted(data.partition(b"\n")[0] + b"\n" for data in rejects_files(old)) == [THEN, NOW]
    for version in (1, 2, 3, 4):
        assert old.verify(version).problems == ()
    assert old.read_rejects(3).equals(old.read_rejects(4))


def test_no_rejects_take_the_new_name_too(old: ae.SnapshotStore) -> None:
    assert sync(old, extract(ADA, CY, roles=ROLES)).version == 4
    assert sync(old, extract(ADA, roles=ROLES[:1])).version == 5
    assert old.restore(1, run=run(6)).rejects == old.find(1).rejects
    assert list(old.read_rejects().columns) == list(REJECTS)


def test_a_purge_reaches_rejects_of_lower_formats(old: ae.SnapshotStore) -> None:
    report = old.purge("c", run=run(4))
    assert (report.version, report.rejects) == (4, 1)
    assert old.find().format == STORE_FORMAT
    assert [data for data in rejects_files(old) if b"Cy Young" in data] == []
    for version in (1, 2, 3, 4):
        assert len(old.read_rejects(version)) == 0
        assert old.verify(version).problems == ()
    assert sync(old, extract({**ADA, "email": "none"})).version == 5
    assert old.read_rejects()["subject"].tolist() == ["a"]


def test_they_are_let_go_and_restored(old: ae.SnapshotStore) -> None:
    old.restore(3, run=run(4))
    old.resume(run=run(5))
    assert old.find().format == STORE_FORMAT
    assert old.read_rejects()["subject"].tolist() == ["c"]
    assert old.verify().problems == ()
    assert old.vacuum(run=ae.Run(time=run(5).time.replace(year=2031), actor="me")).version >= 5
    assert old.read_rejects()["subject"].tolist() == ["c"]


def test_what_a_refused_run_of_a_release_before_left_is_read_and_erased(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    with pytest.raises(ThresholdError):
        ae.sync(extract(ADA, {**CY, "full_name": None}), store, run=run(1))
    left = read_refused(store.place.root)
    assert left is not None
    place = tmp_path / "store/_aspen/refused/rejects.csv"
    data = THEN + place.read_bytes().partition(b"\n")[2]
    place.write_bytes(data)
    file = dataclasses.replace(left.file, bytes=len(data), sha256=checksum(data))
    run_file = store.place.root.child("_aspen/refused/run.json")
    write_words(run_file, dataclasses.replace(left, file=file).to_dict())
    assert store.read_refused_rejects()["subject"].tolist() == ["c"]
    assert store.purge("c", run=run(2)).refused == 1
    assert len(store.read_refused_rejects()) == 0
    assert place.read_bytes() == NOW


def test_a_folder_of_tables_of_a_release_before_is_written_over(tmp_path: Path) -> None:
    result = ae.normalize(LAST, run=run(1))
    ae.write_tables(result.tables, tmp_path, rejects=result.rejects)
    (tmp_path / "rejects.csv").write_bytes(THEN)
    ae.write_tables(result.tables, tmp_path, rejects=result.rejects, overwrite=True)
    assert (tmp_path / "rejects.csv").read_bytes().startswith(NOW)


def test_so_is_one_of_parquet(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    result = ae.normalize(LAST, run=run(1))
    written: dict[str, Any] = {"rejects": result.rejects, "format": "parquet"}
    ae.write_tables(result.tables, tmp_path, **written)
    rejects = tmp_path / "rejects.parquet"
    pq.write_table(pq.read_table(rejects).rename_columns(list(WRITTEN[1])), rejects)
    ae.write_tables(result.tables, tmp_path, **written, overwrite=True)
    assert pq.read_table(rejects).column_names == list(WRITTEN[0])


# ----------------------------------------------------------------------------- names


def test_rejects_under_the_old_name_are_refused_by_name(tmp_path: Path) -> None:
    result = ae.normalize(LAST, run=run(1))
    given = result.rejects.rename(columns={"subject": "borrower_id"})
    store = ae.SnapshotStore(tmp_path / "store")
    told: dict[str, Any] = {"run": run(1), "parent": 0, "changes": result.changes}
    for give in (
        lambda: store.commit(result.snapshot, rejects=given, **told),
        lambda: ae.write_tables(result.tables, tmp_path / "tables", rejects=given),
    ):
        with pytest.raises(ArgumentError, match="no column 'subject'; give those of normalize"):
            give()
    assert store.newest() is None
    assert not (tmp_path / "tables").exists()


# ----------------------------------------------------------------------------- a landing


@pytest.mark.parametrize("release", [name for name in RELEASES if name >= "0.6"])
def test_the_state_of_a_landing_that_a_release_wrote_is_read(release: str) -> None:
    store = ae.SnapshotStore(STORES / release)
    newest = store.find()
    assert newest.landing is not None
    found = load_sources(store.place, newest)
    assert {name: int(state.alive.sum()) for name, state in found.items()} == {
        "borrower": 2,
        "role_profile": 3,
    }
    assert found["borrower"].to_frame()["id"].tolist() == ["a", "c"]
    assert len(load_ledger(store.place, newest)) == 5


# ----------------------------------------------------------------------------- two sides


@pytest.mark.parametrize("release", [name for name in RELEASES if name >= "0.7"])
def test_the_sides_that_a_release_knew_are_read(release: str) -> None:
    store = ae.SnapshotStore(STORES / release)
    newest = store.find()
    known = [store.find(version) for version in range(4, newest.version)]
    assert [(each.kind, sorted(each.sides or {})) for each in known] == [
        ("two_way", ["old"]),
        ("push", ["new", "old"]),
        ("push", ["new", "old"]),
    ]
    plan, noted = (load_sides(store.place, each, newest)["new"] for each in known[1:])
    assert plan.plan is not None
    assert (plan.version, noted.version, noted.token) == (0, 5, known[1].token)
    assert [len(frame) for frame in (*plan.plan.values(), *noted.shadow.values())] == [0, 0, 0, 0]
    assert [len(frame) for frame in plan.shadow.values()] == [2, 3]
    assert newest.sides is None


# ----------------------------------------------------------------------------- higher formats


def test_code_of_format_2_refuses_the_store_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ae.SnapshotStore("memory://formats/higher")
    sync(store, LAST)
    monkeypatch.setattr("aspen_etl.store.commit_file.STORE_FORMAT", 2)
    monkeypatch.setattr("aspen_etl.store.identity.STORE_FORMAT", 2)
    told = f"of store format {STORE_FORMAT}, and this library knows formats up to 2; install a "
    again = ae.SnapshotStore(store.url)
    for use in (
        again.newest,
        again.read,
        again.read_rejects,
        again.verify,
        lambda: again.purge("c", run=run(5)),
        lambda: sync(again, LAST),
        again.place.log.identity,
    ):
        with pytest.raises(StoreFormatError, match=told):
            use()


@pytest.mark.parametrize("release", OLD)
def test_it_refuses_a_store_that_was_raised(
    release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(STORES / release, tmp_path / "store")
    assert sync(ae.SnapshotStore(tmp_path / "store"), extract(ADA)).version == 4
    monkeypatch.setattr("aspen_etl.store.commit_file.STORE_FORMAT", 2)
    with pytest.raises(StoreFormatError, match=f"of store format {STORE_FORMAT}"):
        ae.SnapshotStore(tmp_path / "store").newest()


#: The last commit of a release, its store's format, and what its code is asked.
BEFORE = {
    "0.3.0": ("86fd7a0", 2),
    "0.4.0": ("b2da75d", 3),
    "0.5.0": ("c440a47", 4),
    "0.6.0": ("b1bd38d", 5),
}
ASKED = """
import sys, aspen_etl as ae
from aspen_etl.store.commit import STORE_FORMAT
assert STORE_FORMAT == int(sys.argv[2])
store = ae.SnapshotStore(sys.argv[1])
for use in (store.newest, store.read, store.read_rejects, store.verify):
    try:
        use()
    except ae.errors.StoreFormatError as error:
        print(error)
    else:
        print("read")
"""


@pytest.mark.slow
@pytest.mark.parametrize("release", BEFORE)
def test_a_release_before_refuses_the_store_by_name(release: str, tmp_path: Path) -> None:
    checkout = Path(__file__).resolve().parents[2]
    code, known = BEFORE[release]
    packed = subprocess.run(
        ["git", "archive", code, "src"], cwd=checkout, check=False, capture_output=True
    )
    if packed.returncode:
        pytest.skip(f"the commit of release {release} is not in this checkout: {packed.stderr!r}")
    subprocess.run(["tar", "-x"], cwd=tmp_path, check=True, input=packed.stdout)
    sync(ae.SnapshotStore(tmp_path / "new"), LAST)
    shutil.copytree(STORES / release, tmp_path / "raised")
    sync(ae.SnapshotStore(tmp_path / "raised"), extract(ADA))
    told = f"is of store format {STORE_FORMAT}, and this library knows formats up to {known}"
    for store in ("new", "raised"):
        done = subprocess.run(
            [sys.executable, "-c", ASKED, str(tmp_path / store), str(known)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(tmp_path / "src")},
        )
        lines = done.stdout.splitlines()
        assert len(lines) == 4
        for line in lines:
            assert told in line
