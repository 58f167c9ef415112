"""A landing folder read in runs: what was taken, what waits, what the folder must not do."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Optional
from uuid import uuid4

import fsspec
import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    ArgumentError,
    LandingChangedError,
    LandingOrderError,
    LimitExceededError,
)
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.synchronization.landing import LandingRead, LandingState, read_landing
from aspen_etl.transform.ledger import Ledger

MODEL = ae.BORROWER_MODEL
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
LATER = NOON + dt.timedelta(days=1)
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.timezone.utc)
#: A row of changes: operation, key, name, second of its commit, key before.
Told = tuple[Any, ...]


class Folder:
    """A landing folder in memory, of borrowers."""

    def __init__(self, **told: Any) -> None:
        tables = {
            "borrower": LandedTable("dbo.borrower", fold=told.pop("fold", None)),
            "role_profile": LandedTable("dbo.role_profile", ("rp_id",)),
        }
        url = f"memory://landed-{uuid4().hex}"
        self.landing = Landing(url, tables, **{"loaded": "declared", **told})
        self.memory = fsspec.filesystem("memory")
        self.memory.makedirs(url)

    def put(self, name: str, *rows: Told, at: int = 0) -> str:
        """Write a file of changes, so many seconds after noon."""
        lines = ["Op,dms_time,id,full_name,dms_seq,BI_id"]
        for op, key, *rest in rows:
            who, second, before = (*rest, None, None, None)[:3]
            time = NOON + dt.timedelta(seconds=second or 0)
            sequence = f"{time:%Y%m%d%H%M%S}00{round(1000 * (second or 0)):019}"
            cells = [op, f"{time:%F %T.%f}", key, who or "", sequence, before or ""]
            lines.append(",".join(cells))
        path = f"dbo/borrower/{name}.csv"
        data = "".join(f"{line}\n" for line in lines).encode()
        self.memory.pipe_file(f"{self.landing.url}/{path}", data)
        self._file(path).created = NOON + dt.timedelta(seconds=at)
        return path

    def remove(self, path: str) -> None:
        self.memory.rm_file(f"{self.landing.url}/{path}")

    def _file(self, path: str) -> Any:
        return self.memory.store[self.memory._strip_protocol(f"{self.landing.url}/{path}")]

    def read(self, state: Optional[LandingState] = None, **told: Any) -> LandingRead:
        return read_landing(
            self.landing, model=MODEL, until=told.pop("until", LATER), state=state, **told
        )


@pytest.fixture
def folder() -> Iterator[Folder]:
    made = Folder()
    yield made
    made.memory.rm(made.landing.url, recursive=True)


def change(second: int) -> str:
    return f"{NOON + dt.timedelta(seconds=second):%Y%m%d-%H%M%S}000"


def names(read: LandingRead) -> dict[str, str]:
    frame = read.extract["borrower"]
    return dict(zip(frame["id"], frame["full_name"]))


def refused(folder: Folder, state: Optional[LandingState] = None, **told: Any) -> str:
    with pytest.raises(LandingChangedError) as caught:
        folder.read(state, **told)
    assert "hush" not in f"{caught.value} {caught.value.details!r}"
    return str(caught.value.details["problem"])


# ------------------------------------------------------------------------------ runs


def test_a_run_goes_on_from_the_one_before(folder: Folder) -> None:
    folder.put("LOAD00000001", ("I", "a", "Ada"), ("I", "b", "Bob"))
    first = folder.read()
    assert names(first) == {"a": "Ada", "b": "Bob"}
    assert (first.watermark, len(first.ledger)) == (None, 1)
    folder.put(change(5), ("U", "a", "Ann", 5, "a"), ("D", "b", None, 6))
    second = folder.read(first.state)
    assert names(second) == {"a": "Ann"}
    assert second.changed == {"borrower": 2}
    assert second.watermark == "2026-01-31 12:00:06.000000"
    assert second.extract["borrower"].index.tolist() == first.extract["borrower"].index.tolist()[:1]
    assert names(first) == {"a": "Ada", "b": "Bob"}


def test_a_time_without_a_zone_is_refused(folder: Folder) -> None:
    with pytest.raises(ArgumentError, match="no zone"):
        folder.read(until=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_an_empty_folder_gives_no_row(folder: Folder) -> None:
    read = folder.read()
    assert (names(read), len(read.ledger), read.pending) == ({}, 0, ())


def test_a_state_travels_and_a_ledger_is_a_frame(folder: Folder) -> None:
    folder.put("LOAD00000001", ("I", "a", "hush"))
    read = folder.read()
    again = pickle.loads(pickle.dumps(read.state))  # noqa: S301 - our own
    assert again.equals(read.state)
    assert folder.read(again).state.equals(read.state)
    ledger = Ledger.from_frame(read.ledger.to_frame())
    assert ledger.entries == read.ledger.entries
    assert "hush" not in repr(read)


def test_young_files_and_what_is_as_young_as_their_oldest_row_wait(folder: Folder) -> None:
    folder.put(change(10), ("I", "a", "Ada", 1), ("I", "b", "Bob", 9), at=10)
    path = folder.put(change(400), ("I", "c", "Cy", 9), ("I", "d", "Di", 300), at=400)
    first = folder.read(until=NOON + dt.timedelta(seconds=400))
    assert names(first) == {"a": "Ada"}
    assert first.pending == (f"dbo/borrower/{change(10)}.csv", path)
    second = folder.read(first.state)
    assert names(second) == {"a": "Ada", "b": "Bob", "c": "Cy", "d": "Di"}
    assert second.pending == ()


def test_a_batch_is_bounded_and_the_rest_waits(folder: Folder) -> None:
    folder.put(change(1), ("I", "a", "Ada", 1))
    folder.put(change(2), ("I", "b", "Bob", 2))
    folder.put(change(3), ("I", "c", "Cy", 3))
    first = folder.read(limits=ae.ReadLimits(max_rows=2))
    assert names(first) == {"a": "Ada", "b": "Bob"}
    assert names(folder.read(first.state, limits=ae.ReadLimits(max_rows=2))).keys() == {*"abc"}


def test_where_no_row_fits_the_limit_is_named(folder: Folder) -> None:
    folder.put(change(1), ("I", "a", "Ada", 5))
    folder.put(change(2), ("I", "b", "Bob", 1))
    with pytest.raises(LimitExceededError, match="max_rows"):
        folder.read(limits=ae.ReadLimits(max_rows=1))


def test_a_file_that_comes_again_is_taken_once(folder: Folder) -> None:
    folder.put(change(1), ("I", "a", "Ada", 1))
    folder.put(change(2), ("U", "a", "Ann", 2, "a"))
    state = folder.read().state
    folder.put(change(3), ("I", "a", "Ada", 1))
    read = folder.read(state)
    assert names(read) == {"a": "Ann"}
    assert len(read.ledger) == 3


# ------------------------------------------------------------------------------ the full load


def test_nothing_in_a_folder_says_that_a_full_load_is_over() -> None:
    folder = Folder(loaded=None)
    folder.put("LOAD00000001", ("I", "a", "hush"))
    assert refused(folder) == "unfinished"


@pytest.mark.parametrize(("rows", "ends"), [(1, False), (2, True), (3, False)])
def test_a_full_load_has_the_rows_that_dms_reports(rows: int, *, ends: bool) -> None:
    folder = Folder(loaded={"borrower": rows, "role_profile": 0})
    folder.put("LOAD00000001", ("I", "a", "Ada"))
    folder.put("LOAD00000002", ("I", "b", "hush"))
    folder.put("LOAD00000003", ("I", "b", "hush"))  # which came twice
    if ends:
        assert names(folder.read()) == {"a": "Ada", "b": "hush"}
    else:
        assert refused(folder) == "unfinished"


def test_a_full_load_that_is_new_needs_a_new_epoch(folder: Folder) -> None:
    folder.put("LOAD00000001", ("I", "a", "Ada"))
    state = folder.read().state
    folder.put("LOAD00000002", ("I", "a", "Ada"))
    state = folder.read(state).state  # the same again is none
    path = folder.put("LOAD00000003", ("I", "b", "hush"))
    assert refused(folder, state) == "reload"
    folder.remove(path)
    folder.landing = replace(folder.landing, epoch=2)
    anew = folder.read(state)
    assert anew.state.epoch == 2
    assert names(anew) == {"a": "Ada"}
    folder.landing = replace(folder.landing, epoch=1)
    assert refused(folder, anew.state) == "declared"


# ------------------------------------------------------------------------------ what must not be


def test_other_content_under_a_name_that_was_taken_is_refused(folder: Folder) -> None:
    folder.put(change(1), ("I", "a", "Ada", 1))
    state = folder.read().state
    folder.put(change(1), ("I", "a", "hush", 1), at=9)
    assert refused(folder, state) == "changed"
    folder.put(change(1), ("I", "a", "Ada", 1), at=10)  # touched, and the same
    assert names(folder.read(state)) == {"a": "Ada"}


def test_changes_may_expire_and_a_full_load_may_not(folder: Folder) -> None:
    load = folder.put("LOAD00000001", ("I", "a", "Ada"))
    first = folder.put(change(1), ("U", "a", "Ann", 1, "a"))
    state = folder.read().state
    folder.remove(first)
    assert names(folder.read(state)) == {"a": "Ann"}
    folder.put(change(2), ("U", "a", "Amy", 2, "a"))
    folder.remove(load)
    assert refused(folder, state) == "vanished"


def test_all_files_of_a_table_may_not_be_gone(folder: Folder) -> None:
    path = folder.put(change(1), ("I", "a", "Ada", 1))
    state = folder.read().state
    folder.remove(path)
    assert refused(folder, state) == "vanished"


def test_a_late_file_is_folded_within_its_window() -> None:
    folder = Folder(lag=dt.timedelta(0), late_window=dt.timedelta(seconds=60))
    folder.put(change(100), ("U", "a", "Ann", 100, "a"))
    state = folder.read().state
    late = folder.put(change(50), ("U", "a", "Ada", 50, "a"), ("I", "b", "Bob", 51))
    assert names(folder.read(state)) == {"a": "Ann", "b": "Bob"}
    folder.remove(late)
    late = folder.put(change(20), ("U", "a", "Ada", 20, "a"))
    assert names(folder.read(state)) == {"a": "Ann"}
    folder.remove(late)
    folder.put(change(20), ("I", "b", "hush", 20))
    assert refused(folder, state) == "late"


# ------------------------------------------------------------------------------ published faults


def test_of_three_updates_in_one_second_the_last_one_wins(folder: Folder) -> None:
    """Hudi took the first: apache/hudi#1803."""
    rows = [("U", "a", name, 1 + place / 1000, "a") for place, name in enumerate("xyz")]
    folder.put("LOAD00000001", ("I", "a", "w"))
    folder.put(change(1), *rows)
    assert names(folder.read()) == {"a": "z"}


