"""The data dictionary of a model, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec, TableSpec

__all__ = ["markdown"]


def markdown(model: Model, /) -> str:
    """Describe every table and column: type, length, null, key, reference and source.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> markdown(BORROWER_MODEL).splitlines()[0]
        '## user_profile'
    """
    return "\n".join(line for table in model.tables.values() for line in _table(table))


def _table(table: TableSpec) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    if table.schema.__doc__:
        yield table.schema.__doc__.strip().splitlines()[0]
        yield ""
    yield f"Known by: {', '.join(f'`{name}`' for name in table.natural_key)}."
    yield ""
    yield "| column | type | null | key | from |"
    yield "| --- | --- | --- | --- | --- |"
    for spec in table.columns.values():
        cells = (
            f"`{spec.name}`",
            _type(spec),
            "yes" if spec.nullable else "no",
            _key(spec),
            _from(spec),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _type(spec: ColumnSpec) -> str:
    return f"{spec.type} {spec.length}" if spec.length else spec.type


def _key(spec: ColumnSpec) -> str:
    if spec.references:
        return f"-> `{spec.references}`"
    return "primary" if spec.primary_key else ""


def _from(spec: ColumnSpec) -> str:
    return ", ".join(f"`{name}`" for name in spec.source)
