"""The types of columns: what text each may be, and how it becomes a value and text again."""

from collections.abc import Mapping
from types import MappingProxyType

from aspen_etl.schema.types.base import INVALID, Canonical, Facts, Type
from aspen_etl.schema.types.boolean import BOOLEAN
from aspen_etl.schema.types.date import DATE
from aspen_etl.schema.types.decimal import DECIMAL
from aspen_etl.schema.types.integer import INTEGER
from aspen_etl.schema.types.moment import DATETIME, TIMESTAMP
from aspen_etl.schema.types.text import TEXT_TYPE

__all__ = ["INVALID", "TYPES", "Canonical", "Facts", "Type"]

#: Every type by its name. What is asked of a column's type is asked of its entry here.
TYPES: Mapping[str, Type] = MappingProxyType(
    {kind.name: kind for kind in (TEXT_TYPE, INTEGER, DECIMAL, DATE, DATETIME, TIMESTAMP, BOOLEAN)}
)
