"""Lines that are found again are equal, each is found once, and read as they do in the file."""

from __future__ import annotations

import builtins
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aspen_etl.columns.positions import rows_without
from aspen_etl.errors import ExtractError, LimitExceededError, NotSupportedError
from aspen_etl.io import ReadLimits, csv_lines, csv_reading, lines
from aspen_etl.io.reading import Request
from tests.support.csv_files import files, told

REQUEST = Request("x.csv", "sheet", ("a", "b"))
MANY = settings(max_examples=10 * settings().max_examples)


def held(texts: list[bytes]) -> SimpleNamespace:
    """Give lines, behind something else."""
    bounds = np.cumsum([3, *(len(text) for text in texts)], dtype=np.int64)
    return SimpleNamespace(data=b"top" + b"".join(texts) + b"\n\n", bounds=bounds)


def found(before: list[bytes], after: list[bytes]) -> list[int]:
    at: list[int] = lines.align(held(before), held(after)).tolist()
    return at


# ----------------------------------------------------------------------------- found again

#: How far the walk looks ahead, how long it goes on for nothing, up to how many Python looks up.
WAYS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "looked up by Arrow": {"_AHEAD": (), "_FEW": -1},
    "looked up by Python": {"_AHEAD": (), "_FEW": 1 << 40},
    "walked by few": {"_AHEAD": (1, 2), "_FIRST": 1, "_MOST": 2},
    "given up": {"_PATIENCE": 0},
}
LINE = st.sampled_from([b"\n", b"a\n", b"b\n", b"ab\n", b"aab\n", b"\xff\n"])


@pytest.mark.parametrize("way", WAYS)
def test_equal_lines_are_found_each_once_and_none_is_missed(way: str) -> None:
    if way == "looked up by Arrow":
        pytest.importorskip("pyarrow")

    @MANY
    @given(st.lists(LINE, max_size=12), st.data())
    def hold(before: list[bytes], data: st.DataObject) -> None:
        after = data.draw(st.permutations(before) if way == "as it is" else st.lists(LINE))
        for one, two in ((before, after), (before, before + after), (before + after, after)):
            at = found(one, two)
            pairs = [(one[line], two[place]) for place, line in enumerate(at) if line >= 0]
            assert all(old == new for old, new in pairs)
            assert max(Counter(line for line in at if line >= 0).values(), default=1) == 1
            assert len(pairs) == sum((Counter(one) & Counter(two)).values())

    with pytest.MonkeyPatch.context() as patch:
        for name, value in WAYS[way].items():
            patch.setattr(lines, name, value)
        hold()


def test_a_line_that_has_no_end_is_no_other_line() -> None:
    assert found([b"a\n", b"b"], [b"a\n", b"b\n"]) == [0, -1]
    assert found([b"a\n", b"b\n"], [b"a\n", b"b"]) == [0, -1]
    assert found([b"a"], [b"ab\n"]) == [-1]
    assert found([], [b"a\n"]) == [-1]
    assert found([b"a\n"], []) == []


def changed(count: int, share: int) -> tuple[list[bytes], list[bytes]]:
    """Give unique lines, and them again: one in so many changed, and as many left and came."""
    dice = np.random.default_rng(7)
    before = [b"%d,%d\n" % (at, dice.integers(10**9)) for at in range(count)]
    after: list[bytes] = []
    for at, line in enumerate(before):
        kind = dice.integers(share)
        after += [[line + b"x\n"], [], [line, b"new %d\n" % at]][kind] if kind < 3 else [line]
    return before, after


def test_the_walk_takes_steps_by_change_and_not_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = changed(20_000, 100)
    monkeypatch.setattr(lines, "_look_up", lambda *_: None)
    steps, usual = [], lines._next_shared

    def counted(*told: Any) -> Any:
        steps.append(told)
        return usual(*told)

    monkeypatch.setattr(lines, "_next_shared", counted)
    at = found(before, after)
    assert sum(line >= 0 for line in at) == sum((Counter(before) & Counter(after)).values())
    changes = sum(line < 0 for line in at) + len(before) - sum(line >= 0 for line in at)
    assert len(steps) < changes * 1.1


def test_many_new_lines_in_one_place_are_stepped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_look_up", lambda *_: None)
    old, new = [b"%d\n" % n for n in range(20_000)], [b"new %d\n" % n for n in range(9_000)]
    assert found(old, new + old) == [-1] * len(new) + list(range(len(old)))
    assert found(old, old[9_000:]) == list(range(9_000, len(old)))
    assert found(old, old[:5] + new + old[5:]) == [*range(5), *[-1] * len(new), *range(5, 20_000)]


