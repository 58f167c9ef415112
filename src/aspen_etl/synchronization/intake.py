"""What a landing folder has for a run: listed first, and read where something is new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Optional

from aspen_etl.io.landing import LandedFolder, list_landing
from aspen_etl.schema.landing import OnGap
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.landed import Landed, load_ledger, load_sources
from aspen_etl.store.place import Place
from aspen_etl.synchronization.landed_batch import BatchReader
from aspen_etl.synchronization.landing import (
    LandingRead,
    check_declared,
    read_listed,
)
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.ledger import Ledger
from aspen_etl.transform.losses import Finding

__all__ = ["Intake", "LandingReport"]

#: From how many files on, and how long after the last commit, what was taken is committed also
#: where no table changed: until then the same files are read again, which changes nothing.
_MANY_FILES = 200
_LONG = dt.timedelta(hours=1)


@dataclass(frozen=True)
class LandingReport:
    """Tell what was taken of a landing folder; it holds no cell value.

    Attributes:
        epoch: Which full load it is of.
        watermark: The time of the youngest commit of the database that was taken, as text in UTC.
        files: How many files were taken now.
        rows: How many rows they have, doubled ones too.
        pending: How many files wait, in whole or in part.
        changed: How many keys of each source have another row, came or went.
        findings: What was counted by source and problem, and is no error; of one column as in
            ``cut_cells.note``.
        unknown: How many files have a name that says nothing.
        others: How many rows of transaction files are of other tables.
        heard: When the newest file of the heartbeat was written, in ISO form, if there is one.
    """

    epoch: int
    watermark: Optional[str]
    files: int
    rows: int
    pending: int
    changed: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unknown: int = 0
    others: int = 0
    heard: Optional[str] = None

    @classmethod
    def of(cls, found: LandingRead, /) -> LandingReport:
        """Tell what was read."""
        return cls(
            found.state.epoch,
            found.watermark,
            len(found.taken),
            sum(entry.rows for entry in found.taken),
            len(found.pending),
            {name: count for name, count in found.changed.items() if count},
            {
                name: {_key(each): each.count for each in told}
                for name, told in found.findings.items()
            },
            found.unknown,
            found.others,
            None if found.heard is None else found.heard.isoformat(),
        )


def _key(found: Finding) -> str:
    return found.problem if found.column is None else f"{found.problem}.{found.column}"


@dataclass(frozen=True, eq=False)
class Intake:
    """A landing folder as it was listed, beside what the newest commit knows of it.

    Attributes:
        reader: What reads it.
        folder: What lies there.
        ledger: Which files the newest commit took.
        place: The store.
        newest: Its newest commit, if there is one.
        on_gap: What a change does that does not follow from the one before.
    """

    reader: BatchReader
    folder: LandedFolder
    ledger: Ledger = field(repr=False)
    place: Place
    newest: Optional[Commit]
    on_gap: OnGap

    @classmethod
    def look(
        cls,
        reader: BatchReader,
        place: Place,
        newest: Optional[Commit],
        /,
        *,
        storage_options: Optional[Mapping[str, Any]],
        on_gap: OnGap,
    ) -> Intake:
        """List a folder, and hold it against what was taken of it.

        Raises:
            LandingChangedError: It is not what it was.
            LandedFileError: Files of more than one form or layout lie there.
            SourceNotFoundError: There is no such folder.
        """
        record = None if newest is None else newest.landing
        check_declared(reader, record)
        goes_on = record is not None and record.epoch == reader.landing.epoch
        ledger = load_ledger(place, newest if goes_on else None)
        folder = list_landing(reader.landing, storage_options)
        reader.check_listed(folder, ledger)
        return cls(reader, folder, ledger, place, newest, on_gap)

    @property
    def is_new(self) -> bool:
        """Whether there is a file to take, or nothing was taken yet."""
        is_first = self.newest is None or self.newest.landing is None
        return is_first or bool(self.reader.part(self.folder, self.ledger)[0])

    @cached_property
    def found(self) -> LandingRead:
        """What is read of it.

        Raises:
            AspenETLError: What ``read_landing`` raises.
        """
        return read_listed(self.reader, self.folder, self._state(), on_gap=self.on_gap)

    def _state(self) -> Optional[LandingState]:
        newest, record = self.newest, None if self.newest is None else self.newest.landing
        if newest is None or record is None:
            return None
        sources = load_sources(self.place, newest)
        return LandingState(record.epoch, sources, self.ledger, record.watermark)

    @property
    def declared(self) -> list[Any]:
        """What its rows depend on beside its files."""
        return [self.reader.landing.to_dict(), self.on_gap]

    @property
    def was_read(self) -> bool:
        """Whether this run read it."""
        return "found" in self.__dict__

    def state_name(self) -> list[Any]:
        """Name what was taken: by this run if it read, else by the newest commit."""
        if self.was_read:
            return [self.found.ledger.digest(), self.found.watermark]
        record = None if self.newest is None else self.newest.landing
        return [self.ledger.digest(), None if record is None else record.watermark]

    def landed(self, run: Run) -> Landed:
        """Give what is committed of it."""
        found, newest = self.found, self.newest
        is_late = newest is not None and run.time - newest.time >= _LONG
        is_other = newest is None or newest.landing is None or found.before.epoch != _epoch(newest)
        due = is_other or (bool(found.taken) and (len(found.taken) >= _MANY_FILES or is_late))
        taken = frozenset(entry.path for entry in found.taken)
        return Landed(self.place, found.state, found.at, taken, due)


def _epoch(commit: Commit) -> Optional[int]:
    return None if commit.landing is None else commit.landing.epoch
