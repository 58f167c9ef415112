"""When a run looks at what changed alone, when not and why, and what becomes of what is kept."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ExtractError, NotSupportedError, ProofError, ThresholdError
from aspen_etl.store.kept import read_kept
from tests.synchronization.conftest import COUNT, FIRST_ROW
from tests.synchronization.test_sync import many, run, write

COMMITTED, SHORT = "nothing was committed yet", None
OTHER = "what is kept is of another commit, or was read under other settings"


def change(source: Path, *rows: int, name: str = "Eve Roe") -> None:
    given = many(COUNT)
    for row in rows:
        given["borrower"].loc[FIRST_ROW + row, "full_name"] = name
    write(source, given)


def with_roles(roles: list[tuple[str, str]]) -> ae.Extract:
    frame = pd.DataFrame(roles, columns=["borrower_id", "role_profile"])
    return ae.Extract(borrower=many(COUNT)["borrower"], role_profile=frame)


def go(source: Any, store: ae.SnapshotStore, day: int, **options: Any) -> ae.SyncReport:
    return ae.sync(source, store, run=run(day), **options)


def reason(report: ae.SyncReport) -> Optional[str]:
    assert report.way is not None
    assert (report.way.kind == "short") == (report.way.reason is None)
    return report.way.reason


def kept_files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "_aspen/kept").glob("*") if path.stat().st_size)


# ----------------------------------------------------------------------------- the way


def test_a_run_looks_at_what_changed_alone(source: Path, store: ae.SnapshotStore) -> None:
    first = go(source, store, 1)
    assert reason(first) == COMMITTED
    change(source, 3)
    second = go(source, store, 2)
    assert second.way is not None
    assert (second.way.kind, second.way.touched, second.way.short) == ("short", 1, 1)
    assert second.way.proved == run(1).time.isoformat()
    assert second.tables["user_profile"].updated == 1
    assert second.tables["user_profile"].rows == COUNT
    assert second.sources["borrower"].rows == COUNT
    change(source)
    third = go(source, store, 3)
    assert third.way is not None
    assert third.way.short == 2
    assert store.verify().problems == ()


def test_after_some_runs_one_looks_at_everything(source: Path, store: ae.SnapshotStore) -> None:
    found = []
    for day in range(1, 6):
        change(source, day)
        found.append(reason(go(source, store, day, whole_every=2)))
    proves = "it proves the short ways before"
    assert found == [COMMITTED, SHORT, SHORT, proves, SHORT]
    kept = read_kept(store.place)
    assert kept is not None
    assert (kept.short, kept.proved) == (1, run(4).time)


def test_a_reject_is_looked_at_again(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    given = many(COUNT)
    given["borrower"].loc[FIRST_ROW + 4, "email"] = "no address"
    write(source, given)
    second = go(source, store, 2)
    assert (reason(second), second.rejects[0].rule) == (SHORT, "invalid_email")
    change(source, 9)
    third = go(source, store, 3)
    assert third.way is not None
    assert (third.way.touched, third.rejects) == (2, ())


def test_what_changed_nothing_is_kept_too(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    text = (source / "borrower.csv").read_text()
    (source / "borrower.csv").write_text(text.replace("b007,", "b007 ,"))
    second = go(source, store, 2)
    assert (second.outcome, reason(second)) == ("unchanged", SHORT)
    change(source, 3)
    third = go(source, store, 3)
    assert third.way is not None
    assert (third.way.touched, third.way.short) == (2, 2)


def test_lines_of_one_subject_in_another_order_are_looked_at(tmp_path: Path) -> None:
    roles = [(f"b{i:03d}", role) for i in range(COUNT) for role in ("Borrower", "Guarantor")]
    source = write(tmp_path / "in", with_roles(roles))
    store = ae.SnapshotStore(tmp_path / "store")
    go(source, store, 1, keep_source=True)
    roles[4], roles[5] = roles[5], roles[4]
    roles[9], roles[10] = roles[10], roles[9]  # of two subjects: nobody's own lines turn
    write(source, with_roles(roles))
    found = go(source, store, 2, keep_source=True)
    assert found.way is not None
    assert (found.outcome, found.way.touched) == ("unchanged", 1)


def test_a_new_column_or_option_or_model_is_looked_at_as_a_whole(
    source: Path, store: ae.SnapshotStore
) -> None:
    go(source, store, 1)
    frame = pd.read_csv(source / "borrower.csv", dtype=str)
    frame[frame.columns[::-1]].to_csv(source / "borrower.csv", index=False)
    above = "what stands above the records of 'borrower' is not what it was"
    assert reason(go(source, store, 2)) == above
    change(source, 1)
    assert reason(go(source, store, 3, read_options={"na_values": ["-"]})) == OTHER
    change(source, 2)
    assert reason(go(source, store, 4, missing="keep")) == OTHER
    change(source, 3)
    other = ae.SnapshotStore(store.url, rejects_url=store.place.rejects_root.url, format="parquet")  # type: ignore[union-attr]
    if other.place.format == "parquet":
        pytest.importorskip("pyarrow")
    go(source, store, 5)
    change(source, 4)
    assert reason(go(source, other, 6)) == "the tables are written in another format now"
    change(source, 5)
    assert reason(go(source, other, 7)) == SHORT


def test_where_more_than_a_tenth_changed_everything_is_looked_at(
    source: Path, store: ae.SnapshotStore
) -> None:
    go(source, store, 1)
    change(source, 1, 2, 3, 4)
    told = "4 of 30 subjects changed, more than a tenth"
    assert reason(go(source, store, 2)) == told


# ----------------------------------------------------------------------------- sources


def test_a_packed_source_is_compared_unpacked(tmp_path: Path, store: ae.SnapshotStore) -> None:
    source = tmp_path / "in"
    for day in (1, 2):
        given = many(COUNT)
        given["borrower"].loc[FIRST_ROW + day, "city"] = "Rome"
        source.mkdir(exist_ok=True)
        for name, frame in given.items():
            frame.to_csv(source / f"{name}.csv.gz", index=False)
        found = go(source, store, day)
    assert reason(found) == SHORT


def test_a_faulty_line_is_told_as_ever(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    with (source / "borrower.csv").open("a") as file:
        file.write("b900,Ada Lee,,\n")
    with pytest.raises(ExtractError, match="row 32 has 4 fields and the header 9"):
        go(source, store, 2)
    change(source, 2)
    assert reason(go(source, store, 3)) == SHORT


def test_a_run_that_is_refused_keeps_nothing(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    before = read_kept(store.place)
    change(source, 3, name="")
    with pytest.raises(ThresholdError):
        go(source, store, 2, thresholds=ae.Thresholds(max_rejected_rows=0))
    assert read_kept(store.place) == before
    change(source, 4)
    assert reason(go(source, store, 3)) == SHORT


# ----------------------------------------------------------------------------- what is kept


def test_it_is_kept_beside_the_rejects_and_its_figures_hold_no_cell(
    tmp_path: Path, source: Path, store: ae.SnapshotStore
) -> None:
    go(source, store, 1)
    assert kept_files(tmp_path / "store") == ["source.json"]
    assert kept_files(tmp_path / "rejects") == [
        "borrower.csv",
        "borrower.lines.csv",
        "role_profile.csv",
        "role_profile.lines.csv",
    ]
    text = (tmp_path / "store/_aspen/kept/source.json").read_text()
    # A digest may well hold the letters of an id: they are looked for in what is none.
    assert "b007" not in re.sub(r"\b[0-9a-f]{64}\b", "", text)
    assert json.loads(text)["sheets"]["borrower"]["rows"] == COUNT
    status = store.status(now=run(3).time)
    assert (status.proved, status.short_runs) == (run(1).time.isoformat(), 0)
    day = dt.timedelta(days=1)
    assert status.find_alarm(9 * day, 2 * day) is None
    assert status.find_alarm(9 * day, day) == (
        "no run looked at every row of the source within 1440 minutes"
    )


def test_nothing_is_kept_where_nobody_asks(tmp_path: Path, source: Path) -> None:
    open_store = ae.SnapshotStore(tmp_path / "store")
    assert reason(go(source, open_store, 1)) == "no source is kept"
    assert not (tmp_path / "store/_aspen/kept").exists()
    elsewhere = ae.SnapshotStore(tmp_path / "two", rejects_url=tmp_path / "rejects")
    assert reason(go(source, elsewhere, 1, keep_source=False)) == "no source is kept"
    assert kept_files(tmp_path / "rejects") == []
    assert elsewhere.status(now=run(1).time).proved is None


@pytest.mark.parametrize("name", ["borrower.csv", "borrower.lines.csv", "source.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_what_is_damaged_is_as_good_as_none(
    tmp_path: Path, source: Path, store: ae.SnapshotStore, name: str, damage: str
) -> None:
    go(source, store, 1)
    place = tmp_path / ("store" if name == "source.json" else "rejects") / "_aspen/kept" / name
    if damage == "gone":
        place.unlink()
    else:
        data = place.read_bytes()
        place.write_bytes(data[:-9] if damage == "cut" else data.replace(b"b00", b"b90"))
    change(source, 1)
    found = go(source, store, 2)
    if name == "source.json":
        assert reason(found) in ("nothing is kept of the source", SHORT)
    else:
        assert reason(found) == "what was kept of the source is gone or damaged"
    change(source, 2)
    assert reason(go(source, store, 3)) == SHORT


def test_another_commit_in_between_is_looked_past(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    change(source, 1)
    go(source, store, 2)
    store.restore(1, run=run(3))
    store.resume(run=run(4))
    assert reason(go(source, store, 5)) == OTHER
    names = [store.read(version).tables["user_profile"]["first_name"] for version in (2, 5)]
    assert names[0].equals(names[1])


def test_a_purge_takes_it_away(tmp_path: Path, source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    with pytest.raises(NotSupportedError, match="keeps of its source is elsewhere"):
        ae.SnapshotStore(tmp_path / "store").purge("b007", run=run(2))
    assert store.purge("b007", run=run(2)).kept == 5
    assert kept_files(tmp_path / "rejects") == kept_files(tmp_path / "store") == []
    change(source, 1)
    assert reason(go(source, store, 3)) == "nothing is kept of the source"


def test_where_it_cannot_be_kept_the_run_is_good_all_the_same(
    tmp_path: Path, source: Path, store: ae.SnapshotStore
) -> None:
    go(source, store, 1)
    folder = tmp_path / "rejects/_aspen/kept"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    change(source, 1)
    found = go(source, store, 2)
    assert found.outcome == "committed"
    assert found.way is not None
    assert found.way.proved is None


# ----------------------------------------------------------------------------- the proof


def count_names(values: pd.Series) -> pd.Series:
    """Change a cell by how many others there are, which no cleaner may."""
    return values + f" {len(values)}"


def test_a_model_that_looks_beyond_one_subject_is_found(tmp_path: Path) -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.city": count_names})
    source = write(tmp_path / "in", many(COUNT))
    store = ae.SnapshotStore(tmp_path / "store", model=model)
    options: dict[str, Any] = {"model_version": "1", "keep_source": True}
    go(source, store, 1, **options)
    change(source, 1)
    assert reason(go(source, store, 2, **options)) == SHORT
    change(source, 2)
    with pytest.raises(ProofError, match="other changes of 'address' than one over everything"):
        go(source, store, 3, whole_every=1, **options)
    newest = store.newest()
    assert newest is not None
    assert newest.version == 2
    found = go(source, store, 4, whole_every=1, **options)
    assert reason(found) == "nothing is kept of the source"
    assert found.tables["address"].updated == 1


def test_without_a_name_of_its_functions_a_model_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.city": count_names})
    source, store = write(tmp_path / "in", many(3)), ae.SnapshotStore(tmp_path / "s", model=model)
    go(source, store, 1, keep_source=True)
    write(source, many(4))
    told = "the model has functions of its own, and no model_version= names their state"
    assert reason(go(source, store, 2, keep_source=True)) == told


def test_a_plan_looks_at_everything(source: Path, store: ae.SnapshotStore) -> None:
    go(source, store, 1)
    change(source, 1)
    planned = ae.plan(source, store, run=run(2))
    assert planned.tables["user_profile"].updated == 1
    assert planned.way is None
