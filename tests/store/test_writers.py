"""Many processes at once on one store: each commit is one writer's, and none is lost. Law 10."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.store.frames import checksum
from tests.store.conftest import Backend
from tests.support import worker
from tests.support.borrowers import LENIENT, check_whole, names_in, write_borrowers

#: What a process may meet whose commit comes second, whose time is over, or whose store is on
#: hold; and what it may do.
EXPECTED = {
    "committed", "unchanged", "vacuum", "restore", "waiting",
    "ConflictError", "DeadlineError", "StoreOnHoldError", "VersionNotFoundError",
    "ReadError: it changed each time while it was read",
}  # fmt: skip

#: Longer than any machine needs, in seconds.
PATIENCE = 900

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def name_of(number: int) -> str:
    """Write a number as a name, since a name holds no digits."""
    out = ""
    for _ in range(4):
        number, rest = divmod(number, 26)
        out = _LETTERS[rest] + out
    return f"Ann {out.capitalize()}"


class Progress:
    """How many commits of each kind a store has.

    Attributes:
        kinds: The number of commits, by kind.
    """

    def __init__(self, store: ae.SnapshotStore) -> None:
        self.kinds: Counter[str] = Counter()
        self._log, self._last = store.place.log, 0

    def has(self, wanted: dict[str, int]) -> bool:
        """Look for new commits, and tell whether there are as many as wanted."""
        newest = self._log.newest_version()
        for version in range(self._last + 1, newest + 1):
            self.kinds[self._log.read(version).kind] += 1
        self._last = newest
        return all(self.kinds[kind] >= count for kind, count in wanted.items())


def work_together(
    backend: Backend,
    folder: Path,
    jobs: list[str],
    *,
    wanted: dict[str, int],
    attempt_limit: float = 3600,
    pause: float = 0.2,
) -> None:
    """Let processes work on one store while the source moves on, and look at all commits.

    Args:
        backend: Where the store is.
        folder: Where the source is.
        jobs: What each process does.
        wanted: How many commits of each kind there must be before the processes stop.
        attempt_limit: After how many seconds an attempt gives up.
        pause: For how many seconds the source stays as it is. It has to be longer than a read
            takes, where many processes read.
    """
    source = folder / "source"
    states: dict[str, int] = {}

    def move(number: int) -> None:
        write_borrowers(source, [name_of(number), "Bob Burns"])
        content = checksum((source / "borrower.csv").read_bytes())
        states[f"sha256:{content}"] = number

    move(0)
    url = backend.url()
    stop = folder / "stop"
    job = {"source": str(source), "url": url, "stop": str(stop), "attempt_limit": attempt_limit}
    job["options"] = backend.options or None
    processes = [worker.start({**job, "does": does}) for does in jobs]
    number, progress = 0, Progress(backend.open(url))
    end = time.monotonic() + PATIENCE
    while any(process.poll() is None for process in processes):
        number += 1
        move(number)
        time.sleep(pause)
        failed = any(process.poll() for process in processes)
        if failed or progress.has(wanted) or time.monotonic() > end:
            stop.touch()
    outcomes: dict[str, int] = {}
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        for name, count in json.loads(output.splitlines()[-1]).items():
            outcomes[name] = outcomes.get(name, 0) + count
    assert set(outcomes) <= EXPECTED, outcomes
    assert progress.has(wanted), progress.kinds
    _check(backend, url, states, outcomes)
    store = backend.open(url)
    store.resume(run=worker.run_now())
    ae.sync(str(source), store, run=worker.run_now(), thresholds=LENIENT)
    assert names_in(store) == [name_of(number), "Bob Burns"]
    check_whole(store)


def _check(backend: Backend, url: str, states: dict[str, int], outcomes: dict[str, int]) -> None:
    store = backend.open(url)
    newest = store.find()
    commits: list[Any] = [store.place.log.read(v) for v in range(1, newest.version + 1)]
    assert [c.version for c in commits] == list(range(1, newest.version + 1))
    assert [c.parent for c in commits] == list(range(newest.version))
    assert len({c.token for c in commits}) == len(commits)
    synced = [c for c in commits if c.kind == "sync"]
    assert len(synced) == outcomes["committed"] > 1
    assert len([c for c in commits if c.kind == "restore"]) >= outcomes.get("restore", 0)
    seen = [
        states[file.content_id]
        for commit in synced
        for file in commit.source.files
        if file.url.endswith("borrower.csv")
    ]
    assert seen == sorted(seen)
    for commit in commits[newest.oldest_readable - 1 :]:
        assert store.verify(commit.version).problems == ()


@pytest.mark.parametrize("backend", ["disk"], indirect=True)
def test_three_writers_lose_no_commit(backend: Backend, tmp_path: Path) -> None:
    jobs = ["sync", "sync", "restore"]
    work_together(backend, tmp_path, jobs, wanted={"sync": 5, "restore": 1})


@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", ["disk", "seaweed"], indirect=True)
def test_eight_writers_lose_no_commit(backend: Backend, tmp_path: Path) -> None:
    jobs = ["sync"] * 6 + ["vacuum", "restore"]
    wanted = {"sync": 60, "restore": 20, "vacuum": 10}
    work_together(backend, tmp_path, jobs, wanted=wanted, attempt_limit=6, pause=2)
