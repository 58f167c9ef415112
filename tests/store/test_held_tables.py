"""A table that is read and written in part gives what it gives as a whole."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aspen_etl.changes import Changes, TableChanges, apply_changes
from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.handing import handed
from aspen_etl.columns.rows import take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.derive.formats import FormatName
from aspen_etl.errors import CorruptFileError
from aspen_etl.io.codecs import CODECS, decode, decode_verified, encode
from aspen_etl.io.splicing import Rows
from aspen_etl.schema import Table
from aspen_etl.schema.column_spec import TIMESTAMP, ColumnSpec
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store import line_tables
from aspen_etl.store.held_tables import FrameTable, HeldTable
from aspen_etl.store.line_tables import LineTable, find_lines
from aspen_etl.testing import tables
from tests.laws.models import MODELS
from tests.support.effort import some

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None
DECODE = partial(decode_verified, file_format="csv", url="x")

#: Text of any kind, as its key, too.
SPECS = {
    "number": ColumnSpec("number", "integer", nullable=True),
    "word": ColumnSpec("word", "text", primary_key=True),
    "said": ColumnSpec("said", "text"),
    "note": ColumnSpec("note", "text", nullable=True),
    "time": ColumnSpec("time", "timestamp", nullable=True),
}
WORDS = TableSpec("words", SPECS, "word", ("word",), Table)
ALONE = TableSpec("alone", {"word": SPECS["word"]}, "word", ("word",), Table)
TEXTS = st.text(st.sampled_from('ab,"\n\r é\ufeff😀\uffff'), min_size=1, max_size=4)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        TEXTS,
        TEXTS | st.just(""),
        st.none() | TEXTS,
        st.none() | st.integers(-9_200_000_000_000, 9_200_000_000_000),
    ),
    max_size=8,
    unique_by=lambda row: row[1],
)
FATES = st.lists(st.sampled_from(["stays", "inserted", "updated", "deleted"]), max_size=40)


def words(*rows: tuple[Any, ...]) -> pd.DataFrame:
    held = sorted(rows, key=lambda row: str(row[1]))
    number, word, said, note, time = ([row[place] for row in held] for place in range(5))
    ticks = [np.iinfo(np.int64).min if ms is None else ms for ms in time]  # numpy's NaT
    moments = pd.DatetimeIndex(np.array(ticks, dtype="datetime64[ms]"), tz="UTC")
    return pd.DataFrame(
        {
            "number": pd.Series(number, dtype="Int64"),
            "word": conform_text(pd.Series(word, dtype=object)),
            "said": conform_text(pd.Series(said, dtype=object)),
            "note": conform_text(pd.Series(note, dtype=object)),
            "time": pd.Series(moments).astype(TIMESTAMP),
        }
    )


def line_table(frame: pd.DataFrame, table: TableSpec) -> LineTable:
    data, find = encode(frame, table.columns, "csv"), CODECS["csv"].bounds
    assert find is not None
    bounds = find(data, table.columns)
    assert bounds is not None
    return LineTable(Rows(data, bounds), table, "csv", DECODE)


def both(frame: pd.DataFrame, table: TableSpec) -> list[tuple[HeldTable, FormatName]]:
    formats: list[FormatName] = ["csv", "parquet"] if HAS_PYARROW else ["csv"]
    frames = [(FrameTable(frame, table, name), name) for name in formats]
    return [(line_table(frame, table), "csv"), *frames]


def same(found: pd.DataFrame, expected: pd.DataFrame) -> bool:
    is_new = found.index.equals(pd.RangeIndex(len(expected)))
    is_typed = [*handed(found).dtypes] == [*handed(expected).dtypes]
    return is_new and is_typed and equal_frames(found, expected)


def parted(pool: pd.DataFrame, fates: Sequence[str], table: TableSpec) -> Any:
    """Give the table before, and what changed: each row of a pool stays, came, changed or left."""
    held = [(*fates, *["stays"] * len(pool))[place] for place in range(len(pool))]
    at = {fate: np.flatnonzero(np.array(held, dtype=object) == fate) for fate in {*held}}

    def rows(fate: str, frame: pd.DataFrame = pool) -> pd.DataFrame:
        return take_rows(frame, at.get(fate, np.array([], dtype=np.int64)))

    others = take_rows(pool, np.arange(len(pool))[::-1].copy())
    others = others.assign(**{table.primary_key: pool[table.primary_key]})
    before = take_rows(pool, np.flatnonzero(np.array(held, dtype=object) != "inserted"))
    return before, TableChanges(rows("inserted"), rows("updated", others), rows("deleted"), table)


def check_reading(held: HeldTable, frame: pd.DataFrame, at: list[int]) -> None:
    assert len(held) == len(frame)
    for name in {*frame.columns[:2], frame.columns[-1]}:
        for _ in range(2):  # what is kept is the same
            assert same(held.column(name).to_frame(), frame[[name]])
    turned = list(frame.columns)[::-1]
    assert same(held.columns(turned), frame[turned])
    places = np.array([place % len(frame) for place in at if len(frame)], dtype=np.int64)
    assert same(held.take(places), take_rows(frame, places))
    assert same(held.take(np.arange(len(frame))), frame)


def check_writing(
    held: HeldTable, frame: pd.DataFrame, changes: TableChanges, file_format: FormatName
) -> None:
    name, columns = changes.table.name, changes.table.columns
    after = apply_changes(Changes({name: changes}), {name: frame})[name]
    found = held.after(changes)
    assert (found.rows, found.format) == (len(after), file_format)
    data = b"".join(found.parts)
    if file_format == "csv":
        assert data == encode(after, columns, "csv")
    assert same(decode(data, columns, file_format, url="x"), after)


# ----------------------------------------------------------------------------- the laws


@given(rows=ROWS, at=st.lists(st.integers(0, 99), max_size=5))
@example(rows=[(None, '"', "", None, None)], at=[0, 0])
def test_columns_and_rows_of_any_text_are_those_of_the_table(
    rows: list[Any], at: list[int]
) -> None:
    frame = words(*rows)
    for held, _ in both(frame, WORDS):
        check_reading(held, frame, at)


@given(rows=ROWS, fates=FATES)
@example(rows=[], fates=[])
@example(rows=[(1, "a", "", None, 0)], fates=["inserted"])
def test_a_table_of_any_text_is_written_after_changes(rows: list[Any], fates: list[str]) -> None:
    frame, changes = parted(words(*rows), fates, WORDS)
    for held, file_format in both(frame, WORDS):
        check_writing(held, frame, changes, file_format)


@pytest.mark.parametrize("name", ["extended", "types"])
@settings(some(4, 3))
@given(data=st.data(), fates=FATES, at=st.lists(st.integers(0, 99), max_size=5))
def test_tables_of_models_are_read_and_written_in_part(
    name: str, data: st.DataObject, fates: list[str], at: list[int]
) -> None:
    model = MODELS[name]
    for table_name, pool in data.draw(tables(model)).items():
        table = model.tables[table_name]
        frame, changes = parted(pool, fates, table)
        for held in (line_table(frame, table), FrameTable(frame, table, "csv")):
            check_reading(held, frame, at)
            check_writing(held, frame, changes, "csv")


# ----------------------------------------------------------------------------- at the ends

FIVE = words(*((n, text, "", f'"{n}\n', n) for n, text in enumerate("abcde")))
EACH: Mapping[str, list[str]] = {
    "nothing": [],
    "all go": ["deleted"] * 5,
    "all come": ["inserted"] * 5,
    "all change": ["updated"] * 5,
    "before the first": ["inserted", "inserted"],
    "behind the last": ["stays", "stays", "stays", "inserted", "inserted"],
    "the first goes": ["deleted"],
    "the last goes": ["stays", "stays", "stays", "stays", "deleted"],
    "one comes where one goes": ["stays", "deleted", "inserted", "updated", "inserted"],
}


@pytest.mark.parametrize("fates", EACH.values(), ids=EACH)
def test_rows_come_and_go_at_the_ends(fates: list[str]) -> None:
    frame, changes = parted(FIVE, fates, WORDS)
    for held, file_format in both(frame, WORDS):
        check_writing(held, frame, changes, file_format)


def test_a_table_that_did_not_change_is_what_was_read() -> None:
    frame, changes = parted(FIVE, [], WORDS)
    (part,) = line_table(frame, WORDS).after(changes).parts
    assert part == encode(frame, SPECS, "csv")


def test_what_stays_is_no_copy_and_is_parsed_for_its_keys_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame, changes = parted(FIVE, ["stays", "stays", "updated", "stays", "stays"], WORDS)
    held = line_table(frame, WORDS)
    assert held.column("word").tolist() == [*"abcde"]
    monkeypatch.setattr(held, "_decode", None)
    monkeypatch.setattr("aspen_etl.io.splicing._LONG", 1)
    monkeypatch.setattr(line_tables, "CODECS", {"csv": replace(CODECS["csv"], stream=None)})
    parts = list(held.after(changes).parts)
    kept = held._rows.data
    assert [isinstance(part, memoryview) and part.obj is kept for part in parts] == [
        True,
        False,
        True,
    ]


def test_a_column_alone_in_its_table_is_read_and_written() -> None:
    pool = FIVE[["word"]]
    frame, changes = parted(pool, ["stays", "deleted", "inserted"], ALONE)
    for held, file_format in both(frame, ALONE):
        check_reading(held, frame, [1, 0])
        check_writing(held, frame, changes, file_format)


# ----------------------------------------------------------------------------- the unexpected


def test_changes_that_fit_no_key_are_applied_as_they_are_to_frames() -> None:
    frame, _ = parted(FIVE, ["stays", "inserted", "stays", "inserted"], WORDS)  # a, c, e
    other = FIVE.assign(said=conform_text(pd.Series(["other"] * 5, dtype=object)))
    odd = {
        "gone already": TableChanges(FIVE[:0], FIVE[:0], FIVE[1:2], WORDS),
        "changed, and not there": TableChanges(FIVE[:0], FIVE[1:2], FIVE[:0], WORDS),
        "come, and there": TableChanges(other[2:4], FIVE[:0], FIVE[:0], WORDS),
        "come and changed": TableChanges(other[1:2], FIVE[1:3], FIVE[:0], WORDS),
        "gone and come": TableChanges(FIVE[2:3], FIVE[:0], FIVE[2:3], WORDS),
    }
    for changes in odd.values():
        check_writing(line_table(frame, WORDS), frame, changes, "csv")


def test_rows_in_no_order_come_into_it() -> None:
    frame = take_rows(FIVE, np.array([3, 0, 1]))
    check_writing(
        line_table(frame, WORDS), frame, TableChanges(FIVE[2:3], FIVE[:0], FIVE[:0], WORDS), "csv"
    )
    check_writing(
        line_table(frame, WORDS), frame, TableChanges(FIVE[:0], FIVE[:0], FIVE[:0], WORDS), "csv"
    )


def test_changes_of_a_wider_table_are_written_as_that() -> None:
    more = {**SPECS, "more": ColumnSpec("more", "text", nullable=True)}
    wide = TableSpec("words", more, "word", ("word",), Table)
    coming = FIVE[4:].assign(more=conform_text(pd.Series(["x"], index=[4], dtype=object)))
    changes = TableChanges(coming, coming[:0], coming[:0], wide)
    frame = FIVE[:4]
    for held in (line_table(frame, WORDS), FrameTable(frame, wide, "csv")):
        check_writing(held, frame, changes, "csv")
    assert FrameTable(frame, wide, "csv").column("more").isna().all()


@pytest.mark.parametrize("stream", [None, lambda *_: None, lambda *_: FIVE[:4]])
def test_what_arrow_does_not_read_is_read_all_the_same(
    stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_tables, "CODECS", {"csv": replace(CODECS["csv"], stream=stream)})
    check_reading(line_table(FIVE, WORDS), FIVE, [3, 1])


def test_without_arrow_a_table_is_not_held_by_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(FIVE, SPECS, "csv")
    monkeypatch.setattr(line_tables, "HAS_ARROW", True)
    assert isinstance(find_lines(data, WORDS, "csv", DECODE), LineTable)
    monkeypatch.setattr(line_tables, "HAS_ARROW", False)
    assert find_lines(data, WORDS, "csv", DECODE) is None


@pytest.mark.parametrize("old", [b"number", b"\n"], ids=["header", "line"])
def test_bytes_that_are_not_as_they_were_written_are_not_held_by_rows(
    old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_tables, "HAS_ARROW", True)
    data = encode(FIVE, SPECS, "csv")
    assert find_lines(data.replace(old, b"\r"), WORDS, "csv", DECODE) is None
    assert find_lines(b"", WORDS, "csv", DECODE) is None
    if HAS_PYARROW:
        packed = encode(FIVE, SPECS, "parquet")
        assert find_lines(packed, WORDS, "parquet", DECODE) is None


def test_a_cell_that_is_none_of_its_column_is_told_when_it_is_read() -> None:
    data = encode(FIVE, SPECS, "csv").replace(b"\n2,", b"\nx,")
    bounds = line_table(FIVE, WORDS)._rows.bounds
    held = LineTable(Rows(data, bounds), WORDS, "csv", DECODE)
    assert not HAS_PYARROW or held.column("word").tolist() == [*"abcde"]
    assert len(held.take(np.array([0, 1]))) == 2
    for read in (partial(held.column, "number"), partial(held.take, np.array([2]))):
        with pytest.raises(CorruptFileError, match="number"):
            read()


def test_a_table_shows_no_cell() -> None:
    assert [repr(held) for held, _ in both(FIVE, WORDS)][:2] == [
        "<LineTable words: 5>",
        "<FrameTable words: 5>",
    ]
