"""What a source and a table are: columns, specs, the model, and the values of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aspen_etl.columns.text import TextFormat
from aspen_etl.schema.column import column, ref
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.keywords import EntityFacts
from aspen_etl.schema.model import Builder, Cleaner, Model
from aspen_etl.schema.previous import Held, Previous
from aspen_etl.schema.rule import Rule
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import SourceSpec, TableSpec
from aspen_etl.schema.values import Extract, Run

if TYPE_CHECKING:
    from pandera.typing import Series

    from aspen_etl.schema.declared import Entity, Source, Table

__all__ = [
    "Builder",
    "Cleaner",
    "ColumnSpec",
    "Entity",
    "EntityFacts",
    "Extract",
    "Held",
    "KeyState",
    "Model",
    "Previous",
    "Rule",
    "Run",
    "Series",
    "Snapshot",
    "Source",
    "SourceSpec",
    "Table",
    "TableSpec",
    "Tables",
    "TextFormat",
    "column",
    "ref",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Give what pandera is loaded for."""
        if name == "Series":
            from pandera import typing

            found: Any = typing.Series
        elif name in {"Entity", "Source", "Table"}:
            from aspen_etl.schema import declared

            found = getattr(declared, name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
