"""Pull and push, one thing at a time: what is refused, held, decided, told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Optional

import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    ArgumentError,
    ConflictError,
    MergeConflictError,
    SideStateError,
    StaleReadingError,
    TargetExistsError,
    ThresholdError,
    TwoWayError,
)
from aspen_etl.schema.policy import Policy
from aspen_etl.store import SnapshotStore
from aspen_etl.synchronization.two_way import (
    pull,
    push,
    read_conflicts,
    resolve,
    write_conflicts,
)
from tests.support.sides import COLUMNS, DiedError, FlatSide, Said, TableSide

FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
HOLD = Policy("hold")


def run(minute: int = 0) -> ae.Run:
    return ae.Run(time=FIRST + dt.timedelta(minutes=minute), actor="me")


class Sides:
    """A store between two sides, of three people."""

    def __init__(self, url: str) -> None:
        self.old, self.new = FlatSide(), TableSide()
        for id_, name in (("a", "Ann Lee"), ("b", "Bo Ek"), ("c", "Cy Fox")):
            self.old.people[id_] = {**dict.fromkeys(COLUMNS[1:]), "full_name": name}
        self.old.people["b"]["phone_home"] = "512-555-0100"
        self.old.roles = {("a", "borrower")}
        self.store = SnapshotStore(url)
        ae.sync(self.old.read(), self.store, run=run())
        self.store.begin_two_way(run=run())
        push(self.store, self.new, run=run())

    def pull(self, name: str, policy: Policy = HOLD, **more: Any) -> Any:
        side = self.old if name == "old" else self.new
        return pull(side, self.store, run=run(), policy=policy, **more)

    def push(self, name: str, **more: Any) -> Any:
        side: Any = self.old if name == "old" else self.new
        return push(self.store, side, run=run(), **more)

    def rename(self, id_: str, first: str) -> None:
        """Let the application change a name."""
        frame = self.new.tables["user_profile"]
        mine = frame["user_profile_id"] == id_
        names = frame["first_name"].astype(object).where(~mine, first)
        self.new.tables["user_profile"] = frame.assign(
            first_name=names.astype(frame["first_name"].dtype)
        )

    def name_at(self, side: str, id_: str) -> Optional[str]:
        if side == "old":
            return self.old.people[id_]["full_name"]
        sheet = ae.denormalize(self.new.tables)["borrower"]
        return str(sheet["full_name"][sheet["id"] == id_].iloc[0])


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(str(tmp_path / "store"))


def test_what_one_side_changed_comes_to_the_other(sides: Sides) -> None:
    sides.old.people["a"]["phone_cell"] = "512-555-0101"
    sides.rename("b", "Bob")
    report = sides.pull("old")
    assert (report.side, report.outcome, report.held) == ("old", "committed", 0)
    assert report.taken["borrower"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert report.tables["phone_number"].inserted == 1
    assert sides.pull("new").taken["borrower"]["updated"] == 1
    assert sides.push("new").written["phone_number"]["inserted"] == 1
    assert sides.push("old").written["borrower"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert sides.name_at("old", "b") == "Bob Ek"
    version = sides.store.find().version
    quiet = [sides.pull("old"), sides.push("new"), sides.pull("new"), sides.push("old")]
    assert {each.outcome for each in quiet} == {"unchanged"}
    assert sides.store.find().version == version


def test_a_conflict_refuses_a_pull_unless_it_is_held(sides: Sides) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.rename("a", "Anna")
    sides.rename("c", "Cyd")
    sides.pull("old", Policy())
    before = sides.store.find().version
    with pytest.raises(MergeConflictError, match=r"1 both_changed at borrower.full_name") as told:
        sides.pull("new", Policy())
    assert not [word for word in ("Ann", "Roe", "Anna") if word in str(told.value)]
    assert sides.store.find().version == before
    report = sides.pull("new")
    assert (report.held, report.taken["borrower"]["updated"]) == (1, 1)
    (count,) = report.conflicts
    assert (count.kind, count.sheet, count.column, count.decision, count.count) == (
        "both_changed",
        "borrower",
        "full_name",
        "hold",
        1,
    )
    assert sides.push("old").held == 1
    assert sides.push("new").outcome == "unchanged"
    assert [sides.name_at(side, "a") for side in ("old", "new")] == ["Ann Roe", "Anna Lee"]
    assert sides.name_at("old", "c") == "Cyd Fox"  # others go on
    found = read_conflicts(sides.store)
    assert found[["of", "was", "side", "head"]].to_numpy().tolist() == [
        ["new", "Ann Lee", "Anna Lee", "Ann Roe"]
    ]


@pytest.mark.parametrize(("take", "name"), [("old", "Ann Roe"), ("new", "Anna Lee")])
def test_a_held_conflict_is_decided(sides: Sides, take: Any, name: str) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.rename("a", "Anna")
    sides.pull("old")
    sides.pull("new")
    commit = resolve(sides.store, ["a"], take=take, run=run())
    assert commit.kind == "resolve"
    assert sides.pull("new").held == 0
    for side in ("new", "old"):
        sides.push(side)
        sides.pull(side)
    assert [sides.name_at(side, "a") for side in ("old", "new")] == [name, name]
    assert read_conflicts(sides.store).empty


def test_a_decision_is_of_what_was_seen(sides: Sides) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.rename("a", "Anna")
    sides.pull("old")
    sides.pull("new")
    resolve(sides.store, ["a"], take="old", run=run())
    sides.rename("a", "Hanna")
    assert sides.pull("new").held == 1
    assert sides.name_at("new", "a") == "Hanna Lee"


def test_who_has_no_conflict_cannot_be_decided(sides: Sides) -> None:
    with pytest.raises(ArgumentError, match=r"1 of 1 subjects") as told:
        resolve(sides.store, ["a"], take="old", run=run())
    assert told.value.details["count"] == 1
    with pytest.raises(ArgumentError, match="'old' or 'new'"):
        resolve(sides.store, ["a"], take="head", run=run())  # type: ignore[arg-type]


def test_conflicts_are_written_to_a_file_and_to_no_other(sides: Sides, tmp_path: Path) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.rename("a", "Anna")
    sides.pull("old")
    sides.pull("new")
    place = tmp_path / "conflicts.csv"
    write_conflicts(sides.store, str(place))
    lines = place.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "of,kind,sheet,subject,key,column,was,side,head,decision"
    assert lines[1] == "new,both_changed,borrower,a,,full_name,Ann Lee,Anna Lee,Ann Roe,hold"
    with pytest.raises(TargetExistsError):
        write_conflicts(sides.store, str(place))


def test_what_was_changed_since_is_not_written_over(sides: Sides) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.pull("old")
    sides.rename("a", "Anna")  # nobody pulled this
    with pytest.raises(ConflictError, match="pull first") as told:
        sides.push("new")
    assert told.value.details["problem"] == "side"
    assert sides.name_at("new", "a") == "Anna Lee"
    assert sides.pull("new").held == 1


def test_a_cell_that_is_rejected_now_deletes_nothing(sides: Sides) -> None:
    sides.old.people["b"]["phone_home"] = "ask her"
    sides.old.people["c"]["full_name"] = None
    lenient = ae.Thresholds(max_rejected_rows=1.0, max_rejected_cells=1.0)
    report = sides.pull("old", thresholds=lenient)
    assert [(each.column, each.count) for each in report.rejects] == [
        ("full_name", 1),
        ("phone_home", 1),
    ]
    assert len(sides.store.read_rejects()) == 2
    assert sides.push("new").outcome == "unchanged"
    assert sides.name_at("new", "c") == "Cy Fox"
    sides.rename("c", "Cyd")
    sides.pull("new")
    assert sides.push("old").outcome == "unchanged"  # nobody saw what stands there


def test_a_garbled_id_deletes_nobody(sides: Sides) -> None:
    lenient = ae.Thresholds(max_rejected_rows=1.0, max_rejected_cells=1.0, max_deleted_rows=1.0)
    sides.old.people["c\x00"] = sides.old.people.pop("c")
    report = sides.pull("old", thresholds=lenient)
    assert report.nameless == 1
    assert report.taken["borrower"]["deleted"] == 0
    del sides.old.people["c\x00"]
    assert sides.pull("old", thresholds=lenient).taken["borrower"]["deleted"] == 1


def test_deletions_are_held_at_the_old_side_unless_they_are_allowed(sides: Sides) -> None:
    gone = {"user_profile", "user", "role_profile"}
    lenient = ae.Thresholds(max_deleted_rows=1.0)
    for name in ("role_profile", "user", "user_profile"):
        sides.new.tables[name] = _without(sides.new.tables, name)
    report = sides.pull("new", thresholds=lenient)
    assert {name: table.deleted for name, table in report.tables.items() if table.deleted} == (
        dict.fromkeys(gone, 1)
    )
    pushed = sides.push("old")
    assert (pushed.outcome, pushed.held_deletes) == ("unchanged", 1)
    assert "c" in sides.old.people
    assert sides.pull("old").outcome == "unchanged"  # it is no new one
    assert sides.push("old", deletes="allow").written["borrower"]["deleted"] == 1
    assert "c" not in sides.old.people


def _without(tables: Any, name: str) -> Any:
    """Give a table less the rows of the third person, who has one role without a name."""
    frame = tables[name]
    mine = frame["user_profile_id"] == "c" if "user_profile_id" in frame else None
    if mine is None:
        users = tables["user"]
        mine = frame["user_id"].isin(users["user_id"][users["user_profile_id"] == "c"])
    return frame[~mine].reset_index(drop=True)


def test_a_push_that_died_is_noted_by_whoever_comes_next(sides: Sides) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.pull("old")
    sides.new.dies = "after"
    with pytest.raises(DiedError):
        sides.push("new")
    sides.new.dies = ""
    report = sides.push("new")
    assert (report.outcome, report.recovered) == ("unchanged", True)
    sides.new.dies = "after"
    sides.old.people["a"]["full_name"] = "Ann Fey"
    sides.pull("old")
    with pytest.raises(DiedError):
        sides.push("new")
    assert sides.pull("new").recovered


def test_a_plan_that_did_not_come_true_is_forgotten(sides: Sides) -> None:
    sides.old.people["a"]["full_name"] = "Ann Roe"
    sides.pull("old")
    sides.new.dies = "before"
    with pytest.raises(DiedError):
        sides.push("new")
    sides.new.dies = ""
    assert not sides.pull("new").recovered
    assert sides.push("new").written["user_profile"]["updated"] == 1


def test_a_first_push_that_died_before_it_wrote_is_done_anew(sides: Sides) -> None:
    store, side = _fresh(sides), TableSide(dies="before")
    with pytest.raises(DiedError):
        push(store, side, run=run())
    with pytest.raises(SideStateError, match="push to it"):
        pull(side, store, run=run())
    side.dies = ""
    assert push(store, side, run=run()).written["user_profile"]["inserted"] == 3


def test_sides_that_are_not_where_they_should_be_are_named(sides: Sides) -> None:
    known = sides.new.said
    assert known is not None
    for said, problem in (
        (None, "lost"),
        (Said(1, known.token), "behind"),
        (Said(99, "0" * 16), "unreadable"),
    ):
        sides.new.said = said
        with pytest.raises(SideStateError) as told:
            sides.pull("new")
        assert told.value.details["problem"] == problem
    sides.old.people["a"]["full_name"] = "Ann Roe"
    version = sides.pull("old").version
    sides.new.said = Said(version, "0" * 16)
    with pytest.raises(SideStateError, match="another store"):
        sides.push("new")
    with pytest.raises(SideStateError, match="push to it"):
        pull(TableSide(), _fresh(sides), run=run())


def _fresh(sides: Sides) -> SnapshotStore:
    store = SnapshotStore(f"{sides.store.url}-fresh")
    ae.sync(sides.old.read(), store, run=run())
    store.begin_two_way(run=run())
    return store


def test_a_reading_older_than_what_was_pushed_is_refused(sides: Sides) -> None:
    extract = sides.old.read()
    assert pull(extract, sides.store, run=run()).outcome == "unchanged"
    sides.rename("b", "Bob")
    sides.pull("new")
    sides.push("old")
    with pytest.raises(StaleReadingError, match="nothing tells when"):
        pull(extract, sides.store, run=run())


def test_a_store_that_is_not_two_way_takes_no_pull_and_no_push(sides: Sides) -> None:
    sides.store.end_two_way(run=run())
    with pytest.raises(TwoWayError, match="two-way begin"):
        sides.pull("old")
    with pytest.raises(TwoWayError, match="two-way begin"):
        sides.push("new")
    sides.store.begin_two_way(run=run())
    assert sides.pull("old").outcome == "unchanged"
    assert sides.push("new").outcome == "unchanged"


def test_a_pull_keeps_the_limits_of_a_run(sides: Sides) -> None:
    for id_ in range(20):
        sides.old.people[f"n{id_}"] = {**dict.fromkeys(COLUMNS[1:]), "full_name": "N N"}
    sides.pull("old")
    for id_ in range(20):
        del sides.old.people[f"n{id_}"]
    with pytest.raises(ThresholdError, match="max_deleted_rows"):
        sides.pull("old")


def test_a_policy_names_what_there_is(sides: Sides) -> None:
    with pytest.raises(ArgumentError, match="no sheet has it"):
        sides.pull("old", Policy(units={"borrower.mail": "old"}))
