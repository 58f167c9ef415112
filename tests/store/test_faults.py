"""The fault injector and the fault proxy do what they say: a test that cannot fail is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aspen_etl.errors import ReadError, WriteError
from aspen_etl.io.filesystem import locate
from aspen_etl.io.writing import create, put
from tests.support.faultproxy import Action, Fault, fault_proxy
from tests.support.faulty import Faults, faulty
from tests.support.s3 import BUCKET, S3Server

BYTES = b"0123456789"


@pytest.mark.parametrize(
    ("kind", "there"), [("before", None), ("half", b"01234"), ("after", BYTES)]
)
def test_a_write_to_an_object_store_fails_in_three_ways(kind: Any, there: bytes | None) -> None:
    with faulty(Faults(1, kind)) as faults:
        place = locate(f"memory://faults/{kind}")
        with pytest.raises(WriteError):
            put(place, BYTES)
        assert place.kind() == ("absent" if there is None else "file")
    assert [call.name for call in faults.calls] == ["pipe_file", "info"]
    assert there is None or place.filesystem.cat_file(place.path) == there


def test_a_storage_that_is_dead_answers_nothing_any_more() -> None:
    with faulty(Faults(1, "after", dead=True)):
        place = locate("memory://faults/dead")
        with pytest.raises(WriteError):
            put(place, BYTES)
        with pytest.raises(ReadError):
            place.kind()
    assert locate("memory://faults/dead").read(99) == BYTES


def test_each_raw_call_of_a_local_disk_can_fail(tmp_path: Path) -> None:
    with faulty(Faults()) as faults:
        create(locate(tmp_path / "whole"), BYTES)
    names = ["open", "write", "os.fsync", "os.link", "os.unlink", "os.open", "os.fsync"]
    assert [call.name for call in faults.calls] == names
    made = set()
    for number, (at, kind) in enumerate(faults.cases()):
        place = tmp_path / str(number)
        with faulty(Faults(at, kind, dead=True)):
            try:
                made.add((names[at - 1], create(locate(place), BYTES)))
            except WriteError:
                assert not place.exists()
        assert not place.exists() or place.read_bytes() == BYTES
    undecided = ["os.link", "os.unlink", "os.open", "os.fsync"]
    assert made == {(name, "unknown") for name in undecided}


# ----------------------------------------------------------------------------- the proxy


@pytest.mark.parametrize(
    ("action", "times"),
    [
        ("slow_down", 1),
        ("error", 1),
        ("conflict", 1),
        ("reset", 2),  # aiohttp asks once more where a connection was open already
        ("reset_after", 2),
        ("truncate", 1),
        ("flip", 1),
    ],
)
def test_the_proxy_fails_a_read_as_often_as_it_is_told(
    seaweed_server: S3Server, action: Action, times: int
) -> None:
    import s3fs

    once: dict[str, Any] = {"retries": {"max_attempts": 0}}
    with fault_proxy(seaweed_server.endpoint) as proxy:
        options = S3Server(proxy.url).options(config_kwargs=once, skip_instance_cache=True)
        filesystem = s3fs.S3FileSystem(**options)
        filesystem.retries = 1
        filesystem.pipe_file(f"{BUCKET}/faults", BYTES)
        proxy.faults.append(Fault(action, method="GET", times=times))
        with pytest.raises(Exception, match=r"."):
            filesystem.cat_file(f"{BUCKET}/faults")
        assert [request[2] for request in proxy.failed()] == [action] * times
        assert filesystem.cat_file(f"{BUCKET}/faults") == BYTES
