"""Put files that belong together: on disk, none of them shows before all are whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Optional, final

from aspen_etl.io.filesystem import Location
from aspen_etl.io.writing import Aside, Counted, Data, put_parts, sync_folder, writing

__all__ = ["Batch"]


#: From how many bytes on it pays to bring them to the disk while something else goes on.
_MANY_BYTES = 1 << 20


class _Staged(NamedTuple):
    """A file that is written under another name, and what still brings it to the disk."""

    place: Location
    aside: Aside
    synced: Optional[Future[None]]


@final
class Batch:
    """Put files, as a context; what is put in it is there when it ends.

    On disk, each file is brought to the disk while the next one is made, and at the end they get
    their names one after the other. If anything fails before, all is as it was. Elsewhere, each
    file is put at once.

    Attributes:
        written: The names of the files that are in their places, as they came there.
    """

    def __init__(self) -> None:
        self.written: list[str] = []
        self._asides: list[Aside] = []
        self._staged: list[_Staged] = []
        self._pool = ThreadPoolExecutor(1)

    def put(self, place: Location, parts: Iterable[Data], /) -> int:
        """Put a file, from its parts.

        Returns:
            How many bytes they were.

        Raises:
            SourceAccessError: The storage refuses.
            WriteError: It failed.
        """
        if not place.is_local:
            size = put_parts(place, parts, written=self.written)
            self.written.append(place.name)
            return size
        aside, counted = Aside(place.path), Counted(parts)
        self._asides.append(aside)
        writing(place, lambda: aside.write(counted), self.written)
        synced = None
        if counted.size < _MANY_BYTES:
            writing(place, aside.sync, self.written)
        else:
            synced = self._pool.submit(aside.sync)
        self._staged.append(_Staged(place, aside, synced))
        return counted.size

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._pool.shutdown()
            for aside in self._asides:
                with contextlib.suppress(OSError):  # what stays under another name does no harm
                    aside.discard()

    def _finish(self) -> None:
        for staged in self._staged:
            if staged.synced is not None:
                writing(staged.place, staged.synced.result)
        folders: dict[str, Location] = {}
        for staged in self._staged:
            writing(staged.place, staged.aside.publish, self.written)
            self.written.append(staged.place.name)
            path = os.path.dirname(staged.place.path)  # noqa: PTH120 - fsspec's own form of a path
            folders.setdefault(path, staged.place)
        for path, place in folders.items():
            writing(place, partial(sync_folder, path), self.written)
