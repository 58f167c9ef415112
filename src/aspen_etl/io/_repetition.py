"""How much text a Parquet file can hold at most, told before it is unpacked.

A file may store a text once and repeat it a million times, which is what a dictionary is for. A
column that cannot grow beyond a limit by this is read as text at once; any other is read with its
dictionary, whose entries can be counted before they are repeated, and takes several times longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

__all__ = ["bounded_columns"]

#: The encodings whose text, but for the dictionary's, is no longer than what is stored.
_PLAIN = frozenset({"PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "RLE", "BIT_PACKED"})
_DICTIONARY = frozenset({"RLE_DICTIONARY", "PLAIN_DICTIONARY"})

#: How many row groups are looked at; a file of more is read with its dictionaries.
_GROUPS = 64

#: In a dictionary page each text stands behind its length, of four bytes.
_LENGTH = 4

#: How many bytes the first two fields of a page's header take at most, and what is before each
#: (Thrift's compact protocol: the next field, a whole number).
_HEADER, _NEXT_NUMBER = 16, 0x15


def bounded_columns(pq: Any, data: bytes, names: Sequence[str], limit: int) -> list[str]:
    """Name the text columns that together hold no more bytes than a limit, whatever they repeat.

    Args:
        pq: The module ``pyarrow.parquet``.
        data: The file.
        names: Its text columns.
        limit: How many bytes of text there may be.
    """
    import pyarrow as pa

    metadata = pq.read_metadata(pa.BufferReader(data))
    places = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    flat = [name for name in names if name in places]
    if metadata.num_row_groups > _GROUPS:
        return []
    sizes = dict.fromkeys(flat, 0)
    with pq.ParquetFile(pa.BufferReader(data), read_dictionary=flat) as file:
        for group in range(metadata.num_row_groups):
            chunks = {name: metadata.row_group(group).column(places[name]) for name in flat}
            coded = [name for name, chunk in chunks.items() if chunk.has_dictionary_page]
            batches = file.iter_batches(batch_size=1, row_groups=[group], columns=coded)
            first = next(batches, None) if coded else None
            for name, chunk in chunks.items():
                entries = first.column(name) if first is not None and name in coded else None
                most = _most(chunk, entries, data)
                sizes[name] += limit + 1 if most is None else most
    out, total = [], 0
    for name, size in sorted(sizes.items(), key=lambda item: item[1]):
        total += size
        if total <= limit:
            out.append(name)
    return out


def _most(chunk: Any, first: Any, data: bytes) -> Optional[int]:
    """Give the most bytes of text that a column's part can hold, or none where it is not known."""
    import pyarrow.compute as pc

    used = set(chunk.encodings)
    stored: int = chunk.total_uncompressed_size
    if used <= _PLAIN and not chunk.has_dictionary_page:
        return stored
    if not used <= _PLAIN | _DICTIONARY or not chunk.has_dictionary_page:
        return None
    entries = getattr(first, "dictionary", None)
    if entries is None:
        return None
    lengths = pc.binary_length(entries)
    # Only where the entries fill the page are they known to be all of them.
    size = (pc.sum(lengths).as_py() or 0) + _LENGTH * len(entries)
    if size != _page_size(data[chunk.dictionary_page_offset :][:_HEADER]):
        return None
    return stored + int(chunk.num_values) * int(pc.max(lengths).as_py() or 0)


def _page_size(header: bytes) -> Optional[int]:
    """Read the unpacked size off a page's header, whose second field it is (Thrift, compact)."""
    place = 0
    numbers = []
    for _ in range(2):
        if place >= len(header) or header[place] != _NEXT_NUMBER:
            return None
        place += 1
        number, shift = 0, 0
        while place < len(header):
            byte = header[place]
            place += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
                break
        numbers.append(number >> 1 ^ -(number & 1))
    return numbers[1]
