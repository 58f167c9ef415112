"""How a landing folder is: what was taken, what waits, and what the task counted of it."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, LandingChangedError, SourceNotFoundError
from aspen_etl.synchronization.landing_status import CountDifference, LandingStatus, landing_status
from aspen_etl.transform.ledger import LandedCounts
from tests.support.landed import NOON, REST, TABLES, Landed

LATER = NOON + dt.timedelta(hours=1)
HOUR = dt.timedelta(hours=1)
NONE = LandedCounts()


def store_of(landed: Landed) -> ae.SnapshotStore:
    return ae.SnapshotStore(str(landed.root.parent / "store"))


def sync(landed: Landed, **told: Any) -> None:
    run = ae.Run(time=LATER, actor="me")
    lenient = ae.Thresholds(max_deleted_rows=1)
    ae.sync(landed.landing, store_of(landed), run=run, thresholds=lenient, **told)


def status(landed: Landed, **told: Any) -> LandingStatus:
    return landing_status(landed.landing, store_of(landed), **{"now": LATER, **told})


def write_at(path: Path, moment: dt.datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def test_what_was_taken_and_what_waits_is_told(tmp_path: Path) -> None:
    landed = Landed(tmp_path, heartbeat="dbo.beat")
    landed.load("Ada Lee", "Bo Ek")
    landed.change(5, ("U", "b1", "Ann Lee"), ("I", "b3", "Cy Fox"))
    double = landed.change(6, ("D", "b2", None))
    double.with_name("20260131-120007000.csv").write_bytes(double.read_bytes())
    write_at(double.with_name("20260131-120007000.csv"), NOON)
    before = status(landed)
    assert (before.taken, before.ready, before.watermark) == (0, 5, None)
    assert before.landed == {"borrower": NONE, "role_profile": NONE}
    sync(landed)
    landed.change(9, ("D", "b1", None))
    write_at(landed.change(10, ("D", "b3", None)), LATER)
    landed.put_text("dbo/beat/20260131-120000000.csv", "x")
    landed.put_text("notes.txt", "x")
    double.unlink()
    assert status(landed) == LandingStatus(
        url=str(landed.root),
        epoch=1,
        watermark="2026-01-31 12:00:06.000000",
        watermark_age=3594.0,
        heartbeat="dbo.beat",
        heard="2026-01-31T12:00:00+00:00",
        heard_age=3600.0,
        taken=5,
        expired=1,
        ready=1,
        ready_age=3600.0,
        young=1,
        run_age=0.0,
        unknown=1,
        landed={"borrower": LandedCounts(2, 1, 1, 1), "role_profile": NONE},
    )


@pytest.mark.parametrize(
    ("heartbeat", "beat", "now", "told"),
    [
        ("dbo.beat", NOON, LATER, None),
        ("dbo.beat", NOON - HOUR, LATER, "no file of the heartbeat came within 60 minutes"),
        ("dbo.beat", None, LATER, "no file of the heartbeat"),
        ("dbo.beat", NOON, LATER + HOUR, "no file of the heartbeat"),
        # A run looked at what waits an hour before; or longer ago than that.
        ("dbo.beat", LATER + HOUR, LATER + HOUR, None),
        ("dbo.beat", LATER + HOUR, LATER + 1.1 * HOUR, "files wait for a run for longer than 60"),
        (None, None, LATER, None),
    ],
)
def test_silence_is_an_alarm(
    heartbeat: Optional[str],
    beat: Optional[dt.datetime],
    now: dt.datetime,
    told: Optional[str],
    tmp_path: Path,
) -> None:
    landed = Landed(tmp_path, heartbeat=heartbeat)
    landed.load("Ada Lee")
    landed.change(5, ("U", "b1", "Ann Lee"))
    sync(landed)
    if beat is not None:
        write_at(landed.put_text("dbo/beat/20260131-120000000.csv", "x"), beat)
    write_at(landed.change(7, ("U", "b1", "Al Lee")), NOON - HOUR)
    alarm = status(landed, now=now).find_alarm(HOUR)
    assert (alarm is None) == (told is None)
    assert (told or "") in (alarm or "")


def test_without_a_heartbeat_an_old_change_is_an_alarm(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.load("Ada Lee")
    sync(landed)
    assert "no change was taken within 60 minutes" in str(status(landed).find_alarm(HOUR))
    landed.change(5, ("U", "b1", "Ann Lee"))
    sync(landed)
    assert status(landed).find_alarm(HOUR) is None
    late = status(landed, now=LATER + HOUR)
    assert "no change was taken within 60 minutes" in str(late.find_alarm(HOUR))


def test_rows_are_held_against_those_of_the_task(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.load("Ada Lee", "Bo Ek")
    landed.change(5, ("U", "b1", "Ann Lee"))
    sync(landed)
    waiting = landed.change(6, ("D", "b2", None))
    waiting.with_name("20260131-120007000.csv").write_bytes(waiting.read_bytes())
    counted = {"dbo.borrower": LandedCounts(2, 0, 1, 1), "dbo.role_profile": NONE}
    # What waits has landed, too; what is there twice landed once.
    assert status(landed, statistics=counted).differences == ()
    assert status(landed).landed["borrower"] == LandedCounts(2, 0, 1, 0)
    counted = {"dbo.borrower": LandedCounts(2, 3, 0, 1)}
    fewer, more = status(landed, statistics=counted).differences
    assert (fewer.kind, fewer.landed, fewer.told, fewer.table) == ("inserted", 0, 3, "dbo.borrower")
    assert "have not landed" in fewer.why
    assert (more.kind, more.landed, more.told) == ("updated", 1, 0)
    assert "counted anew" in more.why
    (unknown, *_) = status(landed, statistics={}).differences
    assert isinstance(unknown, CountDifference)
    assert (unknown.kind, unknown.landed, unknown.told) == ("loaded", 2, 0)
    assert "the task has no such table" in unknown.why


def test_files_that_were_taken_in_part_count_once(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.load("Ada Lee")
    write_at(landed.change(6, ("I", "b3", "Cy Fox")), LATER)  # young: rows from then on wait
    time = "20260131-120004000"
    both = [("U", "b1", "Ann Lee", 5), ("U", "b1", "Al Lee", 6)]
    landed.put(time, *both)
    sync(landed)
    assert status(landed).landed["borrower"] == LandedCounts(loaded=1)
    counted = {"dbo.borrower": LandedCounts(1, 1, 2, 0), "dbo.role_profile": NONE}
    assert status(landed, statistics=counted).differences == ()


def test_transaction_files_are_counted_by_source(tmp_path: Path) -> None:
    tables = {
        source: replace(
            table,
            headers=tuple(dict.fromkeys([*table.key, *ae.BORROWER_MODEL.sources[source].columns])),
        )
        for source, table in TABLES.items()
    }
    landed = Landed(tmp_path, order="transactions", tables=tables)
    time = "2026-01-31 12:00:05.000000"
    landed.put_text("dbo/borrower/LOAD00000001.csv", f"I,{time},b1,Ada Lee,{REST},b1\n")
    landed.put_text(
        "transactions/CDC_TXN-20260131120005000.csv",
        f"U,borrower,dbo,{time},b1,Ann Lee,{REST},b1\nI,role_profile,dbo,{time},r1,b1,primary,r1\n",
    )
    sync(landed)
    assert status(landed).landed == {
        "borrower": LandedCounts(1, 0, 1, 0),
        "role_profile": LandedCounts(0, 1, 0, 0),
    }


def test_what_cannot_be_asked_is_told(tmp_path: Path) -> None:
    landed = Landed(tmp_path, epoch=2)
    with pytest.raises(ArgumentError, match="no zone"):
        status(landed, now=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    landed.load("Ada Lee")
    sync(landed)
    older = Landed(tmp_path / "older")
    with pytest.raises(LandingChangedError, match="older epoch"):
        landing_status(older.landing, store_of(landed), now=LATER)
    newer = Landed(tmp_path / "newer", epoch=3)
    found = landing_status(newer.landing, store_of(landed), now=LATER)
    assert (found.taken, found.watermark, found.epoch) == (0, None, 3)
    newer.root.rmdir()
    with pytest.raises(SourceNotFoundError):
        landing_status(newer.landing, store_of(landed), now=LATER)
