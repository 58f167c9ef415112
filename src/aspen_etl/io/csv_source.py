r"""What Arrow reads CSV from: where there may be quotes, blocks that end where a record does.

Arrow splits a file at line breaks. One in quotes is a trap for it in both of its ways: it loses the
line feed of a ``\r\n`` that two blocks share (apache/arrow, 51368), or it takes the break for the
end of the record, and gives what follows as the record, without a word.
"""

from __future__ import annotations

import io
from typing import IO, Any, final

__all__ = ["end_of_records", "stream_of_bytes", "stream_of_records"]


def stream_of_bytes(data: bytes, start: int, end: int, /) -> Any:
    """Give what Arrow's reader of CSV takes, for a part of bytes that begins with a record."""
    import pyarrow as pa

    if b'"' not in data:
        return pa.BufferReader(pa.py_buffer(data).slice(start, end - start))
    file = io.BytesIO(data)  # which copies nothing
    file.seek(start)
    return stream_of_records(file, end - start)


def stream_of_records(file: IO[bytes], length: int | None = None, /) -> Any:
    """Give what Arrow's reader of CSV takes, for what reads a file, or so many bytes of it."""
    import pyarrow as pa

    return pa.PythonFile(_Records(file, length), mode="r")


@final
class _Records:
    """Read CSV that begins with a record, in blocks that end with one."""

    closed = False

    def __init__(self, file: IO[bytes], length: int | None) -> None:
        self._file, self._left, self._rest = file, length, b""

    def read(self, size: int) -> bytes:
        """Give whole records, of no more bytes than told, and none at the end.

        Raises:
            ValueError: A record has more.
        """
        while len(self._rest) < size:
            more = self._more(size - len(self._rest))
            data, self._rest = self._rest + more, b""
            if not more:
                return data
            end = end_of_records(data)
            self._rest = data[end:]
            if end:
                return data[:end]
        raise ValueError("a record is longer than a block")

    def _more(self, size: int) -> bytes:
        if self._left is None:
            return self._file.read(size)
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        """Do nothing: who opened the file closes it."""


def end_of_records(data: bytes) -> int:
    """Give the offset behind the last line feed that stands outside of quotes, or 0."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while quotes % 2:  # the last one opens what goes on behind the line feed
        before = data.rfind(b"\n", 0, data.rfind(b'"', 0, end)) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return end
