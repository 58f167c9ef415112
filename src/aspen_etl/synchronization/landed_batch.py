"""One batch of a landing folder: which files are read, and which of their rows are taken now.

A file that is younger than the lag may not be the last of its transaction: no row that is as young
as its oldest one is taken before it is. So a transaction, whose rows share one time, comes whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from aspen_etl.synchronization.landed_cut import Batch, ReadFile, cut_batch
from aspen_etl.transform.changing import LOAD, SourceChanges
from aspen_etl.transform.ledger import Entry, Ledger
from aspen_etl.transform.suppressing import Suppression, are_hidden

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["BatchReader"]

#: How many files are loaded at once.
_AHEAD = 8

_NEW_EPOCH = "load into a new folder, and declare it as the next epoch"


def _listed_state(file: LandedFile) -> tuple[int, str]:
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
        suppression: Who is left out.
    """

    landing: Landing
    model: Model
    limits: ReadLimits
    until: dt.datetime
    suppression: Optional[Suppression] = None

    def read(self, folder: LandedFolder, ledger: Ledger) -> Batch:
        """Read what is new in a folder.

        Raises:
            LandingChangedError: The folder is not what it was.
            ExtractError: A file is not what it should be.
            LimitExceededError: No row can be taken within the limits.
        """
        self.check_listed(folder, ledger)
        ready, young = self.part(folder, ledger)
        read: list[ReadFile] = []
        known = {entry.source for entry in ledger.entries.values()}
        # Of files that hold the same the first in the order of names is the one that others copy.
        lowest = sorted(ledger.entries.values(), key=lambda entry: entry.order, reverse=True)
        seen = {entry.identity: entry.path for entry in lowest}
        rows = 0
        for at, (file, loaded) in enumerate(zip(ready, self.load(ready))):
            found = self._read(file, loaded, seen)
            self._refuse_double_below(found, ledger)
            # The rows of a full load are taken at once: the state holds them all.
            rows += 0 if found.entry.kind == "load" else found.entry.rows
            if rows > self.limits.max_rows and read:
                young = ready[at:] + young
                break
            self._refuse_reload(found, known)
            read.append(found)
        self._refuse_unsure(read, ledger)
        waiting = [file.name.path for file in young]
        batch = cut_batch(read, self._read_alike(read), self._oldest(young), waiting)
        if rows > self.limits.max_rows and not any(map(len, batch.changes.values())):
            raise LimitExceededError.of(
                folder.url,
                "the rows of files that can be taken at once are at least",
                limit="max_rows",
                allowed=self.limits.max_rows,
                found=rows,
            )
        return self._without_suppressed(batch)

    def _without_suppressed(self, batch: Batch) -> Batch:
        """Leave out the changes of suppressed subjects: of a deletion that names none, the key."""
        if self.suppression is None:
            return batch
        changes = dict(batch.changes)
        suppressed = {}
        for source, found in batch.changes.items():
            changes[source] = self.visible(source, found)
            if len(changes[source]) < len(found):
                suppressed[source] = len(found) - len(changes[source])
        return replace(batch, changes=changes, suppressed=suppressed)

    def visible(self, source: str, found: SourceChanges) -> SourceChanges:
        """Give the changes of those who are not left out."""
        if self.suppression is None:
            return found
        cells = found.cells[list(self.model.sources[source].columns)]
        hidden = are_hidden(cells, source, self.model, self.suppression)
        return found.take(np.flatnonzero(~hidden)) if hidden.any() else found

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
        listed = {path: (*_listed_state(file), file.tag) for path, file in files.items()}
        doubtful = ledger.check_listed(listed)
        contents = {path: files[path].read(self.limits)[1] for path in doubtful}
        ledger.refuse_changed(
            path for path, content in contents.items() if content != ledger.entries[path].content
        )

    def load(self, files: Sequence[LandedFile]) -> Iterator[tuple[bytes, str]]:
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
    ) -> ReadFile:
        data, content = loaded
        name = file.name
        told = (name.path, name.source or "", name.kind, name.order, content, *_listed_state(file))
        lines = count_lines(data, name, self.landing)
        if lines is not None:
            entry = Entry(*told, lines)
            first = seen.setdefault(entry.identity, name.path)
            key = (entry.source, entry.kind, data[: data.index(b"\n")])
            if first != name.path:
                return ReadFile(entry, {}, 0, first)
            return ReadFile(entry, {}, 0, None, (key, name, data))
        found = read_changes(data, name, (self.landing, self.model), self.limits)
        entry = Entry(*told, found.others + sum(map(len, found.changes.values())))
        if name.kind == "transactions":
            entry = replace(entry, moment=_last_moment(found.changes.values()))
        first = seen.setdefault(entry.identity, name.path)
        if first != name.path:
            return ReadFile(entry, {}, found.others, first)
        return ReadFile(entry, found.changes, found.others)

    def _read_alike(self, read: Sequence[ReadFile]) -> list[tuple[str, SourceChanges]]:
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

    def _refuse_double_below(self, found: ReadFile, ledger: Ledger) -> None:
        """Refuse a file whose copy was taken under a later name, where names are the order."""
        first = ledger.entries.get(found.double_of or "")
        if first is None or first.kind != "transactions":
            return
        if found.entry.order < first.order:
            told = (
                "a file came later than its copy, which was taken in its place in the order",
                "copies must not lie here: load the tables anew into the next epoch",
            )
            paths = [found.entry.path, first.path]
            raise LandingOrderError.of("ambiguous", "all tables", paths, 1, told)

    def _refuse_unsure(self, read: Sequence[ReadFile], ledger: Ledger) -> None:
        """Refuse a file of transactions that is a copy, or a change back: nobody can tell.

        It is a copy where a file between the two is of a later commit: transactions come in the
        order of their commits. Where none is between them, it changes nothing.
        """
        doubles = [each.entry for each in read if each.double_of and each.entry.moment]
        if not doubles:
            return
        known = [*ledger.entries.values(), *(each.entry for each in read)]
        others = [entry for entry in known if entry.kind == "transactions"]
        for entry in doubles:
            first = min(e.order for e in others if e.identity == entry.identity)
            between = [e for e in others if first < e.order < entry.order]
            between = [e for e in between if e.identity != entry.identity]
            if between and all(e.moment <= entry.moment for e in between):
                why = (
                    "a file holds what one before it holds, and the files between them are of the "
                    "same commit time: it is a copy, or it changes back what they changed"
                )
                told = (why, "let no copies lie here, and load the tables anew into the next epoch")
                paths = [entry.path, *(e.path for e in between[:1])]
                raise LandingOrderError.of("ambiguous", "all tables", paths, 1, told)

    def _refuse_reload(self, found: ReadFile, known: Collection[str]) -> None:
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


def _last_moment(changes: Iterable[SourceChanges]) -> str:
    """Give the last time of a commit in changes."""
    held = [each.moments[are_present(each.moments)] for each in changes if each.moments is not None]
    return max((str(moments.max()) for moments in held if len(moments)), default="")
