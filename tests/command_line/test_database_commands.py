"""The commands schema and load."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line.databases import DATABASE_URL, FORMS, _folder
from aspen_etl.errors import NotSupportedError
from aspen_etl.store.stored import Stored, StoredFile
from tests.support.borrowers import RUN, write_borrowers

ATHENA = ["--database", "aspen", "--location", "s3://bucket/tables"]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Make a store of one version."""
    url = str(tmp_path / "store")
    ae.sync(
        write_borrowers(tmp_path / "source", ["Ann A", "Bob B"]), ae.SnapshotStore(url), run=RUN
    )
    return url


@pytest.mark.parametrize("form", FORMS)
def test_schema_prints_every_table(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    if form in {"postgresql", "mysql", "mssql", "sqlite"}:
        pytest.importorskip("sqlalchemy")
    if form == "arrow":
        pytest.importorskip("pyarrow")
    assert main(["schema", form, *ATHENA]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ae.BORROWER_MODEL.tables)


def test_schema_takes_another_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert main(["schema", "dbml", "--model", "tests.laws.models:EXTENDED_MODEL"]) == 0
    assert 'Table "loan"' in capsys.readouterr().out


def test_schema_athena_needs_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "athena"]) == 1
    assert "needs --database NAME, and --store URL" in capsys.readouterr().err


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_statements_for_a_store_are_of_its_format_and_of_the_folders_that_it_wrote(
    file_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow")
    source = write_borrowers(tmp_path / "source", ["Ann A"])
    assert main(["sync", source, str(tmp_path / "made"), "--format", file_format]) == 0
    capsys.readouterr()
    words = ["schema", "athena", "--database", "aspen", "--store", str(tmp_path / "made")]
    assert main([*words, "--location", "s3://bucket/store"]) == 0
    printed = capsys.readouterr().out
    folders = re.findall(r"LOCATION 's3://bucket/store/(.*)/'", printed)
    held = [sorted(path.name for path in (tmp_path / "made" / each).iterdir()) for each in folders]
    assert held == [[f"part-00000.{file_format}"]] * 9
    assert printed.count(f"'classification'='{file_format}'") == 9
    other = {"csv": "parquet", "parquet": "csv"}[file_format]
    assert main([*words, "--format", other]) == 1
    assert f"are {file_format}; leave --format out" in capsys.readouterr().err


def test_statements_for_a_store_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["schema", "athena", "--database", "aspen", "--store", str(tmp_path / "none")]
    assert main(words) == 1
    assert "holds no commit yet" in capsys.readouterr().err


def test_a_table_without_rows_has_a_folder_that_is_never_written_to() -> None:
    empty = Stored("csv", ("user_id",))
    assert _folder("user", empty) == "user/none"
    files = tuple(StoredFile(f"user/{each}/part-00000.csv", 1, 1, "0") for each in ("a", "b"))
    with pytest.raises(NotSupportedError, match="user stand in several folders"):
        _folder("user", Stored("csv", ("user_id",), files))


def test_load_of_a_store_and_of_a_folder(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv(DATABASE_URL, f"sqlite:///{tmp_path / 'lender.db'}")
    assert main(["load", store]) == 0
    assert "filled: the database holds version 1 of " in capsys.readouterr().out
    assert main(["load", store, "--json", "--pin", "lender", "--lock-timeout", "2.5"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "unchanged"
    ae.write_tables(ae.SnapshotStore(store).read().tables, tmp_path / "tables")
    assert main(["load", str(tmp_path / "tables")]) == 0
    assert "compared: the database holds " in capsys.readouterr().out


def test_the_url_may_stand_in_a_file_and_is_never_shown(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    file = tmp_path / "url"
    for text, told in (
        (f"sqlite:///{tmp_path / 'other.db'}\n", ""),
        ("hush", "it is no url of SQLAlchemy's"),
        ("mysql+hush://joe:hush@host/db", "cannot be used"),
        ("postgresql://joe:hush@host:54e2/db", "its port is no number"),
        ("", "no database is named"),
    ):
        file.write_text(text, encoding="utf-8")
        assert main(["load", store, "--database-url-file", str(file)]) == (1 if told else 0)
        printed = capsys.readouterr()
        assert told in printed.err
        assert "hush" not in printed.err + printed.out
        if text.startswith("postgresql"):
            with pytest.MonkeyPatch.context() as variables:
                variables.setenv(DATABASE_URL, text)
                assert main(["load", store]) == 1
            assert capsys.readouterr().err == printed.err
    assert main(["load", store, "--database-url-file", str(tmp_path / "nothing")]) == 1
    assert "could not be read (FileNotFoundError)" in capsys.readouterr().err
