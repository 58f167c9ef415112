"""Which files a source is: a workbook, a file for each sheet, or the parts that a job wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Union

from aspen_etl.errors import ExtractError, FileFormatError, SourceNotFoundError
from aspen_etl.errors.base import did_you_mean, near_name
from aspen_etl.io.calling import attempt
from aspen_etl.io.filesystem import Location, Url, locate
from aspen_etl.schema.headers import identifier

if TYPE_CHECKING:
    from aspen_etl.io.reading import Reading
    from aspen_etl.schema.model import Model

__all__ = [
    "SHEET_SUFFIXES",
    "SheetFiles",
    "Source",
    "check_sources",
    "find_files",
    "find_sheets",
    "source_places",
]

#: What names the source: a workbook or a folder, or a url for each sheet.
Source = Union[Url, Mapping[str, Url]]

#: What the name of a file with one sheet ends in.
SHEET_SUFFIXES = (".csv", ".csv.gz", ".parquet")

#: What in a folder says that not all of its files count, or not yet, and what to do then.
_LOGS: Mapping[str, tuple[str, str]] = {
    "_delta_log": ("is a Delta Lake table", "write its current rows as plain Parquet"),
    ".hoodie": ("is a Hudi table", "write its current rows as plain Parquet"),
    "metadata": ("is an Iceberg table", "write its current rows as plain Parquet"),
    "_temporary": ("is written by a job that has not ended", "wait for it, or run it again"),
}


@dataclass(frozen=True)
class SheetFiles:
    """Files that are read together.

    Attributes:
        sources: The sheets that they hold.
        places: One file, or the parts of one sheet in the order of their names.
        folder: The folder that the parts lie in.
        bytes: The size of all parts, as far as their storage tells.
    """

    sources: tuple[str, ...]
    places: tuple[Location, ...]
    folder: Optional[Location] = None
    bytes: int = 0


def source_places(
    source: Source,
    /,
    *,
    model: Model,
    storage_options: Mapping[str, Any] | None = None,
    sheets: Mapping[str, str] | None = None,
) -> list[Location]:
    """Say which files ``read_extract`` would read.

    Raises:
        SourceNotFoundError: There is nothing at the url.
        SourceAccessError: The storage refuses access.
    """
    found = find_files(source, model, storage_options, sheets or {})
    return [place for files in found for place in files.places]


def find_files(
    source: Source,
    model: Model,
    storage_options: Mapping[str, Any] | None,
    sheets: Mapping[str, str],
) -> list[SheetFiles]:
    """Say which sheets are read from which files.

    Raises:
        SourceNotFoundError: There is nothing at the url, or no file for a sheet.
        SourceAccessError: The storage refuses access.
        FileFormatError: A folder holds two files for a sheet, or what is no part of it.
        ExtractError: There is no url for a sheet, or one for what is no sheet.
    """
    if isinstance(source, Mapping):
        return [
            _one_sheet(locate(url, storage_options), names)
            for url, names in _urls(source, model).items()
        ]
    place = locate(source, storage_options)
    kind = place.kind()
    if kind == "absent":
        raise SourceNotFoundError.at(place.url)
    if kind == "file":
        return [SheetFiles(tuple(model.sources), (place,))]
    return [_member(place, name, sheets.get(name, name), model) for name in model.sources]


def check_sources(where: str, names: Iterable[str], model: Model) -> None:
    """Refuse names that are no sources of the model.

    Raises:
        ExtractError: One is not.
    """
    unknown = sorted(set(names) - set(model.sources))
    if unknown:
        raise ExtractError(
            f"{where} names {', '.join(map(repr, unknown))}, which is no source of the model; "
            f"its sources are {', '.join(map(repr, model.sources))}"
            f"{did_you_mean(unknown[0], model.sources)}",
            unknown=tuple(unknown),
        )


def _urls(source: Mapping[str, Url], model: Model) -> dict[str, list[str]]:
    """Give the sheets by url: two may be in one workbook."""
    check_sources("the source", source, model)
    missing = [name for name in model.sources if name not in source]
    if missing:
        raise ExtractError(
            f"the source has no url for {', '.join(map(repr, missing))}; give one per sheet",
            missing=tuple(missing),
        )
    urls: dict[str, list[str]] = {}
    for name in model.sources:
        urls.setdefault(os.fspath(source[name]), []).append(name)
    return urls


def _one_sheet(place: Location, names: list[str]) -> SheetFiles:
    """Take a url that is given for a sheet: what is no folder is read as a file."""
    if place.kind() != "folder":
        return SheetFiles(tuple(names), (place,))
    if len(names) > 1:
        raise FileFormatError.unsupported(
            place.url, "is a folder", f"it can hold the parts of one sheet, not of {len(names)}"
        )
    return _parts(place, names[0])


# ----------------------------------------------------------------------------- a folder's files


def _member(folder: Location, source: str, stem: str, model: Model) -> SheetFiles:
    """Find the one file, or the one folder of parts, in a folder that holds a source."""
    wanted = [*(f"{stem}{suffix}" for suffix in SHEET_SUFFIXES), stem]
    found = [place for name in wanted if _is_sheet(place := folder.child(name), stem)]
    entries: list[_Entry] = []
    if not found:
        entries = _entries(folder)
        folded = {name.casefold() for name in wanted}
        alike = [entry.name for entry in entries if entry.name.casefold() in folded]
        named = [entry.name for name, entry in _sheets_among(entries) if name == stem]
        if named and not alike and model.sources[source].implied:
            alike = named
        found = [place for name in alike if _is_sheet(place := folder.child(name), stem)]
    if len(found) > 1:
        names = " and ".join(place.name for place in found)
        raise FileFormatError.unsupported(
            folder.url, f"holds {names}", f"only one of them can be the sheet {source}: remove one"
        )
    if found:
        return _one_sheet(found[0], [source])
    if len(model.sources) == 1 and any(_is_part(entry) for entry in entries):
        return _parts(folder, source)
    near = near_name(stem, {entry.stem for entry in entries if not _is_hidden(entry.name)})
    raise SourceNotFoundError.in_folder(folder.url, source, wanted, near)


def _is_sheet(place: Location, stem: str) -> bool:
    """Tell whether a folder of parts is there or, under a name with an ending, a file."""
    kind = place.kind()
    return kind == "folder" or (kind == "file" and place.name.casefold() != stem.casefold())


def _sheets_among(entries: list[_Entry]) -> list[tuple[str, _Entry]]:
    """Give what in a folder is a sheet, each with the name that it has as an identifier."""
    held = [entry for entry in entries if not _is_hidden(entry.name)]
    held = [entry for entry in held if entry.is_folder or entry.stem != entry.name]
    return [(identifier(one.stem) or f"sheet_{at}", one) for at, one in enumerate(held, 1)]


def find_sheets(source: Source, reading: Reading) -> list[SheetFiles]:
    """Say which sheets there are, where no model says so, each by its name as an identifier.

    A workbook is one of them, by its own name; what it holds is seen when it is opened.

    Raises:
        SourceNotFoundError: There is nothing at the url, or no sheet in the folder.
        SourceAccessError: The storage refuses access.
        FileFormatError: A folder holds what is no part of a sheet.
    """
    if isinstance(source, Mapping):
        places = {name: locate(url, reading.storage_options) for name, url in source.items()}
        return [_one_sheet(place, [name]) for name, place in places.items()]
    place = locate(source, reading.storage_options)
    kind = place.kind()
    if kind == "absent":
        raise SourceNotFoundError.at(place.url)
    alone = identifier(_Entry(place.name, is_folder=False, bytes=None).stem) or "sheet_1"
    if kind == "file":
        return [SheetFiles((alone,), (place,))]
    entries = _entries(place)
    held = _sheets_among(entries)
    if not held or all(entry.name.startswith(_PART) for _, entry in held):
        return [_parts(place, alone)]
    wanted = {sheet.casefold(): source for source, sheet in reading.sheets.items()}
    if wanted:
        told = [(wanted.get(entry.stem.casefold()), entry) for _, entry in held]
        held = [(source, entry) for source, entry in told if source is not None]
    return [_one_sheet(place.child(entry.name), [name]) for name, entry in held]


# ----------------------------------------------------------------------------- the parts of a sheet

#: How the names of the parts of one sheet begin, as Spark and its like write them.
_PART = "part-"


@dataclass(frozen=True)
class _Entry:
    """What a folder holds."""

    name: str
    is_folder: bool
    bytes: Optional[int]

    @property
    def stem(self) -> str:
        """The name without the ending of a file with one sheet."""
        endings = [end for end in SHEET_SUFFIXES if self.name.lower().endswith(end)]
        return self.name[: -max(map(len, endings))] if endings else self.name


def _entries(folder: Location) -> list[_Entry]:
    """List a folder in the order of names."""
    filesystem, path = folder.filesystem, folder.path.rstrip("/")
    listed = attempt(folder.url, lambda: filesystem.ls(path, detail=True))
    found = [
        _Entry(
            str(info["name"]).rstrip("/").replace("\\", "/").rpartition("/")[2],
            info.get("type") == "directory",
            _size(info),
        )
        for info in listed
        # NOTE: on S3 a folder may be an object of its own, and be listed in itself.
        if str(info["name"]).strip("/") != path.strip("/")
    ]
    return sorted(found, key=lambda entry: entry.name)


def _size(info: Mapping[str, Any]) -> Optional[int]:
    """Give a size; what is no file, such as a pipe, has none, and is not passed over as empty."""
    size: Optional[int] = info.get("size")
    return size or (None if info.get("type") == "other" else size)


def _is_part(entry: _Entry) -> bool:
    """Tell whether an entry is data, and none of the files that a job leaves beside it."""
    return not entry.is_folder and bool(entry.bytes != 0 and not _is_hidden(entry.name))


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_")) or name.lower().endswith((".crc", "_$folder$"))


def _parts(folder: Location, source: str) -> SheetFiles:
    """Find the parts of a sheet: the files of a folder that are not hidden, and not empty."""
    entries = _entries(folder)
    for reason in _reasons(entries):
        raise FileFormatError.unsupported(folder.url, *reason)
    parts = [entry for entry in entries if _is_part(entry)]
    if not parts:
        raise SourceNotFoundError.no_part(folder.url, source)
    places = tuple(folder.child(entry.name) for entry in parts)
    return SheetFiles((source,), places, folder, sum(entry.bytes or 0 for entry in parts))


def _reasons(entries: list[_Entry]) -> Iterator[tuple[str, str]]:
    """Give why the files of a folder may not be all that the sheet holds, or more than that."""
    folders = [entry.name for entry in entries if entry.is_folder]
    yield from (_LOGS[name] for name in folders if name in _LOGS)
    for name in folders:
        if not _is_hidden(name):
            yield (
                f"holds the folder {name!r} beside the parts of a sheet",
                "write it without partitions: what their names say would be lost",
            )
