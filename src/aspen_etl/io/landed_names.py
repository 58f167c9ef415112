"""What the name of a landed file says: its table, its kind, its place in the order of files.

Names as DMS writes them: ``LOAD`` and a hexadecimal number, a date and time, both perhaps below
dated folders or below those of a parallel load; transaction files of all tables in one folder.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional

from aspen_etl.schema.landing import Landing
from aspen_etl.schema.landing_forms import LANDED_FORMS

__all__ = ["Kind", "LandedName", "parse_name"]

#: What a file holds: rows of the full load, changes of a table, or changes of all tables in order.
Kind = Literal["load", "changes", "transactions"]

_ENDING = r"\.(?P<form>csv|parquet)(?P<packed>\.gz)?$"
#: LOAD00000001, SEGMENT1_LOAD0000000A, FULLLOAD-20240131-LOAD00000001.
_LOAD = re.compile(r"^(?:[^/]*[_-])?LOAD(?P<number>[0-9A-Fa-f]{8,16})" + _ENDING)
_CHANGES = re.compile(r"^(?P<day>[0-9]{8})-(?P<time>[0-9]{6,})" + _ENDING)
_TRANSACTIONS = re.compile(r"^CDC_TXN-(?P<moment>[0-9]{14,})" + _ENDING)
#: A folder of a date, in any order of year, month, day and hour, and with any delimiter or none.
_DATED = re.compile(r"^[0-9]{1,4}(?:[-_]?[0-9]{2}){0,4}$")

_SECONDS = len("YYYYMMDDHHMMSS")


@dataclass(frozen=True)
class LandedName:
    """Hold what a file's name says.

    Attributes:
        path: The name, below the landing's folder.
        source: The source that the file's table feeds; none, where it holds all tables.
        kind: What it holds.
        form: How it is written: ``csv``, ``csv.gz`` or ``parquet``.
        order: Its place among the files of its source and kind: text that sorts.
        dated: Whether it lies below dated folders.
    """

    path: str
    source: Optional[str]
    kind: Kind
    form: str
    order: str
    dated: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it is written as text."""
        return LANDED_FORMS[self.form.partition(".")[0]].is_text

    @property
    def moment(self) -> Optional[dt.datetime]:
        """When it was written, by its name, as if that were in UTC; none of a full load."""
        if self.kind == "load":
            return None
        try:
            found = dt.datetime.strptime(self.order[:_SECONDS], "%Y%m%d%H%M%S")  # noqa: DTZ007
        except ValueError:
            return None
        return found.replace(tzinfo=dt.timezone.utc)


def parse_name(path: str, landing: Landing, /) -> Optional[LandedName]:
    """Tell what the name of a file says, or nothing where it is none of the landing's.

    Args:
        path: The name, below the landing's folder.
        landing: Which tables are read.

    Examples:
        >>> from aspen_etl.schema.landing import LandedTable
        >>> landing = Landing("s3://raw", {"borrower": LandedTable("dbo.borrower")})
        >>> parse_name("dbo/borrower/LOAD0000000A.csv", landing).kind
        'load'
        >>> parse_name("dbo/borrower/2024/01/31/20240131-140500123.csv", landing).dated
        True
        >>> parse_name("dbo/other/LOAD00000001.csv", landing)
    """
    folder = f"{landing.transactions}/"
    if landing.order == "transactions" and path.startswith(folder):
        found = _TRANSACTIONS.match(path[len(folder) :])
        if found is None:
            return None
        return LandedName(path, None, "transactions", _form(found), found["moment"])
    tables = {table.name.replace(".", "/", 1): name for name, table in landing.tables.items()}
    schema, _, rest = path.partition("/")
    table, _, below = rest.partition("/")
    source = tables.get(f"{schema}/{table}")
    return _of_table(path, source, below) if source is not None else None


def _of_table(path: str, source: str, below: str) -> Optional[LandedName]:
    *folders, name = below.split("/")
    dated = bool(folders) and all(map(_DATED.match, folders))
    load, changes = _LOAD.match(name), _CHANGES.match(name)
    # A parallel load writes a folder for each partition of the table, of any name.
    if load and len(folders) <= 1 + 4 * dated:
        number = int(load["number"], 16)
        where = "/".join([*folders, name[: load.start("number")]])
        return LandedName(path, source, "load", _form(load), f"{number:020}/{where}", dated)
    if changes and (dated or not folders):
        order = f"{changes['day']}{changes['time']}"
        return LandedName(path, source, "changes", _form(changes), order, dated)
    return None


def _form(found: re.Match[str]) -> str:
    parts: Mapping[str, Optional[str]] = found.groupdict()
    return f"{parts['form']}{parts['packed'] or ''}"
