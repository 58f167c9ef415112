"""What is sent to SQL Server, of which none is here: its transaction, and T-SQL that it parses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.databases import read_database
from aspen_etl.errors import DatabaseError
from tests.support.scriptdom import parse_errors

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from sqlalchemy.dialects import mssql  # noqa: E402 - needs what was just asked for

from aspen_etl import sql  # noqa: E402 - likewise

#: Some of its types have no annotations.
KINDS: Any = mssql

#: The types of a lender's table, one for each column of the model.
TYPES = [
    KINDS.UNIQUEIDENTIFIER(),
    KINDS.NVARCHAR(80),
    KINDS.DATETIME2(),
    KINDS.DATETIMEOFFSET(),
    KINDS.TIME(),
    KINDS.MONEY(),
    KINDS.REAL(),
    KINDS.BIT(),
    sa.DATE(),
]
ROW = [
    "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
    "Ann [A]",
    "2026-01-31 00:00:00.0000000",
    "2026-01-31 10:00:00.0000001 +02:00",
    "10:00:00.0000000",
    19,
    1.5,
    True,
    dt.date(2026, 1, 31),
]
TEXTS = [
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "Ann [A]",
    "2026-01-31",
    "2026-01-31 10:00:00.0000001 +02:00",
    "10:00:00.0000000",
    "19",
    "1.5",
    "TRUE",
    "2026-01-31",
]


class Server:
    """Stand for a driver and a server, and note what they are told.

    Attributes:
        allows: What it says of snapshot isolation.
        told: The statements, and where a transaction ended.
    """

    paramstyle, version, __version__ = "pyformat", "5.0.0", "2.3.0"
    Error = Warning = type("Error", (Exception,), {})

    def __init__(self, allows: int) -> None:
        self.allows = allows
        self.told: list[str] = []
        self.rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1

    def connect(self, *_: Any, **__: Any) -> Any:
        return self

    def autocommit(self, _: bool) -> None:  # noqa: FBT001 - as the driver has it
        """Stay as it is."""

    def cursor(self) -> Any:
        return self

    def execute(self, statement: str, *_: Any) -> None:
        self.told.append(statement)
        answers: dict[str, list[Any]] = {
            "@@LOCK_TIMEOUT": [(-1,)],
            "sys.databases": [(self.allows,)],
        }
        answers["sys.dm_exec_sessions"] = answers["isolation_level"] = [("READ COMMITTED",)]
        found: list[list[Any]] = [rows for word, rows in answers.items() if word in statement]
        if "FROM [Lending Co].[Customers]" in statement and "ORDER BY" in statement:
            found = [[tuple(ROW)]]
        elif "ORDER BY" in statement:
            found = [[]]
        self.rows = list(found[0]) if found else []
        width = len(ROW) if "c8" in statement else 2 if "c1" in statement else 1
        self.description = [(f"c{at}", None, None, None, None, None, None) for at in range(width)]
        self.description = self.description if found else None

    def fetchone(self) -> Any:
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, _: int = 1) -> Any:
        rows, self.rows = self.rows, []
        return rows

    fetchall = fetchmany

    def rollback(self) -> None:
        self.told.append("rolled back")

    def commit(self) -> None:
        self.told.append("committed")

    def close(self) -> None:
        """Stay as it is."""


def engine_of(server: Server) -> Any:
    """Make an engine of SQL Server, whose catalogue has two tables."""
    engine = sa.create_engine(
        "mssql+pymssql://me@host/lender", module=server, _initialize=False, poolclass=sa.NullPool
    )
    columns = {
        "Customers": dict(zip(ae.BORROWER_MODEL.sources["borrower"].columns, TYPES)),
        "role_profile": {"borrower_id": sa.CHAR(36), "role_profile": mssql.NVARCHAR(40)},
    }
    keys = {"Customers": ["id"], "role_profile": ["row id"]}
    told: Any = engine.dialect
    told.server_version_info, told.default_isolation_level = (16,), "READ COMMITTED"
    told.get_table_names = lambda *_, **__: list(columns)
    told.get_view_names = lambda *_, **__: []
    told.get_columns = lambda _, name, *__, **___: [
        {"name": column, "type": kind, "nullable": True} for column, kind in columns[name].items()
    ]
    told.get_pk_constraint = lambda _, name, *__, **___: {"constrained_columns": keys[name]}
    return engine


TABLES = {"borrower": "Lending Co.Customers"}


def test_its_transaction_is_a_snapshot_that_begins_before_a_table_is_read() -> None:
    server = Server(allows=1)
    found = read_database(engine_of(server), tables=TABLES)
    assert found["borrower"].iloc[0].tolist() == TEXTS
    level = server.told.index("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
    asked = [at for at, each in enumerate(server.told) if "ORDER BY" in each]
    assert server.told.index("rolled back") < level < asked[0] < asked[1]
    assert not {"rolled back", "committed"} & set(server.told[asked[0] : asked[1]])
    assert (
        "convert(varchar(40), [Lending Co].[Customers].street, 121) AS c2" in server.told[asked[0]]
    )
    assert server.told[asked[1]].endswith("ORDER BY role_profile.[row id]")


def test_a_database_that_allows_no_snapshot_is_refused_by_name() -> None:
    server = Server(allows=0)
    told = "one moment: it does not allow snapshot isolation; let its owner run ALTER DATABASE CUR"
    with pytest.raises(DatabaseError, match=told):
        read_database(engine_of(server), tables=TABLES)
    assert not [each for each in server.told if "ORDER BY" in each]


@pytest.mark.slow
def test_a_parser_of_sql_server_takes_all_that_is_sent() -> None:
    server = Server(allows=1)
    read_database(engine_of(server), tables=TABLES)
    statements = [each for each in server.told if each not in {"rolled back", "committed"}]
    assert len(statements) >= 5
    errors: dict[str, Any] = {each: parse_errors(each) for each in statements}
    assert {each: found for each, found in errors.items() if found} == {}
    cure = "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON"
    assert parse_errors(cure) == []
    assert parse_errors(next(each for each in statements if "ORDER BY" in each)[:-9]) != []


def test_a_first_model_is_proposed_of_its_types() -> None:
    engine = engine_of(Server(allows=1))
    engine.dialect.get_unique_constraints = lambda *_, **__: []
    engine.dialect.get_foreign_keys = lambda *_, **__: []
    engine.dialect.get_check_constraints = lambda *_, **__: (_ for _ in ()).throw(
        NotImplementedError
    )
    text = sql.propose_model(engine, tables={"customers": "Customers"}).model
    for line in (
        "id: Series[str] = column(primary_key=True, length=36)",
        "state: Series[str] = column(length=20, nullable=True)",
        "zip_code: Series[Decimal] = column(precision=19, scale=4, nullable=True)",
        "phone_cell: Series[bool] = column(nullable=True)",
        "email: Series[dt.date] = column(nullable=True)",
    ):
        assert line in text, line
