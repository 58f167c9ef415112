"""Parquet of any types arrives as the text that a person would type."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aspen_etl.errors import (
    CorruptFileError,
    LimitExceededError,
    MissingDependencyError,
)
from aspen_etl.io import ReadLimits, columnar, read_extract
from aspen_etl.io.reading import Request
from aspen_etl.schema import Extract
from tests.support import parquets
from tests.support.refusals import Kind, refused
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


def number(stored: int, storage: Any, kind: Any) -> Any:
    """Give a column of a date or time that Python cannot hold, and of one that it can."""
    return pa.array([stored, 19_000], storage).cast(kind)


#: How a footer says that a time of microseconds is marked as UTC, and that it is not.
UTC_TIME, LOCAL_TIME = b"\x11\x1c\x2c\x00\x00\x00", b"\x12\x1c\x2c\x00\x00\x00"
DISTANT = "148108-07-06T14:00:27.387904"


def ids(extract: Extract) -> list[Any]:
    column = extract["borrower"]["id"]
    return [None if absent else value for value, absent in zip(column, column.isna())]


BIG = 2**63 - 1
ONE = {"id": ["a"], "full_name": ["b"]}
CODES = ["02860", "286", "28", None]


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
        (pa.array(np.array([2047, 0.5], dtype="float16")), ["2047", "0.5"]),
        (pa.array([2.0**53 - 1, float("nan"), -0.0]), ["9007199254740991", "NaN", "0"]),
        (pa.array([2.0**24 - 1, 1e-7], pa.float32()), ["16777215", "0.0000001"]),
        (pa.array([b"02860", b"286  ", b"28\0\0\0", None], pa.binary(5)), CODES),
        (pa.array([b"sixteen letters!"], pa.binary(16)), ["sixteen letters!"]),
        ([decimal.Decimal("1" * 60 + ".250")], ["1" * 60 + ".25"]),
        (pa.array([86_400_000_000, 1], pa.time64("us")), ["24:00:00", "00:00:00.000001"]),
        (pa.array([1], pa.time64("ns")), ["00:00:00.000000001"]),
        (pa.array([0], pa.timestamp("us", "UTC")), ["1970-01-01 00:00:00+00:00"]),
        (pa.array([0], pa.timestamp("s", "Asia/Tokyo")), ["1970-01-01 09:00:00+09:00"]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
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
        (parquet([["a"]]), "unsupported", r"type list.* \('id'\)"),
        (parquet([{"a": 1}]), "unsupported", r"type struct.* \('id'\)"),
        (parquet(pa.array([b"\xff"])), "encoding", "column 'id'"),
        (parquet(pa.array([b"\xff\xfe\xfd\xfc\xfb"], pa.binary(5))), "encoding", "column 'id'"),
        (parquet(pa.array([bytes(range(240, 256))], pa.binary(16))), "encoding", "column 'id'"),
        (
            parquets.encrypted({"id": ["a"]}, plain_footer=False),
            "unsupported",
            "encrypted",
        ),
        (parquets.encrypted({"id": ["a"]}, plain_footer=True), "unsupported", "encrypted"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_what_is_no_text_is_an_error(
    folder: Callable[..., Path], data: bytes, kind: Kind, match: str
) -> None:
    with refused(kind, match=match) as caught:
        read_extract(folder(data, "borrower.parquet"))
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("column", "rule", "value"),
    [
        (pa.array([2.0**53, 41.0]), "inexact_number", "9007199254740992.0"),
        (pa.array([float("-inf"), 41.0]), "inexact_number", "-inf"),
        (pa.array([2.0**24, 41.0], pa.float32()), "inexact_number", "16777216.0"),
        (pa.array(np.array([2048, 41], dtype="float16")), "inexact_number", "2048.0"),
        (pa.array([1e16, 41.0]).dictionary_encode(), "inexact_number", "1e+16"),
        (number(2**31 - 1, pa.int32(), pa.date32()), "out_of_range", "5881580-07-11"),
        (number(-(2**31), pa.int32(), pa.date32()), "out_of_range", "-5877641-06-23"),
        (number(2**62, pa.int64(), pa.timestamp("us")), "out_of_range", DISTANT),
        (number(2**62, pa.int64(), pa.timestamp("us", "UTC")), "out_of_range", DISTANT),
        (number(86_400_000_001, pa.int64(), pa.time64("us")), "out_of_range", "86400000001 us"),
        (number(-1, pa.int64(), pa.time64("us")), "out_of_range", "-1 us"),
    ],
)
def test_a_cell_whose_exact_text_is_not_known_is_a_fault(
    folder: Callable[..., Path], column: Any, rule: str, value: str
) -> None:
    extract = read_extract(folder(parquet(column), "borrower.parquet"))
    first, second = ids(extract)
    assert first is None
    assert second
    assert extract.faults.to_numpy().tolist() == [["borrower", 2, "id", value, rule]]


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
def test_text_is_read_in_any_encoding_also_where_it_is_left_out(
    folder: Callable[..., Path], encoding: str
) -> None:
    words = ["abc", "abd", None, "", "abde"]
    how = {"use_dictionary": False, "column_encoding": encoding}
    path = folder(parquet(words, **how), "borrower.parquet")
    assert ids(read_extract(path)) == words
    table = pq.read_table(io.BytesIO(parquet(words))).append_column("note", pa.array(words))
    pq.write_table(table, path / "borrower.parquet", **how)
    assert ids(read_extract(path, ignore_columns=["note"])) == words


def test_numbers_and_codes_are_read_in_any_encoding(folder: Callable[..., Path]) -> None:
    for column, encoding in (
        (pa.array([0.5, 41.0]), "BYTE_STREAM_SPLIT"),
        (pa.array([1, 41]), "DELTA_BINARY_PACKED"),
        (pa.array([b"0.5", b"41 "], pa.binary(3)), "DELTA_BYTE_ARRAY"),
    ):
        how = {"use_dictionary": False, "column_encoding": {"id": encoding}}
        assert ids(read_extract(folder(parquet(column, **how), "borrower.parquet")))[1] == "41"


def test_a_time_that_is_marked_as_utc_has_its_offset(folder: Callable[..., Path]) -> None:
    column = pa.array([dt.time(22, 45), None], pa.time64("us"))
    local = parquet(column, store_schema=False).replace(UTC_TIME, LOCAL_TIME)
    utc = local.replace(LOCAL_TIME, UTC_TIME)
    assert utc != local
    assert ids(read_extract(folder(local, "borrower.parquet"))) == ["22:45:00", None]
    assert ids(read_extract(folder(utc, "borrower.parquet"))) == ["22:45:00+00:00", None]


@pytest.mark.parametrize(
    ("writer", "expected"),
    [
        (b"parquet-cpp-arrow version 21.", "22:45:00"),  # marks each time
        (b"parquet-cpp-arrow version 22.", "22:45:00+00:00"),  # only where it is told to
    ],
)
def test_the_writer_tells_whether_its_mark_means_utc(
    folder: Callable[..., Path], writer: bytes, expected: str
) -> None:
    data = parquet(pa.array([dt.time(22, 45)], pa.time64("us"))).replace(LOCAL_TIME, UTC_TIME)
    data = re.sub(rb"parquet-cpp-arrow version \d\d\.", writer, data)
    assert ids(read_extract(folder(data, "borrower.parquet"))) == [expected]


def test_a_point_in_time_of_96_bits_keeps_its_year(folder: Callable[..., Path]) -> None:
    column = pa.array([dt.datetime(9999, 12, 31), dt.datetime(2020, 1, 1, 0, 0, 0, 1)])  # noqa: DTZ001
    data = parquet(column, use_deprecated_int96_timestamps=True)
    assert ids(read_extract(folder(data, "borrower.parquet"))) == [
        "9999-12-31",
        "2020-01-01 00:00:00.000001",
    ]


def test_keys_of_type_uuid_are_text_on_every_pyarrow(folder: Callable[..., Path]) -> None:
    stored = pa.array([bytes(range(16)), None], pa.binary(16))
    data = parquets.with_uuid(parquet(stored, store_schema=False), "id")
    assert ids(read_extract(folder(data, "borrower.parquet"))) == [
        "00010203-0405-0607-0809-0a0b0c0d0e0f",
        None,
    ]


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
