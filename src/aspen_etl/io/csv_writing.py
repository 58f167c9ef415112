"""CSV as pyarrow writes it, where it is installed: the same bytes as Python's own writer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["csv_blocks"]

_ROWS = 1 << 16
_NEEDS_QUOTES = '[,"\\r\\n]'


def csv_blocks(frame: pd.DataFrame, /) -> list[Callable[[], Any]] | None:
    """Give what writes text, whole numbers and times as CSV, or None where pyarrow is not there.

    A field is quoted where it must be (RFC 4180), a missing one is empty, a line ends in a line
    feed: the same bytes as Python's own writer gives.

    Returns:
        Functions that each give the bytes of some lines, in their order; the header is not one.
    """
    try:
        import pyarrow as pa
    except ImportError:
        return None
    if frame.shape[1] == 1:  # a lone empty field is quoted, else its line would be blank
        return None
    columns = [_plain_column(pa, frame[name]) for name in frame.columns]
    return [
        partial(_lines_of, columns, start, min(_ROWS, len(frame) - start))
        for start in range(0, len(frame), _ROWS)
    ]


def _plain_column(pa: Any, values: pd.Series) -> Any:
    """Give a column as Arrow has it, a time without its zone."""
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(values, from_pandas=True)
    return pa.array(values.to_numpy(dtype="datetime64[ms]"))


def _written(pa: Any, values: Any) -> Any:
    """Write each moment once: rows mostly share theirs, and to write one takes long."""
    if not pa.types.is_timestamp(values.type):
        return values
    ticks = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset :][: len(values)]
    if not values.null_count and (ticks == ticks[0]).all():
        return pa.repeat(values[0].cast(pa.large_string()), len(values))
    if values.null_count == len(values):
        return pa.nulls(len(values), pa.large_string())
    found = values.dictionary_encode()
    texts = found.dictionary.cast(pa.large_string())
    return pa.DictionaryArray.from_arrays(found.indices, texts).dictionary_decode()


def _lines_of(columns: list[Any], start: int, length: int) -> Any:
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    arrays = [_written(pa, column.slice(start, length)) for column in columns]
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none", batch_size=_ROWS)
    out = pa.BufferOutputStream()
    try:
        names = [str(place) for place in range(len(arrays))]
        pa_csv.write_csv(pa.Table.from_arrays(arrays, names), out, options)
    except pa.ArrowInvalid:  # a field must be quoted
        return b"".join(_quoted_lines(arrays))
    return out.getvalue()


def _quoted_lines(columns: list[Any]) -> list[bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = [_fields(column) for column in columns]
    last = pc.binary_join_element_wise(fields[-1], _scalar(""), _scalar("\n"))
    lines = pc.binary_join_element_wise(*fields[:-1], last, _scalar(","))
    chunks = lines.chunks if isinstance(lines, pa.ChunkedArray) else [lines]
    return [_bytes_of(chunk) for chunk in chunks]


def _fields(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = values.cast(pa.large_string())
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        special = pc.match_substring_regex(texts, _NEEDS_QUOTES)
        if pc.any(special).as_py():
            doubled = pc.replace_substring(texts, '"', '""')
            quote = _scalar('"')
            quoted = pc.binary_join_element_wise(quote, doubled, quote, _scalar(""))
            texts = pc.if_else(special, quoted, texts)
    return texts.fill_null("")


def _scalar(text: str) -> Any:
    import pyarrow as pa

    return pa.scalar(text, pa.large_string())


def _bytes_of(lines: Any) -> bytes:
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)
    return bytes(
        data.slice(ends[lines.offset], ends[lines.offset + len(lines)] - ends[lines.offset])
    )
