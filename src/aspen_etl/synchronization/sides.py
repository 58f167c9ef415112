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
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.siding import Side, side_of_extract, side_of_tables
from aspen_etl.transform.suppressing import Suppression, leave_out

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


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of a side at one look.

    Attributes:
        side: Its rows.
        version: The version that was read, where it is a store.
        watermark: The time of the youngest change in it, if that is known.
    """

    side: Side = field(repr=False)
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
    """

    how: Partitioning
    run: Run
    reading: Reading
    suppression: Optional[Suppression] = field(default=None, repr=False)
    key: bytes = field(default=b"", repr=False)

    def look(self, given: AnySide, /) -> Look:
        """Read a side and bring it to its flat form.

        Raises:
            AspenETLError: What reading it raises.
        """
        if isinstance(given, Landing):
            extract, watermark = self._read_landing(given)
            return Look(self._side(extract), watermark=watermark)
        commit = commit_of(given)
        if commit is not None:
            watermark = None if commit.landing is None else commit.landing.watermark
            store = cast("SnapshotStore", store_of(given))
            return Look(self._side(store.read(commit.version)), commit.version, watermark)
        return Look(self._side(self._read(given)))

    def _side(self, held: Held) -> Side:
        if isinstance(held, Extract):
            left, _ = leave_out(held, self.how.model, self.suppression)
            return side_of_extract(left, self.how, self.key)
        tables = held.tables if isinstance(held, Snapshot) else held
        return side_of_tables(tables, self.how, self.key)

    def _read(self, given: AnySide) -> Held:
        if isinstance(given, (Extract, Snapshot, Tables)):
            return given
        if isinstance(given, Readable):
            return given.read()
        if callable(given):
            return given()
        if isinstance(given, Mapping) and any(isinstance(e, pd.DataFrame) for e in given.values()):
            msg = "frames by name may be of either shape; make ae.Extract or ae.Tables of them"
            raise ArgumentError(msg, problem="side")
        source = cast("Source", given)
        return read_extract(source, model=self.how.model, **self.reading.keywords())

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
