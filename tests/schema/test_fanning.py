"""A table that takes several columns of a sheet as rows goes there and back as it declares."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any, Optional

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import ModelError
from aspen_etl.schema import Entity, Model, Series, Table, TableSpec, column, ref
from aspen_etl.schema.evolution import describe_functions
from aspen_etl.schema.validation import find_failures
from aspen_etl.testing import tables as drawn_tables
from tests.support.effort import some

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="test")


class Patient(Table, source="patients"):
    """Who is treated."""

    number: Series[str] = column(natural_key=True, length=10)


class Phone(Table, source="patients.phone_*"):
    """How to reach a patient."""

    patient_id: Series[int] = ref("patient", natural_key=True)
    type: Series[str] = column(natural_key=True, length=10, from_name=("home", "cell"))
    value: Series[str] = column(length=12)


class Year(Table, source="years"):
    """One row for each year of a patient."""

    number: Series[str] = column(natural_key=True, length=9)
    patient_id: Series[int] = ref("patient", source="patient")


class Month(Table, source="years"):
    """What a month cost, and how often the patient came."""

    year_id: Series[int] = ref("year", natural_key=True)
    month: Series[int] = column(natural_key=True, from_name={"jan": 1, "feb": 2, "oct": 10})
    cost: Series[Decimal] = column(nullable=True, precision=9, scale=2, source="*_cost")
    visits: Series[int] = column(nullable=True, source="visits_*")


class ContactType(Table):
    """The kinds of contacts."""

    contact_type_id: Series[int] = column(primary_key=True)
    type: Series[str] = column(natural_key=True, length=10)


class Contact(Table, source="patients.contact_*"):
    """Whom to call, by kind."""

    patient_id: Series[int] = ref("patient", natural_key=True)
    contact_type_id: Series[int] = ref(
        "contact_type", natural_key=True, from_name={"1": "first", "2": "second"}
    )
    name: Series[str] = column(length=9)


MODEL = Model.of(tables=[Patient, Phone, ContactType, Contact, Year, Month])
COLUMNS = {name: list(sheet.columns) for name, sheet in MODEL.sources.items()}

Rows = list[list[Optional[str]]]


def normalized(patients: Rows, years: Rows = []) -> Any:  # noqa: B006 - nobody changes it
    given = {"patients": patients, "years": years}
    frames = {
        name: pd.DataFrame(rows, columns=COLUMNS[name], dtype=object)
        for name, rows in given.items()
    }
    return ae.normalize(ae.Extract.from_frames(frames), model=MODEL, run=RUN)


def cells(frame: pd.DataFrame, *names: str) -> list[list[Any]]:
    taken = frame[list(names)].astype(object)
    return [[None if pd.isna(cell) else cell for cell in row] for row in taken.to_numpy().tolist()]


# ------------------------------------------------------------------------- what is built


def test_sheets_follow_with_each_column_of_a_type() -> None:
    assert {
        "patients": ["number", "phone_home", "phone_cell", "contact_1", "contact_2"],
        "years": [
            *("number", "patient", "jan_cost", "feb_cost", "oct_cost"),
            *("visits_jan", "visits_feb", "visits_oct"),
        ],
    } == COLUMNS
    assert MODEL.lineage.tables["phone"].kind == "built"


def test_each_cell_that_is_there_is_a_row_of_its_type() -> None:
    found = normalized(
        [["P2", None, "21", "x", None], ["P1", "10", "11", None, "y"], ["P3"] + [None] * 4]
    ).tables
    assert cells(found["phone"], "phone_id", "patient_id", "type", "value") == [
        [1, 1, "cell", "11"],
        [2, 1, "home", "10"],
        [3, 2, "cell", "21"],
    ]
    assert found["contact_type"]["type"].tolist() == ["first", "second"]
    assert cells(found["contact"], "patient_id", "contact_type_id", "name") == [
        [1, 2, "y"],
        [2, 1, "x"],
    ]


def test_types_may_be_numbers_and_a_row_may_hold_several_cells() -> None:
    result = normalized([["P1"] + [None] * 4], [["Y1", "P1", None, "2.50", "10", None, "3", None]])
    assert cells(result.tables["month"], "month_id", "month", "cost", "visits") == [
        [1, 2, Decimal("2.50"), 3],
        [2, 10, Decimal("10.00"), None],
    ]
    back = ae.denormalize(result.tables, model=MODEL)["years"]
    assert cells(back, *COLUMNS["years"]) == [["Y1", "P1", None, "2.50", "10.00", None, "3", None]]


def test_a_cell_of_no_form_is_a_reject_and_makes_no_row() -> None:
    result = normalized(
        [["P1", "1" * 13, "2"] + [None] * 2], [["Y1", "P1", "?", None, None, None, "4", None]]
    )
    assert cells(result.rejects, "column", "rule", "scope") == [
        ["phone_home", "too_long", "value"],
        ["jan_cost", "invalid_jan_cost", "value"],
    ]
    assert result.tables["phone"]["value"].tolist() == ["2"]
    assert cells(result.tables["month"], "month", "cost", "visits") == [[2, None, 4]]


CELL = st.none() | st.sampled_from(["1", "2", "30"])


@given(
    patients=st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=4),
    years=st.lists(st.tuples(*[CELL] * 6), max_size=4),
)
@some(4, least=25)
def test_what_is_built_goes_back_cell_for_cell(patients: Any, years: Any) -> None:
    people = [[f"P{place}", *row] for place, row in enumerate(patients)]
    spans = [[f"Y{place}", "P0", *row] for place, row in enumerate(years) if people]
    result = normalized(people, spans)
    assert not len(result.rejects)
    held = sum(cell is not None for row in patients for cell in row[:2])
    assert len(result.tables["phone"]) == held
    back = ae.denormalize(result.tables, model=MODEL)
    assert cells(back["patients"], *COLUMNS["patients"]) == people
    costs = [[*row[:2], *(c and f"{c}.00" for c in row[2:5]), *row[5:]] for row in spans]
    assert cells(back["years"], *COLUMNS["years"]) == costs


@given(tables=drawn_tables(MODEL, max_rows=2))
@some(4, least=25)
def test_tables_hold_the_types_that_are_named(tables: ae.Tables) -> None:
    ae.validate(tables, model=MODEL)
    assert set(tables["month"]["month"]) <= {1, 2, 10}
    for name, column_, wrong in (("phone", "type", "fax"), ("month", "month", 3)):
        if len(tables[name]):
            frame = tables[name].assign(**{column_: wrong})
            failures = find_failures({**tables, name: frame}, model=MODEL)
            assert (name, column_) in set(zip(failures["table"], failures["column"]))


# ------------------------------------------------------------------------- what follows anew


def test_a_builder_follows_anew_and_travels() -> None:
    class Phone(Table, source="patients.phone_*"):
        patient_id: Series[int] = ref("patient", natural_key=True)
        type: Series[str] = column(natural_key=True, length=10, from_name=("home", "cell", "work"))
        value: Series[str] = column(length=12)

    changed = MODEL.replace(tables=[Phone])
    assert "phone_work" in changed.sources["patients"].columns
    made = changed.builders["phone"].invert
    assert made is not None
    rows = pd.DataFrame({"type": ["work"], "value": ["9"], "patient_id": [0]}, dtype=object)
    assert made(rows)["phone_work"].tolist() == ["9"]
    travelled = pickle.loads(pickle.dumps(MODEL))  # noqa: S301 - our own bytes
    assert travelled.builders["phone"].inputs == ("patients", "patient_rows")


def test_what_a_declaration_builds_is_known_by_its_facts() -> None:
    described = describe_functions(MODEL)
    assert described is not None
    assert "kinds=('cell', 'home')" in described["functions"]["build phone"]

    class Phone(Table, source="patients.phone_*"):
        patient_id: Series[int] = ref("patient", natural_key=True)
        type: Series[str] = column(
            natural_key=True, length=10, from_name={"home": "cell", "cell": "home"}
        )
        value: Series[str] = column(length=12)

    assert describe_functions(MODEL.replace(tables=[Phone])) != described


# ------------------------------------------------------------------------- what is refused


def _series(kind: Any) -> Any:
    return Series[kind]


def refused(base: Any = Table, source: Any = "patients.phone_*", **columns: Any) -> str:
    """Give the text with which a table is refused; a column is a type and its field."""
    columns = {
        "patient_id": (int, ref("patient", natural_key=True)),
        "type": (str, column(natural_key=True, length=4, from_name=("home", "cell"))),
        "value": (str, column(length=12)),
        **columns,
    }
    given = {name: held for name, held in columns.items() if held is not None}
    body: dict[str, Any] = {name: held for name, (_, held) in given.items()}
    body["__annotations__"] = {name: _series(kind) for name, (kind, _) in given.items()}
    with pytest.raises(ModelError) as caught:
        TableSpec.of(type("Phone", (base,), body, source=source))
    return str(caught.value)


ONE = (
    "table 'phone': from_name= is for one column of a Table whose class names what it takes, as in "
    "class Phone(Table, source='patients.phone_*')"
)
KIND = (
    "table 'phone': 'type' takes its values from names; annotate it as Series[str], or Series[int] "
    "where they are whole numbers, give it natural_key=True and no source=, and let each value of "
    "from_name= be another one"
)


def test_one_column_of_one_table_takes_its_values_from_names() -> None:
    two = column(natural_key=True, length=4, from_name=("home", "cell"))
    assert refused(more=(str, two)) == ONE
    assert refused(Entity) == ONE
    assert refused(source=None) == ONE


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (str, {"length": 4, "from_name": {"home": "a", "cell": "a"}, "natural_key": True}),
        (str, {"length": 4, "from_name": ("home", "cell")}),
        (int, {"from_name": ("home", "cell"), "natural_key": True}),
        (int, {"from_name": ("01", "02"), "natural_key": True}),
        (int, {"from_name": ("0x", "1"), "natural_key": True}),
        (int, {"from_name": {"home": 2**64}, "natural_key": True}),
        (str, {"length": 4, "from_name": ("home",), "natural_key": True, "source": "kind"}),
        (dt.date, {"from_name": ("home",), "natural_key": True}),
    ],
)
def test_a_type_is_known_by_its_text_or_whole_number(kind: Any, facts: dict[str, Any]) -> None:
    assert refused(type=(kind, column(**facts))) == KIND


def test_a_type_fits_its_column() -> None:
    short = column(natural_key=True, length=3, from_name=("home", "cell"))
    assert refused(type=(str, short)) == (
        "table 'phone': from_name= has 4 characters; give 'type' such a length="
    )


def test_from_name_without_names_is_refused() -> None:
    wrong: Any
    for wrong in ("home", (), (1, 2), {1: "home"}):
        with pytest.raises(ModelError, match="write it as in from_name="):
            column(natural_key=True, from_name=wrong)


def test_a_value_says_which_columns_it_takes() -> None:
    text = (
        "table 'phone': nothing says which columns of 'patients' 'value' takes; write them with a "
        "* for the type, as in source='value_*'"
    )
    assert refused(source="patients") == text
    assert refused(value=(str, column(source="value", length=9))) == text
    assert refused(value=(str, column(source="others.value_*", length=9))) == text


def test_a_star_without_types_is_refused() -> None:
    plain = column(natural_key=True, length=4)
    assert refused(type=(str, plain), value=(str, column(source="value_*", length=9))) == (
        "table 'phone': value has source='value_*', and no column says what * stands for; give "
        "the column of the type from_name=('home', 'cell'), or name one column"
    )


def test_a_row_belongs_to_one_row_of_another_table() -> None:
    text = "table 'phone': a row of it belongs to one row of another table; give it one column"
    assert text in refused(patient_id=None)
    assert text in refused(visit_id=(int, ref("visit", natural_key=True)))


def test_several_values_may_each_be_missing() -> None:
    several = {
        "value": (str, column(length=12, source="phone_*_no")),
        "note": (str, column(length=12, source="phone_*_note", nullable=True)),
    }
    assert refused(**several) == (
        "table 'phone': what it holds is one column, or several that may each be missing; give "
        "value nullable=True, and no natural_key=, or take a builder"
    )
    same = column(length=12, source="phone_*", nullable=True)
    twice = column(length=12, source="phone_*", nullable=True)
    assert refused(value=(str, same), note=(str, twice)) == (
        "table 'phone': two columns take the same columns of a sheet; give each another source="
    )


class Kind(Table, source="kinds"):
    """A type that stands in a sheet of its own."""

    code: Series[str] = column(natural_key=True, length=4)


class NumberedKind(Entity):
    """A type that is a number."""

    code: Series[int] = column(natural_key=True)

    class Config:
        name = "kind"


class TellingKind(Entity, source="patients.kind_*"):
    """A type of which more is told than its code."""

    code: Series[str] = column(natural_key=True, length=4)

    class Config:
        name = "kind"


class OneKind(Table, source="patients"):
    """Refer to the type."""

    number: Series[str] = column(natural_key=True, length=10)
    kind_id: Series[int] = ref("kind", source="kind_code")


@pytest.mark.parametrize("kind", [Kind, NumberedKind, TellingKind])
def test_what_comes_from_several_columns_refers_to_a_list_of_texts(kind: type[Table]) -> None:
    class Phone(Table, source="patients.phone_*"):
        patient_id: Series[int] = ref("patient", natural_key=True)
        kind_id: Series[int] = ref("kind", natural_key=True, from_name=("1", "2"))
        value: Series[str] = column(length=12)

    more: list[type[Table]] = [OneKind] if kind is TellingKind else []
    with pytest.raises(ModelError) as caught:
        Model.of(tables=[Patient, kind, Phone, *more])
    assert str(caught.value) == (
        "phone.kind_id refers to 'kind'; what several columns hold can refer to a list of texts "
        "alone, an Entity of one column of text and no source: declare that, or make the column "
        "text"
    )
