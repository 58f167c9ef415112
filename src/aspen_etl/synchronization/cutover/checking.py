"""Ask every gate of a cut-over, and record in the store that all are green."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Optional

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
from aspen_etl.synchronization.cutover.reports import CutoverReport, Gate
from aspen_etl.synchronization.difference_details import Naming
from aspen_etl.synchronization.landing_status import landing_status
from aspen_etl.synchronization.reconciling import reconcile
from aspen_etl.synchronization.sides import AnySide, Look, Looking
from aspen_etl.transform.parting import can_part

if TYPE_CHECKING:
    from aspen_etl.sql.table_database import TableDatabase

__all__ = ["check_cutover"]


def check_cutover(  # noqa: PLR0913 - what a check is told, each by name
    store: SnapshotStore,
    old: AnySide,
    new: TableDatabase,
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
    landing_storage_options: Optional[Mapping[str, Any]] = None,
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
        new: The database with the tables of the model.
        run: When this is, and who does it.
        accepted: The bytes of a signed list of rejects: a CSV with the columns ``source``,
            ``subject``, ``column`` and ``rule``, among others, as rejects have them.
        landing: The landing folder that feeds the store, if one does; ``old`` may be it.
        task_status: What the task at AWS is, as ``aspen_etl.aws.dms.describe_status`` gives it.
        quiet: How long to wait between two looks at the old side: seconds, or a ``timedelta``.
        secret: At least 16 bytes, without which nobody can guess at the digests.
        suppress_secret: The secret under which the store's purged subjects are left out.
        read_options: What ``read_extract`` takes beside the model.
        landing_storage_options: What the landing's filesystem takes.
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
    suppression = suppression_of(store.place, newest, suppress_secret)
    reading, naming = Reading.of(read_options), Naming(secret, "")
    looking = Looking(can_part(store.model), run, reading, suppression, naming.key)
    step = on_step or (lambda _: None)
    step("looking at the old side")
    first = looking.look(old)
    if pause:
        step("waiting")
        time.sleep(pause)
    step("reconciling")
    found = reconcile(
        *(old, new),
        run=run,
        model=store.model,
        secret=secret,
        suppress_secret=suppress_secret,
        read_options=read_options,
        store=store,
    )
    step("looking at the gates")
    asked = _Asked(store, newest, old, new, run, landing, landing_storage_options or {})
    still = gates.look_at_source(task_status, pause, first.side.buckets.digest, found.source.digest)
    rejects = store.read_rejects(newest.version)
    told = CutoverReport(
        run.time.isoformat(),
        run.actor,
        newest.version,
        (
            still,
            *asked.around(),
            gates.look_at_rejects(rejects, _notes(first), signed),
            gates.look_at_step(found),
            *gates.look_at_tables(new.standing()),
        ),
        found,
        None if signed is None else signed.sha256,
    )
    if not told.green:
        return told
    step("recording")
    return replace(told, committed=_commit(store, newest, told, signed, rejects, run).version)


@dataclass(frozen=True)
class _Asked:
    """What is looked at."""

    store: SnapshotStore
    newest: Commit
    old: AnySide
    new: TableDatabase
    run: Run
    landing: Optional[Landing]
    options: Mapping[str, Any] = field(repr=False)

    def around(self) -> tuple[Gate, ...]:
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


def _notes(look: Look) -> pd.DataFrame:
    """Give what stays out of the old side, each with its rule."""
    notes = look.side.notes
    return notes[notes["why"].notna().to_numpy(dtype=bool)] if look.side.is_source else notes[:0]


def _commit(
    store: SnapshotStore,
    newest: Commit,
    told: CutoverReport,
    signed: Optional[AcceptedList],
    rejects: pd.DataFrame,
    run: Run,
) -> Commit:
    """Record what was found, and keep the list beside the rejects."""
    met = [key for key in keys_of(rejects) if signed is not None and key in signed.keys]
    record = CutoverRecord(
        newest.version,
        told.time,
        told.actor,
        told.reconciliation.source.digest,
        told.reconciliation.target.digest,
        told.report_sha256,
        None if signed is None else signed.sha256,
        accepted_counts=count_by_rule(met),
        unused=0 if signed is None else len(signed.keys) - len(met),
    )
    rows = None if signed is None else signed.frame()
    return commit_cutover(store.place, newest, record, accepted=rows, run=run)
