"""Which rows a purge takes: closed under references, in all versions at once, and no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns.text import conform_text
from aspen_etl.schema import Entity, Series, Table, column, ref
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.belonging import Frames, Root, are_among, find_rows_to_erase
from aspen_etl.store.likeness import Subject
from aspen_etl.transform.keys import key_columns


class City(Entity, source="visits.city_*"):
    """An entity that another one refers to."""

    name: Series[str] = column(natural_key=True, length=9)


class Clinic(Entity, source="visits.clinic_*"):
    """An entity."""

    code: Series[str] = column(natural_key=True, length=9)
    city_id: Series[int] = ref("city", nullable=True)


class Patient(Table, source="patients"):
    """The subject."""

    no: Series[str] = column(natural_key=True, length=9)


class Visit(Table, source="visits"):
    """Rows of a subject, which refer to an entity."""

    visit_no: Series[str] = column(natural_key=True, length=9)
    patient_id: Series[int] = ref("patient", source="patient_no")
    clinic_id: Series[int] = ref("clinic", nullable=True)


TABLES = {spec.name: spec for spec in map(TableSpec.of, (City, Clinic, Patient, Visit))}
KINDS = {"city": "entity", "clinic": "entity", "patient": "rows", "visit": "rows"}

#: What is asked of a model: its tables, and how each gets its rows.
MODEL: Any = SimpleNamespace(
    tables=TABLES,
    lineage=SimpleNamespace(
        tables={name: SimpleNamespace(kind=kind) for name, kind in KINDS.items()}
    ),
)
ROOT = Root(TABLES["patient"], "patients", ("no",))

IDS = st.integers(1, 4)
MAYBE = st.one_of(st.none(), IDS)


@st.composite
def versions(draw: Any) -> list[dict[str, pd.DataFrame]]:
    """Draw what some versions hold: a row of a table refers to rows that are there."""
    return [draw(version()) for _ in range(draw(st.integers(1, 3)))]


@st.composite
def version(draw: Any) -> dict[str, pd.DataFrame]:
    """Draw what one version holds."""
    keys = {name: sorted(draw(st.sets(IDS, min_size=1))) for name in ("city", "clinic", "patient")}
    visits = sorted(draw(st.sets(IDS)))
    held = {
        "city": {"name": [f"n{key}" for key in keys["city"]]},
        "clinic": {
            "code": [f"c{key}" for key in keys["clinic"]],
            "city_id": _some(draw, keys["city"], keys["clinic"], nullable=True),
        },
        "patient": {"no": [f"P{key}" for key in keys["patient"]]},
        "visit": {
            "visit_no": [f"V{key}" for key in visits],
            "patient_id": _some(draw, keys["patient"], visits),
            "clinic_id": _some(draw, keys["clinic"], visits, nullable=True),
        },
    }
    keys["visit"] = visits
    return {name: _frame(TABLES[name], keys[name], cells) for name, cells in held.items()}


def _some(draw: Any, known: list[int], rows: list[int], *, nullable: bool = False) -> list[Any]:
    choice = st.sampled_from([*known, None] if nullable else known)
    return [draw(choice) for _ in rows]


def _frame(table: TableSpec, keys: list[int], cells: dict[str, list[Any]]) -> pd.DataFrame:
    held = {table.primary_key: keys, **cells}
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=object).astype(table.columns[name].dtype)
            for name, values in held.items()
        }
    )


def erased(held: list[dict[str, pd.DataFrame]], subject_id: str) -> dict[str, set[int]]:
    def read(table: TableSpec) -> Frames:
        frames = [each[table.name] for each in held]
        return Frames(frames, [frame[list(key_columns(table))] for frame in frames])

    found = find_rows_to_erase(MODEL, ROOT, Subject((subject_id,)), read)
    return {name: set(keys.tolist()) for name, keys in found.items()}


#: Which table refers to an entity, and in which column.
USERS = {"clinic": ("visit", "clinic_id"), "city": ("clinic", "city_id")}


def expected(held: list[dict[str, pd.DataFrame]], subject_id: str) -> dict[str, set[int]]:
    """Work it out row by row, again and again until nothing changes."""
    out: dict[str, set[int]] = {name: set() for name in TABLES}
    rows: list[tuple[str, dict[str, Any]]] = [
        (name, {str(key): None if pd.isna(cell) else cell for key, cell in row.items()})
        for each in held
        for name, frame in each.items()
        for row in frame.astype(object).to_dict("records")
    ]
    before: Any = None
    while before != out:
        before = {name: set(keys) for name, keys in out.items()}
        for name, row in rows:
            if row.get("no") == subject_id or row.get("patient_id") in out["patient"]:
                out[name].add(row[TABLES[name].primary_key])
        for entity, (user, reference) in USERS.items():
            key = TABLES[user].primary_key
            named = [(r[reference], r[key]) for name, r in rows if name == user and r[reference]]
            gone = {target for target, one in named if one in out[user]}
            out[entity] |= gone - {target for target, one in named if one not in out[user]}
    return out


@given(versions(), IDS)
def test_it_is_what_a_walk_from_row_to_row_finds(
    held: list[dict[str, pd.DataFrame]], number: int
) -> None:
    assert erased(held, f"P{number}") == expected(held, f"P{number}")


@given(versions(), IDS)
def test_what_is_left_refers_to_nothing_that_went(
    held: list[dict[str, pd.DataFrame]], number: int
) -> None:
    gone = erased(held, f"P{number}")
    for each in held:
        for name, table in TABLES.items():
            frame = each[name]
            left = frame[~frame[table.primary_key].isin(gone[name])]
            for reference, target in table.references.items():
                assert not left[reference].isin(gone[target]).any(), (name, reference)


def test_an_entity_that_somebody_else_had_in_any_version_stays() -> None:
    def of(*visits: tuple[int, int, int]) -> dict[str, pd.DataFrame]:
        keys = [1, 2]
        number, patient, clinic = ([row[i] for row in visits] for i in range(3))
        return {
            "city": _frame(TABLES["city"], keys, {"name": ["a", "b"]}),
            "clinic": _frame(TABLES["clinic"], keys, {"code": ["a", "b"], "city_id": keys}),
            "patient": _frame(TABLES["patient"], keys, {"no": ["P1", "P2"]}),
            "visit": _frame(
                TABLES["visit"],
                number,
                {
                    "visit_no": [f"V{each}" for each in number],
                    "patient_id": patient,
                    "clinic_id": clinic,
                },
            ),
        }

    alone = of((1, 1, 1), (2, 2, 2))
    assert erased([alone], "P1") == {"city": {1}, "clinic": {1}, "patient": {1}, "visit": {1}}
    shared = of((1, 1, 1), (2, 2, 1))
    for held in ([alone, shared], [shared, alone]):
        assert erased(held, "P1") == {"city": set(), "clinic": set(), "patient": {1}, "visit": {1}}


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["2020-01-01", "2021-01-01"]).astype("datetime64[s]"),
        pd.Series([1, 2]),
        pd.Series([1, 2], dtype="Int64"),
        conform_text(pd.Series(["a", "b"])),
    ],
    ids=lambda values: str(values.dtype),
)
def test_keys_of_every_type_that_a_key_may_have_are_found(values: pd.Series) -> None:
    assert are_among(values, values.iloc[1:].reset_index(drop=True)).tolist() == [False, True]
    assert are_among(values, values.iloc[:0]).tolist() == [False, False]
    if values.dtype != "int64":
        assert are_among(values.reindex([0, 7]), values).tolist() == [True, False]
