"""Read a part of a file of any storage as a stream, piece by piece."""

from __future__ import annotations

import io
from typing import IO, Any, final

from aspen_etl.io.filesystem import Location

__all__ = ["open_part"]

_PIECE = 16 << 20


def open_part(place: Location, start: int, end: int, /) -> IO[bytes]:
    """Open the bytes of a file from one offset up to another.

    What it raises while it is read is what ``Location.read_part`` raises.
    """
    return io.BufferedReader(_Part(place, start, end), _PIECE)


@final
class _Part(io.RawIOBase):
    def __init__(self, place: Location, start: int, end: int) -> None:
        self._place, self._at, self._end = place, start, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._place.read_part(self._at, min(self._at + len(buffer), self._end))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
