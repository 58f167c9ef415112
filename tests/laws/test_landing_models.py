"""A landing folder feeds any model: typed columns, entities, sheets over sheets."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.synchronization.landing import read_landing
from aspen_etl.testing import FAULT_KINDS, histories
from tests.laws.models import MODELS
from tests.laws.test_landing_store import assert_holds, run, stored_state
from tests.support.borrowers import LENIENT
from tests.support.effort import some

#: A key that no model knows.
KEY = "landed key"
#: What can stand in a landed file.
FAULTS = sorted(FAULT_KINDS.keys() - {"surrogate", "control", "excel_error", "inexact_number"})
Rows = dict[str, dict[str, Any]]


def rows_of(extract: ae.Extract) -> dict[str, Rows]:
    """Give the rows of each sheet, known by their numbers."""
    out: dict[str, Rows] = {}
    for name, frame in extract.items():
        cells = frame.astype(object).where(frame.notna(), None)
        out[name] = {
            f"{row:06}": {column: cell or None for column, cell in cells.loc[row].items()}
            for row in cells.index
        }
    return out


def changes(before: Rows, after: Rows) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for key in sorted({*before, *after}):
        if key not in after:
            yield "D", key, before[key]
        elif key not in before:
            yield "I", key, after[key]
        elif before[key] != after[key]:
            yield "U", key, after[key]


def put(landing: Landing, model: ae.Model, number: int, states: list[dict[str, Rows]]) -> None:
    """Let the files of one run lie in a folder: a full load, or what changed."""
    before, after = states
    moment = dt.datetime(2026, 1, 1, 0, number, tzinfo=dt.timezone.utc)
    file = f"{moment:%Y%m%d-%H%M%S}000" if number else "LOAD00000001"
    memory = fsspec.filesystem("memory")
    for source, spec in model.sources.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["Op", "dms_time", "dms_seq", f"BI_{KEY}", KEY, *spec.columns])
        found = list(changes(before.get(source, {}), after[source]))
        for at, (kind, key, row) in enumerate(found):
            cells = [
                landing.null if row[column] is None else row[column] for column in spec.columns
            ]
            stamp = f"{moment:%Y%m%d%H%M%S}00{at:019}"
            writer.writerow([kind, f"{moment:%F %T.%f}", stamp, key, key, *cells])
        if found:
            memory.pipe_file(f"{landing.url}/dbo/{source}/{file}.csv", text.getvalue().encode())


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_landing_gives_the_store_that_the_rows_give(model: ae.Model) -> None:
    @some(6, 2)
    @given(histories(model, faults=FAULTS), st.sampled_from([0, 96]))
    def same(history: list[ae.Extract], whole_every: int) -> None:
        url = f"memory://landed-models-{uuid4().hex}"
        tables = {name: LandedTable(f"dbo.{name}", (KEY,)) for name in model.sources}
        landing = Landing(f"{url}/landing", tables, loaded="declared")
        fsspec.filesystem("memory").makedirs(landing.url)
        landed, plain = (ae.SnapshotStore(f"{url}/{name}", model=model) for name in "ab")
        options: Any = {"thresholds": replace(LENIENT, allow_empty=True)}
        states: list[dict[str, Rows]] = [{}, *map(rows_of, history)]
        for day in range(len(history)):
            put(landing, model, day, states[day : day + 2])
            now = run(day)
            state = stored_state(landed)
            read = read_landing(landing, model=model, until=now.time, state=state)
            ae.sync(landing, landed, run=now, whole_every=whole_every, **options)
            ae.sync(read.extract, plain, run=now, keep_source=False, **options)
            assert_holds(landed, plain)
            for source, rows in rows_of(read.extract).items():
                wanted = rows_of(history[day])[source].values()
                assert sorted(map(str, rows.values())) == sorted(map(str, wanted))

    same()
