"""Parts on each storage: files of one commit, gone exchanges, and a task that is done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest

import aspen_etl as ae
from aspen_etl.synchronization import units
from aspen_etl.workers import InTurn, Processes, Workers
from tests.store.conftest import Backend
from tests.support.borrowers import LENIENT, RUN, files_below

T = TypeVar("T")
R = TypeVar("R")

HEADER = b"id,full_name,street,city,state,zip_code,phone_home,phone_cell,email\n"


class Twice:
    """Do each item twice, as an engine that thinks a worker is lost; the later answer counts."""

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        held = list(items)
        for item in held:
            function(item)
        return [function(item) for item in reversed(held)][::-1]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "BLOCK", 1000)


def put(store: ae.SnapshotStore, name: str) -> str:
    """Write a source of forty borrowers beside a store, and give its url."""
    folder = f"{store.place.root.path.rstrip('/')}-in"
    lines = [f"b{number:02d},{name},,,,,,,b{number:02d}@x.org\n" for number in range(40)]
    roles = b"borrower_id,role_profile\nb07,Borrower\nb31,Guarantor\n"
    filesystem = store.place.root.filesystem
    filesystem.makedirs(folder, exist_ok=True)
    filesystem.pipe_file(f"{folder}/borrower.csv", HEADER + "".join(lines).encode())
    filesystem.pipe_file(f"{folder}/role_profile.csv", roles)
    return f"{store.place.root.url.rstrip('/')}-in"


@pytest.mark.parametrize(
    ("backend", "workers"),
    [
        ("memory", Twice()),
        ("disk", Twice()),
        ("seaweed", InTurn()),
        ("seaweed", Processes(2)),
    ],
    indirect=["backend"],
    ids=["memory, twice", "disk, twice", "s3", "s3, processes"],
)
def test_parts_are_one_commit_on_each_storage(backend: Backend, workers: Workers) -> None:
    options: dict[str, Any] = {"run": RUN, "thresholds": LENIENT}
    reading = {"storage_options": backend.options or None}
    parted, whole = (backend.open(backend.url()) for _ in range(2))
    for name in ("Ada Lee", "Ada Roe"):
        source = put(parted, name)
        ae.sync(
            source, parted, parts=ae.Parts(20), workers=workers, read_options=reading, **options
        )
        ae.sync(source, whole, read_options=reading, **options)
    assert parted.find().parts == 2
    assert parted.read().equals(whole.read())
    assert parted.verify().problems == ()
    named = {file.path for commit in parted.history() for s in commit.stored for file in s.files}
    found = {name for name in files_below(parted) if not name.startswith("_aspen")}
    assert found == {path for path in named if not path.startswith("_aspen")}
    assert not [name for name in files_below(parted) if "exchange" in name]
