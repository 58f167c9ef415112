"""Read the structures that describe a Parquet file: Thrift, in its compact protocol.

pyarrow ends the process on some of what such a structure can say, so it is looked at before.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Struct", "read_struct"]

#: A structure: its fields by number.
Struct = dict[int, Any]

_DEEPEST = 32
_TRUE, _FALSE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_WIDTHS = {3: 1, 7: 8}  # a byte, a double


def read_struct(data: Any, position: int, end: int) -> tuple[Struct, int]:
    """Read a structure that begins at a position, and give the position after it.

    Raises:
        ValueError: These bytes are none, or it has no end before ``end``.
    """
    reader = _Reader(data, position, end)
    return reader.struct(0), reader.position


class _Reader:
    def __init__(self, data: Any, position: int, end: int) -> None:
        self.data, self.position, self.end = data, position, end

    def struct(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            raise ValueError("structures in structures have no end")
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            value: Any = kind == _TRUE
        elif kind in _INTEGERS:
            value = self._integer()
        elif kind == _BINARY:
            value = self._take(self._varint())
        elif kind == _STRUCT:
            value = self.struct(depth + 1)
        elif kind in (_LIST, _SET):
            value = self._list(depth + 1)
        elif kind in _WIDTHS:
            value = self._take(_WIDTHS[kind])
        else:
            raise ValueError("a field is of no type that Parquet has")
        return value

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == 15:  # noqa: PLR2004 - then the number stands apart
            count = self._varint()
        if count > self.end - self.position:
            raise ValueError("a list is longer than what is left")
        if kind in (_TRUE, _FALSE):
            return [self._byte() == _TRUE for _ in range(count)]
        return [self._value(kind, depth) for _ in range(count)]

    def _byte(self) -> int:
        if self.position >= self.end:
            raise ValueError("a structure has no end")
        self.position += 1
        return int(self.data[self.position - 1])

    def _take(self, count: int) -> bytes:
        if count > self.end - self.position:
            raise ValueError("a text is longer than what is left")
        self.position += count
        return bytes(self.data[self.position - count : self.position])

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:  # noqa: PLR2004 - the last one
                return number
            shift += 7
            if shift > 63:  # noqa: PLR2004 - 64 bits
                raise ValueError("a number has more than 64 bits")

    def _integer(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
