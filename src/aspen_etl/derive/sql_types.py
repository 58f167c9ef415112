"""The types of columns in relational databases, and the checks beside them: a dict each.

A dict has an entry for each type of column, and nothing compares the name of a type, so that no
type is taken for another. Each is as the database holds every value of it: SQLite's ``DECIMAL``
is a float, so there it is text, and the ``DATE`` of SQLAlchemy's own may be a ``DATETIME``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Optional

from aspen_etl.derive.sql_text_values import date_text, decimal_text, number_truth
from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = [
    "MSSQL_CHECKS",
    "MSSQL_TYPES",
    "MYSQL_CHECKS",
    "MYSQL_TYPES",
    "POSTGRESQL_CHECKS",
    "POSTGRESQL_TYPES",
    "SQLITE_CHECKS",
    "SQLITE_TYPES",
    "SQLChecks",
    "SQLTypes",
]

#: Gives the SQLAlchemy type of a column, by the type of the column.
SQLTypes = Mapping[str, Callable[[ColumnSpec], Any]]
#: Gives what a column must fulfil beside its type, by names, from the column and its quoted name.
SQLChecks = Mapping[str, Callable[[ColumnSpec, str], Mapping[str, Optional[str]]]]

#: The longest text that is declared with a length; longer text is a large object and a check.
_MYSQL_LENGTH, _MSSQL_UNITS = 4_000, 4_000
#: The most digits behind the point that MySQL takes; MariaDB takes more.
_MYSQL_SCALE = 30


# ----------------------------------------------------------------------------- of all


def _common(name: str, spec: ColumnSpec) -> Any:
    """Make a type of standard SQL that each dialect spells as it is."""
    import sqlalchemy as sa

    del spec
    return getattr(sa, name)()


def _decimal(name: str, spec: ColumnSpec) -> Any:
    import sqlalchemy as sa

    return getattr(sa, name)(spec.precision, spec.scale)


def _collated_text(collation: str, spec: ColumnSpec) -> Any:
    import sqlalchemy as sa

    length = spec.length
    return sa.String(length, collation=collation) if length else sa.Text(collation=collation)


def _no_checks(spec: ColumnSpec, name: str) -> Mapping[str, Optional[str]]:
    """Ask for nothing beside the type."""
    del spec, name
    return {}


def _number_checks(spec: ColumnSpec, name: str) -> Mapping[str, Optional[str]]:
    return {"minimum": None if spec.minimum is None else f"{name} >= {spec.minimum}"}


def _date_checks(spec: ColumnSpec, name: str) -> Mapping[str, Optional[str]]:
    return {"minimum": None if spec.minimum is None else f"{name} >= '{spec.minimum}'"}


def _truth_checks(spec: ColumnSpec, name: str) -> Mapping[str, Optional[str]]:
    del spec
    return {"boolean": f"{name} IN (0, 1)"}


def _text_checks(
    length: Callable[[str, int], Optional[str]], spec: ColumnSpec, name: str
) -> Mapping[str, Optional[str]]:
    return {
        "present": f"{name} <> ''" if spec.nullable else None,  # else a second way to say null
        "length": length(name, spec.length) if spec.length else None,
    }


def _typed_length(name: str, length: int) -> None:
    """Ask for no check, since the type holds the length."""


# ----------------------------------------------------------------------------- PostgreSQL


def _postgresql_time(spec: ColumnSpec) -> Any:
    from sqlalchemy.dialects import postgresql

    del spec
    return postgresql.TIMESTAMP(precision=3)


POSTGRESQL_TYPES: SQLTypes = {
    "text": partial(_collated_text, "C"),
    "integer": partial(_common, "BigInteger"),
    "decimal": partial(_decimal, "NUMERIC"),
    "date": partial(_common, "DATE"),
    "datetime": _postgresql_time,
    "timestamp": _postgresql_time,
    "boolean": partial(_common, "BOOLEAN"),
}
POSTGRESQL_CHECKS: SQLChecks = {
    "text": partial(_text_checks, _typed_length),
    "integer": _number_checks,
    "decimal": _no_checks,
    "date": _date_checks,
    "datetime": _no_checks,
    "timestamp": _no_checks,
    "boolean": _no_checks,
}


# ----------------------------------------------------------------------------- MySQL, MariaDB


def _mysql_text(spec: ColumnSpec) -> Any:
    from sqlalchemy.dialects import mysql

    length = spec.length
    short = length is not None and length <= _MYSQL_LENGTH
    kind: Any = partial(mysql.VARCHAR, length) if short else mysql.LONGTEXT
    return kind(charset="utf8mb4", collation="utf8mb4_bin")


def _mysql_length(name: str, length: int) -> Optional[str]:
    return f"char_length({name}) <= {length}" if length > _MYSQL_LENGTH else None


def _mysql_decimal(spec: ColumnSpec) -> Any:
    if spec.scale is not None and spec.scale > _MYSQL_SCALE:
        msg = (
            f"column {spec.name!r} has scale={spec.scale}, and MySQL takes no more than "
            f"{_MYSQL_SCALE} digits behind the point; give it a smaller scale="
        )
        raise ModelError(msg, column=spec.name)
    return _decimal("DECIMAL", spec)


def _mysql_time(spec: ColumnSpec) -> Any:
    """Give what has no zone: MariaDB's ``TIMESTAMP`` ends in 2038."""
    from sqlalchemy.dialects import mysql

    del spec
    return mysql.DATETIME(fsp=3)


