"""What a store took of a landing folder: its rows are those of the log, and a replay is equal."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import fsspec
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.simulation.landed_database import LandedHistory
from aspen_etl.simulation.landed_files import Layout, write_landing
from aspen_etl.synchronization.landing_replay import replay_landing
from aspen_etl.synchronization.landing_status import landing_status
from aspen_etl.testing._landings import landed_histories
from aspen_etl.transform.ledger import LandedCounts
from tests.laws.test_landing import LANDING, MODEL, Folder, renamed
from tests.support.effort import some

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.timezone.utc)
LENIENT = ae.Thresholds(
    max_rejected_rows=1, max_rejected_cells=1, max_deleted_rows=1, allow_empty=True
)


def counted(history: LandedHistory) -> dict[str, LandedCounts]:
    """Count what the database did, by table."""
    out = {}
    for source, table in LANDING.tables.items():
        kinds = [change.operation for change in history.log if change.source == source]
        changes = [kinds.count(kind) for kind in "IUD"]
        out[table.name] = LandedCounts(len(history.loads[source]), *changes)
    return out


@some(5, 3)
@given(landed_histories(LANDING, MODEL, max_steps=12), st.data())
def test_rows_are_those_of_the_log_and_a_replay_is_equal(
    history: LandedHistory, data: st.DataObject
) -> None:
    split = data.draw(st.sampled_from([(1,), (2,), (3, 1)]))
    files = write_landing(history, LANDING, Layout(split=split))
    loads = [file for file in files if file.is_load]
    changes = data.draw(st.permutations([file for file in files if not file.is_load]))
    again = data.draw(st.lists(st.sampled_from(files), max_size=2)) if files else []
    changes += [renamed(file, number) for number, file in enumerate(again)]
    cut = data.draw(st.integers(0, len(changes)))
    store = ae.SnapshotStore(f"memory://kept-{uuid4().hex}", model=MODEL)
    with Folder(LANDING) as folder:
        for number, come in enumerate([[*loads, *changes[:cut]], changes[cut:]]):
            folder.put(come)
            run = ae.Run(time=NOW + dt.timedelta(minutes=number), actor="law")
            ae.sync(folder.landing, store, run=run, thresholds=LENIENT, on_gap="report")
        assert replay_landing(folder.landing, store, run=run).is_equal
        told = counted(history)
        status = landing_status(folder.landing, store, now=NOW, statistics=told)
        assert status.differences == ()
        if history.log:  # ... and one that never landed is seen
            source = history.log[-1].source
            table = LANDING.tables[source].name
            lost = replace(told[table], deleted=told[table].deleted + 1)
            (found,) = landing_status(
                folder.landing, store, now=NOW, statistics={**told, table: lost}
            ).differences
            assert (found.source, found.kind, found.told) == (source, "deleted", lost.deleted)
    fsspec.filesystem("memory").rm(store.url, recursive=True)
