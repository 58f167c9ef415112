"""A run in parts: sources of all kinds, workers, parts that grow and go, and what is refused."""

from __future__ import annotations

import datetime as dt
import gzip
import traceback
import weakref
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    ArgumentError,
    AspenETLError,
    CorruptStoreError,
    ExtractError,
    ModelFunctionError,
    NotSupportedError,
    ReadError,
    ThresholdError,
)
from aspen_etl.io.exchange import Exchange, Piece
from aspen_etl.schema import Entity, Model, Series, Table, column, ref
from aspen_etl.synchronization import dividing, part_work, units
from aspen_etl.synchronization.parts import Parts
from aspen_etl.workers import InTurn, Processes, Workers
from tests.laws.test_parted_stores import differences
from tests.support.borrowers import LENIENT, NO_AGE, files_below

SAMPLE = str(files("aspen_etl") / "samples/borrowers.xlsx")
TWO = Parts(7)
HEADER = "id,full_name,street,city,state,zip_code,phone_home,phone_cell,email\n"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "BLOCK", 300)


def run(day: int) -> ae.Run:
    return ae.Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor="me")


def sync(source: Any, store: Any, day: int = 1, **options: Any) -> ae.SyncReport:
    return ae.sync(source, store, run=run(day), **{"thresholds": LENIENT, **options})


