"""Spark with Hive support runs the statements for Athena over what the library wrote.

Spark ignores ``skip.header.line.count``, so the header is a row that the test leaves out; and
it reads a typed view in its own dialect, into which sqlglot brings ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl import derive
from aspen_etl.io.codecs import encode
from tests.support.borrowers import LENIENT, RUN
from tests.support.ends import End, end_frames, texts_of
from tests.support.sample import SAMPLE
from tests.support.services import require_service

pytestmark = pytest.mark.slow

SPARK = """
import json, sys
from pyspark.sql import SparkSession
job = json.load(open(sys.argv[1]))
home = job["home"]
builder = SparkSession.builder.master("local[1]").enableHiveSupport()
for name, value in {
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC",
    "spark.sql.warehouse.dir": home + "/warehouse",
    "spark.hadoop.javax.jdo.option.ConnectionURL":
        f"jdbc:derby:;databaseName={home}/metastore;create=true",
    "spark.driver.extraJavaOptions": f"-Dderby.system.home={home}",
}.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.sql("CREATE DATABASE aspen")
for statement in job["statements"]:
    spark.sql(statement)
out = {}
for name, query in job["queries"].items():
    try:
        frame = spark.sql(query)
        rows = [[None if cell is None else str(cell) for cell in row] for row in frame.collect()]
    except Exception as error:
        out[name] = ["refused", str(error), []]
        continue
    out[name] = [frame.columns, [kind for _, kind in frame.dtypes], rows]
json.dump(out, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment of Spark's own: pandera does other things where pyspark is."""
    require_service("Java", shutil.which("java"), "install a Java runtime, such as default-jre")
    uv = shutil.which("uv")
    require_service("uv", uv, "it makes the environment of Spark; run: pip install uv")
    home = tmp_path_factory.mktemp("spark") / "env"
    python = home / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, home],
        [uv, "pip", "install", "--quiet", "--python", python, "pyspark==3.5.*", "setuptools<81"],
    ):
        subprocess.run([str(part) for part in command], check=True)
    return python


def run_spark(
    python: Path, statements: list[str], queries: dict[str, str], home: Path
) -> dict[str, Any]:
    """Run statements and queries in a Spark of their own."""
    home.mkdir()
    job, out, script = home / "job.json", home / "out.json", home / "job.py"
    script.write_text(SPARK, encoding="utf-8")
    values = {"statements": statements, "queries": queries, "home": str(home)}
    job.write_text(json.dumps(values), encoding="utf-8")
    environment = {**os.environ, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [python, script, job, out],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1_800,
    )
    assert done.returncode == 0, done.stdout[-4_000:]
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def cells(frames: ae.Tables, name: str, model: ae.Model) -> list[list[Any]]:
    """Give the rows of a table as Spark's texts show them."""
    table = model.tables[name]
    columns = []
    for spec in table.columns.values():
        held = frames[name][spec.name].astype(object)
        if spec.type == "timestamp":
            held = held.map(
                lambda time: (
                    time.strftime("%Y-%m-%d %H:%M:%S")
                    + (f".{time.microsecond:06d}" if time.microsecond else "")
                ),
                na_action="ignore",
            )
        columns.append([None if pd.isna(cell) else str(cell) for cell in held])
    return [list(row) for row in zip(*columns)]


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_spark_reads_what_we_wrote(
    file_format: Any, workbook: Path, python: Path, tmp_path: Path
) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    sqlglot = pytest.importorskip("sqlglot")
    model = ae.BORROWER_MODEL
    places: dict[str, str] = {}
    statements, queries, wanted = [], {}, {}
    for number, source in enumerate((SAMPLE, workbook)):
        store = ae.SnapshotStore(tmp_path / f"store{number}", format=file_format)
        ae.sync(source, store, run=RUN, thresholds=LENIENT)
        commit = store.find()
        places = {
            name: f"file://{tmp_path}/store{number}/{stored.location}/"
            for name, stored in commit.tables.items()
        }
        database = f"aspen{number}"
        statements.append(f"CREATE DATABASE {database}")
        for text in derive.athena_create(
            model, database=database, location=places, format=file_format
        ):
            if text.startswith("CREATE OR REPLACE VIEW"):
                table = next(t for t in model.tables.values() if f'."{t.name}" AS' in text)
                # The header is a row here, where Athena skips it.
                skipped = f"{text}\nWHERE \"{table.primary_key}\" <> '{table.primary_key}'"
                (text,) = sqlglot.transpile(skipped, read="athena", write="spark")  # noqa: PLW2901
            statements.append(text)
        frames = store.read().tables
        for name, table in model.tables.items():
            key = f"{number} {name}"
            queries[key] = f"SELECT * FROM `{database}`.`{name}` ORDER BY `{table.primary_key}`"  # noqa: S608 - our own names
            wanted[key] = (list(table.columns), cells(frames, name, model))
    found = run_spark(python, statements, queries, tmp_path / "spark")
    for key, (columns, rows) in wanted.items():
        names, kinds, held = found[key]
        table = model.tables[key.partition(" ")[2]]
        types = {"text": "string", "integer": "bigint", "timestamp": "timestamp"}
        assert names == columns
        assert kinds == [types[spec.type] for spec in table.columns.values()]
        assert sorted(map(repr, held)) == sorted(map(repr, rows)), key


