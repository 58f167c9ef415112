"""Rows into a table, by the fastest way that the driver has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa

from aspen_etl.io.codecs import encode
from aspen_etl.io.csv_cells import csv_cells
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.sql.dialects import Behaviour
from aspen_etl.sql.values import driver_values

__all__ = ["put_rows"]

#: How many rows go in one piece: by COPY, and as one statement's parameters.
_COPY_ROWS, _INSERT_ROWS = 250_000, 10_000


def put_rows(
    connection: sa.Connection,
    table: sa.Table,
    frame: pd.DataFrame,
    columns: Mapping[str, ColumnSpec],
    behaviour: Behaviour,
) -> int:
    """Insert the rows of a frame, and give how many they were.

    They go by COPY where the database and the driver know it, else by statements of many rows.
    """
    if not len(frame):
        return 0
    driver = connection.connection.driver_connection
    copy = behaviour.copy.get(type(driver).__module__.partition(".")[0])
    if copy is not None:
        statement = _copy_statement(connection, table, columns)
        for start in range(0, len(frame), _COPY_ROWS):
            copy(driver, statement, encode(frame.iloc[start : start + _COPY_ROWS], columns, "csv"))
        return len(frame)
    for start in range(0, len(frame), _INSERT_ROWS):
        rows = list(_records(frame.iloc[start : start + _INSERT_ROWS], columns))
        connection.execute(table.insert(), rows)
    return len(frame)


def _copy_statement(
    connection: sa.Connection, table: sa.Table, columns: Mapping[str, ColumnSpec]
) -> str:
    """Say that an empty field is null, but in a column that cannot be null it is ''.

    The two never meet in one column: our CSV knows them apart by the declaration.
    """
    preparer = connection.dialect.identifier_preparer
    texts = [
        spec.name for spec in columns.values() if csv_cells(spec).may_be_empty and not spec.nullable
    ]
    options = ["FORMAT csv", "HEADER true", "ENCODING 'UTF8'"]
    if texts:
        options.append(f"FORCE_NOT_NULL ({', '.join(map(preparer.quote_identifier, texts))})")
    names = ", ".join(map(preparer.quote_identifier, columns))
    target = preparer.format_table(table)
    return f"COPY {target} ({names}) FROM STDIN WITH ({', '.join(options)})"


def _records(frame: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> Iterator[dict[str, Any]]:
    names = list(columns)
    cells = [driver_values(spec).cells(frame[name]) for name, spec in columns.items()]
    for row in zip(*cells):
        yield dict(zip(names, row))
