"""A snapshot store: a folder in which every version of all tables is one commit.

The protocol (``docs/explanation/store.md``): files first, then one commit file, made exclusively.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes
from aspen_etl.derive.formats import FORMATS, FormatName
from aspen_etl.errors.base import named
from aspen_etl.io.filesystem import Url, locate
from aspen_etl.schema.model import Model
from aspen_etl.schema.rejects import check_named
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.values import Run
from aspen_etl.store import committing, reading
from aspen_etl.store.commit import Commit, SourceRecord
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.contents import Contents, Whole
from aspen_etl.store.place import Place
from aspen_etl.store.previous import StoredPrevious
from aspen_etl.store.refused import RefusedRun, read_refused, read_refused_rejects
from aspen_etl.store.status import StoreStatus, read_good_note, read_note, read_status, write_note
from aspen_etl.store.upkeep import Upkeep

__all__ = ["SnapshotStore"]


class SnapshotStore(Upkeep):
    """Read and commit snapshots of a model's tables: all tables, one commit.

    It holds ``place``, where it is and how it is used; so it pickles where model and filesystem do.

    Args:
        url: The folder, as an fsspec url or a local path: a local disk, ``s3://`` or
            ``memory://``, or another storage with ``single_writer=True``.
        model: The model of the tables. It may have more nullable columns and more tables than
            the one that wrote the store.
        format: The format of files that are written, ``csv`` or ``parquet``; by default that of
            the store's newest commit, and ``csv`` in a new store. Another one than the store's is
            a migration: the next commit writes every table anew.
        storage_options: What the filesystem takes: credentials, endpoint, encryption.
        rejects_url: Where the rejects go, if elsewhere: they hold what was refused, as read.
        rejects_storage_options: What that filesystem takes; by default the same options.
        single_writer: A promise that nobody else writes, for a storage that is not known to
            create a file exclusively.
        attempt_limit: How long an attempt to commit may take from its first file on. Every
            writer of a store must have the same: vacuum leaves files that no commit names
            alone for twice that time.

    Raises:
        NotSupportedError: There is no such format, or fsspec knows no such protocol.

    Examples:
        >>> store = SnapshotStore("memory://doctest/store")
        >>> store.newest() is None
        True
    """

    __slots__ = ()

    def __init__(
        self,
        url: Url,
        /,
        *,
        model: Model = BORROWER_MODEL,
        format: Optional[FormatName] = None,  # noqa: A002 - the field's word for it
        storage_options: Optional[Mapping[str, Any]] = None,
        rejects_url: Optional[Url] = None,
        rejects_storage_options: Optional[Mapping[str, Any]] = None,
        single_writer: bool = False,
        attempt_limit: dt.timedelta = dt.timedelta(hours=1),
    ) -> None:
        if format is not None:
            named(FORMATS, format, kind="format")
        log = CommitLog(locate(url, storage_options), single_writer=single_writer)
        options = storage_options if rejects_storage_options is None else rejects_storage_options
        elsewhere = None if rejects_url is None else locate(rejects_url, options)
        self.place = Place(log, elsewhere, model, format, attempt_limit)

    def __repr__(self) -> str:
        return f"<SnapshotStore {self.url}>"

    @property
    def url(self) -> str:
        """Its url, without anything secret."""
        return self.place.url

    @property
    def model(self) -> Model:
        """The model of its tables."""
        return self.place.model

    def newest(self) -> Optional[Commit]:
        """Read the newest commit, or none where nothing was committed yet."""
        return self.place.log.newest()

    def find(self, version: Optional[int] = None) -> Commit:
        """Read a commit that can be read: the newest, or a version.

        It raises ``VersionNotFoundError`` where there is none, or its files are no longer kept.
        """
        return reading.find(self.place, version)

    def history(self, limit: Optional[int] = None) -> tuple[Commit, ...]:
        """Read the commits that can be read, the newest first, at most ``limit`` of them."""
        return reading.history(self.place, limit)

    def read(self, version: Optional[int] = None) -> Snapshot:
        """Read the snapshot of one commit, by default the newest, every checksum verified.

        A column or table of the model that the commit does not have yet is null or empty.

        Raises:
            VersionNotFoundError: There is no such version, or it is no longer kept.
            ModelMismatchError: It holds tables of another model.
            CorruptStoreError: A file is missing or damaged.
        """
        return reading.read(self.place, version)

    def load(self, commit: Commit) -> StoredPrevious:
        """Give what the newest commit holds, table by table, for the run that follows it.

        It raises what ``read`` does, and ``ConflictError`` where another commit let files go.
        """
        return StoredPrevious(self.place, commit)

    def diff(self, before: int, after: int, /) -> Changes:
        """Tell what changed between two versions; only tables whose files differ are read.

        The second may be the older one. It raises what ``read`` does, ``VersionNotFoundError``
        also where a row was erased from one, so that its files no longer tell what it was.
        """
        return reading.read_changes(self.place, before, after)

    def read_rejects(self, version: Optional[int] = None) -> pd.DataFrame:
        """Read the rejects of one commit, by default the newest.

        It raises what ``read`` does, and ``NotSupportedError`` where they are elsewhere, and no
        ``rejects_url`` was given.
        """
        return reading.read_rejects(self.place, version)

    def commit(
        self,
        snapshot: Snapshot,
        /,
        *,
        run: Run,
        parent: int,
        changes: Changes,
        rejects: Optional[pd.DataFrame] = None,
        reject_counts: Sequence[Mapping[str, Any]] = (),
        source: Optional[SourceRecord] = None,
        give_up: Optional[Callable[[str], None]] = None,
    ) -> Commit:
        """Commit a snapshot: every table, its keys and its rejects, or nothing.

        Args:
            snapshot: What ``normalize`` made, with the snapshot of ``parent`` before it.
            run: Who does it, and when.
            parent: The version that it goes on from; 0 for none.
            changes: What changed since; a table without a change stays where it is.
            rejects: The rejects.
            reject_counts: How many there are, by rule.
            source: What it was made of.
            give_up: Called with the name of each step before it begins; it raises to stop.

        Returns: The commit; that of ``parent`` where nothing changed.

        Raises:
            ArgumentError: The rejects lack a column.
            ConflictError: Another writer committed since ``parent``.
            TwoWayError: The store is kept in step with two sides.
            CommitOutcomeUnknownError: The storage did not say what happened.
            ModelMismatchError: The store holds tables of another model.
            RejectsPlaceError: The rejects would go where another store's are.
            DeadlineError: The attempt took too long.
            SourceAccessError, WriteError: The storage refuses, or failed; there is no commit.
        """
        tables, held = Whole(snapshot, self.model), check_named(rejects)
        contents = Contents(tables, changes, held, reject_counts, source)
        return committing.commit(self.place, contents, run=run, parent=parent, give_up=give_up)

    def status(self, *, now: dt.datetime) -> StoreStatus:
        """Tell how old the newest commit is, what came of the last run; ``now`` has a zone."""
        return read_status(self.place, now)

    def refused_run(self) -> Optional[RefusedRun]:
        """Give the figures of the newest refused run; none where a run was not refused since."""
        return read_refused(self.place.root)

    def read_refused_rejects(self) -> pd.DataFrame:
        """Read the rejects of the newest refused run; none where a run was not refused since.

        It raises what ``read_rejects`` does, and ``SourceNotFoundError`` where they are gone.
        """
        return read_refused_rejects(self.place.root, self.place.rejects_root)

    def last_run(self) -> Mapping[str, Any]:
        """Give what the last run left word of: time, actor, outcome, version ..."""
        return read_note(self.place.root)

    def last_good_run(self) -> Mapping[str, Any]:
        """Give the same of the last run that committed or found nothing to do."""
        return read_good_note(self.place.root)

    def note_run(
        self,
        run: Run,
        outcome: str,
        version: int,
        fingerprint: Optional[str] = None,
        reasons: Sequence[str] = (),
    ) -> None:
        """Leave word of a run; where that fails, nothing happens."""
        write_note(self.place.root, run, outcome, version, fingerprint, reasons)
