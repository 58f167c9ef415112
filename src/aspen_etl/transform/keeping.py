"""Rows of before that stay: bad rows do not delete good ones.

A row that is rejected now and whose key can be read keeps its last good state, with every row
that refers to it. What is absent from the source stays where the caller asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.positions import gather
from aspen_etl.columns.rows import find_rows, sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.columns.threads import map_threads
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.model import Model
from aspen_etl.transform.cleaning import Prepared
from aspen_etl.transform.faults import Judged
from aspen_etl.transform.recovery import recover

__all__ = ["Held", "Missing", "hold"]

#: What becomes of a row that was there and is absent from the source now.
Missing = Literal["delete", "keep"]


@dataclass(frozen=True)
class Held:
    """The rows that a run goes on with.

    Attributes:
        accepted: The accepted rows of each sheet and the old ones that stay, in the order that
            ``judge`` gives; a column that refers to another sheet holds the row number there.
        kept: How many old rows stay since they are rejected now, or refer to such a row.
        stayed: How many old rows stay although they are absent.
        before: The tables before, if they were read for it: a store reads a table again that
            nobody holds.
    """

    accepted: Mapping[str, pd.DataFrame] = field(repr=False)
    kept: Mapping[str, int]
    stayed: Mapping[str, int]
    before: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)


def hold(
    prepared: Mapping[str, Prepared],
    judged: Mapping[str, Judged],
    before: Mapping[str, pd.DataFrame],
    model: Model,
    missing: Missing,
    /,
) -> Held:
    """Add to the accepted rows those of the tables before that stay."""
    accepted = {name: found.accepted for name, found in judged.items()}
    none = dict.fromkeys(accepted, 0)
    rejected = any(found.rejected_rows.any() for found in judged.values())
    if not before or not (missing == "keep" or rejected):
        return Held(accepted, none, none)
    most = max((len(rows) for rows in accepted.values()), default=0)
    before = dict(zip(before, map_threads(before.__getitem__, before, rows=most)))
    tables, absent = complete(before, model)
    unknown = {name for name in absent if model.lineage.tables[name].kind != "lookup"}
    old = recover(tables, model, absent=unknown)
    merge = _Merge(prepared, judged, old, model, missing)
    for name in model.sources:
        merge.add(name)
    return Held(merge.accepted, merge.kept, merge.stayed, before)


class _Merge:
    """Merge old rows into the accepted ones, each sheet after those it refers to."""

    def __init__(
        self,
        prepared: Mapping[str, Prepared],
        judged: Mapping[str, Judged],
        old: Mapping[str, pd.DataFrame],
        model: Model,
        missing: Missing,
    ) -> None:
        self.prepared, self.judged, self.old = prepared, judged, old
        self.model, self.missing = model, missing
        self.accepted: dict[str, pd.DataFrame] = {}
        self.kept: dict[str, int] = {}
        self.stayed: dict[str, int] = {}
        #: Where each accepted and each old row stands in the merged sheet; -1 is gone.
        self.new_place: dict[str, Positions] = {}
        self.old_place: dict[str, Positions] = {}
        self.old_kept: dict[str, Mask] = {}
        self.old_stayed: dict[str, Mask] = {}

    def add(self, name: str) -> None:
        lineage = self.model.lineage.sources[name]
        now = self._placed(name, self.judged[name].accepted, self.new_place)
        then = self._placed(name, self.old[name], self.old_place)
        key = list(lineage.key)
        at = self._find(then, now, key)
        kept, stayed = self._staying(name, then, at < 0)
        staying = np.flatnonzero(kept | stayed)
        merged = _join(now, then, staying)
        order, _ = sort_rows([merged[column] for column in key])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        self.new_place[name] = place[: len(now)]
        self.old_place[name] = gather(place[: len(now)], at)
        self.old_place[name][staying] = place[len(now) :]
        self.old_kept[name], self.old_stayed[name] = kept, stayed
        self.kept[name], self.stayed[name] = int(kept.sum()), int(stayed.sum())
        columns = {column: COLUMNS.take(merged[column], order) for column in merged.columns}
        self.accepted[name] = make_frame(columns, pd.RangeIndex(len(order)))

    def _placed(
        self, name: str, rows: pd.DataFrame, places: Mapping[str, Positions]
    ) -> pd.DataFrame:
        """Let references lead to the merged sheets."""
        return rows.assign(
            **{
                column: gather(places[parent], rows[column].to_numpy(dtype=np.int64))
                for column, parent in self.model.lineage.sources[name].references.items()
            }
        )

    def _find(self, rows: pd.DataFrame, among: pd.DataFrame, key: list[str]) -> Positions:
        """Find rows by their key; one that refers to nothing is found nowhere."""
        at = find_rows([rows[column] for column in key], [among[column] for column in key])
        for column in key:
            if pd.api.types.is_integer_dtype(rows[column].dtype):
                at = np.where(rows[column].to_numpy(dtype=np.int64) < 0, -1, at)
            else:
                at = np.where(rows[column].isna().to_numpy(dtype=bool), -1, at)
        return at

    def _staying(self, name: str, then: pd.DataFrame, free: Mask) -> tuple[Mask, Mask]:
        """Tell which old rows are kept, and which merely stay; ``free`` has no new row."""
        references = self.model.lineage.sources[name].references
        kept = self._rejected_now(name, then)
        stayed = np.full(len(then), self.missing == "keep" and not references, dtype=bool)
        for column, parent in references.items():
            at = self.old[name][column].to_numpy(dtype=np.int64)
            free &= then[column].to_numpy(dtype=np.int64) >= 0
            kept |= (at >= 0) & self._of(self.old_kept[parent], at)
            stayed |= (at >= 0) & self._of(self.old_stayed[parent], at)
        kept &= free
        return kept, stayed & free & ~kept

    def _of(self, mask: Mask, at: Positions) -> Mask:
        return gather(mask.astype(np.int64), at) > 0

    def _rejected_now(self, name: str, then: pd.DataFrame) -> Mask:
        """Tell which old rows have the key of a row that is rejected now."""
        lineage = self.model.lineage.sources[name]
        rows = np.flatnonzero(self.judged[name].rejected_rows)
        out = np.zeros(len(then), dtype=bool)
        if not len(rows) or not len(then):
            return out
        clean = self.prepared[name].clean
        keys = {}
        for column in lineage.key:
            values = COLUMNS.take(clean[column], rows)
            parent = lineage.references.get(column)
            if parent is not None:
                first = self.model.lineage.sources[parent].key[0]
                values = pd.Series(find_rows([values], [self.accepted[parent][first]]))
            keys[column] = values
        at = self._find(pd.DataFrame(keys), then, list(lineage.key))
        out[at[at >= 0]] = True
        return out


def _join(now: pd.DataFrame, then: pd.DataFrame, staying: Positions) -> pd.DataFrame:
    columns = {}
    for column in now.columns:
        both = [now[column], COLUMNS.take(then[column], staying)]
        joined = pd.concat(both, ignore_index=True) if len(staying) else both[0]
        whole = pd.api.types.is_integer_dtype(now[column].dtype)
        columns[column] = joined if whole else conform_text(joined)
    return make_frame(columns)
