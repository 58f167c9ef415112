"""SQL dialects: all that one database wants said otherwise than another.

A dialect is one entry of ``DIALECTS``. What has to know a dialect asks its entry; nothing
compares its name, so that no dialect is taken for another one. How a database behaves once
tables are loaded is the paired table ``BEHAVIOURS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Optional

from aspen_etl.derive.natural_keys import (
    invisible_column,
    no_column,
    unique_anyway,
    unique_columns,
    unique_index,
)
from aspen_etl.derive.sql_types import (
    MSSQL_CHECKS,
    MSSQL_TYPES,
    MYSQL_CHECKS,
    MYSQL_TYPES,
    POSTGRESQL_CHECKS,
    POSTGRESQL_TYPES,
    SQLITE_CHECKS,
    SQLITE_TYPES,
    SQLChecks,
    SQLTypes,
)
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.spec import TableSpec

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["DIALECTS", "Dialect", "SQLDialect", "checks_of", "quoted", "type_of"]

SQLDialect = Literal["postgresql", "mysql", "mssql", "sqlite"]


@dataclass(frozen=True)
class Dialect:
    """What is to know of a dialect to describe tables in it.

    Attributes:
        name: Its name, which is SQLAlchemy's as well.
        engines: What SQLAlchemy calls databases that speak it.
        quotes: What stands around a name.
        types: Gives the SQLAlchemy type of a column, by the type of the column.
        checks: Gives the conditions that hold a column to what its type does not, by the type of
            the column.
        has_constraints_in_columns: Whether a check or a reference is added to a table only along
            with its column.
        has_identity: Whether a numbered key is declared as an identity column.
        options: What SQLAlchemy is told of every table.
        model_options: What it is told of the tables of a model besides.
        first_number: Gives what SQLAlchemy is told of a table whose numbers begin somewhere, where
            that is no part of its column.
        key_bytes: The most bytes of an index entry, of a primary and of another key.
        comparable: Gives the column that stands beside a nullable one of a natural key, in which
            null equals null; or none. It takes the nullable one, its quoted name and its type.
        unique_nulls: Makes the natural key of a table unique with null equal to null, given the
            names of its nullable columns.
        default_schema: The schema of comments, where they name one and no connection tells it.
    """

    name: SQLDialect
    engines: tuple[str, ...]
    quotes: tuple[str, str]
    types: SQLTypes
    checks: SQLChecks
    has_constraints_in_columns: bool
    has_identity: bool
    options: Mapping[str, Any]
    model_options: Mapping[str, Any]
    first_number: Callable[[int], Mapping[str, Any]]
    key_bytes: Optional[tuple[int, int]]
    comparable: Callable[[ColumnSpec, str, Any], Optional[sa.Column[Any]]]
    unique_nulls: Callable[[sa.Table, TableSpec, Sequence[str]], None]
    default_schema: Optional[str]


# ----------------------------------------------------------------------------- columns


def type_of(spec: ColumnSpec, dialect: Dialect) -> Any:
    """Give the SQLAlchemy type of a column.

    Raises:
        ModelError: The dialect cannot hold it.
        NotSupportedError: The dialect has no such type.
    """
    noun = f"type of columns in {dialect.name}"
    return named(dialect.types, spec.type, kind="type", noun=noun)(spec)


def checks_of(spec: ColumnSpec, dialect: Dialect) -> list[sa.CheckConstraint]:
    """Give the checks of a column that its type does not make.

    Raises:
        NotSupportedError: The dialect has no such type.
    """
    import sqlalchemy as sa

    noun = f"type of columns in {dialect.name}"
    conditions = named(dialect.checks, spec.type, kind="type", noun=noun)
    return [
        sa.CheckConstraint(sa.text(text), name=f"{spec.name}_{check}", info={"column": spec.name})
        for check, text in conditions(spec, quoted(spec.name, dialect)).items()
        if text is not None
    ]


def quoted(name: str, dialect: Dialect) -> str:
    """Quote a name of the model, for text within a statement."""
    left, right = dialect.quotes
    return f"{left}{name}{right}"


def _no_option(_: int) -> Mapping[str, Any]:
    return {}


def _auto_increment(number: int) -> Mapping[str, Any]:
    return {f"{engine}_auto_increment": str(number) for engine in ("mysql", "mariadb")}


# ----------------------------------------------------------------------------- the table

_INNODB = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}

DIALECTS: Mapping[str, Dialect] = {
    "postgresql": Dialect(
        name="postgresql",
        engines=("postgresql",),
        quotes=('"', '"'),
        types=POSTGRESQL_TYPES,
        checks=POSTGRESQL_CHECKS,
        has_constraints_in_columns=False,
        has_identity=True,
        options={},
        model_options={},
        first_number=_no_option,
        key_bytes=None,
        comparable=no_column,
        unique_nulls=unique_index,
        default_schema=None,
    ),
    "mysql": Dialect(
        name="mysql",
        engines=("mysql", "mariadb"),
        quotes=("`", "`"),
        types=MYSQL_TYPES,
        checks=MYSQL_CHECKS,
        has_constraints_in_columns=False,
        has_identity=False,
        options={
            f"{engine}_{name}": fact
            for engine in ("mysql", "mariadb")
            for name, fact in _INNODB.items()
        },
        model_options={},
        first_number=_auto_increment,
        key_bytes=(3_072, 3_072),  # of InnoDB
        comparable=invisible_column,
        unique_nulls=unique_columns,
        default_schema=None,
    ),
    "mssql": Dialect(
        name="mssql",
        engines=("mssql",),
        quotes=("[", "]"),
        types=MSSQL_TYPES,
        checks=MSSQL_CHECKS,
        has_constraints_in_columns=False,
        has_identity=True,
        options={},
        model_options={},
        first_number=_no_option,
        key_bytes=(900, 1_700),  # a clustered key has less
        comparable=no_column,
        unique_nulls=unique_anyway,
        default_schema="dbo",
    ),
    "sqlite": Dialect(
        name="sqlite",
        engines=("sqlite",),
        quotes=('"', '"'),
        types=SQLITE_TYPES,
        checks=SQLITE_CHECKS,
        has_constraints_in_columns=True,
        has_identity=False,
        options={},
        model_options={"sqlite_autoincrement": True},
        first_number=_no_option,
        key_bytes=None,
        comparable=no_column,
        unique_nulls=unique_index,
        default_schema=None,
    ),
}
