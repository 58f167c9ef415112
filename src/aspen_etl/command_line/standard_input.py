"""Standard input as a source: what was piped in, held in memory as a file of its own."""

from __future__ import annotations

import sys

import fsspec

from aspen_etl.errors import NotSupportedError
from aspen_etl.io.reading import ReadLimits

__all__ = ["source_url"]

#: What stands for standard input on the command line, and where its bytes are held.
_WORD, _URL = "-", "memory://standard-input"


def source_url(word: str, /) -> str:
    """Give the url of a source; for ``-`` that of what standard input holds, read to its end.

    A run knows it by its content, so that the same bytes again are an unchanged source. It has no
    time of its own, so that it is neither older nor newer than another source.

    Raises:
        NotSupportedError: Standard input is a terminal, closed or empty.
    """
    if word != _WORD:
        return word
    data = _read(ReadLimits().max_file_bytes)
    filesystem, path = fsspec.core.url_to_fs(_URL)
    filesystem.pipe_file(path, data)
    filesystem.store[path].created = None
    return _URL


def _read(max_bytes: int) -> bytes:
    """Read standard input; one byte more than the limit, so that a reader sees that it is over."""
    stream, found = sys.stdin, "is empty"
    if stream is None or stream.closed:
        found = "is closed"
    elif stream.isatty():
        found = "is a terminal"
    else:
        try:
            data = stream.buffer.read(max_bytes + 1)
        except OSError as error:
            found, data = f"cannot be read ({type(error).__name__})", b""
        if data:
            return data
    raise NotSupportedError(
        f"standard input (-) {found}; pipe a workbook into it, as in: aspen-etl normalize - out < "
        "extract.xlsx"
    )
