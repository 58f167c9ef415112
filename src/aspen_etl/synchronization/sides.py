"""The sides of a comparison: what each may be, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Optional, Protocol, Union, cast, runtime_checkable

import pandas as pd

from aspen_etl.errors import ArgumentError
from aspen_etl.io.extract import read_extract
from aspen_etl.io.places import Source
from aspen_etl.io.reading import Reading
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.values import Extract, Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.landing import read_landing
from aspen_etl.synchronization.spilling import Spill, Spilled
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.siding import Side, side_of_extract, side_of_tables
from aspen_etl.transform.suppressing import Suppression, leave_out
from aspen_etl.transform.table_rows import TableRows

__all__ = [
    "AnySide",
    "Look",
    "Looking",
    "Readable",
    "can_change",
    "commit_of",
    "kind_of",
    "model_of",
    "store_of",
]

#: What a side is once it is read.
Held = Union[Extract, Snapshot, Tables]


@runtime_checkable
class Readable(Protocol):
    """What reads a database each time: flat tables as an extract, or the tables of the model."""

    def read(self) -> Held:
        """Read it, as of one moment."""


#: What can be compared: values; files, a landing, a store or a version of one; or what reads.
Value = Union[Extract, Snapshot, Tables]
AnySide = Union[
    Value, Source, Landing, SnapshotStore, tuple[SnapshotStore, int], Readable, Callable[[], Held]
]


@runtime_checkable
class ReadsSheets(Protocol):
    """What reads flat tables of a database some rows at a time, too."""

    def read_sheets(self, use: Callable[[str, pd.DataFrame, pd.DataFrame], None], /) -> None:
        """Hand over a sheet, some of its rows, and the faults among them, again and again."""


@runtime_checkable
class ReadsTables(Protocol):
    """What reads the tables of a model from a database some rows at a time, too."""

    def read_tables(self, use: Callable[[str, pd.DataFrame], None], /) -> None:
        """Hand over a table and some of its rows, again and again."""


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of a side at one look.

    Attributes:
        seen: Its rows in the form that is compared, or where they were spilled to.
        version: The version that was read, where it is a store.
        watermark: The time of the youngest change in it, if that is known.
    """

    seen: Union[Side, TableRows, Spilled] = field(repr=False)
    version: Optional[int] = None
    watermark: Optional[str] = None


