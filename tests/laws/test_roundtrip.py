"""What is committed is read back equal; a file's form does not depend on what it holds."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import given

import aspen_etl as ae
from aspen_etl.schema import KeyState, Run, Snapshot
from aspen_etl.testing import extracts, tables
from tests.laws.models import MODELS
from tests.support.effort import some
from tests.transform.sheets import ADA, BO, extract

_STORES = itertools.count()
RUN = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="laws")
FEWER = some(3, least=4)
LENIENT = ae.Thresholds(max_rejected_rows=1, max_rejected_cells=1)


def new_store(**options: Any) -> ae.SnapshotStore:
    return ae.SnapshotStore(f"memory://roundtrip/{next(_STORES)}", **options)


@pytest.fixture(params=["csv", "parquet"])
def file_format(request: pytest.FixtureRequest) -> Any:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return request.param


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_any_tables_are_read_back_equal(model: ae.Model, file_format: Any) -> None:
    @FEWER
    @given(tables(model))
    def are_read_back(made: ae.Tables) -> None:
        keys = {}
        for name, table in model.tables.items():
            if table.has_surrogate_key:
                given_keys = made[name][[table.primary_key, *table.natural_key]]
                numbers = given_keys[table.primary_key]
                following = int(numbers.max()) + 1 if len(numbers) else 1
                order = numbers.sort_values().index
                keys[name] = KeyState(following, given_keys.loc[order].reset_index(drop=True))
        store = new_store(model=model, format=file_format)
        snapshot = Snapshot(made, keys)
        changes = ae.diff({}, made, model=model)
        store.commit(snapshot, run=RUN, parent=0, changes=changes)
        assert store.read().equals(snapshot)

    are_read_back()


def test_any_run_is_read_back_equal_and_written_alike_twice(file_format: Any) -> None:
    @FEWER
    @given(extracts(faults="all"))
    def is_read_back(made: ae.Extract) -> None:
        stores = [new_store(format=file_format) for _ in range(2)]
        for store in stores:
            ae.sync(made, store, run=RUN, thresholds=LENIENT)
        result = ae.normalize(made, run=RUN)
        assert stores[0].read().equals(result.snapshot)
        assert stores[0].read_rejects().equals(result.rejects)
        one, two = ([file.sha256 for s in x.find().stored for file in s.files] for x in stores)
        assert one == two

    is_read_back()


def test_the_form_of_a_file_does_not_depend_on_what_it_holds(file_format: Any) -> None:
    bare = {**BO, "street": None, "city": "Turin", "state": "MA", "zip_code": "02138"}
    store = new_store(format=file_format)
    for day, given_extract in enumerate((extract(), extract(bare), extract(ADA, BO)), 1):
        run = Run(time=dt.datetime(2026, 2, day, tzinfo=dt.timezone.utc), actor="laws")
        ae.sync(given_extract, store, run=run, thresholds=LENIENT)
    heads: set[object] = set()
    for version in (1, 2, 3):
        stored = store.find(version).tables["address"]
        data = store.place.root.child(stored.files[0].path).read(1 << 20)
        if file_format == "csv":
            heads.add(data.partition(b"\n")[0])
        else:
            import io

            import pyarrow.parquet as pq

            heads.add(str(pq.read_schema(io.BytesIO(data))))
    assert len(heads) == 1
