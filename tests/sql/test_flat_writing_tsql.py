"""What is sent to SQL Server, of which none is here, when flat tables are written to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, ConflictError
from aspen_etl.schema import Model, Series, Table
from aspen_etl.transform.flat_changes import FlatChanges
from tests.support.scriptdom import parse_errors

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from sqlalchemy.dialects import mssql  # noqa: E402 - needs what was just asked for

from aspen_etl.sql.flat import FlatDatabase  # noqa: E402 - likewise
from aspen_etl.sql.flat_state import FlatState  # noqa: E402 - likewise
from aspen_etl.sql.flat_tables import FlatNames  # noqa: E402 - likewise

#: Some of its types have no annotations.
KINDS: Any = mssql
COLUMNS = {
    "id": KINDS.UNIQUEIDENTIFIER(),
    "name": KINDS.NVARCHAR(20),
    "price": KINDS.MONEY(),
    "share": sa.FLOAT(53),
    "since": KINDS.DATETIME2(),
    "flag": KINDS.BIT(),
    "branch no": sa.INTEGER(),
    "stamp": KINDS.TIMESTAMP(),
}
NUMBERED = {"name": "row no", "type": sa.INTEGER(), "nullable": False, "identity": {"start": 1}}


class Thing(Table, source="thing"):
    """A cell of many a type."""

    id: Series[str] = ae.column(natural_key=True, length=36)
    name: Series[str] = ae.column(nullable=True)
    price: Series[str] = ae.column(nullable=True)
    share: Series[str] = ae.column(nullable=True)
    since: Series[str] = ae.column(nullable=True)
    flag: Series[str] = ae.column(nullable=True)


MODEL = Model.of(tables=[Thing])
IDS = [f"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1{at}" for at in range(3)]
ROWS: dict[str, list[Any]] = {
    IDS[0]: ["Ann", "19", "1.5", "2026-01-31", "TRUE"],
    IDS[1]: ["Bob", None, None, None, "FALSE"],
}
AFTER: dict[str, list[Any]] = {
    IDS[0]: ["Ann", "20.5", "0.1", "2026-02-01 10:00:00.0000001", "FALSE"],
    IDS[2]: ["Cid", "1", None, None, "TRUE"],
}


class Server:
    """Stand for a driver and a server that holds some rows, and note what they are told.

    Attributes:
        rows: What the table holds; what it holds once it was written to.
        told: The statements, and where a transaction ended.
        meets: How many rows a statement meets.
    """

    paramstyle, version, __version__ = "pyformat", "5.0.0", "2.3.0"
    Error = Warning = type("Error", (Exception,), {})

    def __init__(self, meets: int = 1) -> None:
        self.meets = meets
        self.told: list[tuple[str, Any]] = []
        self.answer: list[Any] = []
        self.description: Any = None
        self.rowcount = -1

    def connect(self, *_: Any, **__: Any) -> Any:
        return self

    def autocommit(self, _: bool) -> None:  # noqa: FBT001 - as the driver has it
        """Stay as it is."""

    def cursor(self) -> Any:
        return self

    def executemany(self, statement: str, many: Any) -> None:
        for each in many:
            self.execute(statement, each)

    def execute(self, statement: str, given: Any = ()) -> None:
        wrote = any(text.startswith("INSERT INTO [Lending Co]") for text, _ in self.told)
        self.told.append((statement, given))
        self.rowcount = self.meets if statement.startswith(("UPDATE", "DELETE")) else -1
        if "aspen_etl_side" in statement:
            self.rowcount = 0
        found: list[Any] = []
        width = 1
        if "@@LOCK_TIMEOUT" in statement:
            found = [(-1,)]
        elif "FROM [Lending Co]" in statement and statement.startswith("SELECT"):
            held = AFTER if wrote else ROWS
            found = [self._row(key, cells, statement) for key, cells in held.items()]
            width = len(found[0])
        self.answer = found
        named = [(f"c{at}", None, None, None, None, None, None) for at in range(width)]
        self.description = named if statement.startswith("SELECT") else None

    @staticmethod
    def _row(key: str, cells: list[Any], statement: str) -> tuple[Any, ...]:
        texts = [key, *cells]
        texts[5] = {"TRUE": True, "FALSE": False}[texts[5]]
        beside = statement.count(" AS b")
        return (*texts, *(f"seen {at}" for at in range(beside)))

    def fetchone(self) -> Any:
        return self.answer.pop(0) if self.answer else None

    def fetchmany(self, _: int = 1) -> Any:
        rows, self.answer = self.answer, []
        return rows

    fetchall = fetchmany

    def rollback(self) -> None:
        self.told.append(("rolled back", ()))

    def commit(self) -> None:
        self.told.append(("committed", ()))

    def close(self) -> None:
        """Stay as it is."""

    @property
    def statements(self) -> Iterator[str]:
        """What was said, but for ends of transactions."""
        return (text for text, _ in self.told if text not in ("rolled back", "committed"))


def side_of(server: Server) -> FlatDatabase:
    engine = sa.create_engine(
        "mssql+pymssql://me@host/lender", module=server, _initialize=False, poolclass=sa.NullPool
    )
    told: Any = engine.dialect
    told.server_version_info, told.default_isolation_level = (16,), "READ COMMITTED"
    told.default_schema_name = "dbo"
    told.get_table_names = lambda *_, **__: ["Things"]
    told.get_view_names = lambda *_, **__: []
    told.get_columns = lambda *_, **__: [
        *(
            {"name": name, "type": kind, "nullable": name not in ("branch no", "stamp")}
            for name, kind in COLUMNS.items()
        ),
        NUMBERED,
    ]
    told.get_pk_constraint = lambda *_, **__: {"constrained_columns": ["row no", "id"]}
    told.has_table = lambda *_, **__: False
    return FlatDatabase(engine, MODEL, FlatNames({"thing": "Lending Co.Things"}), None)


def frame(rows: dict[str, list[Any]]) -> dict[str, pd.DataFrame]:
    records = [[key, *cells] for key, cells in rows.items()]
    columns = list(MODEL.sources["thing"].columns)
    return {"thing": pd.DataFrame(records, columns=columns, dtype=object)}


CHANGES = FlatChanges(
    inserted=frame({IDS[2]: AFTER[IDS[2]]}),
    deleted=frame({IDS[1]: ROWS[IDS[1]]}),
    updated=frame({IDS[0]: AFTER[IDS[0]]}),
    was=frame({IDS[0]: ROWS[IDS[0]]}),
)
DEFAULTS = {"Things.branch no": 7}


def write(side: FlatDatabase, **more: Any) -> Any:
    given = {"version": 3, "token": "t", "deletes": True, "expected": None, "defaults": DEFAULTS}
    return side.write(CHANGES, **{**given, **more})


def test_its_statements_are_guarded_and_one_transaction() -> None:
    server = Server()
    counts = write(side_of(server))
    assert counts == {"thing": {"inserted": 1, "updated": 1, "deleted": 1}}
    told = [text for text, _ in server.told]
    (create,) = (at for at, each in enumerate(told) if "CREATE TABLE [aspen_etl_side]" in each)
    ends = (each for each in told[create:] if each in {"committed", "rolled back"})
    assert next(ends) == "committed"
    assert "committed" not in told[:create]
    state = next(each for each in told if "FROM [aspen_etl_side]" in each)
    assert "WITH (UPDLOCK, HOLDLOCK)" in state
    ((update, given),) = (
        (text, each) for text, each in server.told if text.startswith("UPDATE [L")
    )
    assert "SET price=" in update
    assert "name=" not in update.partition("WHERE")[0]
    mark = (
        "convert(nvarchar(max), [Lending Co].[Things].price, 2) + N'.') COLLATE Latin1_General_10"
    )
    assert mark in update
    assert "INTERSECT" in update
    assert given["aspen_etl_v3"] is False
    ((insert, new),) = (
        (text, each) for text, each in server.told if text.startswith("INSERT INTO [L")
    )
    assert "[branch no]" in insert
    assert "row no" not in insert
    assert "stamp" not in insert
    assert new["branch_no"] == 7


@pytest.mark.parametrize("meets", [0, 2])
def test_another_number_of_rows_ends_it(meets: int) -> None:
    server = Server(meets)
    with pytest.raises(ConflictError, match="rows of thing: 1"):
        write(side_of(server))
    assert "committed" not in [text for text, _ in server.told]
    with pytest.raises(ConflictError, match="another run wrote"):
        write(side_of(Server()), expected=FlatState(1, "t", deletes=True))
    with pytest.raises(ArgumentError, match=r"'Things.branch no'"):
        write(side_of(Server()), defaults={})


@pytest.mark.slow
def test_a_parser_of_sql_server_takes_all_that_is_sent() -> None:
    server = Server()
    write(side_of(server))
    statements = list(dict.fromkeys(server.statements))
    kinds = {each.split()[0] for each in statements}
    assert kinds >= {"SELECT", "CREATE", "UPDATE", "INSERT", "DELETE"}
    plain = {each: re.sub(r"%\((\w+)\)s", r"@\1", each) for each in statements}
    errors: dict[str, Any] = {text: parse_errors(text) for text in plain.values()}
    assert {each: found for each, found in errors.items() if found} == {}
