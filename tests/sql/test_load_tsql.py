"""What a load sends to SQL Server, of which none is here: T-SQL that its parser takes."""

from __future__ import annotations

from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.changes import diff
from tests.laws.models import RUN
from tests.support.sample import SAMPLE
from tests.support.scriptdom import parse_errors

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl.sql.database import Database  # noqa: E402 - needs what was just asked for
from aspen_etl.sql.merging import Merge  # noqa: E402 - likewise
from aspen_etl.sql.moving import move_identities  # noqa: E402 - likewise


class Server:
    """Stand for a driver and a server that finds as many rows as it was given; note statements."""

    paramstyle, version, __version__ = "pyformat", "5.0.0", "2.3.0"
    Error = Warning = type("Error", (Exception,), {})

    def __init__(self) -> None:
        self.told: list[str] = []
        self.given = self.rowcount = 0
        self.rows: list[Any] = []
        self.description: Any = None

    def connect(self, *_: Any, **__: Any) -> Any:
        return self

    cursor = autocommit = connect

    def execute(self, statement: str, *_: Any) -> None:
        self.told.append(statement)
        if "VALUES" in statement:  # many rows in one statement
            self.given = statement.count("), (") + 1
        self.rowcount, self.rows, self.description = self.given, [], None
        if statement.startswith("SELECT"):
            number = 0 if "_gone_" in statement else 2**40 if "max(" in statement else self.given
            number = 5 if "IDENT_CURRENT" in statement else number
            self.rows, self.description = [(number,)], [("c", None, None, None, None, None, None)]

    def executemany(self, statement: str, rows: Any) -> None:
        self.execute(statement)
        self.given = self.rowcount = len(rows)

    def fetchone(self) -> Any:
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, _: int = 1) -> Any:
        rows, self.rows = self.rows, []
        return rows

    fetchall = fetchmany

    def rollback(self) -> None:
        """Stay as it is."""

    commit = close = rollback


@pytest.fixture
def told() -> list[str]:
    """Fill tables, write a difference, move identities; give the statements."""
    server = Server()
    engine = sa.create_engine(
        "mssql+pymssql://me@host/lender", module=server, _initialize=False, poolclass=sa.NullPool
    )
    dialect: Any = engine.dialect
    dialect.server_version_info, dialect.default_isolation_level = (16,), "READ COMMITTED"
    tables = ae.normalize(ae.read_extract(SAMPLE), run=RUN).tables
    before = {name: frame.copy() for name, frame in tables.items()}
    before["address"].loc[0, "city"] = "Elsewhere"
    before["email"] = before["email"].iloc[1:]
    phone = before["phone_number"]
    database = Database(engine, ae.BORROWER_MODEL, None)
    with engine.connect() as connection:
        merge = Merge(database, connection)
        merge.fill(tables)
        merge.write(diff(before, {**tables, "phone_number": phone.iloc[1:]}))
        move_identities(database, connection, {})
    return server.told


def test_rows_with_keys_of_ours_go_into_an_identity_column(told: list[str]) -> None:
    inserts = [at for at, each in enumerate(told) if each.startswith("INSERT INTO [user] ")]
    assert inserts
    for at in inserts:
        assert told[at - 1] == "SET IDENTITY_INSERT [user] ON"
        assert told[at + 1] == "SET IDENTITY_INSERT [user] OFF"


def test_what_was_there_is_asked_for_null_safe(told: list[str]) -> None:
    update = next(each for each in told if each.startswith("UPDATE [address]"))
    assert "EXISTS (SELECT [address].[street] INTERSECT SELECT [#aspen_etl_was_address]" in update
    assert "[address].[city] = [#aspen_etl_was_address].[city]" in update
    delete = next(each for each in told if each.startswith("DELETE FROM [phone_number]"))
    assert "[phone_number].[value] = [#aspen_etl_stage_gone_phone_number].[value]" in delete
    assert sum("RESEED" in each for each in told) == 8


@pytest.mark.slow
def test_a_parser_of_sql_server_takes_all_that_a_load_sends(told: list[str]) -> None:
    errors: dict[str, Any] = {
        each: parse_errors(each.replace("%(", "@").replace(")s", "")) for each in told
    }
    assert {each: found for each, found in errors.items() if found} == {}
