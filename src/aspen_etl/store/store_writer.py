"""Appending to a store: what every kind of commit has in common."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Optional

from aspen_etl.derive.formats import DEFAULT_FORMAT, FormatName
from aspen_etl.errors import ConflictError, CorruptStoreError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.waiting import until
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import STORE_FORMAT, Commit, CommitKind, library_version
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.identity import identity_place
from aspen_etl.store.rejects_place import Standing, check_root, claim_place, judge_place
from aspen_etl.store.store_reader import StoreReader

__all__ = ["StoreWriter"]

#: How often a step is begun anew when another writer commits in between.
_TRIES = 20


class StoreWriter(StoreReader):
    """Begin attempts, make commits, begin anew where another writer comes first.

    Args:
        log: The commits.
        rejects_root: The place of the rejects, if it is another one.
        model: The model of the tables.
        file_format: The format of files that are written, if another one than the store's.
        attempt_limit: How long an attempt may take from its first file on.
    """

    def __init__(
        self,
        log: CommitLog,
        rejects_root: Optional[Location],
        model: Model,
        file_format: Optional[FormatName],
        attempt_limit: dt.timedelta,
    ) -> None:
        super().__init__(log, rejects_root, model)
        self.format, self.attempt_limit = file_format, attempt_limit

    def begin(self, parent: int) -> Optional[Commit]:
        """Read the commit to go on from, and make sure that it is the newest."""
        newest = self.newest()
        if (newest.version if newest else 0) != parent:
            raise ConflictError.commit(self.url, parent + 1)
        self.check_places(newest)
        if newest is None:
            self.log.probe()
            return None
        self.check_model(newest)
        return newest

    def check_places(self, newest: Optional[Commit]) -> None:
        """Make sure, before anything is written, that no place is another store's.

        Raises:
            RejectsPlaceError: The store would begin where another one has its rejects, or its
                rejects would go where another store, or another one's rejects, are.
        """
        if newest is None:
            check_root(self.log)
        if self.rejects_root is not None:
            judge_place(self.log, self.rejects_root)

    def claim_rejects(self, *, first: bool) -> Standing:
        """Claim the place of the rejects as ``claim_place`` does; the store itself is its own."""
        if self.rejects_root is None:
            return "own"
        return claim_place(self.log, self.rejects_root, first=first)

    def attempt(
        self,
        version: int,
        give_up: Optional[Callable[[str], None]] = None,
        *,
        base: Optional[Commit] = None,
    ) -> Attempt:
        """Begin to write the files of a version, in the format of the commit before it.

        Args:
            version: The version.
            give_up: Called before each step; it raises to stop.
            base: The commit that it goes on from.
        """
        return Attempt(
            self.root,
            self.rejects_root,
            version,
            self.format_after(base),
            limit=self.attempt_limit,
            give_up=give_up,
        )

    def format_after(self, base: Optional[Commit]) -> FormatName:
        """Give the format of what is written after a commit: as was asked for, else its own."""
        if self.format is not None:
            return self.format
        return DEFAULT_FORMAT if base is None else base.format_of_tables

    def next_commit(
        self, base: Optional[Commit], kind: CommitKind, run: Run, attempt: Attempt
    ) -> Commit:
        """Make the commit that follows another and holds the same."""
        self.log.check_newest(base.version if base else 0)
        time_ = run.time if base is None else max(run.time, base.time)
        facts = {
            "format": STORE_FORMAT,
            "store": self._identity(base),
            "parent_sha256": base.digest if base else None,
            "kind": kind,
            "token": attempt.token,
            "time": time_,
            "actor": run.actor,
            "library": library_version(),
            "model": describe_tables(self.model),
        }
        if base is None:
            return Commit(version=1, parent=0, **facts)  # type: ignore[arg-type]
        nothing = {"inserted": 0, "updated": 0, "deleted": 0}
        return replace(
            base,
            version=base.version + 1,
            parent=base.version,
            changes={name: dict(nothing) for name in self.model.tables},
            source=replace(base.source, fingerprint=None),
            **facts,  # type: ignore[arg-type]
        )

    def _identity(self, base: Optional[Commit]) -> str:
        store = self.log.identity()
        if base is not None and base.store not in (None, store):
            place = identity_place(self.root)
            reason = f"it holds another id than commit {base.version}"
            raise CorruptStoreError.at(place.url, reason)
        return store

    def append(self, commit: Commit, attempt: Attempt) -> Commit:
        """Make a commit, if the attempt is not too old by now."""
        attempt.check("the commit")
        with until(None):  # given up, it would be undecided
            self.log.append(commit)
        return commit

    def retrying(self, step: Callable[[Commit], Commit]) -> Commit:
        """Do a step on the newest commit, anew where another writer comes first.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            ConflictError: Others came first every time.
        """
        for left in range(_TRIES, 0, -1):
            newest = self.find()
            self.check_model(newest)
            try:
                return step(newest)
            except ConflictError:
                if left == 1:
                    raise
            time.sleep(random.uniform(0, 0.1))  # noqa: S311 - no secret
        raise AssertionError
