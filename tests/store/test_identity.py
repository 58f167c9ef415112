"""The id of a store: there from the first write on, whoever writes, and the same ever after."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import CorruptStoreError, StoreFormatError
from aspen_etl.schema import Run
from aspen_etl.store.identity import find_identity, identity_place
from tests.transform.sheets import ADA, BO, extract

RUN = Run(time=dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), actor="me")


@pytest.fixture
def url() -> str:
    return f"memory://identity/{secrets.token_hex(4)}"


def sync(url: str, *people: dict[str, Any], **options: Any) -> ae.SnapshotStore:
    store = ae.SnapshotStore(url, **options)
    ae.sync(extract(*people), store, run=RUN)
    return store


def put(store: ae.SnapshotStore, data: bytes) -> None:
    place = identity_place(store.place.root)
    place.filesystem.pipe_file(place.path, data)


def test_a_store_has_an_id_from_its_first_write_on(url: str) -> None:
    assert find_identity(ae.SnapshotStore(url).place.root) is None
    store = sync(url, ADA)
    found = find_identity(store.place.root)
    assert found is not None
    assert len(found) == 16
    assert sync(url, ADA, BO).place.log.identity() == found


def test_a_single_writer_gives_an_id_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aspen_etl.store.commit_log.KNOWN_TO_CREATE", frozenset())
    store = sync(url, ADA, single_writer=True)
    found = find_identity(store.place.root)
    assert found is not None
    assert store.place.log.identity() == found
    assert sync(url, ADA, BO, single_writer=True).place.log.identity() == found


@pytest.mark.parametrize("step", ["sync", "restore"])
def test_a_store_without_an_id_gets_one_with_its_next_write(url: str, step: str) -> None:
    store = sync(url, ADA)
    place = identity_place(store.place.root)
    place.filesystem.rm_file(place.path)
    if step == "sync":
        sync(url, ADA, BO)
    else:
        store.restore(1, run=RUN)
    assert find_identity(store.place.root) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"format": 1}', b'{"format": 1, "token": 7}', b"[" * 70_000, b" " * 70_000],
    ids=["nothing", "list", "no id", "number", "deep", "large"],
)
def test_a_damaged_id_is_an_error_that_names_its_file(url: str, data: bytes) -> None:
    store = sync(url, ADA)
    put(store, data)
    with pytest.raises(
        CorruptStoreError, match=r"store\.json: it (does not hold the store's id|has)"
    ):
        store.place.log.identity()


def test_an_id_of_a_newer_format_is_no_damage(url: str) -> None:
    store = sync(url, ADA)
    put(store, json.dumps({"format": 99}).encode())
    with pytest.raises(StoreFormatError, match="install a newer aspen_etl"):
        store.place.log.identity()
