"""Push: what a side lacks of the newest commit is written to it, where nobody changed it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ConflictError
from aspen_etl.io.calling import jitter, retry
from aspen_etl.io.waiting import Seconds, until
from aspen_etl.schema.previous import Held
from aspen_etl.schema.side_frames import PUSHED
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.values import Extract, Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import commit_sides
from aspen_etl.store.shadows import Sides, SideState
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.two_way.reports import PushReport
from aspen_etl.synchronization.two_way.standing import (
    SideName,
    Standing,
    Word,
    Writable,
    lost_race,
    stand,
)
from aspen_etl.transform.flat_changes import FlatChanges, after_push, changes_to_push
from aspen_etl.transform.keyed_sheets import are_of
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.shadowing import difference
from aspen_etl.transform.side_rows import (
    SideRows,
    assume,
    leave_unknown,
    read_side,
    read_tables_side,
)
from aspen_etl.transform.touching import WholeTables, take_touched

__all__ = ["push"]

#: How often what a side has now is committed, where others commit in between.
_TRIES = 20

#: Why nothing was written.
_CHANGED = "rows of those to whom something is to be written were changed there since it was read"


def push(
    store: SnapshotStore,
    side: Writable,
    /,
    *,
    run: Run,
    deletes: Optional[Literal["hold", "allow"]] = None,
    defaults: Optional[Mapping[str, Any]] = None,
    timeout: Optional[Seconds] = None,
    on_step: Optional[Callable[[str], None]] = None,
) -> PushReport:
    """Write to a side what it lacks of the newest commit, in one transaction.

    Only what differs is written, and only where the side still has what is accounted for: where
    somebody changed it since, the transaction ends, and a pull comes first. Subjects that wait for
    a decision are left as they are. The side notes the version in the same transaction; then the
    store commits what is accounted for.

    Args:
        store: The store, which is two-way.
        side: The old side, a ``FlatDatabase``, or the new one, a ``TableDatabase``.
        run: When this is, and who does it.
        deletes: Whether rows that the store does not have any more are deleted, or left there
            (``hold``); by default they are left in the old side alone.
        defaults: For the old side, the value of a column outside of the model in new rows, by
            ``table.column``.
        timeout: After which time the push gives up rather than write.
        on_step: Called with the name of each step as it begins.

    Returns:
        What was written, without an id or a cell value.

    Raises:
        TwoWayError: The store is not two-way.
        SideStateError: The side is not where the store knows it to be.
        ConflictError: Somebody changed what would be written: pull first.
        DatabaseChangedError: The side does not hold what was written, such as by a trigger.
        DatabaseError: The database cannot be reached, or refused; it holds what it held.
        AspenETLError: What reading and writing the store raise.
    """
    clock = Clock(timeout, on_step)
    name: SideName = "old" if hasattr(side, "names") else "new"
    allowed = name == "new" if deletes is None else deletes == "allow"
    work = _Push(store, side, name, can_part(store.model), run, allowed, defaults or {}, clock)
    with until(clock.deadline):
        report = work.push()
    return replace(report, seconds=clock.stop())


@dataclass(frozen=True, eq=False)
class _Push:
    """One push."""

    store: SnapshotStore
    side: Any
    name: SideName
    how: Partitioning
    run: Run
    deletes: bool
    defaults: Mapping[str, Any] = field(repr=False)
    clock: Clock

    def push(self) -> PushReport:
        """Find what the side lacks, and write it."""
        self.clock.step("loading")
        word: Optional[Word] = self.side.state()
        at = stand(self.store, self.name, self.how, word)
        recovered = at.found_push
        if at.recovered:  # what a push before wrote is noted before there is another plan
            self._note()
            at = stand(self.store, self.name, self.how, word)
        self.clock.step("reading")
        rows, tables = self._read(at)
        head = leave_unknown(rows, at.shadow, at.head, self.how)
        changes = changes_to_push(at.shadow, head, self.how, held=at.held, deletes=self.deletes)
        report = PushReport(
            self.name,
            "unchanged",
            at.newest.version,
            at.version,
            held=len(at.held),
            held_deletes=sum(changes.held_deletes.values()),
            recovered=recovered,
        )
        anew = self._to_rekey(at)
        if changes.is_empty and not len(anew):
            return report
        self.clock.step("writing")
        written, noted = self._write(at, changes, anew, word, rows, tables)
        pushed = (noted.sides or {})[self.name].version  # others may have committed in between
        return replace(
            report, outcome="pushed", version=noted.version, pushed=pushed, written=written
        )

    def _read(self, at: Standing) -> tuple[SideRows, Tables]:
        """Read the side: what of it is not known is not written over."""
        if self.name == "old":
            extract: Extract = self.side.read()
            return read_side(extract, self.how), Tables({})
        if not at.version:
            self.side.create()
        tables: Tables = self.side.read()
        return read_tables_side(tables, self.how), tables

    def _plan(self, at: Standing, changes: FlatChanges) -> Commit:
        """Commit what will be accounted for once the side says that it has this commit."""
        mine = at.sides.get(self.name, SideState())
        after = after_push(at.shadow, changes, self.how)
        # Of a side that was never written to nothing is accounted for, and it may stay so.
        shadow = difference(at.head, at.shadow, self.how)
        planned = replace(mine, shadow=shadow, plan=difference(at.head, after, self.how))
        sides = Sides({**at.sides, self.name: planned})
        commit = commit_sides(self.store.place, at.newest, sides, run=self.run, kind="push")
        self.store.pin(f"side-{self.name}", commit.version)
        return commit

    def _note(self) -> Commit:
        """Commit what the side has now, by its own word, as often as others commit before."""

        def step() -> Commit:
            at = stand(self.store, self.name, self.how, self.side.state())
            if not at.recovered:
                return at.newest
            mine = at.sides.get(self.name, SideState())
            told = mine.conflicts
            noted = SideState(
                at.version,
                at.token,
                difference(at.head, at.shadow, self.how),
                told[told["decision"] != PUSHED].reset_index(drop=True),
            )
            sides = Sides({**at.sides, self.name: noted})
            return commit_sides(self.store.place, at.newest, sides, run=self.run, kind="push")

        return retry(
            step,
            tries=_TRIES,
            again=lost_race,
            pause=lambda number: jitter(0.05 * number),
        )

    # ------------------------------------------------------------------------- writing

    def _write(
        self,
        at: Standing,
        changes: FlatChanges,
        anew: pd.Series,
        word: Optional[Word],
        rows: SideRows,
        tables: Tables,
    ) -> tuple[Mapping[str, Mapping[str, int]], Commit]:
        subjects = self._subjects(changes, anew)
        self._refuse_moved(at, rows, subjects)
        before, after = self._tables(at, tables, subjects)
        plan = self._plan(at, changes)
        told: dict[str, Any] = {
            "version": plan.version,
            "token": plan.token,
            "expected": word,
        }
        self.clock.check("writing")
        if self.name == "old":
            more = {"deletes": self.deletes, "defaults": self.defaults}
            written = self.side.write(changes, **more, **told)
        else:
            written = self.side.write(before, after, **told)
        self.clock.begin("noting")
        return written, self._note()

    def _tables(self, at: Standing, there: Tables, subjects: pd.Series) -> tuple[Tables, Tables]:
        """Give the rows of whom something is written, as the new side has them and as it shall."""
        if self.name == "old":
            return there, there
        before, after = (self._only(tables, subjects) for tables in (there, at.snapshot.tables))
        for name in self.how.lookups:
            after[name] = self._joined(name, before[name], after[name])
        return Tables(before), Tables(after)

    def _to_rekey(self, at: Standing) -> pd.Series:
        """Give the ids of those who get keys of ours, since somebody decided so."""
        mine = at.sides.get(self.name)
        told = SideState().conflicts if mine is None else mine.conflicts
        ids: pd.Series = told["subject"][told["decision"] == PUSHED].astype(object)
        return ids[~ids.isin(at.held)]

    def _subjects(self, changes: FlatChanges, anew: pd.Series) -> pd.Series:
        found = [
            frame[self.how.columns[name]].astype(object)
            for part in (changes.inserted, changes.updated, changes.deleted)
            for name, frame in part.items()
        ]
        every = pd.concat([*found, anew], ignore_index=True)
        return conform_text(every.drop_duplicates().reset_index(drop=True))

    def _only(self, tables: Mapping[str, pd.DataFrame], subjects: pd.Series) -> dict[str, Any]:
        whole = WholeTables(Held(Snapshot(Tables(dict(tables)), {})), self.how.model.tables)
        return dict(take_touched(whole, subjects, self.how).snapshot.tables)

    def _joined(self, name: str, there: pd.DataFrame, here: pd.DataFrame) -> pd.DataFrame:
        """Give the rows of a lookup table that the side has, and those that it lacks."""
        key = self.how.model.tables[name].primary_key
        new = np.flatnonzero(find_rows([here[key]], [there[key]]) < 0)
        return pd.concat([there, take_rows(here, new)], ignore_index=True)

    def _refuse_moved(self, at: Standing, found: SideRows, subjects: pd.Series) -> None:
        """Refuse to write over what a user of the side did since it was read.

        Raises:
            ConflictError: Of one to whom something is written the side has what nobody pulled yet.
        """
        rows = assume(found, at.shadow, self.how)
        mine = [self._of(sheets, subjects) for sheets in (rows, at.shadow)]
        moved = difference(mine[0], mine[1], self.how)
        counts: dict[tuple[str, Optional[str]], int] = {
            (name, None): len(rows) for name, rows in moved.items() if len(rows)
        }
        if counts:
            raise ConflictError.side(f"the {self.name} side", _CHANGED, counts)

    def _of(self, sheets: Mapping[str, pd.DataFrame], subjects: pd.Series) -> dict[str, Any]:
        return {
            name: take_rows(frame, np.flatnonzero(are_of(frame, name, subjects, self.how)))
            for name, frame in sheets.items()
        }
