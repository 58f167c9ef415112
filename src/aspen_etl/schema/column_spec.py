"""What is known of one column: a frozen value, read once off a pandera model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Optional

import numpy as np
import pandas as pd
import pandera.dtypes
import pandera.pandas as pa

from aspen_etl.columns.text import TEXT, TextFormat
from aspen_etl.errors import ModelError
from aspen_etl.schema.column import METADATA, ColumnFacts

__all__ = ["TIMESTAMP", "ColumnSpec", "ColumnType", "read_columns", "read_name"]

ColumnType = Literal["text", "integer", "timestamp"]

#: The dtype of points in time in frames: UTC, to the millisecond.
TIMESTAMP = pd.DatetimeTZDtype(unit="ms", tz="UTC")


@dataclass(frozen=True)
class ColumnSpec:
    """Everything that is known of one column.

    Attributes:
        name: The column's name.
        type: ``text``, ``integer`` (64 bits) or ``timestamp`` (UTC, milliseconds).
        nullable: Whether a row may be without it.
        length: The most characters of a text, or none where it is not limited.
        primary_key: Whether it is the table's key.
        natural_key: Whether it is part of what a row is known by in the source.
        references: The table whose primary key it holds.
        source: The source columns that feed it, as ``"sheet.column"``.
        text_format: The form that the text must have.
        label: The word that rules use for it.
        audit: Whether it tells who wrote the row and when.
        description: One sentence for the data dictionary.
    """

    name: str
    type: ColumnType
    nullable: bool = False
    length: Optional[int] = None
    primary_key: bool = False
    natural_key: bool = False
    references: Optional[str] = None
    source: tuple[str, ...] = ()
    text_format: Optional[TextFormat] = None
    label: str = ""
    audit: bool = False
    description: Optional[str] = None

    @property
    def dtype(self) -> Any:
        """The one dtype that the column has in frames."""
        if self.type == "integer":
            return pd.Int64Dtype() if self.nullable else np.dtype("int64")
        return TEXT if self.type == "text" else TIMESTAMP


def read_columns(model: type[pa.DataFrameModel], owner: str) -> dict[str, ColumnSpec]:
    """Read the columns off a model; ``owner`` is what a ``ModelError`` calls it."""
    try:
        schema = model.to_schema()
    except Exception as error:  # noqa: BLE001 - whatever pandera says of a declaration is ours to explain
        reason = f"{type(error).__name__}: {error}"
    else:
        return {name: _column_spec(name, found, owner) for name, found in schema.columns.items()}
    msg = (
        f"{owner}: pandera cannot read the declaration ({reason}); annotate each column as in "
        "`name: Series[str] = column()`"
    )
    raise ModelError(msg, owner=owner)


def _column_spec(name: str, found: Any, owner: str) -> ColumnSpec:
    facts = (found.metadata or {}).get(METADATA)
    if not isinstance(facts, ColumnFacts):
        msg = (
            f"{owner}.{name} is not declared with column(); write `{name}: Series[str] = "
            "column(...)`"
        )
        raise ModelError(msg, owner=owner, column=name)
    kind = _type(found.dtype)
    if kind is None:
        msg = (
            f"{owner}.{name} is annotated with a type that a table cannot have; use "
            "Series[str], Series[int] or, "
            "for whole numbers that may be null, Series[pd.Int64Dtype]"
        )
        raise ModelError(msg, owner=owner, column=name)
    if (
        kind == "integer"
        and found.nullable
        and not isinstance(getattr(found.dtype, "type", None), pd.Int64Dtype)
    ):
        msg = f"{owner}.{name} is a nullable whole number; annotate it as Series[pd.Int64Dtype]"
        raise ModelError(msg, owner=owner, column=name)
    if kind != "text" and (facts.text_format is not None or (facts.length is not None)):
        msg = f"{owner}.{name} is no text; take length= and text_format= away"
        raise ModelError(msg, owner=owner, column=name)
    return ColumnSpec(
        name=name,
        type=kind,
        nullable=bool(found.nullable),
        length=facts.length,
        primary_key=facts.primary_key,
        natural_key=facts.natural_key,
        references=facts.references,
        source=facts.source,
        text_format=facts.text_format,
        label=facts.label or name,
        audit=facts.audit,
        description=found.description,
    )


def _type(dtype: Any) -> Optional[ColumnType]:
    if dtype is None:
        return None
    if pandera.dtypes.is_string(dtype):
        return "text"
    if pandera.dtypes.is_int(dtype):
        return "integer"
    return "timestamp" if pandera.dtypes.is_datetime(dtype) else None


def read_name(model: type[pa.DataFrameModel], suffix: str) -> str:
    """Give the name that a model goes by: the configured one, or its class in snake case."""
    for base in model.__mro__:
        configured = vars(vars(base).get("Config", object)).get("name")
        if configured and configured != base.__name__:  # pandera fills in the class's own name
            return str(configured)
    name = model.__name__
    if suffix and name.endswith(suffix) and name != suffix:
        name = name[: -len(suffix)]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
