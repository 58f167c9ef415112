"""Whatever single call of a storage fails, a reader sees the old commit or the new one, whole.

Law 9. Each step runs once to count its calls; then it runs anew from the same store for every
call and every way in which that call can fail, once with a storage that goes on afterwards and
once with one that is gone for good. The quick form takes a few of these cases, spread over all
calls; the slow one takes every case.
"""

from __future__ import annotations

import datetime as dt
import os
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns import COLUMNS
from aspen_etl.errors import AspenETLError, CommitOutcomeUnknownError
from aspen_etl.schema import Previous
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.store import commit_log, vacuuming
from aspen_etl.store.shadows import SideState, load_sides
from aspen_etl.synchronization import making, part_work, touching, units
from aspen_etl.synchronization.parts import Parts
from tests.store.conftest import Backend
from tests.support.borrowers import (
    LENIENT,
    NO_AGE,
    RUN,
    check_ours,
    check_whole,
    files_below,
    put_files,
    write_borrowers,
)
from tests.support.effort import in_turn, is_brief
from tests.support.faulty import CANARY, Faults, Kind, faulty
from tests.support.two_way import account, check_off, conflicts, shadow

#: How many cases the quick form takes of each step.
FEW = 1 if is_brief() else 6

#: The files beside commits and data that a store keeps.
WORDS = ("store", "newest", "last_run", "last_failure", "vacuum")

