"""What changed between two states of the tables, as frames."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import equal_frames, held_frames, make_frame
from aspen_etl.columns.handing import hands_out, held
from aspen_etl.columns.positions import is_range, rows_without
from aspen_etl.columns.rows import find_rows, sort_rows, take_rows
from aspen_etl.schema.conforming import conform
from aspen_etl.schema.evolution import complete, complete_table, conform_known
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.auditing import Since
from aspen_etl.transform.numbering import Numbered

__all__ = ["ChangeCounts", "Changes", "TableChanges", "apply_changes", "changed", "diff", "part"]


@dataclass(frozen=True)
class ChangeCounts:
    """Count what changed in one table.

    Attributes:
        inserted: How many rows are new.
        updated: How many were there and hold another value now.
        deleted: How many are gone.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The rows inserted, updated and deleted."""
        return {name: getattr(self, name) for name in ("inserted", "updated", "deleted")}

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not any(self.counts.values())

    def __add__(self, other: ChangeCounts, /) -> ChangeCounts:
        """Add what changed in other rows of the table."""
        sums = {name: count + other.counts[name] for name, count in self.counts.items()}
        return ChangeCounts(**sums)


@hands_out("inserted", "updated", "deleted", "was")
@dataclass(frozen=True, eq=False)
class TableChanges:
    """Hold what changed in one table: whole rows, in the order of their key.

    Attributes:
        inserted: The rows that are new.
        updated: The rows that were there and hold another value now, as they are now.
        deleted: The rows that are gone, as they were.
        table: What the table is.
        was: The rows of ``updated`` as they were, in the same order, where ``diff`` compared them.
    """

    inserted: pd.DataFrame = field(repr=False)
    updated: pd.DataFrame = field(repr=False)
    deleted: pd.DataFrame = field(repr=False)
    table: TableSpec = field(repr=False)
    was: Optional[pd.DataFrame] = field(default=None, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """The rows inserted, updated and deleted."""
        return {name: len(held(self, name)) for name in ("inserted", "updated", "deleted")}

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not any(self.counts.values())

    def equals(self, other: TableChanges, /) -> bool:
        """Tell whether the other holds the same rows."""
        return all(
            equal_frames(held(self, name), held(other, name))
            for name in ("inserted", "updated", "deleted")
        )


class Changes(Mapping[str, TableChanges]):
    """Hold what changed, by table, in reference order; it shows counts and never a cell.

    Examples:
        >>> from aspen_etl.schema import Tables
        >>> frame = pd.DataFrame()
        >>> spec = BORROWER_MODEL.tables["user"]
        >>> Changes({"user": TableChanges(frame, frame, frame, spec)})
        <Changes user: +0 ~0 -0>
    """

    __slots__ = ("_tables",)

    def __init__(self, tables: Mapping[str, TableChanges]) -> None:
        self._tables = MappingProxyType(dict(tables))

    def __getitem__(self, name: str) -> TableChanges:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (dict(self._tables),))

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changes) and self.equals(other)

    def equals(self, other: Changes, /) -> bool:
        """Tell whether the other holds the same rows."""
        return self.keys() == other.keys() and all(
            found.equals(other[name]) for name, found in self.items()
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed in any table."""
        return all(found.is_empty for found in self.values())

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The rows inserted, updated and deleted, by table."""
        return {name: found.counts for name, found in self.items()}

    def __repr__(self) -> str:
        parts = [
            f"{name}: +{n['inserted']:,} ~{n['updated']:,} -{n['deleted']:,}"
            for name, n in self.counts.items()
        ]
        return f"<Changes {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td>"
            + "".join(f"<td>{count:,}</td>" for count in counts.values())
            + "</tr>"
            for name, counts in self.counts.items()
        )
        head = "<tr><th>Changes</th><th>inserted</th><th>updated</th><th>deleted</th></tr>"
        return f"<table>{head}{rows}</table>"


def diff(
    before: Mapping[str, pd.DataFrame],
    after: Mapping[str, pd.DataFrame],
    /,
    *,
    model: Model = BORROWER_MODEL,
) -> Changes:
    """Tell what must be inserted, updated and deleted to come from one state to another.

    Args:
        before: The tables before; a table or column that the model has more counts as empty.
        after: The tables after.
        model: What the tables are; rows are known by their primary keys.

    Examples:
        >>> from aspen_etl.schema.evolution import complete
        >>> empty, _ = complete({}, BORROWER_MODEL)
        >>> diff(empty, empty).is_empty
        True
    """
    old, _ = complete(held_frames(before), model)
    now = held_frames(after)
    return Changes(
        {name: _table_diff(old[name], now[name], table) for name, table in model.tables.items()}
    )


def _table_diff(before: pd.DataFrame, after: pd.DataFrame, table: TableSpec) -> TableChanges:
    columns = list(table.columns)
    before, after = before[columns], conform_known(after[columns], table)
    if not len(before):
        return _part(after, Since(np.arange(0), np.arange(0)), table)
    at = find_rows([after[table.primary_key]], [before[table.primary_key]])
    rows = np.flatnonzero(at >= 0)
    changed = np.zeros(len(after), dtype=bool)
    for name in table.columns:
        if name != table.primary_key:
            changed[rows] |= COLUMNS.differ(after[name], before[name], rows, at[rows])
    gone = take_rows(before, rows_without(at, len(before)))
    since = Since(np.flatnonzero(at < 0), np.flatnonzero(changed), gone)
    found = _part(after, since, table)
    if not len(since.updated):
        return found
    was = complete_table(take_rows(before, at[since.updated]), table)
    return replace(found, was=_in_order(was, table))


def _part(after: pd.DataFrame, since: Since, table: TableSpec) -> TableChanges:
    nothing = complete_table(None, table)
    if since.gone is None:  # no row was there, so all are new
        new, changed, gone = after, nothing, nothing
    else:
        new, changed = take_rows(after, since.inserted), take_rows(after, since.updated)
        gone = complete_table(since.gone, table)
    inserted, updated, deleted = (
        _in_order(rows, table) if len(rows) else nothing.copy() for rows in (new, changed, gone)
    )
    return TableChanges(inserted, updated, deleted, table)


def part(numbered: Numbered, model: Model, /) -> Changes:
    """Give what ``diff`` gives, of tables whose rows were compared when they were numbered.

    Args:
        numbered: The tables, and what became of their rows.
        model: What the tables are.
    """
    after, since = held_frames(numbered.snapshot.tables), numbered.since
    return Changes(
        {name: _part(after[name], since[name], table) for name, table in model.tables.items()}
    )


def _in_order(frame: pd.DataFrame, table: TableSpec) -> pd.DataFrame:
    frame = conform(frame, table)
    order, _ = sort_rows([frame[table.primary_key]])
    return frame if is_range(order) else take_rows(frame, order)


def apply_changes(changes: Changes, tables: Mapping[str, pd.DataFrame], /) -> Tables:
    """Give the tables after changes, in the order of their keys; the inverse of ``diff``.

    Args:
        changes: What ``diff(before, after)`` gave.
        tables: The tables before.

    Returns:
        The tables after, if the tables given are those before.
    """
    before = held_frames(tables)
    return Tables({name: changed(found, before.get(name))[1]() for name, found in changes.items()})


def changed(
    found: TableChanges, before: Optional[pd.DataFrame], /
) -> tuple[int, Callable[[], pd.DataFrame]]:
    """Tell how many rows a table has after changes, and give what makes it.

    Args:
        found: What changed in it.
        before: The table before, if there was one.
    """
    table = found.table
    frame = complete_table(before, table)
    if found.is_empty:
        return len(frame), lambda: conform(frame, table)
    key = table.primary_key
    gone = COLUMNS.concat([conform(held(found, n), table)[key] for n in ("deleted", "updated")])
    stays = np.flatnonzero(find_rows([frame[table.primary_key]], [gone]) < 0)
    count = len(stays) + found.counts["updated"] + found.counts["inserted"]
    return count, lambda: _apply(found, frame, stays)


def _apply(found: TableChanges, frame: pd.DataFrame, stays: Positions) -> pd.DataFrame:
    """Gather each column of a table after changes once."""
    table, key = found.table, found.table.primary_key
    parts = [part for part in (held(found, n) for n in ("updated", "inserted")) if len(part)]
    all_ = [conform(part.reset_index(drop=True), table) for part in (frame, *parts)]
    if any((part.dtypes != all_[0].dtypes).any() for part in all_):  # then pandas knows what to do
        joined = [part for part in (take_rows(frame, stays), *parts) if len(part)]
        return _in_order(pd.concat(joined or [frame.iloc[:0]], ignore_index=True), table)

    def column(name: str, rows: Positions) -> pd.Series:
        columns = [part[name] for part in all_]
        return COLUMNS.take(COLUMNS.concat(columns) if parts else columns[0], rows)

    rows = np.concatenate([stays, np.arange(len(frame), sum(map(len, all_)))])
    rows = rows[sort_rows([column(key, rows)])[0]]
    columns = {str(name): column(str(name), rows) for name in all_[0]}
    return make_frame(columns, pd.RangeIndex(len(rows)))
