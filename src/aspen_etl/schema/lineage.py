"""What follows from the declarations of sources and tables: where each cell goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional

__all__ = ["ROW", "VALUE", "Kind", "Lineage", "SourceLineage", "TableLineage"]

#: How a table gets its rows: one for each row of a source sheet; one for each value that
#: others refer to; or as its builder says.
Kind = Literal["rows", "lookup", "built"]

#: The scope of a fault that keeps the whole row out, and of one that drops the cell alone;
#: any other scope is the name of the table whose row is not made.
ROW, VALUE = "row", "value"


@dataclass(frozen=True)
class SourceLineage:
    """What follows for one source sheet.

    Attributes:
        key: The columns that a row is known by.
        references: The sheet that a column refers to, by column.
        required: The columns without which a row is rejected.
        destinations: The (table, column) pairs that each column feeds.
        scopes: What a fault in a column keeps out: ``row``, ``value``, or a table's row.
    """

    key: tuple[str, ...]
    references: Mapping[str, str]
    required: tuple[str, ...]
    destinations: Mapping[str, tuple[tuple[str, str], ...]]
    scopes: Mapping[str, str]


@dataclass(frozen=True)
class TableLineage:
    """What follows for one table.

    Attributes:
        kind: How it gets its rows.
        source: The sheet whose rows it has one row for, where it has.
        anchors: For each sheet that feeds it otherwise, the reference columns to follow, from
            this table on, to the table that has one row for each row of that sheet.
    """

    kind: Kind
    source: Optional[str]
    anchors: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Lineage:
    """What follows for a model.

    Attributes:
        sources: By sheet.
        tables: By table.
        source_order: The sheets, each after those that it refers to.
        table_order: The tables, each after those that it refers to.
        split: The source columns, by table, that only a builder's inverse can give back.
    """

    sources: Mapping[str, SourceLineage]
    tables: Mapping[str, TableLineage]
    source_order: tuple[str, ...]
    table_order: tuple[str, ...]
    split: Mapping[str, frozenset[str]]

    def needs_inverse(self, table: str) -> frozenset[str]:
        """Name the source columns that only the inverse of the table's builder can give back."""
        return self.split[table]
