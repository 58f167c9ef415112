"""A table of a commit is opened to be read and written in part, and gives what it gives whole."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aspen_etl as ae
from aspen_etl.changes import TableChanges
from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.frames import equal_frames
from aspen_etl.derive.formats import FormatName
from aspen_etl.errors import CorruptStoreError, SourceNotFoundError, WriteError
from aspen_etl.store import opening
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.held_tables import FrameTable, HeldTable, Written
from aspen_etl.store.line_tables import LineTable
from aspen_etl.store.opening import open_table
from tests.store.test_store import WRITTEN
from tests.support.borrowers import LENIENT, RUN, write_borrowers

BY_ROWS = LineTable if HAS_ARROW else FrameTable
FORMATS: list[FormatName] = ["csv", "parquet"] if HAS_ARROW else ["csv"]
#: As fields of CSV.
NAMES = ["Ann Ames", '"Bob ""B"" Burns"', '"Cy, Cole"']


def synced(tmp_path: Path, **options: Any) -> ae.SnapshotStore:
    store = ae.SnapshotStore(tmp_path / "store", **options)
    ae.sync(write_borrowers(tmp_path / "source", NAMES), store, run=RUN, thresholds=LENIENT)
    return store


def opened(store: ae.SnapshotStore, name: str = "user_profile") -> HeldTable:
    newest = store.find()
    return open_table(store.place, newest, newest, name)


def check(held: HeldTable, store: ae.SnapshotStore, name: str) -> None:
    frame = store.read().tables[name]
    assert len(held) == len(frame)
    assert equal_frames(held.columns(list(frame.columns)), frame)
    assert equal_frames(held.take(np.arange(len(frame))), frame)


def stored_file(store: ae.SnapshotStore, name: str = "user_profile") -> Path:
    (file,) = store.find().tables[name].files
    return Path(store.place.root.path) / file.path


def test_every_table_of_a_commit_is_opened_by_its_rows(tmp_path: Path) -> None:
    store = synced(tmp_path)
    for name in store.model.tables:
        held = opened(store, name)
        assert isinstance(held, BY_ROWS)
        check(held, store, name)


@pytest.mark.parametrize("release", sorted(path.name for path in WRITTEN.iterdir()))
def test_what_a_release_before_wrote_is_as_it_would_be_written(
    release: str, tmp_path: Path
) -> None:
    shutil.copytree(WRITTEN / release, tmp_path / "store")
    store = ae.SnapshotStore(tmp_path / "store")
    for name, table in store.model.tables.items():
        held, frame = opened(store, name), store.read().tables[name]
        check(held, store, name)
        if len(store.find().tables[name].files) > 1:  # in parts; what is written is one file
            continue
        nothing = frame.iloc[:0]
        changes = TableChanges(nothing, frame, nothing, table)  # so that each row is written anew
        found, kept = held.after(changes), stored_file(store, name).read_bytes()
        assert (b"".join(found.parts), found.rows) == (kept, len(frame))


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_store_that_goes_on_in_another_format_is_written_in_that(
    file_format: FormatName, tmp_path: Path
) -> None:
    store = synced(tmp_path, format=file_format)
    for later in FORMATS:
        held = opened(ae.SnapshotStore(store.url, format=later))
        check(held, store, "user_profile")
        nothing = store.read().tables["user_profile"].iloc[:0]
        changes = TableChanges(nothing, nothing, nothing, store.model.tables["user_profile"])
        assert held.after(changes).format == later
        assert isinstance(held, BY_ROWS if later == file_format == "csv" else FrameTable)


def test_a_table_of_another_model_is_a_frame(tmp_path: Path) -> None:
    store = synced(tmp_path)
    newest = store.find()
    told = {**newest.model, "phone_number": {**newest.model["phone_number"], "columns": {}}}
    newest = replace(newest, model=told)
    held = open_table(store.place, newest, newest, "phone_number")
    assert isinstance(held, FrameTable)
    check(held, store, "phone_number")
    assert isinstance(open_table(store.place, newest, newest, "email"), BY_ROWS)


def test_a_table_that_a_commit_does_not_hold_is_empty(tmp_path: Path) -> None:
    store = synced(tmp_path)
    newest = store.find()
    held = {name: stored for name, stored in newest.tables.items() if name != "user"}
    newest = replace(newest, tables=held)
    found = open_table(store.place, newest, newest, "user")
    assert len(found) == 0
    rows = found.take(np.array([], dtype=np.int64))
    assert list(rows.columns) == list(store.model.tables["user"].columns)


# ----------------------------------------------------------------------------- damage


def test_a_file_that_is_gone_or_damaged_is_told_as_it_is_when_it_is_read(tmp_path: Path) -> None:
    store = synced(tmp_path)
    path = stored_file(store)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Ann", b"Eve"))
    with pytest.raises(CorruptStoreError, match="its bytes are not those that were written"):
        opened(store)
    path.unlink()
    with pytest.raises(SourceNotFoundError):
        opened(store)


@pytest.mark.parametrize("change", [(b"\n1,", b"\nx,"), (b"\n1,", b"\n\n1,")])
def test_bytes_that_are_no_table_are_damage_also_with_their_checksum(
    change: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = synced(tmp_path)
    data = stored_file(store, "user").read_bytes().replace(*change, 1)
    monkeypatch.setattr(opening, "read_bytes", lambda *_: data)
    with pytest.raises(CorruptStoreError, match="user"):
        opened(store, "user").column("user_id")
    with pytest.raises(CorruptStoreError, match="user"):
        opened(store, "user").take(np.array([0]))


# ----------------------------------------------------------------------------- an attempt


def spliced(store: ae.SnapshotStore, changes: ae.Changes) -> dict[str, Written]:
    return {n: opened(store, n).after(each) for n, each in changes.items() if not each.is_empty}


def test_what_was_spliced_is_sent_beside_frames_and_is_the_same_file(tmp_path: Path) -> None:
    store = synced(tmp_path)
    before = store.read()
    names = ["Ann Ames", "Bob Burns", NAMES[2], "Di Dunn"]
    given = ae.read_extract(write_borrowers(tmp_path / "source", names))
    result = ae.normalize(given, run=RUN, previous=before)
    made, tables = spliced(store, result.changes), store.model.tables
    assert made.keys() == {
        "user_profile",
        "user",
        "role_profile",
        "phone_number",
        "email",
        "address",
    }
    email = {"email": made.pop("email")}
    base = store.find()
    whole = Attempt(store.place, 2, base=base).tables(
        {name: result.tables[name] for name in (*made, "email")}, tables
    )
    attempt = Attempt(store.place, 2, base=base)
    found = attempt.tables({name: result.tables[name] for name in made}, tables, email)
    assert list(found) == [*made, "email"]
    for name, stored in found.items():
        one, two = stored.files[0], whole[name].files[0]
        assert (one.bytes, one.rows, one.sha256) == (two.bytes, two.rows, two.sha256)
        assert (stored.columns, stored.format) == (whole[name].columns, whole[name].format)
        assert one.path == f"{name}/{attempt.folder}/part-00000.csv"


def test_no_file_shows_where_one_of_them_fails(tmp_path: Path) -> None:
    store = synced(tmp_path)
    frame = store.read().tables["user"]

    def broken() -> Any:
        yield b"user_id"
        raise RuntimeError("a test")

    attempt = Attempt(store.place, 2, base=store.find())
    with pytest.raises(WriteError, match="RuntimeError"):
        attempt.tables({"user": frame}, store.model.tables, {"email": Written(broken(), 1, "csv")})
    assert not list((tmp_path / "store").glob(f"*/{attempt.folder}/*"))
