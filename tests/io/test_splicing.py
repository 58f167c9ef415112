"""Rows taken out of bytes and put between others, and where the rows of bytes are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.io import counting, splicing
from aspen_etl.io.counting import feed_ends
from aspen_etl.io.splicing import Rows, in_blocks, join_rows, splice

LINES = st.lists(st.integers(0, 3), max_size=9).map(lambda sizes: [b"x" * n for n in sizes])


def rows_of(head: bytes, lines: list[bytes]) -> Rows:
    bounds = np.cumsum([len(head), *map(len, lines)]).astype(np.int64)
    return Rows(b"".join([head, *lines]), bounds)


@given(data=st.data(), old=LINES, new=LINES)
def test_rows_go_and_come_at_their_places(
    data: st.DataObject, old: list[bytes], new: list[bytes]
) -> None:
    old = [line.replace(b"x", b"%d" % (place % 10)) for place, line in enumerate(old)]
    new = [line.replace(b"x", b"abcdefghi"[place : place + 1]) for place, line in enumerate(new)]
    gone = sorted(data.draw(st.sets(st.sampled_from(range(len(old)))) if old else st.just(set())))
    at = sorted(data.draw(st.integers(0, len(old))) for _ in new)
    expected = [b"head,"]
    for place in range(len(old) + 1):
        expected += [line for line, before in zip(new, at) if before == place]
        expected += [] if place in {*gone, len(old)} else [old[place]]
    parts = list(
        splice(
            rows_of(b"head,", old),
            rows_of(b"other", new),
            np.array(gone, dtype=np.int64),
            np.array(at, dtype=np.int64),
        )
    )
    assert b"".join(parts) == b"".join(expected)
    assert all(len(part) for part in parts)


def test_rows_that_stay_side_by_side_are_one_stretch() -> None:
    old, new = rows_of(b"h", [b"0", b"1", b"2", b"3", b"4"]), rows_of(b"", [b"a", b"b"])
    parts = splice(old, new, np.array([1, 2]), np.array([2, 3]))
    assert [bytes(part) for part in parts] == [b"h0", b"ab", b"34"]
    nothing = np.array([], dtype=np.int64)
    parts = splice(old, rows_of(b"h", []), nothing, nothing)
    assert [bytes(part) for part in parts] == [old.data]


@given(lines=LINES)
def test_short_stretches_are_joined_and_long_ones_are_no_copies(lines: list[bytes]) -> None:
    views = [memoryview(line) for line in lines if line]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "_LONG", 3)
        patch.setattr(splicing, "_BLOCK", 4)
        found = list(in_blocks(iter(views)))
    assert b"".join(found) == b"".join(lines)
    assert all(any(part is view for part in found) for view in views if len(view) >= 3)
    short = [
        0 if any(part is view and len(view) >= 3 for view in views) else len(part) for part in found
    ]
    assert not any(0 < one < 4 and two for one, two in zip(short, short[1:]))


@given(lines=LINES, data=st.data())
def test_some_rows_are_joined_in_the_order_told(lines: list[bytes], data: st.DataObject) -> None:
    most = 9 if lines else 0
    at = data.draw(st.lists(st.integers(0, max(len(lines) - 1, 0)), max_size=most))
    found = join_rows(rows_of(b"head", lines), np.array(at, dtype=np.int64))
    assert found == b"".join([b"head", *(lines[place] for place in at)])


# ----------------------------------------------------------------------------- where rows end

CELLS = st.text(st.sampled_from('a,"\n\r;'), max_size=5)
RECORDS = st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=6)


def written(record: list[str]) -> bytes:
    quoted = ['"{}"'.format(cell.replace('"', '""')) for cell in record]
    cells = [two if set(one) & set(',"\r\n') else one for one, two in zip(record, quoted)]
    return f"{','.join(cells)}\n".encode()


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
@given(records=RECORDS)
def test_records_end_where_the_writer_ended_them(at_once: int, records: list[list[str]]) -> None:
    lines = [written(record) for record in records]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_AT_ONCE", at_once)
        found = feed_ends(b"".join(lines))
    assert found is not None
    assert found.tolist() == np.cumsum([0, *map(len, lines)])[1:].tolist()


@pytest.mark.parametrize(
    "data", [b"a,b", b"a,b\n1,2", b"a\rb\n", b"a\r\n", b'"a\r"\r\n', b'"a\n', b'a"b"\n', b'"a"b\n']
)
def test_what_does_not_end_in_line_feeds_or_has_odd_quotes_is_none(data: bytes) -> None:
    assert feed_ends(data) is None