def test_an_insertion_and_a_deletion_in_one_batch_leave_no_row(folder: Folder) -> None:
    """The row stayed: apache/hudi#2084."""
    folder.put(change(1), ("I", "a", "Ada", 1), ("D", "a", None, 2))
    assert names(folder.read()) == {}


def test_a_deletion_with_nothing_but_its_key_is_one(folder: Folder) -> None:
    """The job failed: apache/hudi#5036; cells are null there: estuary/connectors#1927."""
    folder.put("LOAD00000001", ("I", "a", "Ada"), ("I", "b", "Bob"))
    folder.put(change(1), ("D", "a", folder.landing.null, 1))
    assert names(folder.read()) == {"b": "Bob"}


def test_an_update_may_come_before_its_insertion(folder: Folder) -> None:
    """The update was lost: Guidewire/cda-client#3."""
    folder.put(change(2), ("U", "a", "Ann", 2, "a"))
    state = folder.read().state
    folder.put(change(1), ("I", "a", "Ada", 1))
    assert names(folder.read(state)) == {"a": "Ann"}


@pytest.mark.parametrize("rows", [[("U", "z", "Ada", 1, "a")], [("D", "a"), ("I", "z", "Ada", 1)]])
def test_a_key_that_changes_leaves_no_old_row(folder: Folder, rows: list[Told]) -> None:
    """The old key stayed: estuary/connectors#2224."""
    folder.put("LOAD00000001", ("I", "a", "Ada"))
    folder.put(change(1), *rows)
    assert names(folder.read()) == {"z": "Ada"}


