"""What a source and a table are: frozen values, read once off the pandera models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Optional

import numpy as np
import pandas as pd
import pandera.dtypes
import pandera.pandas as pa
from pandera.typing import Series

from aspen_etl.columns.text import TEXT, TextFormat
from aspen_etl.errors import ModelError
from aspen_etl.schema.column import METADATA, ColumnFacts, audit_actor, audit_time

__all__ = ["ColumnSpec", "Source", "SourceSpec", "Table", "TableSpec"]

ColumnType = Literal["text", "integer", "timestamp"]

#: The dtype of points in time in frames: UTC, to the millisecond.
TIMESTAMP = pd.DatetimeTZDtype(unit="ms", tz="UTC")


class Source(pa.DataFrameModel):
    """Be the base of every source sheet: text columns, declared with ``column``.

    A source is known by the name of its class in snake case, without a trailing ``Sheet``
    (``LoanSheet`` is ``loan``), or by ``Config.name``.
    """


class Table(pa.DataFrameModel):
    """Be the base of every target table: it brings the four audit columns.

    A table is known by the name of its class in snake case, or by ``Config.name``.
    """

    created: Series[pd.DatetimeTZDtype] = audit_time(nullable=False)
    created_by: Series[str] = audit_actor(nullable=False)
    updated: Series[pd.DatetimeTZDtype] = audit_time(nullable=True)
    updated_by: Series[str] = audit_actor(nullable=True)

    class Config:
        """No column but the declared ones."""

        strict = True


# ----------------------------------------------------------------------------- columns


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


def _columns(model: type[pa.DataFrameModel], owner: str) -> dict[str, ColumnSpec]:
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


def _name(model: type[pa.DataFrameModel], suffix: str) -> str:
    for base in model.__mro__:
        configured = vars(vars(base).get("Config", object)).get("name")
        if configured and configured != base.__name__:  # pandera fills in the class's own name
            return str(configured)
    name = model.__name__
    if suffix and name.endswith(suffix) and name != suffix:
        name = name[: -len(suffix)]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


# ----------------------------------------------------------------------------- sources and tables


@dataclass(frozen=True)
class SourceSpec:
    """What is known of one source sheet.

    Attributes:
        name: The name of the sheet, or of the file without its ending.
        columns: Its columns by name, in order.
        schema: The pandera model that it was read off.
    """

    name: str
    columns: Mapping[str, ColumnSpec]
    schema: type[pa.DataFrameModel] = field(repr=False)

    def __post_init__(self) -> None:
        """Let nobody change the columns."""
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the view of the columns, which does not pickle."""
        return type(self), (self.name, dict(self.columns), self.schema)

    @classmethod
    def of(cls, schema: type[pa.DataFrameModel], /) -> SourceSpec:
        """Read the facts off a pandera model.

        Raises:
            ModelError: A column is no text, or declares what only a table can have.
        """
        name = _name(schema, "Sheet")
        owner = f"source {name!r}"
        columns = _columns(schema, owner)
        for spec in columns.values():
            if spec.type != "text":
                msg = (
                    f"{owner}: column {spec.name!r} is not text; every cell of a source is text: "
                    "annotate it as Series[str]"
                )
                raise ModelError(msg, source=name, column=spec.name)
            if spec.source or spec.references or spec.primary_key or spec.natural_key:
                msg = (
                    f"{owner}: column {spec.name!r} declares a key, a reference or a source; "
                    "these belong to the "
                    "column of the table that it goes to, as in "
                    f"column(source='{name}.{spec.name}')"
                )
                raise ModelError(msg, source=name, column=spec.name)
        if not columns:
            msg = f"{owner} has no column"
            raise ModelError(msg, source=name)
        return cls(name=name, columns=columns, schema=schema)


@dataclass(frozen=True)
class TableSpec:
    """What is known of one target table.

    Attributes:
        name: The table's name.
        columns: Its columns by name: the declared ones, then the four audit columns.
        primary_key: The name of its key column.
        natural_key: The names of the columns that a row is known by.
        schema: The pandera model that it was read off.
    """

    name: str
    columns: Mapping[str, ColumnSpec]
    primary_key: str
    natural_key: tuple[str, ...]
    schema: type[pa.DataFrameModel] = field(repr=False)

    def __post_init__(self) -> None:
        """Let nobody change the columns."""
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the view of the columns, which does not pickle."""
        held = (self.name, dict(self.columns), self.primary_key, self.natural_key, self.schema)
        return type(self), held

    @classmethod
    def of(cls, schema: type[pa.DataFrameModel], /) -> TableSpec:
        """Read the facts off a pandera model.

        Raises:
            ModelError: The table has no single primary key, no natural key, or no audit columns.
        """
        name = _name(schema, "")
        owner = f"table {name!r}"
        found = _columns(schema, owner)
        own = {key: spec for key, spec in found.items() if not spec.audit}
        audit = {key: spec for key, spec in found.items() if spec.audit}
        if len(audit) != len(_AUDIT):
            msg = f"{owner} has no audit columns; let its class derive from aspen_etl.schema.Table"
            raise ModelError(msg, table=name)
        keys = [key for key, spec in own.items() if spec.primary_key]
        if len(keys) != 1:
            msg = (
                f"{owner} has {len(keys)} primary keys; give column(primary_key=True) to exactly "
                "one column"
            )
            raise ModelError(msg, table=name, columns=tuple(keys))
        natural = tuple(key for key, spec in own.items() if spec.natural_key) or tuple(keys)
        _check_keys(owner, own, keys[0], natural)
        return cls(name, {**own, **audit}, keys[0], natural, schema)

    @property
    def about(self) -> Optional[str]:
        """What it holds: the first line of its model's docstring, if it has one."""
        lines = (self.schema.__doc__ or "").strip().splitlines()
        return lines[0] if lines else None

    @property
    def own_columns(self) -> tuple[ColumnSpec, ...]:
        """The columns that are not audit columns."""
        return tuple(spec for spec in self.columns.values() if not spec.audit)

    @property
    def references(self) -> Mapping[str, str]:
        """The table that each reference column refers to."""
        return {spec.name: spec.references for spec in self.columns.values() if spec.references}

    @property
    def has_surrogate_key(self) -> bool:
        """Whether the primary key is a number that we give, and not the natural key itself."""
        return self.natural_key != (self.primary_key,)


_AUDIT = ("created", "created_by", "updated", "updated_by")


def _check_keys(
    owner: str, own: Mapping[str, ColumnSpec], primary: str, natural: tuple[str, ...]
) -> None:
    key = own[primary]
    if natural == (primary,):
        if key.type != "text":
            msg = (
                f"{owner}: nothing says what a row is known by; give natural_key=True to the "
                "columns that identify it in the source"
            )
            raise ModelError(msg, column=primary)
    elif primary in natural or key.type != "integer" or key.source or key.references:
        msg = (
            f"{owner}: the key {primary!r} beside a natural key is a number that is given; "
            "annotate it as Series[int] "
            "and take natural_key=, source= and references= away from it"
        )
        raise ModelError(msg, column=primary)
    for name in natural:
        spec = own[name]
        if spec.type == "text" and not spec.references and spec.length is None:
            msg = (
                f"{owner}: the key column {name!r} needs a length, since databases do not index "
                "unlimited text; give length="
            )
            raise ModelError(msg, column=name)
