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

from aspen_etl.errors import SourceNotFoundError, WriteError
from aspen_etl.io.calling import attempt
from aspen_etl.io.content import modified_time
from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import delete, make_folder, put
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import ATTEMPT, Commit
from aspen_etl.store.committing import append, claim_rejects, next_commit, retrying
from aspen_etl.store.pins import pinned_versions
from aspen_etl.store.place import Place
from aspen_etl.store.reading import find
from aspen_etl.store.refused import forget_old_refused
from aspen_etl.store.rejects_place import OwnFolders, Standing

__all__ = [
    "Deleted",
    "VacuumReport",
    "delete_unnamed",
    "storage_time",
    "vacuum",
]

#: Files in the folder of an attempt, and what a process leaves that dies while it writes another
#: file of the store to a local disk.
_ATTEMPT = rf"(?P<attempt>{ATTEMPT})/[^/]+\Z"
_ASIDE = r"_aspen/(?:(?:commits|pins|refused|kept)/)?[^/]+\.[0-9a-f]{8}\.tmp\Z"
#: The paths of files that may be deleted below a store's url, and below the url of its rejects.
_IN_STORE = re.compile(
    rf"(?:[^/]+|_aspen/(?:keys|rejects|landing|sides|exchange))/{_ATTEMPT}|{_ASIDE}"
)
_IN_REJECTS = re.compile(rf"_aspen/(?:rejects|landing|sides)/{_ATTEMPT}|{_ASIDE}")


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
        foreign: How many files lie among the rejects that no commit of this store ever named,
            where the place has no id: they may be another store's, and stay.
        advice: What to do about them.
    """

    version: int
    oldest_readable: int
    files: int
    bytes: int
    young: int
    foreign: int = 0
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


def vacuum(place: Place, run: Run, keep_for: dt.timedelta, /) -> VacuumReport:
    """Raise ``oldest_readable`` by a commit, then delete what no readable commit names.

    Where that would free no file, old versions stay readable, and there is no commit. What a
    refused run left goes as old versions do.
    """
    standing = claim_rejects(place, first=False)
    newest = retrying(place, lambda newest: _raise(place, newest, run, keep_for))
    deleted = delete_unnamed(place, storage_time(place.root, run), standing)
    elsewhere = place.rejects_root if standing == "own" else None
    for size in forget_old_refused(place.root, elsewhere, run.time - keep_for):
        deleted.count(size)
    return VacuumReport(
        newest.version,
        newest.oldest_readable,
        deleted.files,
        deleted.bytes,
        deleted.young,
        deleted.foreign,
        _advise(place, deleted.foreign),
    )


def _advise(place: Place, foreign: int) -> str:
    if not foreign or place.rejects_root is None:
        return ""
    return (
        f"{foreign:,} files below {place.rejects_root.url} are named by no version of this store: "
        "they are another store's, or what dead attempts left, and stay. To split the place, copy "
        "the files that `history --json` names under rejects to a folder of each store's own, in "
        "the same folders below it, and give that as rejects_url= (--rejects-url); where no other "
        "store uses the place, delete the files that no version names"
    )


def _raise(place: Place, newest: Commit, run: Run, keep_for: dt.timedelta) -> Commit:
    pinned = [
        version for version in pinned_versions(place.root) if version >= newest.oldest_readable
    ]
    bound, keeping = newest.version, True
    needed, all_ = _paths(newest), _paths(newest)
    for version in range(newest.version - 1, newest.oldest_readable - 1, -1):
        commit = place.log.read(version)
        young = commit.time >= run.time - keep_for
        keeping = keeping and (young or any(pin <= version for pin in pinned))
        if keeping:
            bound, needed = version, needed | _paths(commit)
        all_ |= _paths(commit)
    if all_ == needed:
        return newest
    raising = Attempt(place, newest.version + 1, base=newest)
    commit = next_commit(place, newest, "vacuum", run, raising)
    rewrites = {path: file for path, file in newest.rewrites.items() if path in needed}
    return append(place, replace(commit, oldest_readable=bound, rewrites=rewrites), raising)


def _paths(commit: Commit) -> set[str]:
    return {file.path for stored in commit.stored for file in stored.files}


def storage_time(root: Location, run: Run) -> Optional[dt.datetime]:
    """Ask the storage what time it is, by a file that it has just taken."""
    place = root.child("_aspen/vacuum.json")
    make_folder(root.child("_aspen"))
    put(place, json.dumps({"time": run.time.isoformat(), "actor": run.actor}).encode("ascii"))
    return modified_time(attempt(place.url, lambda: place.filesystem.info(place.path)))


@dataclass
class Deleted:
    """Count files: those that went, those too young to go, and those that may be another's."""

    files: int = 0
    bytes: int = 0
    young: int = 0
    foreign: int = 0

    def count(self, size: int) -> None:
        """Count a file that went."""
        self.files, self.bytes = self.files + 1, self.bytes + size


def delete_unnamed(
    place: Place,
    now: Optional[dt.datetime],
    standing: Standing,
    /,
    *,
    at_once: Collection[str] = (),
) -> Deleted:
    """Delete the data files that no readable commit names and that are old enough.

    Args:
        place: The store.
        now: The time by the storage's clock.
        standing: How the store stands to the place of its rejects. In one that it shares, only
            files that its commits named once may go.
        at_once: The paths of files that go whatever their age.
    """
    named, found = _named(place, find(place)), Deleted()
    limit = 2 * place.attempt_limit
    for root, pattern, mine in _roots(place, standing):
        for path, info, folder in _data_files(root, pattern):
            if path in named:
                continue
            if mine is not None and folder not in mine:
                found.foreign += 1
                continue
            modified = modified_time(info)
            old = now is not None and modified is not None and now - modified > limit
            if not old and path not in at_once:
                found.young += 1
                continue
            with contextlib.suppress(SourceNotFoundError):
                _delete(root, path)
                found.count(int(info.get("size") or 0))
    return found


def _roots(
    place: Place, standing: Standing
) -> Iterator[tuple[Location, re.Pattern[str], Optional[OwnFolders]]]:
    """Give where files may go, which, and, if not all of these, those of which attempts."""
    yield place.root, _IN_STORE, None
    if place.rejects_root is not None and standing != "empty":
        mine = None if standing == "own" else OwnFolders(place.log)
        yield place.rejects_root, _IN_REJECTS, mine


def _named(place: Place, newest: Commit) -> set[str]:
    named: set[str] = set()
    for version in range(newest.oldest_readable, newest.version + 1):
        commit = newest if version == newest.version else place.log.read(version)
        for stored in commit.stored:
            named |= {file.path for file in stored.moved(newest.rewrites).files}
    return named


def _data_files(
    root: Location, pattern: re.Pattern[str]
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Give every file that may be deleted: path below the root, info, folder of its attempt."""
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
        match = pattern.match(name)
        if match:
            yield name, info, match["attempt"] or ""


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
