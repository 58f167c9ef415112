"""What a run did, as plain values without a cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Optional

from aspen_etl.normalization import RejectCount, SourceSummary

__all__ = ["Outcome", "SyncReport", "TableReport"]

Outcome = Literal["committed", "unchanged", "planned"]


@dataclass(frozen=True)
class TableReport:
    """Count the rows of a table after a run, and what changed in it."""

    rows: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class SyncReport:
    """Tell what a run did; it holds no cell value.

    Attributes:
        outcome: ``committed``; ``unchanged``, where there was nothing to commit; or ``planned``.
        version: The version that the store is at.
        parent: The version that it was at before.
        source_read: Whether the source was parsed; an unchanged one is not.
        attempts: How often the run began, since others committed in between.
        tables: The rows of each table, and those inserted, updated and deleted.
        sources: What became of each sheet, with rows kept and cells repaired; empty where the
            source was not parsed.
        rejects: The rejects by sheet, column, rule and scope.
        refusals: The thresholds that a planned run would break.
        bytes_written: The size of the files written, rejects and keys included.
        format: The format of the tables.
        format_before: The one that they had before this commit, if there were any; where it is
            another one, all of them are written anew.
        seconds: How long each step took.
    """

    outcome: Outcome
    version: int
    parent: int
    source_read: bool
    attempts: int
    tables: Mapping[str, TableReport] = field(default_factory=dict)
    sources: Mapping[str, SourceSummary] = field(default_factory=dict)
    rejects: tuple[RejectCount, ...] = ()
    refusals: tuple[str, ...] = ()
    bytes_written: int = 0
    format: Optional[str] = None
    format_before: Optional[str] = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """Give one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)
