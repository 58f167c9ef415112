"""A run that breaks a limit leaves what it refused where its error says, and no commit."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    NotSupportedError,
    ReadError,
    SourceAccessError,
    ThresholdError,
    VersionNotFoundError,
    WriteError,
)
from aspen_etl.schema import Run
from aspen_etl.store.refused import RefusedRun
from tests.support.borrowers import files_below
from tests.transform.sheets import ADA, BO, extract

_STORES = itertools.count()
NAMELESS = {**ADA, "id": "n", "full_name": None, "email": "canary@example.org"}
GOOD, BAD = extract(ADA, BO), extract(ADA, BO, NAMELESS)
LENIENT = ae.Thresholds(max_rejected_rows=1, max_rejected_cells=1)


def run(hour: int) -> Run:
    return Run(time=dt.datetime(2026, 1, 1, hour, tzinfo=dt.timezone.utc), actor="me")


def new_store(*, elsewhere: bool = False) -> ae.SnapshotStore:
    url = f"memory://refused/{next(_STORES)}"
    return ae.SnapshotStore(url, rejects_url=f"{url}-rejects" if elsewhere else None)


def refuse(store: ae.SnapshotStore, hour: int, given: ae.Extract = BAD) -> ThresholdError:
    with pytest.raises(ThresholdError) as found:
        ae.sync(given, store, run=run(hour))
    return found.value


def holds_canary(store: ae.SnapshotStore) -> list[str]:
    roots = [store] if store.place.rejects_root is None else [store, beside(store)]
    return [name for each in roots for name, data in files_below(each).items() if b"canary" in data]


def beside(store: ae.SnapshotStore) -> ae.SnapshotStore:
    assert store.place.rejects_root is not None
    return ae.SnapshotStore(store.place.rejects_root.url)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["inside", "elsewhere"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_the_error_names_counts_by_rule_and_the_file_of_the_rejects(
    *, first: bool, elsewhere: bool
) -> None:
    store = new_store(elsewhere=elsewhere)
    if not first:
        ae.sync(GOOD, store, run=run(1))
    error = refuse(store, 2)
    place = f"{store.url}{'-rejects' if elsewhere else ''}/_aspen/refused/rejects.csv"
    assert f"the rejects are in {place}" in str(error)
    assert "Rejected by rule: 1 borrower.full_name missing_name" in str(error)
    assert error.details["place"] == place
    expected = ae.normalize(BAD, run=run(2)).rejects
    assert store.read_refused_rejects().equals(expected)
    assert (store.newest() is None) == first
    refused = store.refused_run()
    assert refused is not None
    assert (refused.version, refused.error) == (0 if first else 1, "ThresholdError")
    assert refused.sources["borrower"] == {"rows": 3, "accepted": 2, "rejected": 1}
    assert refused.rejects == error.details["rejects"]
    assert refused.refusals == error.details["refusals"]


def test_no_figure_of_a_refused_run_holds_a_cell() -> None:
    store = new_store(elsewhere=True)
    error = refuse(store, 1)
    told = [str(error), repr(store.refused_run()), str(store.status(now=run(2).time).to_dict())]
    told += [data.decode() for data in files_below(store).values()]
    assert not [text for text in told if "canary" in text or "Antoni" in text]
    assert holds_canary(store) == ["_aspen/refused/rejects.csv"]


def test_only_the_newest_refused_run_is_kept_until_a_run_is_not_refused() -> None:
    store = new_store()
    refuse(store, 1)
    refuse(store, 2, extract(ADA, {**BO, "full_name": None}))
    assert holds_canary(store) == []
    assert store.read_refused_rejects()["subject"].tolist() == ["b"]
    ae.sync(GOOD, store, run=run(3))
    assert store.refused_run() is None
    assert len(store.read_refused_rejects()) == 0
    refuse(store, 4)
    assert ae.sync(GOOD, store, run=run(5)).outcome == "unchanged"
    assert [name for name in files_below(store) if "refused" in name] == []


def test_a_run_that_may_delete_nothing_leaves_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    store = new_store()
    refuse(store, 1)

    def refuse_to_delete(place: Any) -> None:
        raise SourceAccessError.at(place.url)

    monkeypatch.setattr("aspen_etl.io.small_files.delete", refuse_to_delete)
    ae.sync(GOOD, store, run=run(2))
    left = {name: data for name, data in files_below(store).items() if "refused" in name}
    assert left == {"_aspen/refused/rejects.csv": b"", "_aspen/refused/run.json": b""}
    assert store.refused_run() is None


def test_vacuum_takes_what_is_old_and_rejects_whose_figures_are_lost() -> None:
    store = new_store(elsewhere=True)
    ae.sync(GOOD, store, run=run(1))
    refuse(store, 2)
    assert store.vacuum(run=run(4), keep_for=dt.timedelta(hours=3)).files == 0
    blind = ae.SnapshotStore(store.url)
    assert blind.vacuum(run=run(6), keep_for=dt.timedelta(hours=3)).files == 0
    assert store.vacuum(run=run(6), keep_for=dt.timedelta(hours=3)).files == 1
    assert holds_canary(store) == []
    refuse(store, 7)
    figures = store.place.root.child("_aspen/refused/run.json")
    figures.filesystem.pipe_file(figures.path, b"")
    assert store.vacuum(run=run(8)).files == 2
    assert holds_canary(store) == []
    assert not [name for name in files_below(store) if "refused" in name]


def test_a_run_whose_rejects_cannot_be_kept_is_refused_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(place: Any, _: Any) -> None:
        raise WriteError.at(place.url, "full")

    monkeypatch.setattr("aspen_etl.store.refused.put", fail)
    error = refuse(new_store(), 1)
    assert "The rejects could not be kept (WriteError)" in str(error)
    assert error.details["place"] is None


def test_a_store_whose_first_run_was_refused_is_a_store_without_a_commit() -> None:
    store = new_store(elsewhere=True)
    refuse(store, 1)
    status = store.status(now=run(2).time)
    assert (status.version, status.outcome, status.failure_age) == (0, "ThresholdError", 3600.0)
    assert store.history() == ()
    for call in (store.read, store.verify, lambda: store.vacuum(run=run(2))):
        with pytest.raises(VersionNotFoundError, match="holds no commit yet"):
            call()
    assert ae.sync(BAD, store, run=run(3), thresholds=LENIENT).version == 1
    assert store.verify().problems == ()
    assert store.refused_run() is None


def test_a_plan_leaves_nothing() -> None:
    store = new_store()
    assert ae.plan(BAD, store, run=run(1)).refusals != ()
    assert files_below(store) == {}


def test_a_run_that_is_refused_beside_one_that_commits_does_no_harm() -> None:
    store, rivals = new_store(), iter([GOOD])

    def interfere(step: str) -> None:
        rival = next(rivals, None) if step == "normalizing" else None
        if rival is not None:
            ae.sync(rival, store, run=run(1))

    with pytest.raises(ThresholdError):
        ae.sync(BAD, store, run=run(2), on_step=interfere)
    assert store.verify().problems == ()
    assert (store.find().version, store.refused_run() is None) == (1, False)
    ae.sync(extract(ADA), store, run=run(3))
    assert store.refused_run() is None


def test_rejects_elsewhere_are_not_found_without_their_url() -> None:
    store = new_store(elsewhere=True)
    refuse(store, 1)
    blind = ae.SnapshotStore(store.url)
    assert blind.refused_run() == store.refused_run()
    with pytest.raises(NotSupportedError, match="give rejects_url="):
        blind.read_refused_rejects()


ODD = {
    "nothing": b"",
    "list": b"[]",
    "deep": b"[" * 70_000,
    "huge": b" " * (2 << 20),
    "number": b'{"time": 1}',
    "no file": b'{"file": 3}',
    "types": (
        b'{"time": "2026-01-01", "actor": "me", "version": 1, "error": "", "refusals": 7, '
        b'"sources": [], "rejects": [], "outcome": [], '
        b'"file": {"path": "x", "bytes": 1, "rows": 1, "sha256": ""}}'
    ),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_figures_that_cannot_be_read_are_none(data: bytes) -> None:
    store = new_store()
    refuse(store, 1)
    for name in ("refused/run", "last_run", "last_failure"):
        place = store.place.root.child(f"_aspen/{name}.json")
        place.filesystem.pipe_file(place.path, data)
    assert store.refused_run() is None
    assert store.last_run() == {}
    assert store.status(now=run(2).time).failed is None
    assert ae.sync(GOOD, store, run=run(3)).version == 1


# ----------------------------------------------------------------------------- status


def alarm(store: ae.SnapshotStore, hour: int, minutes: float = 90) -> str | None:
    return store.status(now=run(hour).time).find_alarm(dt.timedelta(minutes=minutes))


def test_a_run_that_found_nothing_to_do_is_a_good_run() -> None:
    store = new_store()
    ae.sync(GOOD, store, run=run(1))
    assert alarm(store, 2) is None
    assert alarm(store, 5) == "no run committed or found nothing to do within 90 minutes"
    ae.sync(GOOD, store, run=run(4))
    assert alarm(store, 5) is None
    status = store.status(now=run(5).time)
    assert (status.commit_age, status.good_age) == (4 * 3600.0, 3600.0)


def test_runs_that_are_refused_or_fail_are_an_alarm_until_one_is_good() -> None:
    store = new_store()
    refuse(store, 1)
    assert "the last run was not good: ThresholdError: 1 of 3 (33.3%) rows" in str(alarm(store, 2))
    ae.sync(GOOD, store, run=run(2))
    assert alarm(store, 3) is None
    with pytest.raises(FileNotFoundError):
        ae.sync("memory://refused/no-such-source", store, run=run(3))
    assert "SourceNotFoundError: there is no file" in str(alarm(store, 3))
    ae.sync(GOOD, store, run=run(4))
    status = store.status(now=run(5).time)
    assert (status.failure, status.failure_age) == ("SourceNotFoundError", 2 * 3600.0)
    assert alarm(store, 5) is None


def test_an_error_that_is_not_ours_is_told_by_its_kind() -> None:
    def fail(_: str) -> None:
        raise KeyError("a cell")

    store = new_store()
    with pytest.raises(KeyError):
        ae.sync(GOOD, store, run=run(1), on_step=fail)
    status = store.status(now=run(2).time)
    assert (status.failure, status.reasons) == ("failed", ("KeyError",))


def test_a_commit_by_a_run_is_a_look_also_where_its_note_is_lost() -> None:
    store = new_store()
    ae.sync(GOOD, store, run=run(1))
    store.place.root.filesystem.rm_file(store.place.root.child("_aspen/last_run.json").path)
    assert alarm(store, 2) is None
    store.restore(1, run=run(3))
    assert alarm(store, 4) is not None


def test_word_of_a_run_that_failed_under_an_older_release_counts() -> None:
    store = new_store()
    ae.sync(GOOD, store, run=run(1))
    place = store.place.root.child("_aspen/last_run.json")
    words = b'{"time": "2026-01-01T02:00:00+00:00", "outcome": "ReadError", "version": 1}'
    place.filesystem.pipe_file(place.path, words)
    assert ReadError.__name__ in str(alarm(store, 2))


def test_a_state_of_the_source_stays_known_when_a_run_fails_in_between(tmp_path: Any) -> None:
    store = new_store()
    for name, frame in GOOD.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    ae.sync(tmp_path, store, run=run(1))
    with (tmp_path / "borrower.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert ae.sync(tmp_path, store, run=run(2)).source_read
    refuse(store, 3)
    assert not ae.sync(tmp_path, store, run=run(4)).source_read


def test_what_a_refused_run_left_is_a_value() -> None:
    refused = RefusedRun("t", "a", 1, "e", (), {}, ())
    assert refused.to_dict()["file"]["path"] == "_aspen/refused/rejects.csv"
