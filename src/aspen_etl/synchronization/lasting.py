"""What is kept of a source for the run after this one, beside its rows: figures of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import Positions
from aspen_etl.store.kept import SheetFigures
from aspen_etl.store.stored import StoredFile
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.reporting import SourceSummary, count_cells

__all__ = ["figures_of", "move_counts", "rows_by_sheet"]


def move_counts(
    before: SheetFigures, then: Sheet, now: SourceSummary, stayed: int, /
) -> SourceSummary:
    """Give the counts of a sheet from those of the touched; all rejects are theirs.

    Args:
        before: The figures of all rows before.
        then: The rows of the touched before, which are taken away.
        now: The counts of their rows now, which are added.
        stayed: How many rows of before stay although they are absent, of all.
    """
    rows = before.rows - len(then.rows) + now.rows
    columns, repairs, cells = now.cells, then.repairs, count_cells(then)
    moved = {
        c: before.repairs.get(c, 0) - repairs.get(c, 0) + now.repairs.get(c, 0) for c in columns
    }
    return replace(
        now,
        rows=rows,
        blank=before.blank - then.blank + now.blank,
        accepted=rows - now.rejected,
        cells={c: before.cells.get(c, 0) - cells[c] + now.cells[c] for c in columns},
        repairs={c: count for c, count in moved.items() if count},
        stayed=stayed,
        notes=dict(before.notes),
    )


def with_notes(
    sources: Mapping[str, SourceSummary], notes: Optional[Mapping[str, Mapping[str, int]]], /
) -> dict[str, SourceSummary]:
    """Let counts tell what the reader noticed now, where that is known."""
    if notes is None:
        return dict(sources)
    return {n: replace(found, notes=dict(notes.get(n, {}))) for n, found in sources.items()}


def figures_of(source: SourceSummary, /) -> SheetFigures:
    """Give the figures of a sheet that are kept; its files are described when they are written."""
    nothing = StoredFile("", 0, 0, "0" * 64)
    return SheetFigures(
        nothing, nothing, source.rows, source.blank, source.cells, source.repairs, source.notes
    )


def rows_by_sheet(rejects: pd.DataFrame, sheets: Iterable[str], /) -> dict[str, Positions]:
    """Give the numbers of the rows of each sheet that have a reject."""
    return {
        name: rejects.loc[(rejects["source"] == name).to_numpy(dtype=bool), "row"].to_numpy(
            dtype=np.int64
        )
        for name in sheets
    }
