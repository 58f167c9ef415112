"""Whatever a side has, a push makes it what it is to be, or leaves all as it was and says why."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, event, given, settings

import aspen_etl as ae
from aspen_etl.errors import ConflictError, DatabaseError
from aspen_etl.testing import extracts
from aspen_etl.transform.flat_changes import changes_to_push
from aspen_etl.transform.keyed_sheets import conform_sheets
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.siding import side_of_extract
from tests.support.effort import some
from tests.support.lender import check_rows, rows_of

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl.sql.flat import FlatDatabase  # noqa: E402 - needs what was just asked for
from aspen_etl.sql.flat_tables import FlatNames  # noqa: E402 - likewise

MODEL = ae.BORROWER_MODEL
HOW = can_part(MODEL)


def side_with(extract: ae.Extract) -> FlatDatabase:
    """Put sheets into tables of text, in memory, under a key that the model does not know."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    metadata = sa.MetaData()
    with engine.begin() as connection:
        for name, spec in MODEL.sources.items():
            columns = [sa.Column(column, sa.Text()) for column in spec.columns]
            table = sa.Table(
                name, metadata, sa.Column("row_no", sa.Integer, primary_key=True), *columns
            )
            table.create(connection)
            frame = extract[name].astype(object)
            rows = frame.where(frame.notna(), None).to_dict("records")
            if rows:
                connection.execute(table.insert(), rows)
    return FlatDatabase(engine, MODEL, FlatNames(), None)


def raw(side: FlatDatabase) -> dict[str, Any]:
    with side.engine.connect() as connection:
        return {
            name: pd.read_sql(sa.text(f"SELECT * FROM {name}"), connection).to_dict("records")  # noqa: S608 - ours
            for name in MODEL.sources
        }


@settings(some(4, 6), suppress_health_check=[HealthCheck.too_slow])
@given(extracts(MODEL, faults="all"), extracts(MODEL, faults="all"))
def test_any_state_becomes_any_other_or_stays_as_it_was(one: ae.Extract, two: ae.Extract) -> None:
    assume(not len(one.faults))  # what is no text is in no table
    side = side_with(one)
    wanted = side_of_extract(two, HOW).rows
    changes = changes_to_push(rows_of(side), wanted, HOW)
    before = raw(side)
    try:
        side.write(changes, version=1, token="t", deletes=True, expected=None)  # noqa: S106 - no secret
    except (ConflictError, DatabaseError) as error:
        # A row that is not accepted now has the key, or a cell, of one that is to be written.
        event(type(error).__name__)
        assert len(side_of_extract(side.read(), HOW).notes)
        assert raw(side) == before
        assert side.state() is None
    else:
        event("written")
        check_rows(side, conform_sheets(wanted, HOW))
        assert side.state() is None if changes.is_empty else side.state() is not None
    finally:
        side.engine.dispose()
