"""One batch of a landing folder: which files are read, and which of their rows are taken now.

A file that is younger than the lag may not be the last of its transaction: no row that is as young
as its oldest one is taken before it is. So a transaction, whose rows share one time, comes whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import numpy as np

from aspen_etl.columns.rows import are_present
from aspen_etl.columns.threads import UNKNOWN_ROWS, map_ahead
from aspen_etl.errors import LandingChangedError, LandingOrderError, LimitExceededError
from aspen_etl.io.landed_names import LandedName
from aspen_etl.io.landed_rows import read_changes
from aspen_etl.io.landed_together import count_lines, read_together
from aspen_etl.io.landing import LandedFile, LandedFolder
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import Landing
from aspen_etl.transform.changing import LOAD, SourceChanges
from aspen_etl.transform.ledger import Entry, Ledger

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["Batch", "BatchReader"]

#: How many files are loaded at once.
_AHEAD = 8

_NEW_EPOCH = "load into a new folder, and declare it as the next epoch"


@dataclass(frozen=True)
class Batch:
    """Hold what is taken now.

    Attributes:
        changes: The changes by source, those that wait left out.
        taken: The files of which each row was taken, as the ledger keeps them.
        pending: The names of those that wait, in whole or in part.
        loads: How many rows of full loads there are by source, none counted twice.
        others: How many rows of transaction files are of other tables.
    """

    changes: Mapping[str, SourceChanges] = field(repr=False)
    taken: tuple[Entry, ...]
    pending: tuple[str, ...]
    loads: Mapping[str, int]
    others: int


@dataclass(frozen=True)
class _Read:
    """A file that was read, or is read with others later on.

    Attributes:
        entry: What the ledger keeps of it.
        changes: Its changes by source; none of a double.
        others: How many of its rows are of other tables.
        double_of: The file that holds the same.
        alike: Its bytes, and what those that are read together have in common.
    """

    entry: Entry
    changes: Mapping[str, SourceChanges]
    others: int
    double_of: Optional[str] = None
    alike: Optional[tuple[tuple[str, str, bytes], LandedName, bytes]] = None


def listed_state(file: LandedFile) -> tuple[int, str]:
    """Give what a listing tells of the content of a file: size and time."""
    return file.size, file.modified.isoformat() if file.modified else ""


@dataclass(frozen=True)
class BatchReader:
    """Read a batch.

    Attributes:
        landing: The folder and its tables.
        model: The model.
        limits: How much to take in: of one file, and how many rows at once.
        until: Files that are younger than the landing's lag by then wait.
    """

    landing: Landing
    model: Model
    limits: ReadLimits
    until: dt.datetime

    def read(self, folder: LandedFolder, ledger: Ledger) -> Batch:
        """Read what is new in a folder.

        Raises:
            LandingChangedError: The folder is not what it was.
            ExtractError: A file is not what it should be.
            LimitExceededError: No row can be taken within the limits.
        """
        self.check_listed(folder, ledger)
        ready, young = self.part(folder, ledger)
        read: list[_Read] = []
        known = {entry.source for entry in ledger.entries.values()}
        seen = {entry.identity: path for path, entry in ledger.entries.items()}
        rows = 0
        for at, (file, loaded) in enumerate(zip(ready, self._load(ready))):
            found = self._read(file, loaded, seen)
            self._refuse_double_below(found, ledger)
            # The rows of a full load are taken at once: the state holds them all.
            rows += 0 if found.entry.kind == "load" else found.entry.rows
            if rows > self.limits.max_rows and read:
                young = ready[at:] + young
                break
            self._refuse_reload(found, known)
            read.append(found)
        waiting = [file.name.path for file in young]
        batch = _cut(read, self._read_alike(read), self._oldest(young), waiting)
        if rows > self.limits.max_rows and not any(map(len, batch.changes.values())):
            raise LimitExceededError.of(
                folder.url,
                "the rows of files that can be taken at once are at least",
                limit="max_rows",
                allowed=self.limits.max_rows,
                found=rows,
            )
        return batch

    def part(
        self, folder: LandedFolder, ledger: Ledger
    ) -> tuple[list[LandedFile], list[LandedFile]]:
        """Part what is new in a folder: what can be taken, and what is too young for that."""
        fresh = [file for file in folder.files if file.name.path not in ledger]
        ready = [file for file in fresh if not self._is_young(file)]
        return ready, [file for file in fresh if self._is_young(file)]

    def _is_young(self, file: LandedFile) -> bool:
        """Tell whether a file waits; whether a full load is over, no lag tells."""
        written = file.written
        is_load = file.name.kind == "load"
        return not is_load and written is not None and written > self.until - self.landing.lag

    def check_listed(self, folder: LandedFolder, ledger: Ledger) -> None:
        """Hold what was taken against what lies there now.

        Raises:
            LandingChangedError: The folder is not what it was.
        """
        files = {file.name.path: file for file in folder.files}
        listed = {path: (*listed_state(file), file.tag) for path, file in files.items()}
        doubtful = ledger.check_listed(listed)
        contents = {path: files[path].read(self.limits)[1] for path in doubtful}
        ledger.refuse_changed(
            path for path, content in contents.items() if content != ledger.entries[path].content
        )

    def _load(self, files: Sequence[LandedFile]) -> Iterator[tuple[bytes, str]]:
        """Load files ahead of who reads them: a storage takes its time for each."""
        return map_ahead(
            lambda file: file.read(self.limits),
            files,
            rows=UNKNOWN_ROWS,
            ahead=_AHEAD,
            workers=_AHEAD,
        )

    def _read(
        self, file: LandedFile, loaded: tuple[bytes, str], seen: dict[tuple[str, str, str], str]
    ) -> _Read:
        data, content = loaded
        name = file.name
        told = (name.path, name.source or "", name.kind, name.order, content, *listed_state(file))
        lines = count_lines(data, name, self.landing)
        if lines is not None:
            entry = Entry(*told, lines)
            first = seen.setdefault(entry.identity, name.path)
            key = (entry.source, entry.kind, data[: data.index(b"\n")])
            if first != name.path:
                return _Read(entry, {}, 0, first)
            return _Read(entry, {}, 0, None, (key, name, data))
        found = read_changes(data, name, (self.landing, self.model), self.limits)
        entry = Entry(*told, found.others + sum(map(len, found.changes.values())))
        first = seen.setdefault(entry.identity, name.path)
        if first != name.path:
            return _Read(entry, {}, found.others, first)
        return _Read(entry, found.changes, found.others)

    def _read_alike(self, read: Sequence[_Read]) -> list[tuple[str, SourceChanges]]:
        """Read the files together that have one header; give all changes, each with its source."""
        groups: dict[tuple[str, str, bytes], list[tuple[LandedName, bytes]]] = {}
        for found in read:
            if found.alike is not None:
                key, name, data = found.alike
                groups.setdefault(key, []).append((name, data))
        out = [
            (source, changes)
            for (source, _, _), files in groups.items()
            for changes in read_together(files, (self.landing, self.model), self.limits)
        ]
        return out + [each for found in read for each in found.changes.items()]

    def _refuse_double_below(self, found: _Read, ledger: Ledger) -> None:
        """Refuse a file whose copy was taken under a later name, where names are the order."""
        first = ledger.entries.get(found.double_of or "")
        if self.landing.order != "transactions" or first is None:
            return
        if found.entry.kind == first.kind and found.entry.order < first.order:
            told = (
                "a file came later than its copy, which was taken in its place in the order",
                "copies must not lie here: load the tables anew into the next epoch",
            )
            paths = [found.entry.path, first.path]
            raise LandingOrderError.of("ambiguous", "all tables", paths, 1, told)

    def _refuse_reload(self, found: _Read, known: Collection[str]) -> None:
        """Refuse a full load that is new after the table was taken, and no double of one."""
        entry = found.entry
        is_new = entry.kind == "load" and found.double_of is None
        if not is_new or entry.source not in known:
            return
        told = ("files of a full load are new, though the table was taken", _NEW_EPOCH)
        raise LandingChangedError.of("reload", entry.source, [entry.path], told)

    # ------------------------------------------------------------------------- the cut

    def _oldest(self, young: Sequence[LandedFile]) -> Optional[str]:
        """Give the oldest time of a commit in files that wait."""
        moments = [moment for file in young for moment in self._moments(file)]
        return min(moments, default=None)

    def _moments(self, file: LandedFile) -> Iterator[str]:
        data, _ = file.read(self.limits)
        told = read_changes(data, file.name, (self.landing, self.model), self.limits)
        for changes in told.changes.values():
            if changes.moments is not None:
                held = changes.moments[changes.kinds != LOAD]
                yield from [held.min()] if len(held) else []


def _cut(
    read: Sequence[_Read],
    found: Sequence[tuple[str, SourceChanges]],
    cut: Optional[str],
    waiting: Sequence[str],
) -> Batch:
    """Take what was committed before a time, and tell which files hold more than that."""
    parts: dict[str, list[SourceChanges]] = {}
    taken, pending = [], set(waiting)
    for source, changes in found:
        rows = _before(changes, cut)
        if len(rows) < len(changes):
            left = np.setdiff1d(np.arange(len(changes)), rows)
            pending.update(changes.names[file] for file in np.unique(changes.files[left]).tolist())
        if len(rows):
            part = changes if len(rows) == len(changes) else changes.take(rows)
            parts.setdefault(source, []).append(part)
    loads: dict[str, int] = {}
    for each in read:
        entry = each.entry
        if entry.kind == "load" and each.double_of is None:
            loads[entry.source] = loads.get(entry.source, 0) + entry.rows
        if entry.path in pending or each.double_of in pending:  # a double waits with the first
            pending.add(entry.path)
        else:
            taken.append(entry)
    changes_of = {source: SourceChanges.join(held) for source, held in parts.items()}
    others = sum(each.others for each in read)
    return Batch(changes_of, tuple(taken), tuple(sorted(pending)), loads, others)


def _before(
    changes: SourceChanges, cut: Optional[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Give the rows that were committed before a time; those of a full load all are."""
    if cut is None or changes.moments is None:
        return np.arange(len(changes), dtype=np.int64)
    held = are_present(changes.moments)
    earlier = np.ones(len(changes), dtype=bool)
    earlier[held] = (changes.moments[held] < cut).to_numpy(dtype=bool)
    return np.flatnonzero(earlier)
