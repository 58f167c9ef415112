"""Look at conflicts that wait, and decide them: a pull of their side then does what was decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Optional

import pandas as pd

from aspen_etl.errors import ArgumentError, TwoWayError
from aspen_etl.io.details import absent_place, write_details
from aspen_etl.schema.side_frames import CONFLICTS, PUSHED
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import commit_sides, retrying
from aspen_etl.store.shadows import Sides, SideState, load_sides
from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = ["read_conflicts", "resolve", "write_conflicts"]


def read_conflicts(store: SnapshotStore, /) -> pd.DataFrame:
    """Read the conflicts that wait.

    Args:
        store: The store.

    Returns:
        A row for each, all text: ``of`` (the side that it was met at), ``kind``, ``sheet``,
        ``subject``, ``key`` (which of the subject's rows, where they may have several), ``column``
        (the first one of its unit, or none for a whole row), ``was``, ``side`` and ``head`` (what
        was known of the side, what it has, and what the store has), and ``decision``. It holds
        ids and cells, as rejects do.

    Raises:
        TwoWayError: The store is not two-way.
        AspenETLError: What reading raises.
    """
    newest = store.find()
    if newest.sides is None:
        raise TwoWayError.not_begun(store.url)
    sides = load_sides(store.place, newest)
    parts = [
        side.conflicts.assign(of=name)[["of", *CONFLICTS]] for name, side in sides.items()
    ] or [pd.DataFrame(columns=["of", *CONFLICTS])]
    joined = pd.concat(parts, ignore_index=True)
    return joined[joined["decision"] != PUSHED].reset_index(drop=True)


def write_conflicts(
    store: SnapshotStore, url: str, /, storage_options: Optional[Mapping[str, Any]] = None
) -> str:
    """Write the conflicts that wait to a new file, ``.csv`` or ``.parquet``; give its url.

    Raises:
        TargetExistsError: It is there.
        AspenETLError: What reading and writing raise.
    """
    columns = {"of": CONFLICTS["kind"], **CONFLICTS}
    place = absent_place(url, storage_options)
    return write_details(place, read_conflicts(store), columns)


def resolve(
    store: SnapshotStore,
    subjects: Collection[str],
    /,
    *,
    take: Literal["old", "new"],
    run: Run,
) -> Commit:
    """Decide the conflicts of some subjects: what each differs in is as one side has it.

    It is committed as a decision. The next pull of the side that a conflict was met at does what
    was decided, where side and store still hold what was decided on; else the conflict waits anew.

    Args:
        store: The store.
        subjects: Their ids.
        take: Whose cells are taken.
        run: When this is, and who does it.

    Returns:
        The commit; the newest one where that was decided already.

    Raises:
        TwoWayError: The store is not two-way.
        ArgumentError: Somebody has no conflict that waits; nothing was decided.
        AspenETLError: What reading and writing raise.
    """
    if take not in ("old", "new"):
        raise ArgumentError("take= is 'old' or 'new'", problem="side", argument="take")
    return retrying(store.place, partial(_resolve, store, frozenset(subjects), take, run))


def _resolve(
    store: SnapshotStore, subjects: frozenset[str], take: str, run: Run, newest: Commit
) -> Commit:
    if newest.sides is None:
        raise TwoWayError.not_begun(store.url)
    sides = load_sides(store.place, newest)
    known: set[str] = set()
    decided: dict[str, SideState] = {}
    for name, side in sides.items():
        told = side.conflicts
        mine = told["subject"].isin(subjects) & (told["decision"] != PUSHED)
        known |= set(told["subject"][mine])
        decision = told["decision"].astype(object).where(~mine, take)
        decided[name] = replace(side, conflicts=told.assign(decision=decision))
    unknown = len(subjects - known)
    if unknown or not subjects:
        msg = (
            f"{unknown:,} of {len(subjects):,} subjects have no conflict that waits; nothing was "
            "decided: conflicts show tells who has one"
        )
        raise ArgumentError(msg, problem="subject", count=unknown)
    return commit_sides(store.place, newest, Sides(decided), run=run, kind="resolve")
