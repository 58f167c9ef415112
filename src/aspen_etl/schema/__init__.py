"""What a source and a table are: columns, specs, the model, and the values of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from aspen_etl.columns.text import TextFormat
from aspen_etl.errors.moving import moved
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

#: The tables of the default model, which stood here.
_MOVED = (
    "Address",
    "Borrower",
    "Email",
    "EmailType",
    "PhoneNumber",
    "PhoneNumberType",
    "RoleProfile",
    "RoleProfileSheet",
    "RoleProfileType",
    "User",
    "UserProfile",
)

if not TYPE_CHECKING:

    def _load(name: str) -> Optional[Any]:
        """Give what pandera is loaded for, or nothing where it is of another name."""
        if name == "Series":
            from pandera import typing

            found: Any = typing.Series
        elif name in {"Entity", "Source", "Table"}:
            from aspen_etl.schema import declared

            found = getattr(declared, name)
        else:
            return None
        globals()[name] = found
        return found

    __getattr__ = moved(__name__, "aspen_etl.borrower", _MOVED, _load)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
