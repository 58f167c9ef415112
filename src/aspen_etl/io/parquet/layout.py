"""What a Parquet file says of itself, held against what it is, before pyarrow believes it.

A footer names columns, sizes and counts, and each page has a header with more of them. pyarrow
takes memory for what they say, and ends the process on some of it; so all of it is read and
compared first: https://parquet.apache.org/docs/file-format/ and ``parquet.thrift``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    FileFormatError,
    LimitExceededError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.formats import ENCRYPTED_MAGIC, PARQUET_MAGIC
from aspen_etl.io.parquet.thrift import Struct, read_struct
from aspen_etl.io.reading import Request

__all__ = ["Chunk", "Layout", "read_layout"]


#: Encodings of pages by number.
PLAIN_DICTIONARY, DELTA_LENGTHS, DELTA_PREFIXES, RLE_DICTIONARY = 2, 6, 7, 8
_ENCODINGS = range(10)
_CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")

#: How many bytes a value takes at least, by the number of its physical type, in bits.
_BITS = (1, 32, 64, 96, 32, 64, 32)
_FIXED = 7

#: Fields of a footer, and of a column in it, that only an encrypted file has.
_ENCRYPTION, _COLUMN_ENCRYPTION = 8, {8, 9}

_DATA, _INDEX, _DICTIONARY, _DATA_2 = range(4)
_TAIL = 8
_BYTES_PER_CELL = 4
_LARGE_PAGE = 64 << 20


@dataclass(frozen=True)
class Chunk:
    """A column of one group of rows.

    Attributes:
        column: The position of the column among those that hold values.
        encodings: The encodings of its pages, as their own headers tell.
        largest: The size of its largest page once unpacked.
        length: How many bytes each value has, where they are fixed; else 0.
        values: How many values it has, missing ones counted.
    """

    column: int
    encodings: frozenset[int]
    largest: int
    length: int
    values: int


@dataclass(frozen=True)
class Layout:
    """What the columns are made of.

    Attributes:
        chunks: Each column of each group of rows.
        writer: The program that wrote the file.
        has_arrow_schema: Whether the types of Arrow are told beside those of Parquet.
    """

    chunks: tuple[Chunk, ...]
    writer: str
    has_arrow_schema: bool


def read_layout(data: bytes, request: Request) -> Layout:
    """Read what a file says of itself, and hold it against its bytes and the limits.

    Raises:
        CorruptFileError: What it says is not what it is.
        FileFormatError: It is encrypted, or packed in a way that is not read.
        LimitExceededError: It says that it holds more than the limits allow.
    """
    if data[-4:] == ENCRYPTED_MAGIC or data[:4] == ENCRYPTED_MAGIC:
        raise _encrypted(request)

    def ours(error: Exception) -> Optional[AspenETLError]:
        if isinstance(error, AspenETLError):
            return None
        return CorruptFileError.at(request.url, "it cannot be read to its end as Parquet")

    # What a field of another type, or without one, leads to.
    foreign = (ValueError, KeyError, TypeError, IndexError, AttributeError)
    return instead(lambda: _read(data, request), foreign, ours)


def _encrypted(request: Request) -> FileFormatError:
    return FileFormatError.unsupported(
        request.url,
        "is encrypted, as a whole or some of its columns",
        "give a copy that was written without encryption",
    )


def _read(data: bytes, request: Request) -> Layout:
    footer = _footer(data, request)
    if _ENCRYPTION in footer or any(_COLUMN_ENCRYPTION & set(c) for c in _columns(footer)):
        raise _encrypted(request)
    leaves = [element for element in footer[2][1:] if not element.get(5)]
    groups, rows = footer[4], _count(footer, 3)
    request.check_columns(len(leaves))
    request.check_rows(rows)
    if rows != sum(_count(group, 3) for group in groups):
        raise ValueError("it tells two numbers of records")
    least = rows * len(leaves) * _BYTES_PER_CELL
    _refuse_large(least, len(data), request)
    chunks, unpacked = [], 0
    for group in groups:
        if len(group[1]) != len(leaves):
            raise ValueError("a group of rows has other columns")
        for place, column in enumerate(group[1]):
            chunk, size = _chunk(data, place, leaves[place], column[3], request)
            if _is_flat(leaves[place], footer) and chunk.values != _count(group, 3):
                raise ValueError("a column has another number of records")
            chunks.append(chunk)
            unpacked += size + chunk.length * chunk.values
            _refuse_large(unpacked, len(data), request)
    about = {pair[1]: pair.get(2) for pair in footer.get(5, ())}
    writer = footer.get(6, b"").decode("utf-8", "replace")
    return Layout(tuple(chunks), writer, b"ARROW:schema" in about)


def _footer(data: bytes, request: Request) -> Struct:
    if len(data) < _TAIL + 4 or data[-4:] != PARQUET_MAGIC or data[:4] != PARQUET_MAGIC:
        raise CorruptFileError.at(request.url, "it does not begin and end as Parquet does")
    end = len(data) - _TAIL
    start = end - int.from_bytes(data[-8:-4], "little")
    if start < len(PARQUET_MAGIC):
        raise ValueError("the footer is longer than the file")
    footer, _ = read_struct(memoryview(data), start, end)
    return footer


def _columns(footer: Struct) -> Iterator[Struct]:
    return (column for group in footer[4] for column in group[1])


def _count(struct: Struct, field: int) -> int:
    value = struct[field]
    if type(value) is not int or value < 0:
        raise ValueError("a count is none")
    return value


def _is_flat(leaf: Struct, footer: Struct) -> bool:
    """Tell whether a column holds one value a record; in a file with nested ones, none is sure."""
    return leaf.get(3) != 2 and len(footer[2]) == 1 + footer[2][0].get(5, 0)  # noqa: PLR2004


def _refuse_large(unpacked: int, size: int, request: Request) -> None:
    if unpacked > request.limits.max_uncompressed_bytes:
        raise LimitExceededError.unpacked(request.url, unpacked, size, request.limits)


# ----------------------------------------------------------------------------- pages


def _chunk(
    data: bytes, place: int, leaf: Struct, about: Struct, request: Request
) -> tuple[Chunk, int]:
    """Walk through the pages of a column, and give their unpacked size too."""
    kind, values = _count(about, 1), _count(about, 5)
    length = _count(leaf, 2) if kind == _FIXED else 0
    if kind != leaf[1]:
        raise ValueError("a column is of two types")
    codec = _codec(_count(about, 4), request)
    encodings: set[int] = set()
    largest = unpacked = found = 0
    for header, packed in _pages(data, about):
        size = _count(header, 2)
        if codec == "UNCOMPRESSED" and size != packed:
            raise ValueError("a page has two sizes")
        if size > _LARGE_PAGE and size > packed * request.limits.max_compression_ratio:
            raise LimitExceededError.unpacked(request.url, size, packed, request.limits)
        count, encoding, is_data = _page(header)
        bits = length * 8 if kind == _FIXED else _BITS[kind]
        if not is_data and count * bits > size * 8:
            raise ValueError("a dictionary is longer than its page")
        if encoding not in _ENCODINGS:
            raise ValueError("a page has an encoding that is not known")
        encodings.add(encoding)
        largest, unpacked = max(largest, size), unpacked + size
        found += count if is_data else 0
        if found >= values and is_data:
            break
    if found != values:
        raise ValueError("the pages hold another number of values")
    return Chunk(place, frozenset(encodings), largest, length, values), unpacked


def _codec(number: int, request: Request) -> str:
    import pyarrow as pa

    name = _CODECS[number]
    if name == "UNCOMPRESSED" or pa.Codec.is_available(name.partition("_")[0].lower()):
        return name
    raise FileFormatError.unsupported(
        request.url,
        f"is packed with {name}, which this pyarrow does not read",
        "write it with snappy or zstd",
    )


def _pages(data: bytes, about: Struct) -> Iterator[tuple[Struct, int]]:
    """Give the header of each page with values, and how many bytes follow it."""
    if not _count(about, 5):
        return  # no value: an offset may be none
    start, dictionary = _count(about, 9), about.get(11)
    if isinstance(dictionary, int) and 0 < dictionary < start:
        start = dictionary
    position, end = start, start + _count(about, 7)
    if end > len(data):
        raise ValueError("a column ends after the file")
    view = memoryview(data)
    while position < end:
        header, position = read_struct(view, position, end)
        packed = _count(header, 3)
        position += packed
        if position > end:
            raise ValueError("a page ends after its column")
        if header[1] != _INDEX:
            yield header, packed


def _page(header: Struct) -> tuple[int, int, bool]:
    """Give how many values a page has, in which encoding, and whether they are those of rows."""
    kind = header[1]
    if kind == _DICTIONARY:
        return _count(header[7], 1), _count(header[7], 2), False
    if kind == _DATA_2:
        levels = _count(header[8], 5) + _count(header[8], 6)
        if levels > _count(header, 3):
            raise ValueError("a page has more levels than bytes")
        return _count(header[8], 1), _count(header[8], 4), True
    if kind != _DATA:
        raise ValueError("a page is of no kind that is known")
    return _count(header[5], 1), _count(header[5], 2), True
