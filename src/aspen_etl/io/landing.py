"""The files of a landing folder: listed once, told apart by their names, read when asked for."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from aspen_etl.errors import LandedFileError, SourceNotFoundError
from aspen_etl.io.calling import attempt
from aspen_etl.io.content import modified_time
from aspen_etl.io.csv_reading import gunzip
from aspen_etl.io.filesystem import Location, locate
from aspen_etl.io.formats import GZIP_MAGIC
from aspen_etl.io.landed_names import LandedName, parse_name
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import Landing

__all__ = ["LandedFile", "LandedFolder", "list_landing"]


@dataclass(frozen=True)
class LandedFile:
    """A file of a landing folder, as its listing tells of it.

    Attributes:
        name: What its name says.
        size: How many bytes it has.
        tag: What its storage knows its content by, where it tells.
        modified: When it was written, where that is told.
        place: Where it is.
    """

    name: LandedName
    size: int
    tag: Optional[str]
    modified: Optional[dt.datetime]
    place: Location = field(repr=False)

    @property
    def written(self) -> Optional[dt.datetime]:
        """When it was written, by its storage or else by its name."""
        return self.modified or self.name.moment

    def read(self, limits: ReadLimits) -> tuple[bytes, str]:
        """Read it, unpacked.

        Args:
            limits: How much to take in.

        Returns:
            Its bytes, and what its content is known by: the storage's tag, or its own checksum.

        Raises:
            SourceNotFoundError: It went meanwhile.
            SourceAccessError: The storage refuses.
            ReadError: It cannot be read.
            CorruptFileError: Its gzip data is cut or changed.
            LimitExceededError: It is larger than allowed.
        """
        data = self.place.read(limits.max_file_bytes)
        content = self.tag or f"sha256:{hashlib.sha256(data).hexdigest()}"
        if data.startswith(GZIP_MAGIC):
            data = gunzip(data, self.place.url, limits)
        return data, content


@dataclass(frozen=True)
class LandedFolder:
    """What lies in a landing folder.

    Attributes:
        url: The folder.
        files: Its landed files, in their order.
        unknown: How many files have a name that says nothing.
        heard: When the newest file of the heartbeat was written, if there is one.
    """

    url: str
    files: tuple[LandedFile, ...]
    unknown: int
    heard: Optional[dt.datetime] = None


def list_landing(
    landing: Landing, /, storage_options: Mapping[str, Any] | None = None
) -> LandedFolder:
    """List a landing folder.

    Args:
        landing: The folder and its tables.
        storage_options: What its filesystem takes.

    Raises:
        SourceNotFoundError: There is no such folder.
        SourceAccessError: The storage refuses.
        ReadError: It cannot be listed.
        LandedFileError: Files of more than one form or layout lie there.
    """
    folder = locate(landing.url, storage_options)
    root = folder.path.rstrip("/")
    listed: Mapping[str, Mapping[str, Any]] = attempt(
        folder.url, lambda: folder.filesystem.find(root, detail=True)
    )
    if not listed and folder.kind() == "absent":
        raise SourceNotFoundError.at(folder.url)
    files, unknown, beats = [], 0, []
    beat, side = _folder_of(landing.heartbeat), _folder_of(landing.side)
    for path, info in listed.items():
        below = _below(str(path), root)
        name = parse_name(below, landing)
        if beat is not None and below.startswith(beat):
            beats += [moment] if (moment := modified_time(info)) else []
        elif side is not None and below.startswith(side):
            continue  # who reads it asks for it alone
        elif name is None:
            unknown += bool(below)
        else:
            files.append(_file(folder.child(below), name, info))
    _refuse_mixed(folder.url, [file.name for file in files], landing)
    files.sort(key=lambda file: (file.name.kind != "load", file.name.order, file.name.path))
    return LandedFolder(folder.url, tuple(files), unknown, max(beats, default=None))


def _folder_of(table: Optional[str]) -> Optional[str]:
    """Give the folder that the files of a table are below, if it is told."""
    return None if table is None else f"{table}/".replace(".", "/", 1)


def _below(path: str, root: str) -> str:
    path = path.replace("\\", "/")
    return path[len(root) :].lstrip("/") if path.startswith(root) else path.lstrip("/")


def _file(place: Location, name: LandedName, info: Mapping[str, Any]) -> LandedFile:
    tag = info.get("ETag")
    return LandedFile(
        name,
        int(info.get("size") or 0),
        None if not tag else f"etag:{str(tag).strip(chr(34))}",
        modified_time(info),
        place,
    )


def _refuse_mixed(url: str, names: Sequence[LandedName], landing: Landing) -> None:
    """Refuse what no single task writes: forms or layouts side by side."""
    forms = Counter(name.form for name in names if name.kind != "transactions")
    wanted = landing.format
    if len(forms) > 1 or any(form.partition(".")[0] != wanted for form in forms):
        raise LandedFileError.mixed(url, _told(forms, wanted))
    if landing.order == "transactions":
        # Files of tables beside each other say nothing of the order between their transactions.
        bare = Counter("in files of a table" for name in names if name.kind == "changes")
        if bare:
            raise LandedFileError.mixed(url, {**bare, "in transaction files, as declared": 0})
    layouts = Counter(
        "in transaction files" if name.kind == "transactions" else _layout(name)
        for name in names
        if name.kind != "load"
    )
    if len(layouts) > 1:
        raise LandedFileError.mixed(url, layouts)


def _told(forms: Mapping[str, int], wanted: str) -> dict[str, int]:
    found = {f".{form}": count for form, count in forms.items()}
    return found if len(found) > 1 else {**found, f".{wanted} as declared": 0}


def _layout(name: LandedName) -> str:
    return "in dated folders" if name.dated else "in the table's folder"
