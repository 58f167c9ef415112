"""What the tests of the edge share: a way to read files that were made a line above."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.io import csv_reading, read_extract
from aspen_etl.schema import Extract
from tests.support.workbooks import workbook


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Extract]:
    """Give a function that reads a workbook given as bytes, or as sheets by name."""

    def read_workbook(book: bytes | dict[str, str], /, **options: Any) -> Extract:
        path = tmp_path / "extract.xlsx"
        path.write_bytes(book if isinstance(book, bytes) else workbook(book))
        return read_extract(path, **options)

    return read_workbook


@pytest.fixture(params=["pyarrow", "pandas", "python"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let CSV be read in one of three ways."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow")
    else:
        monkeypatch.setattr(csv_reading, "try_read_csv", lambda *_: None)
    if request.param == "python":
        monkeypatch.setattr(csv_reading, "try_read_plain_csv", lambda *_: None)
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that makes a folder of CSV files, one of them of the bytes given."""

    def make(borrower: bytes, name: str = "borrower.csv") -> Path:
        (tmp_path / name).write_bytes(borrower)
        (tmp_path / "role_profile.csv").write_bytes(b"borrower_id,role_profile\n")
        return tmp_path

    return make