def test_a_file_below_the_last_one_is_not_passed_over(folder: Folder) -> None:
    """Late files were missed: FlipsideCrypto/solana-models#479."""
    folder.put(change(9), ("I", "b", "Bob", 9))
    state = folder.read().state
    folder.put(change(8), ("I", "a", "Ada", 8))
    assert names(folder.read(state)) == {"a": "Ada", "b": "Bob"}


def test_a_guid_in_other_letters_is_refused_or_one() -> None:
    """Every row was there twice: dlt-hub/dlt#3299."""
    rows = ("U", "AB-1", "Ann", 1, "AB-1")
    folder = Folder()
    folder.put("LOAD00000001", ("I", "ab-1", "Ada"))
    folder.put(change(1), rows)
    with pytest.raises(LandingOrderError, match="fold=") as caught:
        folder.read()
    assert (caught.value.details["problem"], caught.value.details["count"]) == ("alike_keys", 2)
    folded = Folder(fold="case")
    folded.put("LOAD00000001", ("I", "ab-1", "Ada"))
    folded.put(change(1), rows)
    assert names(folded.read()) == {"AB-1": "Ann"}


def test_files_of_one_time_are_applied_in_the_order_of_the_sequence(folder: Folder) -> None:
    """Delete and upsert files were applied in the wrong order: Bertverbeek4PS/bc2adls#550."""
    folder.put(change(5), ("I", "a", "Ann", 2))
    folder.put(f"{change(5)}1", ("D", "a", None, 1))
    folder.put("LOAD00000001", ("I", "a", "Ada"))
    assert names(folder.read()) == {"a": "Ann"}


