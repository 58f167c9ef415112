"""What the nine tables of an application say of keys and audit columns, and we take over.

An application that writes in the target database draws keys from ``ADOPTED_FROM`` on. A key that
is seen there becomes a retired one of the snapshot before, so that the run that takes the row
gives it *back*, as to any row that was gone. What was given to a natural key stays with it: where
the application says otherwise, the two are told as a mismatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import held_frames, make_column, make_frame
from aspen_etl.columns.positions import argsort_numbers, gather
from aspen_etl.columns.rows import are_twice, find_keys, find_rows
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.evolution import complete_table, conform_known
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import ADOPTED_FROM, KeyState, Snapshot, Tables
from aspen_etl.schema.sound import unfit_cells
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.transform.keys import (
    PartedKeys,
    TableKeys,
    join_keys,
    key_columns,
    part_keys,
    some_keys,
)
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.white_space import tidy

__all__ = ["Adopted", "adopt", "keep_audit"]

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Adopted:
    """Hold what became of the keys of a side.

    Attributes:
        previous: The snapshot that the next run is given: its tables and next numbers are those
            of before, and what was adopted is retired.
        mismatches: The rows whose key is not, and cannot become, the one of their natural key.
            ``table``; ``subject``, whose row it is, as it stands clean, if it is anybody's;
            ``ours``, the key that their natural key has, if it has one; ``theirs``.
    """

    previous: Snapshot
    mismatches: pd.DataFrame = field(repr=False)


def adopt(before: Snapshot, side: Frames, model: Model, /) -> Adopted:
    """Take over the keys that an application gave to rows of its own.

    Adopted is a key from ``ADOPTED_FROM`` on that nobody gave yet, of one row with a natural key
    that has none yet; what it refers to in its natural key is known or adopted. Every other row
    has the key that was given to its natural key, or is a mismatch: a row that was deleted and
    inserted again under a new key, one whose natural key was changed under its key, one with a
    key below that we did not give.

    Args:
        before: What was there before.
        side: The tables as the application has them; a table that is not there has no rows.
        model: The model of both.

    Raises:
        NotSupportedError: The model cannot be parted, so that nothing tells whose a row is.
        ArgumentError: A key of the side is missing, or a column of keys is of another type.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> row = {"user_profile_id": ["b1"], "user_id": [2**40]}
        >>> found = adopt(Snapshot(Tables({}), {}), {"user": pd.DataFrame(row)}, BORROWER_MODEL)
        >>> found.previous.keys["user"].next, found.previous.keys["user"].given["user_id"].tolist()
        (1, [1099511627776])
    """
    work = _Adopting(before, held_frames(side), can_part(model))
    for name in model.lineage.table_order:
        if model.tables[name].has_surrogate_key:
            work.adopt(name)
    previous = replace(before, keys={**before.keys, **work.states}) if work.states else before
    return Adopted(previous, work.tell())


class _Match(NamedTuple):
    """Say what is known of the rows of a table at the side.

    Attributes:
        ours: The key that each row has with us, be it adopted now; -1 where it has none.
        odd: The rows that are a mismatch.
    """

    ours: Positions
    odd: Positions


class _Adopting:
    """Look at one table after the other, each after those that it refers to.

    Attributes:
        states: The key states that changed, by table.
    """

    def __init__(self, before: Snapshot, side: Frames, how: Partitioning) -> None:
        self.before, self.how = before, how
        self.frames = {
            name: _read(side.get(name), table) for name, table in how.model.tables.items()
        }
        self.matches: dict[str, _Match] = {}
        self.states: dict[str, KeyState] = {}

    def adopt(self, name: str) -> None:
        """Look at one table."""
        table, frame = self.how.model.tables[name], self.frames[name]
        given = self._given(table)
        known = join_keys([given.in_use, given.retired], table)
        columns, whole = self._natural(table)
        natural = [columns[each] for each in table.natural_key]
        theirs = frame[table.primary_key].to_numpy(dtype=np.int64)
        at = find_rows(natural, [known[each] for each in table.natural_key])
        ours = gather(_numbers(known, table), np.where(whole, at, -1))
        fresh = whole & (at < 0) & (theirs >= ADOPTED_FROM)
        fresh &= find_keys(frame[table.primary_key], known[table.primary_key]) < 0
        fresh &= ~are_twice([frame[table.primary_key]], fresh) & ~are_twice(natural, whole)
        ours = np.where(fresh, theirs, ours)
        self.matches[name] = _Match(ours, np.flatnonzero(ours != theirs))
        rows = np.flatnonzero(fresh)
        if len(rows):
            columns[table.primary_key] = frame[table.primary_key]
            rows = rows[argsort_numbers(theirs[rows])]
            retired = join_keys([given.retired, some_keys(make_frame(columns), rows, table)], table)
            following = self.before.keys[name].next if name in self.before.keys else 1
            self.states[name] = TableKeys(table, following, PartedKeys(given.in_use, retired))

    def _given(self, table: TableSpec) -> PartedKeys:
        state = self.before.keys.get(table.name)
        if state is None:
            nothing = complete_table(None, table)[list(key_columns(table))]
            return PartedKeys(nothing, nothing)
        return part_keys(state, held_frames(self.before.tables).get(table.name), table)

    def _natural(self, table: TableSpec) -> tuple[dict[str, pd.Series], Mask]:
        """Give the natural keys of rows, with our keys where they refer, and which are whole."""
        frame, out = self.frames[table.name], {}
        whole = np.ones(len(frame), dtype=bool)
        for name in table.natural_key:
            spec, values = table.columns[name], frame[name]
            if spec.references in self.matches:
                values = self._translate(str(spec.references), values)
            out[name] = values
            whole &= ~(values.isna() & frame[name].notna()).to_numpy(dtype=bool)
            whole &= ~unfit_cells(values, spec)
            if spec.type == "text":  # what is not clean comes to us otherwise
                whole &= ~COLUMNS.differ(values, tidy(values)[0])
        return out, whole

    def _translate(self, target: str, values: pd.Series) -> pd.Series:
        """Give references our keys; what leads to no key of ours is missing."""
        key = self.frames[target][self.how.model.tables[target].primary_key]
        ours = gather(self.matches[target].ours, find_keys(values, key))
        return make_column(pd.arrays.IntegerArray(ours, ours < 0))

    def tell(self) -> pd.DataFrame:
        """Give the mismatches of all tables."""
        parts = [self._tell(name, match) for name, match in self.matches.items()]
        return pd.concat(parts, ignore_index=True)

    def _tell(self, name: str, match: _Match) -> pd.DataFrame:
        theirs = _numbers(self.frames[name], self.how.model.tables[name])[match.odd]
        ours = match.ours[match.odd]
        return pd.DataFrame(
            {
                "table": pd.Series([name] * len(ours), dtype=object),
                "subject": pd.Series(self._subjects(name, match.odd), dtype=object),
                "ours": make_column(pd.arrays.IntegerArray(ours, ours < 0)),
                "theirs": make_column(theirs),
            }
        )

    def _subjects(self, name: str, rows: Positions) -> np.ndarray:
        """Tell whose some rows of a table are, as it stands clean; None where nobody's."""
        out = np.full(len(rows), None, dtype=object)
        owner = self.how.owners.get(name)
        if owner is None or not len(rows):
            return out
        values = COLUMNS.take(self.frames[name][owner.column], rows)
        if owner.table is None:
            spec = replace(self.how.key, nullable=True)
            texts = TYPES[spec.type].text(values, spec) if TYPES[spec.type].rules(spec) else values
            held = texts.notna().to_numpy(dtype=bool)
            out[held] = texts.to_numpy(dtype=object)[held]
            return out
        key = self.frames[owner.table][self.how.model.tables[owner.table].primary_key]
        at = find_keys(values, key)
        out[at >= 0] = self._subjects(owner.table, at[at >= 0])
        return out


