"""What workers leave for each other during a run: pieces in files, each tried write in its own.

A piece is what one worker made and another one takes up: frames as they are in memory. Whoever
wrote it gives its checksum to the driver of the run, who gives it to the reader, so that nothing
is taken up that the run did not make. What is left of a run that died, vacuum takes.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aspen_etl.errors import AspenETLError, ReadError
from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import Data, make_folder, put_parts, writing

__all__ = ["Exchange", "Piece"]


@dataclass(frozen=True)
class Piece:
    """Say where a piece is, and what it must be.

    Attributes:
        name: Its file.
        start: The offset of its first byte.
        sizes: The bytes of its outline, and of each block that this refers to.
        sha256: The checksum of all of them.
    """

    name: str
    start: int
    sizes: tuple[int, ...]
    sha256: str

    @property
    def end(self) -> int:
        """The offset behind its last byte."""
        return self.start + sum(self.sizes)


@dataclass(frozen=True)
class Exchange:
    """The folder of a run, in which its workers leave pieces for each other.

    Attributes:
        root: The folder; all workers reach it.
    """

    root: Location

    def open(self) -> None:
        """Make the folder, where folders are made.

        Raises:
            SourceAccessError: The storage refuses.
            WriteError: It cannot be made.
        """
        make_folder(self.root)

    def put(self, values: Iterable[Any], /) -> list[Piece]:
        """Leave values, each as a piece of one file, which no other call writes.

        On a local disk no more than one of them need be in memory.

        Raises:
            SourceAccessError: The storage refuses.
            WriteError: It failed.
        """
        name, pieces = secrets.token_hex(8), list[Piece]()

        def written() -> Iterator[Data]:
            start = 0
            for value in values:
                blocks = _pack(value)
                digest = hashlib.sha256()
                for block in blocks:
                    digest.update(block)
                    yield block
                sizes = tuple(len(block) for block in blocks)
                pieces.append(Piece(name, start, sizes, digest.hexdigest()))
                start = pieces[-1].end

        self._write(self.root.child(name), written())
        return pieces

    @staticmethod
    def _write(place: Location, parts: Iterable[Data]) -> None:
        if not place.is_local:
            put_parts(place, parts)
            return

        def write() -> None:  # its name is its own, and nobody looks for it before it is whole
            with open(place.path, "xb") as file:  # noqa: PTH123 - fsspec's own form of a local path
                file.writelines(parts)

        writing(place, write)

    def get(self, piece: Piece, /) -> Any:
        """Take up a piece.

        Raises:
            SourceNotFoundError: It is not there.
            SourceAccessError: The storage refuses.
            ReadError: It cannot be read, or is not what was written.
        """
        place = self.root.child(piece.name)
        data = memoryview(place.read_part(piece.start, piece.end))
        if hashlib.sha256(data).hexdigest() != piece.sha256:
            raise ReadError.at(place.url, "its bytes are not those that were written")
        blocks, start = [], 0
        for size in piece.sizes:
            blocks.append(data[start : start + size])
            start += size
        return pickle.loads(blocks[0], buffers=blocks[1:])  # noqa: S301 - our own, by its checksum

    def remove(self) -> None:
        """Take the folder away; where that fails, vacuum does it."""
        with contextlib.suppress(AspenETLError):
            attempt(self.root.url, lambda: self.root.filesystem.rm(self.root.path, recursive=True))


def _pack(value: Any) -> list[Data]:
    """Pickle a value, large arrays as they lie in memory."""
    buffers: list[pickle.PickleBuffer] = []
    outline = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return [outline, *(buffer.raw() for buffer in buffers)]
