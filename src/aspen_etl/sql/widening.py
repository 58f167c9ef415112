"""Whether the columns of a database hold what a model's hold now that became wider.

A load alters no column: that takes locks and time, which are their owner's to choose. Who altered
them need not tell: what the database says of them is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from aspen_etl.derive.sql import NAMES
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.sql.database import Database

__all__ = ["find_narrower"]


def find_narrower(
    database: Database, inspector: sa.Inspector, known: Mapping[str, Any]
) -> list[str]:
    """Name the columns whose facts changed, and that are narrower in the database than now.

    Args:
        database: The database, and the model of now.
        inspector: Tells what the database holds.
        known: What ``describe_tables`` gave of the model that made its tables.
    """
    now = describe_tables(database.model)
    there = set(inspector.get_table_names(schema=database.schema))
    out: list[str] = []
    for name, table in now.items():
        if name not in known or name not in there:
            continue
        then = known[name]["columns"]
        columns = table["columns"].items()
        changed = [column for column, facts in columns if then.get(column, facts) != facts]
        if changed:
            out += _narrower_of(database, inspector, name, changed)
    return out


def _narrower_of(
    database: Database, inspector: sa.Inspector, name: str, changed: list[str]
) -> Iterator[str]:
    held = {each["name"]: each for each in inspector.get_columns(name, schema=database.schema)}
    checks = {
        str(each["name"]): each["sqltext"]
        for each in inspector.get_check_constraints(name, schema=database.schema)
    }
    table = database.table(name)
    for column in changed:
        spec = database.model.tables[name].columns[column]
        if column not in held:
            continue  # told by who looks for what is missing
        if spec.nullable and not held[column]["nullable"]:
            yield f"{name}.{column} takes no null there"
        for fact in _FACTS:
            if not _holds(held[column]["type"], table.c[column].type, fact):
                yield f"{name}.{column} has another {fact} there"
        for check, limit in _limits(spec, table).items():
            if check in checks and not _tells(checks[check], limit):
                yield f"{name}.{column} has a narrower check there, {check}"


#: What of a type may be wider.
_FACTS = ("length", "precision")


def _holds(held: Any, wanted: Any, fact: str) -> bool:
    """Tell whether a type of the database takes what one of the model takes, of the same kind."""
    there, asked = getattr(held, fact, None), getattr(wanted, fact, None)
    return there is None or (asked is not None and there >= asked)


def _limits(spec: ColumnSpec, table: sa.Table) -> dict[str, Any]:
    """Give what the checks of a column, by name, must tell; one without a limit must be gone."""
    return {
        NAMES["ck"] % {"table_name": table.name, "constraint_name": f"{spec.name}_{fact}"}: limit
        for fact, limit in {"length": spec.length, "minimum": spec.minimum}.items()
    }


def _tells(check: str, limit: Any) -> bool:
    return limit is not None and re.search(rf"(?<![\w-]){limit}(?!\w)", check) is not None
