"""What a pull and a push tell: counts alone, and neither an id nor a value."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Optional

import pandas as pd

from aspen_etl.normalization import RejectCount
from aspen_etl.synchronization.report import TableReport

__all__ = ["ConflictCount", "PullReport", "PushReport", "count_conflicts"]


@dataclass(frozen=True)
class ConflictCount:
    """Count the conflicts of one kind.

    Attributes:
        kind: What each of both did: ``both_changed``, ``deleted_and_changed`` (the side deleted),
            ``changed_and_deleted``, ``both_inserted``, ``parent_deleted``, ``key_mismatch``,
            ``inexpressible`` or ``invalid``.
        sheet: The sheet.
        column: The column; none for a row as a whole.
        decision: What becomes of it: ``refuse``, ``hold``, ``old`` or ``new``.
        count: How many there are.
    """

    kind: str
    sheet: str
    column: Optional[str]
    decision: str
    count: int


@dataclass(frozen=True)
class PullReport:
    """Tell what a pull did; it holds no id and no cell value.

    Attributes:
        side: ``old`` or ``new``.
        outcome: ``committed``, or ``unchanged`` where there was nothing to commit.
        version: The version that the store is at.
        parent: The version that it was at before.
        attempts: How often the pull began, since others committed in between.
        taken: By sheet, the rows inserted, updated and deleted that were taken of the side.
        tables: The rows of each table, and those inserted, updated and deleted.
        conflicts: The conflicts that were met, those that policy or somebody decided among them.
        held: How many subjects wait for a decision.
        rejects: What of the side cannot be taken, by sheet, column, rule and scope.
        nameless: How many rows of the side cannot be told whose they are; while there is one,
            nothing there is taken as deleted.
        recovered: Whether a push before had died between the side and the store.
        seconds: How long each step took.
    """

    side: str
    outcome: Literal["committed", "unchanged"]
    version: int
    parent: int
    attempts: int
    taken: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tables: Mapping[str, TableReport] = field(default_factory=dict)
    conflicts: tuple[ConflictCount, ...] = ()
    held: int = 0
    rejects: tuple[RejectCount, ...] = ()
    nameless: int = 0
    recovered: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """Give one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)


@dataclass(frozen=True)
class PushReport:
    """Tell what a push did; it holds no id and no cell value.

    Attributes:
        side: ``old`` or ``new``.
        outcome: ``pushed``, or ``unchanged`` where the side lacked nothing.
        version: The version that the store is at.
        pushed: The version whose rows the side has now.
        written: By sheet of the old side, or table of the new one, the rows inserted, updated and
            deleted.
        held: How many subjects wait for a decision, and were left as they are.
        held_deletes: How many subjects the side still has, since deletions are held.
        recovered: Whether a push before had died between the side and the store.
        seconds: How long each step took.
    """

    side: str
    outcome: Literal["pushed", "unchanged"]
    version: int
    pushed: int
    written: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    held: int = 0
    held_deletes: int = 0
    recovered: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """Give one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)


def count_conflicts(conflicts: pd.DataFrame, /) -> tuple[ConflictCount, ...]:
    """Count conflicts by kind, place and decision.

    Args:
        conflicts: Text columns ``kind``, ``sheet``, ``column`` and ``decision``, among others.
    """
    names = ["kind", "sheet", "column", "decision"]
    told = conflicts[names].astype(object).fillna("")
    counts = Counter(zip(*(told[name].tolist() for name in names)))
    return tuple(
        ConflictCount(kind, sheet, column or None, decision, counts[kind, sheet, column, decision])
        for kind, sheet, column, decision in sorted(counts)
    )
