"""Put files that belong together: on disk, none of them shows before all are whole."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, final

from fsspec.implementations.local import LocalFileSystem

from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import Aside, Data, put_parts, sync_folder, writing

__all__ = ["Batch"]


class _Staged(NamedTuple):
    """A file that is written under another name, and the call that brings it to the disk."""

    place: Location
    name: str
    aside: Aside
    synced: Future[None]


@final
class Batch:
    """Put files into one folder, as a context; what is put in it is there when it ends.

    On disk, each file is brought to the disk while the next one is made, and at the end they get
    their names one after the other. If anything fails before, the folder is as it was. Elsewhere,
    each file is put at once.

    Args:
        folder: Where.

    Attributes:
        written: The files that are in their places, in the order in which they came there.
    """

    def __init__(self, folder: Location, /) -> None:
        self.written: list[str] = []
        self._folder = folder
        self._asides: list[Aside] = []
        self._staged: list[_Staged] = []
        self._pool = ThreadPoolExecutor(1)

    def put(self, name: str, parts: Iterable[Data], /) -> int:
        """Put a file, from its parts.

        Returns:
            How many bytes they were.

        Raises:
            SourceAccessError: The storage refuses.
            WriteError: It failed.
        """
        place = self._folder.child(name)
        if not isinstance(place.filesystem, LocalFileSystem):
            size = put_parts(place, parts, written=self.written)
            self.written.append(name)
            return size
        aside = Aside(place.path)
        self._asides.append(aside)
        size = writing(place, lambda: aside.write(parts), self.written)
        self._staged.append(_Staged(place, name, aside, self._pool.submit(aside.sync)))
        return size

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._pool.shutdown()
            for aside in self._asides:
                aside.discard()

    def _finish(self) -> None:
        for staged in self._staged:
            writing(staged.place, staged.synced.result)
        for staged in self._staged:
            writing(staged.place, staged.aside.publish, self.written)
            self.written.append(staged.name)
        if self._staged:
            writing(self._folder, lambda: sync_folder(self._folder.path), self.written)
