"""What is kept of a source for the run after this one: figures of all rows, and lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from aspen_etl.store.commit import StoredFile
from aspen_etl.store.kept import KeptSheet, SheetFigures
from aspen_etl.synchronization.touching import LinedSheet
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.reporting import SourceSummary, count_cells

__all__ = ["figures_of", "keep_lines", "move_counts"]


def move_counts(before: SheetFigures, then: Sheet, now: SourceSummary, /) -> SourceSummary:
    """Give the counts of a sheet from those of the touched; all rejects are theirs.

    Args:
        before: The figures of all rows before.
        then: The rows of the touched before, which are taken away.
        now: The counts of their rows now, which are added.
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
        notes=dict(before.notes),
    )


def figures_of(source: SourceSummary, /) -> SheetFigures:
    """Give the figures of a sheet that are kept; its files are described when they are written."""
    nothing = StoredFile("", 0, 0, "0" * 64)
    return SheetFigures(
        nothing, nothing, source.rows, source.blank, source.cells, source.repairs, source.notes
    )


def keep_lines(name: str, sheet: LinedSheet, rejects: pd.DataFrame, /) -> KeptSheet:
    """Give a sheet as it is kept, with which of its lines were rejected.

    Args:
        name: What the sheet is called.
        sheet: The sheet.
        rejects: The rejects of the run.
    """
    rows = rejects.loc[(rejects["source"] == name).to_numpy(dtype=bool), "row"]
    rejected = np.zeros(len(sheet.lines), dtype=bool)
    rejected[rows.to_numpy(dtype=np.int64) - sheet.lines.first_row] = True
    loaded = sheet.loaded
    return KeptSheet(loaded.data, sheet.subjects, rejected, loaded.sha256)
