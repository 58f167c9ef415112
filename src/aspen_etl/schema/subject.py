"""Whose the rows are: the table of the subject, and the way from the rows of each sheet to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import hint
from aspen_etl.schema.lineage import Lineage
from aspen_etl.schema.spec import TableSpec

__all__ = ["Way", "check_subject", "find_roots", "find_ways"]


@dataclass(frozen=True)
class Way:
    """Say how the rows of a sheet lead to the row whose they are.

    Attributes:
        table: The table of that row, or none where no reference leads to one.
        columns: The reference columns to follow, from sheet to sheet; the last one holds the key.
        key: What the row there is known by; where the way leads to none, this sheet's own key.
    """

    table: Optional[str]
    columns: tuple[str, ...]
    key: tuple[str, ...]


def find_roots(tables: Mapping[str, TableSpec], lineage: Lineage, /) -> tuple[str, ...]:
    """Name the tables of rows from which no reference leads to another table of rows."""
    reached: dict[str, bool] = {}
    for name, table in tables.items():  # each after those that it refers to
        reached[name] = any(
            reached[target] or lineage.tables[target].source is not None
            for target in table.references.values()
        )
    return tuple(
        name for name in tables if lineage.tables[name].source is not None and not reached[name]
    )


def check_subject(
    declared: Optional[str], tables: Mapping[str, TableSpec], lineage: Lineage, /
) -> Optional[str]:
    """Give the table of the subject: the one that is declared, else the only root, else none.

    Raises:
        ModelError: What is declared is no table of rows.
    """
    if declared is None:
        roots = find_roots(tables, lineage)
        return roots[0] if len(roots) == 1 else None
    known = [name for name in tables if lineage.tables[name].source is not None]
    if declared not in known:
        msg = (
            f"subject={declared!r} names no table that has one row for each row of a sheet; "
            f"{hint(declared, known)}"
        )
        raise ModelError(msg, table=declared)
    return declared


def find_ways(
    subject: Optional[str], tables: Mapping[str, TableSpec], lineage: Lineage, /
) -> dict[str, Way]:
    """Tell for each sheet how its rows lead to the subject's.

    Where a model has several roots and names none, they lead to the nearest of these.

    Args:
        subject: The table of the subject, if it is known.
        tables: The tables of the model.
        lineage: What follows from them.
    """
    roots = find_roots(tables, lineage) if subject is None else (subject,)
    sheets = {str(lineage.tables[name].source): name for name in reversed(roots)}
    return {name: _find_way(name, sheets, lineage) for name in lineage.sources}


def _find_way(sheet: str, roots: Mapping[str, str], lineage: Lineage) -> Way:
    paths: list[tuple[str, tuple[str, ...]]] = [(sheet, ())]
    for here, path in paths:  # the shortest first; of these, by the columns' order
        if here in roots:
            return Way(roots[here], path, lineage.sources[here].key)
        paths += [
            (parent, (*path, column)) for column, parent in lineage.sources[here].references.items()
        ]
    return Way(None, (), lineage.sources[sheet].key)
