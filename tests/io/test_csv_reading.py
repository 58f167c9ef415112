"""CSV is read as RFC 4180 has it, the same way with and without pyarrow."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.errors import CorruptFileError, LimitExceededError
from aspen_etl.io import ReadLimits, csv_fast, csv_reading, csv_records, csv_source, read_extract
from aspen_etl.io.reading import RawSheet, Request
from tests.support.refusals import Kind, refused

pytestmark = pytest.mark.smoke

REQUEST = Request("x.csv", "borrower", ("a", "b"))
FAST = [csv_fast.try_read_csv, csv_fast.try_read_plain_csv]
HEADER = b"id,full_name,street,city,state,zip_code,phone_home,phone_cell,email\n"


def cells(sheet: RawSheet) -> list[list[Any]]:
    columns = [sheet.column(position).astype(object) for position in range(len(sheet.headers))]
    return [column.where(column.notna(), None).tolist() for column in columns]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", [["1"], ["2"]]),
        (b"a,b\r\n1,2\r\n", [["1"], ["2"]]),
        (b"a,b\r1,2\r", [["1"], ["2"]]),
        (b"a,b\n1,2", [["1"], ["2"]]),
        (b"\xef\xbb\xbfa,b\n1,2\n", [["1"], ["2"]]),
        (b'a,b\n"",\n', [[None], [None]]),
        (b'a,b\n"x,y","say ""hi"""\n', [["x,y"], ['say "hi"']]),
        (b'a,b\n"two\nlines","two\r\nlines"\n', [["two\nlines"], ["two\r\nlines"]]),
        (b'a,b\n5" pipe, x\n', [['5" pipe'], [" x"]]),
        (b"a,b\nNA,None\nnan,Null\n", [["NA", "nan"], ["None", "Null"]]),
        (b"a,b\n02138,1e5\nTRUE,2020-01-02\n", [["02138", "TRUE"], ["1e5", "2020-01-02"]]),
        (b"a,b\n1,2\n\n3,4\n", [["1", None, "3"], ["2", None, "4"]]),
        (b"a,b\n1,2\n \n3,4\n", [["1", None, "3"], ["2", None, "4"]]),
        (b"a,b\n,\n", [[None], [None]]),
        (b"a,b\nx\0y,z\n", [["x\0y"], ["z"]]),
        (b"a,b\n\xe2\x80\xa8,\x0b\x0c\x1c\xc2\x85\n", [["\u2028"], ["\x0b\x0c\x1c\x85"]]),
        (b"a,b\n", [[], []]),
        (b"a,b", [[], []]),
        (b"a\n1\n\n2\n", [["1", None, "2"]]),
    ],
)
def test_every_field_is_text_or_missing(data: bytes, expected: list[list[Any]]) -> None:
    assert cells(csv_reading.read_csv(data, REQUEST)) == expected


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("data", "kind", "match"),
    [
        (b"", "missing_column", "among its 0 headers"),
        (b"\n \n,\n", "missing_column", "among its 0 headers"),
        (b"a,b\n1\n", "ragged_rows", "row 2 has 1 fields and the header 2;"),
        (b"a,b\n1,2\n1,2,3\n1\n", "ragged_rows", r"row 3 has 3 .*\(2 rows are like this\)"),
        (b'a,b\n1,2\n"x"y,2\n', "ragged_rows", "the quotes of row 3"),
        (b'a,b\n"open,2\n', "ragged_rows", "the quotes of row 2"),
        (b'a,b\n1,"' + b"x" * 140_000 + b'"\n', "ragged_rows", "longer than 131,072"),
        (b"a,b\n1,\xff\n", "encoding", "line 2 holds"),
        (b"a,b\n1,\xed\xa0\x80\n", "encoding", "line 2 holds"),
        ("a,b\n1,ü\n".encode("latin-1"), "encoding", "line 2 holds"),
        ("a,b\n1,2\n".encode("utf-16"), "encoding", "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "encoding", "UTF-16"),
        (b"a;b\n1;2\n", "unsupported", "has semicolons between"),
        (b"a\tb\n1\t2\n", "unsupported", "has tabs between"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(data: bytes, kind: Kind, match: str) -> None:
    with refused(kind, match=match) as caught:
        csv_reading.read_csv(data, REQUEST)
    assert caught.value.__context__ is None


def test_a_field_limit_that_another_library_raised_does_not_bind_us() -> None:
    before = csv.field_size_limit(10_000_000)
    try:
        with refused("ragged_rows", match="row 2 is longer than 131,072"):
            csv_records.read_by_record(b'a,b\n1,"' + b"x" * 140_000 + b'"\n', REQUEST)
    finally:
        csv.field_size_limit(before)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("limits", "name"),
    [(ReadLimits(max_rows=2), "max_rows"), (ReadLimits(max_columns=1), "max_columns")],
)
def test_records_and_columns_are_limited(limits: ReadLimits, name: str) -> None:
    with pytest.raises(LimitExceededError, match=name):
        csv_reading.read_csv(b"a,b\n1,2\n3,4\n5,6\n", Request("x", "s", ("a",), limits=limits))


def test_a_line_without_an_end_is_refused_before_it_is_split() -> None:
    with pytest.raises(LimitExceededError, match="max_line_bytes"):
        csv_reading.read_csv(b"a,b\n" + b"," * (70 << 20), REQUEST)


@given(
    st.lists(st.tuples(*[st.text(st.sampled_from('",\r\n \u2028x'), max_size=4)] * 2), max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)
def test_all_engines_read_what_was_written(rows: list[tuple[str, str]], end: str) -> None:
    quoted = [
        ["a", "b"],
        *([f'"{text.replace(chr(34), chr(34) * 2)}"' for text in row] for row in rows),
    ]
    data = end.join(",".join(row) for row in quoted).encode()
    expected = [[text or None for text in column] for column in zip(*rows)] or [[], []]
    slow = csv_records.read_by_record(data, REQUEST)
    assert cells(slow) == expected
    for engine in FAST:
        fast = engine(data, REQUEST)
        assert fast is None or cells(fast) == expected


@pytest.mark.parametrize("engine", FAST)
@given(
    st.sampled_from(["a", "a,b", "a,b,c"]), st.text(st.sampled_from('",\r\n x\ufeff'), max_size=12)
)
@example(header="a", text="\ufeffx")
@example(header="a", text=" \n\nx")
def test_a_fast_engine_never_disagrees(engine: Callable[..., Any], header: str, text: str) -> None:
    data = f"{header}\n{text}".encode()
    fast = engine(data, REQUEST)
    if fast is not None:
        assert cells(fast) == cells(csv_records.read_by_record(data, REQUEST))


def broken_at(size: int, line_break: str = "\r\n") -> tuple[bytes, str]:
    """Give a file with a line break in quotes that ends so many bytes behind the header."""
    size -= len('"') + len(line_break)
    last = f"{'z' * (size % 100)}{line_break}{'end' * 10}"
    lines = (b"x," + b"y" * 97 + b"\n") * (size // 100)
    return b"a,b\n" + lines + f'"{last}",x\n'.encode(), last


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("behind", [0, 1, 2])
def test_a_line_break_in_quotes_stays_whole_where_arrow_ends_a_block(behind: int) -> None:
    # It lost the line feed of the second: apache/arrow, 51368.
    data, last = broken_at((8 << 20) + behind)
    assert cells(csv_reading.read_csv(data, REQUEST))[0][-1] == last


@pytest.mark.parametrize("behind", [-1, 0, 1, 2])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_so_does_one_in_a_file_of_ours(
    behind: int, line_break: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a block ended within the record, what stands before the break was lost.
    pa = pytest.importorskip("pyarrow")
    monkeypatch.setattr(csv_fast, "counts_fields", lambda: True)
    data, last = broken_at((2 << 20) - len(b"a,b\n") + behind, line_break)
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    for source in (data, io.BytesIO(data)):
        table = csv_fast.read_typed_csv(source, schema)
        assert (table.num_rows, table.column("a")[-1].as_py()) == (data.count(b"x"), last)


def test_a_record_that_no_block_holds_is_left_to_others() -> None:
    pa = pytest.importorskip("pyarrow")
    schema = pa.schema([("a", pa.string())])
    assert csv_fast.read_typed_csv(io.BytesIO(b'a\n"' + b"\n" * (3 << 20) + b'"\n'), schema) is None


def written(row: list[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(row)
    return buffer.getvalue().encode()


@given(
    st.lists(st.lists(st.text(st.sampled_from('",\n x'), max_size=5), max_size=3), max_size=6),
    st.integers(1, 40),
    st.sampled_from([b"", b'"']),
)
def test_blocks_end_where_records_do(rows: list[list[str]], size: int, behind: bytes) -> None:
    pytest.importorskip("pyarrow")
    records = [written(row) for row in rows]
    data = b"".join(records)
    file = io.BytesIO(data + behind)
    stream = csv_source.stream_of_records(file, len(data) if behind else None)
    fits = all(len(record) <= size for record in records)
    with contextlib.nullcontext() if fits else pytest.raises(ValueError, match="longer than"):
        blocks = list(iter(lambda: stream.read(size), b""))
        assert b"".join(blocks) == data
        ends = set(itertools.accumulate(map(len, records)))
        assert set(itertools.accumulate(map(len, blocks))) <= ends
        assert max(map(len, blocks), default=0) <= size


def test_the_fast_engines_take_plain_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert csv_fast.try_read_plain_csv(b"a,b\r\n1,2\r\n3,\r\n", REQUEST) is not None
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(csv_fast, "counts_fields", lambda: True)
    assert csv_fast.try_read_csv(b'a,b\r\n1,"2, ""x"""\r\n', REQUEST) is not None


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_before_arrow_20_only_whole_records_are_given_to_it(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(csv_fast, "counts_fields", lambda: False)
    monkeypatch.setattr(csv_fast, "_BLOCK", 3)
    whole = csv_fast.try_read_csv(f'a,b\n1,2\n"3",{end}'.encode(), REQUEST)
    assert whole is not None
    assert cells(whole) == [["1", "3"], ["2", None]]
    monkeypatch.setattr(csv_fast, "_parse", None)
    for odd in ("1,2,3\n4", "1\n2,3,4", "1,2\n3", "1,2\n3,4,5", '"1,2"\n3', "1,2\n\n3,4,5"):
        assert csv_fast.try_read_csv(f"a,b\n{odd}{end}".encode(), REQUEST) is None


# ----------------------------------------------------------------------------- gzip


def test_gzip_is_unpacked(folder: Callable[..., Path]) -> None:
    path = folder(gzip.compress(HEADER + b"1,Ann,,,,,,,\n"), "borrower.csv.gz")
    assert read_extract(path)["borrower"]["full_name"].tolist() == ["Ann"]


@pytest.mark.parametrize("cut", [slice(0, -9), slice(0, 15)])
def test_cut_gzip_is_an_error(folder: Callable[..., Path], cut: slice) -> None:
    path = folder(gzip.compress(HEADER * 9)[cut], "borrower.csv.gz")
    with pytest.raises(CorruptFileError, match="truncated or changed"):
        read_extract(path)


def test_gzip_that_grows_too_much_is_an_error() -> None:
    data = gzip.compress(bytes(40 << 20))
    with pytest.raises(LimitExceededError, match="max_compression_ratio"):
        csv_reading.gunzip(data, "x", ReadLimits())
    with pytest.raises(LimitExceededError, match="max_uncompressed_bytes"):
        csv_reading.gunzip(data, "x", ReadLimits(max_uncompressed_bytes=1000))
