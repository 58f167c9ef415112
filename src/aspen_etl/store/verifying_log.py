"""Look at the row of commits as if nothing were known of it: gaps, damage, and what went lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Optional, Union

from aspen_etl.columns.threads import UNKNOWN_ROWS, map_ahead
from aspen_etl.errors import AspenETLError, CorruptStoreError, SourceAccessError, StoreFormatError
from aspen_etl.store.commit import ATTEMPT, SEALED, Commit
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.identity import find_identity, identity_place
from aspen_etl.store.listing import list_names
from aspen_etl.store.newest import read_newest
from aspen_etl.store.pins import pin_places, read_pin
from aspen_etl.store.status import read_note

__all__ = ["LogCheck", "Problem", "verify_log"]

#: How many missing commits are named, and how many are read ahead.
_NAMED, _AHEAD = 100, 64

_FOLDER = re.compile(rf"{ATTEMPT}\Z")


@dataclass(frozen=True)
class Problem:
    """Say what is wrong: where, what, and in how many rows."""

    where: str
    what: str
    count: int = 1


@dataclass(frozen=True)
class LogCheck:
    """Tell what the row of commits holds.

    Attributes:
        newest: The number of the newest commit that is there; 0 for none.
        problems: What is wrong.
        unsealed: How many commits nothing proves but their form: those of format 1, but the last.
    """

    newest: int
    problems: tuple[Problem, ...]
    unsealed: int


def verify_log(log: CommitLog, tables: Iterable[str], /) -> LogCheck:
    """Read every commit, and all else that the store keeps of itself.

    Args:
        log: The commits.
        tables: The names of the tables, whose folders tell which versions were begun.
    """
    versions, missing = log.look()
    newest = max(versions, default=0)
    pins, problems = _pins(log)
    begun = _begun(log, tables)
    last = max(read_newest(log.root), _noted(log), begun - 1, *pins, 0)
    gone = islice(chain(missing, log.lost(last, newest)), _NAMED)
    row = _Row()
    there = sorted(versions)
    read = partial(_read, log)
    for found in zip(there, map_ahead(read, there, rows=UNKNOWN_ROWS, ahead=_AHEAD)):
        row.add(*found)
    problems = [
        *(Problem(f"commit {version}", "is missing") for version in gone),
        *row.problems,
        *_identity(log, row.store),
        *problems,
    ]
    return LogCheck(newest, tuple(problems), row.unsealed)


class _Row:
    """Hold each commit against the one before it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.unsealed = 0
        self.store: Optional[str] = None
        self._before: Optional[Commit] = None

    def add(self, version: int, found: Union[Commit, AspenETLError]) -> None:
        """Take the next commit, or what was raised when it was read."""
        before, self._before = self._before, None
        if isinstance(found, AspenETLError):
            reason = found.details.get("reason", str(found))
            self.problems.append(Problem(f"commit {version}", f"cannot be read: {reason}"))
            return
        self._before = found
        self.unsealed += found.format < SEALED
        if before is not None and before.version == version - 1:
            self._hold(before, found)
        self.store = self.store or found.store
        if found.store not in (None, self.store):
            self.problems.append(Problem(f"commit {version}", "is of another store"))

    def _hold(self, before: Commit, commit: Commit) -> None:
        where = f"commit {commit.version}"
        if commit.parent_sha256 == before.digest:
            self.unsealed -= before.format < SEALED
        elif commit.parent_sha256 is not None:
            what = f"goes on from another commit {before.version} than the one that is there"
            self.problems.append(Problem(where, what))
        if commit.format < before.format:
            self.problems.append(Problem(where, "is of an older format than the one before it"))
        if commit.oldest_readable < before.oldest_readable:
            what = "lets versions be read that the one before it had let go"
            self.problems.append(Problem(where, what))


def _read(log: CommitLog, version: int) -> Union[Commit, AspenETLError]:
    try:
        return log.read(version)
    except SourceAccessError:
        raise
    except AspenETLError as error:
        return error


# ----------------------------------------------------------------------------- what else there is


def _pins(log: CommitLog) -> tuple[list[int], list[Problem]]:
    """Give the versions that somebody stands on, and the pins that are damaged."""
    versions: list[int] = []
    problems: list[Problem] = []
    for place in pin_places(log.root):
        try:
            versions += read_pin(place)
        except CorruptStoreError as error:  # noqa: PERF203 - each may be damaged
            problems.append(Problem(f"pin {place.name}", str(error.details["reason"])))
    return versions, problems


def _noted(log: CommitLog) -> int:
    return int(read_note(log.root).get("version", 0))


def _begun(log: CommitLog, tables: Iterable[str]) -> int:
    """Give the newest version that an attempt began, by the folders of its files, or 0.

    Who begins a version has seen the one before it.
    """
    names = (name for table in tables for name in list_names(log.root.child(table)))
    found = (_FOLDER.match(name) for name in names)
    return max((int(match[1]) for match in found if match), default=0)


def _identity(log: CommitLog, store: Optional[str]) -> Iterator[Problem]:
    """Hold the id of the store against the one that its commits name."""
    place = identity_place(log.root)
    try:
        found = find_identity(log.root)
    except (CorruptStoreError, StoreFormatError) as error:
        yield Problem(place.name, str(error.details.get("reason", error)))
        return
    if store is not None and found is None:
        yield Problem(place.name, "is missing; the next run writes it anew")
    elif store is not None and found != store:
        yield Problem(place.name, "holds another id than the commits")
