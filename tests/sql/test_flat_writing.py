"""What is written to flat tables is written over nothing that somebody else changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Optional

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, AspenETLError, ConflictError, DatabaseError
from aspen_etl.schema import Model, Series, Table
from aspen_etl.transform.flat_changes import FlatChanges
from tests.support.borrowers import check_ours
from tests.support.ends import End, texts_of
from tests.support.lender import (
    Rows,
    add_row,
    changed,
    check_rows,
    drop_rows,
    make_lender,
    rows_of,
    set_cell,
)

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.sql import flat, flat_looking, flat_sheets, flat_state, flat_writing  # noqa: E402 - likewise
from aspen_etl.sql.flat import FlatDatabase  # noqa: E402 - likewise
from aspen_etl.sql.flat_state import FlatState  # noqa: E402 - likewise
from aspen_etl.sql.flat_tables import FlatNames  # noqa: E402 - likewise

DRIVERS = ["sqlite", "postgresql", "postgresql-psycopg2", "mariadb"]
SERVERS = ["postgresql", "mariadb"]
FIRST = FlatState(1, "t", deletes=True)


def side_of(database: Any, model: Model = ae.BORROWER_MODEL, **tables: str) -> FlatDatabase:
    return FlatDatabase(database.engine, model, FlatNames(tables), None)


def write(side: FlatDatabase, changes: FlatChanges, state: FlatState = FIRST, **more: Any) -> Any:
    return side.write(changes, **state._asdict(), **{"expected": None, **more})


def raw_rows(database: Any, table: str = "borrower") -> list[tuple[Any, ...]]:
    """Give all that a table holds."""
    with database.engine.connect() as connection:
        return sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {table}")), key=repr)  # noqa: S608 - ours


def all_rows(database: Any) -> Any:
    """Give all that the tables hold, that of the side's state too."""
    there = sa.inspect(database.engine).get_table_names()
    return {name: raw_rows(database, name) for name in there}


def edit_all(rows: Rows) -> None:
    """Change, add and take away rows of both sheets."""
    set_cell(rows, "b1", "full_name", "Ann Ray")
    set_cell(rows, "b2", "email", None)
    set_cell(rows, "b2", "phone_cell", "5125550199")
    set_cell(rows, "b3", "zip_code", None)
    add_row(rows, "borrower", id="b5", full_name="Eve Orr", email="e@x.org")
    add_row(rows, "role_profile", borrower_id="b1", role_profile="broker")
    add_row(rows, "role_profile", borrower_id="b5", role_profile="borrower")
    drop_rows(rows, "role_profile", "borrower_id", "b3")
    drop_rows(rows, "borrower", "id", "b3")


def rename(rows: Rows) -> None:
    """Change one cell."""
    set_cell(rows, "b2", "full_name", "Zed Zee")


# ----------------------------------------------------------------------------- what is written


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_changes_are_written_and_only_these(one_database: Any) -> None:
    make_lender(one_database)
    side = side_of(one_database)
    assert side.state() is None
    before = {row[0]: row for row in raw_rows(one_database)}
    changes, wanted = changed(side, edit_all)
    statements: list[str] = []
    sa.event.listen(
        one_database.engine, "before_cursor_execute", lambda *a: statements.append(a[2])
    )
    counts = write(side, changes)
    assert counts == {
        "borrower": {"inserted": 1, "updated": 2, "deleted": 1},
        "role_profile": {"inserted": 2, "updated": 0, "deleted": 1},
    }
    assert side.state() == FIRST
    check_rows(side, wanted)
    after = {row[0]: row for row in raw_rows(one_database)}
    # What surrounds an id stays, and so do cells that did not change and columns of nobody's.
    assert after[" b1 "] == (" b1 ", "Ann Ray", *before[" b1 "][2:])
    assert after["b4"] == before["b4"]
    roles = {row[1:] for row in raw_rows(one_database, "role_profile")}
    assert roles >= {(" b1 ", "broker"), ("b5", "borrower"), ("b2", "borrower")}
    updates = [each for each in statements if each.startswith("UPDATE borrower")]
    assert updates
    assert not [each for each in updates if "street" in each or "our_note" in each]
    # Once more, from what is there now to the same: nothing is said to the database.
    again, _ = changed(side, lambda _: None)
    statements.clear()
    assert again.is_empty
    assert write(side, again, FlatState(2, "u", deletes=False)) == again.counts
    assert statements == []
    assert side.state() == FIRST


