"""Each kind of damage to what a store keeps of itself: named, at once, by readers and by verify."""

from __future__ import annotations

import functools
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    AspenETLError,
    CorruptStoreError,
    NotSupportedError,
    StoreFormatError,
)
from aspen_etl.store.commit import STORE_FORMAT
from aspen_etl.store.sealing import sealed
from tests.support.borrowers import LENIENT, RUN, check_ours, files_below, put_files
from tests.support.commits import (
    SINCE,
    Edit,
    as_text,
    change,
    make_format_1,
    read_commit_file,
    read_json,
    write_commit_file,
)
from tests.transform.sheets import ADA, BO, extract

_STORES = itertools.count()


def sync(store: ae.SnapshotStore, city: str) -> ae.SyncReport:
    given = extract({**ADA, "city": city}, {**BO, "email": "none"})
    return ae.sync(given, store, run=RUN, thresholds=LENIENT)


@functools.cache
def files_of_three() -> dict[str, bytes]:
    store = ae.SnapshotStore("memory://damage/of-three")
    for city in ("Rome", "Bari", "Pisa"):
        sync(store, city)
    store.pin("loader", 2)
    return files_below(store)


@pytest.fixture
def store() -> ae.SnapshotStore:
    """Make a store of three versions and a pin, in memory."""
    made = ae.SnapshotStore(f"memory://damaged/{next(_STORES)}")
    put_files(made, files_of_three())
    return made


@pytest.fixture
def on_disk(tmp_path: Path) -> ae.SnapshotStore:
    """Make such a store on a disk."""
    made = ae.SnapshotStore(tmp_path / "store")
    put_files(made, files_of_three())
    return made


def problems(store: ae.SnapshotStore) -> dict[str, str]:
    return {problem.where: problem.what for problem in store.verify().problems}


# ----------------------------------------------------------------------------- what a commit says

