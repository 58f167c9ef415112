"""What the tests of the store share: places on each storage."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

import aspen_etl as ae
from tests.support.s3 import BUCKET, S3Server
from tests.synchronization.test_landing import Folder


@dataclass(frozen=True)
class Backend:
    """A storage on which stores are made, each at a place of its own."""

    name: str
    base: str
    options: dict[str, Any] = field(default_factory=dict, repr=False)

    def url(self) -> str:
        """Give the url of a new store."""
        return f"{self.base}/{secrets.token_hex(4)}"

    def open(self, url: str, **options: Any) -> ae.SnapshotStore:
        """Open a store as a process would that has just begun."""
        return ae.SnapshotStore(url, storage_options=self.options or None, **options)


def make_backend(name: str, request: pytest.FixtureRequest) -> Backend:
    """Give a storage by its name, and start what it needs."""
    folder: Path = request.getfixturevalue("tmp_path")
    if name == "memory":
        return Backend(name, f"memory://{secrets.token_hex(4)}")
    if name == "disk":
        return Backend(name, str(folder / "stores"))
    server: S3Server = request.getfixturevalue("seaweed_server")
    return Backend(name, f"s3://{BUCKET}/{secrets.token_hex(4)}", server.options())


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Give the storage that a test names as its parameter, and empty the memory afterwards."""
    yield make_backend(request.param, request)
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def folder() -> Iterator[Folder]:
    """Give a landing folder with the full load of thirty borrowers."""
    made = Folder()
    made.put("LOAD00000001", *(("I", f"qq{i}", f"Iva Wren{i}") for i in range(1, 31)))
    yield made
    made.memory.rm(made.landing.url, recursive=True)
