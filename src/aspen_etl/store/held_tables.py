"""Stored tables that are read and written in part: what one asks of them, and one of a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, final

import pandas as pd

from aspen_etl.changes import TableChanges, changed
from aspen_etl.columns import Positions
from aspen_etl.columns.rows import take_rows
from aspen_etl.derive.formats import FileFormat
from aspen_etl.io.codecs import encoders
from aspen_etl.io.writing import Data
from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.spec import TableSpec

__all__ = ["FrameTable", "HeldTable", "Written", "write_after"]


class Written(NamedTuple):
    """A table as the bytes of a file.

    Attributes:
        parts: The bytes, in parts that can be gone through once.
        rows: The rows of the table.
        format: What format the bytes are of.
    """

    parts: Iterable[Data]
    rows: int
    format: FileFormat


class HeldTable(Protocol):
    """A stored table, of which some columns or rows are read, and which is written after changes.

    All that it gives has the dtypes and values of the whole table, and a new index. What it reads
    from bytes raises, as the whole table would, where a cell is none of its column.
    """

    def __len__(self) -> int:
        """Count the rows."""

    def column(self, name: str, /) -> pd.Series:
        """Give a column of the table."""

    def columns(self, names: Sequence[str], /) -> pd.DataFrame:
        """Give several columns, in this order, which takes less than one after the other."""

    def take(self, at: Positions, /) -> pd.DataFrame:
        """Give some whole rows, by their places, in this order."""

    def after(self, changes: TableChanges, /) -> Written:
        """Write the table after changes, as ``encode`` writes what ``apply_changes`` gives.

        Args:
            changes: What changed in this table since.
        """


@final
class FrameTable:
    """A table that is held as a frame.

    Args:
        frame: The table; a column that it lacks is null.
        table: What the table is.
        file_format: How it is written after changes: ``csv`` or ``parquet``.
    """

    def __init__(self, frame: pd.DataFrame, table: TableSpec, file_format: FileFormat, /) -> None:
        self._table, self._format = table, file_format
        self._frame = complete_table(frame, table).reset_index(drop=True)

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        return f"<FrameTable {self._table.name}: {len(self):,}>"

    def column(self, name: str, /) -> pd.Series:
        """Give a column."""
        return self._frame[name]

    def columns(self, names: Sequence[str], /) -> pd.DataFrame:
        """Give several columns."""
        return self._frame[list(names)]

    def take(self, at: Positions, /) -> pd.DataFrame:
        """Give some whole rows."""
        return take_rows(self._frame, at)

    def after(self, changes: TableChanges, /) -> Written:
        """Write the table after changes."""
        return write_after(self._frame, changes, self._format)


def write_after(frame: pd.DataFrame, changes: TableChanges, file_format: FileFormat, /) -> Written:
    """Write a table after changes, from all its rows.

    Args:
        frame: The table before.
        changes: What changed since.
        file_format: ``csv`` or ``parquet``.
    """
    count, make = changed(changes, frame)

    def parts() -> Iterator[Data]:  # so that of many tables one alone is in memory as it is after
        for part in encoders(make(), changes.table.columns, file_format):
            yield part()

    return Written(parts(), count, file_format)
