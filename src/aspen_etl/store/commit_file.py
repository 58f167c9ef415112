"""A commit file as it is read: exactly as it was written, or damaged."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import fields, replace
from datetime import timezone
from typing import Optional

from pydantic import TypeAdapter, ValidationError

from aspen_etl.errors import CorruptStoreError, NotSupportedError, StoreFormatError
from aspen_etl.io.content import SourceFile
from aspen_etl.store.commit import (
    SEALED,
    STORE_FORMAT,
    Commit,
    KeyEntry,
    SourceRecord,
    Stored,
    StoredFile,
)
from aspen_etl.store.commit_rules import find_contradiction

__all__ = ["MAX_BYTES", "check_readable", "parse_commit"]

#: The most that a commit file may have: what this many bytes hold, however it is nested, takes
#: less than half a gigabyte of memory. A commit has some ten thousand; each file that a purge
#: wrote anew adds three hundred, until vacuum lets the old versions go.
MAX_BYTES = 1 << 24

#: How a commit file of any format begins.
_HEAD = re.compile(rb'\s*\{\s*"format"\s*:\s*([0-9]{1,9})\s*[,}]')

_NOT_WRITTEN = "its bytes are not those that were written"


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
    head = _HEAD.match(data)
    if head and int(head[1]) > STORE_FORMAT:
        raise StoreFormatError.at(url, int(head[1]), STORE_FORMAT)
    commit, reason = _parse(data)
    if commit is not None:
        # NOTE: what was taken too leniently (a number in quotes, a name that stands there twice
        # or that nobody knows) shows here: rendered again, it is another text.
        reason = find_contradiction(commit, version)
        if not reason and commit.to_bytes() != data:
            reason = _NOT_WRITTEN
        if not reason:
            return commit
    raise CorruptStoreError.of_commit(url, version, reason)


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


def _parse(data: bytes) -> tuple[Optional[Commit], str]:
    """Give what the bytes say, or what keeps them from saying anything."""
    try:
        values = json.loads(data.decode("ascii"))
    except RecursionError:
        return None, "it is no commit file: it is nested too deep"
    except ValueError:
        return None, "it is no commit file"
    if not isinstance(values, dict):
        return None, "it is no commit file"
    digest = values.pop("sha256", None)
    if isinstance(values.get("format"), int) and values["format"] >= SEALED and digest is None:
        return None, "it is no commit file: sha256 is not there"
    try:
        commit: Commit = _adapter().validate_python(values)
        return replace(commit, time=commit.time.astimezone(timezone.utc)), ""
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
    except (ValueError, OverflowError):
        place = ("time",)
    known = ".".join(str(part) for part in place if part in _fields())
    return None, f"it is no commit file{f': {known} cannot be used' if known else ''}"


@functools.cache
def _adapter() -> TypeAdapter[Commit]:
    return TypeAdapter(Commit)


@functools.cache
def _fields() -> frozenset[str]:
    """Give the names that a message may show: those that are declared, and no other."""
    kinds = (Commit, KeyEntry, SourceFile, SourceRecord, Stored, StoredFile)
    return frozenset(field.name for kind in kinds for field in fields(kind))
