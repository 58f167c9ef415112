"""Spark with Hive support runs the statements for Athena over what the library wrote.

Spark ignores ``skip.header.line.count``, so the header is a row that the test leaves out; and
it reads a typed view in its own dialect, into which sqlglot brings ours.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
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
from tests.support.environments import clean_environ
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.slow

FORMATS = ("parquet", "csv")

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


def run_spark(
    python: Path, statements: list[str], queries: dict[str, str], home: Path
) -> dict[str, Any]:
    """Run statements and queries in one Spark, which takes its time to start."""
    home.mkdir()
    job, out, script = home / "job.json", home / "out.json", home / "job.py"
    script.write_text(SPARK, encoding="utf-8")
    values = {"statements": statements, "queries": queries, "home": str(home)}
    job.write_text(json.dumps(values), encoding="utf-8")
    environment = clean_environ(PYSPARK_PYTHON=str(python), SPARK_LOCAL_IP="127.0.0.1")
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


@dataclass(frozen=True)
class Asked:
    """What Spark is asked.

    Attributes:
        statements: What is run first.
        queries: What is asked then, by a name, in this order.
        wanted: The columns and rows of each table, by the name of its query.
    """

    statements: list[str] = field(default_factory=list)
    queries: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, tuple[list[str], list[list[Any]]]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def asked(workbook: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Write all that is read, and say what Spark is asked."""
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    pytest.importorskip("sqlglot")
    asked, folder = Asked(), tmp_path_factory.mktemp("written")
    for file_format in FORMATS:
        for number, source in enumerate((SAMPLE, workbook)):
            ask_for_a_store(asked, folder, f"{file_format}{number}", source, file_format)
    ask_for_ends(asked, folder)  # the last, since one setting is of the session
    return asked


@pytest.fixture(scope="module")
def found(
    asked: Asked, spark_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Give what Spark answers to all of it."""
    home = tmp_path_factory.mktemp("spark") / "home"
    return run_spark(spark_python, asked.statements, asked.queries, home)


def as_spark(text: str, key: str) -> list[str]:
    """Give a statement in Spark's dialect; the header is a row there, where Athena skips it."""
    import sqlglot

    if not text.startswith("CREATE OR REPLACE VIEW"):
        return [text]
    skipped = f"{text}\nWHERE \"{key}\" <> '{key}'"
    return sqlglot.transpile(skipped, read="athena", write="spark")


def ask_for_a_store(
    asked: Asked, folder: Path, database: str, source: Any, file_format: Any
) -> None:
    """Ask for each table of a store of what a source holds."""
    model = ae.BORROWER_MODEL
    store = ae.SnapshotStore(folder / database, format=file_format)
    ae.sync(source, store, run=RUN, thresholds=LENIENT)
    places = {
        name: f"file://{folder}/{database}/{stored.location}/"
        for name, stored in store.find().tables.items()
    }
    asked.statements.append(f"CREATE DATABASE {database}")
    for text in derive.athena_create(model, database=database, location=places, format=file_format):
        tables = [table for table in model.tables.values() if f'."{table.name}" AS' in text]
        asked.statements.extend(as_spark(text, tables[0].primary_key if tables else ""))
    frames = store.read().tables
    for name, table in model.tables.items():
        key = f"{database} {name}"
        asked.queries[key] = f"SELECT * FROM `{database}`.`{name}` ORDER BY `{table.primary_key}`"  # noqa: S608 - our own names
        asked.wanted[key] = (list(table.columns), cells(frames, name, model))


@pytest.mark.parametrize("file_format", FORMATS)
def test_spark_reads_what_we_wrote(file_format: str, asked: Asked, found: dict[str, Any]) -> None:
    wanted = {key: held for key, held in asked.wanted.items() if key.startswith(file_format)}
    assert len(wanted) == 2 * len(ae.BORROWER_MODEL.tables)
    for key, (columns, rows) in wanted.items():
        names, kinds, held = found[key]
        table = ae.BORROWER_MODEL.tables[key.partition(" ")[2]]
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


#: The forms in which the ends of each range are written; with moments as Spark is late to read.
PLACES = {"late": "parquet", "parquet": "parquet", "csv": "csv"}


def ask_for_ends(asked: Asked, folder: Path) -> None:
    """Ask for the ends of each range in each form; again with the setting, but for the late."""
    model = ae.Model.of(tables=[End])
    table = model.tables["end"]
    ends = end_frames()["end"]
    late = ends.assign(**{name: ends["created"].dt.tz_localize(None) for name in MOMENTS})
    late = late.assign(**dict.fromkeys(INSTANTS, ends["created"]))
    shown = ", ".join(f"CAST(`{column}` AS string) AS `{column}`" for column in table.columns)
    again = {"set": CORRECTED}
    for name, form in PLACES.items():
        file_format: Any = form
        frame = late if name == "late" else ends
        (folder / name / "end").mkdir(parents=True)
        (folder / name / "end/x").write_bytes(encode(frame, table.columns, file_format))
        asked.statements.append(f"CREATE DATABASE ends_{name}")
        where = {"database": f"ends_{name}", "location": f"file://{folder}/{name}"}
        for text in derive.athena_create(model, **where, format=file_format):
            asked.statements.extend(as_spark(text, "end_id"))
        ask = f"SELECT {shown} FROM `ends_{name}`.`end` ORDER BY `end`.`end_id`"  # noqa: S608 - ours
        asked.queries[f"{name} at first"] = ask
        asked.queries[f"{name} types"] = f"SELECT * FROM `ends_{name}`.`end` LIMIT 0"  # noqa: S608 - ours
        if name != "late":
            again[name] = ask
    asked.queries.update(again)


def test_spark_reads_the_ends_of_each_range(found: dict[str, Any]) -> None:
    table = ae.Model.of(tables=[End]).tables["end"]
    assert "1900-01-01" in found["parquet at first"][1]  # the trap of Spark alone
    assert found["csv"] == found["csv at first"]
    for name in PLACES:
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
