"""What follows from a model: DDL of every dialect, and documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Optional

import aspen_etl as ae
from aspen_etl import derive
from tests.still.cases import Cases, needs
from tests.still.models import MODELS
from tests.still.rendering import show_value

__all__ = ["DDL", "DOCUMENTS"]

DIALECTS = ("postgresql", "mysql", "mssql", "sqlite")
FORMATS = ("csv", "parquet")
LOCATION = "s3://bucket/tables"

DDL = Cases("ddl")
DOCUMENTS = Cases("documents")


def _of_model(make: Callable[[ae.Model], str], model: str, folder: Path) -> str:
    del folder
    return make(MODELS[model])


def _steady(text: str) -> str:
    """Put in order what SQLAlchemy keeps in sets: indexes, options, the checks of a column."""
    out: list[str] = []
    for is_index, group in groupby(text.rstrip("\n").split("\n\n"), _is_index):
        held = list(group)
        out += sorted(held) if is_index else held
    return "\n".join(map(_steady_line, "\n\n".join(out).split("\n")))


def _is_index(statement: str) -> bool:
    return statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))


def _steady_line(line: str) -> str:
    if line.startswith(")"):  # the options of a table of MySQL
        return ")" + " ".join(sorted(_OPTIONS.findall(line))) + line[-1:]
    comma = "," if line.endswith(",") else ""
    head, *checks = line.removesuffix(",").split(" CONSTRAINT ck_")
    return " CONSTRAINT ck_".join([head, *sorted(checks)]) + comma if head.strip() else line


def _ddl(model: ae.Model, dialect: Any, schema: Optional[str]) -> str:
    return _steady(derive.sql_ddl(model, dialect=dialect, schema=schema))


_OPTIONS = re.compile(r"\w+=\w+|COMMENT='(?:[^']|'')*'|COLLATE \w+")

_FORMED: dict[str, Callable[[Any, ae.Model], str]] = {
    "athena": lambda form, model: derive.athena_ddl(
        model, database="aspen", location=LOCATION, format=form
    ),
    "athena drop": lambda form, model: "\n".join(
        derive.athena_drop(model, database="aspen", format=form)
    ),
    "glue": lambda form, model: show_value(
        derive.glue_tables(model, location=LOCATION, format=form, parameters={"commit": "7"})
    ),
    "datapackage": lambda form, model: show_value(
        derive.data_package(model, format=form, sizes={f"user.{form}": 7}, rejects=True)
    ),
}

for _model in MODELS:
    for _dialect in DIALECTS:
        for _schema in (None, "lender"):
            if _schema is None or _model == "extended":
                DDL.add(
                    f"{_model}/{_dialect}{'' if _schema is None else ' in a schema'}",
                    partial(
                        _of_model,
                        partial(_ddl, dialect=_dialect, schema=_schema),
                        _model,
                    ),
                    needs("sqlalchemy"),
                )
    for _form in FORMATS:
        for _word, _make in _FORMED.items():
            DOCUMENTS.add(
                f"{_model}/{_word} {_form}", partial(_of_model, partial(_make, _form), _model)
            )
    DOCUMENTS.add(
        f"{_model}/arrow", partial(_of_model, derive.arrow_text, _model), needs("pyarrow")
    )
    for _document in (derive.dbml, derive.mermaid, derive.markdown):
        DOCUMENTS.add(f"{_model}/{_document.__name__}", partial(_of_model, _document, _model))
