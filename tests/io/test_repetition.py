"""What a Parquet file's text can grow to is known before it is unpacked, or is said not to be."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from aspen_etl.io import columnar  # noqa: E402 - needs what was asked for
from aspen_etl.io._repetition import bounded_columns  # noqa: E402
from aspen_etl.io.raw import Request  # noqa: E402

LIMIT = 2**31


def file(cells: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"x": cells}), out, **options)
    return out.getvalue()


def is_bounded(data: bytes, limit: int = LIMIT) -> bool:
    return bounded_columns(pq, data, ["x"], limit) == ["x"]


UNIQUE = [str(uuid.UUID(int=number)) for number in range(60_000)]


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b", None] * 1000,
        ["a"],
        ["", ""],
        UNIQUE,
        [*UNIQUE, *["Ada"] * 1000],  # the dictionary is full, and what follows is plain
        [None] * 10,
    ],
    ids=["repeated", "one", "empty", "unique", "full dictionary", "nothing"],
)
def test_usual_files_are_bounded(cells: list[Any], compression: str) -> None:
    cells = pa.array(cells, pa.string())
    assert is_bounded(file(cells, compression=compression))
    assert is_bounded(file(cells, compression=compression, row_group_size=20_000))
    assert is_bounded(file(cells, compression=compression, use_dictionary=False))


def test_text_that_is_repeated_beyond_the_limit_is_not_bounded() -> None:
    data = file(["x" * 100_000] * 1000)
    assert len(data) < 20_000
    assert is_bounded(data, limit=101_000_000)
    assert not is_bounded(data, limit=99_000_000)


def test_a_long_text_that_is_repeated_late_is_seen() -> None:
    # The first row does not use it, yet the dictionary that comes with the first row holds it.
    data = file(["a", *["x" * 100_000] * 1000])
    assert not is_bounded(data, limit=99_000_000)
    two_groups = file(["a"] * 1000 + ["x" * 100_000] * 1000, row_group_size=1000)
    assert not is_bounded(two_groups, limit=99_000_000)


def test_columns_share_the_limit() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({name: ["x" * 1000] * 1000 for name in "abc"}), out)
    found = bounded_columns(pq, out.getvalue(), ["a", "b", "c"], 2_500_000)
    assert len(found) == 2


def test_an_encoding_that_stores_a_shared_beginning_once_is_not_bounded() -> None:
    cells = ["x" * 1000] * 1000
    data = file(cells, use_dictionary=False, column_encoding={"x": "DELTA_BYTE_ARRAY"})
    assert not is_bounded(data)


def test_an_encoding_that_stores_lengths_apart_is_read() -> None:
    # pyarrow cannot read it with a dictionary: it is bounded by what is stored.
    cells = ["Ada", None, "", "Ben"]
    data = file(cells, use_dictionary=False, column_encoding={"x": "DELTA_LENGTH_BYTE_ARRAY"})
    assert is_bounded(data)
    found = columnar.read_parquet(data, Request("x", "x", ["x"])).column(0)
    assert found.fillna("none").tolist() == ["Ada", "none", "", "Ben"]


def test_many_row_groups_are_not_looked_at() -> None:
    assert not is_bounded(file(["a"] * 100, row_group_size=1))


def test_bounded_or_not_a_file_is_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    data = file([*UNIQUE[:100], *["Ada", None, ""] * 50])
    one = columnar.read_parquet(data, Request("x", "x", ["x"])).column(0)
    monkeypatch.setattr(columnar, "bounded_columns", lambda *_: [])
    two = columnar.read_parquet(data, Request("x", "x", ["x"])).column(0)
    assert one.equals(two)
    assert one.dtype == two.dtype
