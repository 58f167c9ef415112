"""SQL dialects: all that one database wants said otherwise than another.

A dialect is one entry of ``DIALECTS``. What has to know a dialect asks its entry; nothing
compares its name, so that no dialect is taken for another one. How a database behaves once
tables are loaded is the paired table ``BEHAVIOURS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Optional

from aspen_etl.derive.natural_keys import (
    invisible_column,
    no_column,
    unique_anyway,
    unique_columns,
    unique_index,
)
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.spec import TableSpec

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["DIALECTS", "Dialect", "SQLDialect", "checks_of", "quoted", "type_of"]

SQLDialect = Literal["postgresql", "mysql", "mssql", "sqlite"]

#: The longest text that is declared with a length; longer text is a large object and a check.
_MYSQL_LENGTH, _MSSQL_UNITS = 4_000, 4_000


@dataclass(frozen=True)
class Dialect:
    """What is to know of a dialect to describe tables in it.

    Attributes:
        name: Its name, which is SQLAlchemy's as well.
        engines: What SQLAlchemy calls databases that speak it.
        quotes: What stands around a name.
        integer: Gives the type of whole numbers.
        time: Gives the type of a time without a zone, to the millisecond.
        text: Gives the type of text, by its length in characters if it has one.
        length_check: Gives the condition that holds a column to its length, by its quoted name,
            or none where the type does.
        has_constraints_in_columns: Whether a check or a reference is added to a table only along
            with its column.
        has_identity: Whether a numbered key is declared as an identity column.
        options: What SQLAlchemy is told of every table.
        model_options: What it is told of the tables of a model besides.
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
    integer: Callable[[], Any]
    time: Callable[[], Any]
    text: Callable[[Optional[int]], Any]
    length_check: Callable[[str, int], Optional[str]]
    has_constraints_in_columns: bool
    has_identity: bool
    options: Mapping[str, Any]
    model_options: Mapping[str, Any]
    key_bytes: Optional[tuple[int, int]]
    comparable: Callable[[ColumnSpec, str, Any], Optional[sa.Column[Any]]]
    unique_nulls: Callable[[sa.Table, TableSpec, Sequence[str]], None]
    default_schema: Optional[str]


# ----------------------------------------------------------------------------- columns


def type_of(spec: ColumnSpec, dialect: Dialect) -> Any:
    """Give the SQLAlchemy type of a column."""
    if spec.type == "text":
        return dialect.text(spec.length)
    return dialect.integer() if spec.type == "integer" else dialect.time()


def checks_of(spec: ColumnSpec, dialect: Dialect) -> list[sa.CheckConstraint]:
    """Give the checks of a column that its type does not make."""
    import sqlalchemy as sa

    if spec.type != "text":
        return []
    name = quoted(spec.name, dialect)
    conditions = {
        "present": f"{name} <> ''" if spec.nullable else None,  # else a second way to say null
        "length": dialect.length_check(name, spec.length) if spec.length else None,
    }
    return [
        sa.CheckConstraint(sa.text(text), name=f"{spec.name}_{check}", info={"column": spec.name})
        for check, text in conditions.items()
        if text is not None
    ]


def quoted(name: str, dialect: Dialect) -> str:
    """Quote a name of the model, for text within a statement."""
    left, right = dialect.quotes
    return f"{left}{name}{right}"


# ----------------------------------------------------------------------------- types


def _big_integer() -> Any:
    import sqlalchemy as sa

    return sa.BigInteger()


def _sqlite_integer() -> Any:
    import sqlalchemy as sa

    return sa.Integer()


def _postgresql_time() -> Any:
    from sqlalchemy.dialects import postgresql

    return postgresql.TIMESTAMP(precision=3)


def _mysql_time() -> Any:
    from sqlalchemy.dialects import mysql

    return mysql.DATETIME(fsp=3)


def _mssql_time() -> Any:
    from sqlalchemy.dialects import mssql

    return mssql.DATETIME2(precision=3)  # type: ignore[no-untyped-call]


def _sqlite_time() -> Any:
    """Give what SQLite holds as text."""
    import sqlalchemy as sa

    return sa.DateTime()


def _collated_text(collation: str, length: Optional[int]) -> Any:
    import sqlalchemy as sa

    return sa.String(length, collation=collation) if length else sa.Text(collation=collation)


def _mysql_text(length: Optional[int]) -> Any:
    from sqlalchemy.dialects import mysql

    short = length is not None and length <= _MYSQL_LENGTH
    kind: Any = partial(mysql.VARCHAR, length) if short else mysql.LONGTEXT
    return kind(charset="utf8mb4", collation="utf8mb4_bin")


def _mssql_text(length: Optional[int]) -> Any:
    from sqlalchemy.dialects import mssql

    units = 2 * length if length and 2 * length <= _MSSQL_UNITS else None
    return mssql.NVARCHAR(units, collation="Latin1_General_100_BIN2")


# ----------------------------------------------------------------------------- lengths


def _typed_length(name: str, length: int) -> None:
    """Ask for no check, since the type holds the length."""


def _mysql_length(name: str, length: int) -> Optional[str]:
    return f"char_length({name}) <= {length}" if length > _MYSQL_LENGTH else None


def _mssql_length(name: str, length: int) -> str:
    # Only the collations called SC count a character outside the first plane as one.
    return f"LEN({name} COLLATE Latin1_General_100_CI_AS_SC) <= {length}"


def _sqlite_length(name: str, length: int) -> str:
    return f"length({name}) <= {length}"


# ----------------------------------------------------------------------------- the table

_INNODB = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}

DIALECTS: Mapping[str, Dialect] = {
    "postgresql": Dialect(
        name="postgresql",
        engines=("postgresql",),
        quotes=('"', '"'),
        integer=_big_integer,
        time=_postgresql_time,
        text=partial(_collated_text, "C"),
        length_check=_typed_length,
        has_constraints_in_columns=False,
        has_identity=True,
        options={},
        model_options={},
        key_bytes=None,
        comparable=no_column,
        unique_nulls=unique_index,
        default_schema=None,
    ),
    "mysql": Dialect(
        name="mysql",
        engines=("mysql", "mariadb"),
        quotes=("`", "`"),
        integer=_big_integer,
        time=_mysql_time,
        text=_mysql_text,
        length_check=_mysql_length,
        has_constraints_in_columns=False,
        has_identity=False,
        options={
            f"{engine}_{name}": fact
            for engine in ("mysql", "mariadb")
            for name, fact in _INNODB.items()
        },
        model_options={},
        key_bytes=(3_072, 3_072),  # of InnoDB
        comparable=invisible_column,
        unique_nulls=unique_columns,
        default_schema=None,
    ),
    "mssql": Dialect(
        name="mssql",
        engines=("mssql",),
        quotes=("[", "]"),
        integer=_big_integer,
        time=_mssql_time,
        text=_mssql_text,
        length_check=_mssql_length,
        has_constraints_in_columns=False,
        has_identity=True,
        options={},
        model_options={},
        key_bytes=(900, 1_700),  # a clustered key has less
        comparable=no_column,
        unique_nulls=unique_anyway,
        default_schema="dbo",
    ),
    "sqlite": Dialect(
        name="sqlite",
        engines=("sqlite",),
        quotes=('"', '"'),
        integer=_sqlite_integer,
        time=_sqlite_time,
        text=partial(_collated_text, "BINARY"),
        length_check=_sqlite_length,
        has_constraints_in_columns=True,
        has_identity=False,
        options={},
        model_options={"sqlite_autoincrement": True},
        key_bytes=None,
        comparable=no_column,
        unique_nulls=unique_index,
        default_schema=None,
    ),
}
