"""What a database holds comes as it is: every cell, every type, all of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.databases import read_database
from aspen_etl.errors import (
    ArgumentError,
    DatabaseError,
    ExtractError,
    FileFormatError,
    HeaderError,
    SourceNotFoundError,
)
from aspen_etl.schema import Model, Series, Table
from aspen_etl.testing import extracts
from tests.laws.models import EXTENDED_MODEL
from tests.support.borrowers import check_ours
from tests.support.clinic_model import MODEL as CLINIC
from tests.support.effort import some
from tests.support.ends import ENDS_MODEL, end_frames, texts_of

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from sqlalchemy.dialects import mysql  # noqa: E402 - needs what was just asked for

from aspen_etl import sql  # noqa: E402 - likewise
from aspen_etl.sql import flat, flat_sheets  # noqa: E402 - likewise

#: All drivers, since each has ways of its own with numbers and times.
DRIVERS = ["sqlite", "postgresql", "postgresql-psycopg2", "mariadb"]
SECRET = "pa55word"  # noqa: S105 - nobody's
SERVERS = ["postgresql", "mariadb"]

#: Text as each database compares and holds it: by its code points.
TEXT: Mapping[str, Any] = {
    "sqlite": sa.Text(),
    "postgresql": sa.Text(),
    "mariadb": mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"),
}


def put(database: Any, extract: ae.Extract, model: Model) -> None:
    """Put sheets into tables of text, under a key that the model does not know."""
    metadata = sa.MetaData()
    text = TEXT[database.name.partition("-")[0]]
    options = {"mysql_charset": "utf8mb4", "mysql_engine": "InnoDB"}
    with database.engine.begin() as connection:
        for name, spec in model.sources.items():
            columns = [sa.Column(column, text) for column in list(spec.columns)[::-1]]
            key = sa.Column("our_key", sa.Integer, primary_key=True, autoincrement=False)
            table = sa.Table(name, metadata, *columns, key, **options)
            table.drop(connection, checkfirst=True)
            table.create(connection)
            frame = extract[name].astype(object)
            rows = frame.where(frame.notna(), None).to_dict("records")
            # The last row goes in first: it is the key that tells the order.
            numbered = [{**row, "our_key": at} for at, row in enumerate(rows)]
            if numbered:
                connection.execute(table.insert(), numbered[::-1])


def check_same(found: ae.Extract, wanted: ae.Extract) -> None:
    assert list(found) == list(wanted)
    assert len(found.faults) == 0
    for name, frame in wanted.items():
        assert equal_frames(found[name], frame[list(found[name].columns)])
        assert found[name].index.tolist() == list(range(2, 2 + len(frame)))
        assert found[name].index.name == "row"


# ----------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("model", [EXTENDED_MODEL, CLINIC], ids=["borrower", "clinic"])
def test_any_extract_is_read_back(database: Any, model: Model) -> None:
    @settings(
        some(4, 6),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(extracts(model, faults="all"))
    def run(extract: ae.Extract) -> None:
        assume(not len(extract.faults))  # what is no text is in no table
        cells = "".join(str(frame.to_numpy(dtype=object).tolist()) for frame in extract.values())
        assume("\\x00" not in cells or database.name != "postgresql")
        put(database, extract, model)
        check_same(read_database(database.engine, model=model, chunk_rows=2), extract)

    run()


def cells(values: pd.Series) -> list[Optional[str]]:
    """Give cells; pandas 2 has two words for a missing one."""
    return [None if pd.isna(cell) else str(cell) for cell in values]


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_the_ends_of_each_range_are_read_as_their_canonical_text(one_database: Any) -> None:
    sql.load(end_frames(), one_database.engine, model=ENDS_MODEL)
    found = read_database(one_database.engine, model=ENDS_MODEL, tables={"ends": "end"})
    assert len(found.faults) == 0
    for sheet, table in (("ends", "end"), ("old", "old")):
        wanted = texts_of(ENDS_MODEL.tables[table])[list(found[sheet].columns)]
        for column in wanted:
            assert cells(found[sheet][column]) == cells(wanted[column]), column


# ----------------------------------------------------------------------------- cell by cell


class Thing(Table, source="thing"):
    """Two columns of text."""

    id: Series[str] = ae.column(natural_key=True, length=9)
    value: Series[str] = ae.column(nullable=True)


THING = Model.of(tables=[Thing])

#: By database: the type of a column, a value as SQL writes it, and the text that it is.
CELLS: Mapping[str, list[tuple[str, str, str | None]]] = {
    "sqlite": [
        ("TEXT", "''", ""),
        ("NUMERIC", "0.1", "0.1"),
        ("", "7", "7"),
        ("REAL", "16777217.0", "16777217"),
        ("INTEGER", "9223372036854775807", "9223372036854775807"),
        ("BOOLEAN", "1", "TRUE"),
        ("DATE", "'31.01.2026'", "31.01.2026"),
        ("UUID", "'A'", "A"),
        ("JSON", "'{\"a\": 1.10}'", '{"a": 1.10}'),
    ],
    "postgresql": [
        ("text", "''", ""),
        ("char(3)", "'a'", "a  "),
        ("numeric", "12345678901234567890.10", "12345678901234567890.1"),
        ("numeric", "'NaN'", "NaN"),
        ("real", "1.1", "1.1"),
        ("double precision", "0.1", "0.1"),
        ("double precision", "'NaN'", "NaN"),
        ("smallint", "7", "7"),
        ("boolean", "false", "FALSE"),
        ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("date", "'2026-01-31'", "2026-01-31"),
        ("timestamp", "'2026-01-31 00:00'", "2026-01-31"),
        ("timestamp", "'2026-01-31 10:00:00.000001'", "2026-01-31 10:00:00.000001"),
        ("timestamptz", "'2026-01-31 01:00+02'", "2026-01-30 23:00:00+00:00"),
        ("time", "'23:59:59'", "23:59:59"),
        ("mood", "'sad'", "sad"),
        ("word", "'x'", "x"),
        ("text", "NULL", None),
    ],
    "mariadb": [
        ("varchar(9) charset utf8mb4", "'\u00fc '", "\u00fc "),
        ("varchar(9)", "''", ""),
        ("decimal(20,2)", "12345678901234567.10", "12345678901234567.1"),
        ("float", "8388607", "8388607"),
        ("float", "1.1", "1.1"),
        ("double", "0.1", "0.1"),
        ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        ("boolean", "true", "1"),
        ("bit(1)", "b'1'", "1"),
        ("year", "2026", "2026"),
        ("date", "'2026-01-31'", "2026-01-31"),
        ("date", "'0000-00-00'", "0000-00-00"),
        ("datetime(6)", "'2026-01-31 10:00:00.000001'", "2026-01-31 10:00:00.000001"),
        ("datetime", "'2026-01-31 00:00:00'", "2026-01-31"),
        ("timestamp", "'2026-01-31 01:00:00'", "2026-01-30 23:00:00+00:00"),
        ("time", "'-100:00:01'", "-100:00:01"),
        ("enum('a','b')", "'b'", "b"),
        ("set('a','b')", "'a,b'", "a,b"),
        ("varchar(9)", "NULL", None),
    ],
}
#: What a database must know before, and in which zone its session is when it writes.
BEFORE = {
    "sqlite": [],
    "postgresql": ["CREATE TYPE mood AS ENUM ('sad')", "CREATE DOMAIN word AS varchar(9)"],
    "mariadb": ["SET time_zone = '+02:00'", "SET sql_mode = ''"],
}


def put_thing(database: Any, columns: list[tuple[str, str]]) -> None:
    """Make a table of one row, of columns of some types, each with a value of SQL."""
    kind = database.name.partition("-")[0]
    # A colon, or a percent sign, is nobody's parameter.
    with database.engine.begin() as connection:
        for statement in BEFORE[kind]:
            connection.exec_driver_sql(statement)
        names = [f"c{at}" for at in range(len(columns))]
        types = ", ".join(f"{name} {kind}" for name, (kind, _) in zip(names, columns))
        connection.exec_driver_sql(f"CREATE TABLE thing (id varchar(9) PRIMARY KEY, {types})")
        values = ", ".join(value for _, value in columns)
        connection.exec_driver_sql(f"INSERT INTO thing VALUES ('a', {values})")  # noqa: S608 - ours


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_a_value_of_any_type_is_its_exact_text(one_database: Any) -> None:
    cells = CELLS[one_database.name.partition("-")[0]]
    put_thing(one_database, [(kind, value) for kind, value, _ in cells])
    for at, (kind, value, text) in enumerate(cells):
        found = read_database(one_database.engine, model=THING, columns={f"c{at}": "value"})
        (cell,) = found["thing"]["value"].astype(object).tolist()
        assert (None if pd.isna(cell) else cell) == text, (kind, value)
        assert len(found.faults) == 0


REFUSED = {
    "sqlite": ["BLOB"],
    "postgresql": ["bytea", "int[]", "json", "jsonb", "interval", "inet", "money", "int4range"],
    "mariadb": ["blob", "varbinary(9)", "point"],
}


@pytest.mark.parametrize("one_database", ["sqlite", *SERVERS], indirect=True)
def test_a_type_that_holds_no_value_of_a_table_is_refused_by_name(one_database: Any) -> None:
    kinds = REFUSED[one_database.name]
    put_thing(one_database, [(kind, "NULL") for kind in kinds])
    for at, kind in enumerate(kinds):
        with pytest.raises(FileFormatError, match=rf"column of type \w+ \(thing.c{at}\)") as found:
            read_database(one_database.engine, model=THING, columns={f"c{at}": "value"})
        assert found.value.details["problem"] == "unsupported", kind


@pytest.mark.parametrize("one_database", ["sqlite"], indirect=True)
def test_bytes_in_a_column_of_text_are_told_and_not_shown(one_database: Any) -> None:
    put_thing(one_database, [("TEXT", "x'68757368'")])
    with pytest.raises(ExtractError, match=r"thing\.c0: a cell is of type bytes") as found:
        read_database(one_database.engine, model=THING, columns={"c0": "value"})
    check_ours(found.value, "hush")
    assert found.value.details["column"] == "value"


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_a_number_that_its_float_does_not_hold_is_a_fault(one_database: Any) -> None:
    kind = {"sqlite": "REAL", "mariadb": "double"}.get(one_database.name, "double precision")
    put_thing(one_database, [(kind, "9007199254740993.0")])
    found = read_database(one_database.engine, model=THING, columns={"c0": "value"})
    assert found["thing"]["value"].isna().all()
    assert found.faults[["source", "row", "column", "rule"]].to_numpy().tolist() == [
        ["thing", 2, "value", "inexact_number"]
    ]


# ----------------------------------------------------------------------------- what is read


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Any]:
    """Give a database of two tables that are called otherwise, and a view."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'lender.db'}")
    columns = ", ".join(ae.BORROWER_MODEL.sources["borrower"].columns)
    with engine.begin() as connection:
        for statement in (
            f"CREATE TABLE Customers (secret_note, {columns}, PRIMARY KEY (id))",
            "CREATE TABLE roles (pk INTEGER PRIMARY KEY, Owner TEXT, role_profile TEXT)",
            "CREATE VIEW role_view AS SELECT owner AS borrower_id, role_profile FROM roles",
            "INSERT INTO Customers (id, full_name, secret_note) VALUES ('b', 'Bob B', x'00')",
            "INSERT INTO Customers (id, full_name) VALUES ('a', 'Ann A')",
            "INSERT INTO roles VALUES (3, 'a', 'Borrower'), (1, 'b', NULL), (2, 'b', 'Broker')",
        ):
            connection.exec_driver_sql(statement)
    yield engine
    engine.dispose()


