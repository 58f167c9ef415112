"""The databases refuse a row that breaks the model, each constraint for itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from tests.laws.models import EXTENDED_MODEL, MODELS

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.derive.sql import sql_ddl, sql_metadata  # noqa: E402
from aspen_etl.schema import TableSpec  # noqa: E402

NOW = pd.Timestamp("2026-01-31 12:00:00.123")


def dialect_of(database: Any) -> Any:
    return "mysql" if database.name == "mariadb" else database.name


def row_of(table: TableSpec, number: int) -> dict[str, Any]:
    """Give a valid row; every table has those of the numbers 1 and 2."""
    row: dict[str, Any] = {}
    for spec in table.columns.values():
        if spec.references or spec.primary_key:
            row[spec.name] = KEYS[spec.type](number)
        else:
            row[spec.name] = VALUES[spec.type](number)
    return row


#: A key of each type that a key may have, by number.
KEYS: Mapping[str, Callable[[int], Any]] = {
    "text": lambda number: f"key {number}",
    "integer": lambda number: number,
    "date": lambda number: dt.date(2020, 1, 1) + dt.timedelta(number),
}
#: A value of each type, of other numbers other ones where a key of a row may be such.
VALUES: Mapping[str, Callable[[int], Any]] = {
    "text": lambda number: f"{number}",
    "integer": lambda number: 7 + number,
    "decimal": lambda _: Decimal(1),
    "date": lambda number: dt.date(2020, 1, 1) + dt.timedelta(number),
    "datetime": lambda _: NOW.to_pydatetime(),
    "timestamp": lambda _: NOW.to_pydatetime(),
    "boolean": lambda _: True,
}


def breaches(table: TableSpec) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name each constraint of a table, and give a row that breaks it and no other."""
    new = {**row_of(table, 2), **_key(table, 3)}
    if table.has_surrogate_key:
        new = {**new, **_natural(table)}
        yield "primary key", {**new, table.primary_key: 1}
        yield "natural key", {**row_of(table, 1), table.primary_key: 3}
        nullable = [name for name in table.natural_key if table.columns[name].nullable]
        for name in nullable:  # row 9 has null there already
            yield (
                f"natural key, {name} null",
                {**row_of(table, 1), table.primary_key: 3, name: None},
            )
    else:
        yield "primary key", row_of(table, 1)
    for spec in table.columns.values():
        if spec.references:
            yield f"{spec.name} refers to nothing", {**new, spec.name: KEYS[spec.type](99)}
        if not spec.nullable and spec.name != table.primary_key:
            yield f"{spec.name} null", {**new, spec.name: None}
        if spec.type == "text" and spec.length and not spec.references:
            yield f"{spec.name} too long", {**new, spec.name: "\U0001f600" * (spec.length + 1)}
        if spec.type == "text" and spec.nullable:
            yield f"{spec.name} empty", {**new, spec.name: ""}


def _key(table: TableSpec, number: int) -> dict[str, Any]:
    kind = table.columns[table.primary_key].type
    return {table.primary_key: KEYS[kind](number)}


def _natural(table: TableSpec) -> dict[str, Any]:
    """Give a natural key that no row has: of references it takes a pair that is not there."""
    names = list(table.natural_key)
    out: dict[str, Any] = {}
    for name in names:
        spec = table.columns[name]
        if spec.references:
            out[name] = KEYS[spec.type](8 if name == names[0] else 2)
        else:
            out[name] = "new" if spec.type == "text" else VALUES[spec.type](90)
    return out


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_each_constraint_is_kept(database: Any, model: ae.Model) -> None:
    metadata = sql_metadata(model, dialect=dialect_of(database))
    with database.engine.begin() as connection:
        for statement in sql_ddl(model, dialect=dialect_of(database)).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    with database.engine.connect() as connection:
        if database.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        for table in model.tables.values():
            for row in valid_rows(table):
                connection.execute(metadata.tables[table.name].insert().values(row))
        tried = [
            (f"{table.name}: {what}", is_accepted(connection, metadata.tables[table.name], row))
            for table in model.tables.values()
            for what, row in breaches(table)
        ]
        connection.rollback()
    assert [what for what, accepted in tried if accepted] == []
    assert len(tried) > (60 if len(model.tables) > 8 else 35)  # all of them were tried


def valid_rows(table: TableSpec) -> Iterator[dict[str, Any]]:
    """Give the rows that each table has from the start."""
    for number in (1, 2, 8):
        yield row_of(table, number)
    for name in table.natural_key:
        if table.columns[name].nullable:
            yield {**row_of(table, 1), table.primary_key: 9, name: None}


def is_accepted(connection: Any, table: Any, row: dict[str, Any]) -> bool:
    """Try to insert a row, and undo it."""
    savepoint = connection.begin_nested()
    try:
        connection.execute(table.insert().values(row))
    except sa.exc.DBAPIError:
        return False
    else:
        return True
    finally:
        savepoint.rollback()


def test_text_is_told_apart_by_its_code_points(database: Any) -> None:
    sql.create(database.engine)
    texts = ["A1", "a1", "\u00e9", "e\u0301", "e", "ss", "\u00df", "\U0001f600", "\U0001f601"]
    metadata = sql_metadata(ae.BORROWER_MODEL, dialect=dialect_of(database))
    table = metadata.tables["role_profile_type"]
    with database.engine.begin() as connection:
        for number, text in enumerate(texts, 1):
            row = row_of(ae.BORROWER_MODEL.tables["role_profile_type"], number)
            connection.execute(table.insert().values({**row, "type": text}))
    with database.engine.connect() as connection:
        for number, text in enumerate(texts, 1):
            query = sa.select(table.c.role_profile_type_id).where(table.c.type == text)
            assert list(connection.execute(query).scalars()) == [number]


def test_a_length_counts_characters(database: Any) -> None:
    sql.create(database.engine)
    metadata = sql_metadata(ae.BORROWER_MODEL, dialect=dialect_of(database))
    longest = {"first_name": "\U0001f600" * 128, "last_name": "\u00e9" * 128}
    row = {**row_of(ae.BORROWER_MODEL.tables["user_profile"], 1), **longest}
    with database.engine.begin() as connection:
        connection.execute(metadata.tables["user_profile"].insert().values(row))
    assert database.scalar("SELECT first_name FROM user_profile") == longest["first_name"]


def test_comments_stand_in_the_database(database: Any) -> None:
    if database.name == "sqlite":
        pytest.skip("SQLite has no comments")
    sql.create(database.engine, model=EXTENDED_MODEL)
    inspector = sa.inspect(database.engine)
    assert inspector.get_table_comment("loan")["text"].startswith("A tenth table")
