"""A frame in a store is read as it was written, or the file is named."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aspen_etl.columns.frames import equal_frames
from aspen_etl.errors import CorruptStoreError, SourceNotFoundError
from aspen_etl.io.batch import Batch
from aspen_etl.io.codecs import encode
from aspen_etl.io.filesystem import Location, locate
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.store import frames
from aspen_etl.store.frames import read_frame, send_file
from aspen_etl.store.stored import Stored

COLUMNS = {
    "key": ColumnSpec("key", "integer", primary_key=True),
    "word": ColumnSpec("word", "text", nullable=True),
}


def frame_of(*words: Any) -> pd.DataFrame:
    text = pd.Series(words, dtype=object).astype(COLUMNS["word"].dtype)
    return pd.DataFrame({"key": range(len(words)), "word": text})


def written(folder: Path, frame: pd.DataFrame) -> tuple[Location, Stored, Path]:
    root = locate(folder)
    with Batch() as batch:
        file = send_file(batch, root, "t/part.csv", [encode(frame, COLUMNS, "csv")], len(frame))
    stored = Stored("csv", tuple(COLUMNS), (file,))
    return root, stored, folder / stored.files[0].path


@pytest.mark.parametrize(
    "words", [[], ["a"], ["a", None, "b"], ["a\nb", 'c"d', "e,f", "\ufeffg"], [None]]
)
def test_a_frame_on_a_local_disk_is_read_as_it_was_written(
    words: list[Any], tmp_path: Path
) -> None:
    root, stored, _ = written(tmp_path, frame_of(*words))
    assert equal_frames(read_frame(root, stored, COLUMNS), frame_of(*words))


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow parses it")
def test_it_is_parsed_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, stored, _ = written(tmp_path, frame_of("a", None, "b,c"))
    monkeypatch.setattr(frames, "read_bytes", None)
    monkeypatch.setattr("aspen_etl.io.csv_fast.counts_fields", lambda: True)
    assert equal_frames(read_frame(root, stored, COLUMNS), frame_of("a", None, "b,c"))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"b,c", b"b;c"), (b"key", b"kez"), (b"a\n", b"aa\n"), (b"2,", b"x,"), (b"\n", b"")],
)
def test_another_byte_is_damage(old: bytes, new: bytes, tmp_path: Path) -> None:
    root, stored, path = written(tmp_path, frame_of("a", None, "b,c"))
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(CorruptStoreError, match="part"):
        read_frame(root, stored, COLUMNS)


def test_a_file_that_is_gone_is_not_damage(tmp_path: Path) -> None:
    root, stored, path = written(tmp_path, frame_of("a"))
    path.unlink()
    with pytest.raises(SourceNotFoundError, match="part"):
        read_frame(root, stored, COLUMNS)
