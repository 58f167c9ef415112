"""From a source to a store: newest commit, source, normalize, thresholds, commit, report."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Optional, Union

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import (
    AspenETLError,
    CommitConflictError,
    DeadlineError,
    ReadError,
    StoreOnHoldError,
)
from aspen_etl.io.content import SourceFile
from aspen_etl.io.filesystem import Url
from aspen_etl.io.places import Source
from aspen_etl.io.waiting import Seconds, until
from aspen_etl.normalization import NormalizeResult, normalize
from aspen_etl.schema import Extract, Model, Run
from aspen_etl.store.commit import Commit, SourceRecord
from aspen_etl.store.refused import forget_refused
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.refusing import refuse
from aspen_etl.synchronization.report import SyncReport, TableReport
from aspen_etl.synchronization.source import Given
from aspen_etl.synchronization.thresholds import Thresholds, find_outdated, find_refusals

__all__ = ["plan", "sync"]

#: How often a source is read that changes while it is read.
_READS = 3


def sync(  # noqa: PLR0913 - what a run is told, each by name
    source: Union[Source, Extract],
    target: Union[Url, SnapshotStore],
    /,
    *,
    run: Run,
    model: Optional[Model] = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - a frozen value
    missing: Literal["delete", "keep"] = "delete",
    timeout: Optional[Seconds] = None,
    max_attempts: int = 8,
    read_options: Optional[Mapping[str, Any]] = None,
    model_version: Optional[str] = None,
    on_step: Optional[Callable[[str], None]] = None,
) -> SyncReport:
    """Bring a store to the state of a source, as one commit or not at all.

    The newest commit is read first, then the source; where another writer commits in between,
    both are read again. A source that is as it was is not parsed. Where nothing changed, there
    is no commit.

    Args:
        source: What ``read_extract`` takes, or an extract, which is always looked at.
        target: The store, or its url.
        run: When this is, and who does it.
        model: The model, where ``target`` is a url.
        thresholds: How much may be rejected and deleted.
        missing: Whether borrowers that are absent now are deleted, or kept.
        timeout: After which time, from now on, the run gives up rather than commit: seconds, or a
            ``timedelta``. No storage is waited for any longer, but for the commit itself.
        max_attempts: How often to begin anew when others commit in between.
        read_options: What ``read_extract`` takes beside the model: ``storage_options``,
            ``sheets``, ``na_values`` and so on.
        model_version: A name for the state of the model's functions, such as a git commit: with
            it, an unchanged source is passed over also where the model has cleaners or builders
            of your own, whose changes nothing else tells.
        on_step: Called with the name of each step as it begins.

    Returns:
        What was done, without a cell value.

    Raises:
        ThresholdError: A limit is broken; the text names the limit, the figure, the parameter,
            the rejects by rule, and the file that holds them until a run is not refused.
        OutdatedSourceError: The source is older than that of the newest commit, and nothing
            else is wrong with it.
        StoreOnHoldError: An old version was restored, and the store was not resumed.
        DeadlineError: The time is over; nothing was committed.
        CommitConflictError: Others committed first every time.
        CommitOutcomeUnknownError: The storage did not say what happened; the next run sees it.
        RejectsPlaceError: The rejects would go where another store's are; nothing was written.
        ModelMismatchError: The store was written by a model that this one cannot continue.
        AspenETLError: What reading, normalizing and writing raise.

    Examples:
        >>> import datetime as dt
        >>> from importlib.resources import files
        >>> run = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
        >>> workbook = str(files("aspen_etl") / "samples/borrowers.xlsx")
        >>> lenient = Thresholds(max_rejected_rows=0.2, max_rejected_cells=0.5)
        >>> first = sync(workbook, "memory://doctest/sync", run=run, thresholds=lenient)
        >>> first.outcome, first.version, first.tables["user"].inserted
        ('committed', 1, 12)
        >>> sync(workbook, "memory://doctest/sync", run=run, thresholds=lenient).outcome
        'unchanged'
    """
    given = Given(source, missing, thresholds, dict(read_options or {}), model_version)
    clock = Clock(timeout, on_step)
    work = _Sync(_store(target, model), given, run, clock)
    try:
        with until(clock.deadline):
            report = work.repeat(max_attempts)
    except AspenETLError as error:
        work.note_failure(type(error).__name__, error.details.get("refusals") or (str(error),))
        raise
    except BaseException as error:
        work.note_failure("failed", (type(error).__name__,))
        raise
    work.note(report.outcome)
    return report


def plan(  # noqa: PLR0913 - what sync is told
    source: Union[Source, Extract],
    target: Union[Url, SnapshotStore],
    /,
    *,
    run: Run,
    model: Optional[Model] = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - a frozen value
    missing: Literal["delete", "keep"] = "delete",
    timeout: Optional[Seconds] = None,
    read_options: Optional[Mapping[str, Any]] = None,
    on_step: Optional[Callable[[str], None]] = None,
) -> SyncReport:
    """Tell what ``sync`` would do, and write nothing.

    Args:
        source: As for ``sync``, like everything else.
        target: The store, or its url.
        run: When this is, and who does it.
        model: The model, where ``target`` is a url.
        thresholds: How much may be rejected and deleted; the report lists what would refuse.
        missing: Whether borrowers that are absent now are deleted, or kept.
        timeout: After which time the run gives up, also where a storage is silent.
        read_options: What ``read_extract`` takes beside the model.
        on_step: Called with the name of each step as it begins.

    Raises:
        AspenETLError: What reading and normalizing raise.
    """
    given = Given(source, missing, thresholds, dict(read_options or {}), None)
    clock = Clock(timeout, on_step)
    with until(clock.deadline):
        return _Sync(_store(target, model), given, run, clock).plan()


def _store(target: Union[Url, SnapshotStore], model: Optional[Model]) -> SnapshotStore:
    if isinstance(target, SnapshotStore):
        if model is not None and model is not target.model:
            raise ValueError("the store has a model already; give model= to SnapshotStore alone")
        return target
    return SnapshotStore(target, model=BORROWER_MODEL if model is None else model)


@dataclass
class _Sync:
    """One run; each attempt reads the newest commit and then the source."""

    store: SnapshotStore
    given: Given
    run: Run
    clock: Clock
    known: Optional[str] = field(default=None, init=False)
    version: int = field(default=0, init=False)

    def repeat(self, max_attempts: int) -> SyncReport:
        attempt = 1
        while True:
            try:
                return self._attempt(attempt)
            except CommitConflictError:
                if attempt >= max_attempts:
                    raise
            time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311 - no secret
            attempt += 1

    def _attempt(self, attempt: int) -> SyncReport:
        newest = self._newest()
        if newest is not None and newest.hold is not None:
            raise StoreOnHoldError.at(self.store.url, newest.hold)
        files = self.given.look(self.store.model)
        if newest is not None and self._is_known(newest, files):
            return self._unchanged(newest, attempt, source_read=False)
        result, files = self._normalize(newest, files)
        refusals = find_refusals(result, self.given.thresholds, newest)
        outdated = find_outdated(self.given.thresholds, newest, files)
        if refusals or outdated:
            raise refuse(self.store, self.run, newest, result, refusals, outdated)
        self.clock.step("writing")
        name = self.given.fingerprint(files, self.store.model)
        rows = {name: sheet.rows for name, sheet in result.summary.sources.items()}
        commit = self.store.commit(
            result.snapshot,
            run=self.run,
            parent=newest.version if newest else 0,
            changes=result.changes,
            rejects=result.rejects,
            reject_counts=[asdict(count) for count in result.summary.rejects],
            source=SourceRecord(files, rows, name),
            give_up=self.clock.check,
        )
        self.known, self.version = name, commit.version
        if newest is not None and commit.version == newest.version:
            return self._unchanged(newest, attempt, source_read=True, result=result)
        old = {file.path for stored in (newest.stored if newest else ()) for file in stored.files}
        written = [f for stored in commit.stored for f in stored.files if f.path not in old]
        return SyncReport(
            outcome="committed",
            version=commit.version,
            parent=commit.parent,
            source_read=True,
            attempts=attempt,
            tables=_tables(result),
            sources=result.summary.sources,
            rejects=result.summary.rejects,
            bytes_written=sum(file.bytes for file in written),
            format=commit.format_of_tables,
            format_before=newest.format_of_tables if newest else None,
            seconds=self.clock.stop(),
        )

    def plan(self) -> SyncReport:
        newest = self._newest()
        result, files = self._normalize(newest, self.given.look(self.store.model))
        limits = self.given.thresholds
        refusals = [*find_refusals(result, limits, newest), *find_outdated(limits, newest, files)]
        if newest is not None and newest.hold is not None:
            refusals.insert(0, str(StoreOnHoldError.at(self.store.url, newest.hold)))
        version = newest.version if newest else 0
        return SyncReport(
            outcome="planned",
            version=version,
            parent=version,
            source_read=True,
            attempts=1,
            tables=_tables(result),
            sources=result.summary.sources,
            rejects=result.summary.rejects,
            refusals=tuple(refusals),
            format=self.store.format_after(newest),
            format_before=newest.format_of_tables if newest else None,
            seconds=self.clock.stop(),
        )

    def _newest(self) -> Optional[Commit]:
        self.clock.step("looking")
        newest = self.store.newest()
        if newest is not None:
            self.store.check_model(newest)
            self.version = newest.version
        self.store.check_places(newest)
        return newest

    def _is_known(self, newest: Commit, files: tuple[SourceFile, ...]) -> bool:
        """Tell whether this source was held against this commit before."""
        name = self.given.fingerprint(files, self.store.model)
        self.known = name
        if name is None or newest.format_of_tables != self.store.format_after(newest):
            return False
        if name == newest.source.fingerprint:
            return True
        last = self.store.last_good_run()
        return last.get("version") == newest.version and last.get("fingerprint") == name

    def _normalize(
        self, newest: Optional[Commit], files: tuple[SourceFile, ...]
    ) -> tuple[NormalizeResult, tuple[SourceFile, ...]]:
        self.clock.step("reading")
        extract, files = self._read(files)
        previous = None
        if newest is not None:  # its tables are read one by one, as they are needed
            self.clock.step("loading")
            previous = self.store.load(newest)
        extracts = [extract]
        del extract  # handed over, so that its memory is free as soon as it is judged
        self.clock.step("normalizing")
        result = normalize(
            extracts.pop(),
            run=self.run,
            model=self.store.model,
            previous=previous,
            missing=self.given.missing,
        )
        return result, files

    def _read(self, before: tuple[SourceFile, ...]) -> tuple[Extract, tuple[SourceFile, ...]]:
        """Read one state of the source: the same before, as seen by a look, and after."""
        model = self.store.model
        for _ in range(_READS):
            extract = self.given.read(model)
            after = self.given.look(model)
            if after == before:
                return extract, after
            before = after
        raise ReadError.at(before[0].url, "it changed each time while it was read")

    def _unchanged(
        self,
        newest: Commit,
        attempt: int,
        *,
        source_read: bool,
        result: Optional[NormalizeResult] = None,
    ) -> SyncReport:
        summary = result.summary if result else None
        return SyncReport(
            outcome="unchanged",
            version=newest.version,
            parent=newest.version,
            source_read=source_read,
            attempts=attempt,
            tables={name: TableReport(stored.rows) for name, stored in newest.tables.items()},
            sources=summary.sources if summary else {},
            rejects=summary.rejects if summary else (),
            format=newest.format_of_tables,
            seconds=self.clock.stop(),
        )

    def note(self, outcome: str) -> None:
        """Leave word of this run, and take away what a refused one before it left."""
        self._leave(outcome, fingerprint=self.known)
        with contextlib.suppress(AspenETLError), until(self.clock.grace()):
            # Where that fails, vacuum does it when it is old enough.
            forget_refused(self.store.root, self.store.rejects_root)

    def note_failure(self, outcome: str, reasons: Sequence[str]) -> None:
        """Leave word of this run, so that a monitor sees a schedule that refuses or fails."""
        self._leave(outcome, reasons=reasons)

    def _leave(self, outcome: str, **words: Any) -> None:
        with contextlib.suppress(DeadlineError), until(self.clock.grace()):
            self.store.note_run(self.run, outcome, self.version, **words)


def _tables(result: NormalizeResult) -> dict[str, TableReport]:
    return {
        name: TableReport(rows=len(result.tables[name]), **found.counts)
        for name, found in result.changes.items()
    }
