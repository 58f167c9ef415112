"""A source whose cells are compared with those of the one before, row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import are_present
from aspen_etl.columns.text import conform_text
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import CorruptFileError
from aspen_etl.errors.base import instead
from aspen_etl.io.cell_sheets import (
    CellSheet,
    align_cells,
    cells_of,
    decode_cells,
    encode_cells,
)
from aspen_etl.io.codecs import decode_verified, encode
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.values import Extract
from aspen_etl.store.kept import FormName, KeptSheet
from aspen_etl.synchronization.touching import (
    Compared,
    TouchedRows,
    find_touched,
    find_whose,
    leave_out,
    refused,
)
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.parting import Partitioning

__all__ = ["ByCells"]

#: Where what is no text stood (what it was is not kept), and of whom each row is that stays.
_MORE: Mapping[str, ColumnSpec] = {
    "row": ColumnSpec("row", "integer", nullable=True),
    "column": ColumnSpec("column", "text", nullable=True),
    "rule": ColumnSpec("rule", "text", nullable=True),
    "stayed": ColumnSpec("stayed", "text", nullable=True),
}


class CelledSheet(NamedTuple):
    """A sheet as cells, whose they are, and which of them hold no text."""

    cells: CellSheet
    key: str
    subjects: pd.Series
    faults: pd.DataFrame

    def keep(self, rejected: Positions, stayed: pd.Series, /) -> KeptSheet:
        """Give it as it is kept."""
        mask = np.zeros(len(self.cells), dtype=bool)
        for rows in (rejected, self.faults["row"]):
            mask[self.cells.find(rows)] = True
        data = encode_cells(self.cells, self.key, self.subjects, mask)
        more = encode(_more(self.faults, stayed), _MORE, "csv")
        return KeptSheet(data, more, len(self.cells), hashlib.sha256(data).hexdigest())


def _more(faults: pd.DataFrame, stayed: pd.Series) -> pd.DataFrame:
    """Put faults, and of whom each row is that stays, one under the other."""
    here, there = (COLUMNS.repeat(None, len(rows)) for rows in (faults, stayed))
    rows = np.concatenate([faults["row"], np.zeros(len(stayed), dtype=np.int64)])
    absent = np.arange(len(rows)) >= len(faults)
    return pd.DataFrame(
        {
            "row": pd.arrays.IntegerArray(rows, absent),
            "column": COLUMNS.concat([faults["column"], there]),
            "rule": COLUMNS.concat([faults["rule"], there]),
            "stayed": COLUMNS.concat([here, stayed]),
        }
    )


class _Before(NamedTuple):
    """A sheet as it was kept; and whether whose its rows are is what their keys say."""

    sheet: CelledSheet
    rejected: Mask
    stayed: pd.Series
    are_keys: bool


@dataclass(frozen=True, eq=False)
class ByCells:
    """A source as it was read.

    Attributes:
        extract: What was read.
        cells: Its sheets.
        how: How the model is partitioned.
    """

    extract: Extract
    cells: Mapping[str, CellSheet] = field(repr=False)
    how: Partitioning

    @classmethod
    def of(cls, extract: Extract, how: Partitioning, /) -> ByCells:
        """Lay out the cells of an extract.

        Raises:
            NotSupportedError: They cannot be kept; the reason says why.
        """
        if extract.keys() != how.model.sources.keys():
            raise refused("its sheets are called otherwise than in the model")
        cells = {
            name: cells_of(extract[name], tuple(spec.columns), name)
            for name, spec in how.model.sources.items()
        }
        return cls(extract, cells, how)

    @property
    def name(self) -> FormName:
        """What the form is called."""
        return "cells"

    def read(self) -> Extract:
        """Give all of the source."""
        return self.extract

    def sheets(self, extract: Extract, /) -> dict[str, CelledSheet]:
        """Give all of the source as it can be kept."""
        return {name: self._sheet(name, self._subjects(extract, name)) for name in self.cells}

    def find_touched(self, kept: Mapping[str, KeptSheet], /) -> TouchedRows:
        """Find the subjects of which a cell is another, or was rejected; take their rows."""
        before = {name: self._before(name, kept[name]) for name in self.cells}
        found = self._align(before)
        new = {name: np.flatnonzero(at < 0) for name, at in found.items()}
        fresh, sheets, compared = self._rows(new), {}, {}
        for name, (then, rejected, *_) in before.items():
            at = found[name]
            sheets[name] = now = self._sheet(name, self._whose(name, before[name], fresh, at))
            faulty = now.cells.find(now.faults["row"])
            compared[name] = Compared(then.subjects, rejected, now.subjects, at, faulty)
        touched = find_touched(compared, self.how.root)
        whose = {name: find_whose(sheet.subjects, touched) for name, sheet in sheets.items()}
        stayed = {name: leave_out(each.stayed, touched) for name, each in before.items()}
        return TouchedRows(
            frozenset(touched),
            self._rows(whose),
            _rows_before({name: each.sheet for name, each in before.items()}, touched),
            sheets,
            stayed,
            self.extract.notes,
        )

    def _align(self, before: Mapping[str, _Before]) -> dict[str, Positions]:
        """Find which row of before each row is."""

        def align(name: str) -> Positions:
            return align_cells(before[name].sheet.cells, self.cells[name], self.how.columns[name])

        names, rows = list(self.cells), max(map(len, self.cells.values()))
        return dict(zip(names, map_threads(align, names, rows=rows)))

    def _rows(self, at: Mapping[str, Positions]) -> Extract:
        """Take some rows of each sheet; a cell that holds no text is always among them."""
        frames = {name: self.cells[name].frame(rows) for name, rows in at.items()}
        return Extract.from_frames(frames, faults=self.extract.faults, notes=self.extract.notes)

    def _whose(self, name: str, before: _Before, fresh: Extract, at: Positions) -> pd.Series:
        """Give whose each row is; only those of new rows are looked at."""
        then, found = before.sheet.subjects, self._subjects(fresh, name)
        keys = conform_text(fresh[name][self.how.columns[name]].reset_index(drop=True))
        if before.are_keys and not COLUMNS.differ(keys, found).any():  # mostly keys are clean
            return self.cells[name].column(self.how.columns[name])
        rows = at.copy()
        rows[at < 0] = len(then) + np.arange(len(found))
        return COLUMNS.take(COLUMNS.concat([then, found]), rows)

    def _subjects(self, extract: Extract, name: str) -> pd.Series:
        return clean_column(extract, name, self.how.columns[name], self.how.model)

    def _sheet(self, name: str, subjects: pd.Series) -> CelledSheet:
        faults = self.extract.faults
        mine = faults[(faults["source"] == name).to_numpy(dtype=bool)]
        told = pd.DataFrame(
            {
                "row": mine["row"].to_numpy(dtype=np.int64),
                "column": conform_text(mine["column"].reset_index(drop=True)),
                "rule": conform_text(mine["rule"].reset_index(drop=True)),
            }
        )
        return CelledSheet(self.cells[name], self.how.columns[name], subjects, told)

    def _before(self, name: str, kept: KeptSheet) -> _Before:
        """Read what is kept of a sheet."""
        columns, key = tuple(self.how.model.sources[name].columns), self.how.columns[name]

        def read() -> _Before:
            cells, subjects, rejected = decode_cells(kept.data, columns, url=name)
            whose = cells.column(key) if subjects is None else subjects
            more = decode_verified(bytes(kept.more), _MORE, "csv", url=name)
            is_fault = are_present(more["row"])
            faults = more.loc[is_fault, ["row", "column", "rule"]]
            stayed = COLUMNS.take(more["stayed"], np.flatnonzero(~is_fault))
            sheet = CelledSheet(cells, key, whose, faults)
            return _Before(sheet, rejected, stayed, subjects is None)

        why = "what was kept of the source is gone or damaged"
        return instead(read, CorruptFileError, lambda _: refused(why))


def _rows_before(sheets: Mapping[str, CelledSheet], touched: set[str]) -> Extract:
    """Give the rows of the touched as they were kept, and where what is no text stood."""
    frames = {
        n: sheet.cells.frame(find_whose(sheet.subjects, touched)) for n, sheet in sheets.items()
    }
    faults = [sheet.faults.assign(source=name, value="") for name, sheet in sheets.items()]
    return Extract.from_frames(frames, faults=pd.concat(faults, ignore_index=True))
