"""Flat tables of a database as a source: the sheets of an extract, read as of one moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.cells import NoText
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError, ExtractError
from aspen_etl.errors.base import instead
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import FAULT_COLUMNS, FIRST_ROW, ROW, Extract
from aspen_etl.sql.database import Connections
from aspen_etl.sql.flat_tables import FlatNames, FlatTable, find_flat_tables
from aspen_etl.sql.flat_texts import canonical

__all__ = ["FlatDatabase"]

#: How many rows are fetched at a time.
CHUNK_ROWS = 10_000

#: What is known of a cell without a text: its position in the table, the column, and what.
_Fault = tuple[int, str, NoText]


class FlatDatabase(Connections):
    """Know a database and which of its tables are the sources of a model.

    Attributes:
        model: The model.
        names: What they are called there.
    """

    def __init__(
        self, engine: sa.Engine, model: Model, names: FlatNames, schema: Optional[str]
    ) -> None:
        super().__init__(engine, schema)
        self.model, self.names = model, names

    def read(self, chunk_rows: int = CHUNK_ROWS) -> Extract:
        """Read all sources; see ``read_database``.

        Raises:
            SourceNotFoundError: There is no such file of SQLite, which a connection would make.
        """
        if chunk_rows < 1:
            raise ArgumentError("chunk_rows= is at least 1", problem="limit", argument="chunk_rows")
        self.check_file()
        return self.run(self._read, chunk_rows)

    def _read(self, chunk_rows: int) -> Extract:
        frames, faults = {}, []
        with self.snapshot() as connection:
            self.step = "looking at the tables"
            for table in find_flat_tables(self, connection, self.model, self.names):
                self.step = f"reading {table.source}"
                frame, found = self._sheet(connection, table, chunk_rows)
                frames[table.source] = frame
                faults.append(found)
        return Extract.from_frames(frames, faults=pd.concat(faults, ignore_index=True))

    def _sheet(
        self, connection: sa.Connection, table: FlatTable, chunk_rows: int
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        pieces: dict[str, list[pd.Series]] = {name: [] for name in table.columns}
        faults: list[_Fault] = []
        start = 0
        for rows in _chunks(connection, table.query, chunk_rows):
            for name, values in zip(table.columns, zip(*rows)):
                texts, found = _texts(values, table, name)
                faults += [(start + at, name, what) for at, what in found]
                spec = self.model.lineage.cells.get(f"{table.source}.{name}")
                pieces[name].append(texts if table.cells[name].is_text else canonical(texts, spec))
            start += len(rows)
        columns = {
            name: COLUMNS.concat(held) if held else COLUMNS.repeat(None, 0)
            for name, held in pieces.items()
        }
        frame = make_frame({name: each.reset_index(drop=True) for name, each in columns.items()})
        if not table.key:
            frame, faults = _in_order(frame, faults)
        frame.index = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(frame), name=ROW)
        told = [
            (table.source, at + FIRST_ROW, name, what.value, what.rule)
            for at, name, what in sorted(faults, key=lambda fault: fault[0])
        ]
        return frame, pd.DataFrame(told, columns=list(FAULT_COLUMNS), dtype=object)


def _chunks(
    connection: sa.Connection, query: sa.Select[Any], size: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Give the rows of a query, some at a time: the server keeps what was not fetched."""
    options = {"stream_results": True, "max_row_buffer": size}
    with connection.execute(query, execution_options=options) as result:
        for rows in result.partitions(size):
            yield [tuple(row) for row in rows]


# ----------------------------------------------------------------------------- cells


def _texts(
    values: tuple[Any, ...], table: FlatTable, name: str
) -> tuple[pd.Series, list[tuple[int, NoText]]]:
    """Give some cells of a column as text, and those that have none by position."""
    taken = table.cells[name]

    def say_where(error: ExtractError) -> ExtractError:
        told = f"{table.table.name}.{table.columns[name]}: {error}"
        return ExtractError(told, source=table.source, column=name, **error.details)

    def texts() -> list[Any]:
        if taken.is_text and set(map(type, values)) <= {str, type(None)}:
            return list(values)
        return [None if value is None else taken.text(value) for value in values]

    found = instead(texts, ExtractError, say_where)
    faults = [(at, each) for at, each in enumerate(found) if isinstance(each, NoText)]
    for at, _ in faults:
        found[at] = None
    return conform_text(pd.Series(found, dtype=object)), faults


def _in_order(frame: pd.DataFrame, faults: list[_Fault]) -> tuple[pd.DataFrame, list[_Fault]]:
    """Bring rows that have no key into the order of their cells; equal ones have no order."""
    told = np.full(len(frame), "", dtype=object)
    for at, name, what in faults:
        told[at] += f"{name}={what.value}\n"
    numbered = frame.set_axis(range(frame.shape[1]), axis=1).assign(told=told)
    order = numbered.sort_values(
        list(numbered.columns), kind="stable", na_position="first"
    ).index.to_numpy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    moved = [(int(place[at]), name, what) for at, name, what in faults]
    return frame.take(order).reset_index(drop=True), moved
