"""Whose the rows of a sheet are: the key of the subject's row that each leads to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.text import escape
from aspen_etl.schema.model import Model
from aspen_etl.schema.subject import find_ways
from aspen_etl.transform.cleaning import Sheet

__all__ = ["cells_of", "join_key", "list_subjects"]


def list_subjects(sheets: Mapping[str, Sheet], name: str, rows: Positions, model: Model, /) -> Any:
    """Tell whose rows of a sheet are, as objects that a text column can hold.

    It is the key of the subject's row that a row refers to, directly or over other rows, be they
    accepted or not. A row that leads to none is known by its own key, by the first part of it.
    Where the cell is missing that should name the subject, there is nothing.

    Args:
        sheets: The sheets, as ``clean`` gives them.
        name: The sheet.
        rows: The rows, by their positions in it.
        model: The model.
    """
    way = find_ways(model.subject, model.tables, model.lineage)[name]
    if not way.columns:
        key = way.key if way.table is not None else way.key[:1]
        return join_key([cells_of(sheets[name], column, rows, clean=True) for column in key])
    here, at = name, rows
    for column in way.columns[:-1]:
        parent = model.lineage.sources[here].references[column]
        at = _follow(sheets[here], column, at, sheets[parent], model.lineage.sources[parent].key[0])
        here = parent
    out = cells_of(sheets[name], model.lineage.sources[name].key[0], rows, clean=True)
    found = at >= 0
    out[found] = cells_of(sheets[here], way.columns[-1], at[found], clean=True)
    return out


def _follow(sheet: Sheet, column: str, rows: Positions, parent: Sheet, key: str) -> Positions:
    """Give the row of another sheet that each row refers to, the first of several, or -1."""
    keys = parent.clean[key]
    once = np.flatnonzero((keys.notna() & ~keys.duplicated()).to_numpy(dtype=bool))
    found = COLUMNS.find(COLUMNS.take(sheet.clean[column], rows), COLUMNS.take(keys, once))
    return np.where(found >= 0, np.append(once, -1)[found], -1)


def cells_of(sheet: Sheet, column: str, positions: Positions, *, clean: bool = False) -> Any:
    """Give cells as objects that a text column can hold, those that were no text included."""
    frame = sheet.clean if clean else sheet.raw
    cells = COLUMNS.take(frame[column], positions).to_numpy(dtype=object, copy=True)
    for (name, _), broken in sheet.faults.items():
        if name == column:
            held = np.isin(positions, broken.index.to_numpy())
            cells[held] = [broken[position] for position in positions[held]]
    return np.array([_held(cell) for cell in cells], dtype=object)


def _held(cell: Any) -> Optional[str]:
    # NOTE: an empty text is a missing cell, and no nullable text is '': CSV has one form for both.
    return escape(cell) if isinstance(cell, str) and cell else None


def join_key(parts: Sequence[Any], /) -> Any:
    """Make one text of the parts of each key: one part as it is, several as a JSON list.

    A key that lacks a part is none.

    Examples:
        >>> join_key([np.array(["a", "b"], dtype=object)]).tolist()
        ['a', 'b']
        >>> join_key([np.array(["a", None], dtype=object), np.array(["1", "2"], dtype=object)])
        array(['["a", "1"]', None], dtype=object)
    """
    if len(parts) == 1:
        return parts[0]
    out = np.empty(len(parts[0]), dtype=object)
    out[:] = [
        None if any(cell is None for cell in cells) else json.dumps(list(cells), ensure_ascii=False)
        for cells in zip(*parts)
    ]
    return out
