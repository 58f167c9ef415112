"""A store of very many commits is opened soon: one listing, one commit read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.errors import CorruptStoreError
from tests.store.conftest import Backend
from tests.support.borrowers import LENIENT, RUN, write_borrowers
from tests.support.commits import as_text, read_json, remove


def fill(store: ae.SnapshotStore, count: int) -> None:
    """Make a store of many versions, of which only the first and the newest say anything."""
    values = read_json(store, 1)
    newest = as_text({**values, "version": count, "parent": count - 1, "parent_sha256": "0" * 64})
    files: Iterator[tuple[int, bytes]] = ((version, b"") for version in range(2, count))
    if store.place.root.is_local:
        folder = Path(store.place.log.place(1).path).parent
        (folder / "empty").touch()
        for version, _ in files:
            shutil.copyfile(folder / "empty", folder / f"{version:020d}.json")
    elif "memory" in store.place.root.filesystem.protocol:
        for version, data in files:
            store.place.root.filesystem.pipe_file(store.place.log.place(version).path, data)
    else:
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(lambda each: put(store, *each), files))
    put(store, count, newest)


def put(store: ae.SnapshotStore, version: int, data: bytes) -> None:
    store.place.root.filesystem.pipe_file(store.place.log.place(version).path, data)


def open_many(backend: Backend, folder: Path, count: int) -> float:
    """Make such a store, open it, miss one of its commits, and give the seconds that it took."""
    url = backend.url()
    source = write_borrowers(folder / "in", ["Ann Ames"])
    ae.sync(source, backend.open(url), run=RUN, thresholds=LENIENT)
    fill(backend.open(url), count)
    begun = time.monotonic()
    assert backend.open(url).find().version == count
    seconds = time.monotonic() - begun
    remove(backend.open(url), count // 2)
    with pytest.raises(CorruptStoreError, match=rf"commit {count // 2} is missing"):
        backend.open(url).read()
    return seconds


@pytest.mark.parametrize("backend", ["memory", "disk", "seaweed"], indirect=True)
def test_a_store_of_more_commits_than_a_listing_gives_at_once(
    backend: Backend, tmp_path: Path
) -> None:
    assert open_many(backend, tmp_path, 1_100) < 10


@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", ["memory", "disk", "seaweed"], indirect=True)
def test_a_store_of_a_hundred_thousand_commits_is_opened_within_20_seconds(
    backend: Backend, tmp_path: Path
) -> None:
    assert open_many(backend, tmp_path, 100_000) < 20
