"""SQL text: what each dialect says, whole for SQL Server, which no test of ours can run."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelError, NotSupportedError
from aspen_etl.schema import Source, Table
from tests.laws.models import EXTENDED_MODEL, MODELS
from tests.support.ends import ENDS_MODEL

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl.derive.dialects import DIALECTS, Dialect  # noqa: E402
from aspen_etl.derive.sql import LOAD_TABLE, sql_ddl, sql_metadata  # noqa: E402

GOLDEN = Path(__file__).with_name("mssql.sql")


def test_sql_server_is_told_just_this() -> None:
    # To renew it, write sql_ddl(...) into the file, and read the difference.
    assert sql_ddl(ae.BORROWER_MODEL, dialect="mssql") == GOLDEN.read_text(encoding="utf-8")


def test_sql_server_is_told_just_this_of_each_type() -> None:
    told = GOLDEN.with_name("mssql_types.sql").read_text(encoding="utf-8")
    assert sql_ddl(ENDS_MODEL, dialect="mssql") == told


@pytest.mark.parametrize(
    ("dialect", "lines"),
    [
        (
            "postgresql",
            [
                '"price" NUMERIC(12, 2) NOT NULL',
                '"day" DATE NOT NULL',
                '"moment" TIMESTAMP(3) WITHOUT TIME ZONE NOT NULL',
                '"instant" TIMESTAMP(3) WITHOUT TIME ZONE NOT NULL',
                '"truth" BOOLEAN NOT NULL',
                'CONSTRAINT ck_end_least_minimum CHECK ("least" >= -7)',
                "CONSTRAINT ck_old_first_minimum CHECK (\"first\" >= '0001-01-01')",
            ],
        ),
        (
            "mysql",
            [
                "`price` DECIMAL(12, 2) NOT NULL",
                "`day` DATE NOT NULL",
                "`moment` DATETIME(3) NOT NULL",
                "`instant` DATETIME(3) NOT NULL",
                "`truth` BOOL NOT NULL",
                "CONSTRAINT ck_end_truth_boolean CHECK (`truth` IN (0, 1))",
                "CONSTRAINT ck_end_least_minimum CHECK (`least` >= -7)",
            ],
        ),
        (
            "sqlite",
            [
                (
                    '"whole" TEXT CONSTRAINT ck_end_whole_decimal CHECK ('
                    "\"whole\" NOT GLOB '?*-*' AND ltrim(\"whole\", '-') GLOB '[0-9]*' AND "
                    "ltrim(\"whole\", '-') NOT GLOB '*[^0-9]*' AND "
                    "ltrim(\"whole\", '-') NOT GLOB '0[0-9]*' AND "
                    "length(ltrim(\"whole\", '-')) <= 38 AND "
                    "(\"whole\" NOT GLOB '-*' OR \"whole\" GLOB '*[1-9]*'))"
                ),
                (
                    '"day" TEXT NOT NULL CONSTRAINT ck_end_day_date CHECK '
                    '(date("day", \'+0 days\') IS "day")'
                ),
                '"moment" DATETIME NOT NULL',
                (
                    '"truth" INTEGER NOT NULL CONSTRAINT ck_end_truth_boolean CHECK '
                    '("truth" IN (0, 1))'
                ),
            ],
        ),
    ],
)
def test_each_dialect_has_its_own_word_for_a_type(dialect: Any, lines: list[str]) -> None:
    told = [line.strip().rstrip(",") for line in sql_ddl(ENDS_MODEL, dialect=dialect).splitlines()]
    for line in lines:
        assert line in told


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("model", [*MODELS.values(), ENDS_MODEL], ids=[*MODELS, "ends"])
def test_every_table_and_column_is_there_in_reference_order(dialect: str, model: ae.Model) -> None:
    metadata = sql_metadata(model, dialect=dialect)  # type: ignore[arg-type]
    assert list(metadata.tables) == [*model.tables, LOAD_TABLE]
    for name, table in model.tables.items():
        columns = metadata.tables[name].columns
        assert [key for key in columns.keys() if key in table.columns] == list(table.columns)  # noqa: SIM118 - not a dict
        assert {column.name for column in columns if column.primary_key} == {table.primary_key}
        assert {
            key.parent.name: key.column.table.name for key in metadata.tables[name].foreign_keys
        } == table.references
        assert all(columns[key].nullable == spec.nullable for key, spec in table.columns.items())


def test_a_new_column_and_table_show_up() -> None:
    for dialect in DIALECTS.values():
        text = sql_ddl(EXTENDED_MODEL, dialect=dialect.name)
        assert all(word in text for word in ("employer", "dependents", "loan_kind", "cents"))


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_the_text_is_the_same_each_time(dialect: Dialect) -> None:
    assert len({sql_ddl(EXTENDED_MODEL, dialect=dialect.name) for _ in range(4)}) == 1


def test_null_is_equal_to_null_without_what_postgresql_14_lacks() -> None:
    text = sql_ddl(ae.BORROWER_MODEL)
    assert "NULLS NOT DISTINCT" not in text
    assert (
        'CREATE UNIQUE INDEX uq_role_profile ON "role_profile" ("user_id", '
        'coalesce("role_profile_type_id", 0), ("role_profile_type_id" IS NULL))' in text
    )


def test_names_are_quoted_also_in_a_schema() -> None:
    text = sql_ddl(ae.BORROWER_MODEL, schema='odd "name"')
    assert 'CREATE TABLE "odd ""name"""."user" (' in text
    assert "CREATE TABLE user " not in text


def test_sqlite_runs_the_text() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(sql_ddl(EXTENDED_MODEL, dialect="sqlite"))
        made = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    assert {*EXTENDED_MODEL.tables, LOAD_TABLE} <= {name for (name,) in made}


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="no SQL dialect 'oracle'"):
        sql_metadata(ae.BORROWER_MODEL, dialect="oracle")  # type: ignore[arg-type]


class Thing(Source):
    """A sheet with long names."""

    name: Series[str] = ae.column()


@pytest.mark.parametrize("dialect", ["mysql", "mssql"])
def test_a_key_that_no_index_holds_is_refused(dialect: str) -> None:
    class ThingTable(Table):
        """Long names."""

        thing_id: Series[int] = ae.column(primary_key=True)
        name: Series[str] = ae.column(natural_key=True, length=800, source="thing.name")

    model = ae.Model.of(sources=[Thing], tables=[ThingTable])
    with pytest.raises(
        ModelError, match=r"index of \w+ holds \d+; give its text a shorter length="
    ):
        sql_metadata(model, dialect=dialect)  # type: ignore[arg-type]
    assert "VARCHAR(800)" in sql_ddl(model)


def test_the_name_of_the_load_table_is_taken() -> None:
    class AspenEtlLoad(Table):
        """A table of that name."""

        name: Series[str] = ae.column(primary_key=True, length=8, source="thing.name")

    model = ae.Model.of(sources=[Thing], tables=[AspenEtlLoad])
    with pytest.raises(ModelError, match="is taken"):
        sql_ddl(model)
