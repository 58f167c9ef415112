"""Tables are written whole, by their declaration, and read back equal."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import (
    CorruptFileError,
    MissingDependencyError,
    NotSupportedError,
    SourceNotFoundError,
    TargetExistsError,
    ValidationError,
    WriteError,
)
from aspen_etl.io import csv_writing
from aspen_etl.io.codecs import encode
from aspen_etl.io.filesystem import Location
from aspen_etl.schema.column_spec import ColumnSpec

COLUMNS = list(ae.BORROWER_MODEL.sources["borrower"].columns)
RUN = ae.Run(time=dt.datetime(2026, 1, 31, 12, 0, 0, 7999, tzinfo=dt.timezone.utc), actor="me")
HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None
FORMATS = [
    "csv",
    pytest.param("parquet", marks=pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow")),
]


def normalized(rows: int = 2) -> ae.NormalizeResult:
    """Normalize a borrower without a surname, and one with commas, quotes and no role."""
    borrower = pd.DataFrame(
        [
            ["b1", "Cher", None, "Rome", "RM", "2138", "6175550100", "no", "a@b"],
            ["b2", 'Ada "Q", Lee', "1, Main St", "Bonn", "NW", "53111", None, None, None],
        ],
        columns=COLUMNS,
    ).head(rows)
    roles = pd.DataFrame({"borrower_id": ["b1"], "role_profile": ["borrower"]}).head(rows)
    return ae.normalize(ae.Extract(borrower=borrower, role_profile=roles), run=RUN)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("rows", [0, 2])
@pytest.mark.parametrize("root", ["memory://tables-test", "disk"])
def test_what_is_written_is_read_back_equal(
    tmp_path: Path, file_format: Any, rows: int, root: str
) -> None:
    url = str(tmp_path / "out") if root == "disk" else f"{root}/{file_format}-{rows}"
    result = normalized(rows)
    sizes = ae.write_tables(result.tables, url, rejects=result.rejects, format=file_format)
    assert ae.read_tables(url).equals(result.tables)
    assert set(sizes) == {
        *(f"{name}.{file_format}" for name in (*result.tables, "rejects")),
        "datapackage.json",
    }


def test_csv_is_as_documented(tmp_path: Path) -> None:
    result = normalized()
    ae.write_tables(result.tables, tmp_path, rejects=result.rejects)
    assert (tmp_path / "user_profile.csv").read_bytes() == (
        b"user_profile_id,first_name,last_name,created,created_by,updated,updated_by\n"
        b"b1,Cher,,2026-01-31 12:00:00.007,me,,\n"
        b'b2,Ada,"""Q"", Lee",2026-01-31 12:00:00.007,me,,\n'
    )
    assert (tmp_path / "role_profile.csv").read_bytes() == (
        b"role_profile_id,user_id,role_profile_type_id,created,created_by,updated,updated_by\n"
        b"1,1,1,2026-01-31 12:00:00.007,me,,\n"
        b"2,2,,2026-01-31 12:00:00.007,me,,\n"
    )
    assert (tmp_path / "rejects.csv").read_text().splitlines()[0] == (
        "source,row,subject,column,value,rule,scope,record"
    )


def test_an_empty_field_is_null_only_where_null_may_be(tmp_path: Path) -> None:
    ae.write_tables(normalized().tables, tmp_path)
    tables = ae.read_tables(tmp_path)
    assert tables["user_profile"]["last_name"].tolist()[0] == ""
    assert tables["address"]["street"].isna().tolist() == [True, False]


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow")
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_the_schema_of_parquet_does_not_depend_on_content(tmp_path: Path, rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    result = normalized(rows)
    ae.write_tables(result.tables, tmp_path, rejects=result.rejects, format="parquet")
    schema = pq.read_schema(tmp_path / "role_profile.parquet")
    assert [str(field.type) for field in schema] == [
        *["int64"] * 3,
        "timestamp[ms]",
        "string",
        "timestamp[ms]",
        "string",
    ]
    assert pq.read_schema(tmp_path / "rejects.parquet").field("row").type == pa.int64()


@pytest.mark.skipif(HAS_PYARROW, reason="pyarrow is there")
def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match=r"aspen-etl\[parquet\]"):
        ae.write_tables(normalized().tables, tmp_path, format="parquet")


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        ae.write_tables(normalized().tables, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_folder_that_holds_tables_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "user.csv").write_text("mine")
    with pytest.raises(TargetExistsError, match=r"user\.csv"):
        ae.write_tables(normalized().tables, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["user.csv"]


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ae.write_tables(normalized().tables, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow")
def test_overwriting_leaves_no_table_of_the_run_before(tmp_path: Path) -> None:
    result = normalized()
    ae.write_tables(result.tables, tmp_path, rejects=result.rejects, format="parquet")
    ae.write_tables(result.tables, tmp_path, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{name}.csv" for name in result.tables),
        "datapackage.json",
    }


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("role_profile.csv", b"borrower_id,role_profile\na,borrower\n"),
        ("rejects.csv", b"mine"),
        ("email.parquet", b"PAR1 mine PAR1"),
        ("datapackage.json", b'{"name": "mine", "resources": []}'),
        ("user.csv", b""),
    ],
)
def test_overwriting_replaces_no_file_of_anybody_else(
    tmp_path: Path, name: str, data: bytes
) -> None:
    ae.write_tables(normalized().tables, tmp_path)
    (tmp_path / name).write_bytes(data)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TargetExistsError, match=rf"none of ours \('{name}'\)"):
        ae.write_tables(normalized(1).tables, tmp_path, overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("url", ["memory://overwritten", "disk"])
def test_overwriting_replaces_what_a_run_left_that_failed(tmp_path: Path, url: str) -> None:
    url = str(tmp_path) if url == "disk" else url
    result = normalized()
    ae.write_tables(result.tables, url, rejects=result.rejects)
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.rm_file(f"{path}/datapackage.json")
    assert len(ae.write_tables(result.tables, url, overwrite=True)) == 10
    assert not filesystem.exists(f"{path}/rejects.csv")


def test_tables_that_do_not_fit_are_not_written(tmp_path: Path) -> None:
    tables = dict(normalized().tables)
    tables["email"] = tables["email"].assign(role_profile_id=99)
    with pytest.raises(ValidationError, match=r"email\.role_profile_id: reference"):
        ae.write_tables(tables, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match="csv, parquet"):
        ae.write_tables(normalized().tables, tmp_path, format="xml")  # type: ignore[arg-type]


def test_a_storage_that_fails_says_what_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = fsspec.filesystem("memory")
    put = type(memory).pipe_file

    def fail(self: Any, path: str, value: bytes, **options: Any) -> None:
        if path.endswith("role_profile.csv"):
            raise OSError(28, "No space left on device")
        put(self, path, value, **options)

    monkeypatch.setattr(type(memory), "pipe_file", fail)
    with pytest.raises(WriteError, match=r"role_profile\.csv cannot be written") as found:
        ae.write_tables(normalized().tables, "memory://failing")
    assert "user_profile.csv" in str(found.value)


def test_a_local_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "user.csv").mkdir()
    with pytest.raises((WriteError, TargetExistsError)):
        ae.write_tables(normalized().tables, tmp_path, overwrite=True)
    assert not list(tmp_path.glob("*.tmp"))


