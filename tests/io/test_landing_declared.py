"""The file of a landing is read from any url, and what is wrong with it is told with its name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fsspec
import pytest

from aspen_etl.errors import ArgumentError, NotSupportedError, SourceNotFoundError
from aspen_etl.io.landing_declared import read_declared
from aspen_etl.schema.landing import Landing
from tests.support.landed import TABLES

VALUES = {"url": "dms", "tables": {name: {"name": t.name} for name, t in TABLES.items()}}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("dms", "{folder}/dms"),
        ("deep/dms", "{folder}/deep/dms"),
        ("s3://raw/dms", "s3://raw/dms"),
        ("/raw/dms", "/raw/dms"),
    ],
)
def test_a_folder_is_seen_from_the_file(url: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "landing.json"
    file.write_text(json.dumps({**VALUES, "url": url}), encoding="utf-8")
    found = read_declared(str(file))
    assert found == Landing.from_dict({**VALUES, "url": expected.format(folder=tmp_path)})


def test_a_file_of_the_working_folder_needs_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("landing.json").write_text(json.dumps(VALUES), encoding="utf-8")
    assert read_declared("landing.json").url == "dms"


def test_a_file_elsewhere_is_read_by_its_url() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/declared/landing.json", json.dumps(VALUES).encode())
    assert read_declared("memory://declared/landing.json").url == "memory://declared/dms"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python reads TOML from 3.11 on")
def test_it_may_be_toml(tmp_path: Path) -> None:
    tables = "".join(f'[tables.{name}]\nname = "{t.name}"\n' for name, t in TABLES.items())
    (tmp_path / "landing.toml").write_text(f'url = "s3://raw/dms"\n{tables}', encoding="utf-8")
    found = read_declared(str(tmp_path / "landing.toml"))
    assert found == Landing.from_dict({**VALUES, "url": "s3://raw/dms"})


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="this Python reads TOML")
def test_toml_is_refused_where_nothing_reads_it(tmp_path: Path) -> None:
    (tmp_path / "landing.toml").write_text("", encoding="utf-8")
    with pytest.raises(NotSupportedError, match=r"3\.11"):
        read_declared(str(tmp_path / "landing.toml"))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"hush", "landing: the file is no JSON"),
        (b"[]", "landing: the file is no object"),
        (b'{"a": "hush"}', "landing: the landing has 'a', which is not known"),
        (b"\xff{}", "landing: it is not in UTF-8"),
    ],
)
def test_what_is_no_landing_is_told_with_its_file(data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "landing.json").write_bytes(data)
    with pytest.raises(ArgumentError, match=told) as caught:
        read_declared(str(tmp_path / "landing.json"))
    assert "landing.json: " in str(caught.value)
    assert "hush" not in str(caught.value)
    assert (caught.value.details, caught.value.__context__) == ({"problem": "landing"}, None)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceNotFoundError, match=r"nowhere\.json"):
        read_declared("nowhere.json")
