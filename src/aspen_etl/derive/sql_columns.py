"""The types and checks of SQL columns, by dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Optional

from aspen_etl.schema.spec import ColumnSpec

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["DIALECTS", "SQLDialect", "checks_of", "quoted", "type_of"]

SQLDialect = Literal["postgresql", "mysql", "mssql", "sqlite"]
DIALECTS: tuple[SQLDialect, ...] = ("postgresql", "mysql", "mssql", "sqlite")

#: The longest text that is declared with a length; longer text is a large object and a check.
_MYSQL_LENGTH, _MSSQL_UNITS = 4_000, 4_000


def type_of(spec: ColumnSpec, dialect: SQLDialect) -> Any:
    """Give the SQLAlchemy type of a column."""
    import sqlalchemy as sa

    if spec.type == "integer":
        return sa.Integer() if dialect == "sqlite" else sa.BigInteger()
    return (_time_type if spec.type == "timestamp" else _text_type)(spec.length, dialect)


def _time_type(_: Optional[int], dialect: SQLDialect) -> Any:
    """Give a time without a zone, to the millisecond; SQLite holds it as text."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import mssql, mysql, postgresql

    kinds: dict[str, Callable[[], Any]] = {
        "postgresql": lambda: postgresql.TIMESTAMP(precision=3),
        "mysql": lambda: mysql.DATETIME(fsp=3),
        "mssql": lambda: mssql.DATETIME2(precision=3),  # type: ignore[no-untyped-call]
        "sqlite": sa.DateTime,
    }
    return kinds[dialect]()


def _text_type(length: Optional[int], dialect: SQLDialect) -> Any:
    import sqlalchemy as sa
    from sqlalchemy.dialects import mssql, mysql

    if dialect == "mysql":
        short = length is not None and length <= _MYSQL_LENGTH
        kind: Any = partial(mysql.VARCHAR, length) if short else mysql.LONGTEXT
        return kind(charset="utf8mb4", collation="utf8mb4_bin")
    if dialect == "mssql":
        units = 2 * length if length and 2 * length <= _MSSQL_UNITS else None
        return mssql.NVARCHAR(units, collation="Latin1_General_100_BIN2")
    collation = "C" if dialect == "postgresql" else "BINARY"
    return sa.String(length, collation=collation) if length else sa.Text(collation=collation)


def checks_of(spec: ColumnSpec, dialect: SQLDialect) -> list[sa.CheckConstraint]:
    """Give the checks of a column that its type does not make."""
    import sqlalchemy as sa

    return [
        sa.CheckConstraint(sa.text(text), name=f"{spec.name}_{name}", info={"column": spec.name})
        for name, text in _conditions(spec, dialect)
    ]


def _conditions(spec: ColumnSpec, dialect: SQLDialect) -> Iterator[tuple[str, str]]:
    if spec.type != "text":
        return
    name = quoted(spec.name, dialect)
    if spec.nullable:  # '' would be a second way to say null
        yield "present", f"{name} <> ''"
    if not spec.length:
        return
    if dialect == "sqlite":
        yield "length", f"length({name}) <= {spec.length}"
    elif dialect == "mssql":
        # Only the collations called SC count a character outside the first plane as one.
        yield "length", f"LEN({name} COLLATE Latin1_General_100_CI_AS_SC) <= {spec.length}"
    elif dialect == "mysql" and spec.length > _MYSQL_LENGTH:
        yield "length", f"char_length({name}) <= {spec.length}"


def quoted(name: str, dialect: SQLDialect) -> str:
    """Quote a name of the model, for text within a statement."""
    left, right = {"mysql": ("`", "`"), "mssql": ("[", "]")}.get(dialect, ('"', '"'))
    return f"{left}{name}{right}"
