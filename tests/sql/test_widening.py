"""A wider model goes on in a database whose owner altered the columns, and is refused before."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import ModelMismatchError
from aspen_etl.schema import Model, Series, Table, column

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")


class Visit(Table, source="visits"):
    """As it was."""

    number: Series[str] = column(natural_key=True, length=9)
    reason: Series[str] = column(length=4)
    fee: Series[Decimal] = column(precision=4, scale=2)
    weight: Series[int] = column(minimum=10)


def wider() -> Model:
    """Make the model of later: each column holds more, by one fact."""

    class Wider(Table, source="visits"):
        """As it is."""

        number: Series[str] = column(natural_key=True, length=9)
        reason: Series[str] = column(length=40, nullable=True)
        fee: Series[Decimal] = column(precision=12, scale=2)
        weight: Series[int] = column(minimum=0)

        class Config:
            """The same table."""

            name = "visit"

    return Model.of(tables=[Wider])


THEN, NOW = Model.of(tables=[Visit]), wider()
COLUMNS = ["number", "reason", "fee", "weight"]
#: What an owner runs, one fact after the other.
ALTER = {
    "postgresql": [
        "ALTER TABLE visit ALTER reason DROP NOT NULL",
        "ALTER TABLE visit ALTER reason TYPE varchar(40)",
        "ALTER TABLE visit ALTER fee TYPE numeric(12, 2)",
        "ALTER TABLE visit DROP CONSTRAINT {weight}, ADD CONSTRAINT {weight} CHECK (weight >= 0)",
    ],
    "mariadb": [
        "ALTER TABLE visit MODIFY reason varchar(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "ALTER TABLE visit MODIFY reason varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "ALTER TABLE visit MODIFY fee decimal(12, 2) NOT NULL",
        "ALTER TABLE visit DROP CONSTRAINT {weight}, ADD CONSTRAINT {weight} CHECK (weight >= 0)",
    ],
}
#: What is told after as many of them.
TOLD = [
    "visit.reason takes no null there",
    "visit.reason has another length there",
    "visit.fee has another precision there",
    "visit.weight has a narrower check there",
]


def tables_of(model: Model, *rows: list[Any]) -> ae.Tables:
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    return ae.normalize(ae.Extract.from_frames({"visits": frame}), model=model, run=RUN).tables


OLD = tables_of(THEN, ["a", "cold", "1.50", "70"])
NEW = tables_of(NOW, ["a", "a cold again", "1234567890.50", "0"], ["b", None, "2.00", "9"])


@pytest.mark.parametrize("one_database", ["postgresql", "mariadb"], indirect=True)
def test_a_load_goes_on_when_each_column_was_altered_and_tells_which_was_not(
    one_database: Any,
) -> None:
    engine = one_database.engine
    sql.load(OLD, engine, model=THEN)
    checks = sa.inspect(engine).get_check_constraints("visit")
    (weight,) = (each["name"] for each in checks if each["name"].endswith("weight_minimum"))
    for told, statement in zip(TOLD, ALTER[one_database.name]):
        with pytest.raises(ModelMismatchError, match=told):
            sql.load(NEW, engine, model=NOW)
        assert sql.read(engine, model=THEN).equals(OLD)
        one_database.execute(statement.format(weight=weight))
    report = sql.load(NEW, engine, model=NOW, overwrite=True)
    assert report.tables["visit"] == {"inserted": 1, "updated": 1, "deleted": 0}
    assert sql.read(engine, model=NOW).equals(NEW)
    assert sql.load(NEW, engine, model=NOW).tables["visit"]["updated"] == 0
    with pytest.raises(ModelMismatchError, match="fee has another precision"):
        sql.load(OLD, engine, model=THEN)


def test_a_database_that_nobody_altered_is_told_apart(database: Any) -> None:
    sql.load(OLD, database.engine, model=THEN)
    with pytest.raises(ModelMismatchError, match="once it is altered there") as caught:
        sql.load(NEW, database.engine, model=NOW)
    assert caught.value.details["differences"][0] == TOLD[0]
    assert sql.read(database.engine, model=THEN).equals(OLD)
