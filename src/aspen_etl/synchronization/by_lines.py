"""A source whose lines are compared with those of the one before: new ones alone are parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.errors import CorruptFileError
from aspen_etl.errors.base import instead
from aspen_etl.io.codecs import decode_verified, encode
from aspen_etl.io.csv_lines import CsvLines, have_one_header
from aspen_etl.io.lines import align
from aspen_etl.io.reading import Reading
from aspen_etl.io.sheet_lines import LoadedSheet, read_rows, read_sheets, sheet_lines
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

__all__ = ["ByLines"]

#: What is known of each line of a sheet, and behind them of whom each row is that stays.
_LINES: Mapping[str, ColumnSpec] = {
    "subject": ColumnSpec("subject", "text", nullable=True),
    "rejected": ColumnSpec("rejected", "boolean"),
}


class LinedSheet(NamedTuple):
    """A sheet as lines, and whose they are.

    Attributes:
        loaded: The file.
        lines: Its lines.
        subjects: What the subject of each line is known by, missing where it names none.
    """

    loaded: LoadedSheet
    lines: CsvLines
    subjects: pd.Series

    def keep(self, rejected: Positions, stayed: pd.Series, /) -> KeptSheet:
        """Give it as it is kept."""
        subjects = COLUMNS.concat([self.subjects, stayed])
        mask = np.zeros(len(subjects), dtype=bool)
        mask[rejected - self.lines.first_row] = True
        more = encode(pd.DataFrame({"subject": subjects, "rejected": mask}), _LINES, "csv")
        return KeptSheet(self.loaded.data, more, len(self.lines), self.loaded.sha256)


class _Before(NamedTuple):
    """A sheet as it was kept."""

    loaded: LoadedSheet
    lines: CsvLines
    subjects: pd.Series
    rejected: Mask
    stayed: pd.Series


@dataclass(frozen=True, eq=False)
class ByLines:
    """A source that has a CSV file for each sheet, whose lines are records.

    Attributes:
        loaded: The files.
        lines: Their lines.
        how: How the model is partitioned.
        reading: How the source is read.
    """

    loaded: Mapping[str, LoadedSheet] = field(repr=False)
    lines: Mapping[str, CsvLines] = field(repr=False)
    how: Partitioning
    reading: Reading

    @classmethod
    def of(
        cls, loaded: Mapping[str, LoadedSheet], how: Partitioning, reading: Reading, /
    ) -> ByLines:
        """Find the lines of files.

        Raises:
            NotSupportedError: They are no CSV, or their lines no records; or columns are ignored,
                which must not be kept.
            LimitExceededError: There are more records than the limits allow.
        """
        if reading.ignore_columns:
            raise refused("columns are ignored, which must not be kept")
        lines = {n: sheet_lines(n, sheet, how.model, reading) for n, sheet in loaded.items()}
        return cls(loaded, lines, how, reading)

    @property
    def name(self) -> FormName:
        """What the form is called."""
        return "lines"

    def read(self) -> Extract:
        """Read all of the source."""
        return read_sheets(self.loaded, self.how.model, self.reading)

    def sheets(self, extract: Extract, /) -> dict[str, LinedSheet]:
        """Give all of the source as it can be kept."""
        out = {}
        for name, sheet in self.loaded.items():
            every = np.arange(len(self.lines[name]), dtype=np.int64)
            out[name] = LinedSheet(sheet, self.lines[name], self._subjects(extract, name, every))
        return out

    def find_touched(self, kept: Mapping[str, KeptSheet], /) -> TouchedRows:
        """Find the subjects of which a line is new or gone, or was rejected; take their rows."""
        before = {name: self._before(name, kept[name]) for name in self.loaded}
        at = {name: align(then.lines, self.lines[name]) for name, then in before.items()}
        new = {name: np.flatnonzero(rows < 0) for name, rows in at.items()}
        fresh, sheets, compared = self._rows(new), {}, {}
        for name, then in before.items():
            found = self._subjects(fresh, name, new[name])
            where = at[name].copy()
            where[new[name]] = len(then.subjects) + np.arange(len(new[name]))
            subjects = COLUMNS.take(COLUMNS.concat([then.subjects, found]), where)
            sheets[name] = LinedSheet(self.loaded[name], self.lines[name], subjects)
            # A line with a fault is no line: who reads it says so.
            compared[name] = Compared(then.subjects, then.rejected, subjects, at[name], new[name])
        touched = find_touched(compared, self.how.root)
        now = self._rows({n: find_whose(sheet.subjects, touched) for n, sheet in sheets.items()})
        held = [
            (name, each.loaded, each.lines, find_whose(each.subjects, touched))
            for name, each in before.items()
        ]
        then_rows = read_rows(held, self.how.model, self.reading)
        stayed = {name: leave_out(each.stayed, touched) for name, each in before.items()}
        return TouchedRows(frozenset(touched), now, then_rows, sheets, stayed)

    def _rows(self, at: Mapping[str, Positions]) -> Extract:
        held = [(name, self.loaded[name], self.lines[name], rows) for name, rows in at.items()]
        return read_rows(held, self.how.model, self.reading)

    def _subjects(self, extract: Extract, name: str, at: Positions) -> pd.Series:
        """Give what the subject of some lines is known by, as an extract of them has it."""
        lines = self.lines[name]
        texts = clean_column(extract, name, self.how.columns[name], self.how.model)
        rows = extract[name].index.to_numpy(dtype=np.int64) - lines.first_row
        place = np.full(len(lines) + 1, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        return COLUMNS.take(texts, place[at])

    def _before(self, name: str, kept: KeptSheet) -> _Before:
        """Read what is kept of a sheet."""
        now = self.loaded[name]
        then = LoadedSheet(now.place, bytes(kept.data))
        lines = sheet_lines(name, then, self.how.model, self.reading)
        frame = instead(
            lambda: decode_verified(bytes(kept.more), _LINES, "csv", url=now.place.url),
            CorruptFileError,
            lambda _: refused("what was kept of the source is gone or damaged"),
        )
        if len(lines) != kept.rows:
            raise refused("what is kept of its lines is of another number of them")
        if not have_one_header(lines, self.lines[name]):
            raise refused(f"what stands above the records of {name!r} is not what it was")
        rejected = frame["rejected"].to_numpy(dtype=bool)[: kept.rows]
        whose, places = frame["subject"], np.arange(len(frame))
        subjects, stayed = (COLUMNS.take(whose, at) for at in np.split(places, [kept.rows]))
        return _Before(then, lines, subjects, rejected, stayed)
