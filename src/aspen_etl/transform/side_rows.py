"""A side as two-way sync reads it: its rows, and what of it is not known, since it is rejected now.

What is unknown neither changes nor deletes anything: it counts as the side had it before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.values import Extract
from aspen_etl.transform.cleaning import Sheet, clean
from aspen_etl.transform.expressing import express
from aspen_etl.transform.judging import Verdict, gather, judge
from aspen_etl.transform.keyed_sheets import Sheets, are_of, conform_sheets, find_in, put_over
from aspen_etl.transform.naming import name_references
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.subjects import cells_of

__all__ = ["SideRows", "assume", "read_side", "read_tables_side"]


@dataclass(frozen=True, eq=False)
class SideRows:
    """Hold a side as it was read.

    Attributes:
        rows: By sheet, its accepted rows: clean text, a reference as the key that it refers to.
        cells: By sheet and column, which of these rows have a cell there that is unknown.
        keys: By sheet, the keys of rows that are unknown; one that lacks a part stands for all of
            its subject's rows of the sheet.
        subjects: Who is unknown as a whole: its tables do not hold together.
        nameless: By sheet, how many rows are unknown whose subject is, too.
    """

    rows: Mapping[str, pd.DataFrame] = field(repr=False)
    cells: Mapping[str, Mapping[str, Mask]] = field(repr=False)
    keys: Mapping[str, pd.DataFrame] = field(repr=False)
    subjects: pd.Series = field(repr=False)
    nameless: Mapping[str, int]


def read_side(extract: Extract, how: Partitioning, /) -> SideRows:
    """Clean and judge an extract of a side.

    Args:
        extract: The sheets as read.
        how: Whose the rows are.

    Raises:
        ExtractError: A sheet or column is missing, or one has no place in the model.
        ModelFunctionError: A cleaner or a rule of the model failed.
    """
    sheets = clean(extract, how.model)
    verdicts = judge(sheets, how.model)
    rows = name_references(gather(sheets, verdicts), how.model)
    keys, nameless = {}, {}
    for name, sheet in sheets.items():
        found = _rejected_keys(sheet, verdicts[name], how)
        known = found[how.columns[name]].notna().to_numpy(dtype=bool)
        nameless[name] = int((~known).sum())
        keys[name] = take_rows(found, np.flatnonzero(known))
    cells = {
        name: {column: mask[verdict.order] for column, mask in verdict.dropped.items()}
        for name, verdict in verdicts.items()
    }
    return SideRows(rows, cells, keys, COLUMNS.repeat(None, 0), nameless)


def _rejected_keys(sheet: Sheet, verdict: Verdict, how: Partitioning) -> pd.DataFrame:
    rows = np.flatnonzero(verdict.rejected)
    columns = {
        column: conform_text(pd.Series(cells_of(sheet, column, rows, clean=True), dtype=object))
        for column in how.model.lineage.sources[sheet.name].key
    }
    return make_frame(columns).drop_duplicates(ignore_index=True)


def read_tables_side(tables: Mapping[str, pd.DataFrame], how: Partitioning, /) -> SideRows:
    """Read the tables of a side back into sheets; whose rows cannot be is unknown as a whole.

    Args:
        tables: The tables, whole.
        how: Whose the rows are.

    Raises:
        ModelFunctionError: The inverse of a builder fails for very many subjects.
    """
    rows, notes = express(tables, how)
    subjects = notes["subject"].dropna().drop_duplicates().reset_index(drop=True)
    nobody = {name: int(notes["subject"].isna().sum()) for name in [how.root]}
    keys = {
        name: make_frame({column: COLUMNS.repeat(None, 0) for column in lineage.key})
        for name, lineage in how.model.lineage.sources.items()
    }
    return SideRows(rows, {name: {} for name in rows}, keys, conform_text(subjects), nobody)


def assume(found: SideRows, shadow: Sheets, how: Partitioning, /) -> dict[str, pd.DataFrame]:
    """Give the rows of a side, what is unknown of them as its shadow has it.

    A row that is unknown, and that the shadow has not, stays out.

    Args:
        found: The side as it was read.
        shadow: What it was known to have.
        how: Whose the rows are.
    """
    before, out = conform_sheets(shadow, how), {}
    for name in how.model.sources:
        rows = _with_cells(found, before[name], name, how)
        absent = find_in(before[name], rows, name, how) < 0
        stays = np.flatnonzero(absent & _are_unknown(found, before[name], name, how))
        nothing = np.zeros(len(rows), dtype=bool)
        out[name] = put_over(rows, nothing, take_rows(before[name], stays), name, how)
    subjects = out[how.root][how.columns[how.root]]
    return {
        name: take_rows(frame, np.flatnonzero(are_of(frame, name, subjects, how)))
        for name, frame in out.items()
    }


def _with_cells(
    found: SideRows, before: pd.DataFrame, name: str, how: Partitioning
) -> pd.DataFrame:
    """Give the rows of a sheet, the unknown cells as they were; new rows have none there."""
    frame = found.rows[name]
    rows = make_frame({column: conform_text(frame[column]) for column in frame.columns})
    at = find_in(rows, before, name, how)
    columns = {}
    for column, values in rows.items():
        mask = found.cells[name].get(str(column))
        columns[column] = values
        if mask is not None and mask.any():
            place = np.where(mask, np.where(at >= 0, at + len(rows), -1), np.arange(len(rows)))
            columns[column] = COLUMNS.take(COLUMNS.concat([values, before[column]]), place)
    return make_frame(columns)


def _are_unknown(found: SideRows, before: pd.DataFrame, name: str, how: Partitioning) -> Mask:
    """Tell of which rows of the shadow it is not known whether the side has them."""
    keys = found.keys[name]
    whole = keys.notna().all(axis=1).to_numpy(dtype=bool)
    names = list(keys.columns)
    full = take_rows(keys, np.flatnonzero(whole))
    out = find_rows([before[c] for c in names], [full[c] for c in names]) >= 0
    some = COLUMNS.take(keys[how.columns[name]], np.flatnonzero(~whole))
    subjects = COLUMNS.concat([conform_text(found.subjects), some]).drop_duplicates()
    return out | are_of(before, name, subjects.reset_index(drop=True), how)
