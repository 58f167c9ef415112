"""The cells of a column by what is distinct among them: each is looked at, and each text once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import codes
from aspen_etl.columns.text import conform_text
from aspen_etl.inference.kind import Kind
from aspen_etl.inference.types import infer_kind
from aspen_etl.schema.headers import header_key, known_headers
from aspen_etl.schema.repeating import repeated_headers
from aspen_etl.transform.white_space import clean_white_space

__all__ = ["Column", "Sheet", "joined_cells", "study_sheet"]


@dataclass(frozen=True)
class Column:
    """The clean cells of a column.

    Attributes:
        name: The column.
        cells: Each text that stands there, once.
        codes: Which of them each row holds, or -1 where none.
    """

    name: str
    cells: pd.Series = field(repr=False)
    codes: Positions = field(repr=False)

    @classmethod
    def of_cells(cls, name: str, cells: pd.Series) -> Column:
        """Make a column in which each text stands once."""
        return cls(name, cells, np.arange(len(cells), dtype=np.int64))

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each text stands there."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.cells))

    @cached_property
    def present(self) -> int:
        """How many rows have a cell."""
        return int((self.codes >= 0).sum())

    @cached_property
    def kind(self) -> Kind:
        """The type that all cells fit."""
        return infer_kind(self.name, self.cells)

    @property
    def is_full(self) -> bool:
        """Whether there are rows, and each has a cell."""
        return 0 < self.present == len(self.codes)

    @property
    def is_unique(self) -> bool:
        """Whether no text stands there twice."""
        return self.present == len(self.cells)

    @property
    def repeated(self) -> int:
        """How many cells are those of a row before."""
        return self.present - len(self.cells)


@dataclass(frozen=True)
class Sheet:
    """A sheet, its rows without the blank ones.

    Attributes:
        name: The sheet.
        columns: Its columns by name.
        rows: How many rows it has.
    """

    name: str
    columns: Mapping[str, Column] = field(repr=False)
    rows: int

    def __getitem__(self, column: str) -> Column:
        """Give a column."""
        return self.columns[column]

    @property
    def full(self) -> list[str]:
        """The columns that every row has a cell of."""
        return [name for name, column in self.columns.items() if column.is_full]

    def repeated(self, names: Sequence[str], first: Optional[int] = None, /) -> int:
        """Count the rows whose cells in some columns are those of a row before, all of them.

        Args:
            names: The columns; a row without a cell in one of them is no row here.
            first: How many rows to look at; without it, all.
        """
        found = [self[name].codes[:first] for name in names]
        held = np.logical_and.reduce([each >= 0 for each in found])
        numbers: Positions = np.zeros(int(held.sum()), dtype=np.int64)
        for name, each in zip(names, found):
            # So numbers never outgrow the rows, however many columns there are.
            numbers = numbers * max(len(self[name].cells), 1) + each[held]
            _, numbers = np.unique(numbers, return_inverse=True)
        return len(numbers) - int(numbers.max(initial=-1)) - 1


def study_sheet(name: str, frame: pd.DataFrame, /) -> Sheet:
    """Take the cells of a sheet as they are once white space is clean.

    Blank rows are left out, and those that repeat the header: they become rejects.
    """
    columns = [_study(str(header), frame.iloc[:, at]) for at, header in enumerate(frame.columns)]
    again = _repeated_headers(columns)
    if len(again):
        return study_sheet(name, frame.iloc[np.delete(np.arange(len(frame)), again)])
    present: Mask = np.zeros(len(frame), dtype=bool)
    for column in columns:
        present |= column.codes >= 0
    if not present.all():
        columns = [Column(each.name, each.cells, each.codes[present]) for each in columns]
    return Sheet(name, {column.name: column for column in columns}, int(present.sum()))


def _repeated_headers(columns: Sequence[Column]) -> Positions:
    known = known_headers([column.name for column in columns])
    first = columns[0].cells.tolist() if columns else []
    likely = [at for at, text in enumerate(first) if header_key(text) in known]
    if not likely:
        return np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(np.isin(columns[0].codes, likely))
    texts = {each.name: COLUMNS.take(each.cells, each.codes[rows]) for each in columns}
    return rows[repeated_headers(texts, known)]


def _study(name: str, values: pd.Series) -> Column:
    found, distinct = codes(conform_text(values))
    clean, cells = codes(clean_white_space(distinct))
    return Column(name, cells, np.append(clean, [-1])[found])


def joined_cells(columns: Sequence[Column], /) -> pd.Series:
    """Give each text that stands in any of some columns, once."""
    if not columns:
        return COLUMNS.repeat(None, 0)
    return codes(COLUMNS.concat([column.cells for column in columns]))[1]
