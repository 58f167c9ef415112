"""Sources without lines take the short way by their cells, which are kept as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.store.kept import read_kept
from tests.support.workbooks import BORROWER, table, workbook
from tests.synchronization.conftest import COUNT, FIRST_ROW
from tests.synchronization.test_short_way import COMMITTED, OTHER, SHORT, go, kept_files, reason
from tests.synchronization.test_sync import many, run, write

pytest.importorskip("pyarrow")

CELLS = [
    "borrower.arrow",
    "borrower.faults.csv",
    "role_profile.arrow",
    "role_profile.faults.csv",
]
LINES = [
    "borrower.csv",
    "borrower.lines.csv",
    "role_profile.csv",
    "role_profile.lines.csv",
]


def changed(*rows: int, **cells: Optional[str]) -> ae.Extract:
    given = many(COUNT)
    for row in rows:
        for column, cell in (cells or {"city": f"Rome {row}"}).items():
            given["borrower"].loc[FIRST_ROW + row, column] = cell
    return given


def parquet(folder: Path, given: Mapping[str, pd.DataFrame]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in given.items():
        frame.astype("string").to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def touched(report: ae.SyncReport) -> tuple[Optional[str], Optional[int]]:
    assert report.way is not None
    return reason(report), report.way.touched


# ----------------------------------------------------------------------------- sources


def test_parquet_is_compared_by_its_cells(tmp_path: Path, store: ae.SnapshotStore) -> None:
    source = tmp_path / "in"
    assert reason(go(parquet(source, many(COUNT)), store, 1)) == COMMITTED
    assert kept_files(tmp_path / "rejects") == CELLS
    kept = read_kept(store.place)
    assert kept is not None
    assert (kept.form, kept.sheets["borrower"].data.rows) == ("cells", COUNT)
    second = go(parquet(source, changed(3)), store, 2)
    assert touched(second) == (SHORT, 1)
    assert second.tables["address"].updated == 1
    assert second.sources["borrower"].rows == COUNT
    assert touched(go(parquet(source, changed(3, 5)), store, 3, whole_every=1))[0] is not None
    assert store.verify().problems == ()


def test_an_extract_in_memory_is(store: ae.SnapshotStore) -> None:
    assert reason(go(many(COUNT), store, 1)) == COMMITTED
    assert touched(go(changed(3), store, 2)) == (SHORT, 1)
    found = go(changed(3), store, 3)
    assert (found.outcome, *touched(found)) == ("unchanged", SHORT, 0)
    one, two = changed(3)["borrower"], many(COUNT)["role_profile"]
    other = ae.Extract(borrower=one.rename(columns={"city": "City"}), role_profile=two)
    told = "the columns of 'borrower' are called otherwise than in the model"
    assert reason(go(other, store, 4)) == told


def test_a_workbook_is_with_its_faults_and_notes(tmp_path: Path, store: ae.SnapshotStore) -> None:
    def book(*faulty: int, hidden: str = "") -> Path:
        # A cell that holds no text is read as a missing one, which it was before, too.
        given = many(COUNT)["borrower"].astype(object).assign(phone_cell=None)
        rows = given.to_numpy().tolist()
        for row in faulty:
            rows[row][BORROWER.index("phone_cell")] = '<c t="e"><v>#N/A</v></c>'
        path = tmp_path / "in.xlsx"
        xml = table(*rows).replace('<row r="9"', f'<row r="9"{hidden}')
        path.write_bytes(workbook({"borrower": xml}))
        return path

    options: dict[str, Any] = {"thresholds": ae.Thresholds(max_rejected_cells=1)}
    assert reason(go(book(4), store, 1, **options)) == COMMITTED
    second = go(book(4, 6, hidden=' hidden="1"'), store, 2, **options)
    assert touched(second) == (SHORT, 2)
    assert second.rejects[0].count == 2
    assert second.sources["borrower"].notes == {"hidden_rows": 1}
    third = go(book(6), store, 3, **options)
    assert (*touched(third), third.rejects[0].count) == (SHORT, 2, 1)
    assert third.sources["borrower"].notes == {}
    fourth = go(book(), store, 4, **options)
    assert (*touched(fourth), fourth.rejects) == (SHORT, 1, ())
    assert fourth.sources["borrower"].cells == many_cells(tmp_path / "in.xlsx")


def many_cells(source: Path) -> Mapping[str, int]:
    return ae.normalize(ae.read_extract(source), run=run(1)).summary.sources["borrower"].cells


def cells_kept(path: Path) -> str:
    import pyarrow as pa

    if path.suffix == ".arrow":
        return str(pa.ipc.open_file(path).read_all().to_pydict())
    return path.read_text()


def test_of_csv_whose_columns_are_ignored_the_others_are_kept(
    tmp_path: Path, store: ae.SnapshotStore
) -> None:
    options: dict[str, Any] = {"read_options": {"ignore_columns": ["ssn"]}}

    def source(given: Mapping[str, pd.DataFrame]) -> Path:
        secret = {name: frame.assign(ssn="078-05-1120") for name, frame in given.items()}
        return write(tmp_path / "in", secret)  # type: ignore[arg-type]

    assert reason(go(source(many(COUNT)), store, 1, **options)) == COMMITTED
    assert kept_files(tmp_path / "rejects") == CELLS
    texts = [cells_kept(path) for path in (tmp_path / "rejects/_aspen/kept").iterdir()]
    assert ["078-05" in text for text in texts] == [False] * 4
    assert any("b007" in text for text in texts)
    assert touched(go(source(changed(3)), store, 2, **options)) == (SHORT, 1)


def test_records_of_several_lines_and_folders_of_parts_are(
    tmp_path: Path, store: ae.SnapshotStore
) -> None:
    source = write(tmp_path / "in", changed(1, street="1 Main St\nback door"))
    assert reason(go(source, store, 1)) == COMMITTED
    assert kept_files(tmp_path / "rejects") == CELLS
    write(source, changed(1, 2, street="1 Main St\nback door"))
    assert touched(go(source, store, 2)) == (SHORT, 1)
    for name, frame in changed(1, 2, 3, street="1 Main St\nback door").items():
        (source / f"{name}.csv").unlink()
        (source / name).mkdir()
        for number, rows in enumerate((slice(0, 9), slice(9, None))):
            frame.iloc[rows].to_csv(source / name / f"part-{number}.csv", index=False)
    assert touched(go(source, store, 3)) == (SHORT, 1)


def test_without_pyarrow_lines_alone_are_kept(
    tmp_path: Path, store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aspen_etl.synchronization.source.HAS_ARROW", False)
    told = "the source is an extract in memory, and pyarrow is not there to keep cells"
    assert reason(go(many(COUNT), store, 1)) == told
    source = write(tmp_path / "in", changed(1))
    go(source, store, 2)
    assert kept_files(tmp_path / "rejects") == LINES


# ----------------------------------------------------------------------------- forms


def test_what_is_kept_turns_from_lines_to_cells_and_back(
    tmp_path: Path, store: ae.SnapshotStore
) -> None:
    source = write(tmp_path / "in", many(COUNT))
    go(source, store, 1)
    assert kept_files(tmp_path / "rejects") == LINES
    write(source, changed(1, street="1 Main St\nback door"))
    told = "what is kept of the source are lines, which it is not compared by now"
    assert reason(go(source, store, 2)) == told
    assert kept_files(tmp_path / "rejects") == CELLS
    write(source, many(COUNT))  # as cells, since that is what is kept
    assert touched(go(source, store, 3)) == (SHORT, 1)
    write(source, changed(2))
    assert reason(go(source, store, 4, read_options={"na_values": ["-"]})) == OTHER
    assert kept_files(tmp_path / "rejects") == CELLS
    assert store.purge("b007", run=run(5)).kept == 5
    assert kept_files(tmp_path / "rejects") == []
    assert reason(go(write(source, changed(3)), store, 6)) == "nothing is kept of the source"
    assert kept_files(tmp_path / "rejects") == LINES


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_what_is_damaged_is_as_good_as_none(
    tmp_path: Path, store: ae.SnapshotStore, name: str, damage: str
) -> None:
    go(many(COUNT), store, 1)
    place = tmp_path / "rejects/_aspen/kept" / name
    if damage == "gone":
        place.unlink()
    else:
        data = place.read_bytes()
        place.write_bytes(data[:-9] if damage == "cut" else data[:-1] + b"?")
    told = "what was kept of the source is gone or damaged"
    assert reason(go(changed(1), store, 2)) == told
    assert reason(go(changed(2), store, 3)) == SHORT


# ----------------------------------------------------------------------------- rows


def test_rows_in_another_order_are_the_same_rows(store: ae.SnapshotStore) -> None:
    given = many(COUNT)
    go(given, store, 1)
    turned = {name: frame[::-1].reset_index(drop=True) for name, frame in given.items()}
    found = go(ae.Extract(**turned), store, 2)
    assert (found.outcome, *touched(found)) == ("unchanged", SHORT, 0)


def test_rows_of_one_subject_in_another_order_are_looked_at(store: ae.SnapshotStore) -> None:
    def give(*roles: str) -> ae.Extract:
        owned = pd.DataFrame({"borrower_id": ["b003"] * 2, "role_profile": roles})
        return ae.Extract(borrower=many(COUNT)["borrower"], role_profile=owned)

    go(give("Borrower", "Guarantor"), store, 1)
    found = go(give("Guarantor", "Borrower"), store, 2)
    assert (found.outcome, *touched(found)) == ("unchanged", SHORT, 1)


@pytest.mark.parametrize("form", ["lines", "cells"])
def test_who_is_absent_and_stays_is_looked_at_when_he_leaves_and_comes_back(
    tmp_path: Path, store: ae.SnapshotStore, form: str
) -> None:
    def give(given: Mapping[str, pd.DataFrame], day: int) -> ae.SyncReport:
        place = tmp_path / "in"
        source = parquet(place, given) if form == "cells" else write(place, given)  # type: ignore[arg-type]
        return go(source, store, day, missing="keep")

    everybody, role = changed(1), {"borrower_id": ["b003", "b005"], "role_profile": ["Owner"] * 2}
    full = {"borrower": everybody["borrower"], "role_profile": pd.DataFrame(role)}
    fewer = {name: frame[frame.iloc[:, 0] != "b003"] for name, frame in full.items()}
    fewest = {"borrower": fewer["borrower"], "role_profile": fewer["role_profile"].iloc[1:]}
    assert reason(give(full, 1)) == COMMITTED
    ways, stays = [], []
    for day, given in enumerate((fewer, fewest, with_city(fewest, 7), with_city(full, 7)), 2):
        report = give(given, day)
        ways.append(touched(report))
        stays.append([source.stayed for source in report.sources.values()])
    assert ways == [(SHORT, 1)] * 3 + [(SHORT, 2)]
    assert stays == [[1, 1]] * 3 + [[0, 0]]  # whose borrower is there is gone
    assert len(store.read().tables["user"]) == COUNT


def with_city(given: Mapping[str, pd.DataFrame], row: int) -> dict[str, pd.DataFrame]:
    borrower = given["borrower"].copy()
    borrower.loc[FIRST_ROW + row, "city"] = "Oslo"
    return {**given, "borrower": borrower}
