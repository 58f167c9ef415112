"""Models that are declared wrongly, and what normalize, validate and derive refuse."""

# ruff: noqa: ARG005 - a builder is known by its parameters

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pandera.typing import Series

import aspen_etl as ae
from aspen_etl import derive, schema
from tests.still.cases import needs
from tests.still.failing import Failing
from tests.still.generator import make_history
from tests.still.histories import make_run
from tests.still.models import SEVEN, Borrower, Loan, LoanKind, LoanSheet, UserProfile

__all__ = ["MODELLING", "extract_of_two"]

MODELLING = Failing("bad_models")

COLUMNS = list(ae.BORROWER_MODEL.sources["borrower"].columns)
ROLES = ["borrower_id", "role_profile"]
RUN = make_run(0)

#: The model, for what its types do not allow.
ANY_MODEL: Any = ae.BORROWER_MODEL


def extract_of_two(*roles: tuple[str, str], **cells: Any) -> ae.Extract:
    """Make an extract of two borrowers; the cells given are the first one's."""
    first = {"id": "a1", "full_name": "Ivo Brandt", "city": "Turin", "email": "a@b", **cells}
    first = {"state": "RI", "zip_code": "02860", "street": "3 Bay Ct", **first}
    second = {"id": "a2", "full_name": "Maud Ferris"}
    return ae.Extract(
        borrower=pd.DataFrame([first, second], columns=COLUMNS, dtype=object),
        role_profile=pd.DataFrame(list(roles), columns=ROLES, dtype=object),
    )


# ----------------------------------------------------------------------------- columns


_COLUMNS: dict[str, dict[str, Any]] = {
    "length 0": {"length": 0},
    "a key that may be null": {"primary_key": True, "nullable": True},
    "source without a sheet": {"source": "id"},
    "reference with a point": {"references": "user.id"},
    "label with a blank": {"label": "the name"},
    "two keys at once": {"primary_key": True, "natural_key": True},
    "key and source": {"primary_key": True, "references": "user"},
}
for _name, _facts in _COLUMNS.items():
    MODELLING.of(
        f"column/{_name}",
        lambda _, facts=_facts: type(ae.column(**facts)).__name__,  # type: ignore[misc]
    )


def _class(base: type, name: str, /, **columns: Any) -> Any:
    """Make a class of annotated columns."""
    annotations = {column: kind for column, (kind, _) in columns.items()}
    made = {column: value for column, (_, value) in columns.items()}
    return type(name, (base,), {"__annotations__": annotations, "__module__": __name__, **made})


def _key() -> Any:
    return (Series[int], ae.column(primary_key=True))


def _word(**facts: Any) -> Any:
    return (Series[str], ae.column(**facts))


_TABLES: dict[str, Any] = {
    "no key": lambda: _class(schema.Table, "Pet", name=_word(natural_key=True)),
    "two keys": lambda: _class(schema.Table, "Pet", pet_id=_key(), other_id=_key()),
    "no natural key": lambda: _class(schema.Table, "Pet", pet_id=_key(), name=_word()),
    "floats": lambda: _class(schema.Table, "Pet", pet_id=_key(), w=(Series[float], ae.column())),
    "nullable int": lambda: _class(
        schema.Table, "Pet", pet_id=_key(), w=(Series[int], ae.column(nullable=True))
    ),
    "length of a number": lambda: _class(
        schema.Table, "Pet", pet_id=_key(), w=(Series[int], ae.column(length=3))
    ),
    "not by column()": lambda: _class(schema.Table, "Pet", pet_id=_key(), w=(Series[str], "x")),
    "goes from nowhere": lambda: _class(
        schema.Table, "Pet", pet_id=_key(), name=_word(natural_key=True), age=_word()
    ),
    "unknown source": lambda: _class(
        schema.Table, "Pet", pet_id=_key(), name=_word(natural_key=True, source="pets.name")
    ),
    "unknown column": lambda: _class(
        schema.Table, "Pet", pet_id=_key(), name=_word(natural_key=True, source="borrower.nam")
    ),
    "unknown table": lambda: _class(
        schema.Table,
        "Pet",
        pet_id=_key(),
        user_id=(Series[int], ae.column(references="users", source="borrower.id")),
        name=_word(natural_key=True, source="borrower.id"),
    ),
    "to itself": lambda: _class(
        schema.Table,
        "Pet",
        pet_id=_key(),
        parent=(Series[int], ae.column(references="pet", source="borrower.id")),
        name=_word(natural_key=True, source="borrower.id"),
    ),
    "reference of text": lambda: _class(
        schema.Table,
        "Pet",
        pet_id=_key(),
        user_id=_word(references="user", source="borrower.id"),
        name=_word(natural_key=True, source="borrower.id"),
    ),
    "a name that is there": lambda: UserProfile,
}
for _name, _table in _TABLES.items():
    MODELLING.of(
        f"table/{_name}",
        lambda _, table=_table: repr(ae.BORROWER_MODEL.add(tables=[table()])),  # type: ignore[misc]
    )

