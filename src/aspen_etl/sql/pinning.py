"""The pin of a database in a store: the version that it is at stays readable for the next load."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Optional

from aspen_etl.errors import SourceAccessError, WriteError
from aspen_etl.sql.database import Database
from aspen_etl.sql.reports import LoadReport
from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = ["pin_name", "pinned"]


def pinned(
    report: LoadReport, store: SnapshotStore, database: Database, pin: Optional[str]
) -> LoadReport:
    """Let the store keep the version that the database is at now: the next load needs it."""
    name = pin or pin_name(database)
    if report.version is None or name is None:
        return report
    try:
        store.pin(name, report.version)
    except (SourceAccessError, WriteError) as error:
        if pin is not None:
            raise
        return replace(report, unpinned=type(error).__name__)
    return replace(report, pin=name)


def pin_name(database: Database) -> Optional[str]:
    """Make a name of where a database is; one in memory has none, and ends with the process."""
    url = database.url
    if database.behaviour.is_file:
        path = database.engine.url.database or ":memory:"
        if path == ":memory:" or path.startswith("file:"):
            return None
        url = f"sqlite/{Path(path).resolve()}"
    url += f"/{database.schema}" if database.schema else ""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", url).strip("-")[-40:].strip("-")
    return f"load-{plain}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
