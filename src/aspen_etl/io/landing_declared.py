"""The file that says what a landing is: landing.json or landing.toml, at any url."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import instead
from aspen_etl.io.filesystem import locate
from aspen_etl.schema.landing import Landing

__all__ = ["is_declared", "read_declared"]

#: How many bytes are read: more than any landing has.
_MOST = 10_000_000

_READERS = {".json": Landing.from_json, ".toml": Landing.from_toml}


def is_declared(url: str, /) -> bool:
    """Tell whether a url names the file of a landing: no other source ends so.

    Examples:
        >>> is_declared("s3://raw/landing.json"), is_declared("borrowers.xlsx")
        (True, False)
    """
    return url.endswith(tuple(_READERS))


def read_declared(url: str, /, storage_options: Mapping[str, Any] | None = None) -> Landing:
    """Read the file of a landing. A folder in it without a protocol is seen from the file's own.

    Args:
        url: The file, which ends in ``.json`` or ``.toml``.
        storage_options: What its filesystem takes.

    Raises:
        ArgumentError: It is no landing; the text says why, and names the file.
        NotSupportedError: It is TOML, and this Python is older than 3.11.
        SourceNotFoundError: There is no such file.
        AspenETLError: It cannot be read.
    """
    place = locate(url, storage_options)
    data = place.read(_MOST)
    read = _READERS[".toml" if url.endswith(".toml") else ".json"]

    def ours(error: Exception) -> ArgumentError:
        told = str(error) if isinstance(error, ArgumentError) else "landing: it is not in UTF-8"
        details = error.details if isinstance(error, ArgumentError) else {"problem": "landing"}
        return ArgumentError(f"{place.url}: {told}", **details)

    landing = instead(lambda: read(data.decode()), (ArgumentError, UnicodeError), ours)
    return replace(landing, url=_beside(url, landing.url))


def _beside(url: str, folder: str) -> str:
    """Give a folder as it is seen from the folder of a file, where it does not stand alone."""
    if "://" in folder or Path(folder).is_absolute():
        return folder
    if "://" in url:
        return f"{url.rpartition('/')[0]}/{folder}"
    return str(Path(url).parent / folder)
