"""Ask every gate of a cut-over, and record in the store that all are green."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional, cast

import pandas as pd

from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds, seconds_of
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.cutover import commit_cutover
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.stored import CutoverRecord
from aspen_etl.store.suppressing import suppression_of
from aspen_etl.synchronization.cutover import gates
from aspen_etl.synchronization.cutover.accepting import (
    AcceptedList,
    count_by_rule,
    keys_of,
    read_accepted,
)
from aspen_etl.synchronization.cutover.gates import NewSide
from aspen_etl.synchronization.cutover.reports import CutoverReport, Gate
from aspen_etl.synchronization.difference_details import Naming
from aspen_etl.synchronization.landing_status import landing_status
from aspen_etl.synchronization.reconciliation import Reconciliation
from aspen_etl.synchronization.reconciling import reconcile
from aspen_etl.synchronization.sides import AnySide, Look, Looking
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.siding import Side

__all__ = ["check_cutover"]


def check_cutover(  # noqa: PLR0913 - what a check is told, each by name
    store: SnapshotStore,
    old: AnySide,
    new: NewSide,
    /,
    *,
    run: Run,
    accepted: Optional[bytes] = None,
    landing: Optional[Landing] = None,
    task_status: Optional[str] = None,
    quiet: Optional[Seconds] = None,
    secret: Optional[bytes] = None,
    suppress_secret: Optional[bytes] = None,
    read_options: Optional[Mapping[str, Any]] = None,
    on_step: Optional[Callable[[str], None]] = None,
) -> CutoverReport:
    """Tell whether the new side can go on alone, and record it where it can.

    The old side is read twice, the new one once; nothing but the store is written to. Where all
    gates are green the store gets a commit of kind ``cutover``, which changes no table: its
    ``cutover`` names who ran it and when, the digests of both sides, the SHA-256 of the report of
    the comparison and of the signed list. Later commits keep it, until another check is green.

    Args:
        store: The store between both sides, two-way or fed by runs.
        old: The old side: a ``FlatDatabase``, or anything else that ``reconcile`` takes.
        new: The database with the tables of the model: a ``TableDatabase``.
        run: When this is, and who does it.
        accepted: The bytes of a signed list of rejects: a CSV with the columns ``source``,
            ``subject``, ``column`` and ``rule``, among others, as rejects have them.
        landing: The landing folder that feeds the store, if one does; ``old`` may be it.
        task_status: What the task at AWS is, as ``aspen_etl.aws.dms.describe_status`` gives it.
        quiet: How long to wait between two looks at the old side: seconds, or a ``timedelta``.
        secret: At least 16 bytes, without which nobody can guess at the digests.
        suppress_secret: The secret under which the store's purged subjects are left out.
        read_options: What ``read_extract`` takes beside the model; a landing is looked at with its
            storage options.
        on_step: Called with the name of each step as it begins.

    Returns:
        A row for each gate; ``committed`` where all are green.

    Raises:
        VersionNotFoundError: Nothing was committed yet.
        NotSupportedError: The model cannot be parted by subject; the rejects are elsewhere.
        ArgumentError: The list is none, or an argument cannot be one.
        ConflictError: Another writer committed meanwhile.
        DatabaseError: A database cannot be reached.
        AspenETLError: What reading a side and the store raise.
    """
    pause = seconds_of(quiet, "quiet")
    signed = None if accepted is None else read_accepted(accepted)
    newest = store.find()
    store.place.check_model(newest)
    reading = Reading.of(read_options)
    suppression = suppression_of(store.place, newest, suppress_secret)
    key = Naming(secret, "").key
    looking = Looking(can_part(store.model), run, reading, suppression, key)
    step = on_step or (lambda _: None)
    first = _look(looking, old, pause, step)
    step("reconciling")
    told: dict[str, Any] = {"secret": secret, "suppress_secret": suppress_secret}
    told |= {"explained_by": store, "run": run, "model": store.model, "read_options": read_options}
    found = reconcile(old, new, **told)
    step("looking at the gates")
    digests = _side(first).buckets.digest, found.source.digest
    still = gates.look_at_source(task_status, pause, *digests)
    asked = _Asked(store, newest, old, new, run, landing, signed, reading.storage_options or {})
    report = asked.ask(still, first, found)
    if not report.green:
        return report
    step("recording")
    return replace(report, committed=asked.commit(report).version)


@dataclass(frozen=True)
class _Asked:
    """What is looked at."""

    store: SnapshotStore
    newest: Commit
    old: AnySide
    new: NewSide
    run: Run
    landing: Optional[Landing]
    signed: Optional[AcceptedList]
    options: Mapping[str, Any] = field(repr=False)

    def ask(self, still: Gate, first: Look, found: Reconciliation) -> CutoverReport:
        """Ask all gates but that of the old side's rest."""
        seen = (
            still,
            *self._around(),
            gates.look_at_rejects(self._rejects(), _notes(first), self.signed),
            gates.look_at_step(found),
            *gates.look_at_tables(self.new.standing()),
        )
        sha256 = None if self.signed is None else self.signed.sha256
        told = (self.run.time.isoformat(), self.run.actor, self.newest.version)
        return CutoverReport(*told, seen, found, sha256)

    def _rejects(self) -> pd.DataFrame:
        return self.store.read_rejects(self.newest.version)

    def commit(self, told: CutoverReport) -> Commit:
        """Record what was found, and keep the list beside the rejects."""
        allowed = frozenset() if self.signed is None else self.signed.keys
        met = [key for key in keys_of(self._rejects()) if key in allowed]
        record = CutoverRecord(
            *(told.version, told.time, told.actor),
            source=told.reconciliation.source.digest,
            target=told.reconciliation.target.digest,
            report=told.report_sha256,
            accepted_sha256=told.accepted_sha256,
            accepted_counts=count_by_rule(met),
            unused=len(allowed) - len(met),
        )
        rows = None if self.signed is None else self.signed.frame()
        return commit_cutover(self.store.place, self.newest, record, accepted=rows, run=self.run)

    def _around(self) -> tuple[Gate, ...]:
        """Look at the landing, the sides and the conflicts."""
        landing = self.old if isinstance(self.old, Landing) else self.landing
        status = None
        if landing is not None:
            told: dict[str, Any] = {"now": self.run.time, "storage_options": self.options}
            status = landing_status(landing, self.store, **told)
        if self.newest.sides is None:
            head = gates.look_at_head(self.store, self.newest, self.new)
        else:
            head = gates.look_at_two_sides(self.newest, self.old, self.new)
        waiting = gates.look_at_conflicts(self.newest)
        return gates.look_at_landing(self.newest, status), head, waiting


def _look(
    looking: Looking, old: AnySide, pause: Optional[float], step: Callable[[str], None]
) -> Look:
    """Look at the old side, and wait as long as it is to stay as it is."""
    step("looking at the old side")
    first = looking.look(old)
    if pause:
        step("waiting")
        time.sleep(pause)
    return first


def _side(look: Look) -> Side:
    """Give the rows of a look that spilled nothing."""
    return cast("Side", look.seen)


def _notes(look: Look) -> pd.DataFrame:
    """Give what stays out of the old side, each with its rule."""
    side = _side(look)
    notes = side.notes
    return notes[notes["why"].notna().to_numpy(dtype=bool)] if side.is_source else notes[:0]
