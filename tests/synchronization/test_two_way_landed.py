"""A landing folder as the old side: what lands is older than the database, and than a push."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.errors import StaleReadingError
from aspen_etl.store import SnapshotStore
from aspen_etl.synchronization.two_way import pull, push
from tests.support.borrowers import LENIENT
from tests.support.landed import NOON, Landed
from tests.support.sides import FlatSide, TableSide

LATER = NOON + dt.timedelta(hours=1)


def run(actor: str = "me") -> ae.Run:
    return ae.Run(time=LATER, actor=actor)


class Pair:
    """A landing folder of an old side, which a push writes to, and a new side."""

    def __init__(self, folder: Path, side: Optional[str]) -> None:
        self.landed = Landed(folder, side=side)
        self.landed.load("Ann Lee", "Bo Ek")
        self.store = SnapshotStore(str(folder / "store"))
        ae.sync(self.landed.landing, self.store, run=run(), thresholds=LENIENT)
        self.store.begin_two_way(run=run())
        self.old, self.new = FlatSide(), TableSide()
        push(self.store, self.new, run=run())
        sheets = ae.denormalize(self.store.read().tables)
        self.old.put(sheets)

    def pull_landing(self) -> Any:
        return pull(self.landed.landing, self.store, run=run(), thresholds=LENIENT)

    def rename_and_push(self) -> None:
        frame = self.new.tables["user_profile"]
        names = frame["first_name"].astype(object).replace({"Bo": "Bob"})
        self.new.tables["user_profile"] = frame.assign(
            first_name=names.astype(frame["first_name"].dtype)
        )
        pull(self.new, self.store, run=run())
        assert push(self.store, self.old, run=run()).outcome == "pushed"


def test_a_change_that_landed_is_taken(tmp_path: Path) -> None:
    pair = Pair(tmp_path, None)
    pair.landed.put("20260131-115000000", ("U", "b1", "Ann Roe", 1))
    assert pair.pull_landing().taken["borrower"]["updated"] == 1
    assert pair.store.find().landing is not None
    assert pair.pull_landing().outcome == "unchanged"
    assert push(pair.store, pair.new, run=run()).written["user_profile"]["updated"] == 1


def test_what_landed_before_a_push_is_refused(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "dbo.aspen_etl_side")
    pair.rename_and_push()
    with pytest.raises(StaleReadingError, match="none has landed"):
        pair.pull_landing()  # the old name would look like a change back
    said = pair.old.said
    assert said is not None
    cells = f"I,2026-01-31 11:55:00.000000,1,{said.version},{said.token},0,{2:035d},"
    lines = f"Op,dms_time,id,version,token,deletes,dms_seq,BI_id\n{cells}\n"
    pair.landed.put_text("dbo/aspen_etl_side/20260131-115500000.csv", lines)
    pair.landed.put("20260131-115500001", ("U", "b2", "Bob Ek", 2))
    assert pair.pull_landing().taken["borrower"]["updated"] == 0  # the echo of the push
    pair.landed.put("20260131-115600000", ("U", "b2", "Bob Fox", 3))
    assert pair.pull_landing().taken["borrower"]["updated"] == 1


def test_a_landing_without_the_row_of_a_push_is_refused_after_one(tmp_path: Path) -> None:
    pair = Pair(tmp_path, None)
    pair.rename_and_push()
    with pytest.raises(StaleReadingError, match="nothing tells"):
        pair.pull_landing()
