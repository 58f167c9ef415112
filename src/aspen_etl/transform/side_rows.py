"""A side as two-way sync reads it: its rows, and what of it is not known, since it is rejected now.

What is unknown neither changes nor deletes anything: it counts as the side had it before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.values import Extract
from aspen_etl.transform.cleaning import Sheet, clean
from aspen_etl.transform.expressing import express
from aspen_etl.transform.judging import Verdict, gather, judge
from aspen_etl.transform.keyed_sheets import Sheets, are_of, conform_sheets, find_in, put_over
from aspen_etl.transform.naming import name_references
from aspen_etl.transform.noting import join_notes
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.rules import duplicate_rule
from aspen_etl.transform.subjects import cells_of

__all__ = ["SideRows", "assume", "leave_unknown", "read_side", "read_tables_side"]


@dataclass(frozen=True, eq=False)
class SideRows:
    """Hold a side as it was read.

    Attributes:
        rows: By sheet, its accepted rows: clean text, a reference as the key that it refers to.
        cells: By sheet and column, which of these rows have a cell there that is unknown.
        keys: By sheet, the keys of rows that are unknown; one that lacks a part may be any of its
            subject's rows of the sheet.
        broken: Who is unknown as a whole, since their tables do not hold together: a frame of
            ``kind``, ``sheet``, ``subject`` and ``column``, as ``merge`` takes it.
        nameless: How many rows are unknown of which not even the subject can be read, so that
            they may be any that is absent.
    """

    rows: Mapping[str, pd.DataFrame] = field(repr=False)
    cells: Mapping[str, Mapping[str, Mask]] = field(repr=False)
    keys: Mapping[str, pd.DataFrame] = field(repr=False)
    broken: pd.DataFrame = field(repr=False)
    nameless: int = 0


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
    keys, nameless = {}, 0
    for name, sheet in sheets.items():
        keys[name], lost = _rejected_keys(sheet, verdicts[name], how)
        nameless += lost
    cells = {
        name: {column: mask[verdict.order] for column, mask in verdict.dropped.items()}
        for name, verdict in verdicts.items()
    }
    return SideRows(rows, cells, keys, _blame(join_notes([])), nameless)


def _rejected_keys(sheet: Sheet, verdict: Verdict, how: Partitioning) -> tuple[pd.DataFrame, int]:
    """Give the keys of rejected rows, once more without a part that may not be what was meant.

    Returns:
        The keys, and of how many rows the subject cannot be read.
    """
    lineage, whose = how.model.lineage.sources[sheet.name], how.columns[sheet.name]
    rows = np.flatnonzero(verdict.rejected)
    cells = {name: cells_of(sheet, name, rows, clean=True) for name in lineage.key}
    odd = {name: pd.isna(held) for name, held in cells.items()}
    readable = ~odd[whose]
    fine = [f"unknown_{parent}" for parent in lineage.references.values()]
    fine.append(duplicate_rule(sheet.name, how.model)[0])
    for fault in verdict.faults:
        if fault.column in odd and fault.rule not in fine:
            odd[fault.column] |= np.isin(rows, fault.positions)
    parts = [pd.DataFrame(cells, dtype=object)[readable]]
    for name in lineage.key:
        if name != whose:
            without = {**cells, name: np.full(len(rows), None, dtype=object)}
            parts.append(pd.DataFrame(without, dtype=object)[readable & odd[name]])
    joined = pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)
    keys = make_frame({str(name): conform_text(values) for name, values in joined.items()})
    return keys, int(odd[whose].sum())


def read_tables_side(tables: Mapping[str, pd.DataFrame], how: Partitioning, /) -> SideRows:
    """Read the tables of a side back into sheets; whose rows cannot be is unknown as a whole.

    Args:
        tables: The tables, whole.
        how: Whose the rows are.

    Raises:
        ModelFunctionError: The inverse of a builder fails for very many subjects.
    """
    rows, notes = express(tables, how)
    told = notes[notes["subject"].notna().to_numpy(dtype=bool)].reset_index(drop=True)
    keys = {
        name: make_frame({column: COLUMNS.repeat(None, 0) for column in lineage.key})
        for name, lineage in how.model.lineage.sources.items()
    }
    return SideRows(rows, {name: {} for name in rows}, keys, _blame(told), len(notes) - len(told))


def _blame(notes: pd.DataFrame) -> pd.DataFrame:
    """Make conflicts of notes: whatever is wrong with tables, there are no flat rows of them."""
    found = notes[["kind", "sheet", "subject", "column"]].astype(object)
    return found.assign(kind=pd.Series("inexpressible", index=found.index, dtype=object))


def assume(
    found: SideRows, shadow: Sheets, how: Partitioning, /, *, deletes: bool = True
) -> dict[str, pd.DataFrame]:
    """Give the rows of a side, what is unknown of them as its shadow has it.

    A row that is unknown, and that the shadow has not, stays out.

    Args:
        found: The side as it was read.
        shadow: What it was known to have.
        how: Whose the rows are.
        deletes: Whether a row that is absent is gone; else it is unknown, too. Where rows are
            nameless, any of them may be one that is absent.
    """
    before, out = conform_sheets(shadow, how), {}
    for name in how.model.sources:
        rows = _with_cells(found, before[name], name, how)
        absent = find_in(before[name], rows, name, how) < 0
        if deletes:
            absent &= _are_unknown(found, before[name], name, how)
        nothing = np.zeros(len(rows), dtype=bool)
        out[name] = put_over(
            rows, nothing, take_rows(before[name], np.flatnonzero(absent)), name, how
        )
    subjects = out[how.root][how.columns[how.root]]
    return {
        name: take_rows(frame, np.flatnonzero(are_of(frame, name, subjects, how)))
        for name, frame in out.items()
    }


def leave_unknown(
    found: SideRows, shadow: Sheets, head: Sheets, how: Partitioning, /
) -> dict[str, pd.DataFrame]:
    """Give the head, but what is unknown of a side as its shadow has it, so that no push meets it.

    What somebody wrote there was never seen, so nothing may be written over it. A subject whose
    own row is unknown, or of whom anything is while the head has them no more, stays whole.

    Args:
        found: The side as it was read.
        shadow: What it is known to have.
        head: The rows of the head.
        how: Whose the rows are.
    """
    before, after, out = conform_sheets(shadow, how), conform_sheets(head, how), {}
    whole = _find_whole(found, before, after[how.root], how)
    for name, frame in after.items():
        was = before[name]
        gone = are_of(frame, name, whole, how) | _are_unknown(found, frame, name, how)
        back = are_of(was, name, whole, how) | _are_unknown(found, was, name, how)
        back |= (find_in(was, frame, name, how) < 0) & _have_unknown(found, was, name, how)
        at, columns = find_in(frame, was, name, how), dict(frame.items())
        for column in found.cells[name]:
            unknown = _have_unknown(found, frame, name, how, [column])
            columns[column] = _put_cells(frame[column], was[column], unknown, at)
        more = take_rows(was, np.flatnonzero(back))
        out[name] = put_over(make_frame(columns), gone, more, name, how)
    return out


# ----------------------------------------------------------------------------- what is unknown


def _with_cells(
    found: SideRows, before: pd.DataFrame, name: str, how: Partitioning
) -> pd.DataFrame:
    """Give the rows of a sheet, the unknown cells as they were; new rows have none there."""
    frame = found.rows[name]
    rows = make_frame({column: conform_text(values) for column, values in frame.items()})
    at = find_in(rows, before, name, how)
    return make_frame(
        {
            column: _put_cells(values, before[column], found.cells[name].get(str(column)), at)
            for column, values in rows.items()
        }
    )


def _put_cells(
    values: pd.Series, before: pd.Series, mask: Optional[Mask], at: Positions
) -> pd.Series:
    """Put the cells of before where there is a mask; where there was none, what is there stays."""
    if mask is None or not mask.any():
        return values
    place = np.arange(len(values), dtype=np.int64)
    place = np.where(mask & (at >= 0), at + len(values), place)
    return COLUMNS.take(COLUMNS.concat([values, before]), place)


def _are_unknown(found: SideRows, frame: pd.DataFrame, name: str, how: Partitioning) -> Mask:
    """Tell of which rows, of some state of the side, it is not known whether it has them."""
    keys = found.keys[name]
    whole = keys.notna().all(axis=1).to_numpy(dtype=bool)
    names = list(keys.columns)
    full = take_rows(keys, np.flatnonzero(whole))
    out = find_rows([frame[c] for c in names], [full[c] for c in names]) >= 0
    some = COLUMNS.take(keys[how.columns[name]], np.flatnonzero(~whole))
    return out | are_of(frame, name, _distinct([_broken(found), some]), how)


def _have_unknown(
    found: SideRows,
    frame: pd.DataFrame,
    name: str,
    how: Partitioning,
    columns: Optional[Sequence[str]] = None,
) -> Mask:
    """Tell which rows, of some state of the side, have an unknown cell in some or any column."""
    masks = [found.cells[name][column] for column in columns or found.cells[name]]
    if not masks:
        return np.zeros(len(frame), dtype=bool)
    some = take_rows(found.rows[name], np.flatnonzero(np.logical_or.reduce(masks)))
    known = make_frame({column: conform_text(values) for column, values in some.items()})
    return find_in(frame, known, name, how) >= 0


def _find_whole(
    found: SideRows, before: Sheets, head: pd.DataFrame, how: Partitioning
) -> pd.Series:
    """Find the subjects that stay as they are: each once."""
    parts = [_broken(found), found.keys[how.root][how.columns[how.root]]]
    ids = head[how.columns[how.root]]
    for name, frame in before.items():
        doubted = _are_unknown(found, frame, name, how) | _have_unknown(found, frame, name, how)
        parts.append(
            COLUMNS.take(
                frame[how.columns[name]], np.flatnonzero(doubted & ~are_of(frame, name, ids, how))
            )
        )
    return _distinct(parts)


def _broken(found: SideRows) -> pd.Series:
    return conform_text(found.broken["subject"])


def _distinct(parts: Sequence[pd.Series]) -> pd.Series:
    return COLUMNS.concat(list(parts)).drop_duplicates().reset_index(drop=True)
