"""Erase one subject from every readable version: files are written anew without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.model import Model
from aspen_etl.schema.rejects import columns_as_named, rename
from aspen_etl.schema.side_frames import ACCEPTED, CONFLICTS, shadow_columns
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.belonging import (
    Frames,
    Root,
    are_among,
    find_root,
    find_rows_to_erase,
    read_subject,
)
from aspen_etl.store.belonging_landed import LandedJudge, read_ids
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import append, claim_rejects, next_commit, retrying
from aspen_etl.store.kept import check_kept, forget_kept
from aspen_etl.store.landed import state_columns_of
from aspen_etl.store.likeness import Subject
from aspen_etl.store.named_frames import NamedFrames, each_file
from aspen_etl.store.place import Place
from aspen_etl.store.purge_report import PurgeReport
from aspen_etl.store.reading import read_stored, whole
from aspen_etl.store.refused import check_reachable, purge_refused, read_refused
from aspen_etl.store.shadows import count_conflicts
from aspen_etl.store.stored import Facts, SideRecord, Stored, StoredFile
from aspen_etl.store.vacuuming import Deleted, delete_unnamed, storage_time
from aspen_etl.transform.keys import key_columns

__all__ = ["purge"]

#: Gives a commit that leaves a subject out of each later run.
LeaveOut = Callable[[Commit, str], Commit]

#: Says what the columns of a kept sheet are.
ColumnsOf = Callable[[Sequence[str]], Mapping[str, ColumnSpec]]


def purge(
    place: Place, subject_id: str, named: Optional[str], run: Run, /, leave_out: Optional[LeaveOut]
) -> PurgeReport:
    """Write files anew, name them in a commit, delete the old ones.

    With ``leave_out`` that commit leaves the subject out of each later run, too.
    """
    root = find_root(place.model, named)
    if leave_out is not None:
        _check_own(root, place.model)
    subject = read_subject(place.model, root, subject_id)
    check_reachable(place.root, place.rejects_root)
    check_kept(place)
    kept = forget_kept(place)
    standing = claim_rejects(place, first=False)
    if leave_out is None and place.log.newest() is None and read_refused(place.root) is not None:
        refused = purge_refused(place.root, place.rejects_root, subject.judge)
        return PurgeReport(0, 0, {}, 0, 0, refused=refused, kept=kept)
    done: list[_Purge] = []

    def step(newest: Commit) -> Commit:
        subject.forget()
        work = _Purge(place, (root, subject), newest, run)
        work.leave_out = leave_out
        done[:] = [work]
        return work.commit()

    newest, work = retrying(place, step), done[0]
    refused = purge_refused(place.root, place.rejects_root, subject.judge)
    kept += forget_kept(place)  # what a run kept that was under way
    # NOTE: also those of a purge before this one, that died before it deleted them.
    now = storage_time(place.root, run)
    deleted = delete_unnamed(place, now, standing, at_once=set(newest.rewrites))
    return work.report(newest, deleted, refused=refused, kept=kept)


def _check_own(root: Root, model: Model) -> None:
    if root.table.name != model.subject:
        msg = "only the model's own subjects can be suppressed; leave subject= (--subject) away"
        raise ArgumentError(msg, problem="subject")


class _Purge:
    """Find what belongs to one subject in all readable versions, and write the rest anew."""

    def __init__(self, place: Place, of: tuple[Root, Subject], newest: Commit, run: Run) -> None:
        self.place, self.model, self.newest, self.run = place, place.model, newest, run
        self.of = self.root, self.subject = of
        self.leave_out: Optional[LeaveOut] = None
        self.attempt = Attempt(place, newest.version + 1, base=newest)
        #: The new file, or an empty mark, of each old path that held the subject.
        self.rewritten: dict[str, StoredFile] = {}
        self.gone: dict[str, int] = {}
        self.gone_rejects = 0
        versions = range(newest.oldest_readable, newest.version)
        commits = [*(place.log.read(version) for version in versions), newest]
        self.held = NamedFrames(self.model, commits, newest.rewrites)
        #: The conflicts that are left, by the old path of their file.
        self.left: dict[str, tuple[Facts, ...]] = {}
        self.gone_landed = self.gone_sides = 0

    def commit(self) -> Commit:
        """Write what must be written, and commit it; the newest commit where nothing must."""
        whole(self.place, self.newest, self._rewrite_all)
        commit = next_commit(self.place, self.newest, "purge", self.run, self.attempt)
        if self.leave_out is not None:
            commit = self.leave_out(commit, self.subject.id)
        if not self.rewritten and commit.suppressed == self.newest.suppressed:
            return self.newest
        tables = {name: held.moved(self.rewritten) for name, held in commit.tables.items()}
        for name, held in commit.tables.items():
            self.gone[name] = held.rows - tables[name].rows
        keys = {
            name: replace(entry, retired=_without_empty(entry.retired.moved(self.rewritten)))
            for name, entry in commit.keys.items()
        }
        old = {
            path: self.rewritten.get(file.path, file) for path, file in self.newest.rewrites.items()
        }
        changes = {
            name: {"inserted": 0, "updated": 0, "deleted": count}
            for name, count in self.gone.items()
        }
        rejects = commit.rejects.moved(self.rewritten) if commit.rejects else None
        commit = replace(
            commit,
            tables=tables,
            keys=keys,
            rejects=rejects,
            landing=commit.landing.moved(self.rewritten) if commit.landing else None,
            sides=self._sides(commit),
            cutover=commit.cutover.moved(self.rewritten) if commit.cutover else None,
            changes={**commit.changes, **changes},
            rewrites={**old, **self.rewritten},
        )
        return append(self.place, commit, self.attempt)

    def _sides(self, commit: Commit) -> Optional[dict[str, SideRecord]]:
        if commit.sides is None:
            return None
        return {name: side.moved(self.rewritten, self.left) for name, side in commit.sides.items()}

    def report(self, newest: Commit, deleted: Deleted, *, refused: int, kept: int) -> PurgeReport:
        """Tell what was erased, and what was left."""
        return PurgeReport(
            newest.version,
            newest.version - newest.oldest_readable + (0 if self.rewritten else 1),
            self.gone,
            len(self.rewritten),
            deleted.files,
            rejects=self.gone_rejects,
            landed=self.gone_landed,
            sides=self.gone_sides,
            refused=refused,
            similar=len(self.subject.others) + self.subject.left,
            young=deleted.young,
            foreign=deleted.foreign,
            kept=kept,
        )

    # ------------------------------------------------------------------------- whose rows

    def _rewrite_all(self) -> None:
        erased = find_rows_to_erase(self.model, self.root, self.subject, self._frames)
        for name, table in self.model.tables.items():
            for file in each_file(self.held.tables[name]):
                self._table(table, file, table.columns, erased[name], table.name)
            for file in each_file(self.held.keys[name]):
                self._table(table, file, key_columns(table), erased[name], "_aspen/keys")
        for file in each_file(self.held.rejects):
            self._reject(file)
        self.gone_landed = self._judge(self.held.landed, state_columns_of, "_aspen/landing")
        self.gone_sides = self._judge(self.held.shadows, shadow_columns, "_aspen/sides")
        for file in each_file(self.held.conflicts):
            self._conflicts(file)
        for file in each_file(self.held.accepted):
            self._accepted(file)

    def _frames(self, table: TableSpec) -> Frames:
        """Read what all readable versions hold of a table."""
        columns = key_columns(table)
        return Frames(
            [
                complete_table(self._read(stored, table.columns), table)
                for stored in self.held.tables[table.name]
            ],
            [self._read(stored, columns) for stored in self.held.keys[table.name]],
        )

    def _read(self, stored: Stored, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
        return read_stored(self.place, stored, columns)

    # ------------------------------------------------------------------------- files

    def _table(
        self,
        table: TableSpec,
        stored: Stored,
        columns: Mapping[str, ColumnSpec],
        erased: pd.Series,
        folder: str,
    ) -> None:
        if not len(erased):
            return
        frame = self._read(stored, columns)
        self._rewrite(stored, frame, ~are_among(frame[table.primary_key], erased), columns, folder)

    def _reject(self, stored: Stored) -> None:
        columns = columns_as_named(stored.columns)
        frame = self._read(stored, columns)
        mine = self.subject.judge(rename(frame))
        self.gone_rejects += int(mine.sum())
        # NOTE: the commits that name the file name its columns, so it keeps their names.
        self._rewrite(stored, frame, ~mine, columns, "_aspen/rejects")

    def _conflicts(self, stored: Stored) -> None:
        frame = self._read(stored, CONFLICTS)
        mine = self.subject.find_own(read_ids(frame, ("subject",)))
        self.gone_sides += int(mine.sum())
        for file in stored.files if mine.any() else ():
            self.left[file.path] = count_conflicts(frame[~mine])
        self._rewrite(stored, frame, ~mine, CONFLICTS, "_aspen/sides")

    def _accepted(self, stored: Stored) -> None:
        frame = self._read(stored, ACCEPTED)
        mine = self.subject.find_own(read_ids(frame, ("subject",)))
        self.gone_rejects += int(mine.sum())
        self._rewrite(stored, frame, ~mine, ACCEPTED, "_aspen/rejects")

    def _judge(
        self, held: Mapping[str, Sequence[Stored]], columns_of: ColumnsOf, folder: str
    ) -> int:
        """Write anew rows of sheets as they are kept; those that are gone there, too."""
        files = {name: list(each_file(frames)) for name, frames in held.items()}
        columns = {
            name: [columns_of(each.columns) for each in file] for name, file in files.items()
        }
        reads = {
            name: [partial(self._read, each, specs) for each, specs in zip(file, columns[name])]
            for name, file in files.items()
        }
        gone = 0
        for name, at, frame, mine in LandedJudge(self.model, *self.of).judge(reads):
            gone += int(mine.sum())
            self._rewrite(files[name][at], frame, ~mine, columns[name][at], folder)
        return gone

    def _rewrite(
        self,
        stored: Stored,
        frame: pd.DataFrame,
        keep: Any,
        columns: Mapping[str, ColumnSpec],
        folder: str,
    ) -> None:
        if keep.all():
            return
        (file,) = stored.files
        rows = np.flatnonzero(keep)
        left = pd.DataFrame({name: COLUMNS.take(frame[name], rows) for name in frame.columns})
        number = len(self.rewritten)
        target = f"{folder}/{self.attempt.folder}/rewritten-{number:05d}-part-{file.part:05d}"
        held = {name: columns[name] for name in stored.columns}
        (self.rewritten[file.path],) = self.attempt.rewrite(target, left, held, stored).files


def _without_empty(stored: Stored) -> Stored:
    """Name no file where no row is left."""
    return stored if stored.rows else replace(stored, files=())
