"""Frames as Arrow lays them out: what is no such frame is refused by name."""

from __future__ import annotations

import pandas as pd
import pytest

from aspen_etl.columns.frames import equal_frames, make_frame
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import CorruptFileError
from aspen_etl.io.codecs import decode, encode
from aspen_etl.schema.column_spec import ColumnSpec

pytest.importorskip("pyarrow")

COLUMNS = {
    "word": ColumnSpec("word", "text", nullable=True),
    "number": ColumnSpec("number", "integer"),
    "there": ColumnSpec("there", "boolean"),
}


def data(words: tuple[object, ...] = ("Zoë", None, "")) -> bytes:
    held = {
        "word": conform_text(pd.Series(words, dtype=object)),
        "number": pd.Series(range(len(words)), dtype="int64"),
        "there": pd.Series([True] * len(words), dtype=bool),
    }
    return encode(make_frame(held), COLUMNS, "arrow")


def read(found: bytes, columns: dict[str, ColumnSpec]) -> pd.DataFrame:
    return decode(found, columns, "arrow", url="here")


def test_a_frame_comes_back_as_it_was_and_bytes_are_the_same_each_time() -> None:
    found = read(data(), COLUMNS)
    assert [word if isinstance(word, str) else None for word in found["word"]] == ["Zoë", None, ""]
    assert equal_frames(read(encode(found, COLUMNS, "arrow"), COLUMNS), found)
    assert encode(found, COLUMNS, "arrow") == data()
    assert len(read(data(()), COLUMNS)) == 0


def test_what_is_no_such_frame_is_refused_at_each_place() -> None:
    whole = data()
    for cut in (0, 7, len(whole) // 2, len(whole) - 1):
        with pytest.raises(CorruptFileError):
            read(whole[:cut], COLUMNS)
    with pytest.raises(CorruptFileError):
        read(whole + b"x", COLUMNS)
    with pytest.raises(CorruptFileError):
        read(whole, dict(reversed(COLUMNS.items())))
    with pytest.raises(CorruptFileError):
        read(whole, {**COLUMNS, "word": ColumnSpec("word", "text")})
    with pytest.raises(CorruptFileError):  # bytes that are no text
        read(whole.replace("Zoë".encode(), b"Zo\xff\xff"), COLUMNS)
