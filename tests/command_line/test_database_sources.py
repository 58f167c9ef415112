"""A database as the source of a command: its url holds no password, and no output does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line.database_urls import DATABASE_PASSWORD, is_database, source_engine
from tests.support.borrowers import write_borrowers

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

SECRET = "pa55word"  # noqa: S105 - nobody's


@pytest.fixture
def lender(tmp_path: Path) -> Iterator[str]:
    """Put borrowers into a database, whose tables and columns are called otherwise."""
    extract = ae.read_extract(write_borrowers(tmp_path / "in", ["Ann A", "Bob B"]))
    url = f"sqlite:///{tmp_path / 'lender.db'}"
    engine = sa.create_engine(url)
    frames = {
        "customer": extract["borrower"].rename(columns={"full_name": "NAME"}),
        "role_profile": extract["role_profile"],
    }
    for name, frame in frames.items():
        frame.to_sql(name, engine, index=False)
    yield url
    engine.dispose()


NAMES = ["--table", "borrower=customer", "--column", "name=full_name"]


def test_sync_plan_and_normalize_read_a_database(
    lender: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "store")
    assert main(["plan", lender, store, *NAMES]) == 0
    assert "planned on version 0" in capsys.readouterr().out
    assert main(["sync", lender, store, *NAMES, "--json", "--keep-source"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["outcome"], told["tables"]["user"]["inserted"]) == ("committed", 2)
    assert main(["sync", lender, store, *NAMES, "--keep-source"]) == 0
    printed = capsys.readouterr().out
    assert "unchanged: version 1" in printed
    target = tmp_path / "out"
    assert main(["normalize", lender, str(target), *NAMES]) == 0
    assert "borrower                         2           2" in capsys.readouterr().out
    found = ae.read_tables(target)
    assert found["user_profile"]["first_name"].tolist() == ["Ann", "Bob"]
    assert ae.SnapshotStore(store).verify().problems == ()


def test_parts_are_cut_of_a_database(
    lender: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    assert main(["sync", lender, str(tmp_path / "store"), *NAMES, "--parts", "1"]) == 0
    assert "in 2 parts, of at most 1 subjects" in capsys.readouterr().out


def test_options_that_a_kind_of_source_lacks_are_refused(
    lender: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "out")
    for words, told in (
        (["--na-values", "NA"], "--na-values is no option of a database"),
        (["--header-row", "2", "--sheet", "borrower=x"], "--sheet, --header-row is no option of"),
    ):
        assert main(["normalize", lender, target, *words]) == 1
        assert told in capsys.readouterr().err
    for word in ("--table", "--schema", "--database-secret"):
        value = "borrower=x" if word == "--table" else "x"
        assert main(["normalize", str(tmp_path / "in"), target, word, value]) == 1
        assert f"{word} is no option of files" in capsys.readouterr().err


# ----------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://joe:{SECRET}@127.0.0.1:1/loans",
        f"mysql+pymysql://joe@127.0.0.1:1/loans?password={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=Driver%3Dx%3BPWD%3D{SECRET}",
        f"postgresql://joe:{SECRET}@127.0.0.1:54e2/loans",
    ],
)
@pytest.mark.parametrize("command", ["sync", "plan", "normalize"])
def test_a_password_on_the_command_line_is_refused_and_never_shown(
    command: str, url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([command, url, str(tmp_path / "out")]) == 1
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err
    told = "can read it; leave it out, and set ASPEN_ETL_DATABASE_PASSWORD, or name a secret"
    assert told in printed.err or "its port is no number" in printed.err
    assert not any(SECRET in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_a_password_of_the_environment_is_taken_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    monkeypatch.setenv(DATABASE_PASSWORD, SECRET)
    url = "postgresql+psycopg://joe@127.0.0.1:1/loans"
    assert source_engine(url, None, "a test").url.password == SECRET
    store = str(tmp_path / "store")
    for words in (["sync", url, store], ["plan", url, store], ["normalize", url, store]):
        assert main(words) == 1
    assert main(["status", store]) == 0
    printed = capfd.readouterr()
    assert "postgresql://127.0.0.1:1/loans: connecting failed (OperationalError)" in printed.err
    assert SECRET not in printed.out + printed.err
    assert "joe" not in printed.out + printed.err
    assert main(["sync", url, store, "--database-secret", "lender"]) == 1
    assert "there are two passwords" in capfd.readouterr().err
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [each for each in files if SECRET.encode() in each]


def test_a_secret_of_aws_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from aspen_etl.aws import secrets

    asked: list[str] = []

    def read(secret: str) -> Any:
        asked.append(secret)
        return secrets.Login("joe", SECRET)

    monkeypatch.setattr(secrets, "read_login", read)
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    url = source_engine("postgresql+psycopg://127.0.0.1:1/loans", "lender", "a test").url
    assert (url.username, url.password, asked) == ("joe", SECRET, ["lender"])
    url = source_engine("postgresql+psycopg://ann@127.0.0.1:1/loans", "lender", "a test").url
    assert url.username == "ann"


def test_a_url_of_no_database_is_a_file() -> None:
    assert [is_database(word) for word in ("mariadb+pymysql://h/d", "mssql+pyodbc://h/d")] == [
        True,
        True,
    ]
    assert [is_database(word) for word in ("s3://b/k", "file:///x", "x.csv", "-", "sqlite")] == [
        False
    ] * 5
