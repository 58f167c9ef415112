"""What a run did, as plain values without a cell, and how long each step of it took."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Optional, Union

import pandas as pd

from aspen_etl.changes import ChangeCounts
from aspen_etl.normalization import NormalizeResult, RejectCount, SourceSummary, Summary
from aspen_etl.normalization.touched import TouchedResult
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.stored import Stored
from aspen_etl.synchronization.intake import LandingReport

__all__ = [
    "Outcome",
    "PartReport",
    "PartedResult",
    "Result",
    "SyncReport",
    "TableReport",
    "Way",
]


@dataclass(frozen=True)
class PartReport:
    """Tell what became of one part.

    Attributes:
        subjects: How many rows the sheet of subjects has of it.
        rows: How many rows all sheets have of it.
        rejected: How many of these were rejected.
        changed: How many rows of tables changed.
        seconds: How long it took its worker, without the writing.
    """

    subjects: int
    rows: int
    rejected: int
    changed: int
    seconds: float


@dataclass(frozen=True, eq=False)
class PartedResult:
    """Hold what a run in parts made, but for the tables.

    Attributes:
        changes: How many rows changed, by table.
        rejects: The rejects of all parts.
        summary: The counts of all parts.
        parts: What became of each part.
        suppressed: How many rows of each sheet were left out.
    """

    changes: Mapping[str, ChangeCounts]
    rejects: pd.DataFrame = field(repr=False)
    summary: Summary
    parts: tuple[PartReport, ...]
    suppressed: Mapping[str, int] = field(default_factory=dict)


#: What a run made: of everything, of what changed, or in parts.
Result = Union[NormalizeResult, TouchedResult, PartedResult]

Outcome = Literal["committed", "unchanged", "planned"]


@dataclass(frozen=True)
class TableReport:
    """Count the rows of a table after a run, and what changed in it."""

    rows: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class Way:
    """Tell which way a run took, and how long it is since one looked at everything.

    Attributes:
        kind: ``whole``, where it looked at every row; ``short``, where it looked at those alone
            whose subjects changed since the source was read last.
        touched: How many subjects changed; none where that is not known.
        reason: Why it looked at everything.
        short: How many runs took the short way since the last look at everything.
        proved: When that was, in ISO form; none where the source is not kept.
    """

    kind: Literal["whole", "short"]
    touched: Optional[int] = None
    reason: Optional[str] = None
    short: int = 0
    proved: Optional[str] = None

    @classmethod
    def whole(cls, reason: str, run: Optional[Run] = None, /) -> Way:
        """Tell that a run looked at everything, and why; its time, if what it saw can be kept."""
        return cls("whole", reason=reason, proved=run.time.isoformat() if run else None)


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
        way: Which way the run took; none where the source was not parsed.
        parts: What became of each part, where the run was in parts.
        landing: What was taken of a landing folder, where the source is one.
        suppressed: How many rows of each sheet, or landed changes, were left out, of subjects that
            are suppressed.
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
    way: Optional[Way] = None
    parts: tuple[PartReport, ...] = ()
    landing: Optional[LandingReport] = None
    suppressed: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def committed(
        cls, result: Result, before: Optional[Commit], commit: Commit, attempts: int
    ) -> SyncReport:
        """Tell of a commit: what it wrote is what the one before had not."""
        old = {file.path for stored in _stored(before) for file in stored.files}
        files = [file for stored in commit.stored for file in stored.files]
        return cls(
            outcome="committed",
            version=commit.version,
            parent=commit.parent,
            source_read=True,
            attempts=attempts,
            tables=_changed(result),
            sources=result.summary.sources,
            rejects=result.summary.rejects,
            bytes_written=sum(file.bytes for file in files if file.path not in old),
            format=commit.format_of_tables,
            format_before=None if before is None else before.format_of_tables,
        )

    @classmethod
    def unchanged(
        cls, commit: Commit, attempts: int, result: Optional[Result] = None
    ) -> SyncReport:
        """Tell that a commit holds the source's state, as its parsing found or its look."""
        return cls(
            outcome="unchanged",
            version=commit.version,
            parent=commit.version,
            source_read=result is not None,
            attempts=attempts,
            tables={name: TableReport(stored.rows) for name, stored in commit.tables.items()},
            sources={} if result is None else result.summary.sources,
            rejects=() if result is None else result.summary.rejects,
            format=commit.format_of_tables,
        )

    @classmethod
    def planned(
        cls, result: Result, before: Optional[Commit], refusals: Sequence[str], after: str
    ) -> SyncReport:
        """Tell what a run would do, what would refuse it, and the format after it."""
        version = 0 if before is None else before.version
        return cls(
            outcome="planned",
            version=version,
            parent=version,
            source_read=True,
            attempts=1,
            tables=_changed(result),
            sources=result.summary.sources,
            rejects=result.summary.rejects,
            refusals=tuple(refusals),
            format=after,
            format_before=None if before is None else before.format_of_tables,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """Give one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)


def _stored(commit: Optional[Commit]) -> Sequence[Stored]:
    return () if commit is None else commit.stored


def _changed(result: Result) -> dict[str, TableReport]:
    return {
        name: TableReport(rows=result.summary.tables[name], **found.counts)
        for name, found in result.changes.items()
    }
