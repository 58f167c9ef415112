"""Open a local file that is a file: what never ends, or waits for another one, is refused."""

from __future__ import annotations

import os
import stat
from typing import IO

from aspen_etl.errors import ReadError

__all__ = ["NO_FILES", "open_regular"]

#: Another opener may wait: a pipe for its writer, a line for its modem. Windows has no such flag.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}
_OTHER = "something else"

#: What there may be in the place of a file, in words.
NO_FILES = frozenset({*_KINDS.values(), _OTHER})


def open_regular(path: str, url: str, /) -> IO[bytes]:
    """Open a regular file for reading, at once.

    Args:
        path: Where it is; a link is followed.
        url: The same place, for messages.

    Raises:
        ReadError: There is a pipe, a device, a socket or a folder.
        OSError: It cannot be opened.
    """
    # NOTE: to open a device may do something already, so it is looked at first; and looked at
    # again as it was opened, since another one may stand there by then.
    _refuse_others(os.stat(path), url)  # noqa: PTH116 - fsspec's own form of a path
    descriptor = os.open(path, _FLAGS)
    try:
        _refuse_others(os.fstat(descriptor), url)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_others(found: os.stat_result, url: str) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise ReadError.no_file(url, _KINDS.get(kind, _OTHER))
