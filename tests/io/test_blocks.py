"""A CSV file that is read in blocks is what it is when it is read as a whole."""

from __future__ import annotations

import gzip
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aspen_etl.errors import AspenETLError, NotSupportedError, ReadError
from aspen_etl.io import ReadLimits, blocks, csv_reading
from aspen_etl.io.filesystem import Location, locate
from aspen_etl.io.laying_out import lay_out
from aspen_etl.io.reading import RawSheet, Reading, Request
from aspen_etl.schema import Series, Source, column
from aspen_etl.schema.spec import SourceSpec
from tests.support.csv_files import files, told

#: Two columns, for which a header is looked for.
REQUEST = Request("memory://blocks.csv", "sheet", ("a", "b"))


def place_of(data: bytes) -> Location:
    fsspec.filesystem("memory").pipe_file("/blocks.csv", data)
    return locate("memory://blocks.csv")


def outcome(read: Callable[[], Iterable[RawSheet]]) -> tuple[Any, ...]:
    try:
        return told(read())
    except AspenETLError as error:
        return type(error), str(error), error.details


def in_blocks(data: bytes, size: int, request: Request = REQUEST) -> tuple[Any, ...]:
    place = place_of(data)
    return outcome(lambda: blocks.read_in_blocks(place, request, size=size))


def whole(data: bytes, request: Request = REQUEST) -> tuple[Any, ...]:
    return outcome(lambda: [csv_reading.read_csv(data, request)])


def spans_of(data: bytes, size: int) -> list[blocks.Span]:
    split = blocks.split(place_of(data), REQUEST, size=size)
    return blocks.cut(split, map(blocks.count_block, split))


# ----------------------------------------------------------------------------- the law

LIMITS = st.sampled_from([ReadLimits(), ReadLimits(), ReadLimits(max_line_bytes=50)])


#: An example takes milliseconds, and a fault may need two rare things at once.
MANY = settings(max_examples=6 * settings().max_examples)


@MANY
@given(files(), st.sampled_from([1, 2, 3, 7, 19, 64]), LIMITS, st.sampled_from([None, None, 1, 2]))
@example(b"a,b\n1,2\n\n\n3,4\n\n", 2, ReadLimits(), None)
@example(b'a,b\n1,"\r\n"\r\n3,4', 1, ReadLimits(), None)
@example(b"a,b\n" + b"1,2\n" * 12 + b"1," + b"z" * 60, 7, ReadLimits(max_line_bytes=50), None)
def test_read_by_blocks_is_read_whole(
    data: bytes, size: int, limits: ReadLimits, header_row: int | None
) -> None:
    request = Request(REQUEST.url, "sheet", ("a", "b"), limits=limits, header_row=header_row)
    found = in_blocks(data, size, request)
    assert found == whole(data, request) or found[0] is NotSupportedError


@MANY
@given(files(), st.integers(1, 40))
def test_each_byte_between_header_and_end_is_in_one_span(data: bytes, size: int) -> None:
    try:
        spans = spans_of(data, size)
    except NotSupportedError:
        return
    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]
    header = spans[0].outline.header
    parts = [blocks.load_span(span).removeprefix(header) for span in spans]
    body = data[spans[0].start : spans[-1].end]
    assert (b"".join(parts), data[spans[-1].end :].strip(b"\r\n\0\x1a")) == (body, b"")


def test_what_is_plain_is_split_into_as_many_spans_as_blocks() -> None:
    data = b"a,b\n" + b'1,"x\ny"\n' * 100
    spans = spans_of(data, 90)
    assert [(span.start, span.row) for span in spans[:3]] == [(4, 2), (100, 14), (188, 25)]
    assert len(spans) == 9
    assert spans_of(data, 1 << 20) == spans_of(data, len(data))


def test_a_record_that_is_longer_than_blocks_stays_whole() -> None:
    data = b'a,b\n1,"' + b"x\n" * 50 + b'"\n2,y\n'
    spans = spans_of(data, 10)
    assert [(span.row, span.end - span.start) for span in spans] == [(2, 105), (3, 4)]