def test_the_next_write_goes_on_from_the_state_of_the_last(database: Any) -> None:
    make_lender(database)
    side = side_of(database)
    write(side, changed(side, rename)[0])
    changes, wanted = changed(side, edit_all)
    second = FlatState(7, "x" * 64, deletes=False)
    for wrong in (None, FlatState(1, "other", deletes=True), FlatState(2, "t", deletes=True)):
        with pytest.raises(ConflictError, match=r"another run wrote to this side.*pull first") as e:
            write(side, changes, second, expected=wrong)
        assert e.value.details["problem"] == "side"
    assert side.state() == FIRST
    write(side, changes, second, expected=FIRST)
    assert side.state() == second
    check_rows(side, wanted)


@pytest.mark.parametrize("one_database", ["sqlite", *SERVERS], indirect=True)
def test_rows_and_state_are_read_as_of_one_moment(
    one_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lender(one_database)
    side = side_of(one_database)
    changes, _ = changed(side, rename)
    before, none = side.read_with_state()
    assert none is None
    write(side, changes)
    real, todo = flat_sheets.read_rows, [None]

    def rows(*given: Any) -> Any:
        if todo:
            todo.pop()
            if one_database.name != "sqlite":
                other = side_of(one_database)
                more, _ = changed(other, lambda each: set_cell(each, "b2", "full_name", "Al Q"))
                write(other, more, FlatState(2, "u", deletes=True), expected=FIRST)
        return real(*given)

    monkeypatch.setattr(flat, "read_rows", rows)
    found, state = side.read_with_state()
    assert state == FIRST
    assert "Zed Zee" in found["borrower"]["full_name"].tolist()
    assert "Zed Zee" not in before["borrower"]["full_name"].tolist()


def test_what_is_missing_is_null_or_an_empty_text_where_null_cannot_be(database: Any) -> None:
    make_lender(database)
    text = {
        "sqlite": None,
        "postgresql": "ALTER TABLE borrower ALTER COLUMN email SET NOT NULL",
        "mariadb": "ALTER TABLE borrower MODIFY email varchar(80) NOT NULL",
    }[database.name]
    if text is None:
        pytest.skip("SQLite cannot change a column")
    database.execute(text)
    side = side_of(database)

    def edit(rows: Rows) -> None:
        set_cell(rows, "b2", "email", None)
        set_cell(rows, "b3", "street", "3 Elm St")
        set_cell(rows, "b3", "city", "Waco")
        set_cell(rows, "b3", "state", "TX")
        set_cell(rows, "b3", "zip_code", "76701")
        set_cell(rows, "b1", "phone_home", None)

    changes, wanted = changed(side, edit)
    write(side, changes)
    check_rows(side, wanted)
    assert database.scalar("SELECT email FROM borrower WHERE id = 'b2'") == ""
    assert database.scalar("SELECT count(*) FROM borrower WHERE phone_home IS NULL") == 3


# ----------------------------------------------------------------------------- types


@pytest.mark.parametrize("one_database", DRIVERS[1:], indirect=True)
def test_the_ends_of_each_range_are_written_as_values_of_their_types(one_database: Any) -> None:
    model = Model.of(tables=[End])
    sql.create(one_database.engine, model=model)
    side = side_of(one_database, model, ends="end")
    texts = texts_of(model.tables["end"])[list(model.sources["ends"].columns)].astype(object)
    assert len(texts) > 4
    changes, wanted = changed(side, lambda rows: rows.update(ends=texts))
    audit = {"created": "2026-01-31 00:00:00.000", "updated": "2026-01-31 00:00:00.000"}
    audit |= {"created_by": "me", "updated_by": "me"}
    write(side, changes, defaults={f"end.{name}": text for name, text in audit.items()})
    check_rows(side, wanted)
    # Each cell of a row becomes that of the next row, and null what can be.
    name = "name"

    def turn(rows: Rows) -> None:
        frame = rows["ends"]
        for column in frame.columns:
            if column != name:
                frame[column] = [*frame[column].tolist()[1:], frame[column].tolist()[0]]

    changes, wanted = changed(side, turn)
    assert changes.counts["ends"]["updated"] > 4
    write(side, changes, FlatState(2, "u", deletes=True), expected=FIRST)
    check_rows(side, wanted)


class Thing(Table, source="thing"):
    """An id and a text."""

    id: Series[str] = ae.column(natural_key=True, length=9)
    value: Series[str] = ae.column(nullable=True)


class Flag(Table, source="flag"):
    """An id and a truth, by words of its own."""

    id: Series[str] = ae.column(natural_key=True, length=9)
    value: Series[bool] = ae.column(nullable=True, words={"Y": True, "N": False, "J": True})


THING, FLAG = Model.of(tables=[Thing]), Model.of(tables=[Flag])


def put_value(side: FlatDatabase, text: Optional[str], row: str = "a") -> FlatChanges:
    """Give changes that put a text where there is another one."""
    (name,) = side.model.sources

    def edit(rows: Rows) -> None:
        rows[name].loc[rows[name]["id"] == row, "value"] = text

    return changed(side, edit)[0]


def make_thing(database: Any, kind: str, value: str, table: str = "thing") -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {table} (id varchar(9) PRIMARY KEY, value {kind})"
        )
        rows = f"('a', {value}), ('b', NULL), ('c', {value})"
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES {rows}")  # noqa: S608 - ours


