"""One sheet of orders as a model of types and an entity, of types alone, and of text alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from aspen_etl.schema import Entity, Model, Series, Table, column, ref

__all__ = ["ENTITY", "TEXTS", "TYPES"]


class Clinic(Entity, source="orders.clinic_*"):
    """One row for each code."""

    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True, length=40)
    city: Series[str] = column(nullable=True, length=40)


class TypedOrder(Table, source="orders"):
    """Two decimals, two dates, a flag, and a clinic."""

    order_no: Series[str] = column(natural_key=True, length=12)
    amount: Series[Decimal] = column(precision=12, scale=2)
    tax: Series[Decimal] = column(nullable=True, precision=12, scale=4)
    ordered: Series[dt.date] = column()
    paid: Series[dt.date] = column(nullable=True, format="%m/%d/%Y")
    express: Series[bool] = column(words={"Y": True, "N": False})
    clinic_id: Series[int] = ref("clinic")


class TypedLine(Table, source="orders"):
    """The same types, and the clinic's columns in each row."""

    order_no: Series[str] = column(natural_key=True, length=12)
    amount: Series[Decimal] = column(precision=12, scale=2)
    tax: Series[Decimal] = column(nullable=True, precision=12, scale=4)
    ordered: Series[dt.date] = column()
    paid: Series[dt.date] = column(nullable=True, format="%m/%d/%Y")
    express: Series[bool] = column(words={"Y": True, "N": False})
    clinic_code: Series[str] = column(length=10)
    clinic_name: Series[str] = column(nullable=True, length=40)
    clinic_city: Series[str] = column(nullable=True, length=40)


class TextLine(Table, source="orders"):
    """Nothing but text."""

    order_no: Series[str] = column(natural_key=True, length=12)
    amount: Series[str] = column(length=20)
    tax: Series[str] = column(nullable=True, length=20)
    ordered: Series[str] = column(length=10)
    paid: Series[str] = column(nullable=True, length=10)
    express: Series[str] = column(length=1)
    clinic_code: Series[str] = column(length=10)
    clinic_name: Series[str] = column(nullable=True, length=40)
    clinic_city: Series[str] = column(nullable=True, length=40)


ENTITY = Model.of(tables=[Clinic, TypedOrder])
TYPES = Model.of(tables=[TypedLine])
TEXTS = Model.of(tables=[TextLine])
