"""A file is what its bytes say: it is read, or its true cause is told and what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.errors import AspenETLError, CorruptFileError
from aspen_etl.io import csv_reading, read_extract
from aspen_etl.io.reading import Request
from tests.io.test_csv_reading import cells
from tests.support.refusals import Kind, refused
from tests.support.workbooks import BORROWER, table, workbook

HEADER = (",".join(BORROWER) + "\n").encode()
CSV = HEADER + b"1,Ann,,,,,,,\n"
REQUEST = Request("x.csv", "borrower", ("a", "b"))
BOOK = workbook({"borrower": table(["1", "Ann"])})
Folder = Callable[..., Path]


def packed(name: str = "borrower.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, CSV)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("borrower.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    return out.getvalue()


# ----------------------------------------------------------------------------- what is read


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (CSV + b"\x1a", [2]),
        (CSV + b"\x1a\x1a\x1a", [2]),
        (CSV + b"\0" * 128, [2]),
        (CSV + b"\r\n\x1a\0\0", [2]),
        (b"sep=,\n" + CSV, [2]),  # Excel shows no such line, and counts none
        (b'"SEP=,"\r\n' + CSV, [2]),
        (b"\xef\xbb\xbfsep=,\r\n" + CSV, [2]),
        (b"sep=,\n\n" + CSV, [3]),
        (CSV.replace(b"\n", b"\r"), [2]),
        (b"Title\n\xef\xbb\xbf" + CSV, [3]),
        (b"\xef\xbb\xbf\xef\xbb\xbf" + CSV, [2]),
        (gzip.compress(CSV, mtime=0), [2]),
        (gzip.compress(BOOK, mtime=0), [2]),
        (BOOK, [2]),
    ],
)
def test_what_programs_leave_around_a_table_is_no_part_of_it(
    folder: Folder, data: bytes, rows: list[int]
) -> None:
    frame = read_extract(
        {
            "borrower": folder(data) / "borrower.csv",
            "role_profile": folder(data) / "role_profile.csv",
        }
    )["borrower"]
    assert (frame.index.tolist(), frame["full_name"].tolist()) == (rows, ["Ann"])


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\x1a", [["1"], ["2\x1a"]]),
        (b"a,b\n1,2\0\0", [["1"], ["2\0\0"]]),
        (b"a,b\n1,\x1a2\n", [["1"], ["\x1a2"]]),
        (b"a,b\n\x1a\n", None),
    ],
)
def test_such_a_character_in_a_cell_is_not_lost(data: bytes, expected: Any) -> None:
    if expected is None:
        with pytest.raises(AspenETLError, match="row 2 has 1 fields"):
            csv_reading.read_csv(data, REQUEST)
    else:
        assert cells(csv_reading.read_csv(data, REQUEST)) == expected


def test_who_names_the_row_of_the_header_counts_every_line(folder: Folder) -> None:
    frame = read_extract(folder(b"sep=,\n" + CSV), header_row={"borrower": 2})["borrower"]
    assert frame.index.tolist() == [3]


# ----------------------------------------------------------------------------- what is told


@pytest.mark.parametrize(
    ("data", "kind", "match"),
    [
        (packed(), "not_a_workbook", "zip file without a workbook.*unpack it.*zip://"),
        (bz2.compress(CSV), "unsupported", "packed with bzip2; unpack it"),
        (lzma.compress(CSV), "unsupported", "packed with xz; unpack it"),
        (b"\x28\xb5\x2f\xfd\x20", "unsupported", "packed with zstd"),
        (b"\x04\x22\x4d\x18\x64", "unsupported", "packed with lz4"),
        (b"\xff\x06\x00\x00sNaPpY", "unsupported", "packed with snappy"),
        (b"7z\xbc\xaf\x27\x1c\x00", "unsupported", "7z archive; unpack it"),
        (b"Rar!\x1a\x07\x01\x00", "unsupported", "RAR archive"),
        (tarred(), "unsupported", "tar archive"),
        (gzip.compress(tarred()), "unsupported", "tar archive"),
        (gzip.compress(gzip.compress(CSV, mtime=0)), "unsupported", "gzip twice"),
        (b"ORC\x0a\x0b", "unsupported", "ORC"),
        (b"Obj\x01\x04", "unsupported", "Avro"),
        (b"ARROW1\0\0", "unsupported", "Feather"),
        (b"SQLite format 3\0", "unsupported", "SQLite"),
        (b"%PDF-1.7\n", "unsupported", "PDF"),
        (b"-----BEGIN PGP MESSAGE-----\n", "unsupported", "PGP; decrypt it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unsupported", r"\.xls\); open it"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
            "unsupported",
            "Git LFS pointer.*git lfs pull",
        ),
        (b"\n<!DOCTYPE html><html>canary", "unsupported", "HTML, as a server sends"),
        (b"<html><table><tr><td>canary", "unsupported", "HTML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error>", "unsupported", "XML document"),
        (b'[{"id": "canary"}]', "unsupported", "is JSON"),
        (b'{"id": "canary"}\n', "unsupported", "is JSON"),
        (CSV.decode().encode("utf-16"), "encoding", "like UTF-16"),
        (CSV.decode().encode("utf-16-be"), "encoding", "like UTF-16"),
        (CSV.replace(b",", b";"), "unsupported", "has semicolons"),
        (b"sep=;\n" + CSV.replace(b",", b";"), "unsupported", "has semicolons"),
        (CSV.replace(b",", b"\t"), "unsupported", "has tabs"),
        (b"Title\n" + CSV.replace(b",", b"|"), "unsupported", "has bars"),
        (b"", "missing_column", "the row is blank, or not there"),
        (bytes(512), CorruptFileError, "damaged: it holds nothing but NUL"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_another_file_under_the_name_of_csv_says_what_it_is(
    folder: Folder, data: bytes, kind: Kind, match: str
) -> None:
    with refused(kind, match=match) as caught:
        read_extract(folder(data))
    assert ("damaged" in str(caught.value)) == (kind is CorruptFileError)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("borrower.parquet", CSV, "is no Parquet file but text; if it is CSV"),
        ("borrower.parquet", b"<html>", "is a page of HTML"),
        ("book.xlsx", CSV, "but text; if it is CSV, let its name end in .csv"),
        ("book.xlsx", b'{"a": 1}', "it is JSON"),
        ("book.xlsx", b"", "it is empty"),
    ],
)
def test_another_file_under_another_name_says_what_it_is(
    folder: Folder, name: str, data: bytes, match: str
) -> None:
    path = folder(data, name)
    with refused(("unsupported", "not_a_workbook"), match=match):
        read_extract({"borrower": path / name, "role_profile": path / "role_profile.csv"})


def test_a_header_may_look_like_a_beginning(folder: Folder) -> None:
    data = CSV.replace(b"id,", b"<ORCID>,", 1)
    frame = read_extract(folder(data), columns={"<orcid>": "id"})["borrower"]
    assert frame["id"].tolist() == ["1"]
