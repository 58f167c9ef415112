"""Versions that somebody stands on: a loader, a catalogue. They, and all after them, stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from aspen_etl.errors import CorruptStoreError, NotSupportedError, SourceNotFoundError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import SMALL, read_state
from aspen_etl.io.writing import delete, make_folder, put
from aspen_etl.store.listing import list_names
from aspen_etl.store.sealing import sealed

__all__ = ["pin_places", "pinned_versions", "read_pin", "remove_pin", "set_pin"]

_FOLDER = "_aspen/pins"
_PIN = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


def set_pin(root: Location, name: str, version: int, /) -> None:
    """Write down that ``name`` stands on a version."""
    place = _place(root, name)
    make_folder(root.child(_FOLDER))
    put(place, sealed({"version": version}))


def remove_pin(root: Location, name: str, /) -> None:
    """Forget what ``name`` stood on."""
    place = _place(root, name)
    if place.kind() == "file":
        delete(place)


def pinned_versions(root: Location, /) -> list[int]:
    """Give the versions that somebody stands on.

    Raises:
        CorruptStoreError: A pin is damaged: nobody can tell what it keeps.
    """
    return [version for place in pin_places(root) for version in read_pin(place)]


def pin_places(root: Location, /) -> Iterator[Location]:
    """Give the places of all pins."""
    folder = root.child(_FOLDER)
    names = (name for name in list_names(folder) if name.endswith(".json"))
    return (folder.child(name) for name in sorted(names))


def read_pin(place: Location, /) -> list[int]:
    """Read the version that a pin keeps; none where it was let go in the meantime.

    Raises:
        CorruptStoreError: It is damaged.
    """
    from aspen_etl.store.documents import VersionNote, read_if_whole

    try:
        data = read_state(place, SMALL)
    except SourceNotFoundError:
        return []
    found = read_if_whole(VersionNote, data)
    # NOTE: release 0.1 wrote pins without a checksum.
    if found and data in (sealed({"version": found.version}), _plain(found.version)):
        return [found.version]
    raise CorruptStoreError.at(place.url, "this pin does not say which version it keeps")


def _plain(version: int) -> bytes:
    return json.dumps({"version": version}).encode("ascii")


def _place(root: Location, name: str) -> Location:
    if not _PIN.match(name):
        msg = f"{name!r} is no name for a pin: use up to 64 letters, digits, and any of _.-"
        raise NotSupportedError(msg, name=name)
    return root.child(f"{_FOLDER}/{name}.json")
