"""A run in parts: each is normalized by itself, and all are one commit.

The driver holds what is of all parts: numbers of what is new, lookup tables, figures. What a part
is made of and what comes of it, workers leave for each other in an exchange beside the tables.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import NamedTuple, Optional

from aspen_etl.changes import ChangeCounts
from aspen_etl.columns.handing import handed
from aspen_etl.io.exchange import Exchange
from aspen_etl.normalization import NormalizeResult
from aspen_etl.normalization.parted import check_functions, join_changes, settle_part
from aspen_etl.schema import Extract, Run, Snapshot
from aspen_etl.store.commit import Commit
from aspen_etl.store.parted import PartedTables
from aspen_etl.store.place import Place
from aspen_etl.synchronization.dividing import Dividing, Division, divide
from aspen_etl.synchronization.part_work import Done, Job, Work, normalize_part
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.report import PartedResult
from aspen_etl.synchronization.scattering import Scattered, sample_subjects, scatter
from aspen_etl.synchronization.source import Given
from aspen_etl.synchronization.units import Reader, open_source
from aspen_etl.transform.joining import join_rejects, join_snapshots, join_summaries
from aspen_etl.transform.merging import settle as settle_numbers
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.suppressing import count_up
from aspen_etl.workers import InTurn, Processes, Spark, Workers, kept_open, results

__all__ = ["PartedRun", "Ready"]


class Ready(NamedTuple):
    """Say into what a source was cut.

    Attributes:
        division: The parts, and what was there before of each.
        scattered: Where the rows of each are.
    """

    division: Division
    scattered: Scattered


class PartedRun:
    """Make what a run commits, part by part.

    It is closed when what it made is committed, or is not: its processes end, and what workers
    left for each other goes.

    Args:
        place: The store.
        given: The source, and what the run is told.
        run: When it is, and who does it.
        newest: The newest commit, if there is one.

    Raises:
        NotSupportedError: The model cannot be parted, or not be sent to workers; or these do not
            see what is in the memory of this process.
    """

    def __init__(self, place: Place, given: Given, run: Run, newest: Optional[Commit]) -> None:
        self.how = can_part(place.model)
        self.place, self.given, self.run, self.newest = place, given, run, newest
        told: Workers = given.settings.crew
        if not isinstance(told, InTurn):
            check_functions(place.model)
        version = 1 if newest is None else newest.version + 1
        folder = f"_aspen/exchange/{version:020d}-{secrets.token_hex(8)}"
        self.exchange = Exchange(place.root.child(folder))
        self._reader = Reader(
            self.exchange, self.how, given.settings.reading, isinstance(told, (Processes, Spark))
        )
        self._reader.check(place.root)
        self._opened = contextlib.ExitStack()
        self._opened.callback(self.exchange.remove)
        self.workers = self._opened.enter_context(kept_open(told, normalize_part.__module__))

    def close(self) -> None:
        """Let go of processes, and of what workers left for each other."""
        self._opened.close()

    # ------------------------------------------------------------------------- the source

    def read(self, parts: Parts) -> Ready:
        """Read the source, and cut it and what was before.

        Raises:
            AspenETLError: What reading raises.
        """
        self.exchange.open()
        reader = self._reader
        units = open_source(self.given.origin, reader, self.workers)
        sampled = sample_subjects(units, reader, self.workers)
        size = sum(unit.bytes for unit in units)
        subjects = parts.subjects_of(rows=sampled.rows, size=size)
        work = Dividing(self.place, self.how, self.exchange, self.workers)
        division = divide(self.newest, sampled, subjects, work)
        return Ready(division, scatter(units, division.bounds, reader, self.workers))

    # ------------------------------------------------------------------------- the parts

    def make(
        self, ready: Ready, done: Callable[[int, int], None]
    ) -> tuple[PartedResult, PartedTables]:
        """Normalize each part, settle what is of all, and give what is committed.

        Args:
            ready: Into what the source was cut.
            done: Called with how many parts are done, of how many; it may raise to give up.

        Raises:
            ProofError: What was made of the parts does not fit together.
            AspenETLError: What ``normalize`` raises.
        """
        division, scattered = ready
        work = Work(
            self.place,
            self._reader,
            division.bounds,
            self._following(),
            self.run,
            self.given.settings.missing,
            None if self.given.intake else self.given.suppression,
        )
        jobs = [
            Job(number, pieces, state)
            for number, (pieces, state) in enumerate(zip(scattered.pieces, division.states))
        ]
        function = partial(normalize_part, work)
        parts = results(self.workers, function, jobs, lambda count: done(count, len(jobs)))
        maps = settle_numbers([each.claim for each in parts], work.following, self.how)
        lookups = [settle_part(each.lookups, keys, self.how) for each, keys in zip(parts, maps)]
        shared = join_snapshots(
            [each.snapshot for each in lookups], self.how, names=self.how.lookups
        )
        made = [each.made for each in parts]
        anew = not division.is_of(self.newest)
        tables = PartedTables(self.how, made, maps, shared, anew, self.exchange, self.workers)
        return self._join(parts, lookups, shared, scattered), tables

    def _following(self) -> dict[str, int]:
        held = {} if self.newest is None else self.newest.keys
        tables = self.how.model.tables.items()
        return {
            name: held[name].next if name in held else 1
            for name, table in tables
            if table.has_surrogate_key
        }

    def _join(
        self,
        done: Sequence[Done],
        lookups: Sequence[NormalizeResult],
        shared: Snapshot,
        scattered: Scattered,
    ) -> PartedResult:
        """Add up the figures, and join the rejects."""
        model = self.how.model
        rows = {name: sum(each.figures.tables[name] for each in done) for name in model.tables}
        rows.update({name: len(frame) for name, frame in shared.tables.items()})
        changes = {
            name: sum((each.changes[name] for each in done), ChangeCounts()) for name in rows
        }
        for name in self.how.lookups:
            joined = join_changes([each.changes[name] for each in lookups], self.how)
            changes[name] = ChangeCounts(**joined.counts)
        parts = [self.exchange.get(each.rejects) for each in done if each.rejects is not None]
        source = self.given.origin
        order = {n: source[n].index for n in source} if isinstance(source, Extract) else {}
        rejects = join_rejects(parts or [done[0].no_rejects], order, model)
        summary = join_summaries([each.figures for each in done], rows, model)
        reports = [each.report(count) for each, count in zip(done, scattered.rows)]
        suppressed = reduce(count_up, (each.suppressed for each in done))
        return PartedResult(changes, handed(rejects), summary, tuple(reports), suppressed)
