"""Rows of CSV as this library writes it: where they are, and what their first fields are.

That is where keys mostly stand, which are what one asks of a whole table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.protocol import Positions
from aspen_etl.derive.formats import arrow_schema
from aspen_etl.io.arrow_cells import arrow_cells
from aspen_etl.io.counting import feed_ends
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["read_leading", "row_bounds"]

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


def read_leading(
    data: bytes, bounds: Positions, specs: Sequence[ColumnSpec], /
) -> Optional[list[pd.Series]]:
    """Read the first columns of rows, behind which another one stands.

    Args:
        data: The file.
        bounds: The offset of each row, and behind the last one.
        specs: What these columns are, from the first on.

    Returns:
        The columns; none where pyarrow is not there, a field stands in quotes or is not as
        expected, or one may be missing: then another reader tells.
    """
    try:
        import pyarrow as pa
    except ImportError:
        return None
    out, begins = [], bounds[:-1]
    if any(spec.nullable for spec in specs):
        return None
    for spec in specs:
        found = _fields(data, begins, bounds)
        if found is None:
            return None
        try:
            found.texts.validate(full=True)
            kind = arrow_schema({spec.name: spec}).field(spec.name).type
            cells = pa.chunked_array([found.texts.cast(kind)])
            out.append(arrow_cells(spec).column(cells, spec))
        except pa.ArrowException:
            return None
        begins = begins + found.lengths + 1
    return out


class _Fields(NamedTuple):
    """A field of each row: an array of text, and how many bytes each has."""

    texts: Any
    lengths: Positions


def _fields(data: bytes, begins: Positions, bounds: Positions) -> Optional[_Fields]:
    """Give the text before the next comma of each row, or none where that is no field."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = np.frombuffer(data, dtype=np.uint8)
    if not len(begins) or (begins >= bounds[1:]).any() or (text[begins] == _QUOTE).any():
        return None
    # Each reaches to where the next row's begins, and its comma is looked for in its own row.
    reach = np.append(begins, bounds[-1])
    buffers = [None, pa.py_buffer(reach), pa.py_buffer(data)]
    rows = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(begins), buffers)
    lengths = pc.find_substring(rows, ",").to_numpy().astype(np.int64)
    shortest, width = int(lengths.min()), int(lengths.max())
    if shortest < 0 or not 0 < width <= _WIDEST or begins[-1] + width > len(text):
        return None
    if (begins + lengths >= bounds[1:]).any():
        return None
    held = np.lib.stride_tricks.sliding_window_view(text, width)[begins]
    if shortest < width:
        held = held[np.arange(width) < lengths[:, None]]
    ends = np.zeros(len(bounds), dtype=np.int64)
    np.cumsum(lengths, out=ends[1:])
    texts = pa.LargeStringArray.from_buffers(len(begins), pa.py_buffer(ends), pa.py_buffer(held))
    return _Fields(texts, lengths)
