"""The sheets of a source as cells, as Arrow lays them out: kept as they are, and compared.

Two states of a sheet mostly have their rows in one order. So rows are first paired by walking along
both columns of keys, then each pair is compared cell by cell, whole columns at once. What is left
is looked up by the whole row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.positions import rows_without
from aspen_etl.columns.protocol import Mask, Positions
from aspen_etl.errors import CorruptFileError, NotSupportedError
from aspen_etl.errors.base import instead
from aspen_etl.io.csv_fast import text_series
from aspen_etl.io.lines import pair_codes, walk
from aspen_etl.io.writing import Data
from aspen_etl.schema.values import ROW

__all__ = ["CellSheet", "align_cells", "cells_of", "decode_cells", "encode_cells"]

#: What is kept of a row beside its cells; no column of a model is named so.
_ROW, _SUBJECT, _REJECTED = "#row", "#subject", "#rejected"

#: Up to how many stretches of rows are compared where they stand.
_MOST_STRETCHES = 50_000


@dataclass(frozen=True, eq=False)
class CellSheet:
    """A sheet as its cells were read.

    Attributes:
        rows: The sheet's own number of each row.
        table: The columns, as text of Arrow.
    """

    rows: Positions = field(repr=False)
    table: Any = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, /) -> pd.Series:
        """Give a column as text; the index is new."""
        return text_series(self.table.column(name))

    def find(self, numbers: Any, /) -> Positions:
        """Find rows by their numbers, each of which is one's."""
        wanted = np.asarray(numbers, dtype=np.int64)
        if not len(wanted):
            return np.empty(0, dtype=np.int64)
        order = np.argsort(self.rows, kind="stable")
        return order[np.searchsorted(self.rows[order], wanted)]

    def frame(self, at: Positions, /) -> pd.DataFrame:
        """Give some rows under their own numbers."""
        found = self.table.take(at)
        index = pd.Index(self.rows[at], name=ROW)
        columns = {n: text_series(found.column(n)).set_axis(index) for n in found.column_names}
        return make_frame(columns, index)


def cells_of(frame: pd.DataFrame, columns: Sequence[str], name: str, /) -> CellSheet:
    """Give the cells of a sheet as it was read, without a copy where Arrow holds them.

    Args:
        frame: The sheet.
        columns: The columns of the model.
        name: What the sheet is called.

    Raises:
        NotSupportedError: It cannot be compared by its cells; the reason says why.
    """
    if not HAS_ARROW:
        raise _refused("pyarrow, which lays out what is kept of cells, is not installed")
    if set(frame.columns) != set(columns) or len(frame.columns) != len(columns):
        raise _refused(f"the columns of {name!r} are called otherwise than in the model")
    if not frame.index.is_unique:
        raise _refused(f"rows of {name!r} share a number")
    import pyarrow as pa

    table = pa.Table.from_arrays([_text(frame[c]) for c in columns], names=list(columns))
    return CellSheet(frame.index.to_numpy(dtype=np.int64), table)


def _refused(reason: str) -> NotSupportedError:
    return NotSupportedError(f"it is not compared cell by cell: {reason}", reason=reason)


# ----------------------------------------------------------------------------- as bytes


def encode_cells(sheet: CellSheet, key: str, subjects: pd.Series, rejected: Mask, /) -> Data:
    """Write a sheet as bytes, with whose its rows are, and which were rejected.

    They are packed, since to write them and to take their checksum costs as much as to pack them.

    Args:
        sheet: The sheet.
        key: The column that holds what its subject is known by, clean or not.
        subjects: What the subject of each row is known by, missing where it names none.
        rejected: Which rows have a reject.
    """
    import pyarrow as pa

    table, out = sheet.table, pa.BufferOutputStream()
    whose = _text(subjects)
    more = {_ROW: pa.array(sheet.rows), _REJECTED: pa.array(rejected)}
    if not table.column(key).equals(whose):  # mostly keys are clean
        more[_SUBJECT] = whose
    for name, values in more.items():
        table = table.append_column(name, values)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(out, table.schema, options=options) as file:
        file.write_table(table)
    return memoryview(out.getvalue())


def _text(values: pd.Series) -> Any:
    import pyarrow as pa

    from aspen_etl.columns.arrow_arrays import pieces_of

    return pa.chunked_array(pieces_of(values), pa.large_string())


