"""A process is killed at random moments while it syncs: every version that is there is whole."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

import aspen_etl as ae
from tests.support import worker
from tests.support.borrowers import LENIENT, RUN, check_whole, write_borrowers
from tests.support.effort import is_brief

#: Longer than any machine needs for one commit.
PATIENCE = 600


def kill_often(folder: Path, times: int) -> None:
    """Kill a process that syncs, look at the store each time, and sync at last."""
    chance = random.Random(0)  # noqa: S311 - no secret
    url = str(folder / "store")
    job = {
        "does": "move and sync",
        "source": str(folder / "source"),
        "url": url,
        "stop": str(folder / "stop"),
        "attempt_limit": 3600,
        "letters": [chr(ord("A") + i) * 3 for i in range(20)],
    }
    versions = [0]
    for turn in range(times):
        with worker.start(job) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            # Every other process commits first, however slow the machine is.
            end = time.monotonic() + PATIENCE * (turn % 2)
            while ae.SnapshotStore(url).place.log.newest_version() <= versions[-1]:
                if time.monotonic() >= end:
                    break
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 1.2))
            process.kill()
        store = ae.SnapshotStore(url)
        newest = store.newest()
        versions.append(newest.version if newest else 0)
        if newest is not None:
            check_whole(store)
            assert [c.version for c in store.history()] == list(range(newest.version, 0, -1))
            assert len(store.read().tables["user"]) == 2
    assert versions == sorted(versions)
    assert versions[-1] >= times // 2
    source = write_borrowers(folder / "source", ["Zoe Zimmer"])
    late = ae.Run(time=RUN.time.replace(year=2099), actor="me")
    report = ae.sync(source, url, run=late, thresholds=LENIENT)
    assert (report.outcome, report.version) == ("committed", versions[-1] + 1)
    check_whole(ae.SnapshotStore(url))


def test_a_process_that_is_killed_leaves_whole_versions(tmp_path: Path) -> None:
    kill_often(tmp_path, 2 if is_brief() else 5)


@pytest.mark.exhaustive
def test_a_process_that_is_killed_a_hundred_times_leaves_whole_versions(tmp_path: Path) -> None:
    kill_often(tmp_path, 100)
