"""One run of sync: newest commit, source, what it makes, limits, commit, report."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from typing import Any, Optional

from aspen_etl.errors import (
    AspenETLError,
    ConflictError,
    DeadlineError,
    StoreOnHoldError,
    TwoWayError,
)
from aspen_etl.io.calling import jitter, retry
from aspen_etl.io.content import SourceFile
from aspen_etl.io.waiting import until
from aspen_etl.schema import Run
from aspen_etl.store import committing
from aspen_etl.store.commit import Commit, SourceRecord
from aspen_etl.store.committing import check_places
from aspen_etl.store.contents import Contents
from aspen_etl.store.refused import forget_refused
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.landing_report import report_intake
from aspen_etl.synchronization.made import Made
from aspen_etl.synchronization.making import Making
from aspen_etl.synchronization.refusing import refuse_broken
from aspen_etl.synchronization.report import PartedResult, Result, SyncReport, Way
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.source import Given, RunSource
from aspen_etl.synchronization.thresholds import find_outdated, find_refusals

__all__ = ["SyncRun"]


@dataclass
class SyncRun:
    """One run; each attempt reads the newest commit and then the source.

    Attributes:
        given: The source as the newest attempt took it.
        known: The name of the source's state, as the newest attempt saw it.
        version: The version that the store was at then, or is at since the commit.
    """

    store: SnapshotStore
    source: RunSource
    settings: Settings
    run: Run
    clock: Clock
    given: Given = field(init=False)
    known: Optional[str] = field(default=None, init=False)
    version: int = field(default=0, init=False)

    def sync(self) -> SyncReport:
        """Bring the store to the state of the source, and leave word of it whatever becomes."""
        try:
            with until(self.clock.deadline):
                report = self._repeat(self.settings.max_attempts)
        except AspenETLError as error:
            reasons = error.details.get("refusals") or (str(error),)
            self._leave_word(type(error).__name__, reasons=reasons)
            raise
        except BaseException as error:
            self._leave_word("failed", reasons=(type(error).__name__,))
            raise
        report = replace(report, seconds=self.clock.stop())
        self._leave_word(report.outcome, fingerprint=self.known)
        with contextlib.suppress(AspenETLError), until(self.clock.grace()):
            # Where that fails, vacuum does it when it is old enough.
            forget_refused(self.store.place.root, self.store.place.rejects_root)
        return report

    def plan(self) -> SyncReport:
        """Tell what a run would do."""
        limits = self.settings.thresholds
        with until(self.clock.deadline):
            newest = self._newest()
            self.given = self._look(newest)
            files = self.given.look(self.store.model)
            self.clock.step("reading")
            made, files = self._making.make_whole(newest, files, Way.whole("it is a plan"))
            result = made.result
            held = [str(error) for error in [self._find_hold(newest)] if error is not None]
            broken = find_refusals(result, limits, newest) + find_outdated(limits, newest, files)
            after = self.store.place.format_after(newest)
        report = SyncReport.planned(result, newest, [*held, *broken], after)
        landing = report_intake(self.given.intake)
        return replace(report, landing=landing, seconds=self.clock.stop())

    def _repeat(self, max_attempts: int) -> SyncReport:
        numbers = count(1)
        return retry(
            lambda: self._attempt(next(numbers)),
            tries=max_attempts,
            again=lambda error: isinstance(error, ConflictError),
            pause=lambda number: jitter(0.05 * number),
        )

    def _attempt(self, attempt: int) -> SyncReport:
        newest = self._newest()
        held = self._find_hold(newest)
        if held is not None:
            raise held
        self.given = self._look(newest)
        files = self.given.look(self.store.model)
        if newest is not None and self._is_known(newest, files):
            report = SyncReport.unchanged(newest, attempt)
            return replace(report, landing=report_intake(self.given.intake))
        made, files = self._making.make(newest, files)
        with contextlib.ExitStack() as stack:
            stack.callback(made.close)
            refuse_broken(
                self.settings.thresholds, self.store, self.run, newest, made.result, files
            )
            commit = self._commit(newest, made, files)
        return self._report(newest, made, commit, attempt)

    def _report(
        self, newest: Optional[Commit], made: Made[Result], commit: Commit, attempt: int
    ) -> SyncReport:
        """Keep the source, if that is wanted, and tell what was done."""
        is_new = newest is None or commit.version != newest.version
        kept, result = self._making.keep(made, commit, is_new=is_new), made.result
        if newest is not None and commit.version == newest.version:
            report = SyncReport.unchanged(newest, attempt, result)
        else:
            report = SyncReport.committed(result, newest, commit, attempt)
        parts = result.parts if isinstance(result, PartedResult) else ()
        way = made.way if kept else replace(made.way, proved=None)
        intake = self.given.intake
        landing = report_intake(intake)
        left = made.suppressed if intake is None else intake.found.suppressed
        return replace(report, way=way, parts=parts, landing=landing, suppressed=left)

    @property
    def _making(self) -> Making:
        return Making(self.store, self.given, self.run, self.clock)

    def _newest(self) -> Optional[Commit]:
        self.clock.step("looking")
        newest = self.store.newest()
        if newest is not None:
            self.store.place.check_model(newest)
            self.version = newest.version
        check_places(self.store.place, newest)
        return newest

    def _look(self, newest: Optional[Commit]) -> Given:
        return Given.of(self.source, self.settings, self.store, newest, self.run)

    def _find_hold(self, newest: Optional[Commit]) -> Optional[AspenETLError]:
        """Tell why no run may follow a commit, if so."""
        if newest is not None and newest.sides is not None:
            return TwoWayError.refused(self.store.url, "sync")
        if newest is None or newest.hold is None:
            return None
        return StoreOnHoldError.at(self.store.url, newest.hold)

    def _is_known(self, newest: Commit, files: tuple[SourceFile, ...]) -> bool:
        """Tell whether this source was held against this commit before."""
        self.known = name = self.given.fingerprint(files, self.store.model)
        intake = self.given.intake
        if intake is not None and intake.is_new:
            return False
        if name is None or newest.format_of_tables != self.store.place.format_after(newest):
            return False
        if name == newest.source.fingerprint:
            return True
        last = self.store.last_good_run()
        return last.get("version") == newest.version and last.get("fingerprint") == name

    def _commit(
        self, newest: Optional[Commit], made: Made[Result], files: tuple[SourceFile, ...]
    ) -> Commit:
        self.clock.step("writing")
        result = made.result
        rows = {name: sheet.rows for name, sheet in result.summary.sources.items()}
        source = SourceRecord(files, rows, self.given.fingerprint(files, self.store.model))
        counts = [asdict(count) for count in result.summary.rejects]
        rejects = result.rejects
        intake = self.given.intake
        landing = None if intake is None else intake.landed(self.run)
        contents = Contents(made.tables, result.changes, rejects, counts, source, landing)
        parent = newest.version if newest else 0
        commit = committing.commit(
            self.store.place, contents, run=self.run, parent=parent, give_up=self.clock.check
        )
        self.known, self.version = source.fingerprint, commit.version
        return commit

    def _leave_word(self, outcome: str, **words: Any) -> None:
        """Leave word of this run, so that a monitor sees a schedule that refuses or fails."""
        with contextlib.suppress(DeadlineError), until(self.clock.grace()):
            self.store.note_run(self.run, outcome, self.version, **words)
