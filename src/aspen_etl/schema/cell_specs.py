"""Of which type the cells of each source column are: that of the columns that they go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.lineage import SourceLineage
from aspen_etl.schema.spec import TableSpec

__all__ = ["held_by", "trace_cells"]

#: What says how a cell is read, beside its type.
_FACTS = ("type", "precision", "scale", "format", "words", "minimum")


def trace_cells(
    sources: Mapping[str, SourceLineage], tables: Mapping[str, TableSpec], /
) -> dict[str, ColumnSpec]:
    """Give, by ``"sheet.column"``, the column of a table whose type the cells have.

    Args:
        sources: What follows for each sheet.
        tables: The tables by name.

    Raises:
        ModelError: A source column goes to columns of two types, or of one with other facts.
    """
    out: dict[str, ColumnSpec] = {}
    for sheet, source in sources.items():
        for column, fed in source.destinations.items():
            found: dict[str, ColumnSpec] = {}
            for table, name in fed:
                spec = tables[table].columns[name]
                held = held_by(spec, tables)
                if held is not None:  # another sheet may write a key in a form of its own
                    found[f"{table}.{name}"] = replace(held, format=spec.format or held.format)
            if found:
                out[f"{sheet}.{column}"] = _one(f"{sheet}.{column}", found)
    return out


def held_by(spec: ColumnSpec, tables: Mapping[str, TableSpec], /) -> Optional[ColumnSpec]:
    """Give the column whose values a column has in the source: a reference, its natural key.

    Args:
        spec: A column.
        tables: The tables by name.

    Returns:
        The column, or none where a reference leads to a table that several columns identify.
    """
    while spec.references is not None:
        parent = tables[spec.references]
        if len(parent.natural_key) > 1:
            return None
        spec = parent.columns[parent.natural_key[0]]
    return spec


def _one(where: str, found: Mapping[str, ColumnSpec]) -> ColumnSpec:
    """Give the first of the columns that a cell goes to; they must ask the same of it."""
    (first, spec), *others = found.items()
    for name, other in others:
        facts = [fact for fact in _FACTS if getattr(other, fact) != getattr(spec, fact)]
        if facts:
            what = "type" if facts[0] == "type" else f"{facts[0]}="
            msg = (
                f"the source column {where} goes to {first} and to {name}, which have another "
                f"{what}, and a cell is read in one way; declare both alike, or let a builder "
                "make one of them"
            )
            raise ModelError(msg, column=where, columns=(first, name))
    return spec
