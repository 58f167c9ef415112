"""From a source to a store: newest commit, source, normalize, thresholds, commit, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Optional, Union

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import (
    ArgumentError,
)
from aspen_etl.io.filesystem import Url
from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds
from aspen_etl.schema import Model, Run
from aspen_etl.schema.landing import OnGap
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.report import SyncReport
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.source import RunSource
from aspen_etl.synchronization.sync_run import SyncRun
from aspen_etl.synchronization.thresholds import Thresholds
from aspen_etl.workers import InTurn, Workers

__all__ = ["plan", "sync"]


def sync(  # noqa: PLR0913 - what a run is told, each by name
    source: RunSource,
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
    workers: Optional[Workers] = None,
    on_gap: OnGap = "refuse",
    suppress_secret: Optional[bytes] = None,
    on_step: Optional[Callable[[str], None]] = None,
) -> SyncReport:
    """Bring a store to the state of a source, as one commit or not at all.

    The newest commit is read first, then the source; where another writer commits in between,
    both are read again. A source that is as it was is not parsed. Where nothing changed, there
    is no commit.

    Args:
        source: What ``read_extract`` takes; an extract, which is always looked at; a landing
            folder, of which is taken what is new, and whose state is committed with the tables;
            or a function that gives an extract, as of a database, and is called after the newest
            commit was read.
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
        workers: Who does the parts: this process in turn by default, or others.
        on_gap: What a change of a landing folder does that does not follow from the one before: it
            refuses the run, or it is counted.
        suppress_secret: The secret under which ``purge`` suppressed subjects: their rows are left
            out and counted.
        on_step: Called with the name of each step as it begins.

    Returns:
        What was done, without a cell value.

    Raises:
        ThresholdError: A limit is broken; the text names the limit, the figure, the parameter,
            the rejects by rule, and the file that holds them until a run is not refused.
        OutdatedSourceError: The source is older than that of the newest commit, and nothing
            else is wrong with it.
        StoreOnHoldError: An old version was restored, and the store was not resumed.
        TwoWayError: The store is kept in step with two sides, by pull and push.
        DeadlineError: The time is over; nothing was committed.
        ConflictError: Others committed first every time.
        CommitOutcomeUnknownError: The storage did not say what happened; the next run sees it.
        RejectsPlaceError: The rejects would go where another store's are; nothing was written.
        ModelMismatchError: The store was written by a model that this one cannot continue.
        LandedFileError: A landed file holds what is no change, or not a whole one.
        LandingOrderError: Landed changes do not follow from each other.
        LandingChangedError: The landing folder is not what it was.
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
        crew=InTurn() if workers is None else workers,
        on_gap=on_gap,
        secret=suppress_secret,
    )
    clock = Clock(settings.timeout, on_step)
    return SyncRun(_store(target, model), source, settings, run, clock).sync()


def plan(  # noqa: PLR0913 - what sync is told
    source: RunSource,
    target: Union[Url, SnapshotStore],
    /,
    *,
    run: Run,
    model: Optional[Model] = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - a frozen value
    missing: Literal["delete", "keep"] = "delete",
    timeout: Optional[Seconds] = None,
    read_options: Optional[Mapping[str, Any]] = None,
    on_gap: OnGap = "refuse",
    suppress_secret: Optional[bytes] = None,
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
        on_gap: What a change of a landing folder does that does not follow from the one before.
        suppress_secret: The secret under which ``purge`` suppressed subjects.
        on_step: Called with the name of each step as it begins.

    Raises:
        AspenETLError: What reading and normalizing raise.
    """
    reading = Reading.of(read_options)
    settings = Settings(
        thresholds=thresholds,
        missing=missing,
        timeout=timeout,
        reading=reading,
        on_gap=on_gap,
        secret=suppress_secret,
    )
    clock = Clock(settings.timeout, on_step)
    return SyncRun(_store(target, model), source, settings, run, clock).plan()


def _store(target: Union[Url, SnapshotStore], model: Optional[Model]) -> SnapshotStore:
    if isinstance(target, SnapshotStore):
        if model is not None and model is not target.model:
            msg = "the store has a model already; give model= to SnapshotStore alone"
            raise ArgumentError(msg, problem="model")
        return target
    return SnapshotStore(target, model=BORROWER_MODEL if model is None else model)
