"""What a source and a table are: their base classes, and frozen values read once off them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Optional

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import audit_actor, audit_time
from aspen_etl.schema.column_spec import ColumnSpec, read_columns, read_name, with_dtypes

__all__ = ["Source", "SourceSpec", "Table", "TableSpec"]


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

    @classmethod
    def to_schema(cls) -> pa.DataFrameSchema:
        """Give the schema, in which each column has the one dtype that it has in our frames."""
        schema: pa.DataFrameSchema = with_dtypes(cls, super().to_schema())
        return schema


@dataclass(frozen=True)
class SourceSpec:
    """What is known of one source sheet.

    Attributes:
        name: The name of the sheet, or of the file without its ending.
        columns: Its columns by name, in order.
        schema: The pandera model that it was read off.
        implied: Whether it follows from the tables: nobody wrote its headers down, so that they
            match as identifiers, too.
    """

    name: str
    columns: Mapping[str, ColumnSpec]
    schema: type[pa.DataFrameModel] = field(repr=False)
    implied: bool = False

    def __post_init__(self) -> None:
        """Let nobody change the columns."""
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the view of the columns, which does not pickle."""
        return type(self), (self.name, dict(self.columns), self.schema, self.implied)

    @classmethod
    def of(cls, schema: type[pa.DataFrameModel], /) -> SourceSpec:
        """Read the facts off a pandera model.

        Raises:
            ModelError: A column is no text, or declares what only a table can have.
        """
        name = read_name(schema, "Sheet")
        owner = f"source {name!r}"
        columns = read_columns(schema, owner)
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
        name = read_name(schema, "")
        owner = f"table {name!r}"
        found = read_columns(schema, owner)
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