def test_most_generated_files_are_read_in_blocks() -> None:
    # Guards the law: it would hold if all of them were refused.
    tally: Counter[str] = Counter()

    @settings(max_examples=60, database=None, derandomize=True)  # whatever the profile is
    @given(files())
    def count(data: bytes) -> None:
        found = in_blocks(data, 20)
        kind = "read" if isinstance(found[0], list) else found[0].__name__
        tally[kind] += 1
        tally["in several"] += kind == "read" and len(spans_of(data, 20)) > 1

    count()
    tried = sum(tally.values()) - tally["in several"]
    assert tally["in several"] > tried // 8
    assert tally["FileFormatError"] > tried // 50


# ----------------------------------------------------------------------------- as they are found

HEADER = "first,last,address,city,zip\n"
#: What reads of parts of files went wrong with in other tools, and the files of our users.
FOUND = {
    # csv-spectrum
    "comma in quotes": f'{HEADER}John,Doe,120 any st.,"Anytown, WW",08123\n',
    "escaped quotes": 'a,b\n1,"ha ""ha"" ha"\n3,4\n',
    "json": 'a,b\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
    "quotes and newlines": 'a,b\n1,"ha \n""ha"" \nha"\n3,4\n',
    "newlines crlf": 'a,b,c\r\n1,2,3\r\n"Once upon \r\na time",5,6\r\n7,8,9\r\n',
    "empty": 'a,b,c\n1,"",""\n2,3,4\n',
    # apache/arrow 39857 and polars 19078: a block ends within a text of several lines
    "lines in every record": "a,b\n" + '1,"ABCDE FGHIJ\nKLMNOP"\n' * 9,
    # apache/arrow 51368: a block ends between a return and its line feed, in quotes
    "broken at every place": "a,b\n" + '"\r\n\r\n\r\n",x\r\n' * 9,
    # elastic/elasticsearch 152823: what follows a line break in quotes looks like a record
    "a record in quotes": "a,b\n" + '1,"x\n2,y\n3,z"\n' * 9,
    "a header in quotes": 'a,b\n1,"\na,b\n"\n2,y\n',
    "only quotes": "a,b\n" + '"""""","\n"\n' * 9,
    # NVIDIA/cudf 3156: quotes that a backslash escapes
    "backslashes": 'a,b\n1,<div id=\\"x\\">\n2,y\n',
    # duckdb 9036: a quote in the middle of a field
    "inches": 'a,b\n1,5" pipe\n2,"6"" pipe"\n',
    # as programs write them
    "Excel, with its line": "\ufeffsep=,\r\na,b\r\n1,2\r\n",
    "old Mac": "a,b\r1,2\r3,4\r",
    "titles": 'Report\n\n"of\n2020"\na,b\n1,2\n\n3,4\n',
    "Ctrl-Z": "a,b\n1,2\n3,4\n\x1a",
    "filled with NUL": "a,b\n1,2\n3,4\n" + "\0" * 30,
    "blank lines at both ends": "\n\n\na,b\n\n\n1,2\n\n\n\n3,4\n\n\n\n",
    "the header again": "a,b\n1,2\na,b\n3,4\n",
    "joined files": "\ufeffa,b\n1,2\n\ufeffa,b\n3,4\n",
    "a column without a name": "a,b,\n1,2,\n3,4,5\n",
    "other line separators": "a,b\n1,x\u2028y\x0b\x0c\x85z\n2,3\n",
    "no record": "a,b\n",
    "nothing but a header": "a,b",
    "nothing": "",
    "one column": "a\n1\n\n2\n\n",
    "semicolons": "a;b\n1;2\n",
}


@pytest.mark.parametrize("data", FOUND.values(), ids=FOUND)
def test_files_as_they_are_found(data: str) -> None:
    raw = data.encode()
    columns = tuple(HEADER.strip().split(",")) if data.startswith(HEADER) else ("a", "b")
    request = Request(REQUEST.url, "sheet", columns)
    for size in (1, 2, 3, 5, 8, 13, 21, 34):
        found = in_blocks(raw, size, request)
        assert found == whole(raw, request) or found[0] is NotSupportedError


