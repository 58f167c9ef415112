"""The sides of a two-way sync in a store: what is accounted for of each, and what is in conflict.

A shadow is kept as the rows in which it differs from the tables of its own commit. These frames
hold cells, and lie where the rejects do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Optional
from urllib.parse import quote

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.side_frames import CONFLICTS, PRESENT, PUSHED, shadow_columns
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import Commit
from aspen_etl.store.frames import empty
from aspen_etl.store.place import Place
from aspen_etl.store.reading import read_stored, whole
from aspen_etl.store.stored import Facts, SideRecord, Stored

__all__ = ["SideState", "Sides", "count_conflicts", "find_waiting", "load_sides", "side_frames"]

_COUNTED = ("kind", "sheet", "column")


@dataclass(frozen=True, eq=False)
class SideState:
    """Hold what is accounted for of a side, beside the head that it is committed with.

    Attributes:
        version: The version of the store that was last written to the side, 0 for none.
        token: That of its commit.
        shadow: By sheet, the rows of the shadow that differ from the head: text, and whether the
            shadow has the row (``present``). A sheet that is not there differs in none.
        conflicts: The conflicts that wait.
        plan: What is accounted for once the side says that it has this commit; none where no push
            is about to write to it.
    """

    version: int = 0
    token: Optional[str] = None
    shadow: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    conflicts: pd.DataFrame = field(default_factory=lambda: empty(CONFLICTS), repr=False)
    plan: Optional[Mapping[str, pd.DataFrame]] = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Sides:
    """What is accounted for of all sides after a run, ready to be committed.

    Attributes:
        states: What is accounted for of each side.
    """

    states: Mapping[str, SideState] = field(repr=False)

    def put(
        self, attempt: Attempt, base: Optional[Mapping[str, SideRecord]]
    ) -> dict[str, SideRecord]:
        """Write the frames that stand nowhere yet, and say where all are."""
        before = base or {}
        return {
            name: _put(attempt, name, state, before.get(name, SideRecord()))
            for name, state in self.states.items()
        }


def _put(attempt: Attempt, name: str, state: SideState, before: SideRecord) -> SideRecord:
    folder, side = f"_aspen/sides/{attempt.folder}", quote(name, safe="")
    shadow = _put_shadow(attempt, f"{folder}/shadow-{side}", state.shadow, before.shadow)
    conflicts = plan = None
    if len(state.conflicts):
        path, held = f"{folder}/conflicts-{side}", _held(state.conflicts, CONFLICTS)
        conflicts = attempt.sided(path, held, CONFLICTS, before.conflicts)
    if state.plan is not None:
        plan = _put_shadow(attempt, f"{folder}/plan-{side}", state.plan, before.plan or {})
    counts = count_conflicts(state.conflicts)
    return SideRecord(state.version, state.token, shadow, conflicts, counts, plan)


def _put_shadow(
    attempt: Attempt,
    path: str,
    frames: Mapping[str, pd.DataFrame],
    before: Mapping[str, Stored],
) -> dict[str, Stored]:
    out = {}
    for sheet, frame in frames.items():
        if len(frame):
            columns = shadow_columns(frame.columns)
            held, place = _held(frame, columns), f"{path}-{quote(sheet, safe='')}"
            out[sheet] = attempt.sided(place, held, columns, before.get(sheet))
    return out


def _held(frame: pd.DataFrame, columns: Mapping[str, ColumnSpec]) -> pd.DataFrame:
    """Give a frame as it is held: text in the form of text, rows in an order of their own.

    So equal rows are no other frame, in whatever order a side gave them.
    """
    frame = frame.reset_index(drop=True)
    held = {
        name: frame[name].astype(bool) if name == PRESENT else conform_text(frame[name])
        for name in columns
    }
    ranks = []
    for values in held.values():
        rank, distinct = pd.factorize(values, sort=True)
        ranks.append(rank)
        if len(distinct) == len(values):  # no two rows are alike in these columns
            break
    return take_rows(make_frame(held), np.lexsort(ranks[::-1]))


def count_conflicts(conflicts: pd.DataFrame, /) -> tuple[Facts, ...]:
    """Count conflicts that wait by kind, sheet and column, which a whole row has not: ('')."""
    held = conflicts[conflicts["decision"] != PUSHED][list(_COUNTED)].astype(object)
    held = held.where(held.notna(), "")
    counts = Counter(zip(*(held[name].tolist() for name in _COUNTED)))
    return tuple({**dict(zip(_COUNTED, key)), "count": counts[key]} for key in sorted(counts))


# ----------------------------------------------------------------------------- reading


def side_frames(
    sides: Optional[Mapping[str, SideRecord]], /
) -> Iterator[tuple[str, Stored, Mapping[str, ColumnSpec]]]:
    """Give each frame of the sides, with what it is and what its columns are."""
    for name, side in (sides or {}).items():
        for sheet, stored in side.shadows():
            yield f"shadow of {sheet} for the {name} side", stored, shadow_columns(stored.columns)
        if side.conflicts is not None:
            yield f"conflicts of the {name} side", side.conflicts, CONFLICTS


def load_sides(
    place: Place, commit: Commit, /, newest: Optional[Commit] = None
) -> dict[str, SideState]:
    """Read what a commit has accounted for of each side; nothing where it is not two-way.

    Args:
        place: The store.
        commit: A commit that can be read.
        newest: The newest one, if it is another.

    Returns:
        By side its state, with a frame for each sheet of the model: one without rows where the
        side is as the tables are. A column that the model has since is missing.

    Raises:
        ConflictError: Another commit let its files go.
        CorruptStoreError: A file is missing or damaged.
        NotSupportedError: The frames are elsewhere, and no ``rejects_url`` was given.
    """
    last = commit if newest is None else newest
    sides = [(name, side.moved(last.rewrites, {})) for name, side in (commit.sides or {}).items()]
    return whole(place, last, lambda: {name: _load(place, side) for name, side in sides})


def find_waiting(
    place: Place, commit: Commit, /, newest: Optional[Commit] = None
) -> frozenset[str]:
    """Name the subjects with a conflict that waits for a decision, on whichever side it arose.

    Args:
        place: The store.
        commit: A commit that can be read.
        newest: The newest one, if it is another.

    Raises:
        ConflictError: Another commit let its files go.
        CorruptStoreError: A file is missing or damaged.
        NotSupportedError: The frames are elsewhere, and no ``rejects_url`` was given.
    """
    last = commit if newest is None else newest
    sides = [side.moved(last.rewrites, {}) for side in (commit.sides or {}).values()]
    stored = [side.conflicts for side in sides if side.conflicts is not None]
    frames = whole(place, last, lambda: [read_stored(place, e, CONFLICTS) for e in stored])
    return frozenset(
        subject
        for frame in frames
        for subject in frame["subject"][(frame["decision"] != PUSHED).to_numpy(dtype=bool)]
    )


def _load(place: Place, side: SideRecord) -> SideState:
    shadow = _load_shadows(place, side.shadow)
    held = side.conflicts
    conflicts = empty(CONFLICTS) if held is None else read_stored(place, held, CONFLICTS)
    plan = None if side.plan is None else _load_shadows(place, side.plan)
    return SideState(side.version, side.token, shadow, conflicts, plan)


def _load_shadows(place: Place, stored: Mapping[str, Stored]) -> dict[str, pd.DataFrame]:
    return {name: _load_shadow(place, name, stored.get(name)) for name in place.model.sources}


def _load_shadow(place: Place, sheet: str, stored: Optional[Stored]) -> pd.DataFrame:
    columns = shadow_columns(_names(place.model, sheet))
    if stored is None:
        return empty(columns)
    found = read_stored(place, stored, shadow_columns(stored.columns))
    held = dict.fromkeys(columns, COLUMNS.repeat(None, len(found)))
    return make_frame({**held, **{name: found[name] for name in columns if name in found}})


def _names(model: Model, sheet: str) -> list[str]:
    return [str(name) for name in model.sources[sheet].columns]
