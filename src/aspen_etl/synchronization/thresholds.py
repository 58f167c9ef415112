"""The limits that keep a broken source from emptying a store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Optional

from aspen_etl.errors import ArgumentError
from aspen_etl.io.options import Count, Flag, Share, option

if TYPE_CHECKING:
    from aspen_etl.io.content import SourceFile
    from aspen_etl.store.commit import Commit
    from aspen_etl.synchronization.report import Result

__all__ = ["Thresholds", "find_outdated", "find_refusals"]


@dataclass(frozen=True)
class Thresholds:
    """Say how much a run may reject and delete before it refuses to commit.

    Attributes:
        max_rejected_rows: The share of a sheet's rows, from 0 to 1.
        max_rejected_cells: The share of a column's cells that are not missing.
        max_deleted_rows: The share of a table's rows.
        min_deleted_rows: How many rows of a table must go at least for that share to count.
        allow_empty: Whether an extract without a row may follow tables with rows.
        allow_older: Whether a source may be older than the one of the newest commit: than the
            file at the same url, or than all of its files where the urls are others.

    Examples:
        >>> Thresholds(max_deleted_rows=0.5).max_rejected_rows
        0.05
    """

    max_rejected_rows: float = field(
        default=0.05,
        metadata=option(
            Share(),
            "the share of a sheet's rows that may be rejected, from 0 to 1",
            "--max-rejected-rows",
            "N",
        ),
    )
    max_rejected_cells: float = field(
        default=0.05,
        metadata=option(
            Share(),
            "the share of a column's cells that may be rejected, from 0 to 1",
            "--max-rejected-cells",
            "N",
        ),
    )
    max_deleted_rows: float = field(
        default=0.20,
        metadata=option(
            Share(),
            "the share of a table's rows that may be deleted, from 0 to 1",
            "--max-deleted-rows",
            "N",
        ),
    )
    min_deleted_rows: int = field(
        default=10,
        metadata=option(
            Count(),
            "how many rows of a table must go for that share to count",
            "--min-deleted-rows",
            "N",
        ),
    )
    allow_empty: bool = field(
        default=False,
        metadata=option(
            Flag(), "let an extract without rows follow one with rows", "--allow-empty"
        ),
    )
    allow_older: bool = field(
        default=False,
        metadata=option(Flag(), "let an older source follow a newer one", "--allow-older"),
    )

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        for each in fields(self)[:3]:
            value = getattr(self, each.name)
            if not 0 <= value <= 1:
                msg = f"{each.name}={value} is no share; give a number from 0 to 1"
                raise ArgumentError(msg, problem="threshold", argument=each.name)
        if self.min_deleted_rows < 0:
            msg = "min_deleted_rows must not be negative"
            raise ArgumentError(msg, problem="threshold", argument="min_deleted_rows")


def find_refusals(
    result: Result,
    thresholds: Thresholds,
    before: Optional[Commit],
    /,
) -> tuple[str, ...]:
    """Name every limit that a result breaks, with the figure and the parameter."""
    return (*_rejected(result, thresholds), *_deleted(result, thresholds, before))


def _rejected(result: Result, limits: Thresholds) -> Iterator[str]:
    for name, source in result.summary.sources.items():
        if source.rejected > limits.max_rejected_rows * source.rows:
            yield (
                f"{_part(source.rejected, source.rows)} rows of {name!r} are rejected, more than "
                f"{limits.max_rejected_rows:.1%} (max_rejected_rows)"
            )
        for column, count in source.rejected_cells.items():
            if count > limits.max_rejected_cells * source.cells[column]:
                yield (
                    f"{_part(count, source.cells[column])} cells of {name}.{column} are rejected, "
                    f"more than {limits.max_rejected_cells:.1%} (max_rejected_cells)"
                )


def _deleted(result: Result, limits: Thresholds, before: Optional[Commit]) -> Iterator[str]:
    held = {name: stored.rows for name, stored in before.tables.items()} if before else {}
    for name, found in result.changes.items():
        count, rows = found.counts["deleted"], held.get(name, 0)
        if count >= max(limits.min_deleted_rows, 1) and count > limits.max_deleted_rows * rows:
            yield (
                f"{_part(count, rows)} rows of table {name!r} would be deleted, more than "
                f"{limits.max_deleted_rows:.1%} (max_deleted_rows, min_deleted_rows)"
            )
    sources = result.summary.sources.values()
    empty = bool(sources) and not any(source.rows for source in sources)
    if empty and any(held.values()) and not limits.allow_empty:
        yield f"the extract is empty and the store holds {sum(held.values()):,} rows (allow_empty)"


def find_outdated(
    thresholds: Thresholds, before: Optional[Commit], files: tuple[SourceFile, ...], /
) -> tuple[str, ...]:
    """Name the source files that are older than those of the newest commit."""
    if before is None or thresholds.allow_older:
        return ()
    known = {file.url: file.modified for file in before.source.files}
    if not any(file.url in known for file in files):  # such as a workbook of another date
        last = max((then for then in known.values() if then is not None), key=_time, default=None)
        known = {file.url: last for file in files}
        files = tuple(sorted((f for f in files if f.modified), key=_modified))[-1:]
    return tuple(_outdated(known, files))


def _outdated(known: Mapping[str, Optional[str]], files: tuple[SourceFile, ...]) -> Iterator[str]:
    for file in files:
        then = known.get(file.url)
        if then is None or file.modified is None:
            continue
        age = _time(then) - _time(file.modified)
        if age > dt.timedelta():
            yield (
                f"{file.url} is {age.total_seconds():,.0f} s older than the state that the newest "
                "commit was made of (allow_older)"
            )


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _modified(file: SourceFile) -> dt.datetime:
    return _time(file.modified or "")


def _part(count: int, whole: int) -> str:
    share = count / whole if whole else 1.0
    return f"{count:,} of {whole:,} ({share:.1%})"