#: What is not read in blocks, by a word of the reason that is given.
REFUSED = {
    "gzip": gzip.compress(b"a,b\n1,2\n", mtime=0),
    "UTF-16": "a,b\n1,2\n".encode("utf-16"),
    "UTF-16 ": "a,b\n1,2\n".encode("utf-16-le"),
    "no text": b"PAR1xxxx",
    "within a field, or behind": b'a,b\n1,5" pipe\n',
    "within a field, or behind ": b'a,b\n"1"x,2\n',
    "never closed": b'a,b\n1,"2\n',
    "no header": b"\n\n,\n",
    "no column that is expected": b"c,d\n1,2\n",
    "faulty": b"a,\xff\n1,2\n",
    "no end": b"a,b\r1,2\r",
    "mark of an encoding": b"Title\n\0a,b\n",
}


@pytest.mark.parametrize("word", REFUSED)
def test_what_cannot_be_split_is_refused_by_name(word: str) -> None:
    told = f"memory://blocks.csv is not read in parts: .*{word.strip()}.*; read it as a whole"
    request = Request(REQUEST.url, "sheet", ("a", "b"), header_row=2 if "mark" in word else None)
    place = place_of(REFUSED[word])
    with pytest.raises(NotSupportedError, match=told):
        list(blocks.read_in_blocks(place, request, size=3))


def test_a_file_of_which_no_part_can_be_asked_for_is_refused(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        packed.writestr("x.csv", "a,b\n1,2\n")
    inside = locate(f"zip://x.csv::{tmp_path}/x.zip")
    with pytest.raises(NotSupportedError, match="inside of another file"):
        blocks.split(inside, REQUEST, size=9)
    pytest.importorskip("aiohttp")
    with pytest.raises(NotSupportedError, match="web server need not give a part"):
        blocks.split(locate("http://127.0.0.1:1/x.csv"), REQUEST, size=9)


# ----------------------------------------------------------------------------- where files lie


def test_blocks_and_spans_pickle_and_what_is_counted_does(tmp_path: Path) -> None:
    data = b"a,b\n" + '1,"ü\n"\n'.encode() * 30
    path = tmp_path / "x.csv"
    path.write_bytes(data)

    def elsewhere(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            there, held = pickle.loads(pickle.dumps((function, item)))  # noqa: S301 - ours
            found = there(held)
            yield pickle.loads(pickle.dumps(found)) if function is blocks.count_block else found  # noqa: S301

    sheets = blocks.read_in_blocks(locate(path), REQUEST, size=20, each=elsewhere)
    assert told(sheets) == whole(data)


def test_a_file_that_becomes_shorter_is_an_error() -> None:
    place = place_of(b"a,b\n" + b"1,2\n" * 9)
    split = blocks.split(place, REQUEST, size=9)
    place.filesystem.pipe_file(place.path, b"a,b\n")
    with pytest.raises(ReadError, match="it gave other bytes than those asked for"):
        blocks.count_block(split[-1])


def test_no_more_is_read_at_once_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    size = 1 << 13
    monkeypatch.setattr("aspen_etl.io.csv_outline._HEADS", (size,))
    monkeypatch.setattr("aspen_etl.io.streaming._PIECE", size)
    usual = Location.read_part

    def read_part(place: Location, start: int, end: int) -> bytes:
        asked.append(end - start)
        return usual(place, start, end)

    monkeypatch.setattr(Location, "read_part", read_part)
    data = b"a,b\n" + b"1,2\n" * 20_000
    for content in (data, data + b"1,2,3\n" + b"\n" * 500 + b"1,2,3\n"):
        found = in_blocks(content, size)
        assert found == whole(content)
        assert max(asked) <= size + 4
    assert "2 rows are like this" in found[1]


# ----------------------------------------------------------------------------- frames


def test_the_frames_of_spans_are_those_of_the_sheet() -> None:
    class Sheet(Source):
        a: Series[str] = column(nullable=True)
        b: Series[str] = column(nullable=True)

    data = b"A,b\n1,2\n a ,B\n\n" + b'"x\n",NA\n' * 9
    spec, reading = SourceSpec.of(Sheet), Reading(columns={"A": "a"}, na_values=["NA"])
    request, place = reading.request(REQUEST.url, spec), place_of(data)
    sheets = blocks.read_in_blocks(place, request, size=7)
    parts = [lay_out([(place, sheet)], spec, reading) for sheet in sheets]
    frame, faults = lay_out([(place, csv_reading.read_csv(data, request))], spec, reading)
    assert len(parts) > 3
    pd.testing.assert_frame_equal(pd.concat([part for part, _ in parts]), frame)
    found = pd.concat([part for _, part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(found, faults)
