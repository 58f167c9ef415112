"""A run's time holds for every remote storage, also for one that is silent or drips."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import DeadlineError, ReadError
from aspen_etl.io import read_extract, web
from aspen_etl.io.filesystem import locate
from aspen_etl.io.waiting import Deadline, seconds_of, until, wait_for
from tests.support.borrowers import RUN, check_ours, write_borrowers

#: What a silent server says before it is silent, and how long it waits between single bytes after.
SILENT = {
    "before the header": (b"", None),
    "in the header": (b"HTTP/1.1 200 OK\r\nContent-Le", None),
    "after the header": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n",
        None,
    ),
    "in the body": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9999\r\n\r\nPK",
        None,
    ),
    "dripping": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9999\r\n\r\nPK", 0.02),
    "dripping without a length": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nPK", 0.02),
}


@contextlib.contextmanager
def silent(said: bytes = b"", every: float | None = None) -> Iterator[str]:
    """Serve what is said, and then nothing, or a byte at a time, and never end."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(said)
            while not over.wait(every):
                connection.sendall(b"x")

    def accept(listening: socket.socket) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        accepting = threading.Thread(target=accept, args=(listening,), daemon=True)
        accepting.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        accepting.join()


#: Less than any bound of a storage itself, and enough for the slowest machine.
SOON = 30


def check_in_time(call: Callable[[], Any], url: str) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineError, match=r"gave up after \S+ s of 0\.3 s") as found:
        call()
    assert time.monotonic() - begun < SOON
    # On a machine that is slow enough, the time is over before anything is waited for.
    assert found.value.details.get("url", url) == url
    check_ours(found.value)


@pytest.mark.parametrize("way", SILENT)
def test_sync_and_plan_give_up_on_a_silent_source(tmp_path: Path, way: str) -> None:
    pytest.importorskip("aiohttp")
    with silent(*SILENT[way]) as server:
        url = f"http://{server}/b.xlsx"
        for run in (ae.sync, ae.plan):
            check_in_time(lambda run=run: run(url, tmp_path / "s", run=RUN, timeout=0.3), url)  # type: ignore[misc]
    assert ae.SnapshotStore(tmp_path / "s").newest() is None


def test_several_silent_sources_end_together(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    with silent() as server:
        url = f"http://{server}/borrower.csv"
        source = {"borrower": url, "role_profile": f"http://{server}/role_profile.csv"}
        check_in_time(lambda: ae.sync(source, tmp_path / "s", run=RUN, timeout=0.3), url)


def test_a_silent_bucket_ends_in_time_as_a_source_and_as_a_store(tmp_path: Path) -> None:
    pytest.importorskip("s3fs")
    source = write_borrowers(tmp_path / "in", ["Ada Byron"])
    url = "s3://bucket/b.xlsx"
    with silent() as server:
        options = {
            "key": "k",
            "secret": "s",
            "client_kwargs": {"endpoint_url": f"http://{server}", "region_name": "us-east-1"},
        }
        reading = {"storage_options": options}
        check_in_time(
            lambda: ae.sync(url, tmp_path / "s", run=RUN, timeout=0.3, read_options=reading), url
        )
        store = ae.SnapshotStore("s3://bucket/store", storage_options=options)
        begun = time.monotonic()
        with pytest.raises(DeadlineError, match=r"gave up after \S+ s of 0\.3 s"):
            ae.sync(source, store, run=RUN, timeout=0.3)
        assert time.monotonic() - begun < SOON  # with the time to leave word of the run


def test_a_process_ends_when_its_run_gave_up(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    code = (
        "import sys, datetime as dt, aspen_etl as ae\n"
        "now = dt.datetime.now(dt.timezone.utc)\n"
        "try: ae.sync(sys.argv[1], 'store', run=ae.Run(time=now, actor='me'), timeout=0.3)\n"
        "except ae.errors.DeadlineError: print('gave up')\n"
    )
    with silent() as server:
        command = [sys.executable, "-c", code, f"http://{server}/b.xlsx"]
        done = subprocess.run(
            command, cwd=tmp_path, timeout=500, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (0, "gave up\n"), done.stderr
    assert "Traceback" not in done.stderr


def test_a_silent_source_has_a_bound_also_without_a_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(web, "SILENCE", 0.2)
    with silent(*SILENT["in the body"]) as server, pytest.raises(ReadError, match="Timeout"):
        read_extract(f"http://{server}/b.xlsx")


def test_bounds_of_the_caller_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    monkeypatch.setattr(web, "SILENCE", 999)
    options = {"client_kwargs": {"timeout": aiohttp.ClientTimeout(sock_read=0.1)}}
    with silent() as server, pytest.raises(ReadError, match="Timeout"):
        read_extract(f"http://{server}/b.xlsx", storage_options=options)


# ----------------------------------------------------------------------------- the wait itself


def test_what_ends_in_time_gives_what_it_gives() -> None:
    with until(Deadline(time.monotonic(), 60)):
        assert wait_for("s3://x", lambda: 1) == 1
        with pytest.raises(KeyError):
            wait_for("s3://x", lambda: dict[str, int]()["x"])


def test_a_disk_of_this_machine_is_never_left_behind() -> None:
    caller = threading.get_ident()
    with until(Deadline(0, 0)):
        assert wait_for("/data/x", threading.get_ident) == caller
        assert wait_for("memory://x", threading.get_ident) == caller
        with until(None):
            assert wait_for("s3://x", threading.get_ident) == caller
        with pytest.raises(DeadlineError, match=r"waiting for s3://x; nothing was committed"):
            wait_for("s3://x", lambda: time.sleep(0.1))


def test_a_chain_is_not_waited_for_beyond_the_end() -> None:
    pytest.importorskip("aiohttp")
    with silent() as server, until(Deadline(time.monotonic(), 0.2)), pytest.raises(DeadlineError):
        locate(f"zip://a.csv::http://{server}/x.zip")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(None, None), (60, 60.0), (0.5, 0.5), (0, 0.0), (dt.timedelta(minutes=2), 120.0)],
)
def test_a_span_of_time_is_seconds(given: Any, seconds: float | None) -> None:
    assert seconds_of(given, "timeout") == seconds


@pytest.mark.parametrize(
    ("given", "kind", "match"),
    [
        ("60", TypeError, "timeout is a str; give seconds"),
        (True, TypeError, "timeout is a bool"),
        (float("nan"), ValueError, "timeout must be a number of seconds"),
        (float("inf"), ValueError, "timeout must be"),
        (-1, ValueError, "timeout must be"),
        (dt.timedelta(seconds=-1), ValueError, "timeout must be"),
    ],
)
def test_another_timeout_is_refused_by_name(
    tmp_path: Path, given: Any, kind: type[Exception], match: str
) -> None:
    for run in (ae.sync, ae.plan):
        with pytest.raises(kind, match=match):
            run(tmp_path / "in", tmp_path / "store", run=RUN, timeout=given)


def test_a_run_that_is_long_done_has_seconds_enough(tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Byron"])
    assert ae.sync(source, tmp_path / "s", run=RUN, timeout=60).outcome == "committed"
    assert ae.sync(source, tmp_path / "s", run=RUN, timeout=10**12).outcome == "unchanged"
