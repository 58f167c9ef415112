"""A source of some borrowers, and a store that keeps its rejects and its source elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

import aspen_etl as ae
from tests.synchronization.test_sync import many, write

#: How many borrowers there are, and the number of the first one's row.
COUNT, FIRST_ROW = 30, 2


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in", many(COUNT))


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    return ae.SnapshotStore(tmp_path / "store", rejects_url=tmp_path / "rejects")
