"""Many processes at once on one store: each commit is one writer's, and none is lost. Law 10."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.io.stored_frames import checksum
from tests.store.conftest import Backend
from tests.support import worker
from tests.support.borrowers import LENIENT, check_whole, names_in, write_borrowers

#: What a process may meet whose commit comes second, whose time is over, or whose store is on
#: hold; and what it may do.
EXPECTED = {
    "committed", "unchanged", "vacuum", "restore",
    "CommitConflictError", "DeadlineError", "StoreOnHoldError", "VersionNotFoundError",
    "ReadError: it changed each time while it was read",
}  # fmt: skip

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def name_of(number: int) -> str:
    """Write a number as a name, since a name holds no digits."""
    out = ""
    for _ in range(4):
        number, rest = divmod(number, 26)
        out = _LETTERS[rest] + out
    return f"Ann {out.capitalize()}"


def work_together(
    backend: Backend, folder: Path, jobs: list[str], *, seconds: float, attempt_limit: float
) -> None:
    """Let processes work on one store while the source moves on, and look at all commits."""
    source = folder / "source"
    states: dict[str, int] = {}

    def move(number: int) -> None:
        write_borrowers(source, [name_of(number), "Bob Burns"])
        content = checksum((source / "borrower.csv").read_bytes())
        states[f"sha256:{content}"] = number

    move(0)
    url = backend.url()
    job = {"source": str(source), "url": url, "seconds": seconds, "attempt_limit": attempt_limit}
    job["options"] = backend.options or None
    processes = [worker.start({**job, "does": does}) for does in jobs]
    number = 0
    while any(process.poll() is None for process in processes):
        number += 1
        move(number)
        time.sleep(0.2)
    outcomes: dict[str, int] = {}
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        for name, count in json.loads(output.splitlines()[-1]).items():
            outcomes[name] = outcomes.get(name, 0) + count
    assert set(outcomes) <= EXPECTED, outcomes
    _check(backend, url, states, outcomes)
    store = backend.open(url)
    store.resume(run=worker.run_now())
    ae.sync(str(source), store, run=worker.run_now(), thresholds=LENIENT)
    assert names_in(store) == [name_of(number), "Bob Burns"]
    check_whole(store)


def _check(backend: Backend, url: str, states: dict[str, int], outcomes: dict[str, int]) -> None:
    store = backend.open(url)
    newest = store.find()
    commits: list[Any] = [store.log.read(v) for v in range(1, newest.version + 1)]
    assert [c.version for c in commits] == list(range(1, newest.version + 1))
    assert [c.parent for c in commits] == list(range(newest.version))
    assert len({c.token for c in commits}) == len(commits)
    synced = [c for c in commits if c.kind == "sync"]
    assert len(synced) == outcomes["committed"] > 1
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
    work_together(backend, tmp_path, jobs, seconds=3, attempt_limit=3600)


@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", ["disk", "seaweed"], indirect=True)
def test_eight_writers_lose_no_commit(backend: Backend, tmp_path: Path) -> None:
    jobs = ["sync"] * 6 + ["vacuum", "restore"]
    work_together(backend, tmp_path, jobs, seconds=40, attempt_limit=6)
