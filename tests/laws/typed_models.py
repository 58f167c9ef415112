"""Models of typed columns and of entities, as a user writes them, for the laws."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from aspen_etl.schema import Entity, Model, Series, Table, column, ref

__all__ = ["ENTITIES", "TYPES_MODEL"]

# ----------------------------------------------------------------- every type


class Station(Table, source="stations"):
    """Every type, known by a number; nullable and not."""

    number: Series[int] = column(natural_key=True)
    name: Series[str] = column(length=20, nullable=True)
    capacity: Series[int] = column(nullable=True, minimum=0)
    height: Series[Decimal] = column(precision=9, scale=6)
    cost: Series[Decimal] = column(precision=12, scale=2, nullable=True, format="$1,234.50")
    total: Series[Decimal] = column(precision=38, scale=18, nullable=True, format="1.234,50")
    opened: Series[dt.date] = column(format="%m/%d/%Y", minimum=dt.date(1900, 1, 1))
    closed: Series[dt.date] = column(nullable=True)
    seen: Series[dt.datetime] = column(nullable=True, format="%d.%m.%Y %H:%M")
    installed: Series[dt.datetime] = column()
    sent: Series[dt.datetime] = column(zone="UTC")
    checked: Series[dt.datetime] = column(zone="UTC", nullable=True)
    active: Series[bool] = column(words={"Y": True, "N": False})
    rented: Series[bool] = column(nullable=True)


class Period(Table, source="periods"):
    """Known by its first day, which is its key."""

    first_day: Series[dt.date] = column(primary_key=True, format="%d.%m.%Y")
    budget: Series[Decimal] = column(precision=18, scale=0, nullable=True)


class Batch(Table, source="batches"):
    """Known by a number that is its key, and part of a period."""

    batch_no: Series[int] = column(primary_key=True)
    first_day: Series[dt.date] = ref("period", source="period", nullable=True)


class Reading(Table, source="readings"):
    """Known by a station, a day and a text."""

    station_id: Series[int] = ref("station", source="station", natural_key=True)
    day: Series[dt.date] = column(natural_key=True)
    code: Series[str] = column(natural_key=True, length=6)
    batch_no: Series[int] = ref("batch", source="batch", nullable=True)
    value: Series[Decimal] = column(precision=20, scale=10, nullable=True)
    is_good: Series[bool] = column(nullable=True, words={"1": True, "0": False})


TYPES_MODEL = Model.of(tables=[Station, Period, Batch, Reading], subject="station")

# ----------------------------------------------------------------- entities


class Country(Entity, source=("lines.country_*", "stores.country")):
    """An entity of entities, from two sheets; one of them knows its key alone."""

    code: Series[str] = column(natural_key=True, length=4)
    name: Series[str] = column(nullable=True, length=10)


class City(Entity, source=("lines.city_*", "stores.city_*")):
    """An entity that refers to an entity; one sheet does not know its mayor."""

    name: Series[str] = column(natural_key=True, length=10)
    founded: Series[dt.date] = column(nullable=True, format="%Y%m%d")
    mayor: Series[str] = column(nullable=True, length=10, source="lines.city_mayor")
    country_id: Series[int] = ref("country", nullable=True)


class Customer(Entity, source="lines.customer_*", newest="lines.ordered"):
    """Known by two columns; the newest row says what it is."""

    region: Series[str] = column(natural_key=True, length=4)
    no: Series[int] = column(natural_key=True)
    name: Series[str] = column(nullable=True, length=10)
    credit: Series[Decimal] = column(nullable=True, precision=8, scale=2)
    city_id: Series[int] = ref("city", nullable=True)


class Product(Entity, source="lines.product_*", conflict="reject"):
    """Must have a title, and of two that disagree none is taken."""

    code: Series[str] = column(natural_key=True, length=6)
    title: Series[str] = column(length=10)
    price: Series[Decimal] = column(nullable=True, precision=8, scale=2)


class Store(Table, source="stores"):
    """Rows that may have a city."""

    store_no: Series[str] = column(natural_key=True, length=8)
    city_id: Series[int] = ref("city", nullable=True)


class Line(Table, source="lines"):
    """Rows that must have a product."""

    line_no: Series[str] = column(natural_key=True, length=8)
    ordered: Series[dt.date] = column(nullable=True)
    store_id: Series[int] = ref("store", source="store", nullable=True)
    customer_id: Series[int] = ref("customer", nullable=True)
    product_id: Series[int] = ref("product")


ENTITIES = Model.of(tables=[Country, City, Customer, Product, Store, Line], subject="line")
