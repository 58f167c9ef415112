"""Letting old versions go: first no reader may ask for them, then their files are deleted."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Optional

from aspen_etl.errors import NotSupportedError, SourceNotFoundError, WriteError
from aspen_etl.io.commit import Commit
from aspen_etl.io.content import modified_time
from aspen_etl.io.filesystem import Location, attempt
from aspen_etl.io.store_writer import StoreWriter
from aspen_etl.io.writing import delete, make_folder, put
from aspen_etl.schema.frames import Run

__all__ = ["VacuumReport", "delete_unnamed", "remove_pin", "set_pin", "vacuum"]

#: The paths of data files: nothing else below the store's url is ever deleted.
_DATA = re.compile(r"(?:[^/]+|_aspen/keys|_aspen/rejects)/[0-9]{20}-[0-9a-f]{16}/[^/]+\Z")
#: What a process leaves that dies while it writes to a local disk.
_ASIDE = re.compile(r".+\.[0-9a-f]{8}\.tmp\Z")

_PIN = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class VacuumReport:
    """Tell what was deleted.

    Attributes:
        version: The version that the store is at.
        oldest_readable: The oldest version that can be read.
        files: How many files were deleted.
        bytes: Their size.
        young: How many files no commit names and are too young to go: an attempt may be
            writing them.
    """

    version: int
    oldest_readable: int
    files: int
    bytes: int
    young: int

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


def vacuum(store: StoreWriter, run: Run, keep_for: dt.timedelta, /) -> VacuumReport:
    """Raise ``oldest_readable`` by a commit, then delete what no readable commit names.

    Where that would free no file, old versions stay readable, and there is no commit.
    """
    newest = store.retrying(lambda newest: _raise(store, newest, run, keep_for))
    now = _storage_time(store.root, run)
    files, size, young = delete_unnamed(store, now)
    return VacuumReport(newest.version, newest.oldest_readable, files, size, young)


def _raise(store: StoreWriter, newest: Commit, run: Run, keep_for: dt.timedelta) -> Commit:
    pinned = [version for version in _pins(store.root) if version >= newest.oldest_readable]
    bound, keeping = newest.version, True
    needed, all_ = _paths(newest), _paths(newest)
    for version in range(newest.version - 1, newest.oldest_readable - 1, -1):
        commit = store.log.read(version)
        young = commit.time >= run.time - keep_for
        keeping = keeping and (young or any(pin <= version for pin in pinned))
        if keeping:
            bound, needed = version, needed | _paths(commit)
        all_ |= _paths(commit)
    if all_ == needed:
        return newest
    attempt = store.attempt(newest.version + 1)
    commit = store.next_commit(newest, "vacuum", run, attempt)
    rewrites = {path: file for path, file in newest.rewrites.items() if path in needed}
    return store.append(replace(commit, oldest_readable=bound, rewrites=rewrites), attempt)


def _paths(commit: Commit) -> set[str]:
    return {file.path for stored in commit.stored for file in stored.files}


def _storage_time(root: Location, run: Run) -> Optional[dt.datetime]:
    """Ask the storage what time it is, by a file that it has just taken."""
    place = root.child("_aspen/vacuum.json")
    make_folder(root.child("_aspen"))
    put(place, json.dumps({"time": run.time.isoformat(), "actor": run.actor}).encode("ascii"))
    return modified_time(attempt(place.url, lambda: place.filesystem.info(place.path)))


def delete_unnamed(
    store: StoreWriter, now: Optional[dt.datetime], /, *, at_once: Collection[str] = ()
) -> tuple[int, int, int]:
    """Delete the data files that no readable commit names and that are old enough.

    Args:
        store: The store.
        now: The time by the storage's clock.
        at_once: The paths of files that go whatever their age.

    Returns:
        How many files went, their size, and how many are too young.
    """
    newest = store.find()
    named = _named(store, newest)
    files = size = young = 0
    limit = 2 * store.attempt_limit
    roots = [store.root] if store.rejects_root is None else [store.root, store.rejects_root]
    for root in roots:
        for path, info in _data_files(root):
            modified = modified_time(info)
            if path in named:
                continue
            old = now is not None and modified is not None and now - modified > limit
            if not old and path not in at_once:
                young += 1
                continue
            with contextlib.suppress(SourceNotFoundError):
                _delete(root, path)
                files, size = files + 1, size + int(info.get("size") or 0)
    return files, size, young


def _named(store: StoreWriter, newest: Commit) -> set[str]:
    named: set[str] = set()
    for version in range(newest.oldest_readable, newest.version + 1):
        commit = newest if version == newest.version else store.log.read(version)
        for stored in commit.stored:
            named |= {file.path for file in stored.moved(newest.rewrites).files}
    return named


def _data_files(root: Location) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every file that may be deleted, by its path below the root."""
    try:
        found: dict[str, dict[str, Any]] = attempt(
            root.url, lambda: root.filesystem.find(root.path, detail=True)
        )
    except SourceNotFoundError:
        return
    base = root.path.rstrip("/") + "/"
    for path, info in sorted(found.items()):
        at = path.find(base)
        name = path[at + len(base) :] if at >= 0 else path
        if _DATA.match(name) or _ASIDE.match(name):
            yield name, info


def _delete(root: Location, path: str) -> None:
    place = root.child(path)
    try:
        delete(place)
    except WriteError:
        if place.kind() != "absent":
            raise
    if root.is_local:
        with contextlib.suppress(OSError):
            os.rmdir(place.path.rpartition("/")[0])  # noqa: PTH106 - fsspec's own form of a path


# ----------------------------------------------------------------------------- pins


def _pin_place(root: Location, name: str) -> Location:
    if not _PIN.match(name):
        msg = f"{name!r} is no name for a pin: use up to 64 letters, digits, and any of _.-"
        raise NotSupportedError(msg, name=name)
    return root.child(f"_aspen/pins/{name}.json")


def set_pin(root: Location, name: str, version: int, /) -> None:
    """Write down that ``name`` stands on a version."""
    place = _pin_place(root, name)
    make_folder(root.child("_aspen/pins"))
    put(place, json.dumps({"version": version}).encode("ascii"))


def remove_pin(root: Location, name: str, /) -> None:
    """Forget what ``name`` stood on."""
    place = _pin_place(root, name)
    if place.kind() == "file":
        delete(place)


def _pins(root: Location) -> list[int]:
    folder = root.child("_aspen/pins")
    try:
        found = attempt(folder.url, lambda: root.filesystem.find(folder.path))
    except SourceNotFoundError:
        return []
    versions = []
    for path in found:
        place = folder.child(str(path).rpartition("/")[2])
        if place.name.endswith(".json"):
            versions.append(int(json.loads(place.read(_MAX_BYTES))["version"]))
    return versions
