"""Pull: what changed on a side becomes part of the newest commit, and what is accounted for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, Optional

import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    DeadlineError,
    MergeConflictError,
)
from aspen_etl.io.calling import jitter, retry
from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds, until
from aspen_etl.normalization import NormalizeResult
from aspen_etl.schema.landing import OnGap
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.side_frames import PUSHED
from aspen_etl.schema.values import Run
from aspen_etl.store import committing
from aspen_etl.store.commit import Commit
from aspen_etl.store.contents import Contents, Whole
from aspen_etl.store.shadows import Sides, SideState
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.refusing import refuse_broken
from aspen_etl.synchronization.report import TableReport
from aspen_etl.synchronization.sides import AnySide
from aspen_etl.synchronization.thresholds import Thresholds
from aspen_etl.synchronization.two_way.combining import Combined, combine
from aspen_etl.synchronization.two_way.reading import SideRead, SideReader
from aspen_etl.synchronization.two_way.reports import PullReport, count_conflicts
from aspen_etl.synchronization.two_way.standing import Standing, lost_race
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.shadowing import difference, patched
from aspen_etl.transform.three_way import Merged

__all__ = ["pull"]


def pull(  # noqa: PLR0913 - what a pull is told, each by name
    side: AnySide,
    store: SnapshotStore,
    /,
    *,
    run: Run,
    policy: Policy = Policy(),  # noqa: B008 - a frozen value
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - a frozen value
    read_options: Optional[Mapping[str, Any]] = None,
    suppress_secret: Optional[bytes] = None,
    on_gap: OnGap = "refuse",
    timeout: Optional[Seconds] = None,
    max_attempts: int = 8,
    on_step: Optional[Callable[[str], None]] = None,
) -> PullReport:
    """Take what changed on a side since it was last accounted for into the store, as one commit.

    The store is two-way (``begin_two_way``). What the side and the store changed both, and not to
    the same, is a conflict, by row and column; ``policy`` says what becomes of it. What of the
    side is rejected now is not known: it changes and deletes nothing.

    Args:
        side: The old side: a ``FlatDatabase``, or anything that ``read_extract`` takes; or the
            new one: a ``TableDatabase``.
        store: The store.
        run: When this is, and who does it.
        policy: What becomes of conflicts; by default one refuses the pull.
        thresholds: How much may be rejected and deleted.
        read_options: What ``read_extract`` takes beside the model.
        suppress_secret: The secret under which ``purge`` suppressed subjects.
        on_gap: What a change of a landing folder does that does not follow from the one before.
        timeout: After which time the pull gives up rather than commit.
        max_attempts: How often to begin anew when others commit in between.
        on_step: Called with the name of each step as it begins.

    Returns:
        What was taken, without an id or a cell value.

    Raises:
        TwoWayError: The store is not two-way.
        MergeConflictError: There is a conflict, and the policy refuses it.
        SideStateError: The side is not where the store knows it to be.
        StaleReadingError: The reading is older than what was pushed to the side.
        ThresholdError: A limit is broken.
        NotSupportedError: The model cannot be parted by subject.
        ConflictError: Others committed first every time.
        AspenETLError: What reading, normalizing and writing raise.
    """
    reading = Reading.of(read_options)
    reader = SideReader(side, can_part(store.model), run, reading, on_gap, suppress_secret)
    clock = Clock(timeout, on_step)
    work = _Pull(reader, store, run, policy, thresholds, clock)
    numbers = count(1)
    try:
        with until(clock.deadline):
            report = retry(
                lambda: work.attempt(next(numbers)),
                tries=max_attempts,
                again=lost_race,
                pause=lambda number: jitter(0.05 * number),
            )
    except AspenETLError as error:
        work.leave_word(type(error).__name__, 0, (str(error),))
        raise
    work.leave_word(report.outcome, report.version)
    return replace(report, seconds=clock.stop())


@dataclass(frozen=True, eq=False)
class _Pull:
    """One pull; each attempt reads the newest commit and then the side."""

    reader: SideReader
    store: SnapshotStore
    run: Run
    policy: Policy
    thresholds: Thresholds
    clock: Clock

    def leave_word(self, outcome: str, version: int, reasons: Sequence[str] = ()) -> None:
        """Leave word of this pull, so that a monitor sees a schedule that refuses or fails."""
        with contextlib.suppress(DeadlineError), until(self.clock.grace()):
            self.store.note_run(self.run, outcome, version, reasons=reasons)

    def attempt(self, number: int) -> PullReport:
        """Pull once."""
        self.clock.step("loading")
        at = self.reader.stand(self.store)
        self.clock.step("reading")
        read = self.reader.read(at, self.store)
        self.clock.step("merging")
        found = combine(at, read, self.reader.how, self.policy, self.run)
        self._refuse(found.merged)
        result = self._told(at, found.result, read)
        refuse_broken(self.thresholds, self.store, self.run, at.newest, result, ())
        self.clock.step("writing")
        commit = self._commit(at, found, result, read)
        return self._report(at, found, read, commit, number)

    def _told(self, at: Standing, result: NormalizeResult, read: SideRead) -> NormalizeResult:
        """Give a result with the rejects and counts of the source, which the merged rows lack."""
        if read.sources is None or read.rejects is None:
            return replace(result, rejects=self.store.read_rejects(at.newest.version))
        summary = replace(result.summary, sources=read.sources, rejects=read.counts)
        return replace(result, summary=summary, rejects=read.rejects)

    def _refuse(self, merged: Merged) -> None:
        counts = count_conflicts(merged.conflicts)
        refused = [each for each in counts if each.decision == "refuse"]
        if refused:
            told = [
                f"{each.count:,} {each.kind} at {'.'.join(filter(None, (each.sheet, each.column)))}"
                for each in refused
            ]
            many = sum(each.count for each in refused)
            raise MergeConflictError.of(self.reader.name, many, told)

    # ------------------------------------------------------------------------- committing

    def _commit(
        self, at: Standing, found: Combined, result: NormalizeResult, read: SideRead
    ) -> Commit:
        head = self.reader.sheets_of(found.result.snapshot.tables)
        sides = {
            name: replace(side, shadow=self._moved(at, side, head), plan=None)
            for name, side in at.sides.items()
        }
        mine = difference(head, found.merged.shadow, self.reader.how)
        sides[at.name] = SideState(at.version, at.token, mine, _noted(found.merged.conflicts))
        contents = Contents(
            Whole(result.snapshot, self.store.model),
            found.changes,
            result.rejects,
            [asdict(each) for each in result.summary.rejects]
            if read.sources is not None
            else at.newest.reject_counts,
            read.source,
            read.landing,
            sides=Sides(sides),
            kind="pull",
        )
        return committing.commit(
            self.store.place,
            contents,
            run=self.run,
            parent=at.newest.version,
            give_up=self.clock.check,
        )

    def _moved(
        self, at: Standing, side: SideState, head: Mapping[str, pd.DataFrame]
    ) -> Mapping[str, pd.DataFrame]:
        """Say anew what differs of the other side, now that the head is another one."""
        how = self.reader.how
        return difference(head, patched(at.head, side.shadow, how), how)

    def _report(
        self, at: Standing, found: Combined, read: SideRead, commit: Commit, number: int
    ) -> PullReport:
        changed = commit.version != at.newest.version
        rows = {name: len(frame) for name, frame in found.result.tables.items()}
        return PullReport(
            side=at.name,
            outcome="committed" if changed else "unchanged",
            version=commit.version,
            parent=at.newest.version,
            attempts=number,
            taken=found.merged.taken,
            tables={
                name: TableReport(rows[name], **each.counts) for name, each in found.changes.items()
            },
            conflicts=count_conflicts(found.merged.conflicts),
            held=len(found.merged.held),
            rejects=read.counts,
            nameless=read.rows.nameless,
            recovered=at.found_push,
        )


def _noted(conflicts: pd.DataFrame) -> pd.DataFrame:
    """Give the conflicts that wait, and those after which a push has to give keys of ours."""
    decision = conflicts["decision"].astype(object)
    rekeyed = (conflicts["kind"] == "key_mismatch") & (decision == "old")
    told = conflicts.assign(decision=decision.where(~rekeyed, PUSHED))
    return told[told["decision"].isin(["hold", PUSHED])].reset_index(drop=True)