TABLES = {"borrower": "customers", "role_profile": "roles"}


def test_tables_and_columns_go_by_the_names_that_they_have_there(lite: Any) -> None:
    asked: list[str] = []
    sa.event.listen(lite, "before_cursor_execute", lambda *given: asked.append(given[2]))
    found = read_database(lite, tables=TABLES, columns={"owner": "borrower_id"})
    assert found["borrower"]["full_name"].tolist() == ["Ann A", "Bob B"]
    assert found["role_profile"].astype(object).fillna("-").to_numpy().tolist() == [
        ["b", "-"],
        ["b", "Broker"],
        ["a", "Borrower"],
    ]
    selects = [each for each in asked if "ORDER BY" in each and "Customers" in each]
    assert len(selects) == 1
    assert "secret_note" not in selects[0]


def test_a_view_comes_in_the_order_of_its_cells(lite: Any) -> None:
    tables = {"borrower": "customers", "role_profile": "role_view"}
    found = read_database(lite, tables=tables, chunk_rows=1)
    assert found["role_profile"].astype(object).fillna("-").to_numpy().tolist() == [
        ["a", "Borrower"],
        ["b", "-"],
        ["b", "Broker"],
    ]
    assert found["role_profile"].index.tolist() == [2, 3, 4]


def test_faults_go_with_the_rows_of_a_view(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'things.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (id TEXT, value)")
        connection.exec_driver_sql(
            "INSERT INTO thing VALUES ('c', 2e16), ('a', 'x'), ('b', 3e16), ('b', 1e16)"
        )
    found = read_database(engine, model=THING)
    engine.dispose()
    assert found["thing"]["id"].tolist() == ["a", "b", "b", "c"]
    assert found.faults[["row", "value"]].to_numpy().tolist() == [
        [3, "1e+16"],
        [4, "3e+16"],
        [5, "2e+16"],
    ]


def test_what_is_missing_is_named_before_a_row_is_read(lite: Any) -> None:
    asked: list[str] = []
    sa.event.listen(lite, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with pytest.raises(HeaderError, match="no table 'borrower' for the source borrower") as found:
        read_database(lite)
    assert found.value.details["problem"] == "missing_sheet"
    with pytest.raises(HeaderError, match="roles: no column 'borrower_id'") as found:
        read_database(lite, tables=TABLES)
    assert found.value.details["problem"] == "missing_column"
    with pytest.raises(HeaderError, match="'borrowerid', which no sheet of the model has"):
        read_database(lite, tables=TABLES, columns={"owner": "borrowerid"})
    with pytest.raises(ExtractError, match="tables= names 'roles', which is no source"):
        read_database(lite, tables={"roles": "roles"})
    with pytest.raises(ArgumentError, match="chunk_rows= is at least 1"):
        read_database(lite, chunk_rows=0)
    assert not [each for each in asked if "ORDER BY" in each and "Customers" in each]


def test_a_url_will_do_and_makes_no_file(lite: Any, tmp_path: Path) -> None:
    engine, columns = lite.url, {"owner": "borrower_id"}
    url = engine.render_as_string()
    assert len(read_database(url, tables=TABLES, columns=columns)["borrower"]) == 2
    with pytest.raises(SourceNotFoundError):
        read_database(f"sqlite:///{tmp_path / 'nothing.db'}")
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.parametrize("one_database", SERVERS, indirect=True)
def test_a_table_of_another_schema_is_named_with_it(one_database: Any) -> None:
    put_thing(one_database, [("varchar(9)", "'x'")])
    other = f"other_{one_database.engine.url.database}"
    with one_database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {other}")
        connection.exec_driver_sql(f"CREATE TABLE {other}.thing AS SELECT 'a' AS id, 'y' AS c0")
    try:
        for schema, table, text in (
            (None, "thing", "x"),
            (other, "thing", "y"),
            (None, f"{other}.thing", "y"),
        ):
            found = read_database(
                one_database.engine,
                model=THING,
                columns={"c0": "value"},
                schema=schema,
                tables={"thing": table},
            )
            assert found["thing"]["value"].tolist() == [text]
    finally:
        cascade = " CASCADE" if one_database.name == "postgresql" else ""
        one_database.execute(f"DROP SCHEMA {other}{cascade}")


# ----------------------------------------------------------------------------- of one moment


LEVELS = ["READ COMMITTED", "AUTOCOMMIT"]


@pytest.mark.parametrize(
    ("one_database", "level"),
    [*((each, None) for each in DRIVERS), *((each, level) for each in SERVERS for level in LEVELS)],
    indirect=["one_database"],
)
def test_what_others_commit_meanwhile_is_not_seen(
    one_database: Any, level: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if one_database.name == "sqlite":
        with one_database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # else the writer would wait
    text = "varchar(40)"
    with one_database.engine.begin() as connection:
        columns = " , ".join(
            f"{name} {text}" for name in ae.BORROWER_MODEL.sources["borrower"].columns
        )
        connection.exec_driver_sql(f"CREATE TABLE borrower ({columns}, PRIMARY KEY (id))")
        connection.exec_driver_sql(
            f"CREATE TABLE role_profile (borrower_id {text} PRIMARY KEY, role_profile {text})"
        )
        connection.exec_driver_sql("INSERT INTO borrower (id) VALUES ('a')")
        connection.exec_driver_sql("INSERT INTO role_profile VALUES ('a', 'Borrower')")
    seen: list[str] = []

    def write(source: str) -> None:
        seen.append(source)
        with one_database.engine.begin() as other:
            values = {"id": source}
            other.execute(sa.text("INSERT INTO borrower (id) VALUES (:id)"), values)
            other.execute(sa.text("INSERT INTO role_profile VALUES (:id, 'Broker')"), values)

    real = flat_sheets.read_rows

    def rows(connection: Any, table: Any, *rest: Any) -> Any:
        found = real(connection, table, *rest)
        write(table.source)
        return found

    monkeypatch.setattr(flat, "read_rows", rows)
    options = {} if level is None else {"isolation_level": level}
    engine = one_database.another(**options)
    found = read_database(engine)
    assert seen == ["borrower", "role_profile"]
    assert found["borrower"]["id"].tolist() == ["a"]
    assert found["role_profile"]["borrower_id"].tolist() == ["a"]
    monkeypatch.undo()
    assert len(read_database(engine)["role_profile"]) == 3
    engine.dispose()


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_a_connection_goes_back_to_its_pool_as_it_was(one_database: Any) -> None:
    put_thing(one_database, [("varchar(9)", "'x'")])
    ask = {
        "postgresql": "SELECT current_setting('TimeZone')",
        "mariadb": "SELECT CONCAT(@@session.time_zone, @@session.tx_isolation)",
        "sqlite": "SELECT 1",
    }[one_database.name.partition("-")[0]]
    engine = sa.create_engine(one_database.url, pool_size=1, max_overflow=0)
    with engine.connect() as connection:
        before = connection.exec_driver_sql(ask).scalar()
    read_database(engine, model=THING, columns={"c0": "value"})
    with engine.begin() as connection:
        assert connection.exec_driver_sql(ask).scalar() == before
        connection.exec_driver_sql("INSERT INTO thing (id) VALUES ('b')")
    engine.dispose()
    assert one_database.scalar("SELECT count(*) FROM thing") == 2


@pytest.mark.parametrize("one_database", ["postgresql", "mariadb"], indirect=True)
def test_the_server_keeps_the_rows_that_were_not_fetched(one_database: Any) -> None:
    put_thing(one_database, [("varchar(9)", "'x'")])
    kinds: set[str] = set()
    engine = one_database.another()
    sa.event.listen(
        engine,
        "before_cursor_execute",
        lambda _, cursor, text, *__: (
            kinds.add(type(cursor).__name__) if "ORDER BY thing.id" in text else None
        ),
    )
    read_database(engine, model=THING, columns={"c0": "value"})
    engine.dispose()
    assert kinds <= {"ServerCursor", "SSCursor"}
    assert kinds


@pytest.mark.parametrize("one_database", ["mariadb"], indirect=True)
def test_a_storage_without_transactions_is_refused_by_name(one_database: Any) -> None:
    put_thing(one_database, [("varchar(9)", "'x'")])
    one_database.execute("ALTER TABLE thing ENGINE=MyISAM")
    with pytest.raises(
        DatabaseError, match="one moment: the storage engine of 'thing' knows no tr"
    ):
        read_database(one_database.engine, model=THING, columns={"c0": "value"})


@pytest.mark.parametrize("one_database", SERVERS, indirect=True)
def test_what_a_driver_says_is_told_without_its_text(one_database: Any) -> None:
    url = one_database.engine.url.set(username="hush", password=SECRET, database="nowhere")
    with pytest.raises(
        DatabaseError, match=r"connecting failed \(OperationalError.*read again"
    ) as found:
        read_database(url.render_as_string(hide_password=False))
    check_ours(found.value, "hush", SECRET)
