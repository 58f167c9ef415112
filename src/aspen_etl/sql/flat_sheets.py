"""The rows of flat tables as they are read: cells as text, and what has none; in a sure order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.cells import NoText
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ExtractError
from aspen_etl.errors.base import instead
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import FAULT_COLUMNS, FIRST_ROW, ROW
from aspen_etl.sql.flat_tables import FlatTable
from aspen_etl.sql.flat_texts import canonical

__all__ = ["CHUNK_ROWS", "FlatRows", "read_rows", "read_some"]

#: How many rows are fetched at a time.
CHUNK_ROWS = 10_000

#: What is known of a cell without a text: its position in the table, the column, and what.
_Fault = tuple[int, str, NoText]


@dataclass(frozen=True)
class FlatRows:
    """What was read of a table.

    Attributes:
        frame: Its rows, as a sheet of an extract has them.
        faults: The cells that have no text, as an extract has them.
        beside: Of each row, in the order of the frame, what was asked beside it.
    """

    frame: pd.DataFrame = field(repr=False)
    faults: pd.DataFrame = field(repr=False)
    beside: Sequence[tuple[Any, ...]] = field(repr=False)


def read_rows(
    connection: sa.Connection,
    table: FlatTable,
    model: Model,
    chunk_rows: int = CHUNK_ROWS,
    beside: Sequence[sa.ColumnElement[Any]] = (),
) -> FlatRows:
    """Read all rows of a table.

    Args:
        connection: A connection.
        table: The table.
        model: The model that it is a source of.
        chunk_rows: How many rows are fetched at a time.
        beside: What is asked of each row besides, and given as the driver gives it.
    """
    pieces: dict[str, list[pd.Series]] = {name: [] for name in table.columns}
    more: list[tuple[Any, ...]] = []
    faults: list[_Fault] = []
    start, width = 0, len(table.columns)
    query = table.query.add_columns(*(e.label(f"b{at}") for at, e in enumerate(beside)))
    for rows in _chunks(connection, query, chunk_rows):
        if beside:
            more += [row[width:] for row in rows]
        found = _cells(rows, table, model)
        for name, texts in found.texts.items():
            pieces[name].append(texts)
        faults += [(start + at, name, what) for at, name, what in found.faults]
        start += len(rows)
    columns = {
        name: COLUMNS.concat(held) if held else COLUMNS.repeat(None, 0)
        for name, held in pieces.items()
    }
    frame = make_frame({name: each.reset_index(drop=True) for name, each in columns.items()})
    if not table.key:
        frame, faults, order = _in_order(frame, faults)
        more = [more[at] for at in order.tolist()] if more else more
    return _number(frame, faults, table, 0, more)


def read_some(
    connection: sa.Connection,
    table: FlatTable,
    model: Model,
    use: Callable[[FlatRows], None],
    chunk_rows: int = CHUNK_ROWS,
) -> None:
    """Read the rows of a table some at a time; those of one without a key, which has no order, all.

    Args:
        connection: A connection.
        table: The table.
        model: The model that it is a source of.
        use: Takes some rows, which are numbered on.
        chunk_rows: How many rows are fetched at a time.
    """
    start = 0
    if not table.key:
        use(read_rows(connection, table, model, chunk_rows))
        return
    for rows in _chunks(connection, table.query, chunk_rows):
        found = _cells(rows, table, model)
        use(_number(make_frame(found.texts), found.faults, table, start, ()))
        start += len(rows)


def _number(
    frame: pd.DataFrame,
    faults: Sequence[_Fault],
    table: FlatTable,
    start: int,
    beside: Sequence[tuple[Any, ...]],
) -> FlatRows:
    """Number rows from the one that is the first of them; faults tell the place among them."""
    first = FIRST_ROW + start
    frame.index = pd.RangeIndex(first, first + len(frame), name=ROW)
    told = [
        (table.source, at + first, name, what.value, what.rule)
        for at, name, what in sorted(faults, key=lambda fault: fault[0])
    ]
    return FlatRows(frame, pd.DataFrame(told, columns=list(FAULT_COLUMNS), dtype=object), beside)


def _chunks(
    connection: sa.Connection, query: sa.Select[Any], size: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Give the rows of a query, some at a time: the server keeps what was not fetched."""
    options = {"stream_results": True, "max_row_buffer": size}
    with connection.execute(query, execution_options=options) as result:
        for rows in result.partitions(size):
            yield [tuple(row) for row in rows]


# ----------------------------------------------------------------------------- cells


class _Cells(NamedTuple):
    """The texts of some rows by column, and what has none."""

    texts: dict[str, pd.Series]
    faults: list[_Fault]


def _cells(rows: Sequence[tuple[Any, ...]], table: FlatTable, model: Model) -> _Cells:
    out = _Cells({}, [])
    for name, values in zip(table.columns, zip(*rows)):
        texts, found = _texts(values, table, name)
        out.faults.extend((at, name, what) for at, what in found)
        spec = model.lineage.cells.get(f"{table.source}.{name}")
        out.texts[name] = texts if table.cells[name].is_text else canonical(texts, spec)
    return out


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


def _in_order(
    frame: pd.DataFrame, faults: list[_Fault]
) -> tuple[pd.DataFrame, list[_Fault], Positions]:
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
    return frame.take(order).reset_index(drop=True), moved, order
