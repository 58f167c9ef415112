"""The cells of a database's tables as text, by their types in the catalogue: one table a dialect.

What drivers give is taken as it is, with none of SQLAlchemy's conversions, some of which go through
a float. A type that no entry names, by itself or by one that it is derived from, holds no values of
a table: bytes, arrays, JSON, spans of time whose months have no length.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql

from aspen_etl.columns.cells import NoText, cell_text

__all__ = [
    "MSSQL_CELLS",
    "MYSQL_CELLS",
    "POSTGRESQL_CELLS",
    "SQLITE_CELLS",
    "CellsByType",
    "FlatCells",
    "flat_cells",
]


class FlatCells(NamedTuple):
    """How the cells of a type become text.

    Attributes:
        text: Give a value of the driver, not null, as text, or what is known of it.
        ask: Give what is selected, of the column.
        is_text: Whether it is text already, in a form of its owner's.
    """

    text: Callable[[Any], Union[str, NoText]]
    ask: Callable[[Any], Any] = lambda column: column
    is_text: bool = False


#: How cells are taken, by the class of the catalogue's type; none of one that holds no values.
CellsByType = Mapping[type, Optional[FlatCells]]


def flat_cells(kind: Any, known: CellsByType, /) -> Optional[FlatCells]:
    """Find how the cells of a type are taken, by the nearest class that is known; or none."""
    kind = getattr(kind, "data_type", kind)  # of a domain of PostgreSQL
    found = (known[each] for each in type(kind).__mro__ if each in known)
    return next(found, None)


# ----------------------------------------------------------------------------- texts


def _text(value: Any) -> Union[str, NoText]:
    """Give any value as text; what has a zone, in UTC."""
    if isinstance(value, dt.datetime) and value.utcoffset() is not None:
        value = value.astimezone(dt.timezone.utc)
    return cell_text(value)


def _single(value: Any) -> Union[str, NoText]:
    """Give a float of 32 bits as short as tells it from others of these."""
    return cell_text(np.float32(value))


def _guid(value: Any) -> Union[str, NoText]:
    return str(uuid.UUID(str(value)))


def _truth(value: Any) -> Union[str, NoText]:
    """Give what SQLite holds of a boolean: a number."""
    return cell_text(bool(value) if value in (0, 1) else value)


def _bits(value: Any) -> Union[str, NoText]:
    return str(int.from_bytes(value, "big")) if isinstance(value, bytes) else cell_text(value)


_MIDNIGHT = re.compile(r"([0-9-]{10}) 00:00:00(?:\.0*)?")


def _spelt(value: Any) -> Union[str, NoText]:
    """Take a moment that the database spelt; at midnight it is a day, as everywhere."""
    day = _MIDNIGHT.fullmatch(str(value))
    return day[1] if day else str(value)


def _spelt_in_utc(value: Any) -> Union[str, NoText]:
    return f"{value}+00:00"


# ----------------------------------------------------------------------------- what is asked


def _as_char(column: Any) -> Any:
    """Let MySQL spell it: a date of zeros is none to some drivers, which would lose it."""
    return sa.cast(column, sa.CHAR(30))


def _as_double(column: Any) -> Any:
    """Ask for all digits: MySQL shows six of a ``FLOAT``."""
    return column.op("*")(sa.literal_column("1e0"))


def _as_odbc(column: Any) -> Any:
    """Let SQL Server spell it: its seventh digit of a second is more than drivers take."""
    return sa.func.convert(sa.literal_column("varchar(40)"), column, sa.literal_column("121"))


# ----------------------------------------------------------------------------- the tables

_ANY = FlatCells(_text)
_WORDS = FlatCells(_text, is_text=True)

#: Of every database.
_COMMON: Mapping[type, Optional[FlatCells]] = {
    sa.String: _WORDS,
    sa.Integer: _ANY,
    sa.Numeric: _ANY,
    sa.Float: _ANY,
    sa.REAL: FlatCells(_single),
    sa.Boolean: _ANY,
    sa.Date: _ANY,
    sa.DateTime: _ANY,
    sa.Time: _ANY,
    sa.Uuid: FlatCells(_guid),
}

POSTGRESQL_CELLS: CellsByType = MappingProxyType(_COMMON)

MYSQL_CELLS: CellsByType = MappingProxyType(
    {
        **_COMMON,
        sa.Date: FlatCells(_spelt, _as_char),
        sa.DateTime: FlatCells(_spelt, _as_char),
        sa.TIMESTAMP: FlatCells(_spelt_in_utc, _as_char),
        mysql.FLOAT: FlatCells(_single, _as_double),
        mysql.YEAR: _ANY,
        mysql.BIT: FlatCells(_bits),
    }
)

MSSQL_CELLS: CellsByType = MappingProxyType(
    {
        **_COMMON,
        mssql.MONEY: _ANY,
        mssql.SMALLMONEY: _ANY,
        mssql.DATETIME2: FlatCells(_spelt, _as_odbc),
        mssql.DATETIMEOFFSET: FlatCells(_spelt, _as_odbc),
        sa.Time: FlatCells(_spelt, _as_odbc),
    }
)

#: SQLite holds a value of any type in any column, and has doubles alone.
SQLITE_CELLS: CellsByType = MappingProxyType(
    {
        **_COMMON,
        sa.types.TypeEngine: _ANY,
        sa.REAL: _ANY,
        sa.Boolean: FlatCells(_truth),
        sa.Uuid: _ANY,
        sa.LargeBinary: None,
    }
)