#: By database: a type, what stands there, a text that is written, and why it cannot be.
KINDS: dict[str, list[tuple[str, str, str, Optional[str]]]] = {
    "sqlite": [
        ("varchar(5)", "'x'", "Hush!!", "longer than 5 characters"),
        ("INTEGER", "1", "12", None),
        ("NUMERIC", "1", "0.1", None),
        ("BOOLEAN", "1", "FALSE", None),
        ("BOOLEAN", "1", "Hush", "neither true nor false"),
        ("", "'x'", "y", None),
        ("DATE", "'2026-01-31'", "2026-02-28", None),
    ],
    "postgresql": [
        ("varchar(5)", "'x'", "Hush!!", "longer than 5 characters"),
        ("char(5)", "'x'", "y", None),
        ("smallint", "1", "32768", "out of the range of its type"),
        ("smallint", "1", "-32768", None),
        ("bigint", "1", "Hush", "no whole number"),
        ("numeric(5,2)", "1", "1000.00", "more digits than 5, 2 of them behind the point"),
        ("numeric(5,2)", "1", "1.005", "more digits than 5, 2 of them behind the point"),
        ("numeric(5,2)", "1", "-999.99", None),
        ("numeric", "1", "Hush", "no number"),
        ("real", "1.1", "0.1", None),
        ("double precision", "0.1", "1.1", None),
        ("boolean", "true", "FALSE", None),
        ("boolean", "true", "Hush", "neither true nor false"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "Hush", "no UUID"),
        (
            "uuid",
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            None,
        ),
        ("date", "'2026-01-31'", "2026-02-30", "no date"),
        ("date", "'2026-01-31'", "2026-02-28", None),
        ("timestamp", "'2026-01-31'", "2026-01-31 10:00:00.000001", None),
        ("timestamp", "'2026-01-31'", "2026-01-31 10:00:00+02:00", "a moment in a zone"),
        ("timestamptz", "'2026-01-31 01:00+02'", "2026-01-31 10:00:00+00:00", None),
        ("timestamptz", "'2026-01-31 01:00+02'", "2026-01-31 10:00:00", "a moment in no zone"),
        ("timestamp(3)", "'2026-01-31'", "2026-01-31 10:00:00.0001", "more than 3 digits of a sec"),
        ("time", "'10:00:00'", "23:59:59", None),
        ("time", "'10:00:00'", "Hush", "no time of day"),
        ("mood", "'sad'", "glad", None),
        ("mood", "'sad'", "Hush", "no word of its enumeration"),
        ("word", "'x'", "y", None),
    ],
    "mariadb": [
        ("varchar(5)", "'x'", "Hush!!", "longer than 5 characters"),
        ("tinyint unsigned", "1", "255", None),
        ("tinyint", "1", "128", "out of the range of its type"),
        ("mediumint unsigned", "1", "16777215", None),
        ("bigint unsigned", "1", "18446744073709551615", None),
        ("decimal(20,2)", "1", "12345678901234567.1", None),
        ("decimal(5,2)", "1", "1.005", "more digits than 5, 2 of them behind the point"),
        ("float", "1.1", "0.1", None),
        ("double", "0.1", "1.1", None),
        ("boolean", "true", "0", None),
        ("bit(1)", "b'1'", "0", None),
        ("bit(1)", "b'1'", "2", "out of the range of its type"),
        ("year", "2026", "2027", None),
        ("date", "'2026-01-31'", "2026-02-28", None),
        ("date", "'2026-01-31'", "Hush", "no date"),
        ("datetime", "'2026-01-31'", "2026-01-31 10:00:00.5", "more than 0 digits of a second"),
        ("datetime(6)", "'2026-01-31'", "2026-01-31 10:00:00.000001", None),
        ("timestamp", "'2026-01-31 01:00:00'", "2026-01-30 23:00:00+00:00", None),
        ("timestamp", "'2026-01-31 01:00:00'", "2026-01-30 23:00:00", "a moment in no zone"),
        ("time", "'10:00:00'", "23:59:59", None),
        ("enum('a','b')", "'b'", "a", None),
        ("enum('a','b')", "'b'", "Hush", "no word of its enumeration"),
        ("set('a','b')", "'a,b'", "a", None),
    ],
}


