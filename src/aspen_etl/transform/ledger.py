"""Which landed files were taken, by name and content: what is new, late, changed or gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, fields
from types import MappingProxyType
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.errors import LandingChangedError
from aspen_etl.transform.changing import KINDS, SourceChanges

__all__ = ["NUMBERS", "Entry", "LandedCounts", "Ledger", "add_counts", "count_files"]

#: What of an entry is no text.
NUMBERS = frozenset({"size", "rows"})

#: The words for files of all tables.
_ALL = "all tables"

_ANEW = "load anew into a new folder, as the next epoch"


@dataclass(frozen=True)
class Entry:
    """What is kept of a file.

    Attributes:
        path: Its name below the landing's folder.
        source: The source that it feeds; '' where it holds all tables.
        kind: ``load``, ``changes`` or ``transactions``.
        order: Its place among the files of its source and kind.
        content: What its content is known by.
        size: How many bytes it has.
        modified: When it was written, as its storage tells it, or ''.
        rows: How many rows it has.
        counts: How many of these each source has by kind, as ``LandedCounts`` writes it; '' for a
            file that holds what another one held.
        moment: The last time of a commit in it, of a file of transactions.
    """

    path: str
    source: str
    kind: str
    order: str
    content: str
    size: int
    modified: str
    rows: int = 0
    counts: str = ""
    moment: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What two files share that hold the same of the same."""
        return self.source, self.kind, self.content

    @property
    def state(self) -> tuple[int, str]:
        """What a listing tells of the content."""
        return self.size, self.modified


@dataclass(frozen=True)
class LandedCounts:
    """Count the rows of files by what they say; doubled files count once.

    Attributes:
        loaded: Rows of the full load.
        inserted: Insertions since.
        updated: Updates.
        deleted: Deletions.
    """

    loaded: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def __add__(self, other: LandedCounts) -> LandedCounts:
        """Add up."""
        return LandedCounts(*(a + b for a, b in zip(astuple(self), astuple(other))))

    @staticmethod
    def write(counts: Mapping[str, LandedCounts], /) -> str:
        """Give those of a file by source as one text, as an entry keeps it.

        Examples:
            >>> LandedCounts.write({"loan": LandedCounts(inserted=2)})
            '{"loan": [0, 2, 0, 0]}'
        """
        held = {source: astuple(each) for source, each in counts.items()}
        return json.dumps(held) if held else ""

    @classmethod
    def read(cls, text: str, /) -> dict[str, LandedCounts]:
        """Read that text."""
        held = json.loads(text) if text else {}
        return {source: cls(*numbers) for source, numbers in held.items()}


