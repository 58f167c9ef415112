"""The source as the last run saw it, kept so that the next one finds what changed.

It is no commit, and no truth: where anything about it is not as expected, it is as good as none,
and a run reads its source as a whole. Its files have fixed names beside the rejects, since they
hold what was read; the figures, which hold no cell, lie in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, NamedTuple, Optional

from aspen_etl.errors import AspenETLError, NotSupportedError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import read_small, take_away
from aspen_etl.io.writing import Data, make_folder, put
from aspen_etl.store.commit import STRICT, Commit, Moment
from aspen_etl.store.committing import claim_rejects
from aspen_etl.store.frames import checksum, read_bytes
from aspen_etl.store.listing import list_names
from aspen_etl.store.place import Place
from aspen_etl.store.sealing import sealed, unsealed
from aspen_etl.store.stored import StoredFile

__all__ = [
    "FormName",
    "KeptSheet",
    "KeptSource",
    "SheetFigures",
    "check_kept",
    "forget_kept",
    "keep_source",
    "load_kept",
    "read_kept",
]

_FOLDER = "_aspen/kept"
_NAME = "source.json"
_FIGURES = f"{_FOLDER}/{_NAME}"
#: What is kept of a sheet: its lines as they came, its cells as they were read, or what the state
#: of a landing folder does not tell of it.
FormName = Literal["lines", "cells", "landing"]
#: By form, what the names of a sheet's two files end in.
_ENDS: Mapping[FormName, tuple[str, str]] = {
    "lines": ("csv", "lines.csv"),
    "cells": ("arrow", "faults.csv"),
    "landing": ("cleaned.csv", "landing.csv"),
}


class KeptSheet(NamedTuple):
    """A sheet as it was read.

    Attributes:
        data: Its lines, or its cells.
        more: What else is known of them.
        rows: How many lines or rows they are.
        sha256: The checksum of ``data``.
    """

    data: Data
    more: Data
    rows: int
    sha256: str


@dataclass(frozen=True)
class SheetFigures:
    """Tell of a kept sheet; it holds no cell.

    Attributes:
        data: The file of its lines, or of its cells.
        lines: The file of what else is known of them.
        rows: How many rows it has, blank ones not counted.
        blank: How many blank ones.
        cells: How many cells are not missing, by column.
        repairs: How many were changed, by column.
        notes: What its reader noticed.
    """

    data: StoredFile
    lines: StoredFile
    rows: int
    blank: int
    cells: Mapping[str, int]
    repairs: Mapping[str, int]
    notes: Mapping[str, int]


@dataclass(frozen=True)
class KeptSource:
    """Tell which state of a source is kept; it holds no cell.

    Attributes:
        version: The version of the store that holds its state.
        token: That of the commit.
        settings: Options, model, functions and library as one.
        sheets: The sheets.
        short: How many runs came since the last one that read everything, each over what changed.
        proved: When that one was.
        elsewhere: Whether the files are below ``rejects_url``.
        form: Whether they hold lines, cells, or what goes with the state of a landing folder.
    """

    __pydantic_config__ = STRICT

    version: int
    token: str
    settings: str
    sheets: Mapping[str, SheetFigures] = field(repr=False)
    short: int
    proved: Moment
    elsewhere: bool = False
    form: FormName = "lines"

    def is_of(self, commit: Commit, settings: Optional[str], /) -> bool:
        """Tell whether it is what a commit was made of, read under the same settings."""
        return self.is_at(commit) and self.settings == settings

    def is_at(self, commit: Commit, /) -> bool:
        """Tell whether it is what a commit was made of, however it was read."""
        return (self.version, self.token) == (commit.version, commit.token)


def read_kept(place: Place, /) -> Optional[KeptSource]:
    """Read which state of a source is kept; none where there is none, or it lies elsewhere now."""
    found = _read_figures(place)
    if found is None or found.elsewhere != (place.rejects_root is not None):
        return None
    return found


def _read_figures(place: Place) -> Optional[KeptSource]:
    from aspen_etl.store.documents import read_if_whole

    data = read_small(place.root.child(_FIGURES))
    text = None if data is None else unsealed(data)
    return None if text is None else read_if_whole(KeptSource, text)


def load_kept(place: Place, kept: KeptSource, /) -> Optional[dict[str, KeptSheet]]:
    """Load what is kept; nothing where a file is gone, or is not what it was."""
    home = _home(place)
    try:
        return {n: _load(home, n, kept.form, figures) for n, figures in kept.sheets.items()}
    except AspenETLError:
        return None


def _load(home: Location, name: str, form: FormName, figures: SheetFigures) -> KeptSheet:
    files = (figures.data, figures.lines)
    data, more = (read_bytes(home.child(p), f) for p, f in zip(_paths(name, form), files))
    return KeptSheet(data, more, figures.data.rows, figures.data.sha256)


def keep_source(place: Place, kept: KeptSource, sheets: Mapping[str, KeptSheet], /) -> KeptSource:
    """Keep a source in the place of the one before; it is found when all of it is there.

    Args:
        place: The store.
        kept: What is known of it; the files of its sheets are described here.
        sheets: The sheets.

    Raises:
        NotSupportedError: The one before is elsewhere, and no ``rejects_url`` was given: nobody
            would know of it any more.
        RejectsPlaceError: It would go where another store's rejects are.
        SourceAccessError: The storage refuses.
        WriteError: The storage failed.
    """
    check_kept(place)
    claim_rejects(place, first=True)
    home, described = _home(place), {}
    kept = replace(kept, elsewhere=place.rejects_root is not None)
    _make_room(place, kept)
    make_folder(home.child(_FOLDER))
    for name, sheet in sheets.items():
        files = []
        held = ((sheet.data, sheet.sha256), (sheet.more, checksum(sheet.more)))
        for path, (data, digest) in zip(_paths(name, kept.form), held):
            put(home.child(path), data)
            files.append(StoredFile(path, len(data), sheet.rows, digest))
        described[name] = replace(kept.sheets[name], data=files[0], lines=files[1])
    kept = replace(kept, sheets=described)
    _put_figures(place, kept)
    return kept


def _make_room(place: Place, kept: KeptSource) -> None:
    """Take away what is kept in the other form, and let a purge know where to look."""
    before, home = read_kept(place), _home(place)
    turns = before is not None and before.form != kept.form
    if before is not None and turns:
        for name in {**before.sheets, **kept.sheets}:
            for path in _paths(name, before.form):
                take_away(home.child(path))
    if turns or (before is None and kept.elsewhere):
        _put_figures(place, replace(kept, sheets={}))


def _put_figures(place: Place, kept: KeptSource) -> None:
    make_folder(place.root.child(_FOLDER))
    words = {**asdict(kept), "proved": kept.proved.isoformat()}
    put(place.root.child(_FIGURES), sealed(words))


def check_kept(place: Place, /) -> None:
    """Make sure that what is kept of a source is where this store looks.

    Raises:
        NotSupportedError: It is elsewhere, and no ``rejects_url`` was given.
    """
    kept = _read_figures(place)
    if kept is not None and kept.elsewhere and place.rejects_root is None:
        msg = (
            f"what {place.url} keeps of its source is elsewhere; give rejects_url= (--rejects-url)"
        )
        raise NotSupportedError(msg, url=place.url)


def forget_kept(place: Place, /) -> int:
    """Take away what is kept of a source, as where a subject is erased; the cells first.

    That is all that lies there, also of a model whose sheets have other names.

    Returns:
        How many files went.

    Raises:
        ReadError: The storage does not say what is there.
        SourceAccessError: The storage refuses.
        WriteError: The storage failed.
    """
    homes = [place.root] if place.rejects_root is None else [place.rejects_root, place.root]
    folders = [home.child(_FOLDER) for home in homes]
    found = [(name, folder.child(name)) for folder in folders for name in list_names(folder)]
    files = [file for _, file in sorted(found, key=_is_named_last) if file.kind() == "file"]
    for file in files:
        take_away(file)
    return len(files)


def _is_named_last(found: tuple[str, Location]) -> bool:
    return found[0] == _NAME


def _home(place: Place) -> Location:
    return place.root if place.rejects_root is None else place.rejects_root


def _paths(name: str, form: FormName) -> tuple[str, str]:
    first, second = _ENDS[form]
    return f"{_FOLDER}/{name}.{first}", f"{_FOLDER}/{name}.{second}"
