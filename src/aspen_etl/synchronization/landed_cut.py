"""The cut through what was read of a landing folder: what is taken now, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from aspen_etl.columns.rows import are_present
from aspen_etl.io.landed_names import LandedName
from aspen_etl.transform.changing import SourceChanges
from aspen_etl.transform.ledger import Entry, LandedCounts, count_files

__all__ = ["Batch", "ReadFile", "cut_batch"]


@dataclass(frozen=True)
class Batch:
    """Hold what is taken now.

    Attributes:
        changes: The changes by source, those that wait left out.
        taken: The files of which each row was taken, as the ledger keeps them.
        pending: The names of those that wait, in whole or in part.
        loads: How many rows of full loads there are by source, none counted twice.
        others: How many rows of transaction files are of other tables.
        suppressed: How many changes were left out by source, of subjects that are suppressed.
    """

    changes: Mapping[str, SourceChanges] = field(repr=False)
    taken: tuple[Entry, ...]
    pending: tuple[str, ...]
    loads: Mapping[str, int]
    others: int
    suppressed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadFile:
    """A file that was read, or is read with others later on.

    Attributes:
        entry: What the ledger keeps of it.
        changes: Its changes by source; none of a double.
        others: How many of its rows are of other tables.
        double_of: The file that holds the same.
        alike: Its bytes, and what those that are read together have in common.
    """

    entry: Entry
    changes: Mapping[str, SourceChanges]
    others: int
    double_of: Optional[str] = None
    alike: Optional[tuple[tuple[str, str, bytes], LandedName, bytes]] = None


def cut_batch(
    read: Sequence[ReadFile],
    found: Sequence[tuple[str, SourceChanges]],
    cut: Optional[str],
    waiting: Sequence[str],
) -> Batch:
    """Take what was committed before a time, and tell which files hold more than that."""
    parts: dict[str, list[SourceChanges]] = {}
    taken, pending = [], set(waiting)
    for source, changes in found:
        rows = _before(changes, cut)
        if len(rows) < len(changes):
            left = np.setdiff1d(np.arange(len(changes)), rows)
            pending.update(changes.names[file] for file in np.unique(changes.files[left]).tolist())
        if len(rows):
            part = changes if len(rows) == len(changes) else changes.take(rows)
            parts.setdefault(source, []).append(part)
    loads: dict[str, int] = {}
    counts = count_files(found)
    for each in read:
        entry = each.entry
        if entry.kind == "load" and each.double_of is None:
            loads[entry.source] = loads.get(entry.source, 0) + entry.rows
        if entry.path in pending or each.double_of in pending:  # a double waits with the first
            pending.add(entry.path)
        else:
            told = LandedCounts.write(counts.get(entry.path, {}))
            taken.append(replace(entry, counts=told))
    changes_of = {source: SourceChanges.join(held) for source, held in parts.items()}
    others = sum(each.others for each in read)
    return Batch(changes_of, tuple(taken), tuple(sorted(pending)), loads, others)


def _before(
    changes: SourceChanges, cut: Optional[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Give the rows that were committed before a time; those of a full load all are."""
    if cut is None or changes.moments is None:
        return np.arange(len(changes), dtype=np.int64)
    held = are_present(changes.moments)
    earlier = np.ones(len(changes), dtype=bool)
    earlier[held] = (changes.moments[held] < cut).to_numpy(dtype=bool)
    return np.flatnonzero(earlier)
