"""Which state a source file is in, told without parsing it."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Optional

from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location
from aspen_etl.io.only import Only

__all__ = ["SourceFile", "modified_time", "state_of"]


#: A size, as a commit file takes it.
Count = Annotated[int, Only(ge=0, lt=1 << 63)]


@dataclass(frozen=True)
class SourceFile:
    """Tell which state of a source file a commit was made of.

    Attributes:
        url: The file, without anything secret.
        bytes: Its size.
        content_id: What its storage or its content knows it by.
        modified: When it was changed last, in ISO form, where its storage tells.
    """

    url: str
    bytes: Count
    content_id: str
    modified: Optional[str] = None


def state_of(place: Location, max_bytes: int, /) -> SourceFile:
    """Tell the state of a file: by its storage's own tag, or by the checksum of its bytes.

    Args:
        place: The file.
        max_bytes: The size above which it is not read.

    Raises:
        SourceNotFoundError: There is no file.
        SourceAccessError: The storage refuses.
        ReadError: It cannot be read.
        LimitExceededError: It is larger than ``max_bytes``.
    """
    info: Mapping[str, Any] = attempt(place.url, lambda: place.filesystem.info(place.path))
    modified = modified_time(info)
    changed = modified.isoformat() if modified else None
    tag, size = info.get("ETag"), info.get("size")
    if tag and size is not None:  # not every server tells a size
        return SourceFile(place.url, int(size), f"etag:{str(tag).strip(chr(34))}", changed)
    size, checksum = place.checksum(max_bytes)
    return SourceFile(place.url, size, f"sha256:{checksum}", changed)


def modified_time(info: Mapping[str, Any], /) -> Optional[dt.datetime]:
    """Give when a file was changed last, in UTC, from what fsspec tells of it.

    A time that no calendar has, as a file can be given one, is none.
    """
    for name in ("LastModified", "mtime", "created"):
        found = info.get(name)
        if isinstance(found, dt.datetime):
            aware = found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)
            return aware.astimezone(dt.timezone.utc)
        if isinstance(found, (int, float)):
            with contextlib.suppress(ValueError, OverflowError, OSError):
                return dt.datetime.fromtimestamp(found, dt.timezone.utc)
    return None
