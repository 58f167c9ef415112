"""Cut an extract, and what was there before, into parts of whole subjects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import find_keys, take_rows
from aspen_etl.errors import ExtractError, ProofError
from aspen_etl.schema.evolution import conform_known
from aspen_etl.schema.previous import Before, Previous
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.values import Extract
from aspen_etl.transform.arranging import check_sheets
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.keys import PartedKeys, TableKeys, key_columns, part_keys, some_keys
from aspen_etl.transform.parting import Partitioning, number_parts, read_bounds, split_positions

__all__ = [
    "Cut",
    "Part",
    "StateCutter",
    "clean_keys",
    "cut",
    "number_rows",
    "parts_of_faults",
]


@dataclass(frozen=True, eq=False)
class Part:
    """Hold some subjects: what was read of them, and what was there before.

    Attributes:
        extract: Their rows of each sheet, under the sheet's own numbers.
        previous: Their rows and keys of before, lookups whole. The next numbers are the whole's,
            so that what a part makes anew shows by its number.
    """

    extract: Extract
    previous: Snapshot


@dataclass(frozen=True, eq=False)
class Cut:
    """Hold all parts of an extract.

    Attributes:
        parts: The parts, in the order of their ranges.
        bounds: The first keys of all of them but the first.
        following: By table whose keys are given, the number that its next new row gets.
    """

    parts: tuple[Part, ...]
    bounds: pd.Series = field(repr=False)
    following: Mapping[str, int]


def cut(extract: Extract, before: Previous, bounds: Sequence[str], how: Partitioning, /) -> Cut:
    """Cut an extract and what was before into parts.

    Keys are cleaned first, since rows whose keys are spelt otherwise may be of one subject. What
    has no key, or none that can be one, is in the first part: it is rejected there as anywhere.

    Args:
        extract: The extract.
        before: What was there before.
        bounds: The first keys of all parts but the first, as ``read_bounds`` takes them.
        how: How the model is partitioned.

    Raises:
        ArgumentError: The bounds do not rise, or are no keys.
        ExtractError: The extract is not of the model, or rows share a number.
        ModelFunctionError: The cleaner of a key failed.
        ProofError: What was before does not hold together.
    """
    check_sheets(extract, how.model)
    ranges = read_bounds(bounds, how)
    extracts = _cut_extract(extract, ranges, how)
    cutter, states = StateCutter(ranges, how), _States(len(extracts))
    for name, then in before.walk(how.model.lineage.table_order):
        states.add(name, cutter.cut(name, then))
    parts = map(Part, extracts, states.snapshots(before.time))
    return Cut(tuple(parts), ranges, cutter.following)


# ----------------------------------------------------------------------------- the extract


def _cut_extract(extract: Extract, bounds: pd.Series, how: Partitioning) -> list[Extract]:
    count, rows = len(bounds) + 1, {}
    faulty = np.zeros(len(extract.faults), dtype=np.int64)
    for sheet in how.columns:
        parts = number_rows(extract, sheet, bounds, how)
        rows[sheet] = split_positions(parts, count)
        mine = (extract.faults["source"] == sheet).to_numpy(dtype=bool)
        faulty[mine] = parts_of_faults(extract, sheet, parts)
    return [
        Extract.from_frames(
            {sheet: extract[sheet].iloc[rows[sheet][part]] for sheet in extract},
            faults=extract.faults[faulty == part],
            notes=extract.notes if part == 0 else None,
        )
        for part in range(count)
    ]


def clean_keys(extract: Extract, sheet: str, how: Partitioning, /) -> pd.Series:
    """Give the subject of each row of a sheet, clean; none where it has none that can be one."""
    column = how.columns[sheet]
    spec = replace(how.model.lineage.cells[f"{sheet}.{column}"], nullable=True)
    return TYPES[spec.type].convert(clean_column(extract, sheet, column, how.model), spec)


def number_rows(extract: Extract, sheet: str, bounds: pd.Series, how: Partitioning, /) -> Positions:
    """Give the part of each row of a sheet.

    Args:
        extract: What holds the sheet.
        sheet: The sheet.
        bounds: As ``read_bounds`` gives them.
        how: How the model is partitioned.

    Raises:
        ModelFunctionError: The cleaner of the key failed.
    """
    return number_parts(clean_keys(extract, sheet, how), bounds)


def parts_of_faults(extract: Extract, sheet: str, parts: Positions, /) -> Positions:
    """Give the part in which the row of each fault of a sheet is.

    Args:
        extract: What holds the sheet.
        sheet: The sheet.
        parts: The part of each of its rows.

    Raises:
        ExtractError: Rows share a number.
    """
    frame, faults = extract[sheet], extract.faults
    if not frame.index.is_unique:
        twice = int(frame.index.duplicated().sum())
        msg = f"{twice} rows of {sheet!r} have the number of another; give each its own"
        raise ExtractError(msg, source=sheet, count=twice)
    mine = (faults["source"] == sheet).to_numpy(dtype=bool)
    at = frame.index.get_indexer(pd.Index(faults["row"][mine], dtype="int64"))
    found: Positions = np.append(parts, 0)[at]
    return found


# ----------------------------------------------------------------------------- what was before


class _Homes(NamedTuple):
    """The parts in which keys of a table are, those of rows that are gone among them."""

    keys: pd.Series
    parts: Positions


class StateCutter:
    """Cut tables and the keys that they gave, one after the other, after those they refer to.

    Args:
        bounds: As ``read_bounds`` gives them.
        how: How the model is partitioned.

    Attributes:
        following: By table whose keys are given, the number that its next new row gets.
    """

    def __init__(self, bounds: pd.Series, how: Partitioning, /) -> None:
        self._bounds, self._how, self._count = bounds, how, len(bounds) + 1
        self._homes: dict[str, _Homes] = {}
        self.following = {
            name: 1 for name, table in how.model.tables.items() if table.has_surrogate_key
        }

    def cut(self, name: str, then: Before, /) -> list[Before]:
        """Cut one table, if it was there; give what each part has of it, a lookup whole.

        Raises:
            ProofError: A row leads to no subject.
        """
        table = self._how.model.tables[name]
        if then.state is not None:
            self.following[name] = then.state.next
        if name in self._how.lookups:
            return [then] * self._count
        frames: list[Optional[pd.DataFrame]] = [None] * self._count
        frame = then.frame
        if frame is not None:
            frame = conform_known(frame, table).reset_index(drop=True)
            parts = self._parts(table, frame)
            frames = [take_rows(frame, rows) for rows in split_positions(parts, self._count)]
            self._homes[name] = _Homes(frame[table.primary_key], parts)
        if then.state is None:
            return list(map(Before, frames))
        return self._with_keys(table, then.state, frame, frames)

    def _with_keys(
        self,
        table: TableSpec,
        state: KeyState,
        frame: Optional[pd.DataFrame],
        frames: Sequence[Optional[pd.DataFrame]],
    ) -> list[Before]:
        name, given, out = table.name, part_keys(state, frame, table), []
        parts = self._parts(table, given.retired)
        for held, rows in zip(frames, split_positions(parts, self._count)):
            source = given.in_use if held is None else held
            in_use = make_frame({column: source[column] for column in key_columns(table)})
            parted = PartedKeys(in_use, some_keys(given.retired, rows, table))
            out.append(Before(held, TableKeys(table, state.next, parted)))
        gone = _Homes(given.retired[table.primary_key], parts)
        known = self._homes.get(name)
        both = [gone] if known is None else [known, gone]
        self._homes[name] = _Homes(
            COLUMNS.concat([each.keys for each in both]),
            np.concatenate([each.parts for each in both]),
        )
        return out

    def _parts(self, table: TableSpec, rows: pd.DataFrame) -> Positions:
        """Give the part of each row of a table, or of each key that it gave."""
        owner = self._how.owners[table.name]
        values = rows[owner.column]
        if owner.table is None:
            return number_parts(values, self._bounds)
        home = self._homes.get(owner.table)
        at = np.full(len(rows), -1, dtype=np.int64)
        if home is not None:
            at = find_keys(values, home.keys)
        lost = int((at < 0).sum())
        if lost:
            msg = (
                f"{lost} rows of {table.name}.{owner.column}, as it was before, lead to no key "
                f"that {owner.table!r} ever gave, so they are nobody's: what was before is damaged"
            )
            raise ProofError(msg, table=table.name, column=owner.column, count=lost)
        return home.parts[at] if home is not None else at


class _States:
    """Gather what each part has of tables."""

    def __init__(self, count: int) -> None:
        self._tables: list[dict[str, pd.DataFrame]] = [{} for _ in range(count)]
        self._keys: list[dict[str, KeyState]] = [{} for _ in range(count)]

    def add(self, name: str, parts: Sequence[Before]) -> None:
        """Add a table."""
        for tables, keys, then in zip(self._tables, self._keys, parts):
            if then.frame is not None:
                tables[name] = then.frame
            if then.state is not None:
                keys[name] = then.state

    def snapshots(self, time: Optional[dt.datetime]) -> list[Snapshot]:
        """Give the state of each part."""
        return [Snapshot(Tables(t), keys, time) for t, keys in zip(self._tables, self._keys)]
