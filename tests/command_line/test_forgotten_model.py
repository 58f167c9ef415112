"""A store of a model of one's own, and no --model: every command says what is missing."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aspen_etl.__main__ import main
from aspen_etl.command_line.database_urls import DATABASE_URL
from tests.support.borrowers import write_borrowers

_MODEL = """
import aspen_etl as ae
from pandera.typing import Series

class Borrower(ae.borrower.Borrower):
    county: Series[str] = ae.column(nullable=True)

class UserProfile(ae.borrower.UserProfile):
    county: Series[str] = ae.column(length=40, nullable=True, source="borrower.county")

MODEL = ae.BORROWER_MODEL.replace(sources=[Borrower], tables=[UserProfile])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a store of a model with one more column."""
    folder = tmp_path_factory.mktemp("forgotten")
    (folder / "deeds.py").write_text(_MODEL)
    source = Path(write_borrowers(folder / "in", ["Ann A"])) / "borrower.csv"
    header, row = source.read_text().splitlines()
    source.write_text(f"{header},county\n{row},Kings\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["sync", "in", "store", "--model", "deeds:MODEL"]) == 0
    yield folder
    sys.modules.pop("deeds", None)


@pytest.mark.parametrize(
    "words",
    [
        "sync in store",
        "plan in store",
        "verify store",
        "export store tables",
        "restore store 1",
        "resume store",
        "vacuum store",
        "purge store",
        "load store",
        "schema athena --database aspen --store store",
    ],
)
def test_a_command_on_it_says_model_first(
    words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if words.startswith("load"):
        pytest.importorskip("sqlalchemy")
    monkeypatch.chdir(folder)
    monkeypatch.setenv(DATABASE_URL, "sqlite:///lender.db")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"100\n")))
    capsys.readouterr()
    assert main(words.split()) == 1
    said = capsys.readouterr().err
    assert 0 < said.find("--model") < said.find("another store") % len(said)
    assert not (folder / "tables").exists()


@pytest.mark.parametrize("words", ["history store", "status store"])
def test_what_needs_no_model_asks_for_none(
    words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert main(words.split()) == 0
