"""What becomes of rows that somebody else wrote: what a policy says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.changes import Changes
from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.rows import find_rows
from aspen_etl.errors import DatabaseChangedError
from aspen_etl.schema.policy import Policy
from aspen_etl.schema.snapshot import KeyState
from aspen_etl.sql.conflicting import NO_KIND, Found
from aspen_etl.sql.guarding import Writer
from aspen_etl.sql.holding import current_references, hold_around

__all__ = ["Decided", "Pairs", "decide"]

#: Keys of one natural key, by table: those that are wanted, and those that the database has.
Pairs = Mapping[str, tuple[pd.Series, pd.Series]]


@dataclass(frozen=True)
class Decided:
    """What is written, and what is not.

    Attributes:
        changes: What is written where a row is as it was; none where all rows are written anew.
        forced: What is written whatever the row is.
        conflicts: The rows that somebody else wrote, by table and kind.
        held: The rows that stay as the database has them, by table.
    """

    changes: Optional[Changes]
    forced: Optional[Changes]
    conflicts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)


def decide(
    writer: Writer,
    found: Mapping[str, Found],
    pairs: Pairs,
    keys: Mapping[str, KeyState],
    policy: Policy,
    version: int,
) -> Decided:
    """Decide on all differing rows.

    Args:
        writer: The database.
        found: The differing rows of each table.
        pairs: Where a natural key has another key in the database.
        keys: The keys that were given when the base was made.
        policy: What becomes of conflicts.
        version: The version of the base.

    Raises:
        DatabaseChangedError: There are conflicts that the policy refuses.
    """
    erased = _erased(writer, found, keys)
    for name, (_, theirs) in pairs.items():
        each = found[name]
        each.kinds[(find_rows([each.keys], [theirs]) >= 0) & each.is_conflict] = "key_mismatch"
    conflicts = {name: each.counts for name, each in found.items() if each.counts}
    said = {
        name: {kind: policy.decide(kind, name) for kind in kinds}
        for name, kinds in conflicts.items()
    }
    refusal = DatabaseChangedError.since(
        writer.database.url, version, conflicts, {name: found[name].columns for name in conflicts}
    )
    if any("refuse" in kinds.values() for kinds in said.values()):
        raise refusal
    forced = {
        name: _are(each, said.get(name, {}), ("old",)) | erased[name]
        for name, each in found.items()
    }
    held = {name: _are(each, said.get(name, {}), ("hold", "new")) for name, each in found.items()}
    if _block(found, pairs, held):
        if any(mask.any() for mask in held.values()):
            raise refusal  # rows would change places around such as stay
        return Decided(None, None, conflicts)
    held = hold_around(writer, found, held)
    return Decided(
        _changes(writer, found, {n: ~held[n] & ~forced[n] for n in found}, is_known=True),
        _changes(writer, found, {n: ~held[n] & forced[n] for n in found}, is_known=False),
        conflicts,
        {name: int(mask.sum()) for name, mask in held.items() if mask.any()},
    )


def _are(found: Found, said: Mapping[str, str], decisions: tuple[str, ...]) -> Mask:
    kinds = [kind for kind, decision in said.items() if decision in decisions]
    out: Mask = np.isin(found.kinds.astype(str), kinds)
    return out


def _block(found: Mapping[str, Found], pairs: Pairs, held: dict[str, Mask]) -> bool:
    """Hold what is wanted under a natural key that a held row has; tell whether any is left."""
    is_left = False
    for name, (ours, theirs) in pairs.items():
        each = found[name]
        kept = COLUMNS.take(each.keys, np.flatnonzero(held[name]))
        stays = find_rows([theirs], [kept]) >= 0
        is_left |= not stays.all()
        blocked = COLUMNS.take(ours, np.flatnonzero(stays))
        held[name] |= find_rows([each.keys], [blocked]) >= 0
    return is_left


def _erased(
    writer: Writer, found: Mapping[str, Found], keys: Mapping[str, KeyState]
) -> dict[str, Mask]:
    """Find rows that were purged from the store: we gave their keys, and know them no more.

    A key below the next one is of us alone. A row without a number is known by the one that refers
    to it. They are no conflict, and go.
    """
    out = {name: np.zeros(len(each.keys), dtype=bool) for name, each in found.items()}
    for name, each in reversed(list(found.items())):
        if name in keys:
            given = keys[name].given[each.spec.primary_key].reset_index(drop=True)
            numbers = each.keys.to_numpy(dtype=np.int64)
            unknown = find_rows([each.keys], [given.astype(each.keys.dtype)]) < 0
            out[name] = (each.kinds == "inserted") & (numbers < keys[name].next) & unknown
        gone = COLUMNS.take(each.keys, np.flatnonzero(out[name]))
        for column, parent in each.spec.references.items() if len(gone) else ():
            if parent in found and parent not in keys:
                one = found[parent]
                named = current_references(writer, each.spec, column, gone)
                out[parent] |= (one.kinds == "inserted") & (find_rows([one.keys], [named]) >= 0)
    for name, each in found.items():
        each.kinds[out[name]] = NO_KIND
    return out


def _changes(
    writer: Writer, found: Mapping[str, Found], chosen: Mapping[str, Mask], *, is_known: bool
) -> Changes:
    tables = {}
    for spec, _ in writer.tables():
        tables[spec.name] = found[spec.name].changes(chosen[spec.name], is_known=is_known)
    return Changes(tables)
