"""What a store remembers of who wrote it: its format, its model, and the library."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelMismatchError
from aspen_etl.store.frames import checksum
from tests.store.test_store import CY, ROLES, ids, run, sync, three_versions
from tests.support.borrowers import LENIENT, write_borrowers
from tests.support.commits import as_text, make_format_1, read_json, write_commit_file
from tests.transform.sheets import ADA, extract

_STORES = itertools.count()


@pytest.fixture
def url() -> str:
    return f"memory://remembered/{next(_STORES)}"


@pytest.fixture
def parquet(url: str) -> ae.SnapshotStore:
    """Make a store whose tables are Parquet, and open it without saying so."""
    pytest.importorskip("pyarrow")
    three_versions(url, format="parquet")
    return ae.SnapshotStore(url)


def test_a_store_goes_on_in_its_own_format(parquet: ae.SnapshotStore) -> None:
    before = parquet.find().tables
    report = sync(
        parquet, extract({**ADA, "city": "Bari"}, {**CY, "email": "none"}, roles=ROLES), 4
    )
    assert (report.version, report.format, report.format_before) == (4, "parquet", "parquet")
    after = parquet.find()
    assert {stored.format for stored in after.tables.values()} == {"parquet"}
    assert [name for name in after.tables if after.tables[name] != before[name]] == ["address"]
    parquet.restore(1, run=run(5))
    parquet.resume(run=run(6))
    parquet.purge("a", run=run(7))
    assert {stored.format for stored in parquet.find().stored} == {"parquet"}
    assert parquet.verify().problems == ()


def test_another_format_is_a_migration_also_of_an_unchanged_source(
    parquet: ae.SnapshotStore, tmp_path: Path
) -> None:
    source = write_borrowers(tmp_path / "in", ["Ann Ames", "Bob Burns"])
    ae.sync(source, parquet, run=run(4), thresholds=LENIENT)
    rows = parquet.read()
    as_csv = ae.SnapshotStore(parquet.url, format="csv")
    planned = ae.plan(source, as_csv, run=run(5), thresholds=LENIENT)
    assert (planned.format, planned.format_before) == ("csv", "parquet")
    report = ae.sync(source, as_csv, run=run(5), thresholds=LENIENT)
    assert (report.outcome, report.format, report.format_before) == ("committed", "csv", "parquet")
    assert sum(table.inserted + table.updated for table in report.tables.values()) == 0
    assert parquet.read().equals(rows)
    assert ae.sync(source, parquet, run=run(6), thresholds=LENIENT).outcome == "unchanged"
    assert parquet.find().format_of_tables == "csv"


def test_a_forgotten_model_is_what_the_message_says_first(url: str) -> None:
    class Borrower(ae.borrower.Borrower):
        county: Series[str] = ae.column(nullable=True)

    class UserProfile(ae.borrower.UserProfile):
        county: Series[str] = ae.column(nullable=True, length=40, source="borrower.county")

    model = ae.BORROWER_MODEL.replace(sources=[Borrower], tables=[UserProfile])
    given = extract(ADA)
    frame = given["borrower"].assign(county=pd.Series(["Kings"], index=given["borrower"].index))
    own = ae.Extract(borrower=frame, role_profile=given["role_profile"])
    sync(ae.SnapshotStore(url, model=model), own, 1)
    store = ae.SnapshotStore(url)
    for use in (store.read, store.verify, lambda: sync(store, given, 2)):
        with pytest.raises(ModelMismatchError) as found:
            use()
        text = str(found.value)
        assert 0 < text.index("model= (--model)") < text.index("another store")


#: What release 0.1 may have left: a first run, or one more that found nothing to do.
@pytest.mark.parametrize("runs", [1, 2])
def test_ids_that_release_0_1_changed_are_mended_by_the_next_sync_of_the_same_file(
    runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, store = (
        write_borrowers(tmp_path / "in", ["Ann", "Bob"]),
        ae.SnapshotStore(tmp_path / "x"),
    )
    with monkeypatch.context() as then:
        then.setattr("aspen_etl.synchronization.source.library_version", lambda: "0.1.0")
        then.setattr("aspen_etl.synchronization.source.STORE_FORMAT", 1)
        for day in range(1, runs + 1):
            ae.sync(source, store, run=run(day), thresholds=LENIENT)
    make_format_1(store)
    change_id(store, "101", "102")
    assert ids(store) == ["100", "102"]
    report = ae.sync(source, store, run=run(3), thresholds=LENIENT)
    assert (report.outcome, report.source_read, report.version) == ("committed", True, 2)
    assert ids(store) == ["100", "101"]
    assert ae.sync(source, store, run=run(4), thresholds=LENIENT).source_read is False


def change_id(store: ae.SnapshotStore, right: str, wrong: str) -> None:
    """Write tables with another id, as if the source had been read so."""
    values = read_json(store, 1)
    for name in ("user_profile", "user"):
        file = values["tables"][name]["files"][0]
        place = store.place.root.child(file["path"])
        data = place.read(1 << 20).replace(right.encode(), wrong.encode())
        place.filesystem.pipe_file(place.path, data)
        file.update(bytes=len(data), sha256=checksum(data))
    write_commit_file(store, 1, as_text(values))
