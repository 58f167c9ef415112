"""Models of entities: of one another, of several columns, of two sheets, and small extracts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Optional

import pandas as pd

import aspen_etl as ae
from aspen_etl.schema import Entity, Model, Series, Table, column, ref

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="wards")


class City(Entity, source="visits.city_*"):
    """Where clinics are: known through them alone."""

    name: Series[str] = column(natural_key=True, length=10)
    region: Series[str] = column(nullable=True, length=10)


class Clinic(Entity, source=("visits.clinic_*", "referrals.clinic_*")):
    """Fed by two sheets; the second one does not tell of its city."""

    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True, length=10)
    city_id: Series[int] = ref("city", nullable=True)


class Ward(Entity, source="visits.ward_*", conflict="reject"):
    """Known by two columns; where rows disagree, nobody is believed."""

    house: Series[str] = column(natural_key=True, length=10)
    no: Series[int] = column(natural_key=True)
    floor: Series[int] = column(nullable=True)


class Visit(Table, source="visits"):
    """A row of the first sheet."""

    visit_no: Series[str] = column(natural_key=True, length=10)
    clinic_id: Series[int] = ref("clinic")
    ward_id: Series[int] = ref("ward", nullable=True)
    day: Series[dt.date] = column(nullable=True)


class Referral(Table, source="referrals"):
    """A row of the second sheet."""

    referral_no: Series[str] = column(natural_key=True, length=10)
    visit_id: Series[int] = ref("visit", source="referrals.visit_no")
    clinic_id: Series[int] = ref("clinic", nullable=True)


CITIES = Model.of(tables=[City, Clinic, Ward, Visit, Referral], subject="visit")


class StrictCity(City, source="visits.city_*"):
    """A city must have a region."""

    class Config:
        """Called as the other is."""

        name = "city"

    region: Series[str] = column(length=10)


class StrictClinic(Clinic, source=("visits.clinic_*", "referrals.clinic_*"), newest="visits.day"):
    """A clinic must have a name; of two names the latest counts."""

    class Config:
        """Called as the other is."""

        name = "clinic"

    name: Series[str] = column(length=10)


class OpenWard(Ward, source="visits.ward_*", conflict="reject"):
    """A floor there must be."""

    class Config:
        """Called as the other is."""

        name = "ward"

    floor: Series[int] = column()


STRICT = Model.of(tables=[StrictCity, StrictClinic, OpenWard, Visit, Referral], subject="visit")


class Area(Entity, source="calls.area_*"):
    """Known by a key of its own."""

    code: Series[str] = column(primary_key=True, length=10)
    name: Series[str] = column(nullable=True, length=10)


class House(Entity, source="calls.house_*"):
    """Known by two columns, and reached through another entity alone."""

    street: Series[str] = column(natural_key=True, length=10)
    no: Series[int] = column(natural_key=True)
    area_code: Series[str] = ref("area", nullable=True)


class Kind(Table):
    """A lookup that rows of an entity refer to."""

    kind_id: Series[int] = column(primary_key=True)
    word: Series[str] = column(natural_key=True, length=10)


class Nurse(Table, source="nurses"):
    """Rows of another sheet."""

    nurse_no: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True, length=10)


class Team(Entity, source="calls.team_*"):
    """What refers to everything: to rows of another sheet, to a lookup, to a compound key."""

    code: Series[str] = column(natural_key=True, length=10)
    head_id: Series[int] = ref("nurse", nullable=True, source="calls.team_head")
    kind_id: Series[int] = ref("kind", nullable=True, source="calls.team_kind")
    fee: Series[Decimal] = column(nullable=True, precision=6, scale=2)
    house_id: Series[int] = ref("house", nullable=True)


class Call(Table, source="calls"):
    """A row of the sheet that tells of all of them."""

    call_no: Series[str] = column(natural_key=True, length=10)
    team_id: Series[int] = ref("team", nullable=True)


CALLS = Model.of(tables=[Area, House, Kind, Nurse, Team, Call], subject="nurse")

VISITS = (
    *("visit_no", "clinic_code", "clinic_name", "city_name", "city_region"),
    *("ward_house", "ward_no", "ward_floor", "day"),
)
REFERRALS = ("referral_no", "visit_no", "clinic_code", "clinic_name")
NURSES = ("nurse_no", "name")
CALL_COLUMNS = (
    *("call_no", "team_code", "team_head", "team_kind", "team_fee"),
    *("house_street", "house_no", "area_code", "area_name"),
)

Cells = Sequence[Optional[str]]


def visits(*rows: Cells, referrals: tuple[Cells, ...] = ()) -> ae.Extract:
    """Make an extract of rows, whose last cells may be left out."""
    return ae.Extract.from_frames(
        {"visits": _frame(rows, VISITS), "referrals": _frame(referrals, REFERRALS)}
    )


def _frame(rows: tuple[Cells, ...], columns: tuple[str, ...]) -> pd.DataFrame:
    full = [[*row, *[None] * (len(columns) - len(row))] for row in rows]
    return pd.DataFrame(full, columns=list(columns), dtype=object)


def plain(values: pd.DataFrame) -> list[list[Any]]:
    """Give rows in plain Python, None where there is no value."""
    return [
        [None if pd.isna(cell) else getattr(cell, "item", lambda cell=cell: cell)() for cell in row]
        for row in values.astype(object).to_numpy().tolist()
    ]


def table(result: ae.NormalizeResult, name: str) -> list[list[Any]]:
    """Give the rows of a table without its audit columns."""
    return plain(result.tables[name].iloc[:, :-4])


def rejects(result: ae.NormalizeResult) -> list[list[Any]]:
    """Give what the rejects tell of cells."""
    return plain(result.rejects[["row", "column", "value", "rule", "scope"]])
