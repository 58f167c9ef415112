"""Leases: two runs, one lease; one that is over is taken; a crash leaves it to be over."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.store import leases
from tests.support.s3 import BUCKET

LONG = 900


def make_old(folder: Path, seconds: float) -> None:
    """Let the newest lease of a folder be older, by the storage's clock."""
    newest = max(path for path in folder.glob("*.json") if path.name != "clock.json")
    since = time.time() - seconds
    os.utime(newest, (since, since))


def files(store: ae.SnapshotStore, name: str = "old") -> list[str]:
    folder = Path(store.place.root.path, "_aspen/leases", name)
    return sorted(path.name for path in folder.glob("0*.json"))


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ae.SnapshotStore:
    url = str(tmp_path / "store") if request.param == "disk" else f"memory://leases{tmp_path}"
    return ae.SnapshotStore(url)


def test_of_two_runs_one_has_the_lease_and_gives_it_back(store: ae.SnapshotStore) -> None:
    with store.lease("old", seconds=LONG) as one:
        with store.lease("old", seconds=LONG) as two, store.lease("new", seconds=LONG) as other:
            assert (one, two, other) == (True, False, True)
        with store.lease("old", seconds=LONG) as three:
            assert not three  # the end of one that had nothing gave nothing back
    with store.lease("old", seconds=LONG) as four:
        assert four


def test_a_run_that_fails_gives_it_back(store: ae.SnapshotStore) -> None:
    with pytest.raises(ZeroDivisionError), store.lease("old", seconds=LONG):
        raise ZeroDivisionError
    with store.lease("old", seconds=LONG) as mine:
        assert mine


def race(store: ae.SnapshotStore, runs: int = 8) -> list[leases.Lease]:
    def take(_: int) -> Any:
        return leases.take_lease(store.place.log, "old", LONG)

    with ThreadPoolExecutor(runs) as pool:
        return [each for each in pool.map(take, range(runs)) if each is not None]


def test_of_many_at_once_one_has_it(store: ae.SnapshotStore) -> None:
    for _ in range(10):
        (mine,) = race(store)
        leases.end_lease(mine)


def test_of_many_at_once_one_has_it_on_s3(seaweed_server: Any) -> None:
    url = f"s3://{BUCKET}/leases-{secrets.token_hex(4)}"
    store = ae.SnapshotStore(url, storage_options=seaweed_server.options())
    for _ in range(2):
        (mine,) = race(store, 4)
        assert race(store, 2) == []
        leases.end_lease(mine)
    assert leases.take_lease(store.place.log, "old", 1) is not None
    assert leases.take_lease(store.place.log, "old", LONG) is None
    time.sleep(2.1)  # its clock tells whole seconds
    with store.lease("old", seconds=LONG) as after:
        assert after


def test_of_many_that_find_one_over_one_has_it(tmp_path: Path) -> None:
    store = ae.SnapshotStore(str(tmp_path))
    for _ in range(10):
        assert len(race(store)) == 1
        assert race(store) == []
        make_old(tmp_path / "_aspen/leases/old", LONG + 1)
    assert len(files(store)) == 1  # older ones are swept away


def test_a_process_that_dies_leaves_it_until_it_is_over(tmp_path: Path) -> None:
    script = (
        "import os, sys, aspen_etl as ae\n"
        "with ae.SnapshotStore(sys.argv[1]).lease('old', seconds=900) as mine:\n"
        "    os._exit(7 if mine else 8)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == 7
    store = ae.SnapshotStore(str(tmp_path))
    for age, free in ((0, False), (LONG - 60, False), (LONG + 1, True)):
        make_old(tmp_path / "_aspen/leases/old", age)
        with store.lease("old", seconds=LONG) as mine:
            assert mine is free


def test_who_ends_too_late_gives_back_nothing_of_the_next_one(tmp_path: Path) -> None:
    log = ae.SnapshotStore(str(tmp_path)).place.log
    late = leases.take_lease(log, "old", LONG)
    assert late is not None
    make_old(tmp_path / "_aspen/leases/old", LONG + 1)
    assert leases.take_lease(log, "old", LONG) is not None
    leases.end_lease(late)
    assert leases.take_lease(log, "old", LONG) is None


def test_who_looked_long_ago_takes_no_number_that_was_swept_away(
    store: ae.SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = store.place.log
    first = leases.take_lease(log, "old", LONG)
    assert first is not None
    leases.end_lease(first)
    make, others = leases._make, []

    def slowly(*words: Any) -> bool:
        monkeypatch.setattr(leases, "_make", make)
        second = leases.take_lease(log, "old", LONG)
        assert second is not None
        leases.end_lease(second)
        others.append(leases.take_lease(log, "old", LONG))  # it sweeps the second away
        return make(*words)

    monkeypatch.setattr(leases, "_make", slowly)
    assert leases.take_lease(log, "old", LONG) is None
    assert others[0] is not None
    leases.end_lease(others[0])
    assert leases.take_lease(log, "old", LONG) is not None


def test_where_nothing_may_be_deleted_leases_work_and_pile_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aspen_etl.errors import SourceAccessError

    def refuse(_: Any) -> None:
        raise SourceAccessError.at("s3://bucket", "AccessDenied")

    monkeypatch.setattr(leases, "delete", refuse)
    store = ae.SnapshotStore(str(tmp_path))
    for number in range(1, 4):
        with store.lease("old", seconds=LONG) as mine:
            assert (mine, len(files(store))) == (True, number)


def test_a_damaged_one_is_over_after_a_day(tmp_path: Path) -> None:
    store = ae.SnapshotStore(str(tmp_path))
    with store.lease("old", seconds=LONG):
        pass
    (name,) = files(store)
    (tmp_path / "_aspen/leases/old" / name).write_bytes(b"{")
    for age, free in ((LONG, False), (leases.LONGEST + 1, True)):
        make_old(tmp_path / "_aspen/leases/old", age)
        with store.lease("old", seconds=LONG) as mine:
            assert mine is free


def test_what_is_no_lease_is_refused(store: ae.SnapshotStore) -> None:
    with pytest.raises(NotSupportedError, match="is no name for a lease"):
        store.lease("../old", seconds=1).__enter__()
    with pytest.raises(ArgumentError, match="seconds must be a number"):
        store.lease("old", seconds=-1).__enter__()