def _read(frame: Optional[pd.DataFrame], table: TableSpec) -> pd.DataFrame:
    """Give a table of the side, its keys of their types."""
    if frame is None:
        return complete_table(None, table)
    frame = complete_table(frame.reset_index(drop=True), table)
    for name, spec in key_columns(table).items():
        if frame[name].dtype != spec.held_dtype or (spec.primary_key and frame[name].hasnans):
            msg = (
                f"{table.name}.{name} of a side is not {spec.type} throughout; give the tables as "
                "the database reads them"
            )
            raise ArgumentError(msg, problem="side", table=table.name, column=name)
    return frame


def _numbers(frame: pd.DataFrame, table: TableSpec) -> Positions:
    return frame[table.primary_key].to_numpy(dtype=np.int64)


# ----------------------------------------------------------------------------- audit columns

#: Who did it and when: what is only taken together.
_PAIRS = (("created", "created_by"), ("updated", "updated_by"))


def keep_audit(snapshot: Snapshot, side: Frames, model: Model, /) -> Snapshot:
    """Give each row that equals the side's the side's audit columns, since nobody changed it here.

    Keys, order and key state stay. Of a moment what is below the millisecond is cut off. Who
    created a row, and when, or who updated it, is not taken where the model does not allow it.

    Args:
        snapshot: The snapshot of a run.
        side: The tables as the application has them; a table or column may be absent.
        model: The model of both.

    Returns:
        The snapshot; where no cell is another, with the very same frames.
    """
    theirs, tables = held_frames(side), dict(held_frames(snapshot.tables))
    changed = {
        name: found
        for name, frame in tables.items()
        if theirs.get(name) is not None
        and (found := _with_audit(frame, theirs[name], model.tables[name])) is not frame
    }
    return replace(snapshot, tables=Tables({**tables, **changed})) if changed else snapshot


