"""Ids of subjects, which stand in a file or on standard input, and in no message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Optional

from aspen_etl.errors import NotSupportedError

__all__ = ["read_id", "read_ids"]

#: How many characters are read: of one id more than any model takes, of many as many as that.
_ID_LENGTH, _IDS_LENGTH = 10_000, 100_000_000


def read_id(path: Optional[str], /) -> str:
    """Read the id of one subject.

    Raises:
        NotSupportedError: There is none, or the file cannot be read.
    """
    text = _read(path, _ID_LENGTH, lines=1)
    if text.strip():
        return text.strip()
    msg = "no subject's id was given; write it to standard input, or to a file (--id-file)"
    raise NotSupportedError(msg)


def read_ids(path: Optional[str], /) -> frozenset[str]:
    """Read the ids of subjects, one a line.

    Raises:
        NotSupportedError: There is none, or the file cannot be read.
    """
    found = {line.strip() for line in _read(path, _IDS_LENGTH).splitlines()} - {""}
    if found:
        return frozenset(found)
    msg = "no ids were given; write them to standard input, or to a file (--id-file), one a line"
    raise NotSupportedError(msg)


def _read(path: Optional[str], length: int, *, lines: Optional[int] = None) -> str:
    try:
        if path is not None:
            with Path(path).open(encoding="utf-8") as file:
                return file.read(length)
        if sys.stdin is None:
            return ""
        return sys.stdin.read(length) if lines is None else sys.stdin.readline(length)
    except (OSError, ValueError) as error:
        reason = type(error).__name__
    where = "standard input" if path is None else path
    raise NotSupportedError(f"no subject's id can be read from {where} ({reason})", reason=reason)
