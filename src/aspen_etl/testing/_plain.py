"""Sheets in plain Python: rows as dicts, cleaned by the contract and not by the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aspen_etl.schema.headers import match_headers
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.testing._cells import tidy
from aspen_etl.testing._plan import Cell, SheetPlan, plan

__all__ = ["PlainRow", "PlainSheet", "plain_sheets", "rows_of"]


@dataclass(frozen=True)
class PlainRow:
    """One row of a sheet.

    Attributes:
        number: The sheet's own number.
        raw: The cells as read; one that holds no text stands there too.
        clean: The same cells clean; one that holds no text is missing.
        broken: The columns whose cells hold no text.
    """

    number: int
    raw: dict[str, Cell]
    clean: dict[str, Cell]
    broken: frozenset[str]

    @property
    def is_blank(self) -> bool:
        """Whether no cell of it is there."""
        return not self.broken and all(tidy(cell) is None for cell in self.raw.values())


@dataclass(frozen=True)
class PlainSheet:
    """The rows of one sheet, blank ones included."""

    plan: SheetPlan
    rows: list[PlainRow]

    @property
    def name(self) -> str:
        """The sheet's name."""
        return self.plan.name

    def is_ambiguous(self) -> bool:
        """Tell whether a key stands there twice with different cells beside it."""
        seen: dict[tuple[Cell, ...], tuple[object, ...]] = {}
        for row in self.rows:
            key = tuple(row.clean[name] for name in self.plan.key)
            rest = (row.clean, row.broken)
            if None not in key and seen.setdefault(key, rest) != rest:
                return True
        return False


def plain_sheets(extract: Extract, model: Model) -> Iterator[PlainSheet]:
    """Give the sheets of an extract, each after those that it refers to."""
    for sheet in plan(model):
        frame = extract[sheet.name]
        names = [column.name for column in sheet.columns]
        places = {
            column: place
            for place, column in match_headers(
                tuple(frame.columns), names, sheet=sheet.name
            ).items()
        }
        headers = {str(frame.columns[place]): column for column, place in places.items()}
        broken = {
            (int(row), headers[column]): str(value)
            for source, row, column, value, _ in rows_of(extract.faults)
            if source == sheet.name
        }
        raw = {
            name: [_cell(value) for value in frame.iloc[:, place].array]
            for name, place in places.items()
        }
        clean = {column.name: column.clean(raw[column.name]) for column in sheet.columns}
        rows = []
        for place, number in enumerate(frame.index.tolist()):
            held = frozenset(name for name in names if (number, name) in broken)
            cells = {name: broken.get((number, name), raw[name][place]) for name in names}
            rows.append(PlainRow(number, cells, {name: clean[name][place] for name in names}, held))
        yield PlainSheet(sheet, rows)


def rows_of(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Give the rows of a frame as tuples, every missing value as None."""
    columns = [
        [None if pd.isna(cell) else cell for cell in frame.iloc[:, place].array]
        for place in range(frame.shape[1])
    ]
    return list(zip(*columns)) if columns else []


def _cell(value: object) -> Cell:
    return value if isinstance(value, str) else None
