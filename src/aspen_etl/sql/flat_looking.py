"""Flat tables as a run sees them, clean and judged, held against what is to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd
import sqlalchemy as sa

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import are_whole, find_rows, number_rows
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import FIRST_ROW, Extract
from aspen_etl.sql.flat_planning import SheetWrite
from aspen_etl.sql.flat_sheets import read_rows
from aspen_etl.sql.flat_tables import FlatTable
from aspen_etl.transform.cleaning import Sheet, clean
from aspen_etl.transform.judging import Verdict, judge

__all__ = ["Found", "Held", "Seen", "hold", "lacks", "look", "with_parents"]

#: How many cells by source and column; with no column, rows.
Found = Counter[tuple[str, Optional[str]]]


@dataclass(frozen=True)
class Seen:
    """A flat table as it is now.

    Attributes:
        sheet: Its rows, clean.
        verdict: What is not accepted of them.
        beside: Of each row of the sheet, what was asked beside it.
        first: The first row of each key.
        counts: How many rows have it.
        key: The columns of the key, of these rows.
    """

    sheet: Sheet
    verdict: Verdict
    beside: Sequence[tuple[Any, ...]] = field(repr=False)
    first: Positions = field(repr=False)
    counts: Positions = field(repr=False)
    key: tuple[pd.Series, ...] = field(repr=False)

    @classmethod
    def of(
        cls, sheet: Sheet, verdict: Verdict, beside: Sequence[Any], names: Sequence[str]
    ) -> Seen:
        """Find the rows of each key; rows whose key is not whole are nobody's."""
        key = [sheet.clean[name] for name in names]
        whole = np.flatnonzero(are_whole(key))
        numbers, _ = number_rows([COLUMNS.take(column, whole) for column in key])
        _, first, counts = np.unique(numbers, return_index=True, return_counts=True)
        rows = whole[first]
        held = tuple(COLUMNS.take(column, rows) for column in key)
        place = sheet.rows.to_numpy(dtype=np.int64) - FIRST_ROW
        asked = [beside[at] for at in place.tolist()] if len(beside) else ()
        return cls(sheet, verdict, asked, rows, counts, held)

    def find(self, frame: pd.DataFrame, names: Sequence[str]) -> tuple[Positions, Mask]:
        """Give the row that has the key of each of some rows, or -1, and where several have it."""
        at = find_rows([frame[name] for name in names], self.key)
        return np.append(self.first, -1)[at], np.append(self.counts, 0)[at] > 1

    def differ(self, column: str, rows: Positions, frame: pd.DataFrame, at: Positions) -> Mask:
        """Tell which cells of a column are other ones than in some rows, or are not accepted."""
        out: Mask = COLUMNS.differ(self.sheet.clean[column], frame[column], rows, at)
        out = out | self.verdict.rejected[rows]
        if column in self.verdict.dropped:
            out |= self.verdict.dropped[column][rows]
        return out


def with_parents(sources: Iterable[str], model: Model, /) -> list[str]:
    """Name sources along with those that their rows refer to, in the order of the model."""
    wanted, found = list(sources), set()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += model.lineage.sources[name].references.values()
    return [name for name in model.sources if name in found]


def look(
    connection: sa.Connection,
    tables: Sequence[FlatTable],
    model: Model,
    beside: Mapping[str, Sequence[sa.ColumnElement[Any]]],
    /,
) -> dict[str, Seen]:
    """Read tables as they are in a transaction; clean and judge their rows as a run does.

    Args:
        connection: A connection.
        tables: The tables, those that they refer to among them.
        model: The model.
        beside: By source, what is asked of each row besides.

    Raises:
        ModelFunctionError: A cleaner or a rule of the model failed.
    """
    read = {
        each.source: read_rows(connection, each, model, beside=beside.get(each.source, ()))
        for each in tables
    }
    nothing = COLUMNS.repeat(None, 0)
    frames = {
        name: read[name].frame if name in read else make_frame(dict.fromkeys(spec.columns, nothing))
        for name, spec in model.sources.items()
    }
    faults = pd.concat([found.faults for found in read.values()], ignore_index=True)
    sheets = clean(Extract.from_frames(frames, faults=faults), model)
    verdicts = judge(sheets, model)
    keys = model.lineage.sources
    return {
        name: Seen.of(sheets[name], verdicts[name], found.beside, keys[name].key)
        for name, found in read.items()
    }


class Held(NamedTuple):
    """What is to be written, held against what is there.

    Attributes:
        new: Which of the inserted rows are not there yet.
        updated: The row of each that changes.
        deleted: The row of each that goes.
        changed: What is not as it is known to be.
        twins: How many keys belong to several rows.
    """

    new: Positions
    updated: Positions
    deleted: Positions
    changed: Found
    twins: int


def hold(write: SheetWrite, seen: Seen, key: Sequence[str], /) -> Held:
    """Hold what is to be written to a table against what is there.

    Args:
        write: What is to be written.
        seen: What is there.
        key: The columns that a row is known by.
    """
    source = write.target.table.source
    changed: Found = Counter()
    there, doubled = seen.find(write.inserted, key)
    rows = np.flatnonzero(there >= 0)
    changed[source, None] += int(_any_differs(seen, there[rows], write.inserted, rows).sum())
    after, unsure = seen.find(write.updated, key)
    gone, several = seen.find(write.deleted, key)
    changed[source, None] += int((after < 0).sum()) + int((gone < 0).sum())
    for group in write.groups:
        at = group.rows[after[group.rows] >= 0]
        for column in group.columns:
            changed[source, column] += int(seen.differ(column, after[at], write.was, at).sum())
    at = np.flatnonzero(gone >= 0)
    for column in write.deleted.columns:
        changed[source, column] += int(seen.differ(column, gone[at], write.deleted, at).sum())
    twins = int(doubled.sum()) + int(unsure.sum()) + int(several.sum())
    return Held(np.flatnonzero(there < 0), after, gone, +changed, twins)


def _any_differs(seen: Seen, rows: Positions, frame: pd.DataFrame, at: Positions) -> Mask:
    out = np.zeros(len(rows), dtype=bool)
    for column in frame.columns:
        out |= seen.differ(column, rows, frame, at)
    return out


def lacks(write: SheetWrite, seen: Seen, key: Sequence[str], /) -> Found:
    """Count what is not as it was to be once all was written: cells by column, or rows.

    Args:
        write: What was written.
        seen: What is there now.
        key: The columns that a row is known by.
    """
    source = write.target.table.source
    found: Found = Counter()
    there, _ = seen.find(write.inserted, key)
    after, _ = seen.find(write.updated, key)
    gone, _ = seen.find(write.deleted, key)
    lost = int((there < 0).sum()) + int((after < 0).sum())
    found[source, None] += lost + int((gone >= 0).sum())
    rows = np.flatnonzero(there >= 0)
    for column in write.inserted.columns:
        found[source, column] += int(seen.differ(column, there[rows], write.inserted, rows).sum())
    for group in write.groups:
        at = group.rows[after[group.rows] >= 0]
        for column in group.columns:
            found[source, column] += int(seen.differ(column, after[at], write.updated, at).sum())
    return +found
