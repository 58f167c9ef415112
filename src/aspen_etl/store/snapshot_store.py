"""A snapshot store: a folder in which every version of all tables is one commit.

The protocol is that of ``docs/explanation/store.md``: files first, under names that no other
attempt has, then one commit file, created exclusively. A commit exists or it does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes
from aspen_etl.derive.formats import FORMATS, FormatName
from aspen_etl.errors.base import named
from aspen_etl.io.filesystem import Url, locate
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import REJECTS, Snapshot
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit, SourceRecord
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.frames import empty
from aspen_etl.store.pins import remove_pin, set_pin
from aspen_etl.store.purge_report import PurgeReport
from aspen_etl.store.purging import purge
from aspen_etl.store.refused import RefusedRun, read_refused, read_refused_rejects
from aspen_etl.store.restoring import restore_version
from aspen_etl.store.status import StoreStatus, read_good_note, read_note, read_status, write_note
from aspen_etl.store.store_writer import StoreWriter
from aspen_etl.store.vacuuming import VacuumReport, vacuum
from aspen_etl.store.verifying import Verification, verify_version

__all__ = ["SnapshotStore"]


class SnapshotStore(StoreWriter):
    """Read and commit snapshots of a model's tables: all tables, one commit.

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
        super().__init__(log, elsewhere, model, format, attempt_limit)

    def __repr__(self) -> str:
        return f"<SnapshotStore {self.url}>"

    # ------------------------------------------------------------------------- committing

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
            run: When this is, and who does it.
            parent: The version that it goes on from; 0 for none.
            changes: What changed since; a table without a change stays where it is.
            rejects: The rejects.
            reject_counts: How many there are, by rule.
            source: What it was made of.
            give_up: Called with the name of each step before it begins; it raises to stop.

        Returns:
            The commit; that of ``parent`` where nothing changed.

        Raises:
            ConflictError: Another writer committed since ``parent``.
            CommitOutcomeUnknownError: The storage did not say what happened.
            ModelMismatchError: The store holds tables of another model.
            RejectsPlaceError: The rejects would go where another store's are.
            DeadlineError: The attempt took too long.
            SourceAccessError: The storage refuses.
            WriteError: The storage failed; there is no commit.
        """
        base = self.begin(parent)
        refused = empty(REJECTS) if rejects is None else rejects
        self.claim_rejects(first=len(refused) > 0)
        attempt = self.attempt(parent + 1, give_up, base=base)
        held = {n: stored for n, stored in (base.tables if base else {}).items() if n in changes}
        written = {
            name: snapshot.tables[name]
            for name, table in self.model.tables.items()
            if name not in held
            or not changes[name].is_empty
            or held[name].columns != tuple(table.columns)
            or held[name].format != attempt.format
        }
        held.update(attempt.tables(written, self.model.tables))
        tables = {name: held[name] for name in self.model.tables}
        keys = {
            name: attempt.keys(
                self.model.tables[name],
                state,
                snapshot.tables[name],
                base.keys.get(name) if base else None,
            )
            for name, state in snapshot.keys.items()
        }
        stored = attempt.rejects(refused, base.rejects if base else None)
        if base and (base.tables, base.keys, base.rejects) == (tables, keys, stored):
            return base
        commit = self.next_commit(base, "sync", run, attempt)
        return self.append(
            replace(
                commit,
                tables=tables,
                keys=keys,
                rejects=stored,
                changes=changes.counts,
                reject_counts=tuple(dict(count) for count in reject_counts),
                source=source or SourceRecord(),
            ),
            attempt,
        )

    # ------------------------------------------------------------------------- going back

    def restore(self, version: int, /, *, run: Run) -> Commit:
        """Commit the rows of an old version, and put the store on hold.

        Next numbers do not fall, and keys given since are remembered. ``sync`` refuses until
        ``resume``, since the source would at once undo what was restored.

        Args:
            version: Which one.
            run: When this is, and who does it.

        Raises:
            VersionNotFoundError: It is not there, or no longer kept.
        """
        return self.retrying(lambda newest: restore_version(self, version, newest, run))

    def resume(self, *, run: Run) -> Commit:
        """Let ``sync`` go on after ``restore``; the newest commit, where it is not on hold."""
        return self.retrying(lambda newest: self._resume(newest, run))

    def _resume(self, newest: Commit, run: Run) -> Commit:
        if newest.hold is None:
            return newest
        attempt = self.attempt(newest.version + 1)
        commit = self.next_commit(newest, "resume", run, attempt)
        return self.append(replace(commit, hold=None), attempt)

    # ------------------------------------------------------------------------- keeping house

    def vacuum(self, *, run: Run, keep_for: dt.timedelta = dt.timedelta(days=7)) -> VacuumReport:
        """Let old versions go, and delete the files that no version needs any more.

        First a commit raises ``oldest_readable``, then files go: those that no readable commit
        names and that are older than twice ``attempt_limit`` by the storage's clock. Versions
        that are pinned, and all after them, stay.

        Args:
            run: When this is, and who does it.
            keep_for: How long a version stays readable after it was committed.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            SourceAccessError: The storage does not let files be deleted.
        """
        return vacuum(self, run, keep_for)

    def pin(self, name: str, version: int, /) -> None:
        """Keep a version readable, under the name of who stands on it; it replaces its last pin."""
        self.find(version)
        set_pin(self.root, name, version)

    def unpin(self, name: str, /) -> None:
        """Let go of what ``name`` had pinned."""
        remove_pin(self.root, name)

    def verify(self, version: Optional[int] = None) -> Verification:
        """Recompute every checksum, key and reference of a version, by default the newest.

        Raises:
            VersionNotFoundError: There is no such version, or it is no longer kept.
        """
        return verify_version(self, version)

    def purge(self, borrower_id: str, /, *, run: Run) -> PurgeReport:
        """Erase one row of the first sheet, and all that refers to it, from every readable version.

        Tables, retired keys and rejects are written anew without it, a commit names the new
        files, and the old ones are deleted at once. What a dead attempt left behind is deleted
        too, as soon as it is old enough; run ``vacuum`` later for the rest. A source that still
        has the borrower brings it back, under new keys.

        Args:
            borrower_id: The borrower's id, as it stands in the tables.
            run: When this is, and who does it.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            NotSupportedError: The rejects are elsewhere, and no ``rejects_url`` was given.
            SourceAccessError: The storage does not let files be deleted.
        """
        return purge(self, borrower_id, run)

    # ------------------------------------------------------------------------- runs

    def status(self, *, now: dt.datetime) -> StoreStatus:
        """Tell how old the newest commit is, when a run looked last, and what came of it.

        Args:
            now: The time, with a zone.

        Raises:
            VersionNotFoundError: There is no store.
        """
        return read_status(self, now)

    def refused_run(self) -> Optional[RefusedRun]:
        """Give the figures of the newest refused run; none where a run was not refused since."""
        return read_refused(self.root)

    def read_refused_rejects(self) -> pd.DataFrame:
        """Read the rejects of the newest refused run; none where a run was not refused since.

        Raises:
            NotSupportedError: They are elsewhere, and no ``rejects_url`` was given.
            SourceNotFoundError: They are gone.
            CorruptStoreError: The file is damaged.
        """
        return read_refused_rejects(self.root, self.rejects_root)

    def last_run(self) -> Mapping[str, Any]:
        """Give what the last run left word of: time, actor, outcome, version, and so on."""
        return read_note(self.root)

    def last_good_run(self) -> Mapping[str, Any]:
        """Give the same of the last run that committed or found nothing to do."""
        return read_good_note(self.root)

    def note_run(
        self,
        run: Run,
        outcome: str,
        version: int,
        fingerprint: Optional[str] = None,
        reasons: Sequence[str] = (),
    ) -> None:
        """Leave word of a run; where that fails, nothing happens."""
        write_note(self.root, run, outcome, version, fingerprint, reasons)
