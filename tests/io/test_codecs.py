"""What `encode` writes, `decode` reads back: cell by cell, and at once where a checksum vouches."""

from __future__ import annotations

import importlib.util
import io
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.text import conform_text
from aspen_etl.derive.formats import FileFormat
from aspen_etl.io import codecs
from aspen_etl.io.codecs import decode, decode_own_csv, decode_verified, encode
from aspen_etl.schema.column_spec import TIMESTAMP, ColumnSpec

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None
FORMATS = [name for name in get_args(FileFormat) if HAS_PYARROW or name == "csv"]

COLUMNS = {
    "key": ColumnSpec("key", "integer", primary_key=True),
    "parent": ColumnSpec("parent", "integer", nullable=True),
    "word": ColumnSpec("word", "text"),
    "note": ColumnSpec("note", "text", nullable=True),
    "time": ColumnSpec("time", "timestamp", nullable=True),
}
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9) | st.sampled_from(
    ['a,"b"', "\ufeffa", "\r", "\n", '"', "NULL", "nan", " ", "0", "-"]
)
#: What pandas 2 can parse: 1678 to 2261.
MOMENTS = st.integers(-9_200_000_000_000, 9_200_000_000_000)
ROWS = st.lists(
    st.tuples(
        NUMBERS, st.none() | NUMBERS, TEXTS | st.just(""), st.none() | TEXTS, st.none() | MOMENTS
    ),
    max_size=6,
)


def frame_of(rows: list[Any]) -> pd.DataFrame:
    key, parent, word, note, time = ([row[place] for row in rows] for place in range(5))
    ticks = [np.iinfo(np.int64).min if ms is None else ms for ms in time]  # numpy's NaT
    moments = np.array(ticks, dtype="datetime64[ms]")
    return pd.DataFrame(
        {
            "key": pd.Series(key, dtype="int64"),
            "parent": pd.Series(parent, dtype="Int64"),
            "word": conform_text(pd.Series(word, dtype=object)),
            "note": conform_text(pd.Series(note, dtype=object)),
            "time": pd.Series(pd.DatetimeIndex(moments, tz="UTC")).astype(TIMESTAMP),
        }
    )


@pytest.mark.parametrize("file_format", FORMATS)
@given(ROWS)
@example([])
@example([(1, None, "", None, None)])
def test_a_table_comes_back_as_it_was(file_format: FileFormat, rows: list[Any]) -> None:
    frame = frame_of(rows)
    data = encode(frame, COLUMNS, file_format)
    for read in (decode, decode_verified):
        found = read(data, COLUMNS, file_format, url="x")
        assert equal_frames(found, frame)
        assert [found[name].dtype for name in COLUMNS] == [s.held_dtype for s in COLUMNS.values()]


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow")
@given(ROWS)
@example([(1, None, "a", None, 0), (2, None, "a", None, 0), (3, None, "a", None, None)])
@example([(1, None, "a\nb", None, 0)])
def test_a_table_that_is_read_piece_by_piece_is_the_same_or_none(rows: list[Any]) -> None:
    frame = frame_of(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aspen_etl.io.csv_fast.counts_fields", lambda: True)
        found = decode_own_csv(io.BytesIO(encode(frame, COLUMNS, "csv")), COLUMNS)
    assert found is None or equal_frames(found, frame)
    plain = not any(set(f"{word}{note}") & set('\r\n"') for _, _, word, note, _ in rows)
    assert found is not None or not rows or not plain


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow")
@pytest.mark.parametrize("shift", range(7))
def test_a_line_feed_in_a_cell_is_kept_where_pieces_meet(shift: int) -> None:
    rows = [(n, None, "x" * shift if n == 0 else "a\nb\n" * 20_000, None, None) for n in range(99)]
    frame = frame_of(rows)
    found = decode_own_csv(io.BytesIO(encode(frame, COLUMNS, "csv")), COLUMNS)
    assert found is None or equal_frames(found, frame)


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow")
def test_bytes_that_a_checksum_vouches_for_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encode(frame_of([(1, 2, "a", None, 0)]), COLUMNS, "csv")
    monkeypatch.setattr(codecs, "read_csv", None)
    assert decode_verified(data, COLUMNS, "csv", url="x")["word"].tolist() == ["a"]
