"""Diagrams of a model, as text that other tools draw."""

from __future__ import annotations

from collections.abc import Iterator

from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec, TableSpec

__all__ = ["mermaid"]


def mermaid(model: Model, /) -> str:
    """Draw the tables and their references as a Mermaid entity relationship diagram.

    Audit columns are left out, since every table has them.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> print(mermaid(BORROWER_MODEL).splitlines()[1].strip())
        user_profile ||--o{ user : user_profile_id
    """
    return "\n".join(["erDiagram", *_lines(model)]) + "\n"


def _lines(model: Model) -> Iterator[str]:
    for table in model.tables.values():
        for column, target in table.references.items():
            one = "|o" if table.columns[column].nullable else "||"
            yield f"    {target} {one}--o{{ {table.name} : {column}"
    for table in model.tables.values():
        yield f"    {table.name} {{"
        for spec in table.own_columns:
            yield f"        {spec.type} {spec.name}{_keys(table, spec)}"
        yield "    }"


def _keys(table: TableSpec, spec: ColumnSpec) -> str:
    keys = [
        name
        for name, held in (
            ("PK", spec.primary_key),
            ("FK", spec.references is not None),
            ("UK", table.has_surrogate_key and table.natural_key == (spec.name,)),
        )
        if held
    ]
    return f" {', '.join(keys)}" if keys else ""
