"""Athena: what the statements say, who else can read them, and what OpenCSVSerDe would read."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import derive
from aspen_etl.columns.frames import equal_frames
from aspen_etl.errors import ModelError, NotSupportedError
from aspen_etl.io.codecs import encode
from aspen_etl.schema import Source, Table
from aspen_etl.testing import extracts, tables
from tests.derive.opencsvserde import read_records, typed
from tests.laws.models import EXTENDED_MODEL, MODELS, RUN
from tests.support.ends import ENDS_MODEL, end_frames
from tests.support.refusals import refused

PLACE: dict[str, Any] = {"database": "aspen", "location": "s3://bucket/tables"}
BOTH = pytest.mark.parametrize("file_format", ["parquet", "csv"])


def test_a_table_of_parquet() -> None:
    assert derive.athena_create(ae.BORROWER_MODEL, **PLACE)[1] == (
        "CREATE EXTERNAL TABLE IF NOT EXISTS `aspen`.`user` (\n"
        "  `user_id` bigint,\n"
        "  `user_profile_id` string,\n"
        "  `created` timestamp,\n"
        "  `created_by` string,\n"
        "  `updated` timestamp,\n"
        "  `updated_by` string\n"
        ") COMMENT 'A borrower as a user of the new system.'\n"
        "STORED AS PARQUET\n"
        "LOCATION 's3://bucket/tables/user/'\n"
        "TBLPROPERTIES ('classification'='parquet')"
    )


def test_a_table_of_text_and_a_view_that_gives_types_and_nulls_back() -> None:
    made = derive.athena_create(ae.BORROWER_MODEL, **PLACE, format="csv")
    assert made[6] == (
        "CREATE EXTERNAL TABLE IF NOT EXISTS `aspen`.`role_profile_csv` (\n"
        "  `role_profile_id` string,\n"
        "  `user_id` string,\n"
        "  `role_profile_type_id` string,\n"
        "  `created` string,\n"
        "  `created_by` string,\n"
        "  `updated` string,\n"
        "  `updated_by` string\n"
        ") COMMENT 'A role of a user, or that a user has none; contacts belong to it.'\n"
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'\n"
        "WITH SERDEPROPERTIES ('separatorChar'=',', 'quoteChar'='\"', 'escapeChar'='\\t')\n"
        "STORED AS TEXTFILE\n"
        "LOCATION 's3://bucket/tables/role_profile/'\n"
        "TBLPROPERTIES ('classification'='csv', 'skip.header.line.count'='1')"
    )
    assert made[7] == (
        'CREATE OR REPLACE VIEW "aspen"."role_profile" AS\n'
        "SELECT\n"
        '  CAST("role_profile_id" AS bigint) AS "role_profile_id",\n'
        '  CAST("user_id" AS bigint) AS "user_id",\n'
        '  CAST(NULLIF("role_profile_type_id", \'\') AS bigint) AS "role_profile_type_id",\n'
        '  CAST("created" AS timestamp(3)) AS "created",\n'
        '  "created_by" AS "created_by",\n'
        '  CAST(NULLIF("updated", \'\') AS timestamp(3)) AS "updated",\n'
        '  NULLIF("updated_by", \'\') AS "updated_by"\n'
        'FROM "aspen"."role_profile_csv"'
    )


def test_each_type_has_one_of_hive_and_a_cast_of_the_view() -> None:
    table, *_ = derive.athena_create(ENDS_MODEL, **PLACE)
    for line in (
        "  `price` decimal(12,2),",
        "  `wide` decimal(38,18),",
        "  `number` bigint,",
        "  `day` date,",
        "  `moment` timestamp,",
        "  `instant` timestamp,",
        "  `truth` boolean,",
    ):
        assert line in table.splitlines()
    text, view, *_ = derive.athena_create(ENDS_MODEL, **PLACE, format="csv")
    assert "decimal" not in text
    for line in (
        '  CAST("price" AS decimal(12,2)) AS "price",',
        '  CAST(NULLIF("wide", \'\') AS decimal(38,18)) AS "wide",',
        '  CAST("day" AS date) AS "day",',
        '  CAST(NULLIF("maybe_moment", \'\') AS timestamp(3)) AS "maybe_moment",',
        '  CAST("instant" AS timestamp(3)) AS "instant",',
        '  CAST(NULLIF("maybe_truth", \'\') AS boolean) AS "maybe_truth",',
    ):
        assert line in view.splitlines()
    told = derive.glue_tables(ENDS_MODEL, location="s3://bucket/tables")["end"]
    types = {column["Name"]: column["Type"] for column in told["StorageDescriptor"]["Columns"]}
    assert (types["deep"], types["day"], types["truth"]) == ("decimal(38,30)", "date", "boolean")


@BOTH
@pytest.mark.parametrize("model", [*MODELS.values(), ENDS_MODEL], ids=[*MODELS, "ends"])
def test_sqlglot_reads_every_statement_and_no_other_meaning(
    model: ae.Model, file_format: Any
) -> None:
    sqlglot = pytest.importorskip("sqlglot")
    exp = sqlglot.exp
    statements = derive.athena_create(model, **PLACE, format=file_format)
    assert len(statements) == len(model.tables) * (2 if file_format == "csv" else 1)
    seen: dict[str, list[str]] = {}
    for statement in statements:
        (tree,) = sqlglot.parse(statement, dialect="athena")
        assert isinstance(tree, exp.Create)
        assert not isinstance(tree, exp.Command)
        if tree.kind == "VIEW":
            table = model.tables[tree.this.name]
            assert tree.expression.named_selects == list(table.columns)
            continue
        name = tree.this.this.name
        columns = tree.this.expressions
        seen[name] = [column.name for column in columns]
        table = model.tables[name[:-4] if file_format == "csv" else name]
        types = [column.args["kind"].sql(dialect="hive").lower() for column in columns]
        kinds = {
            "text": "string",
            "integer": "bigint",
            "date": "date",
            "datetime": "timestamp",
            "timestamp": "timestamp",
            "boolean": "boolean",
        }
        wanted = [
            "string"
            if file_format == "csv"
            else kinds.get(c.type, f"decimal({c.precision}, {c.scale})")
            for c in table.columns.values()
        ]
        assert types == wanted
        location = tree.find(exp.LocationProperty)
        assert location.this.this == f"s3://bucket/tables/{table.name}/"
    ending = "_csv" if file_format == "csv" else ""
    assert seen == {f"{name}{ending}": list(t.columns) for name, t in model.tables.items()}
    for statement in derive.athena_drop(model, database="aspen", format=file_format):
        (tree,) = sqlglot.parse(statement, dialect="athena")
        assert isinstance(tree, exp.Drop)
        assert tree.find(exp.Table).db == "aspen"


@BOTH
def test_glue_is_told_the_same_as_athena(file_format: Any) -> None:
    told = derive.glue_tables(
        EXTENDED_MODEL,
        location="s3://bucket/tables",
        format=file_format,
        parameters={"aspen_etl.version": "7"},
    )
    statements = derive.athena_create(EXTENDED_MODEL, **PLACE, format=file_format)
    creating = [text for text in statements if text.startswith("CREATE EXTERNAL")]
    for (name, value), text in zip(told.items(), creating):
        held = value["StorageDescriptor"]
        assert f"`{value['Name']}`" in text
        assert re.findall(r"^  `(\w+)` (\w+)", text, re.MULTILINE) == [
            (column["Name"], column["Type"]) for column in held["Columns"]
        ]
        assert f"'{held['Location']}'" in text
        assert value["Parameters"]["aspen_etl.version"] == "7"
        assert value["Parameters"]["classification"] == file_format
        assert value["PartitionKeys"] == []
        serde = held["SerdeInfo"]
        if file_format == "csv":
            assert serde["SerializationLibrary"] in text
            assert serde["Parameters"]["escapeChar"] == "\t"
            assert value["Parameters"]["skip.header.line.count"] == "1"
        assert name in value["Name"]


# ----------------------------------------------------------------------------- what comes in


@pytest.mark.parametrize(
    "location",
    [
        "s3://bucket/a' LOCATION 's3://other/",
        "s3://bucket/a\\",
        "s3://bucket/a b/",
        "s3://bucket/a\n/",
        "s3://bucket/${env}/",
        "s3://bucket/a;DROP TABLE x/",
        's3://bucket/"/',
        "s3://bucket/\x00/",
        "s3://Bucket'/x/",
        "https://bucket/x/",
        "bucket/x",
        "",
    ],
)
@BOTH
def test_a_location_cannot_break_out(location: str, file_format: Any) -> None:
    for given_as in (location, dict.fromkeys(ae.BORROWER_MODEL.tables, location)):
        with refused("name", match="no folder that a statement can name"):
            derive.athena_create(
                ae.BORROWER_MODEL, database="aspen", location=given_as, format=file_format
            )
        with refused("name"):
            derive.glue_tables(ae.BORROWER_MODEL, location=given_as, format=file_format)


@pytest.mark.parametrize("database", ["", "a`b", 'a"b', "a b", "Aspen", "a.b", "a\n", "x" * 256])
def test_a_database_cannot_break_out(database: str) -> None:
    with refused("name", match="name of the Athena database"):
        derive.athena_create(ae.BORROWER_MODEL, database=database, location="s3://bucket/x")
    with refused("name", match="name of the Athena database"):
        derive.athena_drop(ae.BORROWER_MODEL, database=database)


def test_a_location_that_is_not_given_is_missed() -> None:
    with refused("name", match="no location is given for the table 'user_profile'"):
        derive.athena_create(ae.BORROWER_MODEL, database="aspen", location={})


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="no format 'orc'"):
        derive.athena_create(ae.BORROWER_MODEL, **PLACE, format="orc")  # type: ignore[arg-type]


class Thing(Source):
    """A sheet of things."""

    name: Series[str] = ae.column()


class Plain(Table):
    r"""It's a table\'; DROP."""

    name: Series[str] = ae.column(
        primary_key=True, length=8, source="thing.name", description="The 'name' \\ of\nit"
    )


