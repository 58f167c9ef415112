"""The commits of a store: found by number, made exclusively, never changed, never deleted."""

from __future__ import annotations

import time
from typing import Optional

from aspen_etl.errors import (
    AspenETLError,
    CommitConflictError,
    CommitOutcomeUnknownError,
    NotSupportedError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
)
from aspen_etl.io.commit import Commit
from aspen_etl.io.filesystem import Location
from aspen_etl.io.identity import find_identity, identity_place, new_identity
from aspen_etl.io.writing import KNOWN_TO_CREATE, Created, create, make_folder, put

__all__ = ["CommitLog"]

#: The most that a commit file may have.
_MAX_BYTES = 1 << 28

#: How often an undecided write is tried, and how long to wait in between, doubled each time.
_TRIES, _WAIT_SECONDS = 5, 0.05


class CommitLog:
    """Find, read and append commits.

    Args:
        root: The store's place.
        single_writer: Whether the caller promises that nobody else writes, for storages that
            are not known to create a file exclusively.
    """

    def __init__(self, root: Location, *, single_writer: bool = False) -> None:
        self.root, self.single_writer = root, single_writer

    def place(self, version: int) -> Location:
        """Give the place of a commit file."""
        return self.root.child(f"_aspen/commits/{version:020d}.json")

    def newest_version(self) -> int:
        """Find the number of the newest commit, or 0.

        Versions have no gap and are never deleted, so some thirty questions find the newest of
        a hundred thousand, and no listing is needed.
        """
        high = 1
        while self._exists(high):
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._exists(middle) else (low, middle)
        return low

    def _exists(self, version: int) -> bool:
        return self.place(version).kind() == "file"

    def newest(self) -> Optional[Commit]:
        """Read the newest commit."""
        version = self.newest_version()
        return self.read(version) if version else None

    def read(self, version: int) -> Commit:
        """Read a commit.

        Raises:
            SourceNotFoundError: There is none of that number.
            StoreFormatError: It is of a newer format.
            CorruptStoreError: It is no commit file.
        """
        place = self.place(version)
        return Commit.from_bytes(place.read(_MAX_BYTES), place.url)

    def append(self, commit: Commit) -> None:
        """Make the commit file: success is the commit.

        Raises:
            CommitConflictError: Another writer made that version.
            CommitOutcomeUnknownError: The storage did not say what happened.
            SourceAccessError: The storage refuses.
            WriteError: The storage failed; there is no such commit.
        """
        place, data = self.place(commit.version), commit.to_bytes()
        make_folder(self.root.child("_aspen/commits"))
        unknown = ""
        for attempt in range(_TRIES):
            failure: AspenETLError
            try:
                created = self._create(place, data)
            except AspenETLError as error:
                if not unknown:
                    raise
                created, unknown = "unknown", type(error).__name__
            if created == "made":
                return
            found = self._look(place)
            if found == data:
                return
            if found is not None:
                raise CommitConflictError.at(self.root.url, commit.version)
            unknown = unknown or "no answer"
            time.sleep(_WAIT_SECONDS * 2**attempt)
        failure = CommitOutcomeUnknownError.at(self.root.url, commit.version, unknown)
        raise failure

    def _look(self, place: Location) -> Optional[bytes]:
        try:
            return place.read(_MAX_BYTES)
        except (SourceNotFoundError, ReadError, SourceAccessError):
            return None

    def _create(self, place: Location, data: bytes) -> Created:
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
        return find_identity(self.root) or self.probe()

    def probe(self) -> str:
        """Make sure, before the first commit, that the storage makes a file for one writer alone.

        The file is that of the store's id.

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
        place, data = identity_place(self.root), new_identity()
        make_folder(self.root.child("_aspen"))
        made = 0
        for attempt in range(_TRIES):
            created = self._create(place, data)
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
