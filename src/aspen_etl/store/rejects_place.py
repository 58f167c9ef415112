"""Whose a place of rejects is: one store's, by an id that both carry.

A place from before there were such ids is claimed by its store's next write, if all that lies
there is named by that store's commits. If only some of it is, the place is shared: it stays without
an id, and of what lies there no store deletes more than its own commits named.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal, Optional

from aspen_etl.errors import (
    RejectsPlaceError,
    SourceAccessError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import KNOWN_TO_CREATE, create, make_folder, put
from aspen_etl.store.commit import ATTEMPT
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.identity import find_identity, new_identity, read_identity

__all__ = ["OwnFolders", "Standing", "check_root", "claim_place", "judge_place"]

#: How a store stands to a place: it has its id; it holds nothing; all there is the store's, or
#: some of it.
Standing = Literal["own", "empty", "unclaimed", "shared"]

_FOLDER = re.compile(rf"{ATTEMPT}\Z")


class OwnFolders:
    """Tell which folders of attempts a store's commits name: both carry one token."""

    def __init__(self, log: CommitLog) -> None:
        self._log, self._newest = log, log.newest_version()
        self._known: dict[str, bool] = {}

    def __contains__(self, folder: str) -> bool:
        if folder not in self._known:
            self._known[folder] = self._is_own(folder)
        return self._known[folder]

    def _is_own(self, folder: str) -> bool:
        match = _FOLDER.match(folder)
        if match is None or not 1 <= int(match[1]) <= self._newest:
            return False
        return self._log.read(int(match[1])).token == match[2]


def judge_place(log: CommitLog, place: Location, /) -> Standing:
    """Tell how a store stands to the place of its rejects; nothing is written.

    Raises:
        RejectsPlaceError: It is another store's, or lies in another store.
        CorruptStoreError: The file of the place's id is damaged.
    """
    owner = read_identity(_claim(place))
    if owner is not None:
        if owner != find_identity(log.root):
            raise RejectsPlaceError.of("holds_rejects_of_another", log.root.url, place.url)
        return "own"
    if _is_same(place, log.root):
        return "own"
    _refuse_stores(log, place)
    folders = _list_folders(place)
    if not folders:
        return "empty"
    mine = OwnFolders(log)
    others = [folder for folder in folders if folder not in mine]
    if len(others) == len(folders):
        raise RejectsPlaceError.of("holds_rejects_of_another", log.root.url, place.url)
    return "shared" if others else "unclaimed"


def claim_place(log: CommitLog, place: Location, /, *, first: bool) -> Standing:
    """Write a store's id at the place of its rejects, if it may and has not done so.

    Args:
        log: The store's commits.
        place: The place.
        first: Whether rejects are about to be written: only then an empty place is claimed.

    Returns:
        How the store stands to the place now.

    Raises:
        RejectsPlaceError: It is another store's, or lies in another store.
        CorruptStoreError: The file of the place's id is damaged.
        SourceAccessError: The storage refuses.
        WriteError: The storage failed.
    """
    standing = judge_place(log, place)
    if standing in {"own", "shared"} or (standing == "empty" and not first):
        return standing
    own, claim = log.identity(), _claim(place)
    data = new_identity(own)
    make_folder(place.child("_aspen"))
    if _protocols(place) & KNOWN_TO_CREATE:
        create(claim, data)
    else:
        put(claim, data)
    owner = read_identity(claim)  # one's own, or that of a store that came first
    if owner is None:
        raise WriteError.at(claim.url, "no answer")
    if owner != own:
        raise RejectsPlaceError.of("holds_rejects_of_another", log.root.url, place.url)
    return "own"


def check_root(log: CommitLog, /) -> None:
    """Make sure that a store is not about to begin where another one has its rejects or its files.

    Raises:
        RejectsPlaceError: It is: it would lie in that store, or in a folder of its own.
    """
    root = log.root
    if read_identity(_claim(root)) not in {None, find_identity(root)}:
        raise RejectsPlaceError.of("root_among_rejects", root.url)
    if "_aspen" in _path(root).split("/"):
        raise RejectsPlaceError.of("root_reserved", root.url)
    for folder in islice(_upwards(root), 1, None):
        if _find_store(folder) is not None:
            raise RejectsPlaceError.of("root_in_another", root.url, folder.url)


def _claim(place: Location) -> Location:
    return place.child("_aspen/rejects.json")


def _list_folders(place: Location) -> list[str]:
    """List what lies among the rejects of a place: the folders of attempts, and whatever else."""
    base = place.child("_aspen/rejects")
    try:
        found = attempt(base.url, lambda: base.filesystem.find(base.path))
    except SourceNotFoundError:
        return []
    inside = base.path.rstrip("/") + "/"
    return sorted({str(path).partition(inside)[2].partition("/")[0] for path in found})


def _refuse_stores(log: CommitLog, place: Location) -> None:
    """Refuse a place that is another store's folder, or lies below one."""
    own = find_identity(log.root)
    for folder in _upwards(place):
        if _is_same(folder, log.root):
            return
        found = _find_store(folder)
        if found is not None and found != own:
            problem = "of_another" if place.url == folder.url else "in_another"
            raise RejectsPlaceError.of(problem, log.root.url, place.url, store=folder.url)


def _find_store(folder: Location) -> Optional[str]:
    """Give the id of the store in a folder, '' for one without; none where there is no store."""
    with contextlib.suppress(SourceAccessError):  # what may not be looked at is not ours to judge
        found = find_identity(folder)
        if found is not None or folder.child("_aspen/commits").kind() == "absent":
            return found
        return ""
    return None


def _upwards(place: Location) -> Iterator[Location]:
    """Give a folder and all that it lies in."""
    path, url = _path(place), place.url.rstrip("/")
    while path:
        yield Location(path if place.is_local else url, path, place.filesystem)
        path, url = path.rpartition("/")[0], url.rpartition("/")[0]


def _path(place: Location) -> str:
    """Give a path in one spelling, links followed."""
    if not place.is_local:
        return place.path.rstrip("/")
    return os.path.realpath(place.path).replace(os.sep, "/").rstrip("/")


def _is_same(one: Location, other: Location) -> bool:
    same = _protocols(one) == _protocols(other)
    return same and _path(one) == _path(other)


def _protocols(place: Location) -> set[str]:
    protocol = place.filesystem.protocol
    return {protocol} if isinstance(protocol, str) else set(protocol)
