"""A url names the place that it says, on this machine or elsewhere, or it is refused."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import NotSupportedError, SourceNotFoundError
from aspen_etl.io import read_extract
from aspen_etl.io.filesystem import display_url, locate
from tests.support.borrowers import LENIENT, RUN, write_borrowers
from tests.support.refusals import refused


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "own"))
    return write_borrowers(tmp_path / "in", ["Ada Byron"])


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.iterdir())


# ----------------------------------------------------------------------------- local


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file://{here}/first%20run", "{here}/first run"),
        ("file://localhost{here}/a%23b%25c%3F", "{here}/a#b%c?"),
        ("FILE://LOCALHOST{here}/x", "{here}/x"),
        ("file:{here}/x%20y", "{here}/x y"),
        ("file://{here}/%C3%BC", "{here}/ü"),
        ("file://{here}/50% of", "{here}/50% of"),
        ("file://{here}/a?b#c", "{here}/a?b#c"),
        ("file://{here}/q3::final/x", "{here}/q3::final/x"),
        ("{here}/first%20run", "{here}/first%20run"),
        ("local://{here}/first%20run", "{here}/first%20run"),
        ("out/q3::final/x", "{here}/out/q3::final/x"),
        ("q3::final", "{here}/q3::final"),
        ("a::zip", "{here}/a::zip"),
        ("./zip::b", "{here}/zip::b"),
        ("file:x", "{here}/file:x"),
        ("~/x", "{here}/own/x"),
        ("~", "{here}/own"),
        ("./~", "{here}/~"),
        ("x~", "{here}/x~"),
    ],
)
@pytest.mark.usefixtures("source")
def test_a_path_is_what_it_says(tmp_path: Path, url: str, path: str) -> None:
    here = tmp_path.as_posix()
    place = locate(url.format(here=here))
    assert (place.path, place.is_local) == (path.format(here=here), True)
    assert place.url == url.format(here=here)


def test_a_path_object_is_a_path(source: str, tmp_path: Path) -> None:
    (tmp_path / "in").rename(tmp_path / "q3::in")
    assert source
    assert len(read_extract(Path("q3::in"))["borrower"]) == 1


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("file://server/share/x", "names a host that is not this one"),
        ("file://~/x", "names a host that is not this one"),
        ("file:///a%2fb", "escaped slash"),
        ("file:///a%00b", "escaped slash or NUL"),
        ("a\0b", r"a\\0b holds a NUL"),
        ("s3://bucket/q3::final", r"s3://bucket/q3::\.\.\. holds '::'"),
        ("memory://q3::final", "'memory' lies in no file"),
        ("memory::out/x", "'memory' lies in no file"),
        ("file::out/x", "'file' lies in no file"),
        ("zip://a.csv::out/q3::x.zip", "'out/q3' lies in no file"),
        ("https://host/x?sig=a::secret", r"https://host/x::\.\.\. holds"),
    ],
)
def test_what_would_be_another_place_is_refused(url: str, match: str) -> None:
    with pytest.raises(NotSupportedError, match=match) as caught:
        locate(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://me:s3cr::et@host/x", "https://me:ab::s3cr@host/x", "s3://h/x?s=ab::s3cr"]
)
def test_two_colons_in_a_secret_do_not_show_it(url: str) -> None:
    assert not re.search("s3cr|et", display_url(url).partition("//")[2])


def test_tables_store_rejects_and_export_go_where_they_are_named(
    source: str, tmp_path: Path
) -> None:
    result = ae.normalize(read_extract(source), run=RUN)
    ae.write_tables(result.tables, "out/q3::tables")
    store = ae.SnapshotStore(
        f"file://localhost{tmp_path}/out/a%20store", rejects_url=f"file://{tmp_path}/a%20bin"
    )
    (tmp_path / "in/borrower.csv").write_text(
        (tmp_path / "in/borrower.csv").read_text() + "9,,,,,,,,\n"
    )
    ae.sync(source, store, run=RUN, thresholds=LENIENT)
    assert names(tmp_path / "out") == ["a store", "q3::tables"]
    assert "user.csv" in names(tmp_path / "out/q3::tables")
    assert names(tmp_path / "a bin") != []
    assert names(tmp_path) == ["a bin", "in", "out"]


def test_a_store_that_was_made_with_the_escape_as_letters_is_not_forgotten(
    source: str, tmp_path: Path
) -> None:
    ae.sync(source, "a%20store", run=RUN)
    with pytest.raises(NotSupportedError, match="escapes are read now"):
        ae.SnapshotStore(f"file://{tmp_path}/a%20store")
    (tmp_path / "a%20store").rename(tmp_path / "a store")
    assert ae.SnapshotStore(f"file://{tmp_path}/a%20store").find().version == 1


# ----------------------------------------------------------------------------- chains


@pytest.fixture
def archive(source: str, tmp_path: Path) -> Path:
    place = tmp_path / "an x.zip"
    with zipfile.ZipFile(place, "w") as out:
        for path in sorted(Path(source).iterdir()):
            out.write(path, path.name)
    return place


@pytest.mark.parametrize(
    "chain",
    [
        "zip://::an x.zip",
        "zip://::file://localhost{here}/an%20x.zip",
        "zip::{here}/an x.zip",
        {
            "borrower": "zip://borrower.csv::an x.zip",
            "role_profile": "zip://role_profile.csv::an x.zip",
        },
    ],
)
@pytest.mark.usefixtures("archive")
def test_a_file_inside_of_another_is_read(tmp_path: Path, chain: Any) -> None:
    found = chain.format(here=tmp_path) if isinstance(chain, str) else chain
    assert len(read_extract(found)["borrower"]) == 1


def test_a_file_inside_of_another_is_shown_in_its_place(archive: Path) -> None:
    folder = locate("zip://in::an x.zip")
    assert archive.exists()
    assert folder.child("borrower.csv").url == "zip://in/borrower.csv::an x.zip"
    assert locate("zip://in/borrower.csv::an x.zip").name == "borrower.csv"
    assert locate("simplecache::memory://in/borrower.csv").name == "borrower.csv"


def test_an_archive_that_is_not_there_or_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no archive")
    with pytest.raises(SourceNotFoundError):
        locate(f"zip://a.csv::{tmp_path}/no.zip")
    with refused("unsupported", match="is no zip file"):
        locate(f"zip://a.csv::{tmp_path}/x.zip")
