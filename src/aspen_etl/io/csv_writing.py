"""CSV as this library writes it: by pyarrow, or without it by Python, and the same bytes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import repeat
from typing import Any, Union

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.io.arrow_cells import arrow_cells
from aspen_etl.io.csv_cells import csv_cells
from aspen_etl.io.writing import Data
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["csv_blocks", "csv_parts"]

_ROWS = 1 << 16
_NEEDS_QUOTES = '[,"\\r\\n]'


def csv_parts(
    frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], /
) -> list[Callable[[], Data]]:
    """Give what writes a frame as CSV: the header first, then lines."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(frame.columns)
    header: Data = buffer.getvalue().encode("utf-8")
    blocks = csv_blocks(frame, columns)
    return [lambda: header, *([partial(_csv_lines, frame, columns)] if blocks is None else blocks)]


# ----------------------------------------------------------------------------- by pyarrow


def csv_blocks(
    frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], /
) -> list[Callable[[], Any]] | None:
    """Give what writes a frame's lines as CSV, or None where pyarrow is not there.

    A field is quoted where it must be (RFC 4180), a missing one is empty, a line ends in a line
    feed: the same bytes as Python's own writer gives.

    Returns:
        Functions that each give the bytes of some lines, in their order; the header is not one.
    """
    try:
        import pyarrow  # noqa: F401, ICN001 - asked for only
    except ImportError:
        return None
    if frame.shape[1] == 1:  # a lone empty field is quoted, else its line would be blank
        return None
    arrays = [arrow_cells(spec).field(frame[name], spec) for name, spec in columns.items()]
    return [
        partial(_lines_of, arrays, start, min(_ROWS, len(frame) - start))
        for start in range(0, len(frame), _ROWS)
    ]


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


# ----------------------------------------------------------------------------- by Python


def _csv_lines(frame: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> Data:
    if not len(frame):
        return b""
    fields: list[Union[str, list[str]]] = []
    for name, spec in columns.items():
        values = frame[name]
        if not COLUMNS.is_constant(values):
            fields.append(_python_fields(values, spec))
            continue
        (text,) = _python_fields(values.iloc[:1], spec)
        if fields and isinstance(fields[-1], str):  # neighbours of one value, as who made a row
            fields[-1] += f",{text}"
        else:
            fields.append(text)
    if len(columns) == 1:  # a lone empty field is quoted, else its line would be blank
        fields = [[text or '""' for text in _each(fields[0], len(frame))]]
    lines = map(",".join, zip(*(_each(field, len(frame)) for field in fields)))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _each(field: Union[str, list[str]], rows: int) -> Iterable[str]:
    return repeat(field, rows) if isinstance(field, str) else field


#: What makes a field need quotes (RFC 4180).
_SPECIALS = ',"\r\n'
_SPECIAL = re.compile(f"[{_SPECIALS}]")


def _python_fields(values: pd.Series, spec: ColumnSpec) -> list[str]:
    """Write the cells of a column as fields; a missing one is empty."""
    cells = csv_cells(spec).text(values, spec).to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy(dtype=bool)] = ""
    texts: list[str] = cells.tolist()
    joined = "".join(texts)
    if not any(character in joined for character in _SPECIALS):  # faster than a pattern
        return texts
    return [
        '"{}"'.format(text.replace('"', '""')) if _SPECIAL.search(text) else text for text in texts
    ]
