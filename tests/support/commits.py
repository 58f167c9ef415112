"""Commit files as others than the library would write them: changed, sealed anew, of format 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aspen_etl as ae
from aspen_etl.store.commit import STORE_FORMAT
from aspen_etl.store.sealing import sealed

#: What a commit of format 1 does not hold.
SINCE = (
    *("store", "parent_sha256", "sha256", "parts", "landing", "suppressed", "sides"),
    "cutover",
)

Edit = Callable[[dict[str, Any]], Any]


def read_json(store: ae.SnapshotStore, version: int) -> dict[str, Any]:
    """Read what a commit file says."""
    values: dict[str, Any] = json.loads(read_commit_file(store, version))
    return values


def read_commit_file(store: ae.SnapshotStore, version: int) -> bytes:
    """Read the bytes of a commit file."""
    place = store.place.log.place(version)
    return bytes(place.filesystem.cat_file(place.path))


def write_commit_file(store: ae.SnapshotStore, version: int, data: bytes) -> None:
    """Write over a commit file."""
    place = store.place.log.place(version)
    place.filesystem.pipe_file(place.path, data)


def as_text(values: dict[str, Any]) -> bytes:
    """Write what a commit file says as the library lays it out, sealed from format 2 on."""
    if values.get("format") in range(2, STORE_FORMAT + 1):
        return sealed(values)
    return json.dumps(values, indent=1).encode("ascii") + b"\n"


def change(store: ae.SnapshotStore, version: int, edit: Edit, *, sealed: bool = False) -> None:
    """Change what a commit file says; sealed, with the checksum that belongs to it."""
    values = read_json(store, version)
    edit(values)
    data = as_text(values) if sealed else json.dumps(values, indent=1).encode("ascii") + b"\n"
    write_commit_file(store, version, data)


def remove(store: ae.SnapshotStore, *versions: int) -> None:
    """Lose commit files."""
    for version in versions:
        place = store.place.log.place(version)
        place.filesystem.rm_file(place.path)


def make_format_1(store: ae.SnapshotStore) -> None:
    """Write all commits of a store as release 0.1 did."""
    for version in range(1, store.find().version + 1):
        values = read_json(store, version)
        for name in SINCE:
            values.pop(name)
        write_commit_file(store, version, as_text({**values, "format": 1}))