EDITS: dict[str, tuple[Edit, str]] = {
    "another version": (lambda v: v.update(version=5), "it says that it is version 5"),
    "another parent": (lambda v: v.update(parent=1), "version 1 came before it"),
    "an oldest one above it": (lambda v: v.update(oldest_readable=4), "version 4 is the oldest"),
    "no oldest one": (lambda v: v.update(oldest_readable=0), "version 0 is the oldest"),
    "a hold above it": (lambda v: v.update(hold=9), "version 9 put the store on hold"),
    "no store": (lambda v: v.update(store=None), "it does not name its store"),
    "no parent's checksum": (lambda v: v.update(parent_sha256=None), "checksum of the version"),
    "a table lost": (lambda v: v["tables"].pop("email"), "its tables lack 'email'"),
    "a table too many": (lambda v: v["tables"].update(x=v["tables"]["user"]), "have 'x'"),
    "keys lost": (lambda v: v["keys"].pop("email"), "its keys lack 'email'"),
    "model lost": (lambda v: v.pop("model"), "model cannot be used"),
    "model of nothing": (lambda v: v.update(model={}), "its tables have"),
    "rejects lost": (lambda v: v.update(rejects=None), "it names no rejects"),
    "files lost": (lambda v: v["tables"]["user"].update(files=[]), "'user' names no file"),
    "a column lost": (lambda v: v["tables"]["user"]["columns"].pop(), "'user' lacks columns"),
    "keys from 0": (lambda v: v["keys"]["user"].update(next=0), "its keys begin below 1"),
    "text for a number": (lambda v: v.update(oldest_readable="two"), "oldest_readable cannot be"),
    "a number for time": (lambda v: v.update(time=8), "time cannot be used"),
    "nothing for keys": (lambda v: v["keys"].update(user=None), "keys cannot be used"),
    "a list for rewrites": (lambda v: v.update(rewrites=[]), "rewrites cannot be used"),
    "a field too many": (lambda v: v.update(x=1), "not those that were written"),
    "huge": (lambda v: v["keys"]["user"].update(next=2**63), "keys.next cannot be used"),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_no_commit_says_is_damage_even_with_its_checksum(
    store: ae.SnapshotStore, name: str
) -> None:
    edit, reason = EDITS[name]
    change(store, 3, edit, sealed=True)
    for use in (store.newest, store.read, lambda: sync(store, "Como")):
        with pytest.raises(CorruptStoreError, match="commit 3 is damaged") as found:
            use()
        assert reason in str(found.value)
        check_ours(found.value)
    assert reason in problems(store)["commit 3"]


@pytest.mark.parametrize(
    "path",
    [
        "../aside.csv", "/dev/zero", "s3://bucket/user.csv", "user/../../aside.csv", "user\\x.csv",
        "user/00000000000000000001-0123456789abcdef/\0.csv", "C:/x.csv", "", "user", "user/x.csv",
        "email/00000000000000000001-0123456789abcdef/part-00000.csv",
        "user/00000000000000000009-0123456789abcdef/part-00000.csv",
        "user/00000000000000000001-0123456789abcdef/part-00000.parquet",
        "user/00000000000000000001-0123456789abcdef/../part-00000.csv",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused_before_it_is_opened(
    store: ae.SnapshotStore, path: str
) -> None:
    change(store, 3, lambda v: v["tables"]["user"]["files"][0].update(path=path), sealed=True)
    with pytest.raises(CorruptStoreError, match=r"'user': a path that leads out of the folder"):
        store.read()
    file = {"path": path, "bytes": 1, "rows": 1, "sha256": "0" * 64}
    if path.startswith(("email/", "user/0")) and "/.." not in path and "\0" not in path:
        return  # what another table may have
    put_files(store, files_of_three())
    change(store, 3, lambda v: v["rewrites"].update({path: file}), sealed=True)
    with pytest.raises(CorruptStoreError, match=r"its rewrites: a path that leads out"):
        store.read()


@pytest.mark.parametrize(
    "text",
    [
        b"", b"null", b"[]", b"{}", b'{"format": "2"}', b'{"format": ' + b"[" * 70_000, b"\xff\xfe",
        b'{"format": 2, "x": NaN}', b'{"format": 2' + b" " * (1 << 24) + b"}", b'{"format": -1}',
        b'{"format": 99999999999}',
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_commit_file_is_damage(store: ae.SnapshotStore, text: bytes) -> None:
    write_commit_file(store, 3, text)
    with pytest.raises(CorruptStoreError, match="commit 3 is damaged") as found:
        store.newest()
    check_ours(found.value)
    assert set(problems(store)) == {"commit 3"}


def test_a_flipped_bit_anywhere_is_damage(store: ae.SnapshotStore) -> None:
    data = read_commit_file(store, 3)
    for at in range(0, len(data), 97):
        flipped = bytearray(data)
        flipped[at] ^= 1
        write_commit_file(store, 3, bytes(flipped))
        with pytest.raises(AspenETLError, match=r"commit 3 is damaged|of store format 6"):
            store.newest()


def test_a_name_that_stands_there_twice_is_damage(store: ae.SnapshotStore) -> None:
    text = read_commit_file(store, 3)
    write_commit_file(store, 3, text.replace(b' "hold": null', b' "hold": 2,\n "hold": null'))
    with pytest.raises(CorruptStoreError, match="not those that were written"):
        store.newest()


def test_a_higher_format_is_of_a_newer_version_whatever_else_it_says(
    store: ae.SnapshotStore,
) -> None:
    write_commit_file(store, 3, b'{"format": 7, "parts": [[[]]], "version": "three"}')
    for use in (store.newest, store.verify, lambda: sync(store, "Como")):
        with pytest.raises(StoreFormatError, match=r"of store format 7.*install a newer"):
            use()


def test_verify_goes_on_where_an_older_commit_is_damaged(store: ae.SnapshotStore) -> None:
    change(store, 1, lambda v: v.update(actor="somebody"), sealed=True)
    write_commit_file(store, 2, b"")
    user = store.place.root.child(store.find().tables["user"].files[0].path)
    user.filesystem.pipe_file(user.path, b"x" * store.find().tables["user"].bytes)
    found = problems(store)
    assert set(found) == {"commit 2", "user"}
    changed = read_commit_file(store, 1)
    put_files(store, files_of_three())
    write_commit_file(store, 1, changed)
    assert "goes on from another commit 1" in problems(store)["commit 2"]
    assert store.read(1) is not None


def test_a_commit_of_another_store_is_told(store: ae.SnapshotStore) -> None:
    change(store, 3, lambda v: v.update(store="0" * 16), sealed=True)
    assert problems(store)["commit 3"] == "is of another store"
    with pytest.raises(CorruptStoreError, match=r"store\.json: it holds another id than commit 3"):
        sync(store, "Como")


def test_nothing_is_committed_that_nobody_could_read_again(store: ae.SnapshotStore) -> None:
    result = ae.normalize(extract(ADA), run=RUN, previous=store.read())
    with pytest.raises(NotSupportedError, match=r"read again .*reject_counts") as found:
        store.commit(
            result.snapshot,
            run=RUN,
            parent=3,
            changes=result.changes,
            reject_counts=[{"rule": "x", "count": float("nan")}],
        )
    check_ours(found.value)
    assert store.find().version == 3


# ----------------------------------------------------------------------------- other files


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b'{"version": 0}', b'{"version": 1 }', sealed({"version": "1"})],
    ids=len,
)
def test_a_damaged_pin_keeps_vacuum_from_letting_anything_go(
    store: ae.SnapshotStore, data: bytes
) -> None:
    put_files(store, {"_aspen/pins/loader.json": data})
    with pytest.raises(CorruptStoreError, match="does not say which version it keeps"):
        store.vacuum(run=RUN)
    assert set(problems(store)) == {"pin loader.json"}


def test_a_pin_of_release_0_1_is_one(store: ae.SnapshotStore) -> None:
    put_files(store, {"_aspen/pins/loader.json": b'{"version": 1}'})
    assert store.verify().problems == ()
    store.vacuum(run=ae.Run(time=RUN.time.replace(year=2030), actor="me"))
    assert store.find(1).version == 1


@pytest.mark.parametrize("data", [b"", b'{"format": 2, "token": "0000000000000000"}\n', None])
def test_verify_holds_the_id_against_the_commits(
    store: ae.SnapshotStore, data: bytes | None
) -> None:
    place = store.place.root.child("_aspen/store.json")
    if data is None:
        place.filesystem.rm_file(place.path)
    else:
        place.filesystem.pipe_file(place.path, data)
    assert set(problems(store)) == {"store.json"}
    if data is None:
        assert store.place.log.identity() == store.find().store


NOTES: tuple[Any, ...] = (
    [],
    {"time": "yesterday"},
    {"time": "2026-01-01T00:00:00", "outcome": "committed", "version": 1},  # no zone
    {"time": "2026-01-01T00:00:00+00:00", "outcome": ["x"], "version": 1},
    {"time": "2026-01-01T00:00:00+00:00", "outcome": "committed", "version": "1"},
    {"time": "2026-01-01T00:00:00+00:00", "outcome": "committed", "version": 1, "fingerprint": 3},
    {"time": 10**40, "outcome": "committed", "version": 1},
)


@pytest.mark.parametrize("note", NOTES, ids=range(len(NOTES)))
def test_a_note_that_cannot_be_taken_is_none(store: ae.SnapshotStore, note: Any) -> None:
    put_files(store, {"_aspen/last_run.json": json.dumps(note).encode()})
    assert store.last_run() == {}
    assert store.status(now=RUN.time).look_age is None
    assert store.verify().problems == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are POSIX's")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_refused_at_once(on_disk: ae.SnapshotStore, kind: str) -> None:
    commit = on_disk.find()
    names = {
        "commit 3": on_disk.place.log.place(3).path,
        "user": on_disk.place.root.child(commit.tables["user"].files[0].path).path,
        "rejects": on_disk.place.root.child(commit.stored[-1].files[0].path).path,
        "pin loader.json": on_disk.place.root.child("_aspen/pins/loader.json").path,
        "store.json": on_disk.place.root.child("_aspen/store.json").path,
    }
    for where, name in names.items():
        path = Path(name)
        held = path.read_bytes()
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
        assert where in problems(on_disk)
        if where in {"commit 3", "user"}:
            with pytest.raises(CorruptStoreError, match=f"it is a {kind} and no file"):
                on_disk.read()
        path.rmdir() if kind == "folder" else path.unlink()
        path.write_bytes(held)
    assert on_disk.verify().problems == ()


def test_no_more_of_a_table_is_read_than_its_commit_says(on_disk: ae.SnapshotStore) -> None:
    stored = on_disk.find().tables["user"]
    path = Path(on_disk.place.root.child(stored.files[0].path).path)
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    with pytest.raises(CorruptStoreError, match=f"it has more than {stored.bytes} bytes"):
        on_disk.read()


# ----------------------------------------------------------------------------- format 1


def test_a_store_of_format_1_is_not_sealed_until_the_next_commit(store: ae.SnapshotStore) -> None:
    make_format_1(store)
    found = store.verify()
    assert (found.problems, found.unsealed) == ((), 3)
    assert sync(store, "Como").version == 4
    assert read_json(store, 4)["format"] == STORE_FORMAT
    assert store.find().store == store.place.log.identity()
    found = store.verify()
    assert (found.problems, found.unsealed) == ((), 2)
    change(store, 3, lambda v: v.update(actor="somebody"))
    assert "goes on from another commit 3" in problems(store)["commit 4"]


def test_a_commit_of_format_1_is_read_exactly(store: ae.SnapshotStore) -> None:
    make_format_1(store)
    text = read_commit_file(store, 3)
    for other in (text[:-1], text.replace(b'"parent": 2', b'"parent":  2'), text + b"\n"):
        write_commit_file(store, 3, other)
        with pytest.raises(CorruptStoreError, match="not those that were written"):
            store.newest()


def test_an_older_format_after_a_newer_one_is_told(store: ae.SnapshotStore) -> None:
    values = read_json(store, 3)
    for name in SINCE:
        values.pop(name)
    write_commit_file(store, 3, as_text({**values, "format": 1}))
    assert "older format than the one before it" in problems(store)["commit 3"]


def test_release_0_1_refuses_the_store_by_name(store: ae.SnapshotStore) -> None:
    # What release 0.1 does with a commit file and with the file of the store's id, as it was.
    def read(data: bytes, url: str) -> None:
        found = json.loads(data).pop("format")
        if isinstance(found, int) and found > 1:
            raise StoreFormatError.at(url, found, 1)

    for place in (store.place.log.place(3), store.place.root.child("_aspen/store.json")):
        with pytest.raises(StoreFormatError, match=r"of store format 6.*knows formats up to 1"):
            read(place.read(1 << 28), place.url)
