"""From a source to a store: what a run commits, refuses, passes over and tells."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.borrower.cleaners import pad_zip_code
from aspen_etl.errors import (
    DeadlineError,
    ModelMismatchError,
    ReadError,
    StoreOnHoldError,
    ThresholdError,
)
from aspen_etl.schema import Extract, Run
from aspen_etl.synchronization.clock import Clock
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.source import Given
from aspen_etl.synchronization.sync_run import SyncRun
from tests.support.refusals import refused
from tests.transform.sheets import ADA, BO, COLUMNS, extract

LENIENT = ae.Thresholds(max_deleted_rows=1, max_rejected_rows=1, max_rejected_cells=1)
_STORES = itertools.count()


def run(day: int) -> Run:
    return Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor=f"day {day}")


def new_store(**options: Any) -> ae.SnapshotStore:
    return ae.SnapshotStore(f"memory://sync/{next(_STORES)}", **options)


def many(count: int) -> Extract:
    """Make an extract of borrowers with an address each."""
    return extract(
        *({**ADA, "id": f"b{i:03d}", "email": f"b{i}@example.org"} for i in range(count))
    )


def write(folder: Path, given: Extract) -> Path:
    """Write an extract as a folder of CSV files."""
    folder.mkdir(exist_ok=True)
    for name, frame in given.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


# ----------------------------------------------------------------------------- what a run does


def test_the_first_run_commits_and_the_second_changes_nothing() -> None:
    store = new_store()
    first = ae.sync(many(3), store, run=run(1))
    assert (first.outcome, first.version, first.parent, first.attempts) == ("committed", 1, 0, 1)
    assert first.tables["address"].inserted == 3
    assert first.bytes_written > 0
    second = ae.sync(many(3), store, run=run(2))
    assert (second.outcome, second.version, second.source_read) == ("unchanged", 1, True)
    assert store.newest() == store.find(1)


def test_a_table_that_did_not_change_stays_where_it_is() -> None:
    store = new_store()
    ae.sync(many(3), store, run=run(1))
    changed = many(3)
    changed["borrower"].loc[2, "city"] = "Rome"
    report = ae.sync(changed, store, run=run(2))
    one, two = store.find(1), store.find(2)
    assert report.tables["address"].updated == 1
    moved = [name for name in two.tables if two.tables[name] != one.tables[name]]
    assert moved == ["address"]
    assert two.changes["address"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert report.bytes_written == two.tables["address"].bytes


def test_an_unchanged_source_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "source", many(3))
    store = new_store()
    assert ae.sync(source, store, run=run(1)).source_read
    monkeypatch.setattr("aspen_etl.synchronization.source.read_extract", None)
    report = ae.sync(source, store, run=run(2))
    assert (report.outcome, report.source_read) == ("unchanged", False)
    assert report.tables["user"].rows == 3


def test_a_source_of_other_bytes_and_equal_cells_is_parsed_once(tmp_path: Path) -> None:
    source = write(tmp_path / "source", many(3))
    store = new_store()
    ae.sync(source, store, run=run(1))
    with (source / "borrower.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    again = [ae.sync(source, store, run=run(day)) for day in (2, 3)]
    assert [(report.outcome, report.source_read) for report in again] == [
        ("unchanged", True),
        ("unchanged", False),
    ]


def test_other_options_and_another_model_are_no_unchanged_source(tmp_path: Path) -> None:
    source = write(tmp_path / "source", many(3))
    store = new_store()
    ae.sync(source, store, run=run(1))
    assert ae.sync(source, store, run=run(2), read_options={"na_values": ["-"]}).source_read
    assert ae.sync(source, store, run=run(3), missing="keep").source_read


def test_a_model_with_functions_of_ones_own_is_looked_at_unless_it_has_a_version(
    tmp_path: Path,
) -> None:
    source = write(tmp_path / "source", many(3))

    def pad(cells: pd.Series) -> pd.Series:
        return pad_zip_code(cells)

    model = ae.BORROWER_MODEL.replace(cleaners={"borrower.zip_code": pad})
    store = new_store(model=model)
    assert [ae.sync(source, store, run=run(day)).source_read for day in (1, 2)] == [True, True]
    versioned = [ae.sync(source, store, run=run(day), model_version="1") for day in (3, 4)]
    assert [report.source_read for report in versioned] == [True, False]
    assert ae.sync(source, store, run=run(5), model_version="2").source_read


def test_a_source_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, read, reads = write(tmp_path / "source", many(2)), ae.read_extract, []

    def read_and_change(*arguments: Any, **options: Any) -> Extract:
        found = read(*arguments, **options)
        reads.append(1)
        if len(reads) == 1:
            write(tmp_path / "source", many(3))
        return found

    monkeypatch.setattr("aspen_etl.synchronization.source.read_extract", read_and_change)
    report = ae.sync(source, new_store(), run=run(1))
    assert (len(reads), report.tables["user"].rows) == (2, 3)


def test_a_source_that_never_stands_still_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, read, counter = write(tmp_path / "source", many(2)), ae.read_extract, itertools.count(3)

    def read_and_change(*arguments: Any, **options: Any) -> Extract:
        found = read(*arguments, **options)
        write(tmp_path / "source", many(next(counter)))
        return found

    monkeypatch.setattr("aspen_etl.synchronization.source.read_extract", read_and_change)
    store = new_store()
    with pytest.raises(ReadError, match="it changed each time while it was read"):
        ae.sync(source, store, run=run(1))
    assert store.newest() is None


def test_the_report_is_json_without_a_cell() -> None:
    report = ae.sync(many(2), new_store(), run=run(1))
    assert json.loads(report.to_json())["tables"]["user"]["inserted"] == 2
    assert set(report.seconds) == {"looking", "reading", "normalizing", "writing"}
    for cell in ("Turin", "b000", "@example.org"):
        assert cell not in report.to_json()
        assert cell not in repr(report)


def test_steps_are_told_as_they_begin() -> None:
    steps: list[str] = []
    store = new_store()
    ae.sync(many(2), store, run=run(1), on_step=steps.append)
    ae.sync(many(3), store, run=run(2), on_step=steps.append)
    first, second = steps[:4], steps[4:]
    assert first == ["looking", "reading", "normalizing", "writing"]
    assert second == ["looking", "reading", "loading", "normalizing", "writing"]


def test_a_plan_writes_nothing_and_tells_what_would_be_refused() -> None:
    store = new_store()
    assert ae.plan(many(20), store, run=run(1)).tables["user"].inserted == 20
    assert store.place.root.kind() == "absent"
    ae.sync(many(20), store, run=run(1))
    planned = ae.plan(many(5), store, run=run(2))
    assert (planned.outcome, planned.version) == ("planned", 1)
    assert planned.tables["user"].deleted == 15
    assert len(planned.refusals) == 6
    store.restore(1, run=run(3))
    assert "is on hold" in ae.plan(many(20), store, run=run(4)).refusals[0]


# ----------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("before", "after", "limits", "told"),
    [
        (
            many(20),
            extract(*({**ADA, "id": f"b{i:03d}", "full_name": None} for i in range(2)), BO),
            {"max_rejected_rows": 0.5, "max_rejected_cells": 1, "max_deleted_rows": 1},
            r"2 of 3 \(66.7%\) rows of 'borrower' are rejected, more than 50.0% \(max_rejected_ro",
        ),
        (
            many(20),
            extract(*({**ADA, "id": f"b{i:03d}", "email": "x"} for i in range(20))),
            {},
            r"20 of 20 \(100.0%\) cells of borrower.email are rejected.* \(max_rejected_cells\)",
        ),
        (
            many(20),
            many(10),
            {},
            r"10 of 20 \(50.0%\) rows of table 'user' would be deleted.* \(max_deleted_rows, min_d",
        ),
        (
            many(2),
            extract(),
            {},
            r"the extract is empty and the store holds 17 rows \(allow_empty\)",
        ),
    ],
)
def test_a_broken_limit_is_named_with_its_figure_and_parameter(
    before: Extract, after: Extract, limits: dict[str, Any], told: str
) -> None:
    store = new_store()
    ae.sync(before, store, run=run(1))
    with pytest.raises(ThresholdError, match=told):
        ae.sync(after, store, run=run(2), thresholds=ae.Thresholds(**limits))
    assert store.find().version == 1
    assert store.last_run()["outcome"] == "ThresholdError"


def test_what_is_within_the_limits_goes_through() -> None:
    store = new_store()
    ae.sync(many(40), store, run=run(1))
    assert ae.sync(many(32), store, run=run(2)).outcome == "committed"
    assert ae.sync(many(28), store, run=run(3)).outcome == "committed"
    emptied = ae.Thresholds(allow_empty=True, max_deleted_rows=1)
    assert ae.sync(extract(), store, run=run(4), thresholds=emptied).outcome == "committed"


def test_nine_rows_may_go_whatever_their_share() -> None:
    store = new_store()
    ae.sync(many(5), store, run=run(1))
    assert ae.sync(many(1), store, run=run(2)).tables["phone_number"].deleted == 8


def test_an_older_source_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "source", many(3))
    store = new_store()
    ae.sync(source, store, run=run(1))
    write(source, many(4))
    for file in source.iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    with pytest.raises(ThresholdError, match=r"borrower.csv is [\d,]+ s older than .*allow_older"):
        ae.sync(source, store, run=run(2))
    allowed = ae.Thresholds(allow_older=True)
    assert ae.sync(source, store, run=run(2), thresholds=allowed).version == 2


@pytest.mark.parametrize("name", ["max_rejected_rows", "max_rejected_cells", "max_deleted_rows"])
def test_a_share_is_between_nothing_and_all(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}=5 is no share"):
        ae.Thresholds(**{name: 5})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must not be negative"):
        ae.Thresholds(min_deleted_rows=-1)


def test_a_store_on_hold_is_left_alone_until_it_is_resumed() -> None:
    store = new_store()
    ae.sync(many(3), store, run=run(1))
    ae.sync(many(4), store, run=run(2))
    store.restore(1, run=run(3))
    with pytest.raises(StoreOnHoldError, match="on hold since version 3"):
        ae.sync(many(4), store, run=run(4))
    assert store.resume(run=run(5)).version == 4
    assert store.resume(run=run(5)).version == 4
    report = ae.sync(many(4), store, run=run(6))
    assert report.tables["user"].inserted == 1


def test_a_run_whose_time_is_over_gives_up_before_its_commit() -> None:
    store = new_store()
    with pytest.raises(DeadlineError, match="nothing was committed"):
        ae.sync(many(3), store, run=run(1), timeout=dt.timedelta(0))

    def dawdle(step: str) -> None:
        if step == "writing":
            work.timeout = 0.0

    work = Clock(dt.timedelta(hours=1), dawdle)
    with pytest.raises(DeadlineError, match="before writing files"):
        SyncRun(store, Given(many(3), Settings()), run(1), work).sync()
    assert store.newest() is None


def test_who_comes_second_begins_anew() -> None:
    store = new_store()
    ae.sync(many(3), store, run=run(1))
    rivals = iter([many(4), many(5)])

    def interfere(step: str) -> None:
        rival = next(rivals, None) if step == "writing" else None
        if rival is not None:
            ae.sync(rival, store, run=run(2))

    report = ae.sync(many(6), store, run=run(3), on_step=interfere)
    assert (report.version, report.attempts, report.tables["user"].inserted) == (4, 3, 1)


def test_who_is_second_every_time_says_so() -> None:
    store, rivals = new_store(), itertools.count(4)

    def interfere(step: str) -> None:
        if step == "writing":
            ae.sync(many(next(rivals)), store, run=run(2))

    with refused("commit", match="nothing of this run is in the store"):
        ae.sync(many(3), store, run=run(3), on_step=interfere, max_attempts=2)


def test_a_store_has_one_model() -> None:
    with pytest.raises(ValueError, match="the store has a model already"):
        ae.sync(many(1), new_store(), run=run(1), model=ae.borrower_model())


# ----------------------------------------------------------------------------- another model


class Borrower(ae.borrower.Borrower):
    """One more source column ..."""

    employer: Series[str] = ae.column(nullable=True)


class UserProfile(ae.borrower.UserProfile):
    """... and where it goes."""

    employer: Series[str] = ae.column(length=128, nullable=True, source="borrower.employer")


class Employment(ae.schema.Table):
    """A table of its own for it."""

    employment_id: Series[int] = ae.column(primary_key=True)
    user_profile_id: Series[str] = ae.column(natural_key=True, references="user_profile")
    employer: Series[str] = ae.column(length=128, nullable=True, source="borrower.employer")


WIDER = ae.BORROWER_MODEL.replace(sources=[Borrower], tables=[UserProfile])


def employed(given: Extract, employer: str | None) -> Extract:
    frames = {name: frame.copy() for name, frame in given.items()}
    frames["borrower"]["employer"] = pd.Series(
        employer, index=frames["borrower"].index, dtype=object
    )
    return Extract.from_frames(frames)


def test_a_new_column_is_filled_and_updated_does_not_move() -> None:
    store = new_store()
    ae.sync(many(3), store, run=run(1))
    wider = ae.SnapshotStore(store.url, model=WIDER)
    assert wider.read().tables["user_profile"]["employer"].isna().all()
    assert wider.verify().problems == ()
    report = ae.sync(employed(many(3), "Aspen"), wider, run=run(2))
    assert report.tables["user_profile"].updated == 3
    profile = wider.read().tables["user_profile"]
    assert profile["employer"].tolist() == ["Aspen"] * 3
    assert profile["updated"].isna().all()
    after = ae.sync(employed(many(3), "Birch"), wider, run=run(3))
    assert after.tables["user_profile"].updated == 3
    assert set(wider.read().tables["user_profile"]["updated_by"]) == {"day 3"}
    with pytest.raises(ModelMismatchError, match=r"user_profile\.employer is gone"):
        store.read()


def test_a_rejected_row_keeps_its_state_also_when_the_model_grew() -> None:
    store = new_store()
    ae.sync(many(3), store, run=run(1))
    wider = ae.SnapshotStore(store.url, model=WIDER)
    broken = employed(many(3), "Aspen")
    broken["borrower"].loc[2, "full_name"] = None
    report = ae.sync(broken, wider, run=run(2), thresholds=LENIENT)
    assert report.sources["borrower"].kept == 1
    employers = wider.read().tables["user_profile"]["employer"]
    assert employers.isna().tolist() == [True, False, False]
    assert wider.verify().problems == ()


class Employed(ae.borrower.Borrower):
    """A source column that must not be missing."""

    employer: Series[str] = ae.column()

    class Config:
        """It takes the place of the sheet."""

        name = "borrower"


class ShorterProfile(ae.borrower.UserProfile):
    """A column that is another, one that is gone would be refused by the model itself."""

    last_name: Series[str] = ae.column(length=64, source="borrower.full_name")
    employer: Series[str] = ae.column(length=64, source="borrower.employer")

    class Config:
        """It takes the place of the table."""

        name = "user_profile"


def test_every_difference_that_data_cannot_follow_is_named() -> None:
    store = new_store()
    ae.sync(many(3), store, run=run(1))
    other = ae.BORROWER_MODEL.replace(sources=[Employed], tables=[ShorterProfile])
    told = (
        r"user_profile\.last_name has another length; "
        r"user_profile\.employer is new and not nullable"
    )
    refused = ae.SnapshotStore(store.url, model=other)
    for call in (refused.read, refused.verify, lambda: ae.sync(many(3), refused, run=run(2))):
        with pytest.raises(ModelMismatchError, match=told):
            call()


# ----------------------------------------------------------------------------- odd histories


def test_a_borrower_that_returns_and_one_that_gets_a_role() -> None:
    store = new_store()
    ae.sync(extract(ADA, BO), store, run=run(1))
    ae.sync(extract(ADA), store, run=run(2))
    ae.sync(extract(ADA, BO, roles=(("a", "borrower"),)), store, run=run(3))
    tables = store.read().tables
    assert tables["user"]["user_id"].tolist() == [1, 2]
    assert tables["user"]["created_by"].tolist() == ["day 1", "day 3"]
    assert tables["role_profile"]["role_profile_id"].tolist() == [2, 3]
    assert tables["address"]["role_profile_id"].tolist() == [3]


def test_a_partial_extract_deletes_no_more_than_the_limits_allow() -> None:
    store = new_store()
    ae.sync(many(30), store, run=run(1))
    half = extract(*[{**ADA, "id": f"b{i:03d}"} for i in range(15)])
    with pytest.raises(ThresholdError, match="would be deleted"):
        ae.sync(half, store, run=run(2))
    kept = ae.sync(half, store, run=run(2), missing="keep")
    assert kept.tables["user"].rows == 30
    assert kept.sources["borrower"].stayed == 15


def test_rejects_alone_are_a_commit() -> None:
    store = new_store()
    ae.sync(extract(ADA), store, run=run(1))
    more = extract(ADA, dict.fromkeys(COLUMNS) | {"full_name": "Nobody"})
    report = ae.sync(more, store, run=run(2), thresholds=LENIENT)
    assert report.outcome == "committed"
    assert all(not found.inserted for found in report.tables.values())
    assert store.read_rejects()["rule"].tolist() == ["missing_id"]
    assert len(store.read_rejects(1)) == 0


@pytest.mark.parametrize("function", [ae.sync, ae.plan])
def test_a_read_option_that_there_is_not_is_named(function: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="read_extract takes no 'sheet'; did you mean 'sheets'"):
        function(tmp_path / "in", tmp_path / "store", run=run(1), read_options={"sheet": "x"})
    assert not (tmp_path / "store").exists()
