"""What a run makes of a source: by a look at everything, or by the short way over what changed."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Optional

from aspen_etl.columns import COLUMNS
from aspen_etl.errors import AspenETLError, NotSupportedError, ProofError
from aspen_etl.io.content import SourceFile
from aspen_etl.normalization import conclude
from aspen_etl.normalization.touched import normalize_touched
from aspen_etl.schema import Extract, Held, Previous, Run
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.store.commit import Commit
from aspen_etl.store.contents import Amended, Whole
from aspen_etl.store.kept import (
    KeptSheet,
    KeptSource,
    forget_kept,
    keep_source,
    load_kept,
    read_kept,
)
from aspen_etl.store.partly import StoredTables
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.lasting import (
    figures_of,
    move_counts,
    rows_by_sheet,
    with_notes,
)
from aspen_etl.synchronization.made import Made, Normalized
from aspen_etl.synchronization.parted import PartedRun
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.proving import Comparable, find_difference
from aspen_etl.synchronization.report import Result, Way
from aspen_etl.synchronization.source import Given
from aspen_etl.synchronization.touching import IN_PART, Form, tell_why
from aspen_etl.transform.accepting import settle
from aspen_etl.transform.cleaning import clean
from aspen_etl.transform.parting import Partitioning, can_part

__all__ = ["Making"]


@dataclass(frozen=True, eq=False)
class Making:
    """Make what a run commits.

    Attributes:
        store: The store.
        given: The source, and what the run is told.
        run: When it is, and who does it.
        clock: What ends it when its time is over.
    """

    store: SnapshotStore
    given: Given
    run: Run
    clock: Clock

    @property
    def keeps(self) -> bool:
        """Whether the source is kept, for a run after this one."""
        told = self.given.settings.keep_source
        if self.given.suppression is not None and self.given.intake is None:
            return False  # it would be with the rows that are left out
        if told is not None:
            return told
        # Of a landing folder the rows are there anyway, in its state.
        return self.store.place.rejects_root is not None or self.given.intake is not None

    def make(
        self, newest: Optional[Commit], files: tuple[SourceFile, ...]
    ) -> tuple[Made[Result], tuple[SourceFile, ...]]:
        """Make it by the short way where that is known to give what a look at everything gives."""
        self.clock.step("reading")
        if self.given.settings.division is not None:
            return self._in_parts(newest, files, self.given.settings.division)
        if not self.keeps:
            return self.make_whole(newest, files, Way.whole("no source is kept"))
        kept = read_kept(self.store.place)
        try:
            how = can_part(self.store.model)
            form, files = self.given.load_steady(how, files, None if kept is None else kept.form)
        except NotSupportedError as error:
            return self.make_whole(newest, files, Way.whole(tell_why(error)))
        return self._of_form(newest, kept, form, how), files

    def make_whole(
        self, newest: Optional[Commit], files: tuple[SourceFile, ...], way: Way
    ) -> tuple[Made[Result], tuple[SourceFile, ...]]:
        """Make it by a look at everything, of which nothing is kept."""
        model = self.store.model
        extracts, files = self.given.steady(lambda: [self.given.read(model)], model, files)
        result, tables, _, suppressed = self._normalize(newest, extracts)
        return Made(result, tables, way, suppressed=suppressed), files

    def _in_parts(
        self, newest: Optional[Commit], files: tuple[SourceFile, ...], parts: Parts
    ) -> tuple[Made[Result], tuple[SourceFile, ...]]:
        work = PartedRun(self.store.place, self.given, self.run, newest)
        with ExitStack() as stack:
            stack.callback(work.close)
            read = partial(work.read, parts)
            ready, files = self.given.steady(read, self.store.model, files)
            self.clock.step("normalizing")
            result, tables = work.make(ready, self.clock.tell_parts)
            stack.pop_all()
        way = Way.whole("it runs in parts")
        return Made(result, tables, way, suppressed=result.suppressed, close=work.close), files

    def _normalize(self, newest: Optional[Commit], extracts: list[Extract]) -> Normalized:
        """Normalize the one extract in a list, which no longer holds it then."""
        before: Previous = Held()
        if newest is not None:  # its tables are read one by one, as they are needed
            self.clock.step("loading")
            before = self.store.load(newest)
        self.clock.step("normalizing")
        model, missing = self.store.model, self.given.settings.missing
        extract, suppressed = self.given.leave_out(extracts.pop(), model)
        extracts.append(extract)
        del extract
        settled = settle(extracts.pop(), model, before, missing)
        result = conclude(settled, model, before, self.run)
        return Normalized(result, Whole(result.snapshot, model), settled.stayed, suppressed)

    # ------------------------------------------------------------------------- what can be compared

    def _of_form(
        self, newest: Optional[Commit], kept: Optional[KeptSource], form: Form, how: Partitioning
    ) -> Made[Comparable]:
        reason = self._find_reason(newest, kept, form, how)
        short: Optional[Made[Comparable]] = None
        if reason is None and newest is not None and kept is not None:
            try:
                short = self._short(newest, kept, form, how)
            except IN_PART as error:
                reason = tell_why(error)
            except ProofError:
                forget_kept(self.store.place)
                raise
            if short is not None and kept.short < self.given.settings.whole_every:
                return short
        whole = self._whole(newest, form, reason or "it proves the short ways before")
        if short is not None:
            self._compare(whole.result, short.result)
        return whole

    def _find_reason(
        self, newest: Optional[Commit], kept: Optional[KeptSource], form: Form, how: Partitioning
    ) -> Optional[str]:
        """Say why everything must be looked at; nothing where what is kept may do."""
        name = self.given.settings_name(how.model)
        if newest is None:
            return "nothing was committed yet"
        if name is None:
            return "the model has functions of its own, and no model_version= names their state"
        if kept is None or kept.sheets.keys() != how.model.sources.keys():
            return "nothing is kept of the source"
        if not kept.is_of(newest, name):
            return "what is kept is of another commit, or was read under other settings"
        if kept.form != form.name:
            return f"what is kept of the source are {kept.form}, which it is not compared by now"
        return self._find_other_form(newest)

    def _find_other_form(self, newest: Commit) -> Optional[str]:
        if newest.model != describe_tables(self.store.model):
            return "the tables are described otherwise now"
        if newest.format_of_tables != self.store.place.format_after(newest):
            return "the tables are written in another format now"
        return None

    def _whole(self, newest: Optional[Commit], form: Form, reason: str) -> Made[Comparable]:
        extracts = [form.read()]
        sheets = form.sheets(extracts[0])
        way = Way.whole(reason, self.run)
        result, tables, stayed, suppressed = self._normalize(newest, extracts)
        return Made(result, tables, way, sheets, form.name, stayed, suppressed)

    def _short(
        self, newest: Commit, kept: KeptSource, form: Form, how: Partitioning
    ) -> Made[Comparable]:
        touched = form.find_touched(self._load(kept))
        self.clock.step("loading")
        before = StoredTables(self.store.place, newest)
        self.clock.step("normalizing")
        result = normalize_touched(
            touched.now,
            touched.subjects,
            run=self.run,
            model=how.model,
            previous=before,
            missing=self.given.settings.missing,
        )
        stayed = {
            name: COLUMNS.concat([others, result.stayed[name]])
            for name, others in touched.stayed.items()
        }
        then = clean(touched.then, how.model)
        moved = {
            name: move_counts(kept.sheets[name], then[name], found, len(stayed[name]))
            for name, found in result.summary.sources.items()
        }
        sources = with_notes(moved, touched.notes)
        result = replace(result, summary=replace(result.summary, sources=sources))
        proved = kept.proved.isoformat()
        way = Way("short", len(touched.subjects), None, kept.short + 1, proved)
        tables = Amended(before, result.changes, result.keys)
        return Made(result, tables, way, touched.sheets, form.name, stayed)

    def _load(self, kept: KeptSource) -> dict[str, KeptSheet]:
        held = load_kept(self.store.place, kept)
        if held is None:
            reason = "what was kept of the source is gone or damaged"
            raise NotSupportedError(reason, reason=reason)
        return held

    def _compare(self, whole: Comparable, short: Comparable) -> None:
        """Make sure that the short ways since everything was looked at went right.

        Raises:
            ProofError: They did not.
        """
        what = find_difference(whole, short)
        if what is not None:
            forget_kept(self.store.place)
            msg = (
                f"runs over what changed gave other {what} than one over everything; nothing was "
                "committed, and the next run reads everything: a cleaner, builder or rule does not "
                "look at one subject alone, or this is a fault of the library"
            )
            raise ProofError(msg, table=what, column="")

    # ------------------------------------------------------------------------- for the next run

    def keep(self, made: Made[Result], commit: Commit, *, is_new: bool) -> bool:
        """Keep the source for the next run, if this one may; tell whether it is kept.

        A failure is none of the run's: the next one reads everything.

        Args:
            made: What the run made.
            commit: The commit that it is of.
            is_new: Whether the run made it. What goes with the state of a landing folder is kept
                with the commit that has this state, and with no other.
        """
        if not is_new and self.given.intake is not None:
            return made.way.proved is not None
        name = self.given.settings_name(self.store.model)
        if made.sheets is None or name is None or made.way.proved is None:
            return False
        self.clock.begin("keeping")
        rejected = rows_by_sheet(made.result.rejects, made.sheets)
        sheets = {n: sheet.keep(rejected[n], made.stayed[n]) for n, sheet in made.sheets.items()}
        figures = {n: figures_of(source) for n, source in made.result.summary.sources.items()}
        way = made.way
        proved = dt.datetime.fromisoformat(str(way.proved))
        kept = KeptSource(
            commit.version, commit.token, name, figures, way.short, proved, form=made.form
        )
        try:
            keep_source(self.store.place, kept, sheets)
        except (AspenETLError, MemoryError):
            return False
        return True
