"""What a source and a table are: columns, specs, the model, and the values of frames."""

from aspen_etl.schema.borrower import (
    Address,
    Borrower,
    Email,
    EmailType,
    PhoneNumber,
    PhoneNumberType,
    RoleProfile,
    RoleProfileSheet,
    RoleProfileType,
    User,
    UserProfile,
)
from aspen_etl.schema.column import column
from aspen_etl.schema.frames import Extract, KeyState, Run, Snapshot, Tables
from aspen_etl.schema.model import Builder, Cleaner, Model
from aspen_etl.schema.spec import ColumnSpec, Source, SourceSpec, Table, TableSpec
from aspen_etl.schema.text import TextFormat

__all__ = [
    "Address",
    "Borrower",
    "Builder",
    "Cleaner",
    "ColumnSpec",
    "Email",
    "EmailType",
    "Extract",
    "KeyState",
    "Model",
    "PhoneNumber",
    "PhoneNumberType",
    "RoleProfile",
    "RoleProfileSheet",
    "RoleProfileType",
    "Run",
    "Snapshot",
    "Source",
    "SourceSpec",
    "Table",
    "TableSpec",
    "Tables",
    "TextFormat",
    "User",
    "UserProfile",
    "column",
]
