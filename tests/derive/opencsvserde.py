r"""A model of OpenCSVSerDe, and of the typed view over its table, by their documented rules.

The SerDe splits each line with opencsv 2.3: a separator ends a field outside of quotes; within
quotes, two quotes are one; the escape character, within quotes, takes a quote or itself after
it for what it is, and is dropped; a quote elsewhere turns quoting on or off. A record is a line.
Every field is a string, and none is null. Hive skips the header line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.schema import ColumnSpec, TableSpec


def read_records(data: bytes, *, separator: str, quote: str, escape: str) -> Iterator[list[str]]:
    """Split a file into records of fields, the header left out."""
    for line in data.decode("utf-8").split("\n")[1:-1]:
        yield _split(line, separator, quote, escape)


def _split(line: str, separator: str, quote: str, escape: str) -> list[str]:
    fields, field, quoted = [], "", False
    i = 0
    while i < len(line):
        character = line[i]
        following = line[i + 1 : i + 2]
        if character == escape:
            if quoted and following in (quote, escape) and following:
                field += following
                i += 1
        elif character == quote:
            if quoted and following == quote:
                field += quote
                i += 1
            else:
                quoted = not quoted
                # opencsv keeps a quote in the middle of an unquoted field.
                if i > 2 and line[i - 1] != separator and following not in ("", separator):
                    field += quote
        elif character == separator and not quoted:
            fields.append(field)
            field = ""
        else:
            field += character
        i += 1
    return [*fields, field]


def typed(records: Iterator[list[str]], table: TableSpec) -> pd.DataFrame:
    """Do what the view does: ``CAST(NULLIF(field, '') AS type)``; a cast that cannot be fails."""
    rows = list(records)
    columns: dict[str, Any] = {}
    for position, spec in enumerate(table.columns.values()):
        cells: list[Any] = [row[position] for row in rows]
        if spec.nullable:
            cells = [cell if cell != "" else None for cell in cells]
        known = [cell if cell is None else CASTS[spec.type](cell) for cell in cells]
        columns[spec.name] = MAKERS.get(spec.type, _plain)(known, spec)
    return pd.DataFrame(columns)


def _decimal(text: str) -> Decimal:
    """Take what Trino takes for a decimal of the column, its places all there."""
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
    return Decimal(text)


def _moment(text: str) -> np.datetime64:
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}", text)
    return np.datetime64(text, "ms")


#: What Trino makes of text; a cast that cannot be fails.
CASTS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "integer": int,
    "decimal": _decimal,
    "date": dt.date.fromisoformat,
    "datetime": _moment,
    "timestamp": _moment,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def _plain(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    return pd.Series(cells, dtype=object).astype(spec.dtype)


def _times(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    return pd.Series(np.array(cells, dtype="datetime64[ms]").astype(spec.dtype))


def _instants(cells: list[Any], spec: ColumnSpec) -> pd.Series:
    times = pd.Series(np.array(cells, dtype="datetime64[ms]"))
    return times.dt.tz_localize("UTC").astype(spec.dtype)


#: How values become a column, where not by their own dtype.
MAKERS: dict[str, Callable[[list[Any], ColumnSpec], pd.Series]] = {
    "date": _times,
    "datetime": _times,
    "timestamp": _instants,
}
