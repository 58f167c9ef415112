"""What a reject is: the columns of the one frame that lists what stayed out, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aspen_etl.schema.spec import ColumnSpec

__all__ = ["REJECTS", "REPEATED_HEADER", "UNREADABLE"]

#: The rule of a row that is the header of its sheet once more.
REPEATED_HEADER = "repeated_header"

#: The rules of cells that a reader cannot take as text: what stands there, without a change.
UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "excel_error": "an Excel error, or a formula without a stored value",
        "inexact_number": "a number whose digits the source does not hold exactly",
        "out_of_range": "a date or time outside of the years 1 to 9999",
    }
)

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
