"""Columns of Parquet as text, by what their types mean."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Optional

import pandas as pd

from aspen_etl.columns.arrow_values import arrow_faults, arrow_texts
from aspen_etl.columns.cells import NoText
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import AspenETLError, CorruptFileError, FileFormatError
from aspen_etl.errors.base import instead
from aspen_etl.io.csv_fast import text_series
from aspen_etl.io.parquet.layout import Layout
from aspen_etl.io.reading import Request

__all__ = ["ParquetColumn", "is_nested", "is_text", "list_columns"]

#: What bytes may stand for, so that they are taken as text.
_TEXT_TYPES = ("None", "String", "Enum", "JSON")

#: Writers that mark a time of day as UTC only where it is one, though they tell Arrow's types too.
_HONEST = re.compile(r"parquet-cpp-arrow version (2[2-9]|[3-9][0-9])\.|parquet-rs ")


def is_nested(kind: Any) -> bool:
    """Tell whether a column holds other columns."""
    import pyarrow as pa

    return bool(pa.types.is_nested(getattr(kind, "storage_type", kind)))


def is_text(kind: Any) -> bool:
    """Tell whether Arrow has text or bytes of any length here."""
    import pyarrow as pa

    names = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    tests = (getattr(pa.types, f"is_{name}", None) for name in names)
    return any(test(kind) for test in tests if test)


@dataclass(frozen=True)
class ParquetColumn:
    """What a column is, in the words of Parquet and of Arrow.

    Attributes:
        name: Its header.
        kind: Its type in Arrow.
        shown: That type as messages show it.
        leaf: Its position among those that hold values; None where it is nested.
        logical: What its values stand for: ``String``, ``UUID``, ``Time`` ...
        utc: Whether its times of day are marked as UTC.
    """

    name: str
    kind: Any
    shown: str
    leaf: Optional[int]
    logical: str = "None"
    utc: bool = False

    @property
    def is_text(self) -> bool:
        """Whether its values are text or bytes of any length."""
        return is_text(self.stored)

    @property
    def stored(self) -> Any:
        """Its type in Arrow, without a name that extends it."""
        return getattr(self.kind, "storage_type", self.kind)

    def faults(self, values: Any) -> dict[int, NoText]:
        """Give the cells that have no exact text, by position."""
        return {} if self.leaf is None or self.is_text else arrow_faults(_plain(values))

    def texts(self, values: Any, request: Request) -> pd.Series:
        """Give the cells as text, those that have none missing.

        Raises:
            CorruptFileError: The file is damaged.
            FileFormatError: The bytes are not text in UTF-8; the type is none of values.
        """
        import pyarrow as pa

        if self.leaf is None:
            raise self._no_values(request)

        def ours(error: Exception) -> AspenETLError:
            if isinstance(error, IndexError):  # a cell names a place of the dictionary not there
                return CorruptFileError.at(request.url, f"column {self.name!r} cannot be read")
            if self._is_bytes:
                found = f"column {self.name!r} holds other bytes"
                return FileFormatError.encoding(request.url, found)
            return self._no_values(request)

        return instead(
            lambda: _bytes_texts(values) if self._is_bytes else self._plain_texts(_plain(values)),
            (pa.ArrowException, IndexError, ValueError, OverflowError),
            ours,
        )

    @property
    def _is_bytes(self) -> bool:
        kind = getattr(self.stored, "value_type", self.stored)
        return self.logical in _TEXT_TYPES and (is_text(kind) or _is_fixed(kind))

    def _plain_texts(self, values: Any) -> pd.Series:
        import pyarrow as pa

        kind = values.type
        if self.logical == "UUID":
            return _series([each and str(uuid.UUID(bytes=each)) for each in values.to_pylist()])
        if is_text(kind) or _is_fixed(kind):
            raise ValueError("bytes that stand for something else")
        if pa.types.is_integer(kind) or pa.types.is_null(kind):
            return text_series(values.cast(pa.large_string()))
        return _series(arrow_texts(values, utc=self.utc))

    def _no_values(self, request: Request) -> FileFormatError:
        kind = self.shown if self.logical == "None" else f"{self.shown} ({self.logical})"
        return FileFormatError.unsupported(
            request.url,
            f"has a column of type {kind} ({self.name!r})",
            "turn it into columns of text, numbers or dates, or leave it out with ignore_columns=",
        )


def list_columns(file: Any, layout: Layout) -> list[ParquetColumn]:
    """List the columns of a file, nested ones too."""
    columns, leaf = [], 0
    for each in file.schema_arrow:
        if is_nested(each.type):
            columns.append(ParquetColumn(each.name, each.type, str(each.type), None))
        else:
            about = json.loads(file.schema.column(leaf).logical_type.to_json())
            logical = about["Type"]
            utc = logical == "Time" and about["isAdjustedToUTC"] and not _marks_local_times(layout)
            columns.append(ParquetColumn(each.name, each.type, str(each.type), leaf, logical, utc))
        leaf += _leaves(each.type)
    return columns


def _leaves(kind: Any) -> int:
    if not is_nested(kind):
        return 1
    kind = getattr(kind, "storage_type", kind)
    return sum(_leaves(kind.field(i).type) for i in range(kind.num_fields))


def _marks_local_times(layout: Layout) -> bool:
    """Tell whether the writer marks every time of day as UTC.

    pyarrow before 22 is one, and Arrow for Go: to Arrow, a time of day is always a local one.
    """
    return layout.has_arrow_schema and not _HONEST.match(layout.writer)


# ----------------------------------------------------------------------------- Arrow's forms


def _is_fixed(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_fixed_size_binary(kind))


def _series(texts: list[Optional[str]]) -> pd.Series:
    return conform_text(pd.Series(texts, dtype=object))


def _plain(values: Any) -> Any:
    """Give a column without a dictionary and without a name that extends its type."""
    import pyarrow as pa

    if isinstance(values.type, pa.BaseExtensionType):
        stored = [chunk.storage for chunk in values.chunks]
        values = pa.chunked_array(stored, values.type.storage_type)
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _bytes_texts(values: Any) -> pd.Series:
    import pyarrow as pa

    chunks = [_valid_text(chunk) for chunk in values.chunks]
    return text_series(pa.chunked_array(chunks, pa.large_string()))


def _valid_text(chunk: Any) -> Any:
    """Give text that is known to be in UTF-8; of a fixed length, without what fills it up."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunk = getattr(chunk, "storage", chunk)
    if pa.types.is_dictionary(chunk.type):
        # What a dictionary holds is checked once, however often it is repeated.
        known = _valid_text(chunk.dictionary)
        return pa.DictionaryArray.from_arrays(chunk.indices, known).dictionary_decode()
    if _is_fixed(chunk.type):
        return pc.utf8_rtrim(_valid_text(chunk.cast(pa.binary())), characters=" \0")
    text = chunk.cast(pa.large_string())
    text.validate(full=True)
    return text
