"""Compare every row of a database with what is wanted, and write what is ours to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Optional

import pandas as pd
import sqlalchemy as sa

from aspen_etl.columns.frames import held_frames
from aspen_etl.errors import DatabaseChangedError
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.sql.conflicting import Differing, differing, hold_against
from aspen_etl.sql.deciding import Decided, Pairs, decide
from aspen_etl.sql.merging import Merge
from aspen_etl.sql.staging import keys_of

__all__ = ["Base", "compare_all"]


@dataclass(frozen=True)
class Base:
    """What a database was left with by the last load.

    Attributes:
        version: Its version.
        rows: How many rows it had in all.
        read: Reads it; gives none where it is no longer kept.
    """

    version: int
    rows: int
    read: Callable[[], Optional[Snapshot]]


def compare_all(
    merge: Merge, frames: Mapping[str, pd.DataFrame], base: Optional[Base], policy: Policy
) -> tuple[Literal["compared", "replaced"], Decided]:
    """Compare every row within the database, and write those that differ and are as they were.

    Raises:
        DatabaseChangedError: Somebody else wrote, or nobody can tell; or the database made other
            values of what was written.
        DriftError: Somebody else wrote in the meantime.
    """
    wanted = held_frames(frames)
    stages = merge.stage_all(wanted)
    found = {spec.name: differing(merge, spec, stages[spec.name]) for spec, _ in merge.tables()}
    pairs = _pairs(merge, stages, found)
    for stage in stages.values():
        merge.drop(stage)
    if not any(map(len, found.values())):
        return "compared", Decided(None, None)
    decided = _decide(merge, wanted, base, found, pairs, policy)
    if decided.changes is None:
        merge.replace(wanted)
        return "replaced", decided
    merge.write(decided.changes, decided.forced)
    return "compared", decided


def _decide(
    merge: Merge,
    wanted: Mapping[str, pd.DataFrame],
    base: Optional[Base],
    found: Mapping[str, Differing],
    pairs: Pairs,
    policy: Policy,
) -> Decided:
    merge.database.step = "reading what was loaded last"
    held = None if base is None else base.read()
    if base is None or held is None:
        counts = {name: len(each) for name, each in found.items() if len(each)}
        raise DatabaseChangedError.without_base(merge.database.url, counts)
    before = held_frames(held.tables)
    told = {
        spec.name: hold_against(merge, spec, found[spec.name], before[spec.name], wanted[spec.name])
        for spec, _ in merge.tables()
    }
    return decide(merge, told, pairs, held.keys, policy, base.version)


def _pairs(merge: Merge, stages: Mapping[str, sa.Table], found: Mapping[str, Differing]) -> Pairs:
    """Find natural keys that the database has under another key than is wanted."""
    out = {}
    for spec, table in merge.tables():
        each = found[spec.name]
        if not spec.has_surrogate_key or not (len(each.changed) + len(each.extra)):
            continue
        stage, key = stages[spec.name], spec.primary_key
        beside = table.join(stage, merge.same_name(spec, stage))
        query = sa.select(stage.c[key], table.c[key]).select_from(beside)
        rows = merge.connection.execute(query.where(stage.c[key] != table.c[key])).all()
        if rows:
            ours, theirs = zip(*rows)
            out[spec.name] = (keys_of(list(ours), spec), keys_of(list(theirs), spec))
    return out
