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
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.keys import PartedKeys, TableKeys, key_columns, part_keys, some_keys
from aspen_etl.transform.parting import Partitioning, number_parts, read_bounds, split_positions

__all__ = ["Cut", "Part", "cut"]


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
    ranges = read_bounds(bounds, how)
    extracts = _cut_extract(extract, ranges, how)
    states = _States(ranges, how)
    for name, then in before.walk(how.model.lineage.table_order):
        states.add(name, then)
    parts = map(Part, extracts, states.snapshots(before.time))
    return Cut(tuple(parts), ranges, states.following)


# ----------------------------------------------------------------------------- the extract


def _cut_extract(extract: Extract, bounds: pd.Series, how: Partitioning) -> list[Extract]:
    count, rows, parts = len(bounds) + 1, {}, {}
    for sheet, column in how.columns.items():
        spec = replace(how.model.lineage.cells[f"{sheet}.{column}"], nullable=True)
        texts = clean_column(extract, sheet, column, how.model)
        parts[sheet] = number_parts(TYPES[spec.type].convert(texts, spec), bounds)
        rows[sheet] = split_positions(parts[sheet], count)
    faulty = _fault_parts(extract, parts)
    return [
        Extract.from_frames(
            {sheet: extract[sheet].iloc[rows[sheet][part]] for sheet in extract},
            faults=extract.faults[faulty == part],
            notes=extract.notes if part == 0 else None,
        )
        for part in range(count)
    ]


def _fault_parts(extract: Extract, parts: Mapping[str, Positions]) -> Positions:
    """Give the part in which the row of each fault is."""
    faults = extract.faults
    out = np.zeros(len(faults), dtype=np.int64)
    for sheet, frame in extract.items():
        if not frame.index.is_unique:
            twice = int(frame.index.duplicated().sum())
            msg = f"{twice} rows of {sheet!r} have the number of another; give each its own"
            raise ExtractError(msg, source=sheet, count=twice)
        mine = (faults["source"] == sheet).to_numpy(dtype=bool)
        at = frame.index.get_indexer(pd.Index(faults["row"][mine], dtype="int64"))
        out[mine] = np.append(parts[sheet], 0)[at]
    return out


# ----------------------------------------------------------------------------- what was before


class _Homes(NamedTuple):
    """The parts in which keys of a table are, those of rows that are gone among them."""

    keys: pd.Series
    parts: Positions


class _States:
    """Cut tables and the keys that they gave, each after those that it refers to."""

    def __init__(self, bounds: pd.Series, how: Partitioning) -> None:
        self.bounds, self.how, self.count = bounds, how, len(bounds) + 1
        self.tables: list[dict[str, pd.DataFrame]] = [{} for _ in range(self.count)]
        self.keys: list[dict[str, KeyState]] = [{} for _ in range(self.count)]
        self.homes: dict[str, _Homes] = {}
        self.following = {
            name: 1 for name, table in how.model.tables.items() if table.has_surrogate_key
        }

    def add(self, name: str, then: Before) -> None:
        """Cut one table, if it was there."""
        table = self.how.model.tables[name]
        if then.state is not None:
            self.following[name] = then.state.next
        if name in self.how.lookups:
            for tables, keys in zip(self.tables, self.keys):
                tables.update({name: then.frame} if then.frame is not None else {})
                keys.update({name: then.state} if then.state is not None else {})
            return
        frame = then.frame
        if frame is not None:
            frame = conform_known(frame, table).reset_index(drop=True)
            parts = self._parts(table, frame)
            for tables, rows in zip(self.tables, split_positions(parts, self.count)):
                tables[name] = take_rows(frame, rows)
            self.homes[name] = _Homes(frame[table.primary_key], parts)
        if then.state is not None:
            self._add_keys(table, then.state, frame)

    def _add_keys(self, table: TableSpec, state: KeyState, frame: Optional[pd.DataFrame]) -> None:
        name, given = table.name, part_keys(state, frame, table)
        parts = self._parts(table, given.retired)
        for part, rows in enumerate(split_positions(parts, self.count)):
            held = self.tables[part].get(name, given.in_use)
            in_use = make_frame({column: held[column] for column in key_columns(table)})
            parted = PartedKeys(in_use, some_keys(given.retired, rows, table))
            self.keys[part][name] = TableKeys(table, state.next, parted)
        gone = _Homes(given.retired[table.primary_key], parts)
        known = self.homes.get(name)
        both = [gone] if known is None else [known, gone]
        self.homes[name] = _Homes(
            COLUMNS.concat([each.keys for each in both]),
            np.concatenate([each.parts for each in both]),
        )

    def _parts(self, table: TableSpec, rows: pd.DataFrame) -> Positions:
        """Give the part of each row of a table, or of each key that it gave."""
        owner = self.how.owners[table.name]
        values = rows[owner.column]
        if owner.table is None:
            return number_parts(values, self.bounds)
        home = self.homes.get(owner.table)
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

    def snapshots(self, time: Optional[dt.datetime]) -> list[Snapshot]:
        """Give the state of each part."""
        return [Snapshot(Tables(t), keys, time) for t, keys in zip(self.tables, self.keys)]
