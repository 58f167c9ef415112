"""Going back: the rows of an old version as a new one."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from aspen_etl.changes import diff
from aspen_etl.errors import SourceNotFoundError
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.snapshot import KeyState
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit, KeyEntry
from aspen_etl.store.frames import empty
from aspen_etl.store.store_writer import StoreWriter
from aspen_etl.transform.keys import conform_keys

__all__ = ["restore_version"]


def restore_version(store: StoreWriter, version: int, newest: Commit, run: Run) -> Commit:
    """Commit what an old version holds after the newest, and put the store on hold."""
    old = store.find(version)
    store.check_model(old)
    now = store.load(newest)
    lost = ""
    try:
        then = store.load_old(old, newest)
    except SourceNotFoundError as error:
        lost = str(error.details.get("url", ""))
    if lost:
        raise store.lost(lost, newest)
    attempt = store.attempt(newest.version + 1, base=newest)
    keys: dict[str, KeyEntry] = {}
    for name, state in now.keys.items():
        table = store.model.tables[name]
        before = then.keys.get(name)
        frame = then.tables.get(name)
        rows = empty(table.columns) if frame is None else frame
        given = _union(table, state.given, before.given if before else state.given)
        following = max(state.next, before.next if before else 1)
        keys[name] = attempt.keys(table, KeyState(following, given), rows, newest.keys.get(name))
    commit = store.next_commit(newest, "restore", run, attempt)
    after, _ = complete(then.tables, store.model)
    moved = {name: held.moved(newest.rewrites) for name, held in old.tables.items()}
    return store.append(
        replace(
            commit,
            hold=commit.version,
            tables=moved,
            keys=keys,
            changes=diff(now.tables, after, model=store.model).counts,
            rejects=old.rejects.moved(newest.rewrites) if old.rejects else None,
            reject_counts=old.reject_counts,
            source=replace(old.source, fingerprint=None),
        ),
        attempt,
    )


def _union(table: TableSpec, one: pd.DataFrame, two: pd.DataFrame) -> pd.DataFrame:
    joined = pd.concat([one, two], ignore_index=True).drop_duplicates(table.primary_key)
    joined = joined.sort_values(table.primary_key, kind="stable", ignore_index=True)
    return conform_keys(joined, table)
