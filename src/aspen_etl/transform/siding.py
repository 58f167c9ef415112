"""One side of a comparison: its rows by sheet, clean and flat, their digests, and what is aside.

An extract is cleaned and judged as a run does it; tables are read back into the sheets. So both
have one form, whatever shape they came in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import take_rows
from aspen_etl.schema.lineage import ROW, VALUE
from aspen_etl.schema.values import Extract
from aspen_etl.transform.cleaning import Sheet, clean
from aspen_etl.transform.digesting import Buckets, digest_rows, find_buckets
from aspen_etl.transform.expressing import express
from aspen_etl.transform.judging import Verdict, gather, judge
from aspen_etl.transform.naming import name_references
from aspen_etl.transform.noting import join_notes, make_notes
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.rules import duplicate_rule
from aspen_etl.transform.subjects import cells_of, join_key

__all__ = ["Figures", "Side", "identify", "side_of_extract", "side_of_tables", "write_records"]


@dataclass(frozen=True, eq=False)
class Figures:
    """Count what a side has, or some of its subjects.

    Attributes:
        rows: By sheet, or table, the rows that are compared.
        rejected: By sheet, those that stay out.
        buckets: The sums of the rows' digests.
    """

    rows: Mapping[str, int]
    rejected: Mapping[str, int]
    buckets: Buckets = field(repr=False)

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            {name: count + other.rows[name] for name, count in self.rows.items()},
            {name: count + other.rejected[name] for name, count in self.rejected.items()},
            self.buckets + other.buckets,
        )


@dataclass(frozen=True, eq=False)
class Side:
    """Hold one of two sides that are compared.

    Attributes:
        rows: By sheet, its rows: clean text, a reference as the key that it refers to.
        notes: What the side has beside them: see ``noting``.
        is_source: Whether its rows were judged now, so that its notes explain.
        buckets: The sums of the rows' digests.
        at: By sheet, the bucket of each row.
    """

    rows: Mapping[str, pd.DataFrame] = field(repr=False)
    notes: pd.DataFrame = field(repr=False)
    is_source: bool
    buckets: Buckets = field(repr=False)
    at: Mapping[str, Positions] = field(repr=False)

    @classmethod
    def of(
        cls,
        rows: Mapping[str, pd.DataFrame],
        notes: pd.DataFrame,
        how: Partitioning,
        *,
        is_source: bool,
        key: bytes = b"",
    ) -> Side:
        """Digest the rows of a side.

        Args:
            rows: By sheet, its rows, none twice.
            notes: What it has beside them.
            how: Whose the rows are.
            is_source: Whether its rows were judged now.
            key: A secret for the digests, of at most 64 bytes.
        """
        ids = rows[how.root][how.columns[how.root]]
        buckets, sums, at = find_buckets(ids), [], {}
        for name, frame in rows.items():
            place = COLUMNS.find(frame[how.columns[name]], ids)
            at[name] = buckets if name == how.root else np.append(buckets, 0)[place]
            digests = digest_rows([frame[column] for column in frame.columns], name, key)
            sums.append(Buckets.of(at[name], digests))
        return cls(rows, notes, is_source, reduce(add, sums), at)

    @property
    def figures(self) -> Figures:
        """How many rows there are of each sheet, and how many stay out of a source."""
        out = self.notes[self.notes["kind"] != "differs"] if self.is_source else self.notes[:0]
        rejected = {name: int((out["sheet"] == name).sum()) for name in self.rows}
        return Figures({n: len(frame) for n, frame in self.rows.items()}, rejected, self.buckets)

    def take(self, name: str, wanted: Mask, subjects: pd.Series, column: str, /) -> pd.DataFrame:
        """Take the rows of a sheet that are in some buckets, or are of some subjects.

        Args:
            name: The sheet.
            wanted: Which buckets.
            subjects: The ids of the subjects, each once.
            column: The column that holds a row's subject.
        """
        frame = self.rows[name]
        mask = wanted[self.at[name]]
        if len(subjects):
            mask = mask | (COLUMNS.find(frame[column], subjects) >= 0)
        return take_rows(frame, np.flatnonzero(mask))


def side_of_extract(extract: Extract, how: Partitioning, /, key: bytes = b"") -> Side:
    """Clean and judge an extract: its accepted rows, and what stays out with its rule.

    Raises:
        ExtractError: A sheet or column is missing, or one has no place in the model.
        ModelFunctionError: A cleaner or a rule of the model failed.
    """
    sheets = clean(extract, how.model)
    verdicts = judge(sheets, how.model)
    rows = name_references(gather(sheets, verdicts), how.model)
    notes = join_notes(
        note
        for name in how.model.sources
        for note in _note_rejects(sheets[name], verdicts[name], how)
    )
    return Side.of(rows, notes, how, is_source=True, key=key)


def side_of_tables(
    tables: Mapping[str, pd.DataFrame], how: Partitioning, /, key: bytes = b""
) -> Side:
    """Read tables back into sheets; whose rows cannot be is noted.

    Raises:
        ModelFunctionError: The inverse of a builder fails for very many subjects.
    """
    rows, notes = express(tables, how)
    return Side.of(rows, notes, how, is_source=False, key=key)


# ----------------------------------------------------------------------------- rejects


def _note_rejects(sheet: Sheet, verdict: Verdict, how: Partitioning) -> Iterator[pd.DataFrame]:
    """Note the rows that stay out, each by its first fault, and the cells that do."""
    rows = np.flatnonzero(verdict.rejected)
    place = np.full(len(verdict.rejected), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    column, why = (np.full(len(rows), None, dtype=object) for _ in range(2))
    for fault in reversed(verdict.faults):
        if fault.scope == ROW:
            column[place[fault.positions]], why[place[fault.positions]] = fault.column, fault.rule
    again, _ = duplicate_rule(sheet.name, how.model)
    kind = np.where(why == again, "duplicate", "missing").astype(object)
    cells = {name: cells_of(sheet, str(name), rows, clean=True) for name in sheet.clean.columns}
    told = {"column": column, "kind": kind, "value": write_records(cells), "why": why}
    yield make_notes(sheet.name, *_identity(sheet, rows, how), **told)
    yield from _note_cells(sheet, verdict, how)


def _note_cells(sheet: Sheet, verdict: Verdict, how: Partitioning) -> Iterator[pd.DataFrame]:
    scopes = how.model.lineage.sources[sheet.name].scopes
    open_cells = {column: ~verdict.rejected & sheet.present(column) for column in verdict.dropped}
    for fault in verdict.faults:
        if fault.scope == ROW:
            continue
        group = [column for column, scope in scopes.items() if scope == fault.scope]
        for column in [fault.column] if fault.scope == VALUE else group:
            rows = fault.positions[open_cells[column][fault.positions]]
            open_cells[column][rows] = False
            cells = cells_of(sheet, column, rows, clean=True)
            told = {"column": column, "kind": "differs", "value": cells, "why": fault.rule}
            yield make_notes(sheet.name, *_identity(sheet, rows, how), **told)


def _identity(sheet: Sheet, rows: Positions, how: Partitioning) -> tuple[Any, Any]:
    names = how.model.lineage.sources[sheet.name].key
    return _split(
        {name: cells_of(sheet, name, rows, clean=True) for name in names}, sheet.name, how
    )


def identify(frame: pd.DataFrame, name: str, how: Partitioning, /) -> tuple[Any, Any]:
    """Give of whom each row of a sheet is, and which of theirs; none where they have one alone."""
    names = how.model.lineage.sources[name].key
    return _split({column: _objects(frame[column]) for column in names}, name, how)


def _split(cells: Mapping[str, Any], name: str, how: Partitioning) -> tuple[Any, Any]:
    subject = cells[how.columns[name]]
    rest = [held for column, held in cells.items() if column != how.columns[name]]
    return subject, join_key(rest) if rest else np.full(len(subject), None, dtype=object)


def write_records(columns: Mapping[Any, Any], /) -> Any:
    """Write rows as JSON objects in ASCII; a missing cell is null."""
    cells = [_objects(pd.Series(values, dtype=object)) for values in columns.values()]
    out = np.empty(len(cells[0]) if cells else 0, dtype=object)
    names: Sequence[str] = [str(name) for name in columns]
    out[:] = [json.dumps(dict(zip(names, row))) for row in zip(*cells)]
    return out


def _objects(values: pd.Series) -> Any:
    out = values.to_numpy(dtype=object, copy=True)
    out[values.isna().to_numpy(dtype=bool)] = None
    return out
