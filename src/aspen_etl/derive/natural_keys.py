"""Natural keys that are unique with null equal to null, in the ways that databases have for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.spec import TableSpec

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["invisible_column", "no_column", "unique_anyway", "unique_columns", "unique_index"]


def no_column(spec: ColumnSpec, name: str, kind: Any) -> None:
    """Ask for no column beside a nullable one."""


#: What stands for null, by the types that a reference may have, beside a column that tells.
_FILLED = {"text": "''", "integer": "0", "date": "'0001-01-01'"}
#: The same where nothing tells: what no row holds.
_NEVER = {"text": "''", "integer": "-9223372036854775807", "date": "'0000-01-01'"}


def _nothing(spec: ColumnSpec, values: Mapping[str, str]) -> str:
    return named(values, spec.type, kind="type", noun="type of references")


def _comparable_name(name: str) -> str:
    return f"{name}_or_none"


def invisible_column(spec: ColumnSpec, name: str, kind: Any) -> sa.Column[Any]:
    """Give MySQL's invisible column in which null equals null.

    Args:
        spec: A nullable column of a natural key.
        name: Its quoted name.
        kind: Its type.
    """
    import sqlalchemy as sa
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql import quoted_name

    class Invisible(sa.Computed):
        inherit_cache = True

    @compiles(Invisible)
    def _(element: Any, compiler: Any, **options: Any) -> str:
        return f"{compiler.visit_computed_column(element, **options)} INVISIBLE"

    value = Invisible(f"coalesce({name}, {_nothing(spec, _NEVER)})", persisted=False)
    return sa.Column(quoted_name(_comparable_name(spec.name), quote=True), kind, value)


def unique_columns(made: sa.Table, table: TableSpec, nullable: Sequence[str]) -> None:
    """Let invisible columns stand for the nullable ones."""
    import sqlalchemy as sa

    names = [_comparable_name(n) if n in nullable else n for n in table.natural_key]
    made.append_constraint(sa.UniqueConstraint(*(made.c[name] for name in names)))


def unique_anyway(made: sa.Table, table: TableSpec, nullable: Sequence[str]) -> None:
    """Trust a database to which null is equal to null."""
    del nullable
    unique_columns(made, table, ())


def unique_index(made: sa.Table, table: TableSpec, nullable: Sequence[str]) -> None:
    """Make an index over expressions, which together tell null from what stands for it."""
    import sqlalchemy as sa

    if not nullable:
        unique_columns(made, table, ())
        return
    parts: list[Any] = []
    for name in table.natural_key:
        column = made.c[name]
        if name in nullable:
            nothing: Any = sa.literal_column(_nothing(table.columns[name], _FILLED))
            parts += [sa.func.coalesce(column, nothing), column.is_(None)]
        else:
            parts.append(column)
    sa.Index(f"uq_{table.name}", *parts, unique=True)
