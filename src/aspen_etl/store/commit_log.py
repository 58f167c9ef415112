"""The commits of a store: found by number, made exclusively, never changed, never deleted."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Optional

from aspen_etl.errors import (
    AspenETLError,
    CommitOutcomeUnknownError,
    ConflictError,
    CorruptStoreError,
    NotSupportedError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
)
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import read_state
from aspen_etl.io.writing import KNOWN_TO_CREATE, Created, create, make_folder, put
from aspen_etl.store.commit import Commit
from aspen_etl.store.commit_file import MAX_BYTES, check_readable, parse_commit
from aspen_etl.store.identity import find_identity, identity_place, new_identity
from aspen_etl.store.listing import list_names
from aspen_etl.store.newest import NEWEST, read_newest, write_newest

__all__ = ["CommitLog"]

_FOLDER = "_aspen/commits"
_COMMIT = re.compile(r"([0-9]{20})\.json\Z")

#: How often an undecided write is tried, and how long to wait in between, doubled each time.
_TRIES, _WAIT_SECONDS = 5, 0.05


@dataclass(frozen=True)
class CommitLog:
    """Find, read and append commits.

    Attributes:
        root: The store's place.
        single_writer: Whether the caller promises that nobody else writes, for storages that
            are not known to create a file exclusively.
    """

    root: Location
    single_writer: bool = False

    def place(self, version: int) -> Location:
        """Give the place of a commit file."""
        return self.root.child(f"{_FOLDER}/{version:020d}.json")

    def newest_version(self) -> int:
        """Find the number of the newest commit, or 0.

        The folder is listed once, names alone. A listing may be older than a direct answer, so
        what it does not show is asked for: the number after the newest, and each that is missing
        from the row.

        Raises:
            CorruptStoreError: A commit is missing from the row.
        """
        versions, missing = self.look()
        newest = max(versions, default=0)
        for version in missing:
            raise CorruptStoreError.missing(self.root.url, version, f"version {newest} is there")
        if not newest:
            self.check_newest(0)
        return newest

    def look(self) -> tuple[set[int], Iterator[int]]:
        """Find the numbers of all commits, and those missing from the row below the newest."""
        versions = self._listed()
        newest = max(versions, default=0)
        while self._is_there(newest + 1):
            newest += 1
            versions.add(newest)
        return versions, (n for n in _gaps(versions) if not self._is_there(n))

    def _listed(self) -> set[int]:
        found = (_COMMIT.match(name) for name in list_names(self.root.child(_FOLDER)))
        return {int(match[1]) for match in found if match} - {0}

    def _is_there(self, version: int) -> bool:
        return self.place(version).kind() != "absent"

    def lost(self, version: int, newest: int) -> Iterator[int]:
        """Give the versions after the newest, up to one that was committed, that are not there."""
        return (n for n in range(newest + 1, version + 1) if not self._is_there(n))

    def check_newest(self, newest: int) -> None:
        """Make sure that no commit after the newest was there once.

        Raises:
            CorruptStoreError: One was: the last writer left word of it, and it is missing.
        """
        for version in self.lost(read_newest(self.root), newest):
            raise CorruptStoreError.missing(self.root.url, version, f"{NEWEST} names it")

    def newest(self) -> Optional[Commit]:
        """Read the newest commit.

        Raises:
            CorruptStoreError: A commit is missing from the row, or the newest is damaged.
        """
        version = self.newest_version()
        return self.read(version) if version else None

    def read(self, version: int) -> Commit:
        """Read a commit.

        Raises:
            StoreFormatError: It is of a newer format.
            CorruptStoreError: It is damaged, or missing.
        """
        place = self.place(version)
        try:
            data = read_state(place, MAX_BYTES)
        except SourceNotFoundError:
            missing, reason = True, ""
        except CorruptStoreError as error:
            missing, reason = False, str(error.details["reason"])
        else:
            return parse_commit(data, version, place.url)
        if missing:
            raise CorruptStoreError.missing(self.root.url, version, "there is no such file")
        raise CorruptStoreError.of_commit(place.url, version, reason)

    def append(self, commit: Commit) -> None:
        """Make the commit file: success is the commit.

        Raises:
            NotSupportedError: It holds what nobody could read again.
            ConflictError: Another writer made that version.
            CommitOutcomeUnknownError: The storage did not say what happened.
            SourceAccessError: The storage refuses.
            WriteError: The storage failed; there is no such commit.
        """
        place, data = self.place(commit.version), commit.to_bytes()
        check_readable(data, commit.version, self.root.url)
        make_folder(self.root.child(_FOLDER))
        unknown = ""
        for attempt in range(_TRIES):
            failure: AspenETLError
            try:
                created = self.create(place, data)
            except AspenETLError as error:
                if not unknown:
                    raise
                created, unknown = "unknown", type(error).__name__
            found = data if created == "made" else self._look(place)
            if found == data:
                write_newest(self.root, commit.version)
                return
            if found is not None:
                raise ConflictError.commit(self.root.url, commit.version)
            unknown = unknown or "no answer"
            time.sleep(_WAIT_SECONDS * 2**attempt)
        failure = CommitOutcomeUnknownError.at(self.root.url, commit.version, unknown)
        raise failure

    def _look(self, place: Location) -> Optional[bytes]:
        try:
            return place.read(MAX_BYTES)
        except (SourceNotFoundError, ReadError, SourceAccessError):
            return None

    def create(self, place: Location, data: bytes) -> Created:
        """Make a file that is not there yet, by one writer alone, or as its writer promised."""
        if not self.single_writer or self._is_known():
            return create(place, data)
        if place.kind() != "absent":
            return "exists"
        put(place, data)
        return "made"

    def _is_known(self) -> bool:
        protocol = self.root.filesystem.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        return bool(names & KNOWN_TO_CREATE)

    def identity(self) -> str:
        """Give the store's id, and make it where the store has none yet.

        Raises:
            StoreFormatError: The store is of a newer format.
            CorruptStoreError: The file of its id is damaged.
            NotSupportedError: The storage does not make a file for one writer alone.
            SourceAccessError: The storage refuses.
            WriteError: The storage failed.
        """
        found = find_identity(self.root)
        if found is None:
            newest = self.newest()
            found = self.probe(newest.store if newest else None)
        return found

    def probe(self, token: Optional[str] = None) -> str:
        """Make sure, before the first commit, that the storage makes a file for one writer alone.

        The file is that of the store's id.

        Args:
            token: The id, if the store's commits name it already.

        Returns:
            The store's id.

        Raises:
            NotSupportedError: The storage does not, or is not known to.
            StoreFormatError: The store is of a newer format.
            CorruptStoreError: The file of its id is damaged.
        """
        if not self._is_known() and not self.single_writer:
            raise NotSupportedError(
                f"{self.root.url}: this storage is not known to create a file exclusively, so two "
                "writers could overwrite each other; use s3://, a local disk or memory://, or "
                "promise single_writer=True",
                url=self.root.url,
            )
        place, data = identity_place(self.root), new_identity(token)
        make_folder(self.root.child("_aspen"))
        made = 0
        for attempt in range(_TRIES):
            created = self.create(place, data)
            if created == "exists":
                found = find_identity(self.root)
                if found is not None:
                    return found
            made += created == "made"
            if made > 1:
                break
            if created == "unknown":
                time.sleep(_WAIT_SECONDS * 2**attempt)
        if made < 2:  # noqa: PLR2004 - twice the same file
            raise ReadError.at(place.url, "no answer")
        raise NotSupportedError(
            f"{self.root.url}: this storage overwrote a file that it was told to create only; "
            "two writers could overwrite each other: use another, or promise single_writer=True",
            url=self.root.url,
        )


def _gaps(versions: Collection[int]) -> Iterator[int]:
    """Give the numbers from 1 on that are missing from a row, one after the other."""
    expected = 1
    for version in sorted(versions):
        yield from range(expected, version)
        expected = version + 1