OLD = ["Ann Ames", "Bob Burns", "Cy Cole"]
NEW = ["Ann Adams", "Bob Burns", "", "Di Dunn"]  # changed, rejected, gone and new rows


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalize each source once, since that is pure; and do not wait for a storage."""
    known: dict[Any, Any] = {}

    def settling(extract: ae.Extract, _model: ae.Model, _before: Previous, missing: Any) -> Any:
        return Settling(extract, missing)

    def remembering(settled: Any, model: ae.Model, before: Previous, run: ae.Run) -> Any:
        extract, missing, previous = settled.extract, settled.missing, _read_now(before)
        key = pickle.dumps([_plain(extract), _plain(previous.tables)])
        if key not in known:
            options = {"model": model, "run": run, "missing": missing}
            known[key] = ae.normalize(extract, previous=previous, **options)
        return known[key]

    monkeypatch.setattr(touching, "_MOST_TOUCHED", 100)
    for room in (making, part_work):
        monkeypatch.setattr(room, "settle", settling)
        monkeypatch.setattr(room, "conclude", remembering)
    monkeypatch.setattr(units, "BLOCK", 60)
    monkeypatch.setattr(commit_log, "_WAIT_SECONDS", 0.0)


@dataclass(frozen=True)
class Settling:
    """What is settled later on; no row stays that is absent."""

    extract: ae.Extract
    missing: Any

    @property
    def stayed(self) -> dict[str, pd.Series]:
        return dict.fromkeys(self.extract, COLUMNS.repeat(None, 0))


def _read_now(before: Previous) -> ae.Snapshot:
    """Read what a run reads while it normalizes, also where that is known already."""
    walked = dict(before.walk(before.names))
    frames = {name: then.frame for name, then in walked.items() if then.frame is not None}
    keys = {name: then.state for name, then in walked.items() if then.state is not None}
    return ae.Snapshot(ae.Tables(frames), keys, before.time)


def _plain(frames: Any) -> list[Any]:
    return [frame.to_csv(na_rep="\0") for frame in frames.values()]


#: What a run keeps of its source for the next one.
KEPT = (
    r"_aspen/kept/(?:source\.json|"
    r"(?:borrower|role_profile)\.(?:csv|lines\.csv|arrow|faults\.csv|cleaned\.csv|landing\.csv))\Z"
)


# ----------------------------------------------------------------------------- steps

Step = Callable[[ae.SnapshotStore, Path], Any]


def sync_old(store: ae.SnapshotStore, folder: Path) -> None:
    ae.sync(write_borrowers(folder / "old", OLD), store, run=RUN, thresholds=LENIENT)


def sync_new(store: ae.SnapshotStore, folder: Path) -> None:
    ae.sync(write_borrowers(folder / "new", NEW), store, run=RUN, thresholds=LENIENT)


def keep_old(store: ae.SnapshotStore, folder: Path) -> None:
    source = write_borrowers(folder / "old", OLD)
    ae.sync(source, store, run=RUN, thresholds=LENIENT, keep_source=True)


def keep_new(store: ae.SnapshotStore, folder: Path) -> None:
    source = write_borrowers(folder / "new", NEW)
    ae.sync(source, store, run=RUN, thresholds=LENIENT, keep_source=True)


def part_old(store: ae.SnapshotStore, folder: Path) -> None:
    source = write_borrowers(folder / "old", OLD)
    ae.sync(source, store, run=RUN, thresholds=LENIENT, parts=Parts(1))


def part_new(store: ae.SnapshotStore, folder: Path) -> None:
    source = write_borrowers(folder / "new", NEW)
    ae.sync(source, store, run=RUN, thresholds=LENIENT, parts=Parts(1))


def keep_cells_of(names: list[str]) -> Step:
    rows = [
        {"id": str(100 + i), "full_name": name, "email": f"a{i}@example.org"}
        for i, name in enumerate(names)
    ]
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    roles = pd.DataFrame({"borrower_id": ["100"], "role_profile": ["Borrower"]})
    extract = ae.Extract(borrower=pd.DataFrame(rows).reindex(columns=columns), role_profile=roles)

    def step(store: ae.SnapshotStore, _: Path) -> None:
        ae.sync(extract, store, run=RUN, thresholds=LENIENT, keep_source=True)

    return step


keep_old_cells, keep_new_cells = keep_cells_of(OLD), keep_cells_of(NEW)


def land(folder: Path, names: dict[str, str]) -> Landing:
    """Let files lie in a landing folder, a minute before the run."""
    columns = ",".join(ae.BORROWER_MODEL.sources["borrower"].columns)
    for name, rows in names.items():
        path = folder / "landing/dbo/borrower" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Op,dms_time,dms_seq,BI_id,{columns}\n{rows}")
        os.utime(path, (0, 0))
    tables = {
        "borrower": LandedTable("dbo.borrower"),
        "role_profile": LandedTable("dbo.role_profile", ("borrower_id", "role_profile")),
    }
    return Landing(str(folder / "landing"), tables, loaded="declared")


def landed(number: str, operation: str, key: str, name: str) -> str:
    time = "2026-01-01 00:00:01.000000"
    return (
        f"{operation},{time},20260101000001{number:>021},{key},{key},{name},,,,,,,a@example.org\n"
    )


LOADED = "".join(landed("0", "I", f"{100 + i}", name) for i, name in enumerate(OLD))
CHANGED = "".join(
    [
        landed("1", "U", "100", NEW[0]),
        landed("2", "U", "102", NEW[2]),
        landed("3", "I", "103", NEW[3]),
    ]
)


def land_old(store: ae.SnapshotStore, folder: Path) -> None:
    source = land(folder / "old", {"LOAD00000001": LOADED})
    ae.sync(source, store, run=RUN, thresholds=LENIENT)


def land_new(store: ae.SnapshotStore, folder: Path) -> None:
    files = {"LOAD00000001": LOADED, "20260101-000001000": CHANGED}
    ae.sync(land(folder / "new", files), store, run=RUN, thresholds=LENIENT)


def restore(store: ae.SnapshotStore, _: Path) -> None:
    store.restore(1, run=RUN)


def resume(store: ae.SnapshotStore, _: Path) -> None:
    store.resume(run=RUN)


def vacuum(store: ae.SnapshotStore, _: Path) -> None:
    old = ae.Run(time=RUN.time.replace(year=2027), actor="me")
    impatient = replace(store.place, attempt_limit=NO_AGE)
    vacuuming.vacuum(impatient, old, dt.timedelta(days=7))


def purge(store: ae.SnapshotStore, _: Path) -> None:
    store.purge("100", run=RUN)


def begin_two_way(store: ae.SnapshotStore, _: Path) -> None:
    store.begin_two_way(run=RUN)


def account_old(store: ae.SnapshotStore, _: Path) -> None:
    row = {"id": "100", "full_name": OLD[0], "email": "a0@example.org"}
    held = conflicts({"subject": "100", "side": "a0@example.org"})
    account(store, RUN, old=SideState(1, "0" * 16, {"borrower": shadow(row)}, held))


def end_two_way(store: ae.SnapshotStore, _: Path) -> None:
    store.end_two_way(run=RUN, discard_conflicts=True)


def check_old(store: ae.SnapshotStore, _: Path) -> None:
    check_off(store, RUN, "100", "101")


@dataclass(frozen=True)
class Scenario:
    """What was done before, what fails, and whether doing it again does no harm."""

    before: tuple[Step, ...]
    step: Step
    again: bool = True


SCENARIOS = {
    "first sync": Scenario((), sync_old),
    "sync": Scenario((sync_old,), sync_new),
    "restore": Scenario((sync_old, sync_new), restore, again=False),
    "resume": Scenario((sync_old, sync_new, restore), resume),
    "sync after resume": Scenario((sync_old, sync_new, restore, resume), sync_new),
    "vacuum": Scenario((sync_old, sync_new), vacuum),
    "purge": Scenario((sync_old, sync_new), purge),
    "short sync": Scenario((keep_old,), keep_new),
    "short sync by cells": Scenario((keep_old_cells,), keep_new_cells),
    "sync whose kept lines become cells": Scenario((keep_old,), keep_new_cells),
    "purge of a kept source": Scenario((keep_old, keep_new), purge),
    "parted sync": Scenario((part_old,), part_new),
    "parts of one piece": Scenario((sync_old,), part_new),
    "purge of parts": Scenario((part_old, part_new), purge),
    "first landing": Scenario((), land_old),
    "landing": Scenario((land_old,), land_new),
    "purge of a landing": Scenario((land_old, land_new), purge),
    "two-way begin": Scenario((sync_old,), begin_two_way),
    "sides": Scenario((sync_old, begin_two_way), account_old),
    "two-way end": Scenario((sync_old, begin_two_way, account_old), end_two_way),
    "purge of sides": Scenario((sync_old, begin_two_way, account_old), purge),
    "cut-over": Scenario((sync_old,), check_old, again=False),
    "purge of a cut-over": Scenario((sync_old, check_old), purge),
}


@dataclass(frozen=True)
class State:
    """What a reader sees."""

    commit: Any
    snapshot: Any

    def is_like(self, other: State) -> bool:
        """Tell whether both are the same version, kind and rows."""
        if self.commit is None or other.commit is None:
            return self.commit is other.commit
        mine, theirs = self.commit, other.commit
        facts = [(c.version, c.kind, c.hold, c.oldest_readable, _counts(c)) for c in (mine, theirs)]
        return facts[0] == facts[1] and self.snapshot.equals(other.snapshot)


def _counts(commit: Any) -> Any:
    """Count what a commit has accounted for of its sides; none where it is not two-way."""
    return commit.sides and [
        (name, side.version, side.waiting, sorted(side.shadow))
        for name, side in commit.sides.items()
    ]


def look(store: ae.SnapshotStore, verified: set[Any]) -> State:
    """Read what is there, and make sure that it is whole.

    To read is to verify every checksum, so files that were verified once are only read again.
    """
    newest = store.newest()
    if newest is None:
        return State(None, None)
    files = tuple(file.sha256 for stored in newest.stored for file in stored.files)
    if (newest.version, files) not in verified:
        check_whole(store)
        verified.add((newest.version, files))
    assert [commit.version for commit in store.history()] == list(
        range(newest.version, newest.oldest_readable - 1, -1)
    )
    store.read_rejects()
    load_sides(store.place, newest)
    return State(newest, store.read())


@dataclass
class Stage:
    """A scenario on a storage: where it begins, where it ends, and what can fail between."""

    backend: Backend
    folder: Path
    scenario: Scenario

    def __post_init__(self) -> None:
        """Run it once without a fault."""
        self.verified: set[Any] = set()
        url = self.backend.url()
        store = self.backend.open(url)
        for step in self.scenario.before:
            step(store, self.folder)
        self.files = files_below(store)
        self.old = self.look(url)
        with faulty(Faults()) as faults:
            self.scenario.step(self.backend.open(url), self.folder)
        self.new = self.look(url)
        self.cases = list(faults.cases())

    def look(self, url: str) -> State:
        """Look at a store as a reader does that has just begun."""
        return look(self.backend.open(url), self.verified)

    def fail(self, at: int, kind: Kind, *, dead: bool) -> None:
        """Fail one call; look at the store as it is then; and do it again without a fault."""
        url = self.backend.url()
        put_files(self.backend.open(url), self.files)
        failure = None
        with faulty(Faults(at, kind, dead=dead)) as faults:
            try:
                self.scenario.step(self.backend.open(url), self.folder)
            except AspenETLError as error:
                failure = error
        assert len(faults.calls) >= at
        seen = self.look(url)
        is_old, is_new = seen.is_like(self.old), seen.is_like(self.new)
        assert is_old or is_new
        if failure is None:
            assert is_new
        else:
            check_ours(failure, CANARY)
            deletes = self.scenario.step in (vacuum, purge)
            assert is_old or deletes or isinstance(failure, CommitOutcomeUnknownError), (
                f"{failure!r} of what was committed"
            )
        self._mend(url, is_new=is_new)

    def _mend(self, url: str, *, is_new: bool) -> None:
        if self.scenario.again or not is_new:
            self.scenario.step(self.backend.open(url), self.folder)
        after = self.look(url)
        assert after.is_like(self.new)
        if self.scenario.step is purge:
            left = files_below(self.backend.open(url))
            assert not [name for name, data in left.items() if b"a0@example.org" in data]
        keeper = self.backend.open(url, attempt_limit=NO_AGE)
        keeper.vacuum(run=RUN)
        versions = keeper.history()
        rewrites = versions[0].rewrites
        named = {f.path for c in versions for s in c.stored for f in s.moved(rewrites).files}
        found = {name for name in files_below(keeper) if not name.startswith("_aspen/commits")}
        words = {f"_aspen/{name}.json" for name in WORDS}
        kept = {name for name in found if re.match(KEPT, name)}
        assert found - words - kept == named


def spread(cases: list[Any], count: int) -> Iterator[Any]:
    """Take some of many, spread over all of them, in another way in each call and kind."""
    step = max(len(cases) // count, 1)
    yield from cases[:: step + 1 if step % 2 == 0 and step > 1 else step]
    yield from cases[-2:]


#: A scenario on one storage, and in a brief run on the other one; in a thorough run on both.
STAGES = in_turn(SCENARIOS, ["disk", "memory"] if is_brief() else ["memory", "disk"])


@pytest.mark.parametrize(("scenario", "backend"), STAGES, indirect=["backend"])
def test_a_reader_sees_the_old_commit_or_the_new_one(
    backend: Backend, tmp_path: Path, scenario: str
) -> None:
    stage = Stage(backend, tmp_path, SCENARIOS[scenario])
    for number, (at, kind) in enumerate(spread(stage.cases, FEW)):
        stage.fail(at, kind, dead=number % 2 == 1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("dead", [False, True], ids=["once", "dead"])
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("backend", ["memory", "disk", "seaweed"], indirect=True)
def test_a_reader_sees_the_old_commit_or_the_new_one_at_every_call(
    backend: Backend, tmp_path: Path, scenario: str, *, dead: bool
) -> None:
    stage = Stage(backend, tmp_path, SCENARIOS[scenario])
    for at, kind in stage.cases:
        stage.fail(at, kind, dead=dead)
