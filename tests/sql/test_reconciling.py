"""Databases of both shapes are held against each other, whatever order their collations know."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from tests.transform.sheets import RUN, extract

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - where SQLAlchemy is not, the test is skipped
from aspen_etl.sql.flat import FlatDatabase  # noqa: E402
from aspen_etl.sql.flat_tables import FlatNames  # noqa: E402

#: In an order that no collation without letter case, or by code point, gives.
IDS = ["b", "C", "a-1", "Aa", "aB", "ä", "Z", "ß", "ss1", "_x", "10", "9"]

#: By database, a collation that takes no account of letter case.
COLLATIONS = {
    "sqlite": "COLLATE NOCASE",
    "postgresql": "COLLATE caseless",
    "mariadb": "COLLATE utf8mb4_general_ci",
}


def borrowers(**names: str) -> ae.Extract:
    rows = [
        {"id": each, "full_name": names.get(each, f"Ada {each}"), "phone_home": "617-555-0100"}
        for each in IDS
    ]
    return extract(*rows, roles=tuple((each, "Borrower") for each in IDS))


def old_side(database: Any, source: ae.Extract) -> FlatDatabase:
    """Put flat rows into tables whose key knows no letter case."""
    collation = COLLATIONS[database.name]
    with database.engine.begin() as connection:
        if database.name == "postgresql":
            connection.exec_driver_sql(
                "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', "
                "deterministic = false)"
            )
        for name, key in (("borrower", "id"), ("role_profile", "borrower_id")):
            columns = ", ".join(
                f"{column} VARCHAR(90) {collation}" for column in source[name].columns
            )
            connection.exec_driver_sql(f"CREATE TABLE old_{name} ({columns}, PRIMARY KEY ({key}))")
            rows = source[name].astype(object).where(source[name].notna(), None)
            rows.to_sql(f"old_{name}", connection, index=False, if_exists="append")
    names = FlatNames({name: f"old_{name}" for name in source}, {})
    return FlatDatabase(database.engine, ae.BORROWER_MODEL, names, None)


def test_collations_without_letter_case_make_no_difference(database: Any) -> None:
    old = old_side(database, borrowers())
    sql.load(ae.normalize(borrowers(), run=RUN).tables, database.engine)
    new = sql.TableDatabase(database.engine)
    found = ae.reconcile(old, new, run=RUN)
    assert (found.outcome, found.differences, found.looks) == ("in_step", (), 1)
    assert found.source.rows == {"borrower": len(IDS), "role_profile": len(IDS)}
    database.execute("UPDATE user_profile SET last_name = 'AB' WHERE user_profile_id = 'aB'")
    database.execute("UPDATE user_profile SET first_name = 'Bo' WHERE user_profile_id = 'Z'")
    found = ae.reconcile(old, new, run=RUN)
    told = [(each.kind, each.column, each.count) for each in found.differences]
    assert told == [("differs", "full_name", 2)]  # `aB` is not `AB`, whoever compares them
    assert (found.outcome, found.subjects, found.looks) == ("unexplained", 2, 2)


@pytest.mark.parametrize("one_database", ["sqlite"], indirect=True)
def test_tables_that_break_their_keys_are_read_as_they_stand(one_database: Any) -> None:
    tables = ae.normalize(borrowers(), run=RUN).tables
    sql.load(tables, one_database.engine)
    with one_database.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(
            "UPDATE phone_number SET role_profile_id = 99 WHERE phone_number_id = 1"
        )
    read = sql.TableDatabase(one_database.engine).read()
    assert isinstance(read["user_profile"], pd.DataFrame)
    found = ae.reconcile(borrowers(), read, run=RUN)
    told = {(each.kind, each.column) for each in found.differences}
    assert told == {("differs", "phone_home"), ("inexpressible", "phone_number.role_profile_id")}
