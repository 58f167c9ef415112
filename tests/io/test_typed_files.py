"""Every type goes into each format and back, and other readers find the same values there."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.text import conform_text
from aspen_etl.derive.athena import athena_create
from aspen_etl.derive.formats import FormatName, arrow_schema
from aspen_etl.errors import CorruptFileError
from aspen_etl.io import csv_writing
from aspen_etl.io.codecs import decode, decode_own_csv, decode_verified, encode
from aspen_etl.io.csv_cells import csv_cells
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES
from tests.laws.specs import SPECS, canonical_texts
from tests.support.ends import ENDS_MODEL, end_frames, texts_of

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None
FORMATS = [name for name in get_args(FormatName) if HAS_PYARROW or name != "parquet"]
NEEDS_PYARROW = pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow is not installed")

KEY = ColumnSpec("key", "integer", primary_key=True)
#: One declaration for each that stands otherwise in a file.
HELD = {name: spec for name, spec in SPECS.items() if spec.format is None and not spec.words}


def frame_of(texts: list[Optional[str]], spec: ColumnSpec) -> pd.DataFrame:
    """Make a frame of a key and a column of canonical text."""
    values = TYPES[spec.type].parse(conform_text(pd.Series(texts, dtype=object)), spec)
    key = pd.Series(range(len(texts)), dtype="int64")
    return pd.DataFrame({"key": key, "cell": values})


def written_by_each(frame: pd.DataFrame, columns: dict[str, ColumnSpec]) -> set[bytes]:
    """Write CSV by Arrow, and by Python alone."""
    with pytest.MonkeyPatch.context() as patch:
        by_arrow = encode(frame, columns, "csv")
        patch.setattr(csv_writing, "csv_blocks", lambda *_: None)
        return {by_arrow, encode(frame, columns, "csv")}


# ----------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("may_be_null", [True, False])
@pytest.mark.parametrize("spec", HELD.values(), ids=HELD)
def test_a_column_comes_back_as_it_was(spec: ColumnSpec, may_be_null: bool) -> None:  # noqa: FBT001 - a parameter
    spec = replace(spec, name="cell", nullable=may_be_null)
    columns = {"key": KEY, "cell": spec}
    cells = canonical_texts(spec).filter(bool)

    @given(st.lists(st.none() | cells if may_be_null else cells, max_size=6))
    def comes_back(texts: list[Optional[str]]) -> None:
        frame = frame_of(texts, spec)
        for file_format in FORMATS:
            data = encode(frame, columns, file_format)
            for read in (decode, decode_verified):
                found = read(data, columns, file_format, url="x")
                assert equal_frames(found, frame)
                assert [found[name].dtype for name in columns] == [frame[n].dtype for n in columns]
        (data,) = written_by_each(frame, columns)
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
        assert [cell for _, cell in rows] == [(text or "").rstrip("Z") for text in texts]

    comes_back()


@pytest.mark.parametrize("table", ENDS_MODEL.tables.values(), ids=ENDS_MODEL.tables)
def test_the_ends_of_each_range_come_back(table: Any) -> None:
    frame = end_frames()[table.name]
    for file_format in FORMATS:
        data = encode(frame, table.columns, file_format)
        for read in (decode, decode_verified):
            found = read(data, table.columns, file_format, url="x")
            assert list(found.dtypes) == [spec.held_dtype for spec in table.columns.values()]
            for name, spec in table.columns.items():
                texts = TYPES[spec.type].text(found[name], spec)
                assert texts.equals(texts_of(table)[name]), name
    assert len(written_by_each(frame, dict(table.columns))) == 1
    if HAS_PYARROW:
        at_once = decode_own_csv(encode(frame, table.columns, "csv"), table.columns)
        assert at_once is not None
        assert equal_frames(at_once, frame)


#: Texts that are near to a value of the type and none, as somebody's editor may leave them.
DAMAGED = {
    "integer": ["1.0", "1e3", " 1", "x", str(2**63)],
    "decimal": ["1.5", "1.500", "1e3", "1,50", "-0.00", "01.50", "12345678901234567.00", "nan"],
    "date": ["2021-02-29", "2020-1-1", "20200131", "2020-01-31 00:00:00"],
    "datetime": ["2020-01-31", "2020-01-31T05:00:00.000", "2020-01-31 05:00:00.000Z", "noon"],
    "timestamp": ["2020-01-31", "2020-01-31 24:00:00.000", "2020-01-31 05:00:00.000Z"],
    "boolean": ["True", "1", "yes", "t"],
}


@pytest.mark.parametrize("spec", ENDS_MODEL.tables["end"].columns.values(), ids=lambda s: s.name)
def test_a_damaged_cell_is_named_and_not_shown(spec: ColumnSpec) -> None:
    columns = {"key": KEY, spec.name: spec}
    for text in DAMAGED.get(spec.type, []) if spec.scale in (None, 2) else []:
        data = f'key,{spec.name}\n1,"{text}"\n'.encode()
        with pytest.raises(CorruptFileError) as caught:
            decode(data, columns, "csv", url="x")
        said = f"x is damaged: a cell of {spec.name} is no {spec.type}; "
        assert str(caught.value) == f"{said}fetch the file again, or open it and save it anew"
    if not spec.nullable and spec.type != "text":
        with pytest.raises(CorruptFileError, match=f"a cell of {spec.name} is no"):
            decode(f"key,{spec.name}\n1,\n".encode(), columns, "csv", url="x")


# ----------------------------------------------------------------------------- other readers


@NEEDS_PYARROW
def test_parquet_holds_types_that_hive_and_spark_read() -> None:
    import pyarrow.parquet as pq

    table = ENDS_MODEL.tables["end"]
    data = encode(end_frames()["end"], table.columns, "parquet")
    schema = pq.ParquetFile(io.BytesIO(data)).schema
    held = {schema.column(i).name: schema.column(i) for i in range(len(schema))}
    kinds = {
        "text": ("BYTE_ARRAY", "STRING"),
        "integer": ("INT64", "NONE"),
        "decimal": ("FIXED_LEN_BYTE_ARRAY", "DECIMAL"),  # others Hive cannot read: HIVE-21987
        "date": ("INT32", "DATE"),
        "datetime": ("INT64", "TIMESTAMP"),
        "timestamp": ("INT64", "TIMESTAMP"),
        "boolean": ("BOOLEAN", "NONE"),
    }
    for name, spec in table.columns.items():
        column = held[name]
        assert (column.physical_type, column.logical_type.type) == kinds[spec.type]
        assert (column.scale, column.precision) == (spec.scale or 0, spec.precision or 0) or (
            spec.type != "decimal"
        )


def shown(cell: Any, spec: ColumnSpec) -> Optional[str]:
    """Spell a value of Python as our CSV does."""
    if cell is None:
        return None
    return SHOWN.get(spec.type, str)(cell)


#: How our CSV spells values of Python; others are spelt as Python does.
SHOWN: dict[str, Callable[[Any], str]] = {
    "decimal": lambda cell: f"{cell:f}",
    "datetime": lambda cell: str(cell.isoformat(" ", "milliseconds")),
    "timestamp": lambda cell: str(cell.isoformat(" ", "milliseconds")),
    "boolean": lambda cell: str(cell).lower(),
}


def expected(table: Any) -> list[tuple[Optional[str], ...]]:
    """Give the rows of a table as text."""
    frame = end_frames()[table.name]
    columns = []
    for name, spec in table.columns.items():
        texts = csv_cells(spec).text(frame[name], spec).to_numpy(dtype=object)
        columns.append([None if pd.isna(text) else text for text in texts])
    return list(zip(*columns))


@NEEDS_PYARROW
@pytest.mark.parametrize("table", ENDS_MODEL.tables.values(), ids=ENDS_MODEL.tables)
@pytest.mark.parametrize("reader", ["duckdb", "polars"])
def test_others_read_the_same_out_of_parquet(table: Any, reader: str, tmp_path: Path) -> None:
    module = pytest.importorskip(reader)
    place = tmp_path / "x.parquet"
    place.write_bytes(encode(end_frames()[table.name], table.columns, "parquet"))
    if reader == "duckdb":
        rows = module.sql(f"SELECT * FROM '{place}'").fetchall()  # noqa: S608 - our own name
    else:
        rows = module.read_parquet(place).rows()
    specs = table.columns.values()
    found = [tuple(shown(cell, spec) for cell, spec in zip(row, specs)) for row in rows]
    assert found == expected(table)


@pytest.mark.parametrize("table", ENDS_MODEL.tables.values(), ids=ENDS_MODEL.tables)
def test_duckdb_casts_csv_as_the_view_of_athena_does(table: Any, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    place = tmp_path / "x.csv"
    place.write_bytes(encode(end_frames()[table.name], table.columns, "csv"))
    made = athena_create(ENDS_MODEL, database="a", location="s3://bucket/x", format="csv")
    (view,) = (text for text in made if f'VIEW "a"."{table.name}" AS' in text)
    query = view.partition(" AS\n")[2].replace("timestamp(3)", "timestamp")
    query = query.partition("FROM ")[0]
    text = f"{query} FROM read_csv('{place}', all_varchar = true, nullstr = '\\N')"
    rows = duckdb.sql(text).fetchall()
    specs = table.columns.values()
    found = [tuple(shown(cell, spec) for cell, spec in zip(row, specs)) for row in rows]
    assert found == expected(table)


def test_arrow_has_a_type_for_each_column() -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    schema = arrow_schema(ENDS_MODEL.tables["end"].columns)
    for line in (
        "price: decimal128(12, 2) not null",
        "maybe_day: date32[day]",
        "moment: timestamp[ms] not null",
        "maybe_instant: timestamp[ms]",
        "truth: bool not null",
    ):
        assert line in str(schema).splitlines()
