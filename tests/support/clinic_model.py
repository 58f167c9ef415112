"""The clinic: seven tables of three sheets, as a new user writes them."""

import datetime as dt
from decimal import Decimal

from aspen_etl.schema import Entity, Model, Series, Table, column, ref


class Insurer(Entity, source="patients.insurer_*"):
    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True)


class Patient(Table, source="patients"):
    patient_no: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column()
    born: Series[dt.date] = column(nullable=True, format="%m/%d/%Y")
    active: Series[bool] = column(words={"Y": True, "N": False})
    insurer_id: Series[int] = ref("insurer", nullable=True)


class Clinic(Entity, source="visits.clinic_*"):
    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True)
    city: Series[str] = column(nullable=True)


class Doctor(Entity, source="visits.doctor_*"):
    no: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True)


class Visit(Table, source="visits"):
    visit_no: Series[str] = column(natural_key=True, length=12)
    patient_id: Series[int] = ref("patient", source="patient_no")
    clinic_id: Series[int] = ref("clinic")
    doctor_id: Series[int] = ref("doctor", nullable=True)
    visited: Series[dt.date] = column()
    fee: Series[Decimal] = column(precision=12, scale=2)


class Test(Entity, source="tests.test_*"):
    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column(nullable=True)


class Result(Table, source="tests"):
    visit_id: Series[int] = ref("visit", source="visit_no", natural_key=True)
    test_id: Series[int] = ref("test", natural_key=True)
    value: Series[Decimal] = column(precision=18, scale=6)


MODEL = Model.of(tables=[Insurer, Patient, Clinic, Doctor, Visit, Test, Result])