@pytest.mark.parametrize("one_database", ["sqlite", *SERVERS], indirect=True)
def test_a_text_becomes_the_value_of_its_type_or_is_refused_by_name(one_database: Any) -> None:
    name = one_database.name
    if name == "postgresql":
        one_database.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        one_database.execute("CREATE DOMAIN word AS varchar(9)")
    expected: Optional[FlatState] = None
    for at, (kind, value, text, why) in enumerate(KINDS[name]):
        table = f"thing_{at}"
        make_thing(one_database, kind, value, table)
        side = side_of(one_database, THING, thing=table)
        texts = [text, text, None]  # another one, one for null, and null
        changes, _ = changed(side, partial(put_all, texts))
        if why is not None:
            with pytest.raises(DatabaseError, match=f"thing.value: 2 are {why}") as found:
                write(side, changes, expected=expected)
            check_ours(found.value, "Hush")
            continue
        state = FlatState(at + 1, "t", deletes=True)
        write(side, changes, state, expected=expected)
        again = [str(cell).lower() for cell in rows_of(side)["thing"]["value"].tolist()[:2]]
        assert again == [text.lower()] * 2, (kind, text)
        assert one_database.scalar(f"SELECT id FROM {table} WHERE value IS NULL") == "c"  # noqa: S608 - ours
        expected = state


def put_all(texts: list[Optional[str]], rows: Rows) -> None:
    rows["thing"]["value"] = pd.Series(texts, dtype=object)


@pytest.mark.parametrize("one_database", ["sqlite", *SERVERS], indirect=True)
def test_a_truth_is_written_in_the_first_words_of_the_model(one_database: Any) -> None:
    make_thing(one_database, "char(1)", "'Y'", "flag")
    side = side_of(one_database, FLAG)
    write(side, put_value(side, "false"))
    assert one_database.scalar("SELECT value FROM flag WHERE id = 'a'") == "N"
    write(side, put_value(side, "true", "b"), expected=FIRST)
    assert one_database.scalar("SELECT value FROM flag WHERE id = 'b'") == "Y"


def test_a_missing_value_where_null_cannot_be_is_refused(database: Any) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE thing (id varchar(9) PRIMARY KEY, value integer NOT NULL)"
        )
        connection.exec_driver_sql("INSERT INTO thing VALUES ('a', 1)")
    side = side_of(database, THING)
    with pytest.raises(
        DatabaseError, match=r"thing.value: 1 is missing, and the column is NOT NULL"
    ):
        write(side, put_value(side, None))
    assert side.state() is None


# ----------------------------------------------------------------------------- new rows


def add_thing(rows: Rows) -> None:
    add_row(rows, "thing", id="d", value="z")


def test_a_new_row_has_what_columns_outside_of_the_model_need(database: Any) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE thing (id varchar(9) PRIMARY KEY, value varchar(9), branch integer "
            "NOT NULL, kind varchar(9) NOT NULL DEFAULT 'k', more varchar(9))"
        )
        connection.exec_driver_sql("INSERT INTO thing VALUES ('a', 'x', 1, 'k', NULL)")
    side = side_of(database, THING)
    changes, wanted = changed(side, add_thing)
    with pytest.raises(ArgumentError, match=r"new rows need a value for 'thing.branch'") as found:
        write(side, changes)
    assert found.value.details["missing"] == ("thing.branch",)
    for wrong in ("thing.brunch", "thing.value", "branch"):
        with pytest.raises(ArgumentError, match=f"names '{wrong}', which is no column outside"):
            write(side, changes, defaults={wrong: 7, "thing.branch": 7})
    assert side.state() is None
    write(side, changes, defaults={"thing.branch": 7, "thing.more": "m"})
    check_rows(side, wanted)
    assert ("d", "z", 7, "k", "m") in raw_rows(database, "thing")
    # No new row needs none.
    write(side, put_value(side, "y"), expected=FIRST)