MYSQL_TYPES: SQLTypes = {
    "text": _mysql_text,
    "integer": partial(_common, "BigInteger"),
    "decimal": _mysql_decimal,
    "date": partial(_common, "DATE"),
    "datetime": _mysql_time,
    "timestamp": _mysql_time,
    "boolean": partial(_common, "BOOLEAN"),  # a TINYINT, which holds 2 as well
}
MYSQL_CHECKS: SQLChecks = {
    "text": partial(_text_checks, _mysql_length),
    "integer": _number_checks,
    "decimal": _no_checks,
    "date": _date_checks,
    "datetime": _no_checks,
    "timestamp": _no_checks,
    "boolean": _truth_checks,
}


# ----------------------------------------------------------------------------- SQL Server


def _mssql_text(spec: ColumnSpec) -> Any:
    from sqlalchemy.dialects import mssql

    length = spec.length
    units = 2 * length if length and 2 * length <= _MSSQL_UNITS else None
    return mssql.NVARCHAR(units, collation="Latin1_General_100_BIN2")


def _mssql_length(name: str, length: int) -> str:
    # Only the collations called SC count a character outside the first plane as one.
    return f"LEN({name} COLLATE Latin1_General_100_CI_AS_SC) <= {length}"


def _mssql_time(spec: ColumnSpec) -> Any:
    from sqlalchemy.dialects import mssql

    del spec
    return mssql.DATETIME2(precision=3)  # type: ignore[no-untyped-call]


def _mssql_truth(spec: ColumnSpec) -> Any:
    from sqlalchemy.dialects import mssql

    del spec
    return mssql.BIT()


MSSQL_TYPES: SQLTypes = {
    "text": _mssql_text,
    "integer": partial(_common, "BigInteger"),
    "decimal": partial(_decimal, "DECIMAL"),
    "date": partial(_common, "DATE"),  # sa.Date would be DATETIME where no version is known
    "datetime": _mssql_time,
    "timestamp": _mssql_time,
    "boolean": _mssql_truth,
}
MSSQL_CHECKS: SQLChecks = {
    "text": partial(_text_checks, _mssql_length),
    "integer": _number_checks,
    "decimal": _no_checks,
    "date": _date_checks,
    "datetime": _no_checks,
    "timestamp": _no_checks,
    "boolean": _no_checks,
}


# ----------------------------------------------------------------------------- SQLite


def _sqlite_length(name: str, length: int) -> str:
    return f"length({name}) <= {length}"


def _sqlite_decimal_checks(spec: ColumnSpec, name: str) -> Mapping[str, Optional[str]]:
    """Hold text to one form: else ``1.5`` and ``1.50`` would be two values."""
    precision, scale = spec.precision or 0, spec.scale or 0
    digits = f"ltrim({name}, '-')"
    point, places = (".", f".{'[0-9]' * scale}") if scale else ("", "")
    forms = [
        f"{name} NOT GLOB '?*-*'",
        f"{digits} GLOB '[0-9]*{places}'",
        f"{digits} NOT GLOB '*[^0-9{point}]*'",
        f"{digits} NOT GLOB '0[0-9]*'",
        f"length({digits}) <= {max(precision, scale + 1) + len(point)}",
        f"({name} NOT GLOB '-*' OR {name} GLOB '*[1-9]*')",
    ]
    forms += [f"{digits} NOT GLOB '*.*.*'"] if scale else []
    forms += [f"{digits} GLOB '0.*'"] if 0 < scale == precision else []
    return {"decimal": " AND ".join(forms)}


def _sqlite_date_checks(spec: ColumnSpec, name: str) -> Mapping[str, Optional[str]]:
    # Without the modifier, date() takes each day from 1 to 31 of each month.
    return {"date": f"date({name}, '+0 days') IS {name}", **_date_checks(spec, name)}


SQLITE_TYPES: SQLTypes = {
    "text": partial(_collated_text, "BINARY"),
    "integer": partial(_common, "Integer"),
    "decimal": decimal_text,
    "date": date_text,
    "datetime": partial(_common, "DateTime"),  # SQLite holds it as text
    "timestamp": partial(_common, "DateTime"),
    "boolean": number_truth,
}
SQLITE_CHECKS: SQLChecks = {
    "text": partial(_text_checks, _sqlite_length),
    "integer": _number_checks,
    "decimal": _sqlite_decimal_checks,
    "date": _sqlite_date_checks,
    "datetime": _no_checks,
    "timestamp": _no_checks,
    "boolean": _truth_checks,
}
