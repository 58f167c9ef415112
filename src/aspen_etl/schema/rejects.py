"""What a reject is: the columns of the one frame that lists what stayed out, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aspen_etl.schema.spec import ColumnSpec

__all__ = ["REJECTS"]

#: The columns of the rejects by name, in order. ``row`` is the sheet's own row number.
REJECTS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ColumnSpec("source", "text"),
            ColumnSpec("row", "integer"),
            ColumnSpec("borrower_id", "text", nullable=True),
            ColumnSpec("column", "text"),
            ColumnSpec("value", "text", nullable=True),
            ColumnSpec("rule", "text"),
            ColumnSpec("scope", "text"),
            ColumnSpec("record", "text"),
        )
    }
)
