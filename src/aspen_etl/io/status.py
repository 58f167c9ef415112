"""When a store was committed to and looked at last: what a monitor asks."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional

from aspen_etl.errors import ReadError, SourceAccessError, SourceNotFoundError, WriteError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.store_reader import StoreReader
from aspen_etl.io.writing import make_folder, put
from aspen_etl.schema.frames import Run

__all__ = ["StoreStatus", "read_note", "read_status", "write_note"]

_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class StoreStatus:
    """Tell how a store is.

    Attributes:
        url: The store, without anything secret.
        version: The newest version, 0 where nothing was committed yet.
        committed: When it was committed, in ISO form.
        commit_age: How many seconds ago that was.
        oldest_readable: The oldest version that can be read.
        hold: The version that put the store on hold, if it is.
        looked: When the last run began, in ISO form.
        look_age: How many seconds ago that was.
        outcome: What became of that run: ``committed``, ``unchanged``, or the name of an error.
    """

    url: str
    version: int
    committed: Optional[str] = None
    commit_age: Optional[float] = None
    oldest_readable: Optional[int] = None
    hold: Optional[int] = None
    looked: Optional[str] = None
    look_age: Optional[float] = None
    outcome: Optional[str] = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


def read_status(store: StoreReader, now: dt.datetime, /) -> StoreStatus:
    """Read the newest commit and the note of the last run."""
    newest, note = store.newest(), read_note(store.root)
    looked = note.get("time")
    looked_age = (now - dt.datetime.fromisoformat(looked)).total_seconds() if looked else None
    last: dict[str, Any] = {
        "looked": looked,
        "look_age": looked_age,
        "outcome": note.get("outcome"),
    }
    if newest is None:
        return StoreStatus(store.url, 0, **last)
    return StoreStatus(
        store.url,
        newest.version,
        committed=newest.time.isoformat(),
        commit_age=(now - newest.time).total_seconds(),
        oldest_readable=newest.oldest_readable,
        hold=newest.hold,
        **last,
    )


def _place(root: Location) -> Location:
    return root.child("_aspen/last_run.json")


def read_note(root: Location, /) -> Mapping[str, Any]:
    """Read what the last run left word of; nothing where there is none, or none to read."""
    try:
        note = json.loads(_place(root).read(_MAX_BYTES))
        dt.datetime.fromisoformat(note["time"])
    except (SourceNotFoundError, SourceAccessError, ReadError, ValueError, KeyError, TypeError):
        return {}
    return note if isinstance(note, dict) else {}


def write_note(
    root: Location, run: Run, outcome: str, version: int, fingerprint: Optional[str]
) -> None:
    """Leave word of a run; it is not part of any commit, so that it may fail."""
    words = {
        "time": run.time.isoformat(),
        "actor": run.actor,
        "outcome": outcome,
        "version": version,
        "fingerprint": fingerprint,
    }
    with contextlib.suppress(SourceAccessError, WriteError):
        make_folder(root.child("_aspen"))
        put(_place(root), json.dumps(words).encode("ascii"))
