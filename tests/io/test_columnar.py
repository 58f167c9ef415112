"""Parquet of any types arrives as the text that a person would type."""

from __future__ import annotations

import datetime as dt
import decimal
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    EncodingError,
    LimitExceededError,
    MissingDependencyError,
    UnsupportedFormatError,
)
from aspen_etl.io import ReadLimits, columnar, read_extract
from aspen_etl.io.raw import Request
from aspen_etl.schema import Extract
from tests.support.workbooks import BORROWER

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def parquet(column: Any, **options: Any) -> bytes:
    array = column if isinstance(column, pa.Array) else pa.array(column)
    out = io.BytesIO()
    names = ["id", *BORROWER[1:]]
    empty = pa.nulls(len(array), pa.string())
    pq.write_table(pa.table([array, *[empty] * 8], names=names), out, **options)
    return out.getvalue()


def ids(extract: Extract) -> list[Any]:
    column = extract["borrower"]["id"]
    return [None if absent else value for value, absent in zip(column, column.isna())]


BIG = 2**63 - 1


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["02138", "NA", None, ""], ["02138", "NA", None, ""]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array([b"a", None], pa.binary()), ["a", None]),
        (pa.array([BIG, None], pa.int64()), [str(BIG), None]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
        (pa.array([6705, None], pa.int32()).dictionary_encode(), ["6705", None]),
        (pa.array([6705.0, 0.1, None]), ["6705", "0.1", None]),
        (pa.array([6705.0, 0.1, None], pa.float32()), ["6705", "0.1", None]),
        ([decimal.Decimal("12345678901234567.10")], ["12345678901234567.1"]),
        ([True, False, None], ["TRUE", "FALSE", None]),
        ([dt.date(2020, 1, 2)], ["2020-01-02"]),
        ([dt.datetime(2020, 1, 2, 3, 4, 5)], ["2020-01-02 03:04:05"]),  # noqa: DTZ001
        (pa.array([0], pa.timestamp("ns")), ["1970-01-01"]),
        ([dt.time(1, 2, 3)], ["01:02:03"]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.string()), []),
    ],
)
def test_a_value_is_the_text_that_a_person_would_type(
    folder: Callable[..., Path], column: Any, expected: list[Any]
) -> None:
    extract = read_extract(folder(parquet(column), "borrower.parquet"))
    assert ids(extract) == expected
    assert extract["borrower"].index.tolist() == list(range(2, len(expected) + 2))


def test_what_pandas_writes_is_read(folder: Callable[..., Path]) -> None:
    frame = pd.DataFrame({column: ["x", None] for column in BORROWER})
    assert ids(read_extract(folder(frame.to_parquet(index=False), "borrower.parquet"))) == [
        "x",
        None,
    ]


@pytest.mark.parametrize(
    ("data", "kind", "match"),
    [
        (b"", CorruptFileError, "Parquet"),
        (b"PAR1", CorruptFileError, "Parquet"),
        (parquet(["a"])[:-20], CorruptFileError, "Parquet"),
        (parquet(["a"])[:60] + bytes(40) + parquet(["a"])[100:], CorruptFileError, "Parquet"),
        (parquet([["a"]]), UnsupportedFormatError, r"type list.* \('id'\)"),
        (parquet([{"a": 1}]), UnsupportedFormatError, r"type struct.* \('id'\)"),
        (parquet(pa.array([b"\xff"])), EncodingError, "column 'id'"),
        (parquet(pa.array([2**31 - 1], pa.date32())), UnsupportedFormatError, "type date32"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_what_is_no_text_is_an_error(
    folder: Callable[..., Path], data: bytes, kind: type[AspenETLError], match: str
) -> None:
    with pytest.raises(kind, match=match) as caught:
        read_extract(folder(data, "borrower.parquet"))
    assert caught.value.__context__ is None


def test_a_changed_byte_is_seen(folder: Callable[..., Path]) -> None:
    data = parquet(["canary"], write_page_checksum=True, compression="none", use_dictionary=False)
    with pytest.raises(CorruptFileError):
        read_extract(folder(data.replace(b"\6\0\0\0canary", b"\6\0\0\0canard"), "borrower.parquet"))


def test_a_column_that_is_left_out_may_be_of_any_type(folder: Callable[..., Path]) -> None:
    table = pq.read_table(io.BytesIO(parquet(["a"]))).append_column("tags", pa.array([["x"]]))
    out = io.BytesIO()
    pq.write_table(table, out)
    path = folder(out.getvalue(), "borrower.parquet")
    assert ids(read_extract(path, ignore_columns=["tags"])) == ["a"]


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (ReadLimits(max_rows=9), "max_rows"),
        (ReadLimits(max_columns=8), "max_columns"),
        (ReadLimits(max_uncompressed_bytes=100), "max_uncompressed_bytes"),
        (ReadLimits(max_uncompressed_bytes=900_000), "max_uncompressed_bytes"),
    ],
)
def test_limits_hold_before_text_is_laid_out(limits: ReadLimits, name: str) -> None:
    data = parquet(["x" * 100_000] * 10)
    assert len(data) < 20_000
    with pytest.raises(LimitExceededError, match=name):
        columnar.read_parquet(data, Request("x", "borrower", BORROWER, limits=limits))


def test_a_long_text_is_counted_as_often_as_it_stands_there() -> None:
    data = parquet([*"abcdefghi", "x" * 100_000])
    limits = ReadLimits(max_uncompressed_bytes=200_000)
    found = columnar.read_parquet(data, Request("x", "borrower", BORROWER, limits=limits))
    assert len(found.column(0)) == 10


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = parquet(["a"])
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(
        MissingDependencyError, match=r"pip install 'aspen-etl\[parquet\]'"
    ) as caught:
        columnar.read_parquet(data, Request("x", "borrower", BORROWER))
    assert caught.value.__context__ is None
