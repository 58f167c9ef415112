"""What is known of a source and of a table: frozen values, read once off their classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional

from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec, read_columns, read_name
from aspen_etl.schema.keywords import EntityFacts, Keywords, fill_sources
from aspen_etl.schema.spreading import fill_spread, is_spread
from aspen_etl.schema.table_keys import check_keys

if TYPE_CHECKING:
    import pandera.pandas as pa

__all__ = ["SourceSpec", "TableSpec"]


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
            is_of_table = spec.primary_key or spec.natural_key or spec.from_name
            if spec.source or spec.references or is_of_table:
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
        entity: What is said of it as an entity: one row for each distinct natural key.
        sheets: The sheets that its class says it is made of, in order.
        followed: The columns that refer to another table and declare no source, so that it
            follows from that table where it is of the same sheet.
    """

    name: str
    columns: Mapping[str, ColumnSpec]
    primary_key: str
    natural_key: tuple[str, ...]
    schema: type[pa.DataFrameModel] = field(repr=False)
    entity: Optional[EntityFacts] = None
    sheets: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Let nobody change the columns."""
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the view of the columns, which does not pickle."""
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        return type(self), tuple({**held, "columns": dict(self.columns)}.values())

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
        keywords: Keywords = getattr(schema, "_keywords", Keywords())
        fill = fill_spread if is_spread(own) else fill_sources
        own = fill(owner, own, keywords)
        primary, natural = check_keys(owner, name, own, keywords)
        sheets = keywords.sheets
        if keywords.entity is not None and not sheets:
            sheets = _sheets(own, natural)
        followed = tuple(key for key, spec in own.items() if spec.references and not spec.source)
        return cls(
            name,
            {**own, **audit},
            primary,
            natural,
            schema,
            entity=keywords.entity,
            sheets=sheets,
            followed=followed if keywords.sheets and not is_spread(own) else (),
        )

    @property
    def is_spread(self) -> bool:
        """Whether it takes several columns of one sheet as rows, as it declares."""
        return is_spread(self.columns)

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


def _sheets(own: Mapping[str, ColumnSpec], natural: tuple[str, ...]) -> tuple[str, ...]:
    """Name the sheets that the key of an entity comes from."""
    found = [source.partition(".")[0] for name in natural for source in own[name].source]
    return tuple(dict.fromkeys(found))
