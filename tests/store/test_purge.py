"""To purge is to erase a borrower from every byte that the library keeps; it says what is left."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Optional

import pytest

import aspen_etl as ae
from aspen_etl.errors import CorruptStoreError, NotSupportedError, ThresholdError
from aspen_etl.schema import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.likeness import form_of
from aspen_etl.store.purge_report import NOT_REACHED
from tests.support.borrowers import LENIENT, files_below
from tests.transform.sheets import ADA, BO, COLUMNS, extract

_STORES = itertools.count()
CANARY = "canary"
#: A borrower all of whose cells are found again wherever they are, one of them a reject.
BIRD = {
    **dict.fromkeys(COLUMNS, CANARY),
    "id": "Qq4",
    "full_name": f"Iva {CANARY}",
    "zip_code": "02860",
    "phone_home": "5550100",
    "phone_cell": CANARY,
    "email": f"{CANARY}@example.org",
}


def run(day: int) -> Run:
    return Run(time=dt.datetime(2026, 1, day, tzinfo=dt.timezone.utc), actor="me")


def new_store(*, elsewhere: bool = False) -> ae.SnapshotStore:
    url = f"memory://purge/{next(_STORES)}"
    return ae.SnapshotStore(url, rejects_url=f"{url}-rejects" if elsewhere else None)


def sync(store: ae.SnapshotStore, given: ae.Extract, day: int) -> ae.SyncReport:
    return ae.sync(given, store, run=run(day), thresholds=LENIENT)


def told(store: ae.SnapshotStore, *words: str) -> list[str]:
    """Name the files of a store, its rejects included, that hold any of some words."""
    roots = [store]
    if store.place.rejects_root is not None:
        roots.append(ae.SnapshotStore(store.place.rejects_root.url))
    files = [item for each in roots for item in files_below(each).items()]
    return [name for name, data in files if any(word.encode() in data for word in words)]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["inside", "elsewhere"])
def test_no_byte_of_a_purged_borrower_is_left(
    monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool
) -> None:
    store = new_store(elsewhere=elsewhere)
    words = (CANARY, "Qq4", "qQ4")
    roles = (("Qq4", "borrower"), ("qQ4", f"{CANARY} in trust"), ("a", "borrower"))
    sync(store, extract(ADA, BIRD, roles=roles), 1)
    sync(store, extract(ADA, {**BIRD, "city": "Rye"}, roles=roles), 2)  # rows of two states
    sync(store, extract(ADA, roles=roles), 3)  # retired keys, and a role without its borrower
    sync(store, extract(ADA, {**BIRD, "full_name": None}, roles=roles), 4)  # a row as a reject
    dead = Attempt(store.place, 5)
    dead.tables({"user": store.read(1).tables["user"]}, store.model.tables)
    dead.rejects(store.read_rejects(), None)
    with pytest.raises(ThresholdError):
        ae.sync(extract(ADA, BIRD, {**BIRD, "id": " qq4 "}, roles=roles), store, run=run(6))
    assert len(told(store, *words)) > 12
    old = dt.datetime(2199, 1, 1, tzinfo=dt.timezone.utc)  # as what a dead attempt left is by then
    monkeypatch.setattr("aspen_etl.store.purging.storage_time", lambda *_: old)
    report = store.purge("Qq4", run=run(7))
    assert told(store, *words) == []
    assert (report.rows["user_profile"], report.similar, report.young) == (0, 0, 0)
    assert report.refused > 0
    assert report.rejects > 0
    assert [store.verify(commit.version).problems for commit in store.history()] == [()] * 5
    assert store.read_refused_rejects()["subject"].dropna().tolist() == []


FORMS = {
    "Qq4": ["qQ4", "QQ4", "q q 4", "\uff31q4", "Q\u200bq4"],
    "41": ["41.0", "041", "4.1E1", "41.000"],
    "gone": ["gone", "GONE", " Gone"],  # an id that stands in no table
}


@pytest.mark.parametrize("purged", FORMS)
def test_rejects_of_the_id_in_another_form_go_too(purged: str) -> None:
    store = new_store()
    roles = tuple((form, f"{CANARY} role") for form in FORMS[purged])
    people = [ADA] if purged == "gone" else [ADA, {**BIRD, "id": purged}]
    sync(store, extract(*people, roles=roles), 1)
    report = store.purge(purged, run=run(2))
    assert told(store, CANARY) == []
    assert report.similar == 0
    assert report.rejects >= len(roles)


def test_an_unreadable_id_is_found_in_the_record() -> None:
    store = new_store()
    sync(store, extract(ADA, BIRD, {**BIRD, "id": "Qq4\x07", "full_name": None}), 1)
    store.purge("Qq4", run=run(2))
    assert told(store, CANARY) == []


def test_rejects_of_another_borrower_of_a_similar_id_stay_and_are_told() -> None:
    store = new_store()
    other = {**ADA, "id": "qq4", "email": "other-address"}
    sync(store, extract(BIRD, other), 1)
    report = store.purge("Qq4", run=run(2))
    assert (report.similar, report.rows["user_profile"]) == (2, 1)
    assert "left: 2 rows of a similar id that stands in the tables" in "\n".join(report.left)
    assert told(store, CANARY) == []
    assert len(store.read_rejects()) == 1
    assert store.read().tables["user_profile"]["user_profile_id"].tolist() == ["qq4"]


def test_a_mistyped_id_erases_nobody_and_is_told() -> None:
    store = new_store()
    sync(store, extract(BIRD), 1)
    report = store.purge("qq4", run=run(2))
    assert (report.version, report.files, report.rejects, report.similar) == (1, 0, 0, 2)


def test_blanks_around_an_id_are_none() -> None:
    store = new_store()
    sync(store, extract(ADA, {**BIRD, "id": "Q q4"}), 1)
    assert store.purge(" Q\t q4\n", run=run(2)).rows["user_profile"] == 1


def test_a_report_says_what_is_not_reached() -> None:
    store = new_store()
    sync(store, extract(ADA, BO), 1)
    report = store.purge("b", run=run(2))
    assert report.not_reached == NOT_REACHED
    assert report.to_dict()["not_reached"] == NOT_REACHED
    lines = "\n".join(report.left)
    assert "not reached: the source, and copies of it: unless the subject is suppressed" in lines
    for word in ("databases", "Athena", "exports", "backups"):
        assert word in lines


def test_files_that_are_too_young_to_go_are_told() -> None:
    store = new_store()
    sync(store, extract(ADA, BIRD), 1)
    Attempt(store.place, 2).rejects(store.read_rejects(), None)
    report = store.purge("Qq4", run=run(2))
    assert report.young == 1
    assert "left: 1 files of attempts that may be running, or died" in "\n".join(report.left)


def test_the_rejects_of_a_first_run_that_was_refused_are_reached() -> None:
    store = new_store(elsewhere=True)
    with pytest.raises(ThresholdError):
        ae.sync(extract(ADA, BIRD), store, run=run(1))
    blind = ae.SnapshotStore(store.url)
    with pytest.raises(NotSupportedError, match="give rejects_url="):
        blind.purge("Qq4", run=run(2))
    report = store.purge("Qq4", run=run(2))
    assert (report.version, report.refused) == (0, 1)
    assert told(store, CANARY) == []
    assert len(store.read_refused_rejects()) == 0


@pytest.mark.parametrize("name", ["rejects.csv", "run.json"])
def test_what_a_refused_run_left_is_reached_also_where_it_is_damaged(name: str) -> None:
    store = new_store()
    sync(store, extract(ADA), 1)
    with pytest.raises(ThresholdError):
        ae.sync(extract(ADA, BIRD), store, run=run(2))
    place = store.place.root.child(f"_aspen/refused/{name}")
    place.filesystem.pipe_file(place.path, CANARY.encode())
    store.purge("Qq4", run=run(3))
    assert [each for each in told(store, CANARY) if each != "_aspen/refused/run.json"] == []


def test_a_lost_file_is_damage_and_no_other_writer() -> None:
    store = new_store()
    sync(store, extract(ADA, BIRD), 1)
    (file,) = store.find(1).tables["user"].files
    store.place.root.filesystem.rm_file(store.place.root.child(file.path).path)
    for call in (lambda: store.purge("Qq4", run=run(3)), lambda: store.restore(1, run=run(3))):
        with pytest.raises(CorruptStoreError, match="the file is gone"):
            call()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a", "A ", True),
        ("stra\u00dfe", "STRASSE", True),
        ("-7", "-7.00", True),
        ("98765432109876543210", "98765432109876543210.0", True),
        ("98765432109876543210", "98765432109876543211", False),
        ("1.5", "15", False),
        ("\u200b", "\u200d", False),
        ("00010203-0405", "10203-405", False),
    ],
)
def test_forms_of_ids(one: str, other: str, *, same: bool) -> None:
    assert (form_of(one) == form_of(other)) == same


def test_a_missing_id_is_like_none() -> None:
    store = new_store()
    unnamed: dict[str, Optional[str]] = {**ADA, "id": None, "street": "a"}
    sync(store, extract(BO, unnamed), 1)
    assert store.purge("b", run=run(2)).rejects == 0
    assert len(store.read_rejects()) > 0
