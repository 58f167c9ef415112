"""Any sequence of runs, restores, vacuums and erasures, against a plain model of a store."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import aspen_etl as ae
from aspen_etl.errors import StoreOnHoldError, ThresholdError, VersionNotFoundError
from aspen_etl.schema import Run, Snapshot
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.testing import histories
from aspen_etl.testing._types import PLAIN
from tests.laws.models import EXTENDED_MODEL
from tests.laws.typed_models import ENTITIES, TYPES_MODEL
from tests.support.effort import some

_STORES = itertools.count()
_ANYTHING = ae.Thresholds(
    max_rejected_rows=1, max_rejected_cells=1, max_deleted_rows=1, allow_empty=True
)
_NEVER = ae.Thresholds(max_rejected_rows=0, max_rejected_cells=0, max_deleted_rows=0)


class _Store(RuleBasedStateMachine):
    """A store in memory, and what every version of it must hold."""

    model: ae.Model

    @initialize(history=st.data())
    def begin(self, history: st.DataObject) -> None:
        self.extracts = history.draw(histories(self.model, faults="all", max_rows=3))
        self.store = ae.SnapshotStore(f"memory://machine/{next(_STORES)}", model=self.model)
        self.time = dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc)
        self.snapshots: dict[int, Snapshot] = {}
        self.newest, self.oldest, self.hold = 0, 1, False
        self.refused: Optional[dt.datetime] = None

    def _run(self) -> Run:
        self.time += dt.timedelta(hours=1)
        return Run(time=self.time, actor="machine")

    def _expected(self, which: int, missing: Any, run: Run) -> tuple[ae.Extract, Any]:
        extract = self.extracts[which % len(self.extracts)]
        previous = self.snapshots.get(self.newest)
        return extract, ae.normalize(
            extract, model=self.model, run=run, previous=previous, missing=missing
        )

    @rule(which=st.integers(0, 3), missing=st.sampled_from(["delete", "keep"]))
    def sync(self, which: int, missing: Any) -> None:
        run = self._run()
        extract, expected = self._expected(which, missing, run)
        options: Any = {"run": run, "missing": missing, "thresholds": _ANYTHING}
        if self.hold:
            with pytest.raises(StoreOnHoldError):
                ae.sync(extract, self.store, **options)
            return
        report = ae.sync(extract, self.store, **options)
        self.refused = None
        if report.outcome == "committed":
            self.newest += 1
            self.snapshots[self.newest] = expected.snapshot
        else:
            assert expected.changes.is_empty
        assert report.version == self.newest
        assert self.store.read_rejects().equals(expected.rejects)

    @rule(which=st.integers(0, 3))
    def sync_with_narrow_limits(self, which: int) -> None:
        run = self._run()
        extract, expected = self._expected(which, "delete", run)
        if self.hold:
            return
        try:
            report = ae.sync(extract, self.store, run=run, thresholds=_NEVER)
        except ThresholdError:
            assert self.store.read_refused_rejects().equals(expected.rejects)
            self.refused = run.time
            return
        self.refused = None
        assert not sum(source.rejected for source in expected.summary.sources.values())
        if report.outcome == "committed":
            self.newest += 1
            self.snapshots[self.newest] = expected.snapshot

    @precondition(lambda self: self.newest)
    @rule(back=st.integers(0, 9))
    def restore(self, back: int) -> None:
        version = self.newest - back
        if version < self.oldest:
            with pytest.raises(VersionNotFoundError):
                self.store.restore(version, run=self._run())
            return
        self.store.restore(version, run=self._run())
        old, now = self.snapshots[version], self.snapshots[self.newest]
        self.newest += 1
        self.snapshots[self.newest] = Snapshot(old.tables, now.keys, self.time)
        self.hold = True

    @precondition(lambda self: self.newest)
    @rule()
    def resume(self) -> None:
        self.store.resume(run=self._run())
        if self.hold:
            self.newest += 1
            self.snapshots[self.newest] = self.snapshots[self.newest - 1]
        self.hold = False

    @precondition(lambda self: self.newest)
    @rule(hours=st.integers(0, 9))
    def vacuum(self, hours: int) -> None:
        store = ae.SnapshotStore(
            self.store.url, model=self.model, attempt_limit=dt.timedelta(seconds=-5)
        )
        run, keep_for = self._run(), dt.timedelta(hours=hours)
        report = store.vacuum(run=run, keep_for=keep_for)
        if self.refused is not None and self.refused < run.time - keep_for:
            self.refused = None
        if report.version > self.newest:
            self.newest += 1
            self.snapshots[self.newest] = self.snapshots[self.newest - 1]
        assert report.version == self.newest
        assert self.oldest <= report.oldest_readable <= self.newest
        self.oldest = report.oldest_readable

    @precondition(lambda self: self.newest)
    @rule(which=st.integers(0, 9))
    def purge(self, which: int) -> None:
        subject = self.model.tables[str(self.model.subject)]
        (name,) = subject.natural_key
        spec = subject.columns[name]
        ids = sorted(told(self.snapshots[self.newest].tables[subject.name][name], spec))
        if not ids:
            return
        gone = ids[which % len(ids)]
        report = self.store.purge(gone, run=self._run())
        assert report.version == self.newest + 1
        self.newest += 1
        for version in range(self.oldest, self.newest + 1):
            found = self.store.read(version)
            assert gone not in told(found.tables[subject.name][name], spec)
            for state in found.keys.values():
                if name in state.given:
                    assert gone not in told(state.given[name], spec)
            self.snapshots[version] = found
        for rejects in (self.store.read_rejects(), self.store.read_refused_rejects()):
            assert gone not in set(rejects["subject"].dropna())

    @invariant()
    def every_version_that_can_be_read_is_whole(self) -> None:
        assert (self.store.refused_run() is not None) == (self.refused is not None)
        if not self.newest:
            assert self.store.newest() is None
            return
        assert self.store.find().version == self.newest
        assert self.store.verify().problems == ()
        for version in {self.oldest, self.newest}:
            assert self.store.read(version).equals(self.snapshots[version])


def _machine(model: ae.Model) -> type[RuleBasedStateMachine]:
    return type("Machine", (_Store,), {"model": model})


SETTINGS = settings(some(5, least=4), stateful_step_count=8)


def told(values: pd.Series, spec: ColumnSpec) -> set[str]:
    """Give the canonical texts of a column of keys."""
    return {PLAIN[spec.type].text(value, spec) for value in values.dropna().array}


class TestBorrowerStore(_machine(ae.BORROWER_MODEL).TestCase):  # type: ignore[misc]
    settings = SETTINGS


class TestExtendedStore(_machine(EXTENDED_MODEL).TestCase):  # type: ignore[misc]
    settings = SETTINGS


class TestStoreOfEveryType(_machine(TYPES_MODEL).TestCase):  # type: ignore[misc]
    settings = SETTINGS


class TestStoreOfEntities(_machine(ENTITIES).TestCase):  # type: ignore[misc]
    settings = SETTINGS
