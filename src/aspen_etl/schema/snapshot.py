"""What a store keeps of one moment: tables and keys; and what a reject is.

A value of frames has ``equals``, and a ``repr`` and notebook view that show counts and never
a cell. A reject is a row of the one frame that lists what stayed out, and why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Optional

import pandas as pd

from aspen_etl.columns.frames import Frames, equal_frames
from aspen_etl.columns.handing import hands_out, held
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = [
    "ADOPTED_FROM",
    "REJECTS",
    "REPEATED_HEADER",
    "UNREADABLE",
    "KeyState",
    "Snapshot",
    "Tables",
]

#: The first key that an application draws that writes in the target database. The library gives
#: those below alone; one from here on is remembered as any other, and never moves the next number.
ADOPTED_FROM = 2**40


class Tables(Frames):
    """Hold the target tables by name, in reference order.

    Examples:
        >>> import pandas as pd
        >>> Tables({"user": pd.DataFrame({"user_id": [1, 2]})})
        <Tables user: 2>
    """

    __slots__ = ()


@hands_out("given")
@dataclass(frozen=True)
class KeyState:
    """Hold every key that a table ever gave, and the next number.

    Attributes:
        next: The number that the next new row gets, below ``ADOPTED_FROM``.
        given: One row for each key ever given: the primary key, then the natural key. From
            ``ADOPTED_FROM`` on stand keys that an application gave.
    """

    next: int
    given: pd.DataFrame = field(repr=False)

    def equals(self, other: KeyState, /) -> bool:
        """Tell whether the other holds the same keys."""
        return self.next == other.next and equal_frames(held(self, "given"), held(other, "given"))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Hold the tables of one moment, and the keys given so far.

    Attributes:
        tables: The tables.
        keys: The key state, by table with a key that is given.
        time: When it was made, in UTC; no later snapshot is earlier. It does not count when
            snapshots are compared.
    """

    tables: Tables
    keys: Mapping[str, KeyState] = field(repr=False)
    time: Optional[dt.datetime] = None

    def equals(self, other: Snapshot, /) -> bool:
        """Tell whether the other holds the same tables and keys, by value."""
        return (
            self.tables.equals(other.tables)
            and self.keys.keys() == other.keys.keys()
            and all(state.equals(other.keys[name]) for name, state in self.keys.items())
        )


# ----------------------------------------------------------------------------- rejects

#: The rule of a row that is the header of its sheet once more.
REPEATED_HEADER = "repeated_header"

#: The rules of cells that a reader cannot take as text: what stands there, without a change.
UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "excel_error": "an Excel error, or a formula without a stored value",
        "inexact_number": "a number whose digits the source does not hold exactly",
        "out_of_range": "a date or time outside of the years 1 to 9999",
    }
)

#: The columns of the rejects by name, in order. ``row`` is the sheet's own row number, ``subject``
#: whose row it is.
REJECTS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ColumnSpec("source", "text"),
            ColumnSpec("row", "integer"),
            ColumnSpec("subject", "text", nullable=True),
            ColumnSpec("column", "text"),
            ColumnSpec("value", "text", nullable=True),
            ColumnSpec("rule", "text"),
            ColumnSpec("scope", "text"),
            ColumnSpec("record", "text"),
        )
    }
)