#: The types that Spark has for each of ours.
KINDS = {
    "text": "string",
    "integer": "bigint",
    "date": "date",
    "datetime": "timestamp",
    "timestamp": "timestamp",
    "boolean": "boolean",
}


#: What Spark wants to be told before it reads a moment before 1900 that it did not write.
CORRECTED = "SET spark.sql.parquet.datetimeRebaseModeInRead = CORRECTED"


def test_spark_reads_the_ends_of_each_range(python: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    sqlglot = pytest.importorskip("sqlglot")
    model = ae.Model.of(tables=[End])
    table = model.tables["end"]
    ends = end_frames()["end"]
    late = ends.assign(**{name: ends["created"].dt.tz_localize(None) for name in MOMENTS})
    late = late.assign(**dict.fromkeys(INSTANTS, ends["created"]))
    places: dict[str, tuple[Any, pd.DataFrame]] = {
        "late": ("parquet", late),
        "parquet": ("parquet", ends),
        "csv": ("csv", ends),
    }
    statements, queries = [], {}
    for name, (file_format, frame) in places.items():
        folder = tmp_path / name / "end"
        folder.mkdir(parents=True)
        (folder / "x").write_bytes(encode(frame, table.columns, file_format))
        statements.append(f"CREATE DATABASE ends_{name}")
        where = {"database": f"ends_{name}", "location": f"file://{tmp_path}/{name}"}
        for text in derive.athena_create(model, **where, format=file_format):
            if text.startswith("CREATE OR REPLACE VIEW"):
                skipped = f"{text}\nWHERE \"end_id\" <> 'end_id'"
                statements += sqlglot.transpile(skipped, read="athena", write="spark")
            else:
                statements.append(text)
        shown = ", ".join(f"CAST(`{column}` AS string) AS `{column}`" for column in table.columns)
        ask = f"SELECT {shown} FROM `ends_{name}`.`end` ORDER BY `end`.`end_id`"  # noqa: S608 - ours
        queries[f"{name} at first"] = ask
        queries[f"{name} types"] = f"SELECT * FROM `ends_{name}`.`end` LIMIT 0"  # noqa: S608 - ours
        if frame is not late:
            queries["set"] = CORRECTED
            queries[name] = ask
    queries = dict(sorted(queries.items(), key=lambda each: each[0] in {"set", "parquet", "csv"}))
    found = run_spark(python, statements, queries, tmp_path / "spark")
    assert "1900-01-01" in found["parquet at first"][1]  # the trap of Spark alone
    assert found["csv"] == found["csv at first"]
    for name in places:
        assert found[f"{name} types"][1] == [
            KINDS.get(spec.type, f"decimal({spec.precision},{spec.scale})")
            for spec in table.columns.values()
        ]
    wanted = {
        name: spark_texts(texts_of(table)[name], spec) for name, spec in table.columns.items()
    }
    for name in ("parquet", "csv"):
        assert columns_of(found[name], table) == wanted
    read = columns_of(found["late at first"], table)
    for name in set(table.columns) - {*MOMENTS, *INSTANTS}:
        assert read[name] == wanted[name]


MOMENTS, INSTANTS = ("moment", "maybe_moment"), ("instant", "maybe_instant")


def columns_of(found: list[Any], table: Any) -> dict[str, list[Any]]:
    """Give the columns that Spark showed, decimals without its 1E-18."""
    columns = {}
    for spec, cells in zip(table.columns.values(), zip(*found[2])):
        plain = spec.type != "decimal"
        columns[spec.name] = [
            cell if plain or cell is None else f"{Decimal(cell):f}" for cell in cells
        ]
    return columns


def spark_texts(texts: pd.Series, spec: Any) -> list[Optional[str]]:
    """Give canonical text as Spark shows it, which leaves zeros at the end of a second out."""
    if spec.type in {"datetime", "timestamp"}:
        texts = texts.str.replace("Z", "").str.rstrip("0").str.rstrip(".")
        texts = texts.str.replace(r"(:\d|:)$", lambda found: f"{found[0]:0<3}", regex=True)
    return [None if pd.isna(text) else str(text) for text in texts]
