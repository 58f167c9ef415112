"""What builders give for typed columns: values, or canonical text; each is looked at."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl.errors import ModelError, ValidationError
from aspen_etl.schema import Builder, Model, Source, Table, column
from tests.support.payments import RUN


class Note(Source):
    no: Series[str] = column()
    amount: Series[str] = column(nullable=True)
    day: Series[str] = column(nullable=True)
    at: Series[str] = column(nullable=True)
    seen: Series[str] = column(nullable=True)
    done: Series[str] = column(nullable=True)
    many: Series[str] = column(nullable=True)


class Entry(Table):
    entry_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=5)
    amount: Series[Decimal] = column(precision=6, scale=2, nullable=True)
    day: Series[dt.date] = column(nullable=True)
    at: Series[dt.datetime] = column(nullable=True)
    seen: Series[dt.datetime] = column(nullable=True, zone="UTC")
    done: Series[bool] = column(nullable=True)
    many: Series[int] = column(nullable=True)


class Kept(Table):
    kept_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=5, source="note.no")
    amount: Series[Decimal] = column(precision=6, scale=2, nullable=True, source="note.amount")
    day: Series[dt.date] = column(nullable=True, source="note.day")
    at: Series[dt.datetime] = column(nullable=True, source="note.at")
    seen: Series[dt.datetime] = column(nullable=True, zone="UTC", source="note.seen")
    done: Series[bool] = column(nullable=True, source="note.done")
    many: Series[int] = column(nullable=True, source="note.many")


TYPED = ["amount", "day", "at", "seen", "done", "many"]
SHEET = pd.DataFrame(
    {
        "no": ["a", "b"],
        "amount": ["1.5", None],
        "day": ["2020-01-31", None],
        "at": ["2020-01-31 10:00", None],
        "seen": ["2020-01-31 10:00", None],
        "done": ["TRUE", None],
        "many": ["7", None],
    },
    dtype=object,
)


def moments(cells: list[Any]) -> pd.DatetimeIndex:
    """Give moments as pandas holds them."""
    return pd.DatetimeIndex(cells)


def copy(note: pd.DataFrame) -> pd.DataFrame:
    """Give the sheet as it is."""
    return note


MODEL = Model.of(sources=[Note], tables=[Kept, Entry], builders={"entry": copy})


def build_with(**columns: Any) -> ae.NormalizeResult:
    """Normalize by a builder that copies the sheet, but for some columns."""

    def build(note: pd.DataFrame) -> pd.DataFrame:
        return note.assign(**columns)

    model = MODEL.replace(builders={"entry": build})
    return ae.normalize(ae.Extract(note=SHEET), run=RUN, model=model)


def test_canonical_text_of_a_sheet_may_be_passed_on() -> None:
    tables = build_with().tables
    for name in TYPED:
        assert tables["entry"][name].equals(tables["kept"][name])


def test_rows_of_a_table_hold_values_which_may_be_passed_on() -> None:
    def build(kept_rows: pd.DataFrame) -> pd.DataFrame:
        assert kept_rows["day"].iloc[0] == pd.Timestamp("2020-01-31")
        return kept_rows

    model = Model.of(sources=[Note], tables=[Kept, Entry], builders={"entry": build})
    tables = ae.normalize(ae.Extract(note=SHEET), run=RUN, model=model).tables
    for name in TYPED:
        assert tables["entry"][name].equals(tables["kept"][name])


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("amount", [Decimal("1.5"), None]),
        ("amount", [Decimal("1.500"), None]),
        ("day", [dt.date(2020, 1, 31), None]),
        ("day", moments(["2020-01-31", None])),
        ("at", [dt.datetime(2020, 1, 31, 10), None]),  # noqa: DTZ001
        ("at", moments(["2020-01-31 10:00", None]).as_unit("ns")),
        ("seen", moments(["2020-01-31 11:00+01:00", None])),
        ("done", [True, None]),
        ("done", pd.array([True, None], dtype="boolean")),
        ("many", [7, None]),
        ("many", [7.0, np.nan]),
    ],
    ids=str,
)
def test_values_of_any_dtype_are_taken_where_none_changes(name: str, cells: Any) -> None:
    tables = build_with(**{name: cells}).tables
    assert tables["entry"][name].equals(tables["kept"][name])


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("amount", [1.5, None]),
        ("amount", [Decimal("1.005"), None]),
        ("amount", [Decimal("10000.00"), None]),
        ("amount", ["1.5", None]),
        ("amount", [Decimal("Infinity"), None]),
        ("amount", [True, None]),
        ("day", ["01/31/2020", None]),
        ("day", moments(["2020-01-31 10:00", None])),
        ("at", ["2020-01-31 10:00", None]),
        ("at", [dt.datetime(2020, 1, 31, 10, 0, 0, 1), None]),  # noqa: DTZ001
        ("at", moments(["2020-01-31 10:00+00:00", None])),
        ("seen", [dt.datetime(2020, 1, 31, 10), None]),  # noqa: DTZ001
        ("done", ["TRUE", None]),
        ("done", [1, 0]),
        ("many", ["+7", None]),
        ("many", [7.5, None]),
    ],
    ids=str,
)
def test_what_is_no_value_is_the_builders_error_and_no_cell_is_shown(name: str, cells: Any) -> None:
    with pytest.raises(ModelError) as caught:
        build_with(**{name: cells})
    assert str(caught.value).startswith(
        f"the builder of 'entry' gives what is no {MODEL.tables['entry'].columns[name].type} "
    )
    assert caught.value.details == {"table": "entry", "column": name}
    told = traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__)
    for cell in ("01/31/2020", "10000", "1.005", "7.5", "+7"):
        assert cell not in "".join(told)


def test_a_value_before_the_first_day_does_not_fit_its_table() -> None:
    with pytest.raises(ValidationError, match=r"entry\.day: out_of_range \(1\)"):
        build_with(day=[dt.date(1500, 1, 1), None])


# ------------------------------------------------------------------------------ inverses


class Slip(Source):
    no: Series[str] = column()
    one: Series[str] = column(nullable=True)
    two: Series[str] = column(nullable=True)


class Base(Table):
    base_id: Series[int] = column(primary_key=True)
    no: Series[str] = column(natural_key=True, length=5, source="slip.no")


class Part(Table):
    part_id: Series[int] = column(primary_key=True)
    base_id: Series[int] = column(natural_key=True, references="base")
    place: Series[int] = column(natural_key=True)
    amount: Series[Decimal] = column(precision=6, scale=2, source=("slip.one", "slip.two"))


def build(slip: pd.DataFrame, base_rows: pd.DataFrame) -> pd.DataFrame:
    """Give a row for each amount that is there."""
    parts = [
        pd.DataFrame({"base_id": np.arange(len(base_rows)), "place": n, "amount": slip[name]})
        for n, name in enumerate(["one", "two"])
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset="amount").reset_index(drop=True)


def invert(rows: pd.DataFrame) -> Mapping[str, pd.Series]:
    """Give canonical text back, as it comes."""
    assert rows["place"].isin(["0", "1"]).all()
    return {
        name: rows["amount"].where(rows["place"] == str(n), None)
        for n, name in enumerate(["one", "two"])
    }


def invert_to_values(rows: pd.DataFrame) -> Mapping[str, pd.Series]:
    """Give values back instead."""
    return {
        name: pd.Series(
            [Decimal(cell) if isinstance(cell, str) else None for cell in values], dtype=object
        )
        for name, values in invert(rows).items()
    }


@pytest.mark.parametrize("back", [invert, invert_to_values])
def test_an_inverse_is_given_text_and_gives_text_or_values(back: Any) -> None:
    model = Model.of(sources=[Slip], tables=[Base, Part], builders={"part": Builder(build, back)})
    frame = pd.DataFrame(
        {"no": ["a", "b", "c"], "one": ["1", "2.50", None], "two": [None, "3.5", "x"]}, dtype=object
    )
    given = ae.Extract(slip=frame)
    result = ae.normalize(given, run=RUN, model=model)
    ae.verify(result, given, run=RUN, model=model)
    assert result.tables["part"]["amount"].tolist() == [
        Decimal("1.00"),
        Decimal("2.50"),
        Decimal("3.50"),
    ]
    assert result.rejects["rule"].tolist() == ["invalid_two"]
    found = ae.denormalize(result.tables, model=model)["slip"]
    assert found["two"].fillna("-").tolist() == ["-", "3.50", "-"]
