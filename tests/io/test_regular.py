"""Of a disk, only regular files are read, no more than asked for, and nothing is waited for."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from aspen_etl.errors import LimitExceededError, ReadError
from aspen_etl.io import read_extract
from aspen_etl.io.filesystem import locate
from aspen_etl.io.regular import open_regular
from tests.support.borrowers import write_borrowers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.mark.parametrize("name", ["x.xlsx", "x.csv", "x.parquet", "x"])
def test_a_pipe_is_no_source(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(ReadError, match="is a pipe and no file"):
        read_extract(tmp_path / name)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null"])
def test_a_device_is_no_source_also_behind_a_link(tmp_path: Path, device: str) -> None:
    (tmp_path / "x.xlsx").symlink_to(device)
    for source in (Path(device), tmp_path / "x.xlsx"):
        with pytest.raises(ReadError, match="is a device and no file"):
            read_extract(source)


def test_a_pipe_in_a_folder_is_no_sheet(tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Byron"])
    (tmp_path / "in/role_profile.csv").unlink()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "in/role_profile.csv").symlink_to(tmp_path / "pipe")
    with pytest.raises(ReadError, match=r"role_profile\.csv is a pipe"):
        read_extract(source)


def test_a_pipe_among_the_parts_of_a_sheet_is_not_passed_over(tmp_path: Path) -> None:
    source = write_borrowers(tmp_path / "in", ["Ada Byron"])
    parts = tmp_path / "in/parts"
    parts.mkdir()
    (tmp_path / "in/borrower.csv").rename(parts / "a.csv")
    parts.rename(tmp_path / "in/borrower")
    assert len(read_extract(source)["borrower"]) == 1
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "in/borrower/b.csv").symlink_to(tmp_path / "pipe")
    with pytest.raises(ReadError, match=r"b\.csv is a pipe"):
        read_extract(source)


def test_a_socket_and_a_folder_are_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("s")
        with pytest.raises(ReadError, match="s is a socket"):
            locate("s").read(10)
    with pytest.raises(ReadError, match="is a folder"):
        locate(tmp_path).read(10)


def test_what_takes_the_place_of_a_file_as_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"data")
    os.mkfifo(tmp_path / "pipe")
    look = (tmp_path / "file").stat()
    monkeypatch.setattr(os, "stat", lambda _: look)
    with pytest.raises(ReadError, match="is a pipe"):
        open_regular(str(tmp_path / "pipe"), "shown")


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    place = locate(tmp_path / "x")
    (tmp_path / "x").write_bytes(b"1234")
    assert place.read(4) == b"1234"
    assert place.checksum(4)[0] == 4
    with pytest.raises(LimitExceededError, match="max_file_bytes"):
        place.read(3)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc")
def test_a_file_that_says_it_is_empty_is_read_to_its_end() -> None:
    held = Path("/proc/version").read_bytes()
    assert Path("/proc/version").stat().st_size == 0
    assert locate("/proc/version").read(len(held)) == held
    with pytest.raises(LimitExceededError):
        locate("/proc/version").read(len(held) - 1)