@pytest.mark.parametrize("one_database", ["postgresql", "mariadb"], indirect=True)
def test_what_the_database_computes_is_left_to_it(one_database: Any) -> None:
    computed = "GENERATED ALWAYS AS (upper(id)) STORED"
    with one_database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE thing (id varchar(9) PRIMARY KEY, value varchar(9) {computed})"
        )
        connection.exec_driver_sql("INSERT INTO thing (id) VALUES ('a')")
    side = side_of(one_database, THING)
    changes, wanted = changed(side, lambda rows: add_row(rows, "thing", id="c", value="C"))
    write(side, changes)
    check_rows(side, wanted)
    with pytest.raises(DatabaseError, match=r"not what was to be there \(thing.value: 1\)"):
        write(side, put_value(side, "y"), expected=FIRST)


def test_a_new_row_that_is_there_is_no_conflict_if_it_is_equal(database: Any) -> None:
    make_thing(database, "varchar(9)", "'x'")
    side = side_of(database, THING)
    changes, wanted = changed(side, add_thing)
    database.execute("INSERT INTO thing VALUES (' d', 'y')")
    with pytest.raises(ConflictError, match=r"changed there since.*rows of thing: 1.*pull first"):
        write(side, changes)
    database.execute("UPDATE thing SET value = ' z ' WHERE id = ' d'")
    assert write(side, changes)["thing"]["inserted"] == 0
    check_rows(side, wanted)
    assert side.state() == FIRST


# ----------------------------------------------------------------------------- guards, as read


#: What somebody else does before we write, and where it is told.
BEFORE_US: list[tuple[str, Callable[[Rows], None], dict[Any, int]]] = [
    (
        "UPDATE borrower SET full_name = 'Hush Q' WHERE id = 'b2'",
        rename,
        {("borrower", "full_name"): 1},
    ),
    ("DELETE FROM borrower WHERE id = 'b2'", rename, {("borrower", None): 1}),
    ("UPDATE borrower SET id = 'Hush' WHERE id = 'b2'", rename, {("borrower", None): 1}),
    (
        "UPDATE borrower SET full_name = NULL WHERE id = 'b2'",
        rename,
        {("borrower", "full_name"): 1},
    ),
    (
        "UPDATE borrower SET email = 'hush@x.org' WHERE id = 'b3'",
        edit_all,
        {("borrower", "email"): 1},
    ),
    (
        "UPDATE borrower SET phone_cell = 'Hush' WHERE id = 'b2'",  # which is no phone
        edit_all,
        {("borrower", "phone_cell"): 1},
    ),
    (
        "UPDATE borrower SET city = NULL WHERE id = 'b2'",  # so that no address is accepted
        lambda rows: set_cell(rows, "b2", "zip_code", "78799"),
        {("borrower", "zip_code"): 1},
    ),
    ("DELETE FROM role_profile WHERE borrower_id = 'b3'", edit_all, {("role_profile", None): 1}),
]


@pytest.mark.parametrize("case", range(len(BEFORE_US)))
@pytest.mark.parametrize("one_database", ["sqlite"], indirect=True)
def test_what_changed_since_it_was_read_is_not_written_over(one_database: Any, case: int) -> None:
    statement, edit, told = BEFORE_US[case]
    make_lender(one_database)
    side = side_of(one_database)
    changes, _ = changed(side, edit)
    one_database.execute(statement)
    held = all_rows(one_database)
    with pytest.raises(ConflictError, match="nothing was written: pull first") as found:
        write(side, changes)
    check_ours(found.value, "Hush", "hush")
    assert found.value.details["problem"] == "side"
    assert found.value.details["found"] == told
    assert all_rows(one_database) == held


