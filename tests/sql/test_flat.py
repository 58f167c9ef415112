"""What a database holds comes as it is: every cell, every type, all of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.errors import (
    ArgumentError,
    DatabaseError,
    ExtractError,
    FileFormatError,
    HeaderError,
    SourceNotFoundError,
)
from aspen_etl.schema import Model
from aspen_etl.testing import extracts
from tests.laws.models import EXTENDED_MODEL
from tests.support.borrowers import check_ours
from tests.support.clinic_model import MODEL as CLINIC
from tests.support.effort import some
from tests.support.ends import ENDS_MODEL, end_frames, texts_of

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from sqlalchemy.dialects import mysql, postgresql  # noqa: E402 - needs what was just asked for

from aspen_etl import sql  # noqa: E402 - likewise
from aspen_etl.sql import read_database  # noqa: E402 - likewise

#: All drivers, since each has ways of its own with numbers and times.
DRIVERS = ["sqlite", "postgresql", "postgresql-psycopg2", "mariadb"]
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
            columns = [sa.Column(column, text) for column in reversed(spec.columns)]
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
        cells = "".join(
            extract[name].astype(object).fillna("").sum().sum()
            for name in extract
            if len(extract[name])
        )
        assume("\0" not in cells or database.name != "postgresql")
        put(database, extract, model)
        check_same(read_database(database.engine, model=model, chunk_rows=2), extract)

    run()


@pytest.mark.parametrize("one_database", DRIVERS, indirect=True)
def test_the_ends_of_each_range_are_read_as_their_canonical_text(one_database: Any) -> None:
    sql.load(end_frames(), one_database.engine, model=ENDS_MODEL)
    found = read_database(one_database.engine, model=ENDS_MODEL, tables={"ends": "end"})
    assert len(found.faults) == 0
    for sheet, table in (("ends", "end"), ("old", "old")):
        wanted = texts_of(ENDS_MODEL.tables[table])[list(found[sheet].columns)]
        for column in wanted:
            assert found[sheet][column].tolist() == wanted[column].tolist(), column
