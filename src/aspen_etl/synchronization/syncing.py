"""From a source to a store: newest commit, source, normalize, thresholds, commit, report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from typing import Any, Literal, Optional, Union

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import (
    ArgumentError,
    AspenETLError,
    ConflictError,
    DeadlineError,
    StoreOnHoldError,
)
from aspen_etl.io.calling import jitter, retry
from aspen_etl.io.content import SourceFile
from aspen_etl.io.filesystem import Url
from aspen_etl.io.places import Source
from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds, until
from aspen_etl.schema import Extract, Model, Run
from aspen_etl.schema.rejects import take_in
from aspen_etl.store import committing
from aspen_etl.store.commit import Commit, SourceRecord
from aspen_etl.store.committing import check_places
from aspen_etl.store.contents import Contents
from aspen_etl.store.refused import forget_refused
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.making import Made, Making
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.refusing import refuse_broken
from aspen_etl.synchronization.report import Clock, PartedResult, Result, SyncReport, Way
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.source import Given
from aspen_etl.synchronization.thresholds import Thresholds, find_outdated, find_refusals
from aspen_etl.workers import InTurn, Workers

__all__ = ["plan", "sync"]


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
    keep_source: Optional[bool] = None,
    whole_every: int = 96,
    parts: Optional[Parts] = None,
    workers: Workers = InTurn(),  # noqa: B008 - a frozen value
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
        missing: Whether what is absent from the source now is deleted, or kept.
        timeout: After which time, from now on, the run gives up rather than commit: seconds, or a
            ``timedelta``. No storage is waited for any longer, but for the commit itself.
        max_attempts: How often to begin anew when others commit in between.
        read_options: What ``read_extract`` takes beside the model: ``storage_options``,
            ``sheets``, ``na_values`` and so on.
        model_version: A name for the state of the model's functions, such as a git commit: with
            it, an unchanged source is passed over also where the model has cleaners or builders
            of your own, whose changes nothing else tells.
        keep_source: Whether the source is kept beside the rejects, protected as these, so that the
            next run looks at those rows alone whose subjects changed; by default where the store
            has a ``rejects_url``.
        whole_every: After how many such runs one looks at everything, and compares.
        parts: How large the parts are in which to run, so that memory follows the part; none to
            run in one piece. The tables, keys and rejects are the same; the files are parts, too.
            It looks at everything, whatever is kept.
        workers: Who does the parts: this process in turn, or others.
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
        ConflictError: Others committed first every time.
        CommitOutcomeUnknownError: The storage did not say what happened; the next run sees it.
        RejectsPlaceError: The rejects would go where another store's are; nothing was written.
        ModelMismatchError: The store was written by a model that this one cannot continue.
        NotSupportedError: The model cannot be parted, or not be sent to workers; the text says why.
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
    settings = Settings(
        thresholds=thresholds,
        missing=missing,
        timeout=timeout,
        max_attempts=max_attempts,
        reading=Reading.of(read_options),
        model_version=model_version,
        keep_source=keep_source,
        whole_every=whole_every,
        division=parts,
        crew=workers,
    )
    clock = Clock(settings.timeout, on_step)
    return _Sync(_store(target, model), Given(source, settings), run, clock).sync()


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
        missing: Whether what is absent from the source now is deleted, or kept.
        timeout: After which time the run gives up, also where a storage is silent.
        read_options: What ``read_extract`` takes beside the model.
        on_step: Called with the name of each step as it begins.

    Raises:
        AspenETLError: What reading and normalizing raise.
    """
    reading = Reading.of(read_options)
    settings = Settings(thresholds=thresholds, missing=missing, timeout=timeout, reading=reading)
    clock = Clock(settings.timeout, on_step)
    return _Sync(_store(target, model), Given(source, settings), run, clock).plan()


def _store(target: Union[Url, SnapshotStore], model: Optional[Model]) -> SnapshotStore:
    if isinstance(target, SnapshotStore):
        if model is not None and model is not target.model:
            msg = "the store has a model already; give model= to SnapshotStore alone"
            raise ArgumentError(msg, problem="model")
        return target
    return SnapshotStore(target, model=BORROWER_MODEL if model is None else model)


@dataclass
class _Sync:
    """One run; each attempt reads the newest commit and then the source.

    Attributes:
        known: The name of the source's state, as the newest attempt saw it.
        version: The version that the store was at then, or is at since the commit.
    """

    store: SnapshotStore
    given: Given
    run: Run
    clock: Clock
    known: Optional[str] = field(default=None, init=False)
    version: int = field(default=0, init=False)

    def sync(self) -> SyncReport:
        """Bring the store to the state of the source, and leave word of it whatever becomes."""
        try:
            with until(self.clock.deadline):
                report = self._repeat(self.given.settings.max_attempts)
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
        limits = self.given.settings.thresholds
        with until(self.clock.deadline):
            newest = self._newest()
            files = self.given.look(self.store.model)
            self.clock.step("reading")
            made, files = self._making.make_whole(newest, files, Way.whole("it is a plan"))
            result = made.result
            held = [str(error) for error in [self._find_hold(newest)] if error is not None]
            broken = find_refusals(result, limits, newest) + find_outdated(limits, newest, files)
            after = self.store.place.format_after(newest)
        report = SyncReport.planned(result, newest, [*held, *broken], after)
        return replace(report, seconds=self.clock.stop())

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
        files = self.given.look(self.store.model)
        if newest is not None and self._is_known(newest, files):
            return SyncReport.unchanged(newest, attempt)
        made, files = self._making.make(newest, files)
        with contextlib.ExitStack() as stack:
            stack.callback(made.close)
            refuse_broken(
                self.given.settings.thresholds, self.store, self.run, newest, made.result, files
            )
            commit = self._commit(newest, made, files)
        return self._report(newest, made, commit, attempt)

    def _report(
        self, newest: Optional[Commit], made: Made[Result], commit: Commit, attempt: int
    ) -> SyncReport:
        """Keep the source, if that is wanted, and tell what was done."""
        kept, result = self._making.keep(made, commit), made.result
        if newest is not None and commit.version == newest.version:
            report = SyncReport.unchanged(newest, attempt, result)
        else:
            report = SyncReport.committed(result, newest, commit, attempt)
        parts = result.parts if isinstance(result, PartedResult) else ()
        way = made.way if kept else replace(made.way, proved=None)
        return replace(report, way=way, parts=parts)

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

    def _find_hold(self, newest: Optional[Commit]) -> Optional[StoreOnHoldError]:
        if newest is None or newest.hold is None:
            return None
        return StoreOnHoldError.at(self.store.url, newest.hold)

    def _is_known(self, newest: Commit, files: tuple[SourceFile, ...]) -> bool:
        """Tell whether this source was held against this commit before."""
        self.known = name = self.given.fingerprint(files, self.store.model)
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
        rejects = take_in(result.rejects)
        contents = Contents(made.tables, result.changes, rejects, counts, source)
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
