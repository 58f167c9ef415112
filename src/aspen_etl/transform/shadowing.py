"""A shadow, kept as what it differs by from the head: one state of the sheets by another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import held_frames, make_column, make_frame
from aspen_etl.columns.rows import take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.spec import SourceSpec
from aspen_etl.transform.keyed_sheets import (
    Sheets,
    conform_sheets,
    differ_rows,
    find_in,
    put_over,
)
from aspen_etl.transform.parting import Partitioning

__all__ = ["difference", "patched", "presence_column"]


def presence_column(spec: SourceSpec, /) -> str:
    """Name the column of a difference that says whether the shadow has the row.

    It is ``present``, with an underscore before it where the sheet has a column of that name.
    """
    name = "present"
    while name in spec.columns:
        name = f"_{name}"
    return name


def difference(head: Sheets, shadow: Sheets, how: Partitioning, /) -> dict[str, pd.DataFrame]:
    """Tell by what a shadow differs from the head.

    Args:
        head: The rows of the head, by sheet.
        shadow: Those of the shadow.
        how: Whose the rows are.

    Returns:
        By sheet, the rows of the shadow that the head has not or has otherwise, whole, and of
        those that the head has alone the key; ``present`` is true of the former.
    """
    here, there = conform_sheets(head, how), conform_sheets(shadow, how)
    return {name: _differ(here[name], there[name], name, how) for name in how.model.sources}


def _differ(head: pd.DataFrame, shadow: pd.DataFrame, name: str, how: Partitioning) -> pd.DataFrame:
    at = find_in(shadow, head, name, how)
    wanted = at < 0
    both = np.flatnonzero(~wanted)
    wanted[both] = differ_rows(shadow, head, list(shadow.columns), both, at[both])
    lacks = np.flatnonzero(find_in(head, shadow, name, how) < 0)
    rows = np.flatnonzero(wanted)
    mark = presence_column(how.model.sources[name])
    key = how.model.lineage.sources[name].key
    columns = {}
    for column in shadow.columns:
        gone = COLUMNS.take(head[column], lacks if column in key else _nowhere(len(lacks)))
        columns[column] = COLUMNS.concat([COLUMNS.take(shadow[column], rows), gone])
    columns[mark] = make_column(np.arange(len(rows) + len(lacks)) < len(rows))
    return make_frame(columns)


def _nowhere(length: int) -> Positions:
    return np.full(length, -1, dtype=np.int64)


def patched(
    head: Sheets, diff: Mapping[str, pd.DataFrame], how: Partitioning, /
) -> dict[str, pd.DataFrame]:
    """Give the shadow back of the head, and of what it differs by.

    Args:
        head: The rows of the head, by sheet.
        diff: What ``difference`` gave; a sheet that is not there does not differ.
        how: Whose the rows are.
    """
    here, told, out = conform_sheets(head, how), held_frames(diff), {}
    for name, frame in here.items():
        if name not in told:
            out[name] = frame
            continue
        more = told[name].reset_index(drop=True)
        there = more[presence_column(how.model.sources[name])].to_numpy(dtype=bool)
        more = make_frame({column: conform_text(more[column]) for column in frame.columns})
        gone = find_in(frame, more, name, how) >= 0
        out[name] = put_over(frame, gone, take_rows(more, np.flatnonzero(there)), name, how)
    return out
