"""Sides of every kind in bounded memory: report and details are those of the way in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError
from aspen_etl.synchronization import spilling
from aspen_etl.synchronization.parts import Parts
from tests.support.borrowers import LENIENT, RUN, write_borrowers

LEAST = 256 << 20
NAMES = ["Ann Lee", "Bo Ek", "Cy Fox", "Di Orr"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare each of a few groups alone, and cut tables into rows."""
    monkeypatch.setattr(spilling, "GROUPS", 2)
    monkeypatch.setattr(spilling, "_ROWS", 2)
    monkeypatch.setattr(Parts, "bytes_at_once", 1)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return write_borrowers(tmp_path / "in", NAMES)


@pytest.fixture
def store(tmp_path: Path, folder: str) -> ae.SnapshotStore:
    found = ae.SnapshotStore(tmp_path / "store")
    ae.sync(folder, found, run=RUN, thresholds=LENIENT)
    return found


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Any]:
    sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    found = sa.create_engine(f"sqlite:///{tmp_path / 'lender.db'}", poolclass=sa.NullPool)
    yield found
    found.dispose()


def check(one: Any, two: Any, tmp_path: Path, **more: Any) -> ae.Reconciliation:
    reports, details = [], []
    for memory in (None, LEAST):
        place = tmp_path / "details.csv"
        told = {"run": RUN, "max_memory": memory, "details": str(place), **more}
        reports.append(ae.reconcile(one, two, **told))
        details.append(place.read_text(encoding="utf-8"))
        place.unlink()
    assert reports[0] == reports[1]
    assert details[0] == details[1]
    return reports[0]


def test_files_values_and_stores(
    folder: str, store: ae.SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    tables, read = store.read().tables, ae.read_extract(folder)
    assert check(read, tables, tmp_path).outcome == "in_step"
    write_borrowers(tmp_path / "in", ["Ann Roe", *NAMES[1:3], "Gus Ito"])
    found = check(folder, store, tmp_path)
    assert (found.outcome, found.unexplained) == ("unexplained", 2)
    parted = ae.SnapshotStore(tmp_path / "parted")
    ae.sync(folder, parted, run=RUN, thresholds=LENIENT, parts=ae.Parts(subjects=2))
    assert parted.find().parts > 1
    assert check((store, 1), parted, tmp_path).unexplained == 2
    assert check(store, parted, tmp_path, tables=True).unexplained > 2
    assert not list(scratch.iterdir())


def test_databases_of_both_shapes(
    folder: str, store: ae.SnapshotStore, engine: Any, tmp_path: Path
) -> None:
    from aspen_etl import sql
    from aspen_etl.sql.flat import FlatDatabase
    from aspen_etl.sql.flat_tables import FlatNames

    read = ae.read_extract(folder)
    for name in read:  # one table has a key, and so an order
        key = ", PRIMARY KEY (id)" if name == "borrower" else ""
        columns = ", ".join(f"{column} TEXT" for column in read[name])
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE old_{name} ({columns}{key})")
        read[name].to_sql(f"old_{name}", engine, index=False, if_exists="append")
    names = FlatNames({name: f"old_{name}" for name in read}, {})
    flat = FlatDatabase(engine, ae.BORROWER_MODEL, names, None)
    sql.load(store, engine)
    tables = sql.TableDatabase(engine)
    assert check(flat, tables, tmp_path).outcome == "in_step"
    found = check(store, tables, tmp_path, tables=True)
    assert (found.outcome, found.target.kind) == ("in_step", "database")
    assert found.source.rows == {name: len(frame) for name, frame in store.read().tables.items()}
    with engine.begin() as connection:  # an application writes
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("UPDATE \"user\" SET user_id = 99 WHERE user_profile_id = '101'")
        connection.exec_driver_sql("UPDATE email SET updated_by = 'they'")
        connection.exec_driver_sql("DELETE FROM user_profile WHERE user_profile_id = '103'")
    found = check(store, tables, tmp_path, tables=True)
    told = {(e.kind, e.sheet, e.column, e.count) for e in found.differences}
    assert ("differs", "user", "user_id", 1) in told
    assert ("missing", "user_profile", None, 1) in told
    assert found.unexplained == 2 + found.target.rows["email"]


def test_what_is_no_pair_of_tables_or_no_limit_is_refused(
    folder: str, store: ae.SnapshotStore
) -> None:
    for memory in (None, LEAST):
        with pytest.raises(ArgumentError, match="a side is flat"):
            ae.reconcile(folder, store, run=RUN, tables=True, max_memory=memory)
    with pytest.raises(ArgumentError, match="max_memory"):
        ae.reconcile(folder, store, run=RUN, max_memory=LEAST - 1)
