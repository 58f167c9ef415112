"""Audit columns: who made a row and when, and who changed it last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.schema.frames import Run
from aspen_etl.schema.spec import TIMESTAMP, TableSpec
from aspen_etl.schema.text import conform_text
from aspen_etl.transform import kernels
from aspen_etl.transform.kernels import Mask, Positions
from aspen_etl.transform.positions import differ, find_rows, select

__all__ = ["audit_columns", "stamp"]


def stamp(
    frame: pd.DataFrame,
    table: TableSpec,
    run: Run,
    before: Optional[pd.DataFrame],
    fresh: Mapping[str, pd.Series],
    /,
) -> pd.DataFrame:
    """Give a table its audit columns.

    Args:
        frame: The table without them.
        table: What it is.
        run: When this is, and who does it.
        before: The table before: a row of the same key keeps what it was created with, and is
            updated where a value changed. A column that it lacks changes nothing.
        fresh: The audit columns that the table has if all its rows are new.
    """
    if before is None or not len(before):
        return frame.assign(**fresh)
    at = find_rows([frame[table.primary_key]], [before[table.primary_key]])
    known = np.flatnonzero(at >= 0)
    there = at[known]
    if not len(known):
        return frame.assign(**fresh)
    changed = np.zeros(len(frame), dtype=bool)
    changed[known] = _changed(frame, table, before, known, there)
    out = {name: _kept(column, before[name], known, there) for name, column in fresh.items()}
    if changed.any():
        out["updated"] = out["updated"].mask(changed, pd.Timestamp(run.time)).astype(TIMESTAMP)
        out["updated_by"] = conform_text(out["updated_by"].mask(changed, run.actor))
    return frame.assign(**out)


def _changed(
    frame: pd.DataFrame,
    table: TableSpec,
    before: pd.DataFrame,
    known: Positions,
    there: Positions,
) -> Mask:
    """Tell which known rows hold another value than before, keys aside."""
    keys = {table.primary_key, *table.natural_key}
    changed = np.zeros(len(known), dtype=bool)
    for spec in table.own_columns:
        if spec.name not in keys and spec.name in before.columns:
            changed |= differ(select(frame[spec.name], known), select(before[spec.name], there))
    return changed


def _kept(new: pd.Series, before: pd.Series, known: Positions, there: Positions) -> pd.Series:
    """Give what stood before, and for rows that were not there what is new."""
    if len(known) == len(new):
        return select(before, there)
    both = pd.concat([new, before], ignore_index=True)
    at = np.arange(len(new), dtype=np.int64)
    at[known] = len(new) + there
    kept = select(both, at)
    return conform_text(kept) if kept.dtype != TIMESTAMP else kept


def audit_columns(length: int, run: Run, /) -> dict[str, pd.Series]:
    """Make the audit columns of new rows: created now, by the actor, never updated.

    The tables of a run share them, as many as each has rows.
    """
    time = np.datetime64(run.time.replace(tzinfo=None), "ms")
    return {
        "created": _times(np.full(length, time)),
        "created_by": kernels.repeat(run.actor, length),
        "updated": _times(np.full(length, np.datetime64("NaT", "ms"))),
        "updated_by": kernels.repeat(None, length),
    }


def _times(moments: Any) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(moments, tz="UTC")).astype(TIMESTAMP)
