r"""A model of OpenCSVSerDe, and of the typed view over its table, by their documented rules.

The SerDe splits each line with opencsv 2.3: a separator ends a field outside of quotes; within
quotes, two quotes are one; the escape character, within quotes, takes a quote or itself after
it for what it is, and is dropped; a quote elsewhere turns quoting on or off. A record is a line.
Every field is a string, and none is null. Hive skips the header line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from aspen_etl.schema import TableSpec


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
        if spec.type == "integer":
            cells = [cell if cell is None else int(cell) for cell in cells]
            columns[spec.name] = pd.Series(cells, dtype="Int64").astype(spec.dtype)
        elif spec.type == "timestamp":
            times = pd.to_datetime(pd.Series(cells, dtype=object), format="%Y-%m-%d %H:%M:%S.%f")
            columns[spec.name] = times.dt.tz_localize("UTC").astype(spec.dtype)
        else:
            columns[spec.name] = pd.Series(cells, dtype=object).astype(spec.dtype)
    return pd.DataFrame(columns)