def test_many_changes_of_one_time_are_refused_where_time_is_the_order() -> None:
    """Rows share a commit: airbytehq/airbyte#23964."""
    folder = Folder(order="time")
    folder.put(change(1), ("I", "a", "Ada", 1))
    folder.put(change(2), ("U", "a", "Ann", 1, "a"))
    with pytest.raises(LandingOrderError, match=r"\$AR_H_CHANGE_SEQ") as caught:
        folder.read()
    assert caught.value.details["problem"] == "ambiguous"


def test_a_lost_change_is_refused_until_it_comes(folder: Folder) -> None:
    folder.put(change(1), ("I", "a", "Ada", 1))
    folder.put(change(3), ("I", "a", "Ann", 3))
    with pytest.raises(LandingOrderError) as caught:
        folder.read()
    assert caught.value.details["problem"] == "gap"
    reported = folder.read(on_gap="report")
    assert [finding.problem for finding in reported.findings["borrower"]] == ["gap"]
    folder.put(change(2), ("D", "a", None, 2))
    assert names(folder.read()) == {"a": "Ann"}
    assert folder.read(reported.state).state.equals(folder.read().state)


def test_a_copy_that_was_taken_in_the_place_of_its_file_is_named() -> None:
    headers = tuple(MODEL.sources["borrower"].columns)
    tables = {
        "borrower": LandedTable("dbo.borrower", headers=headers),
        "role_profile": LandedTable(
            "dbo.role_profile", ("rp_id",), headers=("rp_id", "borrower_id", "role_profile")
        ),
    }
    folder = Folder()
    folder.landing = replace(folder.landing, order="transactions", tables=tables)
    row = f"U,borrower,dbo,{NOON:%F %T},a,hush{',' * 8}a\n".encode()
    place = f"{folder.landing.url}/transactions/CDC_TXN-2026013112000"
    folder.memory.pipe_file(f"{place}9000.csv", row)
    state = folder.read(until=FAR).state
    assert names(folder.read(state, until=FAR)) == {"a": "hush"}
    folder.memory.pipe_file(f"{place}1000.csv", row)
    with pytest.raises(LandingOrderError, match="copy") as caught:
        folder.read(state, until=FAR)
    assert caught.value.details["problem"] == "ambiguous"
    assert names(folder.read(until=FAR)) == {"a": "hush"}


# ------------------------------------------------------------------------------ beside the changes


def test_a_heartbeat_is_heard_and_no_strange_file() -> None:
    folder = Folder(heartbeat="dbo.beat")
    folder.put("LOAD00000001", ("I", "a", "Ada"))
    assert folder.read().heard is None
    folder.memory.pipe_file(f"{folder.landing.url}/dbo/beat/{change(1)}.csv", b"x\n")
    folder.memory.pipe_file(f"{folder.landing.url}/dbo/strange/{change(1)}.csv", b"x\n")
    read = folder.read()
    assert read.heard is not None
    assert read.unknown == 1


def test_what_is_read_can_be_normalized_and_rejects_keep_their_rows(folder: Folder) -> None:
    run = ae.Run(time=NOON, actor="test")
    folder.put("LOAD00000001", ("I", "m", "Ada Lee"), ("I", "c", ""))
    first = folder.read()
    folder.put(change(1), ("I", "a", "Bo Ek", 1))
    second = folder.read(first.state)
    found = [ae.normalize(read.extract, run=run) for read in (first, second)]
    assert [len(each.tables["user_profile"]) for each in found] == [1, 2]
    assert [each.rejects["row"].tolist() for each in found] == [[2], [2]]
