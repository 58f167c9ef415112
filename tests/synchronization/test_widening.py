"""A store goes on under a model whose columns hold more: tables are written anew, rows stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.columns.dtypes import decimal_dtype
from aspen_etl.errors import ModelMismatchError
from aspen_etl.schema import Model, Series, Table, column, ref

FORMATS: list[Literal["csv", "parquet"]] = ["csv", "parquet"]


class Patient(Table, source="patients"):
    """Who is treated."""

    patient_no: Series[str] = column(natural_key=True, length=9)


class Narrow(Table, source="visits"):
    """A visit, as it was."""

    visit_no: Series[str] = column(natural_key=True, length=9)
    patient_id: Series[int] = ref("patient", source="patient_no")
    note: Series[str] = column(length=4)
    fee: Series[Decimal] = column(precision=5, scale=2)
    count: Series[int] = column(minimum=0)
    day: Series[dt.date] = column(minimum=dt.date(1900, 1, 1))
    paid: Series[bool] = column()

    class Config:
        name = "visit"


class Wide(Table, source="visits"):
    """A visit that holds more."""

    visit_no: Series[str] = column(natural_key=True, length=9)
    patient_id: Series[int] = ref("patient", source="patient_no", nullable=True)
    note: Series[str] = column(length=40, nullable=True)
    fee: Series[Decimal] = column(precision=12, scale=2)
    count: Series[int] = column(nullable=True)
    day: Series[dt.date] = column()
    paid: Series[bool] = column(nullable=True)

    class Config:
        name = "visit"


NARROW, WIDE = Model.of(tables=[Patient, Narrow]), Model.of(tables=[Patient, Wide])
ROWS = [
    ["V1", "P1", "a", "1.50", "0", "2020-01-31", "true"],
    ["V2", "P2", "b", "-999.99", "7", "1900-01-01", "false"],
]
MORE = ["V3", None, None, "1234567890.12", "-3", "1600-01-01", None]


def extract(*rows: Sequence[Optional[str]]) -> ae.Extract:
    columns = list(NARROW.sources["visits"].columns)
    patients = pd.DataFrame({"patient_no": ["P1", "P2"]}, dtype=object)
    visits = pd.DataFrame(list(map(list, rows)), columns=columns, dtype=object)
    return ae.Extract.from_frames({"patients": patients, "visits": visits})


def run(day: int) -> ae.Run:
    return ae.Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor=f"day {day}")


@pytest.fixture(params=FORMATS)
def narrow(request: pytest.FixtureRequest, tmp_path: Path) -> ae.SnapshotStore:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    store = ae.SnapshotStore(tmp_path.as_posix(), model=NARROW, format=request.param)
    ae.sync(extract(*ROWS), store, run=run(1))
    return store


def widened(store: ae.SnapshotStore) -> ae.SnapshotStore:
    return ae.SnapshotStore(store.url, model=WIDE)


def test_what_was_written_before_is_read_as_it_is_now(narrow: ae.SnapshotStore) -> None:
    wide = widened(narrow)
    visits = wide.read().tables["visit"]
    assert visits["fee"].dtype == decimal_dtype(12, 2)
    assert (str(visits["count"].dtype), str(visits["paid"].dtype)) == ("Int64", "boolean")
    assert visits["note"].tolist() == ["a", "b"]
    assert wide.verify().problems == ()


def test_the_next_run_writes_the_table_anew_and_no_row_is_updated(
    narrow: ae.SnapshotStore,
) -> None:
    wide = widened(narrow)
    before = wide.find().tables
    report = ae.sync(extract(*ROWS), wide, run=run(2))
    assert (report.outcome, report.version) == ("committed", 2)
    assert (report.tables["visit"].updated, report.tables["visit"].inserted) == (0, 0)
    after = wide.find().tables
    assert after["patient"] == before["patient"]
    assert after["visit"].files != before["visit"].files
    visits = wide.read().tables["visit"]
    assert visits["updated"].isna().all()
    assert set(visits["created_by"]) == {"day 1"}
    assert ae.sync(extract(*ROWS), wide, run=run(3)).outcome == "unchanged"
    assert wide.verify().problems == ()


def test_rows_that_hold_more_are_taken_beside_the_old_ones(narrow: ae.SnapshotStore) -> None:
    wide = widened(narrow)
    report = ae.sync(extract(*ROWS, MORE), wide, run=run(2))
    assert (report.tables["visit"].inserted, report.tables["visit"].updated) == (1, 0)
    last = wide.read().tables["visit"].iloc[-1]
    assert (last["fee"], last["count"]) == (Decimal("1234567890.12"), -3)
    assert last[["patient_id", "note", "paid"]].isna().all()
    assert wide.verify().problems == ()
    assert len(wide.read(1).tables["visit"]) == 2


def test_the_old_model_no_longer_fits_but_reads_what_it_wrote(narrow: ae.SnapshotStore) -> None:
    ae.sync(extract(*ROWS), widened(narrow), run=run(2))
    with pytest.raises(ModelMismatchError, match=r"visit\.fee has another precision"):
        narrow.read()
    assert narrow.read(1).tables["visit"]["fee"].dtype == decimal_dtype(5, 2)


def test_what_is_done_between_runs_leaves_the_writing_to_the_next_one(
    narrow: ae.SnapshotStore,
) -> None:
    wide = widened(narrow)
    wide.purge("P2", run=run(2))
    wide.restore(1, run=run(3))
    wide.resume(run=run(4))
    assert wide.verify().problems == ()
    before = wide.find().tables["visit"]
    report = ae.sync(extract(ROWS[0]), wide, run=run(5))
    assert report.tables["visit"].updated == 0
    after = wide.find()
    assert after.tables["visit"].files != before.files
    columns = after.model["visit"]["columns"]
    assert isinstance(columns, Mapping)
    assert columns["fee"]["precision"] == 12
    assert wide.verify().problems == ()


def test_a_version_that_was_narrower_is_written_anew_too(narrow: ae.SnapshotStore) -> None:
    wide = widened(narrow)
    ae.sync(extract(*ROWS), wide, run=run(2))
    wide.restore(1, run=run(3))
    wide.resume(run=run(4))
    before = wide.find().tables["visit"]
    assert before == wide.find(1).tables["visit"]
    ae.sync(extract(*ROWS), wide, run=run(5))
    assert wide.find().tables["visit"].files != before.files
    assert wide.verify().problems == ()


def test_a_database_is_not_altered(tmp_path: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    from aspen_etl.sql import create

    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path.as_posix()}/visits.db")
    create(engine, model=NARROW)
    with pytest.raises(ModelMismatchError, match=r"visit\.note has another length"):
        create(engine, model=WIDE)
    engine.dispose()
