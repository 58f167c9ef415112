"""Sheets as two-way sync compares them: clean text, in the order of their keys, one row for each.

A sheet is known by ``model.lineage.sources[name].key``; the columns that a fault keeps out
together are one unit, and each other column that is not of the key is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import held_frames, make_frame
from aspen_etl.columns.rows import find_rows, sort_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.lineage import ROW, VALUE
from aspen_etl.transform.parting import Partitioning

__all__ = [
    "Sheets",
    "are_of",
    "conform_sheets",
    "differ_rows",
    "find_in",
    "key_columns",
    "put_over",
    "units_of",
]

#: Rows by sheet: clean text, missing or there; a reference as the key that it refers to.
Sheets = Mapping[str, pd.DataFrame]


def key_columns(frame: pd.DataFrame, name: str, how: Partitioning, /) -> list[pd.Series]:
    """Give the columns that the rows of a sheet are known by."""
    return [frame[column] for column in how.model.lineage.sources[name].key]


def units_of(name: str, how: Partitioning, /) -> list[tuple[str, ...]]:
    """Give the units of a sheet's rows, each by its columns; the key is none.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> from aspen_etl.transform.parting import can_part
        >>> units_of("borrower", can_part(BORROWER_MODEL))[:2]
        [('full_name',), ('street', 'city', 'state', 'zip_code')]
    """
    lineage = how.model.lineage.sources[name]
    found: dict[str, list[str]] = {}
    for column in how.model.sources[name].columns:
        if column not in lineage.key:
            scope = lineage.scopes[column]
            is_alone = scope in (ROW, VALUE)
            found.setdefault(f".{column}" if is_alone else scope, []).append(column)
    return [tuple(columns) for columns in found.values()]


def conform_sheets(sheets: Sheets, how: Partitioning, /) -> dict[str, pd.DataFrame]:
    """Bring sheets to one form: each sheet of the model, its columns, rows in order of their key.

    Args:
        sheets: The sheets; one that is not there has no rows.
        how: Whose the rows are.
    """
    held, out = held_frames(sheets), {}
    for name, spec in how.model.sources.items():
        given = held.get(name)
        columns = {
            column: COLUMNS.repeat(None, 0) if given is None else conform_text(given[column])
            for column in spec.columns
        }
        frame = make_frame(columns).reset_index(drop=True)
        order, _ = sort_rows(key_columns(frame, name, how))
        out[name] = take_rows(frame, order)
    return out


def find_in(
    wanted: pd.DataFrame, known: pd.DataFrame, name: str, how: Partitioning, /
) -> Positions:
    """Give the row of a sheet that each row of another state of it is, by key, or -1."""
    return find_rows(key_columns(wanted, name, how), key_columns(known, name, how))


def differ_rows(
    one: pd.DataFrame, two: pd.DataFrame, columns: Sequence[str], rows: Positions, at: Positions, /
) -> Mask:
    """Tell which of some rows differ, in any of some columns, from those of another frame."""
    out = np.zeros(len(rows), dtype=bool)
    for column in columns:
        out |= COLUMNS.differ(one[column], two[column], rows, at)
    return out


def are_of(frame: pd.DataFrame, name: str, subjects: pd.Series, how: Partitioning, /) -> Mask:
    """Tell which rows of a sheet are of some subjects, each given once."""
    found: Mask = COLUMNS.find(frame[how.columns[name]], subjects) >= 0
    return found


def put_over(
    frame: pd.DataFrame, gone: Mask, more: pd.DataFrame, name: str, how: Partitioning, /
) -> pd.DataFrame:
    """Take some rows out of a sheet, put others in, and give it in order of its key."""
    stay = take_rows(frame, np.flatnonzero(~gone))
    columns = {column: COLUMNS.concat([stay[column], more[column]]) for column in frame.columns}
    joined = make_frame(columns)
    order, _ = sort_rows(key_columns(joined, name, how))
    return take_rows(joined, order)
