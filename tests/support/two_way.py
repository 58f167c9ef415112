"""What is accounted for of the sides of a two-way store, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import pandas as pd

import aspen_etl as ae
from aspen_etl.schema.side_frames import ACCEPTED, CONFLICTS, PRESENT
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import commit_sides
from aspen_etl.store.cutover import commit_cutover
from aspen_etl.store.shadows import Sides, SideState
from aspen_etl.store.stored import CutoverRecord

Row = Mapping[str, Optional[str]]


def shadow(
    *rows: Row, gone: Optional[list[Row]] = None, columns: Optional[list[str]] = None
) -> pd.DataFrame:
    """Make the rows of a shadow that differ from the head, and those that only the head has."""
    names = columns or [str(name) for name in ae.BORROWER_MODEL.sources["borrower"].columns]
    held = [{**dict.fromkeys(names), **row} for row in (*rows, *(gone or []))]
    marks = [True] * len(rows) + [False] * len(gone or [])
    frame = pd.DataFrame(held, columns=names, dtype=object)
    return frame.assign(**{PRESENT: marks})


def conflicts(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Make conflicts: of a cell of a borrower, unless it is said otherwise."""
    usual = {"kind": "both_changed", "sheet": "borrower", "column": "city", "decision": "hold"}
    held = [{**dict.fromkeys(CONFLICTS), **usual, **row} for row in rows]
    return pd.DataFrame(held, columns=list(CONFLICTS), dtype=object)


def account(
    store: ae.SnapshotStore, run: ae.Run, *, old: SideState, new: Optional[SideState] = None
) -> Commit:
    """Commit what is accounted for of the sides of a two-way store."""
    sides = {"old": old} if new is None else {"old": old, "new": new}
    return commit_sides(store.place, store.find(), Sides(sides), run=run, kind="push")


def check_off(store: ae.SnapshotStore, run: ae.Run, *subjects: str) -> Commit:
    """Record that a cut-over was green, with rejects of some subjects that somebody accepted."""
    newest = store.find()
    rows = [("borrower", subject, "email", "invalid_email") for subject in subjects]
    frame = pd.DataFrame(rows, columns=list(ACCEPTED), dtype=object)
    digest, sha256 = "0" * 32, "0" * 64
    told = (newest.version, run.time.isoformat(), run.actor, digest, digest, sha256, sha256)
    record = CutoverRecord(*told, accepted_counts={"invalid_email": len(subjects)})
    return commit_cutover(store.place, newest, record, accepted=frame, run=run)
