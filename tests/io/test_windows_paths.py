"""Paths as Windows writes them, as far as another system can tell."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest

import aspen_etl as ae
from aspen_etl.errors import SourceNotFoundError
from aspen_etl.io.filesystem import display_url, locate

PATHS = [r"C:\data\borrower.csv", r"\\server\share\borrower.csv", "C:/data/borrower.csv"]


@pytest.mark.parametrize("path", PATHS)
def test_a_drive_is_no_protocol_and_no_secret(path: str) -> None:
    assert display_url(path) == path
    assert type(locate(path).filesystem).__name__ == "LocalFileSystem"
    assert locate(path).name == "borrower.csv"


def test_a_windows_path_object_is_a_path() -> None:
    assert locate(PureWindowsPath(r"C:\data\borrower.csv")).name == "borrower.csv"


def test_a_file_url_with_a_drive_is_shown_whole() -> None:
    assert display_url("file:///C:/data/50% #1.csv") == "file:///C:/data/50% #1.csv"


def test_a_missing_file_is_told_by_its_windows_path() -> None:
    with pytest.raises(SourceNotFoundError, match="borrower") as found:
        ae.read_extract(r"C:\data\borrower.xlsx")
    assert found.value.details["url"] == r"C:\data\borrower.xlsx"


def test_a_file_whose_name_looks_so_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    columns = ",".join(ae.BORROWER_MODEL.sources["borrower"].columns)
    Path(r"C:\data\borrower.csv").write_text(f"{columns}\n")
    Path(r"C:\data\roles.csv").write_text("borrower_id,role_profile\n")
    extract = ae.read_extract(
        {"borrower": r"C:\data\borrower.csv", "role_profile": r"C:\data\roles.csv"}
    )
    assert repr(extract) == "<Extract borrower: 0, role_profile: 0>"
