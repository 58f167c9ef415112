"""Files that belong together: on disk, none shows before all are whole and on the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from aspen_etl.errors import WriteError
from aspen_etl.io import batch
from aspen_etl.io.batch import Batch
from aspen_etl.io.filesystem import locate


def put_all(folder: Path, given: Mapping[str, Iterable[bytes]]) -> None:
    place = locate(str(folder), None)
    with Batch() as files:
        for name, parts in given.items():
            files.put(place.child(name), parts)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_there_when_the_batch_ends_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    folder = locate(str(tmp_path), None)
    with Batch() as files:
        assert files.put(folder.child("a"), [b"n", b"ew"]) == 3
        assert files.put(folder.child("b"), [b""]) == 0
        assert (tmp_path / "a").read_bytes() == b"old"
        assert not (tmp_path / "b").exists()
    assert files.written == ["a", "b"] == names(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "b").read_bytes() == b""


def test_a_file_that_cannot_be_made_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(WriteError, match="nothing was written"):
        put_all(tmp_path, {"a": [b"new"], "b": broken()})
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("many", [1, 1 << 20])
def test_bytes_that_do_not_reach_the_disk_leave_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(batch, "_MANY_BYTES", many)
    calls: list[int] = []

    def fail_once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, "gone")

    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(WriteError, match=r"b cannot be written .*nothing was written"):
        put_all(tmp_path, {name: [b"new"] for name in "abc"})
    assert names(tmp_path) == []
    assert len(calls) == (3 if many == 1 else 2)


def test_a_name_that_cannot_be_given_says_which_were(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()  # no file can take its place
    with pytest.raises(WriteError, match="written before it: 'a';"):
        put_all(tmp_path, {name: [b"new"] for name in "ab"})
    assert names(tmp_path) == ["a", "b"]


def test_in_memory_each_file_is_put_at_once() -> None:
    folder = locate("memory://batch", None)
    with Batch() as files:
        files.put(folder.child("a"), [b"n", b"ew"])
        assert folder.child("a").read(10) == b"new"
    assert files.written == ["a"]
