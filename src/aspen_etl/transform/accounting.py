"""The account of cells: after the vote each is agreed, a reject, or was missing and is filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_column
from aspen_etl.columns.positions import gather
from aspen_etl.columns.rows import are_present
from aspen_etl.errors import ProofError
from aspen_etl.schema.model import Model
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.judging import Verdict, accepted_cells
from aspen_etl.transform.keeping import Kept
from aspen_etl.transform.settling import Agreed

__all__ = ["count_filled"]


def count_filled(
    sheets: Mapping[str, Sheet],
    verdicts: Mapping[str, Verdict],
    kept: Kept,
    agreed: Agreed,
    model: Model,
    /,
) -> dict[str, dict[str, int]]:
    """Count the cells that were missing and now hold what their entity has, by sheet and column.

    Args:
        sheets: The sheets, as ``clean`` gives them.
        verdicts: What stays out of them.
        kept: Where each accepted row stands.
        agreed: The rows that a run goes on with, as settled; a column that was given no cell is
            as it was.
        model: The model.

    Raises:
        ProofError: A cell is neither agreed nor a reject, or an accepted one is another now.
    """
    out: dict[str, dict[str, int]] = {}
    for sheet, verdict in verdicts.items():
        counts = {}
        rows = agreed.rows[sheet]
        for name in (str(column) for column in rows.columns if (sheet, column) in agreed.given):
            was = accepted_cells(sheets[sheet], verdict, name)
            if name in verdict.links:
                parent = model.lineage.sources[sheet].references[name]
                was = make_column(gather(kept.now[parent], was.to_numpy(dtype=np.int64)))
            now = COLUMNS.take(rows[name], kept.now[sheet])
            held = are_present(was)
            wrong = int((held & COLUMNS.differ(was, now)).sum())
            if wrong:
                msg = (
                    f"the accounts do not add up: {wrong} cells of {sheet}.{name} are neither "
                    "agreed nor rejected; nothing may be committed: this is a fault of the library"
                )
                raise ProofError(msg, source=sheet, column=name, count=wrong)
            missing = ~sheets[sheet].present(name)[verdict.order]
            filled = int((missing & are_present(now)).sum())
            if filled:
                counts[name] = filled
        out[sheet] = counts
    return out