@pytest.mark.parametrize("has_arrow", [True, False])
def test_lines_in_another_order_are_looked_up(
    has_arrow: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if has_arrow:
        pytest.importorskip("pyarrow")
    else:
        usual = builtins.__import__

        def without(name: str, *told: Any) -> Any:
            if name == "pyarrow":
                raise ImportError(name)
            return usual(name, *told)

        monkeypatch.setattr(builtins, "__import__", without)
    old = [b"%d\n" % (n // 2) for n in range(30_000)]
    order = np.random.default_rng(7).permutation(len(old))
    new = [old[n] for n in order]
    at = found(old, new)
    assert [old[line] for line in at] == new
    assert len(set(at)) == len(old)


# ----------------------------------------------------------------------------- lines of CSV


def cells(data: bytes) -> list[tuple[Any, ...]]:
    """Give the row number and the cells of each record."""
    _, rows, columns, _ = told([csv_reading.read_csv(data, REQUEST)])
    return list(zip(rows, *columns))


def lines_or_none(data: bytes) -> csv_lines.CsvLines | None:
    try:
        return csv_lines.lines_of(data, REQUEST)
    except NotSupportedError:
        return None


@MANY
@given(st.booleans().flatmap(lambda broken: files(broken=broken)), st.data())
def test_lines_that_are_told_to_be_records_are_read_as_such(
    data: bytes, draw: st.DataObject
) -> None:
    found = lines_or_none(data)
    if found is None:
        return
    some = np.array(draw.draw(st.permutations(range(len(found)))), dtype=np.int64)
    some = some[: draw.draw(st.integers(0, len(some)))]
    try:
        records = cells(data)
    except ExtractError:  # of the file; some lines may be faulty, too
        return
    assert len(records) == len(found)
    _, rows, columns, _ = told([csv_lines.read_lines(found, some)])
    assert list(zip(rows, *columns)) == [records[at] for at in some]


@MANY
@given(files(broken=False), st.data())
def test_what_is_found_again_has_the_cells_that_it_had(data: bytes, draw: st.DataObject) -> None:
    before = lines_or_none(data)
    if before is None:
        return
    kept = data[before.outline.start :].splitlines(keepends=True)
    kept = draw.draw(st.permutations(kept)) if draw.draw(st.booleans()) else kept
    kept.insert(draw.draw(st.integers(0, len(kept))), draw.draw(st.sampled_from([b"", b"n,2\n"])))
    again = data[: before.outline.start] + b"".join(kept)
    after = lines_or_none(again)
    if after is None:
        return
    assert csv_lines.have_one_header(before, after)
    at = lines.align(before, after)
    try:
        was, now = cells(data), cells(again)
    except ExtractError:
        return
    assert all(was[line][1:] == now[place][1:] for place, line in enumerate(at) if line >= 0)
    fresh, gone = np.flatnonzero(at < 0), rows_without(at, len(before))
    assert len(fresh) + len(before) == len(after) + len(gone)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n3,4\n\n\n", [b"1,2\n", b"3,4\n"]),
        (b"a,b\r\n1,2\r\n\r\n3,4\r\n\r\n", [b"1,2\r\n", b"\r\n", b"3,4\r\n"]),
        (b'a,b\n"x ""y""",2', [b'"x ""y""",2']),
        (b'T\n"a","\nb"\n1,2\n\x1a', [b"1,2\n"]),
        (b"\xef\xbb\xbfsep=,\na,b\n1,2\n", [b"1,2\n"]),
        (b"a,b\n\n\n", []),
        (b"a,b\n", []),
    ],
)
def test_the_lines_of_a_file(data: bytes, expected: list[bytes]) -> None:
    found = csv_lines.lines_of(data, Request("x", "s", ("a", "\nb" if b"\nb" in data else "b")))
    bounds = found.bounds.tolist()
    assert [data[one:two] for one, two in zip(bounds, bounds[1:])] == expected


def test_some_lines_are_read_in_the_order_that_is_asked_for() -> None:
    found = csv_lines.lines_of(b"a,b\n1,2\n\n\n3,4", REQUEST)
    for order in ([3, 0, 1, 2], [2, 1], [1], [3], [0, 3, 2], []):
        at = np.array(order, dtype=np.int64)
        _, rows, (one, two), _ = told([csv_lines.read_lines(found, at)])
        assert rows == [line + 2 for line in order]
        assert one == [{0: "1", 3: "3"}.get(line) for line in order]
        assert two == [{0: "2", 3: "4"}.get(line) for line in order]


@pytest.mark.parametrize(
    "data",
    [
        b'a,b\n1,"x\ny"\n',
        b'a,b\n1,"x\n2,y"\n',
        b"a,b\n1,2\r3,4\n",
        b'a,b\n1,"x\ry"\n',
        b'a,b\n1,2\na"b,"c\n"x",2\n',
        b'a,b\n1,"2',
        b"c,d\n1,2\n",
    ],
)
@pytest.mark.parametrize("heads", [(4, 8), (1 << 20,)])
def test_a_file_whose_lines_are_no_records_is_refused(
    data: bytes, heads: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aspen_etl.io.csv_outline._HEADS", heads)  # what is looked at for a header
    with pytest.raises(
        NotSupportedError, match=r"x\.csv is not read in parts: .*; read it as a whole"
    ):
        csv_lines.lines_of(data, REQUEST)


def test_the_limits_of_a_file_hold_for_its_lines() -> None:
    data = b"a,b\n" + b"1,2\n" * 9
    with pytest.raises(LimitExceededError, match="max_rows"):
        csv_lines.lines_of(data, Request("x", "s", ("a", "b"), limits=ReadLimits(max_rows=8)))
    with pytest.raises(NotSupportedError, match="too long"):
        csv_lines.lines_of(data, Request("x", "s", ("a", "b"), limits=ReadLimits(max_line_bytes=3)))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (b"a,b\n3,4\n", True),
        (b"b,a\n1,2\n", False),
        (b"a,b\r\n1,2\n", False),
        (b"\na,b\n1,2\n", False),
        (b"\xef\xbb\xbfa,b\n1,2\n", False),
    ],
)
def test_lines_mean_the_same_below_the_same_header(other: bytes, expected: bool) -> None:  # noqa: FBT001
    one, two = (csv_lines.lines_of(data, REQUEST) for data in (b"a,b\n1,2\n", other))
    assert csv_lines.have_one_header(one, two) is expected
