"""Hold two looks against each other, whole or group by group, and count what each side has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Union, cast

import pandas as pd

from aspen_etl.store.reading import with_commit
from aspen_etl.store.shadows import find_waiting
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.sides import AnySide, Look, Looking, store_of
from aspen_etl.synchronization.spilling import Spilled, together
from aspen_etl.transform.noting import DIFFERENCES, join_notes
from aspen_etl.transform.reconciling import compare_sides, order_differences
from aspen_etl.transform.siding import Figures, Side
from aspen_etl.transform.table_rows import Left, TableRows, compare_left, find_left

__all__ = ["Comparison", "compare_looks", "find_held"]

Form = Union[Side, TableRows]


class Comparison(NamedTuple):
    """What differs between two looks, and what each side has."""

    found: pd.DataFrame
    source: Figures
    target: Figures


def compare_looks(source: Look, target: Look, looking: Looking, parts: Parts, /) -> Comparison:
    """Find what differs between two looks.

    Args:
        source: What was seen of the first side.
        target: What was seen of the other; it is spilled if and only if the first one is.
        looking: How both were looked at.
        parts: How much memory there is.
    """
    one, two = source.seen, target.seen
    work = _Work(looking)
    if not (isinstance(one, Spilled) and isinstance(two, Spilled)):
        work.add(cast("Form", one), cast("Form", two))
        return work.done()
    sizes = [mine + other for mine, other in zip(one.sizes, two.sizes)]
    for first, last in together(sizes, parts.bytes_at_once):
        lookups = first == 0 or not looking.as_tables  # as tables, they are compared once
        held = (side.load(first, last, lookups=lookups) for side in (one, two))
        work.add(*map(looking.form, held))
    return work.done()


class _Work:
    """Compare forms of whole subjects, and keep of them what differs alone."""

    def __init__(self, looking: Looking) -> None:
        self.looking = looking
        self.found: list[pd.DataFrame] = []
        self.left: tuple[list[Left], list[Left]] = ([], [])
        self.figures: list[Figures] = []

    def add(self, one: Form, two: Form) -> None:
        how = self.looking.how
        mine = [one.figures, two.figures]
        self.figures = [a + b for a, b in zip(self.figures, mine)] if self.figures else mine
        if isinstance(one, TableRows) and isinstance(two, TableRows):
            for kept, rows in zip(self.left, find_left(one, two, how)):
                kept.append(rows)
        else:
            self.found.append(compare_sides(cast("Side", one), cast("Side", two), how))

    def done(self) -> Comparison:
        how = self.looking.how
        if self.looking.as_tables:
            found = compare_left(*self.left, how)
        elif len(self.found) == 1:
            (found,) = self.found
        else:
            joined = join_notes(self.found, DIFFERENCES)
            found = order_differences(joined, tuple(how.model.sources))
        return Comparison(found, *self.figures)


def find_held(sides: Iterable[AnySide], /) -> frozenset[str]:
    """Name the subjects whose conflict waits for a decision, by the two-way stores among sides.

    Raises:
        NotSupportedError: The conflicts are elsewhere, and no ``rejects_url`` was given.
        AspenETLError: What reading a store raises.
    """
    out: set[str] = set()
    for given in sides:
        store = store_of(given)
        if store is not None:
            out |= _held_of(store, given[1] if isinstance(given, tuple) else None)
    return frozenset(out)


def _held_of(store: SnapshotStore, version: object) -> frozenset[str]:
    wanted = cast("int", version) if version is not None else None
    if store.newest() is None:
        return frozenset()
    return with_commit(
        store.place, wanted, lambda commit, newest: find_waiting(store.place, commit, newest)
    )