def test_a_comment_cannot_break_out() -> None:
    model = ae.Model.of(sources=[Thing], tables=[Plain])
    (text,) = derive.athena_create(model, **PLACE)
    assert "COMMENT 'It\\'s a table\\\\\\'; DROP.'" in text
    assert "COMMENT 'The \\'name\\' \\\\ of it'" in text


def test_a_table_of_text_does_not_take_another_tables_name() -> None:
    class PlainCsv(Plain):
        """The name that the table of text would have."""

        class Config:
            name = "plain_csv"

    model = ae.Model.of(sources=[Thing], tables=[Plain, PlainCsv])
    assert len(derive.athena_create(model, **PLACE)) == 2
    with pytest.raises(ModelError, match="would be called like the table 'plain_csv'"):
        derive.athena_create(model, **PLACE, format="csv")


def test_names_that_athena_does_not_take_are_refused() -> None:
    class Odd(Plain):
        """Upper case."""

        class Config:
            name = "odd-name"

    model = ae.Model.of(sources=[Thing], tables=[Odd])
    with refused("name", match="'odd-name' is another"):
        derive.athena_create(model, **PLACE)


# ----------------------------------------------------------------------------- OpenCSVSerDe


def read_as_athena(frames: ae.Tables, model: ae.Model) -> None:
    told = derive.glue_tables(model, location="s3://bucket/x", format="csv")
    for name, table in model.tables.items():
        options = told[name]["StorageDescriptor"]["SerdeInfo"]["Parameters"]
        records = read_records(
            encode(frames[name], table.columns, "csv"),
            separator=options["separatorChar"],
            quote=options["quoteChar"],
            escape=options["escapeChar"],
        )
        assert equal_frames(typed(records, table), frames[name])


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_opencsvserde_reads_our_csv_back(model: ae.Model) -> None:
    @given(tables(model))
    def any_tables(frames: ae.Tables) -> None:
        read_as_athena(frames, model)

    @given(extracts(model, faults="all"))
    def any_extract(extract: ae.Extract) -> None:
        read_as_athena(ae.normalize(extract, model=model, run=RUN).tables, model)

    any_tables()
    any_extract()


def test_opencsvserde_reads_the_ends_of_each_range() -> None:
    read_as_athena(end_frames(), ENDS_MODEL)


ODD = st.text(st.sampled_from("a\", \\'\u00e9\U0001f600;|"), min_size=1, max_size=8)


@given(st.lists(ODD, min_size=1, max_size=5, unique=True))
def test_opencsvserde_reads_any_text_that_cleaning_leaves(names: list[str]) -> None:
    sheet = pd.DataFrame({"id": [str(i) for i in range(len(names))], "full_name": names})
    for column in ("street", "city", "state", "zip_code", "phone_home", "phone_cell", "email"):
        sheet[column] = None
    roles = pd.DataFrame({"borrower_id": ["0"], "role_profile": [names[0]]})
    extract = ae.Extract(borrower=sheet, role_profile=roles)
    read_as_athena(ae.normalize(extract, run=RUN).tables, ae.BORROWER_MODEL)
