"""Which files have the name of a table and are none: what we did not write, we do not replace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from aspen_etl.errors import AspenETLError
from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import read_words
from aspen_etl.schema.rejects import WRITTEN

__all__ = ["find_foreign"]

#: How much of a file is looked at: a header, or the end of a Parquet file, where columns are named.
_LOOK = 1 << 16

#: The columns that every table ends with, and those that the rejects begin with.
_LAST = ["created", "created_by", "updated", "updated_by"]
_FIRST = list(WRITTEN[0])[:2]


def find_foreign(folder: Location, names: Iterable[str], /) -> list[str]:
    """Name those files that ``write_tables`` did not write, as far as their columns tell."""
    return [name for name in names if not _is_ours(folder.child(name))]


def _is_ours(place: Location) -> bool:
    if place.name.endswith(".json"):
        words = read_words(place)
        return (words.get("profile"), words.get("name")) == ("data-package", "tables")
    try:
        if place.name.endswith(".csv"):
            return _has_header(_read(place, 0, _LOOK))
        return _has_names(_read(place, -_LOOK, None))
    except AspenETLError:
        return False


def _read(place: Location, start: int, end: Optional[int]) -> bytes:
    data: bytes = attempt(
        place.url, lambda: place.filesystem.cat_file(place.path, start=start, end=end)
    )
    return data


def _has_header(data: bytes) -> bool:
    header = data.decode("utf-8-sig", "replace").splitlines()[:1]
    columns = header[0].split(",") if header else []
    return columns[-len(_LAST) :] == _LAST or columns[: len(_FIRST)] == _FIRST


def _has_names(data: bytes) -> bool:
    return any(all(name.encode() in data for name in names) for names in (_LAST, *WRITTEN))
