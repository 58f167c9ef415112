"""Audit columns: who made a row and when, and who changed it last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.positions import is_range, rows_without
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.column_spec import TIMESTAMP
from aspen_etl.schema.evolution import conform_known
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Run

__all__ = ["Since", "audit_columns", "stamp"]


class Since(NamedTuple):
    """What became of a table's rows since the snapshot before.

    Attributes:
        inserted: The rows that were not there; not listed where no row was there.
        updated: The rows that were there and hold another value now, be it in a column that the
            table before did not have.
        gone: The rows of the table before that are not there any more, with the columns that it
            had; none where it had no row.
    """

    inserted: Positions
    updated: Positions
    gone: Optional[pd.DataFrame] = None


def stamp(
    frame: pd.DataFrame,
    table: TableSpec,
    run: Run,
    before: Optional[pd.DataFrame],
    fresh: Mapping[str, pd.Series],
    /,
    *,
    there: Optional[Positions] = None,
) -> tuple[pd.DataFrame, Since]:
    """Give a table its audit columns.

    Args:
        frame: The table without them.
        table: What it is.
        run: When this is, and who does it.
        before: The table before: a row of the same key keeps what it was created with, and is
            updated where a value changed. A column that it lacks changes nothing.
        fresh: The audit columns that the table has if all its rows are new.
        there: The row of the table before that has the key of each row, or -1, if it is known.

    Returns:
        The table, and what became of its rows.
    """
    nothing = np.empty(0, dtype=np.int64)
    if before is None or not len(before):
        return _with(frame, fresh), Since(nothing, nothing)
    before, at = conform_known(before, table), there
    if at is None:
        at = find_rows([frame[table.primary_key]], [before[table.primary_key]])
    known = np.flatnonzero(at >= 0)
    rows = at[known]
    new = np.flatnonzero(at < 0)
    if not len(known):
        return _with(frame, fresh), Since(new, nothing, before)
    changed, filled = _compare(frame, table, before, known, rows)
    updated = known[changed | filled]
    out = {name: _kept(column, before[name], known, rows) for name, column in fresh.items()}
    if changed.any():
        touched = np.zeros(len(frame), dtype=bool)
        touched[known[changed]] = True
        out["updated"] = out["updated"].mask(touched, pd.Timestamp(run.time)).astype(TIMESTAMP)
        out["updated_by"] = conform_text(out["updated_by"].mask(touched, run.actor))
    return _with(frame, out), Since(new, updated, _gone(before, rows))


def _gone(before: pd.DataFrame, staying: Positions) -> pd.DataFrame:
    return take_rows(before, rows_without(staying, len(before)))


def _with(frame: pd.DataFrame, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    return make_frame({**{str(name): values for name, values in frame.items()}, **columns})


def _compare(
    frame: pd.DataFrame,
    table: TableSpec,
    before: pd.DataFrame,
    known: Positions,
    there: Positions,
) -> tuple[Mask, Mask]:
    """Tell which known rows hold another value than before, keys aside, and which one more."""
    keys = {table.primary_key, *table.natural_key}
    changed, filled = np.zeros((2, len(known)), dtype=bool)
    for spec in table.own_columns:
        if spec.name not in before.columns:
            filled |= COLUMNS.take(frame[spec.name], known).notna().to_numpy(dtype=bool)
        elif spec.name not in keys:
            changed |= COLUMNS.differ(frame[spec.name], before[spec.name], known, there)
    return changed, filled


def _kept(new: pd.Series, before: pd.Series, known: Positions, there: Positions) -> pd.Series:
    """Give what stood before, and for rows that were not there what is new."""
    if COLUMNS.is_constant(before):  # as is who made a row, and that none was changed
        same = not COLUMNS.differ(before.iloc[:1], new.iloc[:1]).any()
        if same and COLUMNS.is_constant(new):
            return new  # which the tables share
        before, there = before.iloc[: len(there)], np.arange(len(there))
    if len(known) == len(new):
        return COLUMNS.take(before, there)
    if is_range(known):  # new rows have the highest keys
        return COLUMNS.concat([COLUMNS.take(before, there), new.iloc[: len(new) - len(known)]])
    at = np.arange(len(new), dtype=np.int64)
    at[known] = len(new) + there
    return COLUMNS.take(COLUMNS.concat([new, before]), at)


def audit_columns(length: int, run: Run, /) -> dict[str, pd.Series]:
    """Make the audit columns of new rows: created now, by the actor, never updated.

    The tables of a run share them, as many as each has rows.
    """
    time = np.datetime64(run.time.replace(tzinfo=None), "ms")
    return {
        "created": _times(np.full(length, time)),
        "created_by": COLUMNS.repeat(run.actor, length),
        "updated": _times(np.full(length, np.datetime64("NaT", "ms"))),
        "updated_by": COLUMNS.repeat(None, length),
    }


def _times(moments: Any) -> pd.Series:
    return make_column(pd.DatetimeIndex(moments, tz="UTC")).astype(TIMESTAMP)
