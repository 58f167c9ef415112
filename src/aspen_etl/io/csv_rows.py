"""Rows of CSV as this library writes it: where they are, and what their first fields are.

That is where keys mostly stand, which are what one asks of a whole table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.protocol import Positions
from aspen_etl.derive.formats import arrow_schema
from aspen_etl.io.arrow_cells import arrow_cells
from aspen_etl.io.counting import feed_ends
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["read_first", "row_bounds"]

#: The most bytes of a field that are taken at once, for as many rows as there are.
_WIDEST = 64

_QUOTE = ord('"')


def row_bounds(data: bytes, columns: Iterable[str], /) -> Optional[Positions]:
    """Give the offset of each row of a file, and behind the last one, below its header.

    Args:
        data: The file.
        columns: The names of its columns.

    Returns:
        The offsets; none where the file is not as this library writes it.
    """
    header = f"{','.join(columns)}\n".encode()
    return feed_ends(data) if data.startswith(header) else None


def read_first(data: bytes, bounds: Positions, spec: ColumnSpec, /) -> Optional[pd.Series]:
    """Read the first column of rows.

    Args:
        data: The file.
        bounds: The offset of each row, and behind the last one.
        spec: What the column is.

    Returns:
        The column; none where pyarrow is not there, a field stands in quotes or is not as
        expected, or it may be missing: then another reader tells.
    """
    try:
        import pyarrow as pa
    except ImportError:
        return None
    if spec.nullable:
        return None
    try:
        fields = _fields(data, bounds)
        if fields is None:
            return None
        fields.validate(full=True)
        kind = arrow_schema({spec.name: spec}).field(spec.name).type
        return arrow_cells(spec).column(pa.chunked_array([fields.cast(kind)]), spec)
    except pa.ArrowException:
        return None


def _fields(data: bytes, bounds: Positions) -> Any:
    """Give the text before the first comma of each row, or none where that is no field."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text, starts = np.frombuffer(data, dtype=np.uint8), bounds[:-1]
    if not len(starts) or (text[starts] == _QUOTE).any():
        return None
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(data)]
    rows = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(starts), buffers)
    lengths = pc.find_substring(rows, ",").to_numpy()
    shortest, width = int(lengths.min()), int(lengths.max())
    if shortest < 0 or not 0 < width <= _WIDEST or starts[-1] + width > len(text):
        return None
    held = np.lib.stride_tricks.sliding_window_view(text, width)[starts]
    if shortest < width:
        held = held[np.arange(width) < lengths[:, None]]
    ends = np.zeros(len(bounds), dtype=np.int64)
    np.cumsum(lengths, out=ends[1:])
    return pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(ends), pa.py_buffer(held))