def decode_cells(
    data: Data, columns: Sequence[str], /, *, url: str
) -> tuple[CellSheet, Optional[pd.Series], Mask]:
    """Read what ``encode_cells`` wrote.

    Args:
        data: The bytes, whose checksum is right.
        columns: The columns of the model.
        url: The file, for messages.

    Returns:
        The sheet, whose its rows are (nothing where that is what their keys say), and which rows
        were rejected.

    Raises:
        CorruptFileError: They are no such sheet.
    """
    import pyarrow as pa

    def read() -> tuple[CellSheet, Optional[pd.Series], Mask]:
        table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
        texts = table.select(list(columns))
        if any(kind != pa.large_string() for kind in texts.schema.types):
            raise pa.ArrowInvalid("another type")
        has_own = _SUBJECT in table.column_names
        whose = text_series(table.column(_SUBJECT)) if has_own else None
        rows = table.column(_ROW).to_numpy().astype(np.int64, copy=False)
        rejected = table.column(_REJECTED).to_numpy().astype(bool, copy=False)
        return CellSheet(rows, texts), whose, rejected

    foreign = (pa.ArrowException, OSError, ValueError, LookupError, TypeError)
    return instead(read, foreign, lambda _: CorruptFileError.at(url, "it holds no cells"))


# ----------------------------------------------------------------------------- compared


def align_cells(before: CellSheet, after: CellSheet, key: str, /) -> Positions:
    """Give the row of one state of a sheet that each row of another one is, or -1.

    Args:
        before: The one state.
        after: The other one, with the same columns.
        key: The column that mostly tells rows apart.

    Returns:
        For each row after, a row before whose cells are the same, all of them. Each row before is
        given once at most, and there is no way to find more.
    """
    at = walk(_keys(before, key), _keys(after, key))
    rows = np.flatnonzero(at >= 0)
    at[rows[_differ(before, at[rows], after, rows)]] = -1
    fresh, gone = np.flatnonzero(at < 0), rows_without(at, len(before))
    if len(fresh) and len(gone):
        one, two = _codes(before.table.take(gone), after.table.take(fresh))
        ours, theirs = pair_codes(one, two)
        at[fresh[theirs]] = gone[ours]
    return at


class _Keys(NamedTuple):
    """The cells of a column as bytes, one behind the other."""

    data: memoryview
    bounds: Positions


def _keys(sheet: CellSheet, key: str) -> _Keys:
    from aspen_etl.columns.arrow_arrays import one_piece, text_bytes

    bounds, data = text_bytes(one_piece(sheet.table.column(key).chunks))
    return _Keys(data.data, bounds - bounds[0])


def _differ(before: CellSheet, at: Positions, after: CellSheet, rows: Positions) -> Mask:
    """Tell in which of some pairs of rows a cell is another."""
    from aspen_etl.columns.arrow_arrays import differ

    out = np.zeros(len(rows), dtype=bool)
    if not len(rows):
        return out
    sides = _Side(before.table, at), _Side(after.table, rows)
    breaks = np.flatnonzero((np.diff(at) != 1) | (np.diff(rows) != 1)) + 1
    stretches = np.concatenate([[0], breaks, [len(rows)]])
    for name in after.table.column_names:
        one, two = (side.column(name, stretches) for side in sides)
        if not one.equals(two):  # which is told many times faster than where they differ
            out |= differ(one, two)
    return out


class _Side(NamedTuple):
    """Rows of a table, in stretches in which one stands behind the other."""

    table: Any
    rows: Positions

    def column(self, name: str, stretches: Positions) -> Any:
        """Give a column of these rows, without a copy where they are few stretches."""
        import pyarrow as pa

        column = self.table.column(name)
        if len(stretches) > _MOST_STRETCHES:
            return column.take(pa.array(self.rows))
        return pa.chunked_array(list(self._pieces(column, stretches)), pa.large_string())

    def _pieces(self, column: Any, stretches: Positions) -> Iterator[Any]:
        starts = self.rows[stretches[:-1]].tolist()
        lengths = np.diff(stretches).tolist()
        chunks = column.chunks
        if len(chunks) == 1:
            yield from map(chunks[0].slice, starts, lengths)
            return
        for start, length in zip(starts, lengths):
            yield from column.slice(start, length).chunks


def _codes(one: Any, two: Any) -> tuple[Positions, Positions]:
    """Give each row of two tables a number, the same for rows of the same cells."""
    import pyarrow as pa

    both = pa.concat_tables([one, two])
    names = both.column_names
    both = both.append_column(_ROW, pa.array(np.arange(len(both))))
    found = both.group_by(names, use_threads=False).aggregate([(_ROW, "list")])
    places = found.column(f"{_ROW}_list").combine_chunks()
    counts = np.diff(places.offsets.to_numpy())
    codes = np.empty(len(both), dtype=np.int64)
    codes[places.flatten().to_numpy()] = np.repeat(np.arange(len(counts)), counts)
    return codes[: len(one)], codes[len(one) :]