CELLS = (
    st.none()
    | st.text(alphabet=st.characters(codec="utf-8"), max_size=4)
    | st.sampled_from(["a,b", 'say "x"', "two\nlines", "a\rb", "\r\n", " ", "é", "=1+1", '"', ","])
)


@given(st.lists(st.tuples(CELLS, CELLS, st.integers(-(2**63), 2**63 - 1)), max_size=5))
def test_both_writers_write_the_same_fields(rows: list[tuple[Any, Any, int]]) -> None:
    columns = {
        "one": ColumnSpec("one", "text", nullable=True),
        "two": ColumnSpec("two", "text"),
        "three": ColumnSpec("three", "integer"),
    }
    frame = pd.DataFrame(
        {
            "one": conform_text(pd.Series([row[0] for row in rows], dtype=object)),
            "two": conform_text(pd.Series([row[1] or "" for row in rows], dtype=object)),
            "three": pd.Series([row[2] for row in rows], dtype="int64"),
        }
    )
    expected = [["one", "two", "three"], *([a or "", b or "", str(c)] for a, b, c in rows)]
    without_arrow = pytest.MonkeyPatch()
    for use_arrow in (True, False):
        if not use_arrow:
            without_arrow.setattr(csv_writing, "csv_blocks", lambda *_: None)
        text = encode(frame, columns, "csv").decode()
        assert list(csv.reader(io.StringIO(text, newline=""))) == expected
    without_arrow.undo()


# ----------------------------------------------------------------------------- reading back


def written(tmp_path: Path) -> Path:
    ae.write_tables(normalized().tables, tmp_path)
    return tmp_path


def test_a_folder_without_tables_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"user_profile\.csv"):
        ae.read_tables(tmp_path)


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("user", "user_id,user_profile_id\n1,b1\n", "its header is not that of the table"),
        ("user", None, "there is no file"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(
    tmp_path: Path, table: str, text: str | None, message: str
) -> None:
    place = written(tmp_path) / f"{table}.csv"
    place.unlink() if text is None else place.write_text(text)
    with pytest.raises((CorruptFileError, SourceNotFoundError), match=message):
        ae.read_tables(tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        ("1,b1,", "one,b1,", "user_id"),
        ("1,b1,", ",b1,", "user_id"),
        ("12:00:00.007", "noon", "created"),
    ],
)
def test_a_cell_of_another_type_is_named_and_not_shown(
    tmp_path: Path, before: str, after: str, column: str
) -> None:
    place = written(tmp_path) / "user.csv"
    place.write_text(place.read_text().replace(before, after, 1))
    with pytest.raises(CorruptFileError, match=f"a cell of {column} is no") as found:
        ae.read_tables(tmp_path)
    assert after not in str(found.value)


def test_a_broken_reference_is_found_on_reading(tmp_path: Path) -> None:
    place = written(tmp_path) / "user.csv"
    place.write_text(place.read_text().replace("1,b1,", "1,b7,", 1))
    with pytest.raises(ValidationError, match=r"user\.user_profile_id: reference"):
        ae.read_tables(tmp_path)


def test_a_place_shows_no_path_of_its_own() -> None:
    assert "secret" not in repr(Location("s3://bucket", "secret", object()))
