"""The demo of landing: a history in SQLite lands as files, and is replayed to what SQLite has."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aspen_etl.errors import TargetExistsError, WriteError
from aspen_etl.errors.base import instead
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.values import Run

if TYPE_CHECKING:
    from aspen_etl.simulation.landed_database import LandedHistory
    from aspen_etl.simulation.landed_files import SimulatedFile
    from aspen_etl.store.snapshot_store import SnapshotStore
    from aspen_etl.synchronization.report import SyncReport

__all__ = ["show_landing"]

_SEED = 7

#: What is said of each run.
_TOLD = ("", "one file is late", "the late file came, and another one twice", "nothing new came")


def show_landing(folder: Path, run: Run, /) -> dict[str, Any]:
    """Write a landing folder, sync it in runs, and hold its state against the database.

    Args:
        folder: Where to; nothing may be there.
        run: When this is and who does it.

    Returns:
        What each run took, and whether the state equals SQLite.

    Raises:
        TargetExistsError: Something is there.
        WriteError: It cannot be written to.
    """
    from aspen_etl.borrower.landing_history import deliver, landing_of, make_history
    from aspen_etl.store.snapshot_store import SnapshotStore
    from aspen_etl.synchronization.syncing import sync

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} holds something; nothing was written; name a folder that is not there"
        raise TargetExistsError(msg, url=str(folder))
    landing = landing_of(str(folder / "dms"))
    history = make_history(landing, _SEED)
    loaded = {source: len(rows) for source, rows in history.loads.items()}
    landing = replace(landing, loaded=loaded)
    deliveries = [*deliver(history, landing), []]
    _declare(folder, landing)
    store, runs = SnapshotStore(str(folder / "store")), []
    for files, told in zip(deliveries, _TOLD):
        _write(folder / "dms", files)
        runs.append({"told": told, **_short(sync(landing, store, run=run))})
    return {"runs": runs, **_held(store, landing, history)}


def _declare(folder: Path, landing: Landing) -> None:
    values = {**landing.to_dict(), "url": "dms"}  # as it is seen from the file
    _write_file(folder / "landing.json", json.dumps(values, indent=2).encode())


def _write(folder: Path, files: Sequence[SimulatedFile]) -> None:
    for file in files:
        place, moment = folder / file.path, file.modified.timestamp()
        _write_file(place, file.data)
        os.utime(place, (moment, moment))


def _write_file(place: Path, data: bytes) -> None:
    def write() -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    instead(write, OSError, lambda error: WriteError.at(str(place), type(error).__name__))


def _short(report: SyncReport) -> dict[str, Any]:
    landing = report.landing
    return {
        "outcome": report.outcome,
        "version": report.version,
        "files": landing.files if landing else 0,
        "rows": landing.rows if landing else 0,
        "changed": dict(landing.changed) if landing else {},
    }


def _held(store: SnapshotStore, landing: Landing, history: LandedHistory) -> dict[str, Any]:
    """Hold the state that is stored against the rows that SQLite has."""
    from aspen_etl.store.landed import load_sources

    counts, equal = {}, True
    for source, state in load_sources(store.place, store.find()).items():
        frame = state.to_frame()
        columns = [frame[name].astype(object).where(frame[name].notna(), None) for name in frame]
        names = [str(name) for name in frame]
        truth = history.truth[source].values()
        equal &= set(zip(*columns)) == {tuple(row[name] for name in names) for row in truth}
        counts[source] = len(truth)
    return {"equal": equal and counts.keys() == landing.tables.keys(), "rows": counts}
