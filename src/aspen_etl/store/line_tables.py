"""Stored tables as the bytes of their rows: some are parsed, and new ones are put between the old.

That is a table of CSV as this library writes it: each row stands there for itself, in the order of
the keys. So a run that changes a few rows parses these, and writes all others as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Optional, final

import numpy as np
import pandas as pd

from aspen_etl.changes import Changes, TableChanges, apply_changes
from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.frames import held_frames, make_frame
from aspen_etl.columns.rows import find_rows
from aspen_etl.columns.searching import count_below, goes_up
from aspen_etl.derive.formats import FormatName
from aspen_etl.errors.base import named
from aspen_etl.io.codecs import CODECS, encode
from aspen_etl.io.splicing import Rows, in_blocks, join_rows, splice
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.conforming import conform_column
from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.held_tables import Written, write_after

__all__ = ["LineTable", "find_lines"]

#: How many columns that stand first are read alone.
_LEADING = 2

#: What reads bytes whole, and tells what is wrong with them.
Decode = Callable[[bytes, Mapping[str, ColumnSpec]], pd.DataFrame]


class _Places(NamedTuple):
    """Which old rows go, and before which one each new one comes."""

    gone: Positions
    at: Positions


@final
class LineTable:
    """A table that is held as the bytes of its rows; ``find_lines`` makes it.

    The keys that were read once are kept, nothing else is.

    Args:
        rows: The bytes, as ``encode`` wrote them.
        table: What the table is; its columns are those of the bytes.
        file_format: The format of the bytes, one of those that have ``Codec.bounds``.
        decode: Reads such bytes.
    """

    def __init__(
        self, rows: Rows, table: TableSpec, file_format: FormatName, decode: Decode, /
    ) -> None:
        self._rows, self._table, self._format = rows, table, file_format
        self._decode = decode
        self._keys: Optional[pd.Series] = None

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<LineTable {self._table.name}: {len(self):,}>"

    def column(self, name: str, /) -> pd.Series:
        """Give a column."""
        if name != self._table.primary_key:
            return self.columns([name])[name]
        if self._keys is None:
            self.columns([name])
        return self.columns([name])[name] if self._keys is None else self._keys.rename(name)

    def columns(self, names: Sequence[str], /) -> pd.DataFrame:
        """Give several columns."""
        key = self._table.primary_key
        frame = self._leading(list(names))
        if frame is None:
            frame = self._parsed(list(names))
        if key in names and self._keys is None:
            self._keys = COLUMNS.concat([frame[key]])
        return frame

    def _leading(self, names: list[str]) -> Optional[pd.DataFrame]:
        """Read the columns that stand first, in front of others, where these are asked for."""
        read, columns = CODECS[self._format].leading, self._table.columns
        first = list(columns)[: len(names)]
        if read is None or not names or set(names) != set(first) or len(names) > _LEADING:
            return None
        found = read(self._rows.data, self._rows.bounds, [columns[name] for name in first])
        return None if found is None else make_frame(dict(zip(first, found)))[names]

    def _parsed(self, names: list[str]) -> pd.DataFrame:
        columns, stream = self._table.columns, CODECS[self._format].stream
        if not len(self):
            return complete_table(None, self._table)[names]
        if not names:
            return pd.DataFrame(index=pd.RangeIndex(len(self)))
        found = None if stream is None else stream(self._rows.data, columns, names)
        if found is None or len(found) != len(self):
            found = self._decode(self._rows.data, columns)[names]
        return found

    def take(self, at: Positions, /) -> pd.DataFrame:
        """Give some whole rows."""
        if not len(at):
            return complete_table(None, self._table)
        return self._decode(join_rows(self._rows, at), self._table.columns)

    # ------------------------------------------------------------------------- after changes

    def after(self, changes: TableChanges, /) -> Written:
        """Write the table after changes; long stretches that stay are no copies."""
        if dict(changes.table.columns) != dict(self._table.columns):
            return self._whole_after(changes)
        if changes.is_empty:
            return Written([self._rows.data], len(self), self._format)
        coming = _coming(changes)
        new, places = self._written(coming), self._places(changes, coming)
        if new is None or places is None:
            return self._whole_after(changes)
        count = len(self) - len(places.gone) + len(new)
        parts = in_blocks(splice(self._rows, new, places.gone, places.at))
        return Written(parts, count, self._format)

    def _whole_after(self, changes: TableChanges) -> Written:
        frame = self._decode(self._rows.data, self._table.columns)
        return write_after(frame, changes, self._format)

    def _written(self, frame: pd.DataFrame) -> Optional[Rows]:
        columns = self._table.columns
        rows = _rows_of(encode(frame, columns, self._format), columns, self._format)
        return rows if rows is not None and len(rows) == len(frame) else None

    def _places(self, changes: TableChanges, coming: pd.DataFrame) -> Optional[_Places]:
        """Find where rows go and come, if keys are as they must be."""
        key = self._table.columns[self._table.primary_key]
        keys, new = self.column(key.name), coming[key.name]
        deleted, updated = (
            conform_column(part[key.name].reset_index(drop=True), key) if len(part) else keys[:0]
            for part in (changes.deleted, changes.updated)
        )
        held = (keys, new, deleted, updated)
        if any(part.dtype != keys.dtype or part.hasnans for part in held):
            return None
        if not (goes_up(keys) and goes_up(new)):
            return None
        at, left = count_below(new, keys), count_below(deleted, keys)
        stands = _are_at(at, new, keys)
        among = find_rows([updated], [new])  # where all of them are
        gone = [at[among][stands[among]], left[_are_at(left, deleted, keys)]]
        return _Places(np.unique(np.concatenate(gone)), at + stands)


def _coming(changes: TableChanges) -> pd.DataFrame:
    """Give the rows that are new, or other than they were, in the order of their keys."""
    found = replace(changes, deleted=changes.deleted.iloc[:0])
    name = changes.table.name
    return held_frames(apply_changes(Changes({name: found}), {}))[name]


def _are_at(at: Positions, values: pd.Series, keys: pd.Series) -> Mask:
    """Tell which values stand among keys at the places told."""
    held = np.flatnonzero(at < len(keys))
    out = np.zeros(len(values), dtype=bool)
    out[held] = ~COLUMNS.differ(values, keys, held, at[held])
    return out


def _rows_of(
    data: bytes, columns: Mapping[str, ColumnSpec], file_format: FormatName
) -> Optional[Rows]:
    find = named(CODECS, file_format, kind="format").bounds
    bounds = None if find is None else find(data, columns)
    return None if bounds is None else Rows(data, bounds)


def find_lines(
    data: bytes, table: TableSpec, file_format: FormatName, decode: Decode, /
) -> Optional[LineTable]:
    """Find the rows of a table in bytes that are known to be as ``encode`` wrote them.

    Args:
        data: The bytes.
        table: What the table is; its columns are those of the bytes.
        file_format: Their format.
        decode: Reads such bytes whole, and raises where they are no such table.

    Returns:
        The table; none where a row does not stand for itself in this format, the bytes are not
        as expected, or pyarrow is not there: then whole tables are parsed, which is as well done
        once.

    Raises:
        NotSupportedError: There is no such format.
    """
    rows = _rows_of(data, table.columns, file_format) if HAS_ARROW else None
    return None if rows is None else LineTable(rows, table, file_format, decode)
