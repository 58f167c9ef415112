"""Every database gives the ends of each range back, and refuses what is none of the type."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelError, ValidationError
from aspen_etl.schema import Table
from aspen_etl.schema.types import TYPES
from tests.laws.models import RUN
from tests.laws.specs import canonical_texts
from tests.support.effort import some
from tests.support.ends import ENDS_MODEL, ROWS, end_frames

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.columns.text import conform_text  # noqa: E402 - likewise
from aspen_etl.derive.sql import sql_ddl, sql_metadata  # noqa: E402 - likewise

END = ENDS_MODEL.tables["end"]
#: All drivers, since each has ways of its own with numbers and times.
DRIVERS = ["sqlite", "postgresql", "postgresql-psycopg2", "mariadb"]
NOTHING = {"inserted": 0, "updated": 0, "deleted": 0}


def check_read(database: Any, wanted: ae.Tables) -> None:
    found = sql.read(database.engine, model=ENDS_MODEL)
    assert found.equals(wanted)
    for name, table in ENDS_MODEL.tables.items():
        assert list(found[name].dtypes) == [spec.dtype for spec in table.columns.values()]
        for spec in table.columns.values():
            text = TYPES[spec.type].text(found[name][spec.name], spec)
            assert text.equals(TYPES[spec.type].text(wanted[name][spec.name], spec))


def moved(wanted: ae.Tables) -> ae.Tables:
    """Give each row the values of the next one, so that all of them change."""
    frames = {}
    for name, table in ENDS_MODEL.tables.items():
        frame = wanted[name].copy()
        for spec in table.own_columns:
            if not (spec.primary_key or spec.natural_key):
                turned = [(row + 1) % ROWS for row in range(ROWS)]
                frame[spec.name] = frame[spec.name].take(turned).reset_index(drop=True)
        frames[name] = frame
    return ae.Tables(frames)


# ----------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_the_ends_of_each_range_are_read_back(one_database: Any) -> None:
    wanted = end_frames()
    assert sql.load(wanted, one_database.engine, model=ENDS_MODEL).outcome == "filled"
    check_read(one_database, wanted)
    again = sql.load(wanted, one_database.engine, model=ENDS_MODEL)
    assert again.outcome == "compared"
    assert dict(again.tables) == dict.fromkeys(ENDS_MODEL.tables, NOTHING)
    other = moved(wanted)
    done = sql.load(other, one_database.engine, model=ENDS_MODEL, overwrite=True)
    assert done.tables["end"] == {**NOTHING, "updated": ROWS}
    check_read(one_database, other)


def extract_of(wanted: ae.Tables) -> ae.Extract:
    """Give the sheets that such tables come from, as canonical text."""
    sheets = {}
    for name, sheet in (("end", "ends"), ("old", "old")):
        table = ENDS_MODEL.tables[name]
        sheets[sheet] = pd.DataFrame(
            {
                spec.name: TYPES[spec.type].text(wanted[name][spec.name], spec)
                for spec in table.own_columns
                if not spec.primary_key
            }
        )
    return ae.Extract.from_frames(sheets)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_store_brings_the_ends_and_then_what_changed(
    database: Any, tmp_path: Path, file_format: Any
) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    store = ae.SnapshotStore(tmp_path / "store", model=ENDS_MODEL, format=file_format)
    first, second = end_frames(), moved(end_frames())
    for version, (wanted, outcome) in enumerate(((first, "filled"), (second, "changed")), 1):
        previous = store.read() if version > 1 else None
        result = ae.normalize(extract_of(wanted), model=ENDS_MODEL, run=RUN, previous=previous)
        assert len(result.rejects) == 0
        store.commit(result.snapshot, run=RUN, parent=version - 1, changes=result.changes)
        report = sql.load(store, database.engine)
        assert (report.outcome, report.version) == (outcome, version)
        held = store.read().tables
        assert sql.read(database.engine, model=ENDS_MODEL).equals(held)
        for name, table in ENDS_MODEL.tables.items():
            names = [spec.name for spec in table.own_columns]
            assert held[name][names].equals(wanted[name][names])


def test_any_values_are_read_back(database: Any) -> None:
    @settings(
        max_examples=some(8, least=3).max_examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.data())
    def the_law_holds(data: Any) -> None:
        frames = dict(end_frames())
        for spec in END.own_columns:
            if spec.primary_key or spec.natural_key:
                continue
            cells = canonical_texts(spec)
            drawn = data.draw(
                st.lists(st.none() | cells if spec.nullable else cells, min_size=3, max_size=3)
            )
            texts = spread(drawn)
            frames["end"][spec.name] = TYPES[spec.type].parse(texts, spec)
        wanted = ae.Tables(frames)
        sql.load(wanted, database.engine, model=ENDS_MODEL, overwrite=True)
        check_read(database, wanted)

    the_law_holds()


def spread(cells: list[Any]) -> pd.Series:
    """Give text for each row, the same again and again."""
    return conform_text(pd.Series([cells[row % len(cells)] for row in range(ROWS)], dtype=object))


# ----------------------------------------------------------------------------- what is refused


class Bound(Table):
    """Values that have a least one."""

    bound_id: Series[int] = ae.column(primary_key=True)
    day: Series[dt.date] = ae.column(
        natural_key=True, minimum=dt.date(1900, 1, 1), source="sheet.day"
    )
    price: Series[Decimal] = ae.column(precision=5, scale=2, source="sheet.price")
    truth: Series[bool] = ae.column(source="sheet.truth")

    class Config:
        name = "bound"


BOUND_MODEL = ae.Model.of(tables=[Bound])
NOW = dt.datetime(2026, 1, 31)  # noqa: DTZ001 - the database holds no zone
GOOD = {"bound_id": 1, "day": "'1900-01-01'", "price": "'-999.99'", "truth": "1"}
BAD = {
    "day": ["'1899-12-31'", "'2021-02-29'", "'1900-13-01'", "'x'"],
    "price": ["'1000.00'", "'-1000.00'", "'x'"],
    "truth": ["2", "'x'"],
}
#: What SQLite alone is told to refuse, which has no such types: text that is not canonical.
BAD_IN_SQLITE = {
    "day": ["'1900-1-1'", "'19000101'", "'1900-01-01 00:00:00'", "2415020.5", "''"],
    "price": [
        *("'1.5'", "'1.500'", "'01.50'", "'-0.00'", "'1e3'", "'--1.00'", "'1.0-'", "'1.2.34'"),
        *("'.50'", "'+1.50'", "' 1.50'", "''", "1.5", "15", "'1,50'", "'1.5x'", "'1000.0'"),
    ],
    "truth": ["-1", "0.5", "'true'"],
}


def insert(database: Any, **changed: str) -> None:
    row = {**GOOD, **changed}
    if database.name == "postgresql":
        row["truth"] = f"{row['truth']}::text::boolean" if row["truth"] == "1" else row["truth"]
    names = ", ".join(map(database.quote, row))
    database.execute(
        f"INSERT INTO bound ({names}, created, created_by) VALUES "  # noqa: S608 - ours
        f"({', '.join(map(str, row.values()))}, '2026-01-31 12:00:00.000000', 'x')"
    )


def test_what_is_none_of_a_type_is_refused(database: Any) -> None:
    sql.create(database.engine, model=BOUND_MODEL)
    for name, texts in BAD.items():
        more = BAD_IN_SQLITE[name] if database.name == "sqlite" else []
        for text in [*texts, *more]:
            with pytest.raises(sa.exc.DBAPIError):
                insert(database, **{name: text})
    assert database.scalar("SELECT count(*) FROM bound") == 0
    insert(database)
    insert(database, bound_id="2", day="'9999-12-31'", price="'0.00'")
    found = sql.read(database.engine, model=BOUND_MODEL)["bound"]
    assert TYPES["decimal"].text(
        found["price"], BOUND_MODEL.tables["bound"].columns["price"]
    ).tolist() == ["-999.99", "0.00"]


@pytest.mark.parametrize("one_database", ["postgresql"], indirect=True)
def test_what_is_no_number_is_told_and_not_shown(one_database: Any) -> None:
    sql.create(one_database.engine, model=BOUND_MODEL)
    insert(one_database, price="'NaN'")  # which PostgreSQL takes for a number of any precision
    with pytest.raises(ValidationError, match=r"bound\.price") as caught:
        sql.read(one_database.engine, model=BOUND_MODEL)
    assert "NaN" not in str(caught.value)


def test_decimals_are_rounded_in_silence_by_all_but_sqlite(database: Any) -> None:
    # Which is why digits are looked at before a database sees them.
    sql.create(database.engine, model=BOUND_MODEL)
    if database.name == "sqlite":
        with pytest.raises(sa.exc.IntegrityError):
            insert(database, price="'1.005'")
        return
    insert(database, price="'1.005'")
    assert database.scalar("SELECT price FROM bound") == Decimal("1.01")


@pytest.mark.parametrize("one_database", ["sqlite"], indirect=True)
def test_sqlite_takes_and_gives_values_of_python(one_database: Any) -> None:
    sql.create(one_database.engine, model=BOUND_MODEL)
    table = sql_metadata(BOUND_MODEL, dialect="sqlite").tables["bound"]
    row = {"bound_id": 1, "created": NOW, "created_by": "x"}
    days = [dt.date(1999, 12, 31), dt.date(1900, 1, 1), dt.date(2000, 2, 29)]
    with one_database.engine.begin() as connection:
        for number, day in enumerate(days, 1):
            values = {"bound_id": number, "day": day, "price": Decimal(f"-{number}"), "truth": True}
            connection.execute(table.insert().values({**row, **values}))
        ask = sa.select(table.c.day, table.c.price, table.c.truth).order_by(table.c.day)
        assert list(connection.execute(ask)) == [
            (day, Decimal(f"-{days.index(day) + 1}.00"), True) for day in sorted(days)
        ]
        found = connection.execute(ask.where(table.c.price == Decimal("-2.0"))).all()
        assert len(found) == 1
        with pytest.raises(sa.exc.StatementError):
            connection.execute(table.update().values(price=Decimal("1.005")))


class Day(Table):
    """A day that is its own key."""

    day: Series[dt.date] = ae.column(
        primary_key=True, minimum=dt.date(1, 1, 1), source="calendar.day"
    )


class Line(Table):
    """A line of a day or of none, and of a number or of none."""

    line_id: Series[int] = ae.column(primary_key=True)
    name: Series[str] = ae.column(natural_key=True, length=9, source="line.name")
    day: Series[dt.date] = ae.column(
        natural_key=True,
        nullable=True,
        references="day",
        source="line.day",
    )


DAY_MODEL = ae.Model.of(tables=[Day, Line])


def test_no_day_is_no_day_that_there_is(database: Any) -> None:
    sql.create(database.engine, model=DAY_MODEL)
    made = "'2026-01-31 12:00:00.000000', 'x'"
    for day in ("'0001-01-01'", "'9999-12-31'"):
        database.execute(f"INSERT INTO day (day, created, created_by) VALUES ({day}, {made})")  # noqa: S608 - ours
    ask = "INSERT INTO line (line_id, name, day, created, created_by) VALUES "
    for number, day in enumerate(("NULL", "'0001-01-01'", "'9999-12-31'"), 1):
        database.execute(f"{ask} ({number}, 'a', {day}, {made})")
        with pytest.raises(sa.exc.IntegrityError):
            database.execute(f"{ask} (9, 'a', {day}, {made})")
    assert sql.read(database.engine, model=DAY_MODEL)["line"]["day"].isna().sum() == 1


def test_a_scale_that_mysql_lacks_is_refused_by_name() -> None:
    class Deep(Bound):
        """More digits behind the point."""

        price: Series[Decimal] = ae.column(precision=38, scale=31, source="sheet.price")

        class Config:
            name = "deep"

    model = ae.Model.of(tables=[Deep])
    with pytest.raises(ModelError, match="'price' has scale=31, and MySQL takes no more than 30"):
        sql_ddl(model, dialect="mysql")
    assert "NUMERIC(38, 31)" in sql_ddl(model)
    assert "DECIMAL(38, 31)" in sql_ddl(model, dialect="mssql")
