"""What is surely sound, pandera lets pass; whatever else a table asks for, pandera is asked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.columns.text import TextFormat
from aspen_etl.schema import Model, Series, Table, TableSpec, column, ref
from aspen_etl.schema.asking import failure_cases
from aspen_etl.schema.conforming import conform
from aspen_etl.schema.sound import are_sound, declared_facts
from aspen_etl.schema.validation import find_failures
from aspen_etl.testing import tables
from tests.support.effort import some


class Deed(Table, source="deeds"):
    number: Series[str] = column(natural_key=True, length=4)
    kind: Series[str] = column(nullable=True, length=3)
    code: Series[str] = column(nullable=True, text_format=TextFormat("code", "[A-Z]{2}"))
    count: Series[int] = column(nullable=True, minimum=2)
    fee: Series[Decimal] = column(precision=6, scale=2)
    signed: Series[dt.date] = column(minimum=dt.date(2000, 1, 1))
    open: Series[bool] = column(nullable=True, words={"Y": True, "N": False})


class Signer(Table, source="deeds.signer_*"):
    deed_id: Series[int] = ref("deed", natural_key=True)
    place: Series[int] = column(natural_key=True, from_name=("1", "2"))
    name: Series[str] = column(length=9)


MODEL = Model.of(tables=[Deed])
DEED = MODEL.tables["deed"]
#: Cells that are right in one column, wrong in another, and what stands for none.
CELLS = (None, "", "A", "AB", "AB\n", "ABCDE", "é", "home", 0, 1, 2, True, 1.5, Decimal("1.00"))


@given(drawn=tables(MODEL, min_rows=1), data=st.data())
@some(2, 20)
def test_what_is_sound_pandera_lets_pass(drawn: Any, data: st.DataObject) -> None:
    frame = drawn["deed"].copy()
    name = data.draw(st.sampled_from(list(DEED.columns)))
    cell = data.draw(st.sampled_from((*CELLS, pd.Timestamp("1999-12-31"), dt.date(2000, 1, 1))))
    frame[name] = pd.Series([cell, *frame[name].astype(object).tolist()[1:]], dtype=object)
    found = find_failures({"deed": frame}, model=MODEL)
    own = found[~found["rule"].isin(["primary_key", "natural_key"])]
    cases = failure_cases(conform(frame, DEED), DEED, ())
    if not len(own):
        assert cases is None
    assert are_sound(conform(drawn["deed"], DEED), DEED, list(DEED.columns))


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("number", None),
        ("number", "ABCDE"),
        ("number", 1),
        ("kind", ""),
        ("kind", "ABCD"),
        ("code", "ab"),
        ("code", "AB\n"),
        ("count", 1),
    ],
)
@given(drawn=tables(MODEL, min_rows=1, max_rows=2))
@some(20, 2)
def test_a_wrong_cell_is_not_sound(drawn: Any, name: str, cell: Any) -> None:
    held = drawn["deed"]
    cells = pd.Series([cell, *held[name].astype(object).tolist()[1:]], dtype=object)
    frame = conform(held.assign(**{name: cells}), DEED)
    assert not are_sound(frame, DEED, [name])
    assert failure_cases(frame, DEED, set(DEED.columns) - {name}) is not None


def test_a_value_that_no_name_stands_for_is_not_sound() -> None:
    spec = Model.of(tables=[Deed, Signer]).tables["signer"]
    frame = pd.DataFrame({"place": [1, 2]})
    assert are_sound(frame, spec, ["place"])
    assert not are_sound(frame.replace(2, 3), spec, ["place"])


def test_of_the_default_model_pandera_is_asked_nothing() -> None:
    for spec in ae.BORROWER_MODEL.tables.values():
        assert declared_facts(spec.schema) is not None


# ----------------------------------------------------------------------------- what users add


class Checked(Table, source="deeds"):
    number: Series[str] = column(natural_key=True, length=4)

    @pa.check("number")
    @classmethod
    def no_x(cls, values: pd.Series) -> Any:
        return ~values.str.startswith("x")


class CheckedAsAWhole(Table, source="deeds"):
    number: Series[str] = column(natural_key=True, length=4)

    @pa.dataframe_check
    @classmethod
    def no_x(cls, frame: pd.DataFrame) -> Any:
        return ~frame["number"].str.startswith("x")


class Changed(Table, source="deeds"):
    number: Series[str] = column(natural_key=True, length=4)

    @classmethod
    def to_schema(cls) -> pa.DataFrameSchema:
        check = pa.Check(lambda values: ~values.str.startswith("x"), name="no_x")
        return super().to_schema().update_columns({"number": {"checks": [check]}})


class Heir(Checked):
    """What is checked in a base is checked here."""


class UniqueTogether(Table, source="deeds"):
    number: Series[str] = column(natural_key=True, length=4)

    class Config:
        unique = ["number"]  # noqa: RUF012 - as pandera wants it


@pytest.mark.parametrize("table", [Checked, Changed, Heir])
@pytest.mark.parametrize(("number", "count"), [("x1", 1), ("a1", 0)])
def test_what_a_table_checks_of_its_own_is_asked_of_pandera(
    table: type[Table], number: str, count: int
) -> None:
    model = Model.of(tables=[table])
    [(name, spec)] = model.tables.items()
    extract = ae.Extract(deeds=pd.DataFrame({"number": ["a2"]}))
    run = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
    frame = ae.normalize(extract, model=model, run=run).tables[name]
    frame = frame.assign(number=pd.Series([number], dtype=spec.columns["number"].dtype))
    found = find_failures({name: frame}, model=model)
    assert found["rule"].tolist() == ["no_x"] * count


@pytest.mark.parametrize("table", [CheckedAsAWhole, UniqueTogether])
def test_what_a_table_asks_for_as_a_whole_is_asked_of_pandera(table: type[Table]) -> None:
    assert declared_facts(TableSpec.of(table).schema) is None