_MODELS: dict[str, Any] = {
    "a column that goes nowhere": lambda: ANY_MODEL.replace(sources=[Borrower]),
    "nothing to replace": lambda: ANY_MODEL.replace(tables=[Loan]),
    "a source twice": lambda: SEVEN.merge(sources=[LoanSheet, LoanSheet]),
    "a cleaner of no column": lambda: ANY_MODEL.add(cleaners={"borrower.zip": str}),
    "a cleaner that is there": lambda: ANY_MODEL.add(cleaners={"borrower.zip_code": str}),
    "a builder of no table": lambda: ANY_MODEL.add(builders={"adress": lambda borrower: 0}),
    "a builder of no frame": lambda: ANY_MODEL.replace(
        builders={"address": lambda borower: borower}
    ),
    "no inverse": lambda: ANY_MODEL.replace(builders={"phone_number": lambda borrower: borrower}),
    "no builder": lambda: ae.Model.of(
        sources=[s.schema for s in ae.BORROWER_MODEL.sources.values()],
        tables=[t.schema for t in ae.BORROWER_MODEL.tables.values()],
    ),
    "a table alone": lambda: ANY_MODEL.add(tables=[LoanKind, Loan]),
    "no class": lambda: type(ANY_MODEL).of(sources=[dict], tables=[]),
    "no column in a source": lambda: ANY_MODEL.add(sources=[_class(schema.Source, "PetSheet")]),
    "a number in a source": lambda: ANY_MODEL.add(
        sources=[_class(schema.Source, "PetSheet", age=(Series[int], ae.column()))]
    ),
    "a key in a source": lambda: ANY_MODEL.add(
        sources=[_class(schema.Source, "PetSheet", age=_word(natural_key=True))]
    ),
    "a form that is no pattern": lambda: schema.TextFormat("x", "("),
}
for _name, _make in _MODELS.items():
    MODELLING.of(f"model/{_name}", lambda _, make=_make: repr(make()))  # type: ignore[misc]

# ----------------------------------------------------------------------------- normalize


