"""Tables of every type are committed, read back equal, and stay where nothing changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.derive.formats import FormatName
from aspen_etl.schema import Model
from aspen_etl.store import SnapshotStore
from tests.normalization import test_typed_keys as keys
from tests.support.payments import MODEL, RUN, extract

ROWS: list[dict[str, Any]] = [
    {"amount": "1,234.50", "rate": "0.000001", "booked": "2020-01-31 10:00", "parts": "7"},
    {"amount": "-7", "paid": "12/31/1999", "due": "2000-01-01", "seen": "2020-01-31T10:00+01:00"},
    {"settled": "N", "disputed": "true", "rate": "-1.5", "parts": "0"},
    {"amount": "9999999999.99", "rate": "999.999999", "paid": "9999-12-31", "disputed": "FALSE"},
    {"amount": "-9999999999.99", "paid": "1582-10-15", "seen": "9999-12-31 23:59:59.999"},
    {},
]
FORMATS: list[FormatName] = ["csv", "parquet"] if HAS_ARROW else ["csv"]


def commit(store: SnapshotStore, given: ae.Extract, model: Model) -> ae.NormalizeResult:
    """Go on from what the store holds, and commit it."""
    newest = store.newest()
    version = newest.version if newest is not None else 0
    before = store.read() if version else None
    result = ae.normalize(given, run=RUN, model=model, previous=before)
    store.commit(
        result.snapshot,
        run=RUN,
        parent=version,
        changes=result.changes,
        rejects=result.rejects,
    )
    return result


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_is_committed_is_read_back_equal_and_goes_on(
    tmp_path: Path, file_format: FormatName
) -> None:
    store = SnapshotStore(tmp_path / "store", model=MODEL, format=file_format)
    first = commit(store, extract(*ROWS, {"amount": "x"}), MODEL)
    back = store.read()
    assert back.equals(first.snapshot)
    found, made = back.tables["payment"], first.tables["payment"]
    assert found.dtypes.to_dict() == made.dtypes.to_dict()
    assert ae.denormalize(back.tables, model=MODEL).equals(
        ae.denormalize(first.tables, model=MODEL)
    )
    assert store.read_rejects()["rule"].tolist() == ["invalid_amount"]
    again = commit(store, extract(*ROWS, {"amount": "x"}), MODEL)
    assert again.changes.is_empty
    assert [commit.version for commit in store.history()] == [1]
    changed = commit(store, extract({**ROWS[0], "amount": "1,234.51"}, *ROWS[1:]), MODEL)
    assert changed.changes.counts["payment"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert store.read().equals(changed.snapshot)
    assert store.read(1).tables.equals(first.tables)
    assert store.diff(1, 2).equals(changed.changes)


@pytest.mark.parametrize("file_format", FORMATS)
def test_keys_of_every_type_are_kept(tmp_path: Path, file_format: FormatName) -> None:
    store = SnapshotStore(tmp_path / "store", model=keys.MODEL, format=file_format)
    first = commit(store, keys.extract(), keys.MODEL)
    commit(store, keys.extract(deals=keys.DEALS[:1]), keys.MODEL)
    assert store.read().keys["deals"].given["no"].tolist() == [-5, 9, 9, 10]
    third = commit(store, keys.extract(), keys.MODEL)
    assert third.tables["deals"]["deal_id"].tolist() == first.tables["deals"]["deal_id"].tolist()
    assert store.read().equals(third.snapshot)
