"""The names in a folder, as its storage has them now."""

from __future__ import annotations

from aspen_etl.errors import SourceNotFoundError
from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location

__all__ = ["list_names"]


def list_names(folder: Location, /) -> list[str]:
    """Give the names of what is in a folder, in no order; none where there is no folder.

    Raises:
        SourceAccessError: The storage refuses.
        ReadError: It cannot be asked.
    """
    filesystem, path = folder.filesystem, folder.path
    try:
        found = attempt(folder.url, lambda: filesystem.ls(path, detail=False))
    except SourceNotFoundError:
        return []
    return [str(each).rstrip("/").rpartition("/")[2] for each in found]