@dataclass(frozen=True, eq=False)
class Ledger:
    """Hold the files that were taken: a value, to which more are added.

    Attributes:
        entries: What is kept of each, by name.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Let nobody change the entries."""
        object.__setattr__(self, "entries", MappingProxyType(dict(self.entries)))

    def __reduce__(self) -> tuple[type[Ledger], tuple[dict[str, Entry]]]:
        """Travel without the view of the entries, which does not pickle."""
        return type(self), (dict(self.entries),)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: str) -> bool:
        return path in self.entries

    def with_entries(self, entries: Iterable[Entry], /) -> Ledger:
        """Give a ledger that has these, too."""
        return Ledger({**self.entries, **{entry.path: entry for entry in entries}})

    def of(self, source: str, kind: Optional[str] = None) -> Iterator[Entry]:
        """Give what there is of a source, of one kind or of all."""
        for entry in self.entries.values():
            if entry.source == source and kind in {None, entry.kind}:
                yield entry

    def floors(self) -> dict[tuple[str, str], str]:
        """Give the last place in the order of files that was taken, by source and kind."""
        out: dict[tuple[str, str], str] = {}
        for entry in self.entries.values():
            key = (entry.source, entry.kind)
            out[key] = max(out.get(key, ""), entry.order)
        return out

    def check_listed(self, listed: Mapping[str, tuple[int, str, Optional[str]]], /) -> list[str]:
        """Hold what was taken against what is listed now.

        Args:
            listed: Size, time and tag of each file, by name.

        Returns:
            The files that may have changed: their content must be looked at.

        Raises:
            LandingChangedError: Files are gone that must not, or have other content.
        """
        self._refuse_vanished(listed)
        changed, doubtful = [], []
        for path, entry in self.entries.items():
            if path not in listed:
                continue
            size, modified, tag = listed[path]
            if tag is not None and entry.content.startswith("etag:"):
                changed += [path] if tag != entry.content else []
            elif (size, modified) != entry.state:
                doubtful.append(path)
        self.refuse_changed(changed)
        return doubtful

    def refuse_changed(self, paths: Iterable[str], /) -> None:
        """Refuse files that have other content under a name that was taken.

        Raises:
            LandingChangedError: There are such files.
        """
        by_source: dict[str, list[str]] = {}
        for path in paths:
            by_source.setdefault(self.entries[path].source or _ALL, []).append(path)
        for source, found in by_source.items():
            told = (
                "files that were taken have other content now",
                f"two tasks write to one folder, or somebody else does: {_ANEW}",
            )
            raise LandingChangedError.of("changed", source, sorted(found), told)

    def _refuse_vanished(self, listed: Mapping[str, object]) -> None:
        """Refuse that a full load is gone, or all that a source had; changes may expire."""
        taken: dict[str, list[Entry]] = {}
        for entry in self.entries.values():
            taken.setdefault(entry.source, []).append(entry)
        for source, entries in taken.items():
            gone = [entry for entry in entries if entry.path not in listed]
            loads = [entry.path for entry in gone if entry.kind == "load"]
            if loads or (gone and len(gone) == len(entries)):
                told = (
                    "files that were taken are gone",
                    f"a TRUNCATE, a DROP or a reload does that: put them back, or {_ANEW}",
                )
                paths = loads or [entry.path for entry in gone]
                raise LandingChangedError.of("vanished", source or _ALL, sorted(paths), told)

    def counts(self) -> dict[str, LandedCounts]:
        """Count what was taken by source."""
        return add_counts(LandedCounts.read(entry.counts) for entry in self.entries.values())

    def digest(self) -> str:
        """Name the files that were taken, and their content."""
        held = sorted((path, entry.content) for path, entry in self.entries.items())
        return hashlib.sha256(json.dumps(held).encode()).hexdigest()

    # ------------------------------------------------------------------------- as a frame

    def to_frame(self) -> pd.DataFrame:
        """Give it as a frame, by name."""
        held = sorted(self.entries.values(), key=lambda entry: entry.path)
        columns = {}
        for each in fields(Entry):
            values = [getattr(entry, each.name) for entry in held]
            is_number = each.name in NUMBERS
            columns[each.name] = (
                pd.Series(values, dtype="int64")
                if is_number
                else conform_text(pd.Series(values, dtype=object))
            )
        return pd.DataFrame(columns)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, /) -> Ledger:
        """Make one of the frame that ``to_frame`` gives."""
        names = [each.name for each in fields(Entry)]
        rows = zip(*(frame[name].fillna("").tolist() for name in names))
        return cls({entry.path: entry for entry in (Entry(*row) for row in rows)})


def add_counts(found: Iterable[Mapping[str, LandedCounts]], /) -> dict[str, LandedCounts]:
    """Add up counts by source."""
    out: dict[str, LandedCounts] = {}
    for counts in found:
        for source, held in counts.items():
            out[source] = out.get(source, LandedCounts()) + held
    return out


def count_files(
    found: Iterable[tuple[str, SourceChanges]], /
) -> dict[str, dict[str, LandedCounts]]:
    """Count the changes of each file by source.

    Args:
        found: Changes, each with its source; those of a file may stand in several.

    Returns:
        The counts by the name of the file and by source.
    """
    out: dict[str, dict[str, LandedCounts]] = {}
    width = len(KINDS)
    for source, changes in found:
        places = changes.files * width + changes.kinds
        counted = np.bincount(places, minlength=width * len(changes.names))
        for name, numbers in zip(changes.names, counted.reshape(-1, width).tolist()):
            held = out.setdefault(name, {})
            held[source] = held.get(source, LandedCounts()) + LandedCounts(*numbers)
    return out
