"""The sheets of a model, and where its references lead, follow from its tables."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterable
from decimal import Decimal

import pytest

from aspen_etl import BORROWER_MODEL
from aspen_etl.errors import ModelError
from aspen_etl.schema import (
    Entity,
    Model,
    Series,
    Source,
    SourceSpec,
    Table,
    TableSpec,
    column,
    ref,
)
from aspen_etl.schema.following import follow_references
from aspen_etl.schema.implying import imply_sources


class Patient(Table, source="patients"):
    """Who is treated."""

    number: Series[str] = column(natural_key=True, length=10, label="patient")
    name: Series[str] = column(nullable=True, description="As it is written.")


class Clinic(Entity, source="visits.clinic_*"):
    """Where a visit was."""

    code: Series[str] = column(natural_key=True, length=10)
    name: Series[str] = column()


class Room(Entity, source="visits.room_*"):
    """In which room of which clinic."""

    no: Series[str] = column(natural_key=True, length=10)
    clinic_id: Series[int] = ref("clinic", natural_key=True)


class Visit(Table, source="visits"):
    """Who came when."""

    number: Series[str] = column(natural_key=True, length=12, source="visit_no")
    patient_id: Series[int] = ref("patient", source="patient")
    room_id: Series[int] = ref("room")
    fee: Series[Decimal] = column(precision=12, scale=2, nullable=True)


class Bill(Table, source="visits"):
    """What a visit costs, apart from who came."""

    visit_id: Series[int] = ref("visit", natural_key=True)
    class_: Series[str] = column(source="class", nullable=True)


def implied(
    tables: Iterable[type[Table]], sources: Iterable[type[Source]] = ()
) -> tuple[dict[str, SourceSpec], dict[str, TableSpec]]:
    """Give the sheets that follow, and the tables whose references are followed."""
    specs = {spec.name: spec for spec in map(TableSpec.of, tables)}
    followed = follow_references(specs, frozenset())
    return imply_sources({s.name: s for s in map(SourceSpec.of, sources)}, followed), followed


def refused(tables: Iterable[type[Table]], sources: Iterable[type[Source]] = ()) -> str:
    """Give the text with which tables are refused."""
    with pytest.raises(ModelError) as caught:
        implied(tables, sources)
    return str(caught.value)


TABLES = (Clinic, Room, Patient, Visit, Bill)

# ------------------------------------------------------------------------- what follows


def test_sheets_follow_in_the_order_of_their_tables() -> None:
    sheets, _ = implied(TABLES)
    assert {name: list(sheet.columns) for name, sheet in sheets.items()} == {
        "visits": [
            *("visit_no", "patient", "room_no", "clinic_code", "clinic_name"),
            *("fee", "class"),
        ],
        "patients": ["number", "name"],
    }
    assert all(sheet.implied for sheet in sheets.values())


def test_a_cell_may_be_missing_where_its_row_is_one_without_it() -> None:
    sheets, _ = implied(TABLES)
    required = [name for name, spec in sheets["visits"].columns.items() if not spec.nullable]
    assert required == ["visit_no", "patient", "room_no", "clinic_code"]
    assert sheets["patients"].columns["name"].nullable


def test_a_sheet_takes_labels_and_sentences_from_its_table() -> None:
    found, _ = implied(TABLES)
    sheet = found["patients"].columns
    assert (sheet["number"].label, sheet["name"].label) == ("patient", "name")
    assert sheet["name"].description == "As it is written."


def test_a_reference_follows_to_a_table_of_the_same_sheet() -> None:
    class Test(Table, source="visits"):
        clinic_id: Series[int] = ref("clinic", natural_key=True)

    _, tables = implied((*TABLES, Test))
    assert tables["bill"].columns["visit_id"].source == ("visits.visit_no",)
    assert tables["test"].columns["clinic_id"].source == ("visits.clinic_code",)
    assert tables["visit"].columns["room_id"].source == ()  # known by two columns
    assert tables["visit"].columns["patient_id"].source == ("visits.patient",)


def test_a_reference_of_an_entity_follows_in_each_of_its_sheets() -> None:
    class Clinic(Entity, source=("visits.clinic_*", "staff.clinic")):
        code: Series[str] = column(natural_key=True, length=10)

    class Doctor(Entity, source=("visits.doctor_*", "staff.*")):
        no: Series[str] = column(natural_key=True, length=10)
        clinic_id: Series[int] = ref("clinic", nullable=True)

    class Visit(Table, source="visits"):
        no: Series[str] = column(natural_key=True, length=10)
        doctor_id: Series[int] = ref("doctor", nullable=True)

    class Contract(Table, source="staff"):
        doctor_id: Series[int] = ref("doctor", natural_key=True)

    sheets, tables = implied([Clinic, Doctor, Visit, Contract])
    assert tables["doctor"].columns["clinic_id"].source == ("visits.clinic_code", "staff.clinic")
    assert tables["contract"].columns["doctor_id"].source == ("staff.no",)
    assert list(sheets["visits"].columns) == ["no", "doctor_no", "clinic_code"]
    nullable = [name for name, spec in sheets["staff"].columns.items() if spec.nullable]
    assert nullable == ["clinic"]


def test_a_sheet_that_is_declared_takes_the_place_of_what_follows() -> None:
    class PatientsSheet(Source):
        number: Series[str] = column(label="case")
        name: Series[str] = column()

    sheets, _ = implied(TABLES, [PatientsSheet])
    assert sheets["patients"] == SourceSpec.of(PatientsSheet)
    assert (sheets["patients"].implied, sheets["visits"].implied) == (False, True)


def test_what_followed_before_follows_anew() -> None:
    class Patient2(Patient):
        born: Series[dt.date] = column(nullable=True)

        class Config:
            name = "patient"

    model = Model.of(tables=[Patient])
    assert list(model.sources["patients"].columns) == ["number", "name"]
    changed = model.replace(tables=[Patient2])
    assert list(changed.sources["patients"].columns) == ["number", "name", "born"]
    travelled = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    assert dict(travelled.sources) == dict(model.sources)


def test_a_model_of_old_tables_needs_no_sheet_either() -> None:
    specs = list(BORROWER_MODEL.tables.values())
    builders = dict(BORROWER_MODEL.builders)
    bare = Model.of(tables=specs, builders=builders, cleaners=dict(BORROWER_MODEL.cleaners))
    assert set(bare.sources) == set(BORROWER_MODEL.sources)
    for name, sheet in BORROWER_MODEL.sources.items():
        found = bare.sources[name].columns
        assert {key: spec.nullable for key, spec in found.items()} == {
            key: spec.nullable for key, spec in sheet.columns.items()
        }


def test_a_table_with_a_sheet_of_its_own_is_added_alone() -> None:
    class Loan(Table, source="loan"):
        number: Series[str] = column(natural_key=True, length=20)
        user_id: Series[int] = ref("user", source="borrower_id")

    model = BORROWER_MODEL.add(tables=[Loan])
    assert list(model.sources["loan"].columns) == ["number", "borrower_id"]
    assert dict(model.lineage.sources["loan"].references) == {"borrower_id": "borrower"}


# ------------------------------------------------------------------------- what is refused


def test_a_reference_to_another_sheet_needs_a_source() -> None:
    class Visit(Table, source="visits"):
        number: Series[str] = column(natural_key=True, length=12)
        patient_id: Series[int] = ref("patient")

    assert refused([Patient, Visit]) == (
        "visit.patient_id refers to 'patient', which is made of 'patients', and not of 'visits'; "
        "name the column of 'visits' that holds what it is known by, as in ref('patient', "
        "source='number')"
    )


def test_a_sheet_without_rows_is_refused() -> None:
    class Visit(Table, source="visits"):
        number: Series[str] = column(natural_key=True, length=12)
        fee: Series[str] = column(source="vists.fee")

    assert refused([Visit]) == (
        "visit.fee is made of the sheet 'vists', and no table has one row for each of its rows; "
        "declare one, as in class VistsRow(Table, source='vists'); did you mean 'visits'?"
    )
    assert refused([Clinic]) == (
        "clinic.code is made of the sheet 'visits', and no table has one row for each of its "
        "rows; declare one, as in class VisitsRow(Table, source='visits')"
    )


def test_an_entity_that_nothing_feeds_is_refused() -> None:
    class Clinic(Entity):
        code: Series[str] = column(natural_key=True, length=10)

    assert refused([Patient, Clinic]) == (
        "nothing feeds the entity 'clinic'; name the sheet of its class, as in "
        "source='visits.clinic_*', or let a table refer to it with ref(..., source=...)"
    )


def test_a_row_that_several_columns_tell_is_no_key_in_its_own_sheet() -> None:
    class Line(Table, source="lines"):
        order: Series[str] = column(natural_key=True, length=9)
        line: Series[int] = column(natural_key=True)

    class Discount(Table, source="lines"):
        line_id: Series[int] = ref("line", natural_key=True)

    assert refused([Line, Discount]) == (
        "discount.line_id refers to 'line', whose rows are those of the same sheet and known by "
        "several columns (order, line); declare the columns of 'discount' in 'line', or give "
        "builders={'discount': ...}"
    )


def test_a_class_that_forgot_its_sheet_is_named() -> None:
    class Visit(Table):
        number: Series[str] = column(natural_key=True, length=12)
        clinic_id: Series[int] = ref("clinic")

    assert "as in class Visit(Table, source='visit')" in refused([Clinic, Visit])


def test_a_table_of_which_nothing_says_its_sheet_is_refused() -> None:
    class Order(Table):
        number: Series[str] = column(natural_key=True, length=12)
        amount: Series[str] = column()

    assert refused([Order]) == (
        "nothing says which sheet table 'order' is made of; name it with its class, as in class "
        "Order(Table, source='order'), or give builders={'order': ...}"
    )


def test_a_table_of_distinct_values_is_an_entity() -> None:
    class Clinic(Table, source="visits.clinic_*"):
        code: Series[str] = column(natural_key=True, length=10)

    class Visit(Table, source="visits"):
        number: Series[str] = column(natural_key=True, length=12)

    with pytest.raises(ModelError, match=r"or derive its class from aspen_etl\.schema\.Entity"):
        Model.of(tables=[Clinic, Visit])


def test_a_sheet_that_nothing_declares_is_refused_where_others_are_declared() -> None:
    class Loan(Table):
        loan_id: Series[int] = column(primary_key=True)
        number: Series[str] = column(natural_key=True, length=20, source="laon.number")

    class LoanSheet(Source):
        number: Series[str] = column()

    with pytest.raises(ModelError, match="there is no source 'laon'; did you mean 'loan'"):
        Model.of(sources=[LoanSheet], tables=[Loan])


def test_a_column_that_a_declared_sheet_lacks_is_refused() -> None:
    class PatientsSheet(Source):
        number: Series[str] = column()
        nane: Series[str] = column(nullable=True)

    with pytest.raises(ModelError, match="has no such column; did you mean 'nane'"):
        Model.of(sources=[PatientsSheet], tables=[Patient])


@pytest.mark.parametrize(
    ("newest", "text"),
    [
        ("seen", "newest='visits.seen' is no column of a sheet; did you mean 'visits.sen'?"),
        ("number", "newest='visits.number' is text, of which none is later than another"),
    ],
)
def test_what_is_newest_is_told_by_a_column_that_tells_it(newest: str, text: str) -> None:
    class Clinic(Entity, source="visits.clinic_*", newest=newest):
        code: Series[str] = column(natural_key=True, length=10)

    class Visit(Table, source="visits"):
        number: Series[str] = column(natural_key=True, length=12)
        sen: Series[dt.date] = column()
        clinic_id: Series[int] = ref("clinic")

    assert text in refused([Clinic, Visit])
