"""What the rows of a side and of the store make together, as rows and as tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from aspen_etl.changes import Changes, diff
from aspen_etl.columns.frames import held_frames
from aspen_etl.columns.rows import find_keys
from aspen_etl.errors import ModelFunctionError, SideStateError
from aspen_etl.normalization import NormalizeResult, Summary, normalize
from aspen_etl.schema.model import Model
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.snapshot import ADOPTED_FROM, REJECTS, Snapshot
from aspen_etl.schema.values import Extract, Run
from aspen_etl.store.frames import empty
from aspen_etl.synchronization.two_way.reading import SideRead, whole_conflicts
from aspen_etl.synchronization.two_way.standing import Standing
from aspen_etl.transform.adopting import adopt, keep_audit
from aspen_etl.transform.keys import PartedKeys, TableKeys, part_keys, some_keys
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.side_rows import assume
from aspen_etl.transform.three_way import Merged, merge

__all__ = ["Combined", "combine"]

#: How often a merge is done anew, since what it gave broke a rule.
_TRIES = 20


@dataclass(frozen=True, eq=False)
class Combined:
    """Hold what a side and the store make together.

    Attributes:
        merged: The rows, and what was in conflict.
        result: What they are as tables.
        changes: What is other than before in these.
    """

    merged: Merged
    result: NormalizeResult = field(repr=False)
    changes: Changes


def combine(
    at: Standing, read: SideRead, how: Partitioning, policy: Policy, run: Run, /
) -> Combined:
    """Merge a side into the head, and make tables of what comes of it.

    A subject whose rows would break a rule together is a conflict itself, and so is one to whose
    rows the side gave other keys than they have.

    Args:
        at: Where the side stands.
        read: What it has.
        how: Whose the rows are.
        policy: What becomes of conflicts.
        run: When this is, and who does it.

    Raises:
        SideStateError: The side gives rows of lookup tables other keys.
        ModelFunctionError: What comes of it is rejected however it is merged.
        AspenETLError: What ``normalize`` raises.
    """
    previous, also, model = at.snapshot, read.also, how.model
    if read.tables is not None:
        adopted = adopt(at.snapshot, read.tables, model)
        previous = adopted.previous
        _refuse_lookups(at, adopted.mismatches)
        odd = whole_conflicts(adopted.mismatches["subject"], "key_mismatch", how)
        also = pd.concat([also, odd], ignore_index=True)
    # One whose id is garbled would look as if it were deleted.
    rows = assume(read.rows, at.shadow, how, deletes=not read.rows.nameless)
    mine = at.sides.get(at.name)
    decided = None if mine is None else mine.conflicts
    for _ in range(_TRIES):
        merged = merge(
            at.shadow, rows, at.head, how, policy=policy, name=at.name, also=also, decided=decided
        )
        result = _normalize(merged, at.snapshot, previous, model, run)
        if not len(result.rejects):
            return _combined(at, read, merged, result, model)
        broken = whole_conflicts(result.rejects["subject"], "invalid", how)
        also = pd.concat([also, broken], ignore_index=True)
    msg = "what two sides have together is rejected however it is merged"
    raise ModelFunctionError(msg)


def _refuse_lookups(at: Standing, mismatches: pd.DataFrame) -> None:
    """Refuse other keys of rows that are nobody's."""
    lost = mismatches[mismatches["subject"].isna()]
    if len(lost):
        raise SideStateError.keys(at.name, sorted(set(lost["table"])), len(lost))


def _normalize(
    merged: Merged, before: Snapshot, previous: Snapshot, model: Model, run: Run
) -> NormalizeResult:
    """Make tables of merged rows; they are those of before where nothing was taken."""
    if not any(any(counts.values()) for counts in merged.taken.values()):
        rows = {name: len(frame) for name, frame in before.tables.items()}
        summary = Summary({}, (), rows)
        return NormalizeResult(before, empty(REJECTS), Changes({}), summary)
    extract = Extract.from_frames(dict(merged.rows))
    result = normalize(extract, run=run, model=model, previous=previous)
    return replace(result, snapshot=_without_unused(result.snapshot, before, model))


def _without_unused(snapshot: Snapshot, before: Snapshot, model: Model) -> Snapshot:
    """Forget the keys that were adopted for rows that were not taken: they may be others yet."""
    keys = dict(snapshot.keys)
    for name, state in snapshot.keys.items():
        table = model.tables[name]
        parts = part_keys(state, held_frames(snapshot.tables)[name], table)
        key, known = parts.retired[table.primary_key], before.keys.get(name)
        unused = key.to_numpy(dtype=np.int64) >= ADOPTED_FROM
        if known is not None and unused.any():
            unused &= find_keys(key, known.given[table.primary_key]) < 0
        if unused.any():
            retired = some_keys(parts.retired, np.flatnonzero(~unused), table)
            keys[name] = TableKeys(table, state.next, PartedKeys(parts.in_use, retired))
    return replace(snapshot, keys=keys)


def _combined(
    at: Standing, read: SideRead, merged: Merged, result: NormalizeResult, model: Model
) -> Combined:
    snapshot = result.snapshot
    if read.tables is not None:
        snapshot = keep_audit(snapshot, read.tables, model)
    changes = diff(at.snapshot.tables, snapshot.tables, model=model)
    return Combined(merged, replace(result, snapshot=snapshot, changes=changes), changes)
