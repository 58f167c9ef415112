"""A landed file as rows below names: CSV with a header or a declared one, Parquet, transactions."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.protocol import Positions
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import AspenETLError, CorruptFileError, FileFormatError, LandedFileError
from aspen_etl.errors.base import instead
from aspen_etl.io.csv_fast import BOM
from aspen_etl.io.csv_reading import read_csv, read_records
from aspen_etl.io.csv_records import csv_rows
from aspen_etl.io.landed_times import canonical_moment, parse_moment
from aspen_etl.io.reading import RawSheet, Request
from aspen_etl.schema.headers import header_text
from aspen_etl.schema.landing import LandedTable, Landing

__all__ = ["OPERATION", "LandedRows", "read_declared", "read_headed", "read_transactions"]

#: The column of the operation, which DMS names so.
OPERATION = "Op"

#: What stands before the fields in a row of a transaction file: operation, table, schema.
_AHEAD = 3


@dataclass(frozen=True)
class LandedRows:
    """Hold rows of one table in a file, below the names of their columns.

    Attributes:
        file: The file, as messages show it.
        names: The headers.
        rows: The number of each row in the file.
        column: Gives the cells of the column at a position, as text.
        has_tokens: Whether tokens stand for null and for what was not logged.
    """

    file: str
    names: tuple[str, ...]
    rows: Positions
    column: Callable[[int], pd.Series] = field(repr=False)
    has_tokens: bool = True

    def places(self) -> dict[str, int]:
        """Give the position of each header.

        Raises:
            LandedFileError: A header stands there twice.
        """
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise LandedFileError.of(
                "columns",
                self.file,
                f"has the header {twice[0]!r} {self.names.count(twice[0])} times",
                "rename one in the task's mapping rules",
                column=twice[0],
                count=self.names.count(twice[0]),
            )
        return {name: place for place, name in enumerate(self.names)}


# ----------------------------------------------------------------------------- with a header


def read_headed(data: bytes, request: Request, /, *, is_text: bool) -> LandedRows:
    """Read a file that names its columns.

    Args:
        data: The file, unpacked.
        request: What to read; its url is what messages show.
        is_text: Whether it is CSV.

    Raises:
        ExtractError: The file is not what it should be.
    """
    if not is_text:
        from aspen_etl.io.columnar import read_parquet

        return _of_sheet(read_parquet(data, request), request.url, has_tokens=False)
    data = data.removeprefix(BOM)
    _refuse_cut(data, request.url)
    return _of_sheet(read_csv(data, request), request.url)


def _of_sheet(sheet: RawSheet, file: str, *, has_tokens: bool = True) -> LandedRows:
    if sheet.faults:
        raise LandedFileError.of(
            "type",
            file,
            f"has {len(sheet.faults):,} cells that are no exact text",
            "let the task write the column as text or as a decimal",
            count=len(sheet.faults),
        )
    names = tuple(map(header_text, sheet.headers))
    return LandedRows(file, names, sheet.rows, lambda at: _text(sheet.column(at)), has_tokens)


def _text(values: pd.Series) -> pd.Series:
    return conform_text(as_text(values).reset_index(drop=True))


def _refuse_cut(data: bytes, file: str) -> None:
    """Refuse a file whose last row has no end: what is missing of a cell would not be seen."""
    if not data.endswith((b"\n", b"\r")):
        found = "its last row does not end with a line break" if data else "it is empty"
        raise CorruptFileError.at(file, found)


# ----------------------------------------------------------------------------- without one


def read_declared(
    data: bytes, table: LandedTable, landing: Landing, request: Request, /
) -> list[LandedRows]:
    """Read a CSV file without a header, whose columns are declared.

    Returns:
        Its rows, those below the same names together: more than one part where columns changed.

    Raises:
        ExtractError: The file is not what it should be; rows have other numbers of fields.
    """
    data = data.removeprefix(BOM)
    _refuse_cut(data, request.url)
    if table.columns_since:
        fields = _fields(data, request)
        rows = np.arange(1, len(fields) + 1, dtype=np.int64)
        return _by_names([OPERATION, landing.time], (fields, rows), (table, landing), request.url)
    first = next(iter(_fields(data, request, most=1)), None)
    if first is None:
        return []
    names = _names([OPERATION, landing.time], len(first), table.headers or (), (table, landing))
    if names is None:
        raise _other_width(request.url, 1)
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(names)
    sheet = read_records(line.getvalue().encode(), data, request)
    return [LandedRows(request.url, names, sheet.rows + 1, lambda at: _text(sheet.column(at)))]


def _names(
    ahead: Sequence[str],
    width: int,
    headers: Sequence[str],
    told: tuple[LandedTable, Landing],
) -> Optional[tuple[str, ...]]:
    """Give the names of all fields of a row: DMS's own, the table's, those that rules add."""
    table, landing = told
    befores = [f"{landing.before}{name}" for name in table.key]
    added: list[list[str]] = [[], befores, [landing.sequence], [landing.sequence, *befores]]
    if landing.order == "sequence":
        added = added[2:]
    for more in added:
        names = (*ahead, *headers, *more)
        if len(names) == width:
            return names
    return None


def _by_names(
    ahead: Sequence[str],
    rows: tuple[Sequence[list[str]], Positions],
    told: tuple[LandedTable, Landing],
    file: str,
) -> list[LandedRows]:
    """Put rows together that have the same columns, by the time of each and its width."""
    table = told[0]
    parts: dict[tuple[str, ...], list[int]] = {}
    wrong, place = 0, list(ahead).index(told[1].time)
    known: dict[tuple[str, int], Optional[tuple[str, ...]]] = {}
    for at, fields in enumerate(rows[0]):
        moment = fields[place] if len(fields) > place else ""
        key = (moment, len(fields))
        if key not in known:
            known[key] = _names(ahead, len(fields), _headers_at(table, moment), told)
        names = known[key]
        if names is None:
            wrong += 1
        else:
            parts.setdefault(names, []).append(at)
    if wrong:
        raise _other_width(file, wrong)
    return [_part(names, places, rows, file) for names, places in parts.items()]


def _headers_at(table: LandedTable, text: str) -> Sequence[str]:
    moment = canonical_moment(text)
    found = None if moment is None else table.headers_at(parse_moment(moment))
    return found or table.headers or ()


def _part(
    names: tuple[str, ...],
    places: Sequence[int],
    rows: tuple[Sequence[list[str]], Positions],
    file: str,
) -> LandedRows:
    fields, numbers = rows
    held = [fields[place] for place in places]

    def column(at: int) -> pd.Series:
        texts: list[Any] = [row[at] or None for row in held]
        return conform_text(pd.Series(texts, dtype=object))

    return LandedRows(file, names, numbers[np.array(places, dtype=np.int64)], column)


def _other_width(file: str, count: int) -> LandedFileError:
    return LandedFileError.of(
        "columns",
        file,
        f"has {count:,} rows with another number of fields than headers= of the table, with what "
        "DMS adds",
        "name the table's own columns in order, and since when others are there (columns_since=)",
        count=count,
    )


# ----------------------------------------------------------------------------- transactions


def read_transactions(
    data: bytes, landing: Landing, request: Request, /
) -> tuple[dict[str, list[LandedRows]], int]:
    """Read a transaction file: rows of all tables in the order of their commits.

    Returns:
        The rows by source, and how many are of tables that no source is fed by.

    Raises:
        ExtractError: The file is not what it should be; rows have other numbers of fields.
    """
    _refuse_cut(data, request.url)
    sources = {table.name: source for source, table in landing.tables.items()}
    by_source: dict[str, list[int]] = {}
    fields, others = _fields(data, request), 0
    short = sum(len(row) < _AHEAD for row in fields)
    if short:
        raise _other_width(request.url, short)
    for place, row in enumerate(fields):
        source = sources.get(f"{row[2]}.{row[1]}")
        if source is None:
            others += 1
        else:
            by_source.setdefault(source, []).append(place)
    ahead = [OPERATION, "table", "schema", landing.time]
    out = {}
    for source, places in by_source.items():
        held = [fields[place] for place in places]
        told = (landing.tables[source], landing)
        numbers = np.array(places, dtype=np.int64) + 1
        out[source] = _by_names(ahead, (held, numbers), told, request.url)
    return out, others


def _fields(data: bytes, request: Request, *, most: int = 0) -> list[list[str]]:
    """Give the fields of rows, all or the first ones; line breaks at the end are no rows."""

    def read() -> list[list[str]]:
        out: list[list[str]] = []
        for row in csv_rows(io.BytesIO(data.rstrip(b"\r\n") + b"\n" if data.strip() else b"")):
            out.append(row)
            if most and len(out) == most:
                break
            request.check_rows(len(out))
        return out

    def ours(error: Exception) -> AspenETLError:
        if isinstance(error, UnicodeDecodeError):
            return FileFormatError.encoding(
                request.url, "it holds a byte that does not belong there"
            )
        return CorruptFileError.at(request.url, "its quotes do not match (RFC 4180)")

    return instead(read, (UnicodeDecodeError, csv.Error), ours)
