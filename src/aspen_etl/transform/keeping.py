"""Rows of before that stay: bad rows do not delete good ones.

A row that is rejected now and whose key can be read keeps its last good state, with every row
that refers to it. What is absent from the source stays where the caller asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.positions import gather, reverse
from aspen_etl.columns.rows import find_rows, sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.columns.threads import map_threads
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.lineage import SourceLineage
from aspen_etl.schema.model import Model
from aspen_etl.schema.previous import Previous
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.judging import Verdict
from aspen_etl.transform.recovery import recover

__all__ = ["Kept", "Missing", "keep"]

#: What becomes of a row that was there and is absent from the source now.
Missing = Literal["delete", "keep"]


@dataclass(frozen=True)
class Kept:
    """The rows that a run goes on with.

    Attributes:
        rows: By sheet, the accepted rows and the old ones that stay, in the order of their key; a
            column that refers to another sheet holds the row number there.
        kept: How many old rows stay since they are rejected now, or refer to such a row.
        stayed: By sheet, what each old row that stays although it is absent is known by: its first
            key column, or that of the row that it refers to.
        now: By sheet, where each accepted row stands.
    """

    rows: Mapping[str, pd.DataFrame] = field(repr=False)
    kept: Mapping[str, int]
    stayed: Mapping[str, pd.Series] = field(repr=False)
    now: Mapping[str, Positions] = field(repr=False)


def keep(
    accepted: Mapping[str, pd.DataFrame],
    sheets: Mapping[str, Sheet],
    verdicts: Mapping[str, Verdict],
    before: Previous,
    missing: Missing,
    model: Model,
    /,
) -> Kept:
    """Add to the accepted rows those of before that stay.

    The tables of before are read where a row is rejected or ``missing`` is ``keep``, else not.

    Args:
        accepted: The accepted rows, as ``gather`` gives them.
        sheets: The sheets that they were gathered from.
        verdicts: What ``judge`` says of these.
        before: What was there before.
        missing: Whether rows that are absent from the source are gone (``delete``) or stay.
        model: The model.

    Raises:
        ModelFunctionError: The inverse of a builder failed.
        AspenETLError: What ``before`` raises where its tables cannot be read.
    """
    none = dict.fromkeys(accepted, 0)
    nobody = dict.fromkeys(accepted, COLUMNS.repeat(None, 0))
    rejected = any(verdict.rejected.any() for verdict in verdicts.values())
    if not before.names or not (missing == "keep" or rejected):
        now = {name: np.arange(len(frame), dtype=np.int64) for name, frame in accepted.items()}
        return Kept(accepted, none, nobody, now)
    old = _old_rows(before, model, rows=max(map(len, accepted.values()), default=0))
    done: dict[str, _Merged] = {}
    for name in model.sources:
        lineage = model.lineage.sources[name]
        rejects = _rejected_keys(sheets[name], verdicts[name], done, model)
        stays = missing == "keep"
        done[name] = _merge(accepted[name], old[name], rejects, done, lineage, stays=stays)
    return Kept(
        {name: merged.rows for name, merged in done.items()},
        {name: int(merged.kept.sum()) for name, merged in done.items()},
        {name: _name(name, np.flatnonzero(done[name].stayed), old, model) for name in done},
        {name: merged.now_at for name, merged in done.items()},
    )


def _old_rows(before: Previous, model: Model, *, rows: int) -> dict[str, pd.DataFrame]:
    """Read the sheets back out of the tables before."""
    found = dict(zip(before.names, map_threads(before.table, before.names, rows=rows)))
    tables, absent = complete(found, model)
    unknown = {name for name in absent if model.lineage.tables[name].kind != "entity"}
    return recover(tables, model, absent=unknown)


def _name(sheet: str, rows: Positions, old: Mapping[str, pd.DataFrame], model: Model) -> pd.Series:
    """Tell what some old rows of a sheet are known by."""
    lineage, frame = model.lineage.sources[sheet], old[sheet]
    for column, parent in lineage.references.items():
        return _name(parent, frame[column].to_numpy(dtype=np.int64)[rows], old, model)
    return COLUMNS.take(frame[lineage.key[0]], rows)


class _Merged(NamedTuple):
    """One sheet, its accepted rows and the old ones that stay.

    Attributes:
        rows: Both, in the order of their key.
        now_at: Where each accepted row stands in it.
        then_at: Where each old row stands in it, or the accepted one of its key; -1 is gone.
        kept: Which old rows stay since they are rejected now, or refer to such a row.
        stayed: Which old rows stay although they are absent.
    """

    rows: pd.DataFrame
    now_at: Positions
    then_at: Positions
    kept: Mask
    stayed: Mask


def _merge(
    accepted: pd.DataFrame,
    old: pd.DataFrame,
    rejects: pd.DataFrame,
    done: Mapping[str, _Merged],
    lineage: SourceLineage,
    *,
    stays: bool,
) -> _Merged:
    """Merge the old rows of a sheet that stay into the accepted ones.

    Args:
        accepted: The accepted rows.
        old: The rows before.
        rejects: The keys of the rows that are rejected now.
        done: The sheets that this one refers to, merged.
        lineage: What follows for the sheet.
        stays: Whether a row stays that is absent now, and refers to none.
    """
    parents = {column: done[parent] for column, parent in lineage.references.items()}
    now = _placed(accepted, {column: parent.now_at for column, parent in parents.items()})
    then = _placed(old, {column: parent.then_at for column, parent in parents.items()})
    at = _find(then, now, lineage.key)
    free, kept, stayed = at < 0, np.zeros(len(then), dtype=bool), np.full(len(then), stays)
    owners = {column: old[column].to_numpy(dtype=np.int64) for column in lineage.owners}
    for owner in owners.values():  # whose row it is says whether it stays
        stayed &= owner < 0
    again = _find(rejects, then, lineage.key)
    kept[again[again >= 0]] = True
    for column in parents:
        if column in lineage.required:  # else a row may do without
            free &= then[column].to_numpy(dtype=np.int64) >= 0
    for column, owner in owners.items():
        kept |= (owner >= 0) & _of(parents[column].kept, owner)
        stayed |= (owner >= 0) & _of(parents[column].stayed, owner)
    kept &= free
    stayed &= free & ~kept
    staying = np.flatnonzero(kept | stayed)
    merged = _join(now, then, staying)
    order, _ = sort_rows([merged[column] for column in lineage.key])
    place = reverse(order, len(order))
    then_at = gather(place[: len(now)], at)
    then_at[staying] = place[len(now) :]
    columns = {column: COLUMNS.take(merged[column], order) for column in merged.columns}
    rows = make_frame(columns, pd.RangeIndex(len(order)))
    return _Merged(rows, place[: len(now)], then_at, kept, stayed)


def _placed(rows: pd.DataFrame, places: Mapping[str, Positions]) -> pd.DataFrame:
    """Let references lead to the merged sheets."""
    led = {c: gather(at, rows[c].to_numpy(dtype=np.int64)) for c, at in places.items()}
    return rows.assign(**led)


def _find(rows: pd.DataFrame, among: pd.DataFrame, key: Sequence[str]) -> Positions:
    """Find rows by their key; one that refers to nothing is found nowhere."""
    if not len(rows) or not len(among):
        return np.full(len(rows), -1, dtype=np.int64)
    at = find_rows([rows[column] for column in key], [among[column] for column in key])
    for column in key:
        if pd.api.types.is_integer_dtype(rows[column].dtype):
            at = np.where(rows[column].to_numpy(dtype=np.int64) < 0, -1, at)
        else:
            at = np.where(rows[column].isna().to_numpy(dtype=bool), -1, at)
    return at


def _of(mask: Mask, at: Positions) -> Mask:
    found: Mask = gather(mask.astype(np.int64), at) > 0
    return found


def _rejected_keys(
    sheet: Sheet, verdict: Verdict, done: Mapping[str, _Merged], model: Model
) -> pd.DataFrame:
    """Give the keys of the rows that are rejected now, as merged rows have them."""
    lineage = model.lineage.sources[sheet.name]
    rows = np.flatnonzero(verdict.rejected)
    keys = {}
    for column in lineage.key:
        values = COLUMNS.take(sheet.clean[column], rows)
        parent = lineage.references.get(column)
        if parent is not None:
            first = model.lineage.sources[parent].key[0]
            values = make_column(find_rows([values], [done[parent].rows[first]]))
        keys[column] = values
    return make_frame(keys)


def _join(now: pd.DataFrame, then: pd.DataFrame, staying: Positions) -> pd.DataFrame:
    columns = {}
    for column in now.columns:
        both = [now[column], COLUMNS.take(then[column], staying)]
        if not pd.api.types.is_integer_dtype(now[column].dtype):
            both = [conform_text(each) for each in both]
        columns[column] = COLUMNS.concat(both) if len(staying) else both[0]
    return make_frame(columns)
