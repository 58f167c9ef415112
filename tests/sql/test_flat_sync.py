"""A database in a store: it is looked at each time, and what changed alone is settled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from tests.synchronization.conftest import COUNT, FIRST_ROW
from tests.synchronization.test_short_way import COMMITTED, SHORT, go, reason
from tests.synchronization.test_sync import many, run

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")


def fill(database: Any, extract: ae.Extract) -> None:
    with database.engine.begin() as connection:
        for name, frame in extract.items():
            frame.to_sql(name, connection, index=False, if_exists="replace")


def filled(database: Any) -> Callable[[], ae.Extract]:
    fill(database, many(COUNT))
    return lambda: ae.read_database(database.engine)


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    return ae.SnapshotStore(tmp_path / "store", rejects_url=tmp_path / "rejects")


def test_a_database_takes_the_short_way_by_its_cells(
    database: Any, store: ae.SnapshotStore
) -> None:
    pytest.importorskip("pyarrow")
    reading = filled(database)
    assert reason(go(reading, store, 1)) == COMMITTED
    changed = many(COUNT)
    changed["borrower"].loc[FIRST_ROW + 3, "city"] = "Rome"
    fill(database, changed)
    report = go(reading, store, 2)
    assert report.way is not None
    assert (reason(report), report.way.touched) == (SHORT, 1)
    assert report.tables["address"].updated == 1
    assert go(reading, store, 3).outcome == "unchanged"
    assert store.verify().problems == ()


@pytest.mark.parametrize("one_database", ["sqlite"], indirect=True)
def test_who_comes_second_reads_the_database_anew(
    one_database: Any, store: ae.SnapshotStore
) -> None:
    reading = filled(one_database)
    asked: list[int] = []

    def slow() -> ae.Extract:
        asked.append(1)
        found = reading()
        if len(asked) == 1:  # meanwhile the database goes on, and another run sees that
            fill(one_database, many(COUNT + 1))
            ae.sync(reading, store, run=run(1))
        return found

    report = ae.sync(slow, store, run=run(2))
    assert (report.outcome, report.version, report.attempts) == ("unchanged", 1, 2)
    assert len(asked) == 2
    assert len(store.read().tables["user"]) == COUNT + 1


@pytest.mark.parametrize("one_database", ["sqlite"], indirect=True)
def test_a_plan_reads_a_database(one_database: Any) -> None:
    report = ae.plan(filled(one_database), "memory://flat/plan", run=run(1))
    assert (report.outcome, report.tables["user"].inserted) == ("planned", COUNT)
