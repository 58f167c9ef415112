"""A storage that refuses, or has no room: one error of ours, and nothing half-written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import AspenETLError, SourceAccessError, SourceNotFoundError, WriteError
from aspen_etl.io import writing
from tests.store.conftest import Backend
from tests.support.borrowers import (
    LENIENT,
    RUN,
    check_ours,
    check_whole,
    files_below,
    write_borrowers,
)
from tests.support.s3 import BUCKET, S3Server


@pytest.fixture
def sync(tmp_path: Path) -> Callable[..., ae.SyncReport]:
    """Give a function that syncs a source of these names."""

    def run(store: ae.SnapshotStore, *names: str) -> ae.SyncReport:
        source = write_borrowers(tmp_path / "source", names)
        return ae.sync(source, store, run=RUN, thresholds=LENIENT)

    return run


@pytest.mark.parametrize("who", [("AKOWNER", "SKWRONG"), ("AKNOBODY", "SKOWNER")])
def test_wrong_credentials_are_refused(
    seaweed_server: S3Server, sync: Callable[..., Any], who: tuple[str, str]
) -> None:
    url = f"s3://{BUCKET}/wrong-credentials"
    with pytest.raises(SourceAccessError, match="credentials") as found:
        sync(ae.SnapshotStore(url, storage_options=seaweed_server.options(who)), "Ann Ames")
    check_ours(found.value, *who)
    store = ae.SnapshotStore(url, storage_options=seaweed_server.options())
    assert files_below(store) == {}


def test_who_may_only_read_reads_and_commits_nothing(
    seaweed_server: S3Server, sync: Callable[..., Any]
) -> None:
    url = f"s3://{BUCKET}/read-only"
    reader = ae.SnapshotStore(url, storage_options=seaweed_server.options(seaweed_server.reader))
    owner = ae.SnapshotStore(url, storage_options=seaweed_server.options())
    with pytest.raises(SourceAccessError) as found:
        sync(reader, "Ann Ames")
    check_ours(found.value, *seaweed_server.reader)
    assert files_below(owner) == {}
    sync(owner, "Ann Ames")
    before = files_below(owner)
    assert reader.read().equals(owner.read())
    for step in (
        lambda: sync(reader, "Bob Burns"),
        lambda: reader.restore(1, run=RUN),
        lambda: reader.purge("100", run=RUN),
        lambda: reader.vacuum(run=RUN),
    ):
        with pytest.raises(SourceAccessError) as found:
            step()
        check_ours(found.value, *seaweed_server.reader)
    assert files_below(owner) == before


def test_a_bucket_that_is_not_there_is_an_error(
    moto_server: S3Server, sync: Callable[..., Any]
) -> None:
    store = ae.SnapshotStore("s3://no-such-bucket/x", storage_options=moto_server.options())
    with pytest.raises((WriteError, SourceNotFoundError)) as found:
        sync(store, "Ann Ames")
    check_ours(found.value)


class _FullFile:
    """A file on a disk that has room for no more than some bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def __enter__(self) -> _FullFile:  # noqa: PYI034 - Self is not there on Python 3.9
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> None:
        self.file.write(data[: self.room])
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, "secret text")

    def flush(self) -> None:
        self.file.flush()

    def fileno(self) -> int:
        return int(self.file.fileno())


@pytest.mark.parametrize("room", [0, 10, 150, 1_000], ids=lambda room: f"{room} bytes")
@pytest.mark.parametrize("backend", ["disk"], indirect=True)
def test_a_full_disk_is_an_error_and_nothing_is_half_written(
    backend: Backend, sync: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    url = backend.url()
    sync(backend.open(url), "Ann Ames")
    before = backend.open(url).read()

    def full(path: str, mode: str) -> Any:
        return _FullFile(open(path, mode), room)  # noqa: PTH123 - what the library calls

    with monkeypatch.context() as patched:
        patched.setattr(writing, "open", full, raising=False)
        with pytest.raises(WriteError, match="space") as found:
            sync(backend.open(url), "Bob Burns")
    check_ours(found.value, "secret text")
    store = backend.open(url)
    check_whole(store)
    assert store.find().version == 1
    assert store.read().equals(before)
    assert not [name for name in files_below(store) if name.endswith(".tmp")]
    assert sync(store, "Bob Burns").version == 2


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, sync: Callable[..., Any]) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AspenETLError) as found:
        sync(ae.SnapshotStore(tmp_path / "file" / "store"), "Ann Ames")
    check_ours(found.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_may_not_be_written_is_an_error(
    tmp_path: Path, sync: Callable[..., Any]
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(SourceAccessError) as found:
        sync(ae.SnapshotStore(tmp_path / "closed" / "store"), "Ann Ames")
    check_ours(found.value)
