"""What the types of a database's catalogue are as types of columns of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, postgresql

from aspen_etl.inference.kind import Kind

__all__ = ["kind_of"]

#: The most digits of a decimal, and of a whole number of 64 bits whatever its digits are.
_MOST_DIGITS, _WHOLE_DIGITS = 38, 18
#: The digits of a second that a moment of a model has.
_MILLISECONDS = 3

_FINER = "finer than milliseconds, which a moment of a table is not; a view may cut it"
_NO_SIZE = "numbers of no declared size; give precision= and scale= to a decimal"
_FLOAT = "a float: its shortest digits; give precision= and scale= to a decimal if they are known"
_UNSIGNED = "without a sign: from 2**63 on, numbers are rejects"


def kind_of(kind: Any, /) -> Kind:
    """Give the type that a column of a model has for one of a database's.

    Where more than one would do, or none is exact, it is text with a note, which loses nothing.
    """
    kind = getattr(kind, "data_type", kind)  # of a domain of PostgreSQL
    found = next(_KINDS[each] for each in type(kind).__mro__ if each in _KINDS)
    return found(kind)


def _text(kind: Any) -> Kind:
    length = getattr(kind, "length", None)
    return Kind("text", (("length", int(length)),) if length else ())


def _words(kind: Any) -> Kind:
    return Kind("text", (("length", max(map(len, kind.enums), default=1)),))


def _of_length(length: int, _: Any) -> Kind:
    return Kind("text", (("length", length),))


def _integer(kind: Any) -> Kind:
    big = isinstance(kind, sa.BigInteger) and getattr(kind, "unsigned", False)
    return Kind("integer", note=_UNSIGNED if big else "")


def _small(kind: Any) -> Kind:
    """Take ``TINYINT(1)``, which is what MySQL makes of ``BOOLEAN``."""
    return Kind("boolean") if kind.display_width == 1 else Kind("integer")


def _bits(kind: Any) -> Kind:
    return Kind("boolean") if kind.length in {None, 1} else Kind("integer")


def _number(kind: Any) -> Kind:
    precision, scale = kind.precision, kind.scale or 0
    if precision is None or not 0 <= scale <= precision <= _MOST_DIGITS:
        return Kind("text", note=_NO_SIZE)
    if not scale and precision <= _WHOLE_DIGITS:
        return Kind("integer")
    return _decimal(precision, scale, kind)


def _decimal(precision: int, scale: int, _: Any) -> Kind:
    return Kind("decimal", (("precision", precision), ("scale", scale)))


def _noted(note: str, _: Any) -> Kind:
    return Kind("text", note=note)


def _plain(name: Any, _: Any) -> Kind:
    return Kind(name)


def _moment(digits: int, kind: Any) -> Kind:
    """Take a moment of so many digits of a second, where the column does not say how many."""
    told = getattr(kind, "precision", None)
    told = getattr(kind, "fsp", None) if told is None else told
    if (digits if told is None else told) > _MILLISECONDS:
        return Kind("text", (("length", 40),), _FINER)
    if kind.timezone or isinstance(kind, (mysql.TIMESTAMP, mssql.DATETIMEOFFSET)):
        return Kind("timestamp", (("zone", "UTC"),))
    return Kind("datetime")


_KINDS: Mapping[type, Callable[[Any], Kind]] = MappingProxyType(
    {
        sa.types.TypeEngine: lambda _: Kind("text"),  # SQLite's columns may have no type
        sa.String: _text,
        sa.Enum: _words,
        mysql.SET: lambda _: Kind("text"),
        sa.Integer: _integer,
        sa.Numeric: _number,
        sa.Float: partial(_noted, _FLOAT),
        sa.Boolean: partial(_plain, "boolean"),
        sa.Date: partial(_plain, "date"),
        sa.DateTime: partial(_moment, 0),
        sa.Time: partial(_of_length, 20),
        sa.Uuid: partial(_of_length, 36),
        postgresql.TIMESTAMP: partial(_moment, 6),
        mysql.TINYINT: _small,
        mysql.BIT: _bits,
        mysql.YEAR: partial(_plain, "integer"),
        mssql.DATETIME2: partial(_moment, 7),
        mssql.DATETIMEOFFSET: partial(_moment, 7),
        mssql.MONEY: partial(_decimal, 19, 4),
        mssql.SMALLMONEY: partial(_decimal, 10, 4),
    }
)
