"""A commit file as it is read: exactly as it was written, or damaged."""

from __future__ import annotations

import functools
import re
from dataclasses import fields
from datetime import timezone
from typing import TYPE_CHECKING

from aspen_etl.errors import CorruptStoreError, NotSupportedError, StoreFormatError
from aspen_etl.errors.base import instead
from aspen_etl.io.content import SourceFile
from aspen_etl.store.commit import SEALED, STORE_FORMAT, Commit, SourceRecord
from aspen_etl.store.commit_formats import DOCUMENTS
from aspen_etl.store.commit_rules import find_contradiction
from aspen_etl.store.stored import (
    CutoverRecord,
    KeyEntry,
    LandedSource,
    LandingRecord,
    SideRecord,
    Stored,
    StoredFile,
    Suppressed,
)

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["MAX_BYTES", "check_readable", "parse_commit"]

#: The most that a commit file may have: what this many bytes hold, however it is nested, takes
#: less than half a gigabyte of memory. A commit has some ten thousand; each file that a purge
#: wrote anew adds three hundred, until vacuum lets the old versions go.
MAX_BYTES = 1 << 24

#: How a commit file of any format begins.
_HEAD = re.compile(rb'\s*\{\s*"format"\s*:\s*([0-9]{1,9})\s*[,}]')

_NO_COMMIT = "it is no commit file"
_NOT_WRITTEN = "its bytes are not those that were written"

#: What pydantic calls a name that no model has, in a model and in a dataclass.
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def parse_commit(data: bytes, version: int, url: str, /) -> Commit:
    """Read a commit file.

    The number of the format is read first, and decides how the rest is read.

    Args:
        data: Its bytes.
        version: The version that its place is for.
        url: Its place, for messages.

    Raises:
        StoreFormatError: It is of a newer format.
        CorruptStoreError: It is damaged.
    """
    from aspen_etl.store.documents import ValidationError, read_as

    head = _HEAD.match(data)
    number = int(head[1]) if head else 0
    if number > STORE_FORMAT:
        raise StoreFormatError.at(url, number, STORE_FORMAT)

    def damaged(reason: str) -> CorruptStoreError:
        return CorruptStoreError.of_commit(url, version, reason)

    if number not in DOCUMENTS:
        raise damaged(_NO_COMMIT)
    model = DOCUMENTS[number]
    found = instead(lambda: read_as(model, data), ValidationError, lambda e: damaged(_tell(e)))
    if number >= SEALED and getattr(found, "sha256", None) is None:
        raise damaged(f"{_NO_COMMIT}: sha256 is not there")
    commit = instead(
        lambda: _commit(found), OverflowError, lambda _: damaged(f"{_NO_COMMIT}: {_cannot('time')}")
    )
    # NOTE: what was taken all the same (a name that stands there twice, white space) shows here:
    # rendered again, it is another text.
    reason = find_contradiction(commit, version)
    if not reason and commit.to_bytes() != data:
        reason = _NOT_WRITTEN
    if reason:
        raise damaged(reason)
    return commit


def check_readable(data: bytes, version: int, url: str, /) -> None:
    """Make sure, before a commit file is written, that it will be read again.

    Raises:
        NotSupportedError: It will not: it is too large, or was given what no commit can hold.
    """
    reason = "vacuum lets old versions go, and what purge wrote anew of them"
    if len(data) <= MAX_BYTES:
        try:
            parse_commit(data, version, url)
        except CorruptStoreError as error:
            reason = str(error.details["reason"])
        else:
            return
    msg = f"nothing was committed to {url}: commit {version} could not be read again ({reason})"
    raise NotSupportedError(msg, url=url, version=version, reason=reason)


def _commit(found: Commit) -> Commit:
    """Give what a file of any format says, in UTC."""
    said = {field.name: getattr(found, field.name) for field in fields(Commit)}
    return Commit(**{**said, "time": found.time.astimezone(timezone.utc)})


def _tell(error: ValidationError) -> str:
    """Tell what keeps bytes from being a commit: declared names alone, and no value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in _UNKNOWN:
        return _NOT_WRITTEN
    known = ".".join(str(part) for part in first["loc"] if part in _fields())
    return f"{_NO_COMMIT}: {_cannot(known)}" if known else _NO_COMMIT


def _cannot(name: str) -> str:
    return f"{name} cannot be used"


@functools.cache
def _fields() -> frozenset[str]:
    """Give the names that a message may show: those that are declared, and no other."""
    since = (LandingRecord, LandedSource, SideRecord, CutoverRecord, Suppressed)
    parts = (KeyEntry, SourceFile, SourceRecord, Stored, StoredFile, *since)
    kinds = (*DOCUMENTS.values(), *parts)
    return frozenset(field.name for kind in kinds for field in fields(kind))
