"""Diagrams and data packages, read by tools that are not ours; all forms follow the model."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Optional

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

import aspen_etl as ae
from aspen_etl import derive
from aspen_etl.testing import extracts
from tests.laws.models import EXTENDED_MODEL, MODELS, RUN
from tests.support.effort import few
from tests.support.ends import ENDS_MODEL, end_frames, texts_of
from tests.support.sample import SAMPLE

# ----------------------------------------------------------------------------- every form

FORMS: dict[str, Callable[[ae.Model], str]] = {
    "athena": lambda model: derive.athena_ddl(model, database="a", location="s3://bucket/x"),
    "athena csv": lambda model: derive.athena_ddl(
        model, database="a", location="s3://bucket/x", format="csv"
    ),
    "glue": lambda model: json.dumps(derive.glue_tables(model, location="s3://bucket/x")),
    "dbml": derive.dbml,
    "mermaid": derive.mermaid,
    "data package": lambda model: json.dumps(derive.data_package(model)),
    "markdown": derive.markdown,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_new_column_and_table_show_up(form: Callable[[ae.Model], str]) -> None:
    before, after = form(ae.BORROWER_MODEL), form(EXTENDED_MODEL)
    for word in ("employer", "dependents", "loan_kind_id", "cents"):
        assert word not in before
        assert word in after


def test_a_new_column_and_table_show_up_in_arrow() -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    assert "dependents: int64\n" in derive.arrow_text(EXTENDED_MODEL)
    assert "\nloan\nloan_id: int64 not null\n" in derive.arrow_text(EXTENDED_MODEL)


def test_the_picture_shows_every_table_and_column() -> None:
    # Renewed by: aspen-etl schema mermaid > m.mmd && mmdc -i m.mmd -o docs/reference/tables.svg
    picture = Path(__file__).parents[2] / "docs" / "reference" / "tables.svg"
    shown = picture.read_text(encoding="utf-8")
    for table in ae.BORROWER_MODEL.tables.values():
        for name in (table.name, *(column.name for column in table.own_columns)):
            assert f"<p>{name}</p>" in shown


# ----------------------------------------------------------------------------- DBML


# A brief run reads one: to parse some of them takes pydbml five seconds each.
@pytest.mark.parametrize("name", few([*MODELS, "ends"], 1))
def test_pydbml_reads_the_same_tables_and_references(name: str) -> None:
    pydbml = pytest.importorskip("pydbml")
    model = {**MODELS, "ends": ENDS_MODEL}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        found = pydbml.PyDBML(derive.dbml(model))
    assert [table.name for table in found.tables] == list(model.tables)
    for read, table in zip(found.tables, model.tables.values()):
        assert [column.name for column in read.columns] == list(table.columns)
        for column, spec in zip(read.columns, table.columns.values()):
            assert column.not_null == (not spec.nullable)
            assert column.pk == spec.primary_key
            sized = f"varchar({spec.length})" if spec.length else "text"
            kinds = {
                "text": sized,
                "integer": "bigint",
                "decimal": f"numeric({spec.precision},{spec.scale})",
                "date": "date",
                "datetime": "timestamp",
                "timestamp": "timestamp",
                "boolean": "boolean",
            }
            assert str(column.type) == kinds[spec.type]
        unique = [[c.name for c in index.subjects] for index in read.indexes if index.unique]
        assert unique == ([list(table.natural_key)] if table.has_surrogate_key else [])
    assert {
        (ref.col1[0].table.name, ref.col1[0].name, ref.col2[0].table.name) for ref in found.refs
    } == {
        (table.name, column, target)
        for table in model.tables.values()
        for column, target in table.references.items()
    }


# ----------------------------------------------------------------------------- data packages


def check(folder: Path) -> list[tuple[str, str]]:
    """Let frictionless validate a folder; give table and kind of each error."""
    frictionless = pytest.importorskip("frictionless")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.tasks or report.errors
    return [(task.name, error.type) for task in report.tasks for error in task.errors] + [
        ("", error.type) for error in report.errors
    ]


def write(
    extract: ae.Extract,
    folder: Path,
    model: ae.Model = ae.BORROWER_MODEL,
    format: Literal["csv", "parquet"] = "csv",  # noqa: A002 - as write_tables calls it
) -> None:
    result = ae.normalize(extract, model=model, run=RUN)
    ae.write_tables(
        result.tables, folder, rejects=result.rejects, model=model, overwrite=True, format=format
    )


def test_frictionless_finds_the_sample_and_the_real_workbook_valid(
    workbook: Path, tmp_path: Path
) -> None:
    for source in (SAMPLE, workbook):
        write(ae.read_extract(source), tmp_path)
        assert check(tmp_path) == []


def borrowers(*names: str) -> ae.Extract:
    """Give an extract of borrowers of whom nothing but the name is known."""
    columns = list(ae.BORROWER_MODEL.sources["borrower"].columns)
    rows = [[f"b{i}", name, *[None] * (len(columns) - 2)] for i, name in enumerate(names)]
    return ae.Extract(
        borrower=pd.DataFrame(rows, columns=columns, dtype=object),
        role_profile=pd.DataFrame(columns=["borrower_id", "role_profile"], dtype=object),
    )


def test_frictionless_finds_parquet_valid_as_it_was_written(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    # The second leaves tables without a row and columns without a value.
    for extract in (ae.read_extract(SAMPLE), borrowers("NaN NaN", "None", "NA NULL")):
        write(extract, tmp_path, format="parquet")
        assert check(tmp_path) == []


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_frictionless_reads_the_ends_of_each_range(
    tmp_path: Path,
    format: Literal["csv", "parquet"],  # noqa: A002 - as write_tables calls it
) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    frictionless = pytest.importorskip("frictionless")
    ae.write_tables(end_frames(), tmp_path, model=ENDS_MODEL, format=format)
    assert check(tmp_path) == []
    package = frictionless.Package(str(tmp_path / "datapackage.json"))
    for name, table in ENDS_MODEL.tables.items():
        with package.get_resource(name) as resource, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own dependencies
            rows = [row.to_dict() for row in resource.row_stream]
        for spec in table.columns.values():
            found = [None if pd.isna(row[spec.name]) else row[spec.name] for row in rows]
            if spec.type == "integer" and spec.nullable and format == "parquet":
                continue  # which it reads as floats
            assert found == VALUES[spec.type](texts_of(table)[spec.name]), spec.name


def values_of(convert: Callable[[str], Any]) -> Callable[[pd.Series], list[Any]]:
    return lambda texts: [None if pd.isna(text) else convert(text) for text in texts]


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.rstrip("Z"))


#: What canonical text is to Python.
VALUES: dict[str, Callable[[pd.Series], list[Any]]] = {
    "text": values_of(str),
    "integer": values_of(int),
    "decimal": values_of(Decimal),
    "date": values_of(dt.date.fromisoformat),
    "datetime": values_of(moment),
    "timestamp": values_of(moment),
    "boolean": values_of({"true": True, "false": False}.__getitem__),
}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (",-7,", ",-8,", "constraint-error"),
        (",-7,", ",,", None),
        (",true,", ",yes,", "type-error"),
        (",1582-10-15,", ",15.10.1582,", "type-error"),
        (",1582-10-15 00:00:00.000,", ",1582-10-15,", "type-error"),
        (",9999999999.99,", ',"9,99",', "type-error"),
    ],
)
def test_frictionless_finds_what_is_none_of_a_type(
    old: str, new: str, kind: Optional[str], tmp_path: Path
) -> None:
    ae.write_tables(end_frames(), tmp_path, model=ENDS_MODEL)
    package = tmp_path / "datapackage.json"
    package.write_text(package.read_text(encoding="utf-8").replace('"bytes"', '"x"'), "utf-8")
    replace_in(tmp_path / "end.csv", old, new)
    assert check(tmp_path) == ([] if kind is None else [("end", kind)])


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_frictionless_finds_generated_tables_valid(model: ae.Model, tmp_path: Path) -> None:
    @settings(
        max_examples=3,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(extracts(model, faults="all"))
    def valid(extract: ae.Extract) -> None:
        write(extract, tmp_path, model)
        assert check(tmp_path) == []

    valid()


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "old", "new", "kind"),
    [
        ("user", "\n1,b-0001", "\n1,b-9999", "foreign-key"),
        ("user", "\n2,b-0002", "\n1,b-0002", "primary-key"),
        ("user", "b-0002,2026-01-31 12:00:00.999", "b-0002,", "constraint-error"),
        ("user_profile", "b-0001,Ines", f"b-0001,{'x' * 129}", "constraint-error"),
        ("user", "2026-01-31 12:00:00.999", "31.1.2026", "type-error"),
    ],
)
def test_frictionless_finds_what_was_broken_by_hand(
    table: str, old: str, new: str, kind: str, tmp_path: Path
) -> None:
    write(ae.read_extract(SAMPLE), tmp_path)
    package = tmp_path / "datapackage.json"
    values = json.loads(package.read_text(encoding="utf-8"))
    for resource in values["resources"]:
        del resource["bytes"]  # else the size alone would tell
    package.write_text(json.dumps(values), encoding="utf-8")
    replace_in(tmp_path / f"{table}.csv", old, new)
    assert (table, kind) in check(tmp_path)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_package_says_where_what_is_and_how_large_where_that_is_held_against_the_file(
    tmp_path: Path,
    format: Literal["csv", "parquet"],  # noqa: A002 - as write_tables calls it
) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    tables = ae.normalize(ae.read_extract(SAMPLE), run=RUN).tables
    written = ae.write_tables(tables, tmp_path, format=format)
    values = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
    assert {held["path"]: held.get("bytes") for held in values["resources"]} == {
        name: size if format == "csv" else None
        for name, size in written.items()
        if name.endswith(f".{format}")
    }


def test_somebodys_own_package_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text("{}", encoding="utf-8")
    tables: Any = ae.normalize(ae.read_extract(SAMPLE), run=RUN).tables
    with pytest.raises(ae.AspenETLError, match=r"datapackage\.json"):
        ae.write_tables(tables, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["datapackage.json"]
