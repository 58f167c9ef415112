"""Two sides of any shape are held against each other; the report is counts, the details are not."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    ArgumentError,
    AspenETLError,
    NotSupportedError,
    SourceNotFoundError,
    TargetExistsError,
    VersionNotFoundError,
)
from aspen_etl.testing._privacy import CANARY
from aspen_etl.transform.suppressing import Suppression
from tests.laws.typed_models import ENTITIES
from tests.support.borrowers import LENIENT, write_borrowers
from tests.support.landed import NOON, Landed
from tests.transform.sheets import ADA, BO, RUN, extract

SECRET = b"0123456789abcdef"
GOOD = {**ADA, "zip_code": "02138", "phone_home": "617-555-0100", "phone_cell": None, "email": None}
SOURCE = extract(GOOD, BO, roles=(("a", "Borrower"), ("b", "Borrower"), ("b", "Co-Borrower")))


def made(source: ae.Extract = SOURCE) -> ae.NormalizeResult:
    return ae.normalize(source, run=RUN)


def differences(found: ae.Reconciliation) -> list[tuple[Any, ...]]:
    return [(e.kind, e.sheet, e.column, e.why, e.in_flight, e.count) for e in found.differences]


def renamed(name: str) -> ae.Extract:
    return extract({**GOOD, "full_name": name}, BO, roles=(("a", "Borrower"), ("b", "Borrower")))


# ----------------------------------------------------------------------------- every side


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return write_borrowers(tmp_path / "in", ["Ann Lee", "Bo Ek", "Cy Fox"])


@pytest.fixture
def store(tmp_path: Path, folder: str) -> ae.SnapshotStore:
    found = ae.SnapshotStore(tmp_path / "store")
    ae.sync(folder, found, run=RUN, thresholds=LENIENT)
    return found


def test_each_kind_of_side_is_in_step_with_each_other(folder: str, store: ae.SnapshotStore) -> None:
    read = ae.read_extract(folder)
    snapshot = store.read()
    sides: dict[str, Any] = {
        "files": folder,
        "extract": read,
        "database": lambda: read,
        "tables": snapshot.tables,
        "store": (store, 1),
    }
    pairs = itertools.combinations_with_replacement(sides, 2)
    reports = {(one, two): ae.reconcile(sides[one], sides[two], run=RUN) for one, two in pairs}
    for (one, two), found in reports.items():
        assert (found.outcome, differences(found)) == ("in_step", []), (one, two)
        assert (found.source.kind, found.target.kind) == (one, two)
        assert found.source.rows == found.target.rows == {"borrower": 3, "role_profile": 1}
    assert len({found.source.digest for found in reports.values()}) == 1
    assert ae.reconcile(snapshot, store, run=RUN).target.version == 1


def test_a_landing_is_replayed_and_its_watermark_is_told(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.load("Ada Lee", "Bo Ek")
    store = ae.SnapshotStore(tmp_path / "store")
    run = ae.Run(time=NOON + dt.timedelta(hours=1), actor="me")
    ae.sync(landed.landing, store, run=run, thresholds=LENIENT)
    assert ae.reconcile(landed.landing, store, run=run).outcome == "in_step"
    landed.change(5, ("U", "b1", "Ann Lee"), ("D", "b2", None), ("I", "b3", "Cy Fox"))
    behind = ae.reconcile(landed.landing, store, run=run)
    assert differences(behind) == [
        ("differs", "borrower", "full_name", None, False, 1),
        ("extra", "borrower", None, None, False, 1),
        ("missing", "borrower", None, None, False, 1),
    ]
    told = (behind.source.watermark, behind.target.watermark)
    assert told == ("2026-01-31 12:00:05.000000", None)
    landed.change(7, ("U", "b3", "Cy Roe"))
    ae.sync(landed.landing, store, run=run, thresholds=LENIENT)
    after = ae.reconcile(landed.landing, store, run=run)
    assert (after.outcome, after.source.kind, after.target.version) == ("in_step", "landing", 2)
    assert after.source.watermark == after.target.watermark == "2026-01-31 12:00:07.000000"
    assert "watermark" in str(after)
    limits = {"limits": ae.ReadLimits(max_rows=3)}  # rows that are taken at once
    few = ae.reconcile(landed.landing, store, run=run, read_options=limits)
    assert (few.outcome, few.source) == ("in_step", after.source)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Any]:
    sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    found = sa.create_engine(f"sqlite:///{tmp_path / 'lender.db'}", poolclass=sa.NullPool)
    yield found
    found.dispose()


def test_databases_of_both_shapes_are_sides(
    engine: Any, store: ae.SnapshotStore, folder: str
) -> None:
    from aspen_etl import sql
    from aspen_etl.sql.flat import FlatDatabase
    from aspen_etl.sql.flat_tables import FlatNames

    read = ae.read_extract(folder)
    for name in read:
        read[name].to_sql(f"old_{name}", engine, index=False)
    names = FlatNames({name: f"old_{name}" for name in read}, {})
    flat = FlatDatabase(engine, ae.BORROWER_MODEL, names, None)
    sql.load(store, engine)
    tables = sql.TableDatabase(engine)
    for one, two in ((flat, tables), (tables, store)):
        assert ae.reconcile(one, two, run=RUN).outcome == "in_step"
    with engine.begin() as connection:  # an application writes
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(
            "UPDATE user_profile SET last_name = 'Roe' WHERE user_profile_id = '101'"
        )
        connection.exec_driver_sql("DELETE FROM \"user\" WHERE user_profile_id = '102'")
    found = ae.reconcile(flat, tables, run=RUN)
    assert differences(found) == [
        ("differs", "borrower", "full_name", None, False, 1),
        ("inexpressible", "borrower", "user.user_profile_id", None, False, 1),
        ("inexpressible", "borrower", "role_profile.user_id", None, False, 1),
    ]
    # Who is lost, who has another name, and the rows that lead to nobody.
    assert (found.subjects, found.outcome) == (3, "unexplained")


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    from aspen_etl import sql

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'no.db'}")
    with pytest.raises(SourceNotFoundError):
        ae.reconcile(SOURCE, sql.TableDatabase(engine), run=RUN)
    engine.dispose()
    assert not (tmp_path / "no.db").exists()


# ----------------------------------------------------------------------------- explained or not


def test_a_reject_explains_what_is_not_in_the_tables() -> None:
    faulty = extract(
        {**GOOD, "zip_code": "no"}, BO, BO, {**BO, "id": "c", "full_name": None},
        roles=(("b", "Borrower"), ("z", "Borrower")),
    )  # fmt: skip
    found = ae.reconcile(faulty, made(faulty).tables, run=RUN)
    assert sorted(differences(found), key=str) == [
        ("differs", "borrower", "city", "invalid_zip_code", False, 1),
        ("differs", "borrower", "state", "invalid_zip_code", False, 1),
        ("differs", "borrower", "street", "invalid_zip_code", False, 1),
        ("differs", "borrower", "zip_code", "invalid_zip_code", False, 1),
        ("duplicate", "borrower", "id", "duplicate_id", False, 1),
        ("missing", "borrower", "full_name", "missing_name", False, 1),
        ("missing", "role_profile", "borrower_id", "unknown_borrower", False, 1),
    ]
    assert (found.outcome, found.subjects) == ("in_step", 0)
    assert found.source.rejected == {"borrower": 2, "role_profile": 1}


def test_a_kept_row_explains_what_is_in_the_tables_alone() -> None:
    before = made()
    now = extract(GOOD, {**BO, "full_name": None}, roles=(("a", "Borrower"), ("b", "Borrower")))
    kept = ae.normalize(now, run=RUN, previous=before.snapshot).tables
    found = ae.reconcile(now, kept, run=RUN)
    assert differences(found) == [
        ("extra", "borrower", None, "kept", False, 1),
        ("extra", "role_profile", None, "kept", False, 2),
    ]
    assert found.outcome == "in_step"
    fresh = ae.reconcile(now, made(now).tables, run=RUN)  # where nothing was before, nothing stays
    assert ("missing", "borrower", "full_name", "missing_name", False, 1) in differences(fresh)


def test_what_the_tables_hold_where_the_source_rejects_a_cell_is_not_explained() -> None:
    faulty = extract({**GOOD, "phone_home": "call me"}, BO, roles=(("a", "Borrower"),))
    good = extract(GOOD, BO, roles=(("a", "Borrower"),))
    found = ae.reconcile(faulty, made(good).tables, run=RUN)
    assert differences(found) == [("differs", "borrower", "phone_home", None, False, 1)]


def test_tables_against_a_source_tell_the_same_from_the_other_side() -> None:
    less = extract(GOOD, roles=(("a", "Borrower"),))
    assert differences(ae.reconcile(less, made().tables, run=RUN)) == [
        ("extra", "borrower", None, None, False, 1),
        ("extra", "role_profile", None, None, False, 2),
    ]
    assert differences(ae.reconcile(made().tables, less, run=RUN)) == [
        ("missing", "borrower", None, None, False, 1),
        ("missing", "role_profile", None, None, False, 2),
    ]


def test_suppressed_subjects_are_left_out_of_the_source(
    store: ae.SnapshotStore, folder: str
) -> None:
    store.purge("101", run=RUN, suppress=True, suppress_secret=SECRET)
    with pytest.raises(ArgumentError, match="suppress_secret="):
        ae.reconcile(folder, store, run=RUN)
    assert ae.reconcile(folder, store, run=RUN, suppress_secret=SECRET).outcome == "in_step"


# ----------------------------------------------------------------------------- a second look


class Moving:
    """A side that is another one at each look."""

    def __init__(self, *states: ae.Extract) -> None:
        self.states, self.looks = states, 0

    def read(self) -> ae.Extract:
        self.looks += 1
        return self.states[min(self.looks, len(self.states)) - 1]


def test_what_is_as_it_was_at_the_next_look_is_confirmed() -> None:
    side = Moving(renamed("Ada Roe"))
    found = ae.reconcile(side, made(renamed("Ada Lee")).tables, run=RUN)
    assert differences(found) == [("differs", "borrower", "full_name", None, False, 1)]
    assert (found.outcome, found.looks, side.looks) == ("unexplained", 2, 2)


def test_what_moved_meanwhile_is_in_flight_and_then_undecided() -> None:
    side = Moving(*(renamed(f"Ada {name}") for name in ("One", "Two", "Three", "Four")))
    target = made(renamed("Ada Lee")).tables
    found = ae.reconcile(side, target, run=RUN)
    assert differences(found) == [("differs", "borrower", "full_name", None, True, 1)]
    assert (found.outcome, found.in_flight, found.settled) == ("undecided", 1, 0)
    longer = ae.reconcile(Moving(*side.states), target, run=RUN, tries=9)
    assert (longer.outcome, longer.looks) == ("unexplained", 5)  # the fourth state stays


def test_what_is_gone_at_the_next_look_is_settled() -> None:
    side = Moving(renamed("Ada Old"), renamed("Ada Lee"))
    found = ae.reconcile(side, made(renamed("Ada Lee")).tables, run=RUN)
    assert (found.outcome, found.looks, found.settled, found.differences) == ("in_step", 2, 1, ())
    assert str(found).endswith("\ngone at the next look: 1\n\nin step: all is equal")


def test_there_is_no_other_look_where_nothing_can_change_or_all_is_explained() -> None:
    assert ae.reconcile(renamed("Ada Roe"), made().tables, run=RUN, tries=5).looks == 1
    side = Moving(extract(GOOD, GOOD, roles=(("a", "Borrower"),)))
    assert ae.reconcile(side, made(side.states[0]).tables, run=RUN).looks == 1
    once = Moving(renamed("Ada Roe"))
    assert ae.reconcile(once, made().tables, run=RUN, tries=1).outcome == "unexplained"
    assert once.looks == 1


def test_the_next_look_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("aspen_etl.synchronization.reconciling.time.sleep", slept.append)
    wait = dt.timedelta(minutes=3)
    side = Moving(renamed("Ada Roe"))
    ae.reconcile(side, made().tables, run=RUN, confirm_after=wait)
    assert slept == [180.0]


# ----------------------------------------------------------------------------- details, privacy


def details(url: Path) -> list[list[Optional[str]]]:
    frame = pd.read_csv(url, dtype=str, keep_default_na=False)
    return [[cell or None for cell in row] for row in frame.to_numpy().tolist()]


def test_details_name_ids_and_values(tmp_path: Path) -> None:
    url = tmp_path / "new" / "details.csv"
    less = extract({**GOOD, "full_name": "Ada Roe", "zip_code": "no"}, roles=(("a", "Borrower"),))
    found = ae.reconcile(less, made().tables, run=RUN, details=str(url))
    assert found.details == str(url)
    rows = details(url)
    name = next(row for row in rows if row[3] == "full_name")
    assert name[:5] == ["borrower", "a", None, "full_name", "differs"]
    assert name[5:] == ["Ada Roe", "Ada Degli Antoni", None, "confirmed"]
    extra = next(row for row in rows if row[0] == "role_profile")
    assert extra[:6] == ["role_profile", "b", "borrower", None, "extra", None]
    assert json.loads(str(extra[6])) == {"borrower_id": "b", "role_profile": "borrower"}
    assert len(rows) == sum(each.count for each in found.differences)


def test_under_a_secret_details_tell_no_id_and_digests_are_others(tmp_path: Path) -> None:
    url = tmp_path / "details.csv"
    less = extract({**GOOD, "full_name": "Ada Roe"}, roles=(("a", "Borrower"),))
    known = ae.reconcile(less, made().tables, run=RUN)
    found = ae.reconcile(less, made().tables, run=RUN, details=str(url), secret=SECRET)
    named = Suppression(SECRET, "")
    assert {row[1] for row in details(url)} == {named.digest("a"), named.digest("b")}
    assert {row[4]: (row[5], row[6]) for row in details(url)} == {
        "differs": ("Ada Roe", "Ada Degli Antoni"),
        "extra": (None, None),
    }
    assert differences(found) == differences(known)
    assert found.source.digest != known.source.digest


def test_a_file_of_details_is_never_replaced(tmp_path: Path) -> None:
    url = tmp_path / "borrowers.csv"
    url.write_text("mine", encoding="utf-8")
    with pytest.raises(TargetExistsError, match="name another file"):
        ae.reconcile(SOURCE, made().tables, run=RUN, details=str(url))
    assert url.read_text(encoding="utf-8") == "mine"


def test_a_report_tells_no_id_and_no_value(tmp_path: Path) -> None:
    row = {name: f"{CANARY}{name}" for name in GOOD}
    told = extract(row, {**row, "full_name": None}, roles=((row["id"], CANARY), (CANARY, CANARY)))
    other = made(extract({**row, "full_name": f"{CANARY}x"}, roles=((row["id"], "Borrower"),)))
    found = ae.reconcile(told, other.tables, run=RUN, details=str(tmp_path / "d.csv"))
    assert found.unexplained
    assert found.explained
    shown = f"{found!r} {found} {found.to_json()}"
    assert CANARY not in shown
    assert CANARY in (tmp_path / "d.csv").read_text(encoding="utf-8")
    broken = dict(other.tables)
    broken["user"] = broken["user"].assign(user_profile_id=f"{CANARY}y")
    again = ae.reconcile(told, ae.Tables(broken), run=RUN)
    assert "inexpressible" in {each.kind for each in again.differences}
    assert CANARY not in f"{again!r} {again} {again.to_json()}"


def test_a_report_is_plain_values_and_text_that_reads() -> None:
    found = ae.reconcile(renamed("Ada Roe"), made(renamed("Ada Lee")).tables, run=RUN)
    told = json.loads(found.to_json())
    assert told["outcome"] == "unexplained"
    assert told["differences"] == [
        {
            "kind": "differs", "sheet": "borrower", "column": "full_name", "why": None,
            "in_flight": False, "count": 1,
        }
    ]  # fmt: skip
    assert told["source"]["rows"] == {"borrower": 2, "role_profile": 2}
    lines = str(found).splitlines()
    assert lines[0].split() == ["extract", "tables"]
    assert "not explained" in lines
    assert lines[-1] == "not in step: 1 differences of 1 subjects are not explained"


# ----------------------------------------------------------------------------- refusals

NO_PAIR: Any = (SOURCE, 1)
FRAMES: Any = {"borrower": SOURCE["borrower"]}


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (partial(ae.reconcile, SOURCE, SOURCE, tries=0), ArgumentError, "tries="),
        (partial(ae.reconcile, SOURCE, SOURCE, secret=b"short"), ArgumentError, "16 bytes"),
        (partial(ae.reconcile, SOURCE, FRAMES), ArgumentError, "ae.Extract or ae.Tables"),
        (partial(ae.reconcile, SOURCE, NO_PAIR), ArgumentError, "a store and a version"),
        (partial(ae.reconcile, SOURCE, SOURCE, model=ENTITIES), NotSupportedError, "parted"),
        (
            partial(ae.reconcile, SOURCE, ae.SnapshotStore("memory://reconcile/none")),
            VersionNotFoundError,
            "reconcile",
        ),
    ],
    ids=["tries", "secret", "frames", "pair", "model", "version"],
)
def test_what_cannot_be_compared_is_refused(
    call: Callable[..., Any], error: type[AspenETLError], told: str
) -> None:
    with pytest.raises(error, match=told) as raised:
        call(run=RUN)
    assert "Ada" not in "".join(traceback.format_exception(raised.type, raised.value, None))