@dataclass(frozen=True)
class Looking:
    """Say how sides are looked at.

    Attributes:
        how: Whose the rows are.
        run: When this is.
        reading: How files are read.
        suppression: Who is left out of what is read.
        key: The secret of the digests.
        as_tables: Whether tables are compared as they are.
        spill: Where sides are spilled to that are not to be in memory.
    """

    how: Partitioning
    run: Run
    reading: Reading
    suppression: Optional[Suppression] = field(default=None, repr=False)
    key: bytes = field(default=b"", repr=False)
    as_tables: bool = False
    spill: Optional[Spill] = None

    def look(self, given: AnySide, /) -> Look:
        """Read a side and bring it to the form that is compared.

        Raises:
            ArgumentError: Tables are compared as they are, and it holds none.
            AspenETLError: What reading it raises.
        """
        if isinstance(given, Landing):
            extract, watermark = self._read_landing(given)
            return Look(self._hold(extract), watermark=watermark)
        commit = commit_of(given)
        if commit is not None:
            watermark = None if commit.landing is None else commit.landing.watermark
            store = cast("SnapshotStore", store_of(given))
            return Look(self._read_store(store, commit.version), commit.version, watermark)
        if self.spill is not None:
            spilled = self._spill(given, self.spill)
            if spilled is not None:
                return Look(spilled)
        return Look(self._hold(self._read(given)))

    def form(self, held: Held, /) -> Union[Side, TableRows]:
        """Bring rows of whole subjects to the form that is compared."""
        if isinstance(held, Extract):
            if self.as_tables:
                msg = "tables=True compares tables as they are, and a side is flat; leave it out"
                raise ArgumentError(msg, problem="side")
            left, _ = leave_out(held, self.how.model, self.suppression)
            return side_of_extract(left, self.how, self.key)
        tables = held.tables if isinstance(held, Snapshot) else held
        if self.as_tables:
            return TableRows.of(tables, self.how, self.key)
        return side_of_tables(tables, self.how, self.key)

    def _hold(self, held: Held) -> Union[Side, TableRows, Spilled]:
        if self.spill is None:
            return self.form(held)
        if isinstance(held, Extract):
            return self.spill.source(held)
        return self.spill.frames(held.tables if isinstance(held, Snapshot) else held)

    def _read_store(self, store: SnapshotStore, version: int) -> Union[Side, TableRows, Spilled]:
        if self.spill is None:
            return self.form(store.read(version))
        return self.spill.store(store.place, version)

    def _spill(self, given: AnySide, spill: Spill) -> Optional[Spilled]:
        """Spill what is read in part; none of what is read whole."""
        if isinstance(given, ReadsSheets):
            return spill.sheets(given.read_sheets)
        if isinstance(given, ReadsTables):
            return spill.tables(given.read_tables)
        if isinstance(given, (Extract, Snapshot, Tables, Readable)) or callable(given):
            return None
        return spill.source(_files(given))

    def _read(self, given: AnySide) -> Held:
        if isinstance(given, (Extract, Snapshot, Tables)):
            return given
        if isinstance(given, Readable):
            return given.read()
        if callable(given):
            return given()
        return read_extract(_files(given), model=self.how.model, **self.reading.keywords())

    def _read_landing(self, landing: Landing) -> tuple[Extract, Optional[str]]:
        """Replay a landing from its first file, however many rows are taken at once."""
        state: Optional[LandingState] = None
        while True:
            found = read_landing(
                landing,
                model=self.how.model,
                until=self.run.time,
                state=state,
                limits=self.reading.limits,
                storage_options=self.reading.storage_options,
            )
            if not (found.taken and found.pending):
                return found.extract, found.watermark
            state = found.state


def _files(given: AnySide) -> Source:
    if isinstance(given, Mapping) and any(isinstance(e, pd.DataFrame) for e in given.values()):
        msg = "frames by name may be of either shape; make ae.Extract or ae.Tables of them"
        raise ArgumentError(msg, problem="side")
    return cast("Source", given)


def kind_of(given: AnySide, held: Look, /) -> str:
    """Name what a side is."""
    if isinstance(given, Landing):
        return "landing"
    if held.version is not None:
        return "store"
    if isinstance(given, Extract):
        return "extract"
    if isinstance(given, (Snapshot, Tables)):
        return "tables"
    return "database" if isinstance(given, Readable) or callable(given) else "files"


def can_change(given: AnySide, /) -> bool:
    """Tell whether another look at a side may see something else."""
    return not isinstance(given, (Extract, Snapshot, Tables, tuple))


def store_of(given: AnySide, /) -> Optional[SnapshotStore]:
    """Give the store of a side, if it is one.

    Raises:
        ArgumentError: A pair is no store and version.
    """
    if isinstance(given, SnapshotStore):
        return given
    if not isinstance(given, tuple):
        return None
    if len(given) == 2 and isinstance(given[0], SnapshotStore):  # noqa: PLR2004 - a pair
        return given[0]
    msg = "a side that is a tuple is a store and a version, as in (store, 3)"
    raise ArgumentError(msg, problem="side")


def commit_of(given: AnySide, /) -> Optional[Commit]:
    """Give the commit of a store, the newest or the version that is named; none of others.

    Raises:
        VersionNotFoundError: There is none.
        ArgumentError: A pair is no store and version.
    """
    store = store_of(given)
    if store is None:
        return None
    return store.find(given[1] if isinstance(given, tuple) else None)


def model_of(*sides: AnySide) -> Optional[Model]:
    """Give the model of the first side that has one."""
    for given in sides:
        model = getattr(given[0] if isinstance(given, tuple) and given else given, "model", None)
        if isinstance(model, Model):
            return model
    return None