def _fails(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("secret")


_CHANGED: dict[str, Mapping[str, Any]] = {
    "cleaner raises": {"cleaners": {"borrower.email": _fails}},
    "cleaner drops rows": {"cleaners": {"borrower.email": lambda values: values.iloc[:1]}},
    "cleaner gives no series": {"cleaners": {"borrower.email": list}},
    "cleaner gives numbers": {"cleaners": {"borrower.email": lambda v: v.str.len() * 0.5}},
    "builder raises": {"builders": {"address": lambda borrower, role_profile_rows: _fails()}},
    "builder gives no frame": {"builders": {"address": lambda borrower, role_profile_rows: 7}},
    "builder lacks a column": {
        "builders": {"address": lambda borrower, role_profile_rows: role_profile_rows}
    },
    "builder gives what does not fit": {
        "builders": {
            "user_profile": schema.Builder(
                lambda borrower: pd.DataFrame(
                    {
                        "user_profile_id": borrower["id"],
                        "first_name": "x" * 200,
                        "last_name": borrower["full_name"],
                    }
                ),
                lambda rows: {"full_name": rows["last_name"]},
            )
        }
    },
    "inverse raises": {
        "builders": {
            "user_profile": schema.Builder(
                ae.BORROWER_MODEL.builders["user_profile"].build, lambda rows: _fails()
            )
        }
    },
    "inverse gives something else": {
        "builders": {
            "user_profile": schema.Builder(
                ae.BORROWER_MODEL.builders["user_profile"].build,
                lambda rows: {"full_name": rows["first_name"]},
            )
        }
    },
}


def _normalize(extract: ae.Extract, **options: Any) -> str:
    result = ae.normalize(extract, run=RUN, **options)
    return f"{result.tables!r} rejects: {len(result.rejects)}"


def _of_functions(change: Mapping[str, Any], _: Path) -> str:
    return _normalize(extract_of_two(("a1", "x")), model=ae.BORROWER_MODEL.replace(**change))


for _name, _change in _CHANGED.items():
    MODELLING.of(f"normalize/{_name}", partial(_of_functions, _change))

_GIVEN: dict[str, Any] = {
    "no sheet": lambda: _normalize(ae.Extract(borrower=pd.DataFrame(columns=COLUMNS))),
    "no column": lambda: _normalize(
        ae.Extract(
            borrower=pd.DataFrame(columns=COLUMNS[1:]), role_profile=pd.DataFrame(columns=ROLES)
        )
    ),
    "another column": lambda: _normalize(
        ae.Extract(
            borrower=pd.DataFrame(columns=[*COLUMNS, "age"]),
            role_profile=pd.DataFrame(columns=ROLES),
        )
    ),
    "a column twice": lambda: _normalize(
        ae.Extract(
            borrower=pd.DataFrame(columns=[*COLUMNS, "id"]),
            role_profile=pd.DataFrame(columns=ROLES),
        )
    ),
    "another sheet": lambda: _normalize(
        ae.Extract(
            borrower=pd.DataFrame(columns=COLUMNS),
            role_profile=pd.DataFrame(columns=ROLES),
            pets=pd.DataFrame(),
        )
    ),
    "missing x": lambda: _normalize(extract_of_two(), missing="x"),
    "an extract of another model": lambda: _normalize(make_history("seven", 1)[0]),
}
for _name, _make in _GIVEN.items():
    MODELLING.of(f"normalize/{_name}", lambda _, make=_make: make())  # type: ignore[misc]

# ----------------------------------------------------------------------------- derive

_S3 = "s3://bucket/x"
_ASKED: dict[str, Any] = {
    "format": lambda m: derive.athena_ddl(m, database="aspen", location=_S3, format="orc"),  # type: ignore[arg-type]
    "format of glue": lambda m: derive.glue_tables(m, location=_S3, format="orc"),  # type: ignore[arg-type]
    "format of drop": lambda m: derive.athena_drop(m, database="aspen", format="orc"),  # type: ignore[arg-type]
    "database": lambda m: derive.athena_ddl(m, database="As-Pen", location=_S3),
    "location": lambda m: derive.athena_ddl(m, database="aspen", location="s3://b/x y'"),
    "location of a table": lambda m: derive.athena_ddl(m, database="aspen", location={"user": _S3}),
}
for _name, _make in _ASKED.items():
    MODELLING.of(f"derive/{_name}", lambda _, make=_make: make(ae.BORROWER_MODEL))  # type: ignore[misc]
for _call_of in ("sql_ddl", "sql_metadata"):
    MODELLING.of(
        f"derive/dialect of {_call_of}",
        lambda _, name=_call_of: getattr(derive, name)(ae.BORROWER_MODEL, dialect="oracle"),  # type: ignore[misc]
        needs("sqlalchemy"),
    )


@MODELLING("derive/a key too long for an index", needs("sqlalchemy"))
def _long_key(_: Path) -> str:
    pet = _class(
        schema.Table,
        "Pet",
        pet_id=_key(),
        name=_word(natural_key=True, length=2_000, source="borrower.id"),
    )
    return derive.sql_ddl(ae.BORROWER_MODEL.add(tables=[pet]), dialect="mysql")


@MODELLING("derive/a table called like another's text")
def _same_name(_: Path) -> str:
    pet = _class(
        schema.Table,
        "UserText",
        user_text_id=_key(),
        name=_word(natural_key=True, length=20, source="borrower.id"),
    )
    model = ae.BORROWER_MODEL.add(tables=[pet])
    return derive.athena_ddl(model, database="aspen", location=_S3, format="csv")
