"""A third format is one entry of each table; without them it is refused, not written as CSV."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl import derive
from aspen_etl.derive.formats import FORMATS, Serde
from aspen_etl.errors import NotSupportedError, VersionNotFoundError
from aspen_etl.io.codecs import CODECS, Codec
from tests.laws.models import RUN
from tests.support.sample import SAMPLE

#: A format of text that Hive reads in its types, and that is not CSV.
LINES = replace(
    FORMATS["csv"],
    name="lines",
    media_type="application/jsonl",
    hive_types={
        "text": lambda _: "string",
        "integer": lambda _: "int",
        "timestamp": lambda _: "timestamp",
    },
    serde=Serde("a.Serde", "a.Input", "a.Output", {"a": "b"}, "LINES", is_spelled_out=False),
    table_properties={"classification": "lines"},
    typed_view=False,
    resource={},
    has_size=False,
    time_format="any",
    absent={"integer": ("none",)},
)
NAME: Any = "lines"


def write_lines(frame: pd.DataFrame, columns: Any) -> list[Any]:
    """Write each table as its number of rows alone."""
    return [f"{len(frame)} rows of {len(columns)} columns\n".encode]


def read_lines(data: bytes, columns: Any, url: str) -> pd.DataFrame:
    """Refuse to read them."""
    raise AssertionError(data, columns, url)


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the format be known to what describes files."""
    monkeypatch.setitem(FORMATS, NAME, LINES)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, described: None) -> None:
    """Let it be known to what writes files as well."""
    assert described is None
    codec = Codec(parts=write_lines, decode=read_lines, stream=None, bounds=None, leading=None)
    monkeypatch.setitem(CODECS, NAME, codec)


@pytest.fixture(scope="module")
def result() -> ae.NormalizeResult:
    return ae.normalize(ae.read_extract(SAMPLE), run=RUN)


def commit(folder: Path, result: ae.NormalizeResult) -> None:
    store = ae.SnapshotStore(folder, format=NAME)
    store.commit(result.snapshot, run=RUN, parent=0, changes=result.changes)


def files(folder: Path) -> set[str]:
    return {path.suffix for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fixture", ["", "described"])
def test_what_no_codec_writes_is_not_written_as_another_format(
    fixture: str, tmp_path: Path, result: ae.NormalizeResult, request: pytest.FixtureRequest
) -> None:
    if fixture:
        request.getfixturevalue(fixture)
    with pytest.raises(NotSupportedError, match="no format 'lines'; use one of csv, parquet"):
        ae.write_tables(result.tables, tmp_path, format=NAME)
    with pytest.raises(NotSupportedError, match="no format 'lines'; use one of csv, parquet"):
        commit(tmp_path, result)
    assert files(tmp_path) <= {".json"}  # the note of an attempt


@pytest.mark.usefixtures("written")
def test_a_folder_is_written_and_described_by_the_entries(
    tmp_path: Path, result: ae.NormalizeResult
) -> None:
    ae.write_tables(result.tables, tmp_path, format=NAME)
    assert files(tmp_path) == {".lines", ".json"}
    rows, columns = result.tables["user"].shape
    text = (tmp_path / "user.lines").read_text(encoding="utf-8")
    assert text == f"{rows} rows of {columns} columns\n"
    package = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
    (user,) = (each for each in package["resources"] if each["name"] == "user")
    schema = user.pop("schema")
    assert user == {
        "name": "user",
        "path": "user.lines",
        "format": "lines",
        "mediatype": "application/jsonl",
        "description": "A borrower as a user of the new system.",
    }
    assert {field.get("format") for field in schema["fields"]} == {None, "any"}
    with pytest.raises(AssertionError, match="rows of"):
        ae.read_tables(tmp_path)


@pytest.mark.usefixtures("written")
def test_a_store_writes_no_commit_that_it_could_not_read(
    tmp_path: Path, result: ae.NormalizeResult
) -> None:
    with pytest.raises(NotSupportedError, match=r"tables\.format cannot be used"):
        commit(tmp_path, result)
    with pytest.raises(VersionNotFoundError):
        ae.SnapshotStore(tmp_path).find()


@pytest.mark.usefixtures("described")
def test_athena_is_told_by_the_entry() -> None:
    model, place = ae.BORROWER_MODEL, {"location": "s3://bucket/tables", "format": NAME}
    made: Any = derive.athena_create(model, database="aspen", **place)
    assert len(made) == len(model.tables)  # no views
    assert "`aspen`.`user` (\n  `user_id` int,\n" in made[1]
    assert made[1].endswith(
        "\nSTORED AS LINES\nLOCATION 's3://bucket/tables/user/'\n"
        "TBLPROPERTIES ('classification'='lines')"
    )
    storage = derive.glue_tables(model, **place)["user"]["StorageDescriptor"]
    assert storage["SerdeInfo"] == {"SerializationLibrary": "a.Serde", "Parameters": {"a": "b"}}
    assert (storage["InputFormat"], storage["OutputFormat"]) == ("a.Input", "a.Output")
    assert derive.athena_drop(model, database="aspen", format=NAME)[1] == (
        "DROP TABLE IF EXISTS `aspen`.`user`"
    )


@pytest.mark.parametrize("ask", [derive.data_package, derive.glue_tables])
def test_nothing_is_described_that_no_entry_describes(ask: Any) -> None:
    place = {} if ask is derive.data_package else {"location": "s3://bucket/tables"}
    with pytest.raises(NotSupportedError, match="no format 'lines'; use one of csv, parquet"):
        ask(ae.BORROWER_MODEL, format=NAME, **place)
