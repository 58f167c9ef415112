"""Push: what a side lacks of the newest commit is written to it, where nobody changed it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

import numpy as np
import pandas as pd

from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ConflictError
from aspen_etl.io.calling import jitter, retry
from aspen_etl.io.waiting import Seconds, until
from aspen_etl.schema.previous import Held
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import commit_sides
from aspen_etl.store.shadows import Sides, SideState
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.two_way.reports import PushReport
from aspen_etl.synchronization.two_way.standing import (
    PUSHED,
    SideName,
    Standing,
    Word,
    stand,
)
from aspen_etl.transform.flat_changes import FlatChanges, changes_to_push
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.shadowing import difference
from aspen_etl.transform.side_rows import read_tables_side
from aspen_etl.transform.touching import WholeTables, take_touched

if TYPE_CHECKING:
    from aspen_etl.sql.flat import FlatDatabase
    from aspen_etl.sql.reading import TableDatabase

__all__ = ["push"]

#: How often what a side has now is committed, where others commit in between.
_TRIES = 20


def push(
    store: SnapshotStore,
    side: Union[FlatDatabase, TableDatabase],
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
        """Find what the side lacks, write it, and note what it has."""
        self.clock.step("loading")
        word: Optional[Word] = self.side.state()
        at = stand(self.store, self.name, self.how, word)
        recovered = at.recovered
        if recovered:
            self._note()
            at = stand(self.store, self.name, self.how, word)
        changes = changes_to_push(at.shadow, at.head, self.how, held=at.held, deletes=self.deletes)
        left = self._count_left(at)
        report = PushReport(
            self.name, "unchanged", at.newest.version, at.version, {}, len(at.held), left
        )
        report = replace(report, recovered=recovered)
        anew = self._to_rekey(at)
        if changes.is_empty and not len(anew):
            return report
        self.clock.step("writing")
        self.store.pin(f"side-{self.name}", at.newest.version)
        written = self._write(at, changes, anew, word)
        self.clock.begin("noting")
        noted = self._note()
        return replace(
            report,
            outcome="pushed",
            version=noted.version,
            pushed=at.newest.version,
            written=written,
        )

    def _count_left(self, at: Standing) -> int:
        """Count the subjects that the side has and the store has not, where these are left."""
        if self.deletes:
            return 0
        key = self.how.columns[self.how.root]
        there, here = at.shadow[self.how.root][key], at.head[self.how.root][key]
        return int((find_rows([there], [here]) < 0).sum())

    def _note(self) -> Commit:
        """Commit what the side has now, by its own word, as often as others commit before."""

        def step() -> Commit:
            at = stand(self.store, self.name, self.how, self.side.state())
            if not at.recovered:
                return at.newest
            mine = at.sides.get(self.name)
            shadow = difference(at.head, at.shadow, self.how)
            noted = SideState(at.version, at.token, shadow, _still_waiting(mine))
            sides = Sides({**at.sides, self.name: noted})
            return commit_sides(self.store.place, at.newest, sides, run=self.run, kind="push")

        return retry(
            step,
            tries=_TRIES,
            again=lambda error: (
                isinstance(error, ConflictError) and error.details.get("problem") == "commit"
            ),
            pause=lambda number: jitter(0.05 * number),
        )

    # ------------------------------------------------------------------------- writing

    def _write(
        self, at: Standing, changes: FlatChanges, anew: pd.Series, word: Optional[Word]
    ) -> Any:
        told: dict[str, Any] = {
            "version": at.newest.version,
            "token": at.newest.token,
            "expected": word,
        }
        if self.name == "old":
            return self.side.write(changes, deletes=self.deletes, defaults=self.defaults, **told)
        before, after = self._tables(at, changes, anew)
        return self.side.write(before, after, **told)

    def _tables(self, at: Standing, changes: FlatChanges, anew: pd.Series) -> tuple[Tables, Tables]:
        """Give the rows of whom something is written, as the side has them and as it shall.

        Raises:
            ConflictError: Of one of them the side has something that is not accounted for.
        """
        there: Tables = self.side.read()
        subjects = self._subjects(changes, anew)
        self._refuse_moved(at, there, subjects)
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

    def _refuse_moved(
        self, at: Standing, there: Mapping[str, pd.DataFrame], subjects: pd.Series
    ) -> None:
        """Refuse to write over what a user of the side did since it was read."""
        found = read_tables_side(there, self.how)
        for name, frame in found.rows.items():
            column = self.how.columns[name]
            mine = {
                which: take_rows(rows, np.flatnonzero(find_rows([rows[column]], [subjects]) >= 0))
                for which, rows in (("now", frame), ("then", at.shadow[name]))
            }
            moved = difference({name: mine["now"]}, {name: mine["then"]}, self.how)[name]
            if len(moved):
                raise ConflictError.side(self.name, name, len(moved))


def _still_waiting(mine: Optional[SideState]) -> pd.DataFrame:
    """Give the conflicts that wait after a push: what was to be written anew is."""
    held = SideState().conflicts if mine is None else mine.conflicts
    return held[held["decision"] != PUSHED].reset_index(drop=True)
