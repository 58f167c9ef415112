"""Which state a source file is in, also where its storage tells little or nonsense of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.io.content import modified_time, state_of
from aspen_etl.io.filesystem import locate
from tests.support.borrowers import RUN, write_borrowers

MOMENT = dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize("size", [None, 4])
def test_a_tag_is_trusted_along_with_a_size_alone(tmp_path: Path, size: int | None) -> None:
    (tmp_path / "x").write_bytes(b"data")
    place = locate(tmp_path / "x")
    told = place.filesystem.info(place.path)
    place.filesystem.info = lambda _: {**told, "ETag": '"abc"', "size": size}
    checksum = hashlib.sha256(b"data").hexdigest()
    found = state_of(place, 10)
    assert (found.bytes, found.content_id) == (4, "etag:abc" if size else f"sha256:{checksum}")


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ({}, None),
        ({"LastModified": MOMENT}, MOMENT),
        ({"mtime": MOMENT.timestamp()}, MOMENT),
        ({"created": MOMENT.replace(tzinfo=None)}, MOMENT),
        ({"mtime": 1e18}, None),
        ({"mtime": float("nan")}, None),
        ({"mtime": 1e18, "created": MOMENT.timestamp()}, MOMENT),
    ],
)
def test_a_time_that_no_calendar_has_is_none(
    told: dict[str, Any], moment: dt.datetime | None
) -> None:
    assert modified_time(told) == moment


def test_a_source_of_a_year_that_no_calendar_has_is_read(tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Byron"])
    try:
        os.utime(tmp_path / "in/borrower.csv", (1e12, 1e12))
    except OSError:
        pytest.skip("this filesystem has no such years")
    assert ae.sync(source, tmp_path / "store", run=RUN).outcome == "committed"
