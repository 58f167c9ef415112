"""What a push writes: the rows by which the head differs from what a side is known to have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.transform.keyed_sheets import (
    Sheets,
    are_of,
    conform_sheets,
    differ_rows,
    find_in,
    put_over,
)
from aspen_etl.transform.parting import Partitioning

__all__ = ["FlatChanges", "after_push", "changes_to_push"]


@dataclass(frozen=True, eq=False)
class FlatChanges:
    """Hold what is to be written to a side, by sheet, whole rows each.

    Attributes:
        inserted: The rows that are new there.
        deleted: The rows that go, as the side has them.
        updated: The rows that change, as they are after.
        was: The same rows, in the same order, as they are before.
        held_deletes: How many rows would go, and stay, since deletions are held.
    """

    inserted: Mapping[str, pd.DataFrame] = field(repr=False)
    deleted: Mapping[str, pd.DataFrame] = field(repr=False)
    updated: Mapping[str, pd.DataFrame] = field(repr=False)
    was: Mapping[str, pd.DataFrame] = field(repr=False)
    held_deletes: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The rows inserted, updated and deleted, by sheet."""
        return {
            name: {
                "inserted": len(self.inserted[name]),
                "updated": len(self.updated[name]),
                "deleted": len(self.deleted[name]),
            }
            for name in self.inserted
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not any(any(counts.values()) for counts in self.counts.values())


def changes_to_push(
    shadow: Sheets,
    head: Sheets,
    how: Partitioning,
    /,
    *,
    held: Iterable[str] = (),
    deletes: bool = True,
) -> FlatChanges:
    """Tell what has to be written to a side so that it has what the head has.

    Args:
        shadow: What the side is known to have.
        head: The rows of the head.
        how: Whose the rows are.
        held: The subjects that stay as they are there.
        deletes: Whether rows may go; else they stay, and are counted.
    """
    before, after = conform_sheets(shadow, how), conform_sheets(head, how)
    ids = conform_text(pd.Series(list(dict.fromkeys(held)), dtype=object))
    found: dict[str, dict[str, pd.DataFrame]] = {}
    kept: dict[str, int] = {}
    for name in how.model.sources:
        one, two = (
            take_rows(frame, np.flatnonzero(~are_of(frame, name, ids, how)))
            for frame in (before[name], after[name])
        )
        at = find_in(two, one, name, how)
        both = np.flatnonzero(at >= 0)
        both = both[differ_rows(two, one, list(two.columns), both, at[both])]
        lacks = np.flatnonzero(find_in(one, two, name, how) < 0)
        kept[name] = 0 if deletes else len(lacks)
        found[name] = {
            "inserted": take_rows(two, np.flatnonzero(at < 0)),
            "deleted": take_rows(one, lacks if deletes else lacks[:0]),
            "updated": take_rows(two, both),
            "was": take_rows(one, at[both]),
        }
    parts = {
        kind: {name: found[name][kind] for name in found}
        for kind in ("inserted", "deleted", "updated", "was")
    }
    return FlatChanges(**parts, held_deletes=kept)


def after_push(
    shadow: Sheets, changes: FlatChanges, how: Partitioning, /
) -> dict[str, pd.DataFrame]:
    """Give the shadow of a side once changes are written there.

    Args:
        shadow: The shadow before.
        changes: What was written.
        how: Whose the rows are.
    """
    out = {}
    for name, frame in conform_sheets(shadow, how).items():
        gone = np.zeros(len(frame), dtype=bool)
        for rows in (changes.deleted[name], changes.updated[name]):
            gone |= find_in(frame, rows, name, how) >= 0
        more = [changes.inserted[name], changes.updated[name]]
        joined = make_frame(
            {column: COLUMNS.concat([rows[column] for rows in more]) for column in frame.columns}
        )
        out[name] = put_over(frame, gone, joined, name, how)
    return out
