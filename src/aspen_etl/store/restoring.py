"""Going back: the rows of an old version as a new one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd

from aspen_etl.changes import diff
from aspen_etl.errors import TwoWayError
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.snapshot import KeyState, Snapshot
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import append, described_as, next_commit, retrying
from aspen_etl.store.frames import empty
from aspen_etl.store.place import Place
from aspen_etl.store.reading import find, load_old, whole
from aspen_etl.store.stored import KeyEntry
from aspen_etl.transform.keys import Retired, conform_keys

__all__ = ["restore", "resume"]


def restore(place: Place, version: int, run: Run, /) -> Commit:
    """Commit what an old version holds after the newest, and put the store on hold."""
    return retrying(place, partial(_restore, place, version, run))


def _restore(place: Place, version: int, run: Run, newest: Commit) -> Commit:
    if newest.sides is not None:
        raise TwoWayError.refused(place.url, "restore")
    old = find(place, version)
    place.check_model(old)
    now, then = _load(place, newest, newest), _load(place, old, newest)
    attempt = Attempt(place, newest.version + 1, base=newest)
    keys = _keys(place, attempt, newest, (now, then))
    commit = next_commit(place, newest, "restore", run, attempt)
    after, _ = complete(then.tables, place.model)
    restored = replace(
        commit,
        hold=commit.version,
        model=described_as(commit.model, old),
        tables={name: held.moved(newest.rewrites) for name, held in old.tables.items()},
        keys=keys,
        parts=1,  # keys are written whole
        changes=diff(now.tables, after, model=place.model).counts,
        rejects=old.rejects.moved(newest.rewrites) if old.rejects else None,
        reject_counts=old.reject_counts,
        source=replace(old.source, fingerprint=None),
    )
    return append(place, restored, attempt)


def _load(place: Place, old: Commit, newest: Commit) -> Snapshot:
    return whole(place, newest, lambda: load_old(place, old, newest))


def _keys(
    place: Place, attempt: Attempt, newest: Commit, states: tuple[Snapshot, Snapshot]
) -> dict[str, KeyEntry]:
    """Write all keys given until now, of the rows of now and of then."""
    now, then = states
    keys: dict[str, KeyEntry] = {}
    for name, state in now.keys.items():
        table = place.model.tables[name]
        before = then.keys.get(name)
        frame = then.tables.get(name)
        rows = empty(table.columns) if frame is None else frame
        given = _union(table, state.given, before.given if before else state.given)
        following = max(state.next, before.next if before else 1)
        found = Retired.of(KeyState(following, given), rows, table)
        keys[name] = attempt.keys(table, found, newest.keys.get(name))
    return keys


def _union(table: TableSpec, one: pd.DataFrame, two: pd.DataFrame) -> pd.DataFrame:
    joined = pd.concat([one, two], ignore_index=True).drop_duplicates(table.primary_key)
    joined = joined.sort_values(table.primary_key, kind="stable", ignore_index=True)
    return conform_keys(joined, table)


def resume(place: Place, run: Run, /) -> Commit:
    """Let runs go on after ``restore``; give the newest commit where nothing is on hold."""
    return retrying(place, partial(_resume, place, run))


def _resume(place: Place, run: Run, newest: Commit) -> Commit:
    if newest.hold is None:
        return newest
    attempt = Attempt(place, newest.version + 1, base=newest)
    commit = next_commit(place, newest, "resume", run, attempt)
    return append(place, replace(commit, hold=None), attempt)