def _with_audit(frame: pd.DataFrame, theirs: pd.DataFrame, table: TableSpec) -> pd.DataFrame:
    ours = conform_known(frame, table)
    theirs = conform_known(_in_milliseconds(theirs.reset_index(drop=True), table), table)
    own, key = table.own_columns, table.primary_key
    if any(spec.name not in theirs or not _are_alike(ours, theirs, spec.name) for spec in own):
        return frame
    at = find_rows([ours[key]], [theirs[key]])
    rows = np.flatnonzero(at >= 0)
    for spec in own:
        rows = rows[~COLUMNS.differ(ours[spec.name], theirs[spec.name], rows, at[rows])]
    found: dict[str, pd.Series] = {}
    for pair in _PAIRS:
        if not all(name in theirs and _are_alike(ours, theirs, name) for name in pair):
            continue
        bad = np.zeros(len(rows), dtype=bool)
        other = np.zeros(len(rows), dtype=bool)
        for name in pair:
            bad |= unfit_cells(COLUMNS.take(theirs[name], at[rows]), table.columns[name])
            other |= COLUMNS.differ(ours[name], theirs[name], rows, at[rows])
        taken = rows[other & ~bad]
        if len(taken):
            place = np.arange(len(ours), dtype=np.int64)
            place[taken] = len(ours) + at[taken]
            for name in pair:
                found[name] = COLUMNS.take(COLUMNS.concat([ours[name], theirs[name]]), place)
    return ours.assign(**found) if found else frame


def _are_alike(one: pd.DataFrame, two: pd.DataFrame, name: str) -> bool:
    return bool(one[name].dtype == two[name].dtype)


def _in_milliseconds(frame: pd.DataFrame, table: TableSpec) -> pd.DataFrame:
    """Cut off of the moments of audit columns what is below the millisecond."""
    names = [spec.name for spec in table.columns.values() if spec.audit and spec.name in frame]
    moments = {
        name: frame[name].dt.floor("ms")
        for name in names
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype)
    }
    return frame.assign(**moments) if moments else frame