def write(folder: Path, ids: Any, name: str = "Ada Lee") -> Path:
    folder.mkdir(exist_ok=True)
    lines = [f"{key},{name},,,,,,,{key}@example.org\n" for key in ids]
    (folder / "borrower.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    roles = [f"{key},Borrower\n" for key in ids]
    (folder / "role_profile.csv").write_text(
        "borrower_id,role_profile\n" + "".join(roles), encoding="utf-8"
    )
    return folder


def ids(first: int, last: int) -> list[str]:
    return [f"b{number:03d}" for number in range(first, last)]


def sizes(report: ae.SyncReport) -> list[int]:
    return [part.subjects for part in report.parts]


def exchanged(store: ae.SnapshotStore) -> list[str]:
    return [name for name in files_below(store) if "exchange" in name]


# ----------------------------------------------------------------------------- sources


def as_csv(folder: Path, extract: ae.Extract) -> Path:
    for name, frame in extract.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def as_packed(folder: Path, extract: ae.Extract) -> Path:
    as_csv(folder, extract)
    plain = folder / "borrower.csv"
    (folder / "borrower.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return folder


def as_parquet(folder: Path, extract: ae.Extract) -> Path:
    pytest.importorskip("pyarrow")
    for name, frame in extract.items():
        frame.reset_index(drop=True).to_parquet(folder / f"{name}.parquet")
    return folder


def as_folders(folder: Path, extract: ae.Extract) -> Path:
    for name, frame in extract.items():
        (folder / name).mkdir()
        for number, rows in enumerate((frame.iloc[:6], frame.iloc[6:])):
            rows.to_csv(folder / name / f"part-{number}.csv", index=False)
    return folder


SOURCES: dict[str, Callable[[Path, ae.Extract], Any]] = {
    "workbook": lambda *_: SAMPLE,
    "extract": lambda _, extract: extract,
    "csv": as_csv,
    "packed": as_packed,
    "parquet": as_parquet,
    "folders": as_folders,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_sources_of_all_kinds_are_cut(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = SOURCES[kind](tmp_path / "in", ae.read_extract(SAMPLE))
    whole = ae.SnapshotStore("memory://parted/whole-" + kind)
    parted = ae.SnapshotStore("memory://parted/parts-" + kind)
    one, two = sync(source, whole), sync(source, parted, parts=TWO)
    assert (two.tables, two.sources, two.rejects) == (one.tables, one.sources, one.rejects)
    assert len(two.parts) == parted.find().parts == 2
    assert sum(part.rows for part in two.parts) == sum(s.rows for s in two.sources.values())
    assert two.way is not None
    assert (two.way.kind, two.way.reason) == ("whole", "it runs in parts")
    assert differences(whole, parted) == []
    assert exchanged(parted) == []


def test_a_faulty_file_is_told_as_by_a_run_in_one_piece(tmp_path: Path) -> None:
    source = write(tmp_path / "in", ids(0, 40))
    with (source / "borrower.csv").open("a", encoding="utf-8") as file:
        file.write('b999,"Ada\n')
    told = []
    for parts in (None, TWO):
        with pytest.raises(ExtractError) as error:
            sync(source, tmp_path / "store", parts=parts)
        told.append(str(error.value))
    assert told[0] == told[1]


# ----------------------------------------------------------------------------- workers


@pytest.mark.parametrize("workers", [InTurn(), Processes(2)])
def test_workers_leave_the_same_bytes(workers: Workers, tmp_path: Path) -> None:
    source = write(tmp_path / "in", ids(0, 40))
    stores = [ae.SnapshotStore(tmp_path / name) for name in ("one", "two")]
    sync(source, stores[0], parts=Parts(10))
    sync(source, stores[1], parts=Parts(10), workers=workers)
    mine, theirs = (
        [[f.sha256 for f in stored.files] for stored in store.find().stored] for store in stores
    )
    assert mine == theirs
    assert stores[1].verify().problems == ()


def test_processes_do_not_see_the_memory_of_this_one(tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match="in the memory of this process, where no worker"):
        sync(SAMPLE, "memory://parted/processes", parts=TWO, workers=Processes(2))
    memory = fsspec.filesystem("memory")
    memory.put(SAMPLE, "memory://parted/borrowers.xlsx")
    with pytest.raises(NotSupportedError, match=r"borrowers\.xlsx is in the memory"):
        sync("memory://parted/borrowers.xlsx", tmp_path, parts=TWO, workers=Processes(2))


def test_a_function_that_does_not_travel_is_refused_by_name(tmp_path: Path) -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.city": lambda cells: cells})
    store = ae.SnapshotStore(tmp_path / "store", model=model)
    with pytest.raises(NotSupportedError, match=r"the cleaner of borrower\.city cannot be sent"):
        sync(SAMPLE, store, parts=TWO, workers=Processes(2))
    assert sync(SAMPLE, store, parts=TWO).outcome == "committed"


# ----------------------------------------------------------------------------- parts that change


def test_a_part_that_grew_is_split_and_the_others_stay(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    sync(write(tmp_path / "in", ids(0, 40)), store, parts=Parts(20))
    grown = write(tmp_path / "in", ids(0, 120))
    report = sync(grown, store, 2, parts=Parts(20))
    assert sizes(report) == [20, 20, 20, 20, 20, 20]
    assert store.find().parts == 6
    assert len(store.read().tables["user"]) == 120
    assert store.verify().problems == ()


def test_a_part_of_which_all_are_gone_goes(tmp_path: Path) -> None:
    store, whole = (ae.SnapshotStore(tmp_path / name) for name in ("store", "whole"))
    steps = [ids(0, 24), ids(0, 8) + ids(16, 24), ids(0, 8) + ids(16, 25)]
    for day, there in enumerate(steps, 1):
        source = write(tmp_path / "in", there)
        sync(source, store, day, parts=Parts(8))
        sync(source, whole, day)
        assert differences(whole, store) == []
    assert store.find().parts == 3  # keys of those that are gone are theirs
    for gone in ids(8, 16):
        store.purge(gone, run=run(4))
    there = [*ids(0, 8), "b012", *ids(16, 26)]
    report = sync(write(tmp_path / "in", there), store, 5, parts=Parts(8))
    assert sizes(report) == [9, 10]
    assert store.find().parts == 2
    assert store.verify().problems == ()


def test_nothing_new_is_no_commit_however_the_store_is_cut(tmp_path: Path) -> None:
    store, source = tmp_path / "store", write(tmp_path / "in", ids(0, 40))
    extract = ae.read_extract(source)
    assert sync(extract, store).outcome == "committed"
    assert sync(extract, store, 2, parts=Parts(10)).outcome == "unchanged"
    sync(write(tmp_path / "in", ids(0, 41)), store, 3, parts=Parts(10))
    assert ae.SnapshotStore(store).find().parts == 4
    again = ae.read_extract(source)
    assert sync(again, store, 4).outcome == "unchanged"
    assert sync(again, store, 5, parts=Parts(40)).outcome == "unchanged"
    assert ae.SnapshotStore(store).find().version == 2


def test_only_a_table_that_changed_is_written_and_that_in_one_folder(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    sync(write(tmp_path / "in", ids(0, 40)), store, parts=Parts(10))
    before = store.find()
    source = write(tmp_path / "in", ids(0, 40))
    text = (source / "borrower.csv").read_text("utf-8").replace("b001,Ada Lee", "b001,Bo Lee")
    (source / "borrower.csv").write_text(text, encoding="utf-8")
    sync(source, store, 2, parts=Parts(10))
    after = store.find()
    changed = {n for n, stored in after.tables.items() if stored != before.tables[n]}
    assert changed == {"user_profile"}
    assert [file.part for file in after.tables["user_profile"].files] == [0, 1, 2, 3]
    assert after.tables["user_profile"].folder("user_profile") is not None


def test_runs_in_one_piece_and_in_parts_follow_each_other(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    parts = []
    for day, how in enumerate([Parts(10), None, Parts(20), Parts(20)], 1):
        sync(write(tmp_path / "in", ids(day, 40 + day), f"Ada {day}"), store, day, parts=how)
        parts.append(store.find().parts)
        assert store.verify().problems == ()
    assert parts == [4, 1, 2, 2]
    store.restore(1, run=run(5))
    assert store.find().parts == 1
    store.resume(run=run(6))
    report = sync(write(tmp_path / "in", ids(0, 40)), store, 7, parts=Parts(10))
    assert (report.outcome, store.find().parts) == ("committed", 4)
    assert store.verify().problems == ()


def test_a_purge_reaches_the_files_of_all_parts(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    for day in (1, 2):
        source = write(tmp_path / "in", ids(0, 40), f"Ada {day}")
        sync(source, store, day, parts=Parts(10))
    store.purge("b015", run=run(3))
    left = files_below(store)
    assert not [name for name, data in left.items() if b"b015" in data]
    assert store.find().parts == 4
    assert len(store.read(1).tables["user"]) == 39
    report = sync(write(tmp_path / "in", ids(0, 40), "Ada 2"), store, 4, parts=Parts(10))
    assert report.tables["user"].inserted == 1
    assert store.verify().problems == ()


def test_what_a_run_that_died_left_goes_with_vacuum(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store", attempt_limit=NO_AGE)
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(Exchange, "remove", lambda _: None)
        with pytest.raises(AspenETLError):
            sync(write(tmp_path / "in", ids(0, 40)), store, parts=Parts(10))  # takes too long
    store = ae.SnapshotStore(tmp_path / "store")
    sync(tmp_path / "in", store, parts=Parts(10))
    assert len(exchanged(store)) > 10
    ae.SnapshotStore(tmp_path / "store", attempt_limit=NO_AGE).vacuum(run=run(2))
    assert exchanged(store) == []
    assert store.verify().problems == ()


# ----------------------------------------------------------------------------- what is told


def failing(cells: pd.Series) -> pd.Series:
    raise ValueError(cells.iloc[0])


def test_no_subject_is_named_outside_of_the_tables(tmp_path: Path) -> None:
    store, told = ae.SnapshotStore(tmp_path / "store"), list[str]()
    source = write(tmp_path / "in", [f"c4n4ry{number:02d}" for number in range(40)])
    with pytest.MonkeyPatch.context() as staying:
        staying.setattr(Exchange, "remove", lambda _: None)
        report = sync(source, store, parts=Parts(10), on_step=told.append)
    assert "normalizing (3 of 4 parts done)" in told
    left = files_below(store)
    told += [*left, report.to_json(), repr(report), str(store.verify())]
    told += [data.decode() for name, data in left.items() if name.endswith(".json")]
    assert len(left) > 30
    assert not [text for text in told if "c4n4ry" in text]


@pytest.mark.parametrize("workers", [InTurn(), Processes(2)])
def test_a_function_that_fails_tells_no_cell(workers: Workers, tmp_path: Path) -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.full_name": failing})
    store = ae.SnapshotStore(tmp_path / "store", model=model)
    source = write(tmp_path / "in", ids(0, 40), "C4n4ry Lee")
    with pytest.raises(ModelFunctionError, match=r"borrower\.full_name") as error:
        sync(source, store, parts=Parts(10), workers=workers)
    shown = "".join(traceback.format_exception(ModelFunctionError, error.value, None))
    assert "C4n4ry" not in shown
    assert exchanged(store) == []


def test_a_database_is_loaded_from_parts(tmp_path: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from aspen_etl.sql import load

    store = ae.SnapshotStore(tmp_path / "store")
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'loans.db'}")
    for day in (1, 2):
        sync(write(tmp_path / "in", ids(day, 40 + day)), store, day, parts=Parts(10))
        load(store, engine)
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.text('select count(*) from "user"')).scalar()
    assert found == 40


# ----------------------------------------------------------------------------- what is refused


def test_a_refused_run_leaves_its_rejects_and_nothing_else(tmp_path: Path) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    strict = ae.Thresholds(max_rejected_rows=0.01, max_rejected_cells=0.01)
    with pytest.raises(ThresholdError) as error:
        sync(SAMPLE, store, parts=TWO, thresholds=strict)
    assert error.value.details["rejects"]
    assert {name.rpartition("/")[2] for name in files_below(store)} >= {"run.json", "rejects.csv"}
    assert exchanged(store) == []


def test_a_model_that_cannot_be_parted_is_refused_by_name_and_works_in_one_piece(
    tmp_path: Path,
) -> None:
    class Branch(Entity, source="loans.branch_*"):
        code: Series[str] = column(natural_key=True, length=10)
        city: Series[str] = column(nullable=True, length=20)

    class Loan(Table, source="loans"):
        number: Series[str] = column(natural_key=True, length=12)
        branch_id: Series[int] = ref("branch")

    store = ae.SnapshotStore(tmp_path / "store", model=Model.of(tables=[Branch, Loan]))
    rows = {"number": ["1", "2"], "branch_code": ["a", "a"], "branch_city": ["Bath", "Bath"]}
    extract = ae.Extract(loans=pd.DataFrame(rows))
    with pytest.raises(NotSupportedError, match=r"by the entity 'branch'.*normalize it whole"):
        sync(extract, store, parts=TWO)
    assert store.newest() is None
    assert sync(extract, store).tables["branch"].inserted == 1


def test_a_piece_that_is_not_what_was_written_is_not_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    put = Exchange.put

    def damaging(self: Exchange, values: Any) -> list[Piece]:
        pieces = put(self, values)
        path = Path(self.root.child(pieces[0].name).path)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
        return pieces

    monkeypatch.setattr(Exchange, "put", damaging)
    with pytest.raises(ReadError, match="its bytes are not those that were written"):
        sync(write(tmp_path / "in", ids(0, 40)), store, parts=Parts(10))
    assert store.newest() is None
    assert exchanged(store) == []


def test_parts_that_overlap_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ae.SnapshotStore(tmp_path / "store")
    sync(write(tmp_path / "in", ids(0, 40)), store, parts=Parts(10))
    find = dividing._find_range

    def turned(place: Any, newest: Any, how: Any, number: int) -> Any:
        return find(place, newest, how, newest.parts - 1 - number)

    monkeypatch.setattr(dividing, "_find_range", turned)
    with pytest.raises(CorruptStoreError, match="its parts overlap"):
        sync(write(tmp_path / "in", ids(0, 41)), store, 2, parts=Parts(10))


@pytest.mark.parametrize(
    ("options", "told"),
    [({"subjects": 0}, "1 or more"), ({"max_memory": 1 << 20}, "268,435,456 bytes or more")],
)
def test_parts_that_cannot_be_are_refused(options: dict[str, int], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        Parts(**options)


def test_less_memory_makes_more_parts() -> None:
    few, many = (
        Parts(max_memory=size << 20).subjects_of(rows=10**6, size=180 << 20) for size in (700, 400)
    )
    assert many < few == 250_000


def test_rows_keep_their_numbers_in_rejects(tmp_path: Path) -> None:
    source = write(tmp_path / "in", ids(0, 40))
    text = (source / "borrower.csv").read_text("utf-8").replace("b030@", "b030")
    (source / "borrower.csv").write_text(text, encoding="utf-8")
    store = ae.SnapshotStore(tmp_path / "store")
    sync(source, store, parts=Parts(10))
    rejects = store.read_rejects()
    assert rejects[["row", "column"]].to_numpy().tolist() == [[32, "email"]]
    assert isinstance(rejects, pd.DataFrame)


def test_what_a_worker_tells_keeps_no_table_in_memory() -> None:
    large = np.arange(100_000)
    told, seen = (
        part_work._alone(pd.DataFrame({"n": large}, copy=False).iloc[:2]),
        weakref.ref(large),
    )
    del large
    assert seen() is None
    assert told["n"].tolist() == [0, 1]
