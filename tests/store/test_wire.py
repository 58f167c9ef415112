"""Faults on the wire to an S3 server: success or one error of ours, and a whole store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import AspenETLError, CommitOutcomeUnknownError
from aspen_etl.store import commit_log
from tests.support.borrowers import LENIENT, RUN, check_ours, check_whole, names_in, write_borrowers
from tests.support.effort import few
from tests.support.faultproxy import ALWAYS, Action, Fault, FaultProxy, fault_proxy
from tests.support.s3 import BUCKET, S3Server

pytest.importorskip("s3fs", reason="the extra s3 is not installed")

ACTIONS: tuple[Action, ...] = (
    "slow_down", "error", "conflict", "reset", "reset_after", "truncate", "flip", "delay",
)  # fmt: skip
PLACES = {
    "looking": ("HEAD|GET", "_aspen/commits/"),
    "tables": ("PUT", "/part-00000"),
    "sizes": ("HEAD", "/part-00000"),
    "loading": ("GET", "/part-00000"),
    "commit": ("PUT", "_aspen/commits/"),
}
#: How many seconds to wait for an answer: for ever, but for one that is late on purpose. Then it
#: is short, and longer if this machine was too slow to get as far as that.
WAITS = {"delay": (0.5, 2.0, 8.0, 32.0)}


@pytest.fixture(scope="module")
def proxy(seaweed_server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(seaweed_server.endpoint) as running:
        yield running


@pytest.fixture(autouse=True)
def _few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setattr(commit_log, "_WAIT_SECONDS", 0.01)


@dataclass(frozen=True)
class Stores:
    """A new store, through the proxy and without it."""

    server: S3Server
    proxy: FaultProxy
    url: str = field(default_factory=lambda: f"s3://{BUCKET}/wire-{secrets.token_hex(4)}")

    def direct(self) -> ae.SnapshotStore:
        """Open the store without the proxy."""
        return ae.SnapshotStore(self.url, storage_options=self.server.options())

    def faulty(self, wait: float) -> ae.SnapshotStore:
        """Open it through the proxy; few tries, since to try for ever would prove no more."""
        config = {"retries": {"max_attempts": 1}, "connect_timeout": 60, "read_timeout": wait}
        options = S3Server(self.proxy.url).options(config_kwargs=config)
        return ae.SnapshotStore(self.url, storage_options=options)


@pytest.fixture
def stores(proxy: FaultProxy, seaweed_server: S3Server) -> Callable[[], Stores]:
    """Give what makes a new store."""
    proxy.clear()
    return lambda: Stores(seaweed_server, proxy)


def fail(
    stores: Callable[[], Stores], proxy: FaultProxy, folder: Path, fault: Fault
) -> tuple[AspenETLError | None, ae.SnapshotStore]:
    """Sync once, fail while it is synced again, and look at what is there."""
    for wait in WAITS.get(fault.action, (300.0,)):
        late = replace(fault, seconds=3 * wait)
        failure, store = _fail(stores(), proxy, folder, late, wait)
        if proxy.failed():
            break
    assert proxy.failed()
    return failure, store


def _fail(
    stores: Stores, proxy: FaultProxy, folder: Path, fault: Fault, wait: float
) -> tuple[AspenETLError | None, ae.SnapshotStore]:
    ae.sync(
        write_borrowers(folder / "old", ["Ann Ames", "Bob Burns"]),
        stores.direct(), run=RUN, thresholds=LENIENT,
    )  # fmt: skip
    new = write_borrowers(folder / "new", ["Ann Adams", "Cy Cole"])
    proxy.clear()
    proxy.faults.append(fault)
    failure = None
    try:
        ae.sync(new, stores.faulty(wait), run=RUN, thresholds=LENIENT)
    except AspenETLError as error:
        failure = error
    proxy.faults.clear()
    store = stores.direct()
    check_whole(store)
    version = store.find().version
    if failure is None:
        assert version == 2
    else:
        check_ours(failure)
        assert version == 1 or isinstance(failure, CommitOutcomeUnknownError)
    report = ae.sync(new, store, run=RUN, thresholds=LENIENT)
    assert report.version == 2
    assert names_in(store) == ["Ann Adams", "Cy Cole"]
    return failure, store


@pytest.mark.parametrize(("action", "where"), few([*zip(ACTIONS, [*PLACES, *PLACES])], 3))
def test_a_fault_leaves_a_whole_store(
    stores: Any, proxy: FaultProxy, tmp_path: Path, action: Action, where: str
) -> None:
    method, path = PLACES[where]
    fail(stores, proxy, tmp_path, Fault(action, method, path))


@pytest.mark.exhaustive
@pytest.mark.parametrize("times", [1, ALWAYS], ids=["once", "for good"])
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_fault_at_every_step_leaves_a_whole_store(
    stores: Any, proxy: FaultProxy, tmp_path: Path, action: Action, where: str, times: int
) -> None:
    method, path = PLACES[where]
    fail(stores, proxy, tmp_path, Fault(action, method, path, times=times))


@pytest.mark.parametrize("times", few([2, 3, 1], 1))
def test_a_commit_whose_answer_is_lost_is_there_once(
    stores: Any, proxy: FaultProxy, tmp_path: Path, times: int
) -> None:
    method, path = PLACES["commit"]
    failure, store = fail(stores, proxy, tmp_path, Fault("reset_after", method, path, times=times))
    assert failure is None
    assert [commit.kind for commit in store.history()] == ["sync", "sync"]