def test_a_cell_that_was_no_value_and_is_missing_so_far_is_not_written_over(database: Any) -> None:
    # The phone of b4 is no phone, so that the shadow has none: what stands there is unknown.
    make_lender(database)
    side = side_of(database)
    assert rows_of(side)["borrower"]["phone_home"].isna().tolist() == [False, True, True, True]
    changes, _ = changed(side, lambda rows: set_cell(rows, "b4", "phone_home", "5125550104"))
    with pytest.raises(ConflictError, match=r"borrower.phone_home: 1"):
        write(side, changes)
    assert database.scalar("SELECT phone_home FROM borrower WHERE id = 'b4'") == "n/a"


def test_another_cell_of_a_row_that_changed_stays(database: Any) -> None:
    make_lender(database)
    side = side_of(database)
    changes, _ = changed(side, rename)
    database.execute("UPDATE borrower SET email = 'new@x.org' WHERE id = 'b2'")
    write(side, changes)
    assert database.scalar("SELECT email FROM borrower WHERE id = 'b2'") == "new@x.org"
    assert database.scalar("SELECT full_name FROM borrower WHERE id = 'b2'") == "Zed Zee"


# ----------------------------------------------------------------------------- guards, meanwhile


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Act once, after what is there was read and before a statement changes it."""
    real, todo = flat_looking.look, [act]

    def look(*given: Any) -> Any:
        found = real(*given)
        if todo:
            todo.pop()()
        return found

    monkeypatch.setattr(flat_writing, "look", look)


#: What somebody else commits between our reading and our writing.
MEANWHILE: list[tuple[str, Callable[[Rows], None], Optional[str]]] = [
    ("UPDATE borrower SET full_name = 'Hush' WHERE id = 'b2'", rename, "rows of borrower: 1"),
    # Collations take these for equal to what was read, or clean does.
    ("UPDATE borrower SET full_name = 'BOB RAY' WHERE id = 'b2'", rename, "rows of borrower: 1"),
    ("UPDATE borrower SET full_name = 'Bob Ray ' WHERE id = 'b2'", rename, "rows of borrower: 1"),
    ("UPDATE borrower SET id = 'B2' WHERE id = 'b2'", rename, "rows of borrower: 1"),
    ("UPDATE borrower SET full_name = NULL WHERE id = 'b2'", rename, "rows of borrower: 1"),
    ("DELETE FROM borrower WHERE id = 'b2'", rename, "rows of borrower: 1"),
    ("UPDATE borrower SET city = 'x' WHERE id = 'b3'", edit_all, "rows of borrower: 1"),
    (
        "UPDATE role_profile SET role_profile = 'BORROWER' WHERE borrower_id = 'b3'",
        edit_all,
        "role",
    ),
    ("INSERT INTO borrower (id) VALUES ('b5')", edit_all, "met a row of the same key"),
    ("UPDATE borrower SET our_note = 'x' WHERE id = 'b2'", rename, None),
    ("UPDATE borrower SET email = 'x@x.org' WHERE id = 'b2'", rename, None),
]


@pytest.mark.parametrize("case", range(len(MEANWHILE)))
@pytest.mark.parametrize("one_database", SERVERS, indirect=True)
def test_what_is_committed_between_read_and_write_ends_it(
    one_database: Any, case: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement, edit, told = MEANWHILE[case]
    make_lender(one_database)
    side = side_of(one_database)
    changes, _ = changed(side, edit)
    held: list[Any] = []

    def act() -> None:
        one_database.execute(statement)
        held.append(raw_rows(one_database))

    meanwhile(monkeypatch, act)
    if told is None:
        write(side, changes)
        assert one_database.scalar("SELECT full_name FROM borrower WHERE id = 'b2'") == "Zed Zee"
        return
    with pytest.raises(ConflictError, match=told) as found:
        write(side, changes)
    assert found.value.details["problem"] == "side"
    check_ours(found.value, "Hush", "Bob")
    assert raw_rows(one_database) == held[0]
    assert len(raw_rows(one_database, "role_profile")) == 4
    assert side.state() is None


@pytest.mark.parametrize("one_database", ["postgresql"], indirect=True)
def test_a_row_of_the_same_clean_key_that_came_meanwhile_ends_it(
    one_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lender(one_database)
    side = side_of(one_database)
    changes, _ = changed(side, edit_all)
    meanwhile(monkeypatch, lambda: one_database.execute("INSERT INTO borrower (id) VALUES (' b5')"))
    with pytest.raises(ConflictError, match="rows of borrower: 1"):
        write(side, changes)
    assert side.state() is None


@pytest.mark.parametrize("one_database", ["mariadb"], indirect=True)
def test_a_key_that_the_database_takes_for_another_is_told(one_database: Any) -> None:
    make_lender(one_database)
    side = side_of(one_database)
    changes, _ = changed(side, lambda rows: add_row(rows, "borrower", id="B2", full_name="Bo X"))
    with pytest.raises(ConflictError, match="one that the database takes for equal"):
        write(side, changes)


def test_a_row_without_a_key_is_guarded_by_all_its_cells(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lender(database, keyed=False)
    side = side_of(database)
    changes, wanted = changed(side, edit_all)
    if database.name != "sqlite":  # whose writers wait
        with monkeypatch.context() as patch:
            sets = "UPDATE borrower SET street = '1 ELM ST' WHERE id = ' b1 '"
            meanwhile(patch, lambda: database.execute(sets))
            with pytest.raises(ConflictError, match="rows of borrower: 1"):
                write(side, changes)
        database.execute("UPDATE borrower SET street = '1 Elm St' WHERE id = ' b1 '")
    write(side, changes)
    check_rows(side, wanted)


@pytest.mark.parametrize("one_database", SERVERS, indirect=True)
def test_a_view_that_its_database_writes_through_is_written_to(one_database: Any) -> None:
    make_lender(one_database)
    one_database.execute("CREATE VIEW people AS SELECT * FROM borrower WHERE our_note = 'ours'")
    side = side_of(one_database, borrower="people")
    changes, wanted = changed(side, rename)
    write(side, changes)
    check_rows(side, wanted)
    # A new row is not to be seen there, so that it was not to be written either.
    changes, _ = changed(side, lambda rows: add_row(rows, "borrower", id="b9", full_name="Al Q"))
    with pytest.raises(DatabaseError, match=r"not what was to be there \(rows of borrower: 1\)"):
        write(side, changes, expected=FIRST)
    write(side, changes, expected=FIRST, defaults={"people.our_note": "ours"})
    assert one_database.scalar("SELECT full_name FROM borrower WHERE id = 'b9'") == "Al Q"


def test_a_key_that_several_rows_have_is_refused(database: Any) -> None:
    make_lender(database)
    side = side_of(database)
    changes, _ = changed(side, rename)
    database.execute("INSERT INTO borrower (id, full_name) VALUES (' b2', 'Hush')")
    with pytest.raises(DatabaseError, match="borrower: 1 of the keys belongs to several") as found:
        write(side, changes)
    check_ours(found.value, "Hush", "Bob")
    assert side.state() is None


# ----------------------------------------------------------------------------- what changes it

#: What makes text loud, from behind ``TRIGGER loud`` on.
_LOUD = "full_name = upper(full_name)"
_FUNCTION = "RETURNS trigger AS $$ BEGIN {} END $$ LANGUAGE plpgsql"
_NEW = "NEW.full_name = upper(NEW.full_name)"
TRIGGERS = {
    "sqlite": f"AFTER UPDATE ON borrower BEGIN UPDATE borrower SET {_LOUD} WHERE id = new.id; END",  # noqa: S608 - ours
    "postgresql": "BEFORE UPDATE ON borrower FOR EACH ROW EXECUTE FUNCTION loud()",
    "mariadb": f"BEFORE UPDATE ON borrower FOR EACH ROW SET {_NEW}",  # noqa: S608 - ours
}


def test_a_trigger_that_changes_what_is_written_is_told(database: Any) -> None:
    make_lender(database)
    with database.engine.begin() as connection:
        if database.name == "postgresql":
            body = _FUNCTION.format(f"{_NEW}; RETURN NEW;")
            connection.exec_driver_sql(f"CREATE FUNCTION loud() {body}")
        connection.exec_driver_sql(f"CREATE TRIGGER loud {TRIGGERS[database.name]}")
    side = side_of(database)
    changes, _ = changed(side, rename)
    held = raw_rows(database)
    with pytest.raises(DatabaseError, match=r"not what was to be there \(borrower.full_name: 1\)"):
        write(side, changes)
    assert raw_rows(database) == held
    assert side.state() is None


@pytest.mark.parametrize("one_database", ["postgresql"], indirect=True)
def test_a_trigger_that_swallows_rows_is_told(one_database: Any) -> None:
    make_lender(one_database)
    body = _FUNCTION.format("RETURN NULL;")
    one_database.execute(f"CREATE FUNCTION swallow() {body}")
    one_database.execute(
        "CREATE TRIGGER swallow BEFORE INSERT ON borrower FOR EACH ROW EXECUTE FUNCTION swallow()"
    )
    side = side_of(one_database)
    changes, _ = changed(side, lambda rows: add_row(rows, "borrower", id="b9", full_name="Al Q"))
    with pytest.raises(DatabaseError, match=r"not what was to be there \(rows of borrower: 1\)"):
        write(side, changes)


# ----------------------------------------------------------------------------- all or nothing


class Stop(BaseException):
    """Stop a run, as a signal does."""


def test_who_is_stopped_at_any_statement_leaves_nothing(database: Any) -> None:
    make_lender(database)
    side = side_of(database)
    changes, wanted = changed(side, edit_all)
    held = {name: raw_rows(database, name) for name in ("borrower", "role_profile")}
    engine = database.another()
    count, stop = [0], [1]

    def statement(_: Any, cursor: Any, *__: Any) -> None:
        count[0] += 1
        if count[0] == stop[0]:
            cursor.close()  # which the signal's end of the process would do
            raise Stop

    sa.event.listen(engine, "before_cursor_execute", statement)

    ours = FlatDatabase(engine, ae.BORROWER_MODEL, FlatNames(), None)
    while True:
        count[0] = 0
        try:
            write(ours, changes)
        except Stop:
            if side.state() is not None:  # it was committed just before
                break
            assert {name: raw_rows(database, name) for name in held} == held, stop[0]
            stop[0] += 1 if database.name == "sqlite" else 3
        else:
            break
    assert stop[0] > 15
    check_rows(side, wanted)
    assert side.state() == FIRST
    engine.dispose()


KILLS = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})"),
    "mariadb": ("SELECT CONNECTION_ID()", "KILL {}"),
}


@pytest.mark.parametrize("one_database", SERVERS, indirect=True)
def test_a_connection_that_is_killed_leaves_nothing(one_database: Any) -> None:
    make_lender(one_database)
    side = side_of(one_database)
    changes, _ = changed(side, edit_all)
    held = {name: raw_rows(one_database, name) for name in ("borrower", "role_profile")}
    ask, kill = KILLS[one_database.name]
    engine = one_database.another()

    def statement(connection: Any, _: Any, text: str, *__: Any) -> None:
        if text.startswith("INSERT INTO borrower"):
            with connection.connection.driver_connection.cursor() as other:
                other.execute(ask)
                (number,) = other.fetchone()
            one_database.execute(kill.format(number))

    sa.event.listen(engine, "before_cursor_execute", statement)
    ours = FlatDatabase(engine, ae.BORROWER_MODEL, FlatNames(), None)
    with pytest.raises(DatabaseError, match="inserting into borrower failed") as found:
        write(ours, changes)
    check_ours(found.value, "Eve Orr")
    assert {name: raw_rows(one_database, name) for name in held} == held
    assert side.state() is None
    engine.dispose()


def test_of_two_who_write_first_one_does_and_makes_the_table(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lender(database)
    side = side_of(database)
    changes, _ = changed(side, rename)
    found: list[Any] = []
    real = flat_state.has_table
    looking = threading.Event()

    def has_table(*given: Any) -> bool:
        """Let the first one wait where it has seen that there is none, until another came."""
        answer = real(*given)
        if not answer and not looking.is_set():
            looking.set()
            time.sleep(0.5)
        return answer

    monkeypatch.setattr(flat_state, "has_table", has_table)

    def run(number: int) -> None:
        engine = database.another()
        ours = FlatDatabase(engine, ae.BORROWER_MODEL, FlatNames(), None)
        try:
            found.append(write(ours, changes, FlatState(number, "t", deletes=True)))
        except AspenETLError as error:
            found.append(error)
        engine.dispose()

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    threads[0].start()
    assert looking.wait(60)
    threads[1].start()
    for thread in threads:
        thread.join()
    errors = [each for each in found if isinstance(each, AspenETLError)]
    assert len(errors) == 1
    assert "another run wrote to this side" in str(errors[0])
    assert database.scalar("SELECT count(*) FROM aspen_etl_side") == 1
    assert database.scalar("SELECT full_name FROM borrower WHERE id = 'b2'") == "Zed Zee"
