"""Clean text as a value of a column of a database, or why it is none: the inverse of its cells.

What a text becomes depends on the column's type in the catalogue. Nothing is cut, rounded or
guessed at: a text that is no value of the type is counted by a reason, and nothing is written.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql

from aspen_etl.sql.flat_moments import Misfit, Read, date_of, moment_of, plain_of, time_of, utc_of

__all__ = ["FlatValues", "flat_values", "values_of"]


class FlatValues(NamedTuple):
    """What some texts are in a column.

    Attributes:
        cells: The values, null as None; also where one could not be made.
        misfits: How many could not, by why.
    """

    cells: list[Any]
    misfits: Mapping[str, int]


def flat_values(texts: Iterable[Optional[str]], read: Read, /, *, empty: Any) -> FlatValues:
    """Turn clean texts into values.

    Args:
        texts: The texts; a missing one is None.
        read: What ``values_of`` gives of the column.
        empty: What stands for a missing one; ``NotImplemented`` where nothing can.
    """
    known: dict[str, Any] = {}
    misfits: Counter[str] = Counter()
    out: list[Any] = []
    for text in texts:
        if text is None:
            if empty is NotImplemented:
                misfits["missing, and the column is NOT NULL"] += 1
            out.append(None if empty is NotImplemented else empty)
            continue
        if text not in known:
            try:
                known[text] = read(text)
            except Misfit as why:
                known[text] = why
        found = known[text]
        if isinstance(found, Misfit):
            misfits[str(found)] += 1
            found = None
        out.append(found)
    return FlatValues(out, misfits)


def values_of(kind: Any, /, *, is_typed: bool) -> Read:
    """Find what gives the values of a column.

    Args:
        kind: Its type in the catalogue.
        is_typed: Whether the database holds a column to its type; SQLite does not.
    """
    kind = getattr(kind, "data_type", kind)  # of a domain of PostgreSQL
    known = _VALUES if is_typed else _UNTYPED
    make = next(known[each] for each in type(kind).__mro__ if each in known)
    return make(kind)


# ----------------------------------------------------------------------------- text


def _as_it_is(_: Any) -> Read:
    return str


def _text(kind: Any) -> Read:
    return partial(_short, getattr(kind, "length", None))


def _national(kind: Any) -> Read:
    """Count halves of some characters, as SQL Server does."""
    return partial(_short, kind.length, size=lambda text: len(text.encode("utf-16-le")) // 2)


def _short(length: Optional[int], text: str, size: Callable[[str], int] = len) -> str:
    if length is not None and size(text) > length:
        raise Misfit(f"longer than {length} characters")
    return text


def _word(kind: Any) -> Read:
    return partial(_one_of, frozenset(kind.enums))


def _one_of(words: frozenset[str], text: str) -> str:
    if text not in words:
        raise Misfit("no word of its enumeration")
    return text


# ----------------------------------------------------------------------------- numbers

_TRUTHS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}
_WHOLE, _DIGITS = re.compile(r"[+-]?[0-9]+"), re.compile(r"[+-]?[0-9]*\.?[0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|NaN|-?Infinity")

#: How many bits a whole number has, by the name of its type; others have 32.
_BITS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "BIGINT": 64}


def _integer(kind: Any) -> Read:
    bits = _BITS.get(type(kind).__name__.upper(), 32)
    is_positive = getattr(kind, "unsigned", False) or isinstance(kind, mssql.TINYINT)
    low = 0 if is_positive else -(1 << (bits - 1))
    return partial(_between, low, low + (1 << bits) - 1)


def _bits(kind: Any) -> Read:
    return partial(_between, 0, (1 << (kind.length or 1)) - 1)


def _between(low: int, high: int, text: str) -> int:
    if text.lower() in ("true", "false"):  # a boolean of the model
        return int(_TRUTHS[text.lower()])
    if not _WHOLE.fullmatch(text):
        raise Misfit("no whole number")
    if not low <= int(text) <= high:
        raise Misfit("out of the range of its type")
    return int(text)


def _decimal(kind: Any) -> Read:
    return partial(_exact, kind.precision, kind.scale or 0)


def _of_size(precision: int, scale: int, _: Any) -> Read:
    return partial(_exact, precision, scale)


def _exact(precision: Optional[int], scale: int, text: str) -> Decimal:
    if not _DIGITS.fullmatch(text):
        raise Misfit("no number")
    whole, _, fraction = text.lstrip("+-").partition(".")
    if precision is not None and (
        len(fraction.rstrip("0")) > scale or len(whole.lstrip("0")) > precision - scale
    ):
        raise Misfit(f"more digits than {precision}, {scale} of them behind the point")
    return Decimal(text)


def _float(_: Any) -> Read:
    return _inexact


def _inexact(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Misfit("no number")
    return float(text)


def _truth(_: Any) -> Read:
    return _is_true


def _is_true(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise Misfit("neither true nor false")
    return _TRUTHS[text.lower()]


def _uuid(_: Any) -> Read:
    return _guid


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        pass
    raise Misfit("no UUID")


# ----------------------------------------------------------------------------- the tables

_VALUES: Mapping[type, Callable[[Any], Read]] = MappingProxyType(
    {
        sa.types.TypeEngine: _as_it_is,
        sa.String: _text,
        sa.NVARCHAR: _national,
        sa.NCHAR: _national,
        sa.Enum: _word,
        mysql.SET: _as_it_is,
        sa.Integer: _integer,
        sa.Numeric: _decimal,
        sa.Float: _float,
        sa.Boolean: _truth,
        sa.Date: date_of,
        sa.DateTime: partial(moment_of, digits=6),
        sa.Time: time_of,
        sa.Uuid: _uuid,
        mysql.BIT: _bits,
        mysql.YEAR: lambda _: partial(_between, 1901, 2155),
        mysql.DATETIME: partial(moment_of, digits=0, has_zone=False),
        mysql.TIMESTAMP: utc_of,
        mssql.DATETIME2: partial(moment_of, digits=7, has_zone=False),
        mssql.DATETIMEOFFSET: partial(moment_of, digits=7, has_zone=True),
        mssql.MONEY: partial(_of_size, 19, 4),
        mssql.SMALLMONEY: partial(_of_size, 10, 4),
    }
)

#: SQLite turns text into what the column prefers, where nothing is lost.
_UNTYPED: Mapping[type, Callable[[Any], Read]] = MappingProxyType(
    {
        sa.types.TypeEngine: _as_it_is,
        sa.String: _text,
        sa.Boolean: _truth,
        sa.DateTime: plain_of,
    }
)
