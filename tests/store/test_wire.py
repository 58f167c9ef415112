"""Faults on the wire to an S3 server: success or one error of ours, and a whole store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import AspenETLError, CommitOutcomeUnknownError
from aspen_etl.io import commit_log
from tests.support.borrowers import LENIENT, RUN, check_ours, check_whole, names_in, write_borrowers
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
#: Few tries and short waits: what is tried forever would be slow, and prove nothing more.
CLIENT = {"retries": {"max_attempts": 1}, "connect_timeout": 1, "read_timeout": 0.5}


@pytest.fixture(scope="module")
def proxy(seaweed_server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(seaweed_server.endpoint) as running:
        yield running


@pytest.fixture(autouse=True)
def _few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setattr(commit_log, "_WAIT_SECONDS", 0.01)


@pytest.fixture
def stores(proxy: FaultProxy, seaweed_server: S3Server) -> Callable[[], ae.SnapshotStore]:
    """Give a function that opens a store through the proxy, and one that does without."""
    proxy.clear()
    url = f"s3://{BUCKET}/wire-{secrets.token_hex(4)}"

    def open_store(*, direct: bool = False) -> ae.SnapshotStore:
        server = seaweed_server if direct else S3Server(proxy.url)
        options = server.options(config_kwargs={} if direct else CLIENT)
        return ae.SnapshotStore(url, storage_options=options)

    return open_store


def fail(
    stores: Any, proxy: FaultProxy, folder: Path, fault: Fault
) -> tuple[AspenETLError | None, ae.SnapshotStore]:
    """Sync once, fail while it is synced again, and look at what is there."""
    ae.sync(
        write_borrowers(folder / "old", ["Ann Ames", "Bob Burns"]),
        stores(direct=True), run=RUN, thresholds=LENIENT,
    )  # fmt: skip
    new = write_borrowers(folder / "new", ["Ann Adams", "Cy Cole"])
    proxy.faults.append(fault)
    failure = None
    try:
        ae.sync(new, stores(), run=RUN, thresholds=LENIENT)
    except AspenETLError as error:
        failure = error
    assert proxy.failed()
    proxy.clear()
    store = stores(direct=True)
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


@pytest.mark.parametrize(("action", "where"), [*zip(ACTIONS, [*PLACES, *PLACES])])
def test_a_fault_leaves_a_whole_store(
    stores: Any, proxy: FaultProxy, tmp_path: Path, action: Action, where: str
) -> None:
    method, path = PLACES[where]
    fail(stores, proxy, tmp_path, Fault(action, method, path, seconds=1.5))


@pytest.mark.exhaustive
@pytest.mark.parametrize("times", [1, ALWAYS], ids=["once", "for good"])
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_fault_at_every_step_leaves_a_whole_store(
    stores: Any, proxy: FaultProxy, tmp_path: Path, action: Action, where: str, times: int
) -> None:
    method, path = PLACES[where]
    fail(stores, proxy, tmp_path, Fault(action, method, path, times=times, seconds=1.5))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_commit_whose_answer_is_lost_is_there_once(
    stores: Any, proxy: FaultProxy, tmp_path: Path, times: int
) -> None:
    method, path = PLACES["commit"]
    failure, store = fail(stores, proxy, tmp_path, Fault("reset_after", method, path, times=times))
    assert failure is None
    assert [commit.kind for commit in store.history()] == ["sync", "sync"]
